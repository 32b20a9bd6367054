"""Read a data set back: rows from the index, pictures by random access into the tars."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cat_dataset.display import decode_png
from cat_dataset.errors import ShardError
from cat_dataset.records import EditScale, Split
from cat_dataset.tables import INDEX_SCHEMA, JSON, SOURCE, TARGET, edits_of_row, read_table

_KEY = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Sample:
    """One pair, decoded."""

    source_HW3: NDArray[np.uint8]  # display sRGB
    target_HW3: NDArray[np.uint8]
    record: dict[str, Any]  # the sample JSON


def read_index(folder: Path) -> pa.Table:
    """Return a data set's `index.parquet`.

    Raises:
        ShardError: the folder holds no finished data set, or the index is broken.
    """
    remedy = "finish the data set by running its command again"
    return read_table(folder / "index.parquet", INDEX_SCHEMA, remedy)


class PairDataset:
    """The pairs of one or more data set folders, sorted by key."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        splits: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
    ) -> None:
        """Keep the pairs of the given splits all of whose edits are in `attributes`; None: all.

        Raises:
            ShardError: a folder holds no finished data set, or two hold a sample of one key.
        """
        rows: list[PairRow] = []
        for folder in folders:
            rows += [_pair_row(folder, row) for row in _pair_rows(folder)]
        self.rows: tuple[PairRow, ...] = tuple(
            sorted((r for r in rows if _is_wanted(r, splits, attributes)), key=lambda r: r.key)
        )
        for first, second in pairwise(self.rows):
            if first.key == second.key:
                msg = (
                    f"sample {first.key}: is in {first.tar_path} and in {second.tar_path}; keys "
                    f"must differ: give one of the folders, or make one with other batch names"
                )
                raise ShardError(msg)

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: PairRow) -> Sample:
        """Return a pair's pictures and record.

        Raises:
            ShardError: the tar is missing, cut off, or does not hold what the index says.
        """
        members = read_members(row.tar_path, row.key, row.spans)
        try:
            return Sample(
                decode_png(members[SOURCE]), decode_png(members[TARGET]), json.loads(members[JSON])
            )
        except ValueError as error:
            msg = f"sample {row.key} in {row.tar_path}: {error}; run `cat-dataset verify`"
            raise ShardError(msg) from None


def read_members(
    tar_path: Path, key: str, spans: Mapping[str, tuple[int, int]]
) -> dict[str, bytes]:
    """Return the bytes of a sample's members by their names.

    Raises:
        ShardError: the tar is missing or ends too early.
    """
    members = {}
    try:
        with tar_path.open("rb") as file:
            for name, (offset, size) in spans.items():
                file.seek(offset)
                members[name] = file.read(size)
    except OSError as error:
        msg = f"shard {tar_path}: cannot be read ({error.strerror}); run the job again"
        raise ShardError(msg) from None
    if any(len(members[name]) != size for name, (_, size) in spans.items()):
        msg = f"shard {tar_path}: ends inside sample {key}; run the job again to rebuild it"
        raise ShardError(msg)
    return members


def member_spans(row: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return where the members of an index row stand in its tar."""
    return {member["name"]: (member["offset"], member["size"]) for member in row["members"]}


def _pair_rows(folder: Path) -> list[dict[str, Any]]:
    return [row for row in read_index(folder).to_pylist() if row["kind"] == "pair"]


def _pair_row(folder: Path, row: dict[str, Any]) -> PairRow:
    if not _KEY.fullmatch(row["key"]) or Path(row["shard"]).name != row["shard"]:
        msg = (
            f"{folder / 'index.parquet'}: key {row['key']!r} in shard {row['shard']!r}: keys are "
            f"made of a-z, 0-9, _ and -, shards are plain file names; do not use this data set"
        )
        raise ShardError(msg)
    return PairRow(
        key=row["key"],
        split=row["split"],
        scene=row["scene"],
        edits=edits_of_row(row["edits"]),
        instruction=row["instruction"],
        width_px=row["width_px"],
        height_px=row["height_px"],
        tar_path=folder / "shards" / row["shard"],
        spans=member_spans(row),
        hashes={member["name"]: member["sha256"] for member in row["members"]},
    )


def _is_wanted(
    row: PairRow, splits: Sequence[str] | None, attributes: Sequence[str] | None
) -> bool:
    if splits is not None and row.split not in splits:
        return False
    return attributes is None or all(edit.attribute in attributes for edit in row.edits)
