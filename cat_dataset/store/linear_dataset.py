"""Read linear light back, by random access: light bases and sweeps, from shards or plain files.

Two places hold it: the shards of a data set with `samples = "linear"`, and the folder `linear/`
that `render --keep-linear` writes. Both hold the same bytes and are read alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.attributes.task_key import split_task_key
from cat_dataset.errors import ShardError
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.records import LightBasis, Split, Sweep
from cat_dataset.store.linear_files import LINEAR_FOLDER, decode_linear
from cat_dataset.store.pair_dataset import read_members
from cat_dataset.store.pair_rows import member_spans
from cat_dataset.store.sample_json import load_record
from cat_dataset.store.schema import JSON, LINEAR
from cat_dataset.store.tables import index_batches, read_index

_COLUMNS = (
    *("key", "kind", "split", "scene", "attribute", "width_px", "height_px", "origin.producer"),
    *("shard", "members"),
)


@dataclass(frozen=True, slots=True)
class LinearRow:
    """One stored light basis or sweep."""

    key: str
    kind: Literal["basis", "sweep"]
    split: Split
    scene: str
    attribute: str | None  # swept
    width_px: int
    height_px: int
    producer: str
    content: str  # sha256 of the light, which tells one store from another
    place: Path  # a shard's tar, or the JSON of a plain file
    spans: Mapping[str, tuple[int, int]] | None  # in the tar; None: plain files

    def can_give(self, plan_name: str) -> bool:
        """Return whether pairs of a plan may come from it; a basis may lack a lamp."""
        names = attributes_of_plan(plan_name)
        if self.kind == "basis":
            return all(name in BASIS_ATTRIBUTES for name in names)
        return self.attribute == split_task_key(names[0])[0]


class LinearDataset:
    """The linear light of one or more folders, sorted by key."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        splits: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
    ) -> None:
        """Keep what is of the given splits and can give pairs of one of `attributes`; None: all.

        Raises:
            ShardError: a folder holds no linear light, or its job is not finished.
        """
        rows = [row for folder in folders for row in _rows(folder)]
        self.rows: tuple[LinearRow, ...] = tuple(
            sorted((r for r in rows if _is_wanted(r, splits, attributes)), key=lambda r: r.key)
        )

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: LinearRow) -> LightBasis | Sweep:
        """Return the light of a row.

        Raises:
            ShardError: a file is missing, cut off or damaged.
        """
        return read_linear(row)


@lru_cache(maxsize=8)
def kept_bases(folder: Path) -> Mapping[str, LinearRow]:
    """Return the light bases that were kept beside a data set's pairs, by scene; often none.

    Raises:
        ShardError: what was kept is broken.
    """
    if not (folder / LINEAR_FOLDER).is_dir():
        return {}
    return {row.scene: row for row in LinearDataset([folder]).rows if row.kind == "basis"}


def read_linear(row: LinearRow) -> LightBasis | Sweep:
    """Return the light of a row.

    Raises:
        ShardError: a file is missing, cut off or damaged.
    """
    try:
        if row.spans is not None:
            members = read_members(row.place, row.key, row.spans)
            record, exr = load_record(members[JSON]), members[LINEAR]
        else:
            record, exr = load_record(row.place.read_bytes()), _exr_path(row).read_bytes()
        return decode_linear(exr, record)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"sample {row.key} in {row.place}: {reason}; make it anew with its command"
        raise ShardError(msg) from None


def _exr_path(row: LinearRow) -> Path:
    return row.place.with_name(f"{row.key}.{row.kind}.exr")


def _rows(folder: Path) -> list[LinearRow]:
    """Return what a folder holds: a data set of linear samples, or files kept beside its pairs."""
    if (folder / LINEAR_FOLDER).is_dir():
        read_index(folder)  # raises where the job is not finished
        rows = _rows_of_files(folder / LINEAR_FOLDER)
    elif (folder / "index.parquet").is_file():
        rows = [
            _row_of_index(folder, row)
            for batch in index_batches(folder, _COLUMNS)
            for row in batch.to_pylist()
            if row["kind"] in ("basis", "sweep")
        ]
    else:
        rows = _rows_of_files(folder)
    if not rows:
        msg = (
            f"{folder}: holds no linear light; make it with `cat-dataset render --keep-linear`, "
            f'or with samples = "linear" in [dataset]'
        )
        raise ShardError(msg)
    return rows


def _rows_of_files(folder: Path) -> list[LinearRow]:
    return [_row_of_file(path) for path in sorted(folder.glob("*.json"))]


def _row_of_file(path: Path) -> LinearRow:
    try:
        record = load_record(path.read_bytes())
        return _row(record, record["origin"]["producer"], record["exr_sha256"], path, None)
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: is no record of linear light ({error}); remove it or make it anew"
        raise ShardError(msg) from None


def _row_of_index(folder: Path, row: Mapping[str, Any]) -> LinearRow:
    content = next(member["sha256"] for member in row["members"] if member["name"] == LINEAR)
    tar_path = folder / "shards" / row["shard"]
    return _row(row, row["origin"]["producer"], content, tar_path, member_spans(row))


def _row(
    fields: Mapping[str, Any],
    producer: str,
    content: str,
    place: Path,
    spans: Mapping[str, tuple[int, int]] | None,
) -> LinearRow:
    return LinearRow(
        key=fields["key"],
        kind=fields["kind"],
        split=fields["split"],
        scene=fields["scene"],
        attribute=fields.get("attribute"),
        width_px=fields["width_px"],
        height_px=fields["height_px"],
        producer=producer,
        content=content,
        place=place,
        spans=spans,
    )


def _is_wanted(
    row: LinearRow, splits: Sequence[str] | None, attributes: Sequence[str] | None
) -> bool:
    if splits is not None and row.split not in splits:
        return False
    return attributes is None or any(row.can_give(name) for name in attributes)
