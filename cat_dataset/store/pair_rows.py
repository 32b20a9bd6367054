"""The pairs of an index as a sequence whose rows are made as they are asked for.

A million pairs as objects take gigabytes. Here they stay columns of an Arrow table: filtered batch
by batch as the index is read, sorted by key.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cat_dataset.attributes.table import find_attribute
from cat_dataset.attributes.task_key import selects, task_key
from cat_dataset.errors import ShardError
from cat_dataset.records import EditScale, Split
from cat_dataset.store.tables import edits_of_row, index_batches

_KEY = re.compile(r"[a-z0-9_-]+")
_EDIT = "edits.list.element."
_COLUMNS = (
    *("key", "kind", "split", "scene", "source_frame", "target_frame", "instruction"),
    *("width_px", "height_px", "shard", "members"),
    *(f"{_EDIT}{name}" for name in ("attribute", "subject", "value", "source_value")),
    *(f"{_EDIT}{name}" for name in ("target_value", "light_ratio", "measured", "measured_se")),
)
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair of the index."""

    key: str
    split: Split
    scene: str
    edits: tuple[EditScale, ...]
    instruction: str
    width_px: int
    height_px: int
    tar_path: Path
    spans: Mapping[str, tuple[int, int]]  # (offset, size) in the tar, by member
    hashes: Mapping[str, str] = field(default_factory=dict)  # sha256, by member
    source_frame: int | None = None  # of a sweep
    target_frame: int | None = None


class PairRows(Sequence[PairRow]):
    """Pairs in the order of their keys."""

    def __init__(self, table: pa.Table, folders: Sequence[Path]) -> None:
        self._table = table
        self._folders = tuple(folders)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @overload
    def __getitem__(self, number: int) -> PairRow: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[PairRow, ...]: ...
    def __getitem__(self, number: int | slice) -> PairRow | tuple[PairRow, ...]:
        """Return a row, made anew, or several."""
        if isinstance(number, slice):
            return tuple(self[place] for place in range(*number.indices(len(self))))
        place = range(len(self))[number]  # raises IndexError, counts from the end
        return self._row(self._table.slice(place, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[PairRow]:
        for batch in self._table.to_batches(_ROWS_AT_ONCE):
            yield from map(self._row, batch.to_pylist())

    def _row(self, row: Mapping[str, Any]) -> PairRow:
        return PairRow(
            key=row["key"],
            split=row["split"],
            scene=row["scene"],
            edits=edits_of_row(row["edits"]),
            instruction=row["instruction"],
            width_px=row["width_px"],
            height_px=row["height_px"],
            tar_path=self._folders[row["folder"]] / "shards" / row["shard"],
            spans=member_spans(row),
            hashes={member["name"]: member["sha256"] for member in row["members"]},
            source_frame=row["source_frame"],
            target_frame=row["target_frame"],
        )

    def kept(self, is_kept: Callable[[PairRow], bool]) -> "PairRows":
        """Return the rows for which a function is true."""
        mask = np.fromiter(map(is_kept, self), np.bool_, len(self))
        return self if mask.all() else PairRows(self._table.filter(pa.array(mask)), self._folders)

    @property
    def num_px(self) -> int:
        """Pixels of one picture of every pair together."""
        width, height = (self._table[name].to_numpy() for name in ("width_px", "height_px"))
        return int((width.astype(np.int64) * height).sum())


def read_pair_rows(
    folders: Sequence[Path], splits: Sequence[str] | None, attributes: Sequence[str] | None
) -> PairRows:
    """Return the pairs of some splits all of whose edits `attributes` select; None: all.

    Raises:
        ShardError: a folder holds no finished data set, or two hold a sample of one key.
    """
    parts = []
    for number, folder in enumerate(folders):
        for batch in index_batches(folder, _COLUMNS):
            pairs = batch.filter(pc.equal(batch["kind"], "pair"))
            _check_names(folder, pairs)
            wanted = pairs.filter(pa.array(_is_wanted(pairs, splits, attributes)))
            places = pa.array(np.full(len(wanted), number, np.int32))
            parts.append(pa.Table.from_batches([wanted]).append_column("folder", places))
    if not parts:
        return PairRows(pa.table({"width_px": [], "height_px": []}), folders)
    table = pa.concat_tables(parts).drop_columns(["kind"])
    rows = PairRows(table.sort_by("key").combine_chunks(), folders)
    keys = rows._table["key"]
    twice = np.flatnonzero(pc.equal(keys.slice(1), keys.slice(0, max(len(keys) - 1, 0))).to_numpy())
    for number in twice[:1].tolist():
        first, second = rows[number], rows[number + 1]
        msg = (
            f"sample {first.key}: is in {first.tar_path} and in {second.tar_path}; keys "
            f"must differ: give one of the folders, or make one with other batch names"
        )
        raise ShardError(msg)
    return rows


def member_spans(row: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return where the members of an index row stand in its tar."""
    return {member["name"]: (member["offset"], member["size"]) for member in row["members"]}


def _check_names(folder: Path, pairs: pa.RecordBatch) -> None:
    """Raise ShardError where a key or a shard's name could lead anywhere else."""
    for key, shard in zip(pairs["key"].to_pylist(), pairs["shard"].to_pylist(), strict=True):
        if not _KEY.fullmatch(key) or Path(shard).name != shard:
            msg = (
                f"{folder / 'index.parquet'}: key {key!r} in shard {shard!r}: keys are "
                f"made of a-z, 0-9, _ and -, shards are plain file names; do not use this data set"
            )
            raise ShardError(msg)


def _is_wanted(
    pairs: pa.RecordBatch, splits: Sequence[str] | None, attributes: Sequence[str] | None
) -> NDArray[np.bool_]:
    """Return which pairs are of the splits and edit nothing but the attributes.

    `attributes` may hold keys of tasks too, such as "shape_key:smile".

    Raises:
        EditScaleError: one edits an attribute that this version does not know.
    """
    edits = pc.list_flatten(pairs["edits"])
    edited = pc.struct_field(edits, "attribute")
    known = {name: find_attribute(name) for name in pc.unique(edited).to_pylist()}
    is_wanted = np.ones(len(pairs), np.bool_)
    if splits is not None:
        is_wanted &= _among(pairs["split"], splits)
    if attributes is not None:
        parents = pc.list_parent_indices(pairs["edits"]).to_numpy(zero_copy_only=False)
        is_selected = _among(edited, attributes)
        keyed = [name for name, attribute in known.items() if attribute.is_keyed_by_subject]
        for place in np.flatnonzero(_among(edited, keyed)):
            edit = edits[int(place)].as_py()
            is_selected[place] = selects(attributes, task_key(edit["attribute"], edit["subject"]))
        is_wanted[parents[~is_selected]] = False
    return is_wanted


def _among(column: pa.Array, names: Sequence[str]) -> NDArray[np.bool_]:
    found = pc.is_in(column, value_set=pa.array(list(names), pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)
