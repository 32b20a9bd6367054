"""Read a data set back: rows from the index, pictures by random access into the tars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import ShardError
from cat_dataset.imaging.display import decode_png
from cat_dataset.store.pair_rows import PairRow, read_pair_rows
from cat_dataset.store.sample_json import load_record
from cat_dataset.store.schema import JSON, SOURCE, TARGET


@dataclass(frozen=True)
class Sample:
    """One pair, decoded."""

    source_HW3: NDArray[np.uint8]  # display sRGB
    target_HW3: NDArray[np.uint8]
    record: dict[str, Any]  # the sample JSON, see `schema`; None where there is nothing


class PairDataset:
    """The pairs of one or more data set folders, sorted by key."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        splits: Sequence[str] | None = None,
        attributes: Sequence[str] | None = None,
    ) -> None:
        """Keep the pairs of the given splits all of whose edits `attributes` select; None: all.

        They are names of attributes, or keys of tasks such as "shape_key:smile".

        Raises:
            ShardError: a folder holds no finished data set, or two hold a sample of one key.
        """
        self.rows = read_pair_rows(folders, splits, attributes)

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
                decode_png(members[SOURCE]), decode_png(members[TARGET]), load_record(members[JSON])
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
