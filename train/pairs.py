"""The training pairs in memory: decoded once where they fit, read at random where they do not."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import JobError
from cat_dataset.progress import Progress
from cat_dataset.reading import PairDataset, PairRow

MAX_CACHE_BYTES = 2 * 2**30  # of decoded pictures; above it, pairs are read as they are drawn
Pictures = NDArray[np.uint8]  # (2, H, W, 3): source and target, display sRGB


class TrainingPairs:
    """Pairs of some splits and attributes, by number; the order is that of their keys."""

    def __init__(
        self,
        folders: Sequence[Path],
        splits: Sequence[str],
        attributes: Sequence[str],
        *,
        allow_none: bool = False,
        max_cache_bytes: int = MAX_CACHE_BYTES,
    ) -> None:
        """Open data sets.

        Raises:
            ShardError: a folder holds no finished data set.
            JobError: there is no pair of these attributes, unless `allow_none`.
        """
        self._folders = tuple(folders)
        self._dataset = PairDataset(folders, splits=splits, attributes=attributes)
        self.rows: tuple[PairRow, ...] = self._dataset.rows
        if not self.rows and not allow_none:
            msg = (
                f"{', '.join(map(str, folders))}: no pair of split {'/'.join(splits)} on "
                f"{', '.join(attributes)} only; add scenes to the data set or attributes to train"
            )
            raise JobError(msg)
        num_bytes = sum(6 * row.width_px * row.height_px for row in self.rows)
        self._cache: dict[str, Pictures] | None = {} if num_bytes <= max_cache_bytes else None

    def __len__(self) -> int:
        return len(self.rows)

    def load(self, progress: Progress, name: str) -> None:
        """Read every pair now, if they all fit into memory."""
        if self._cache is None:
            return
        progress.start(name, len(self.rows))
        for row in self.rows:
            self.pictures(row)
            progress.advance(1)

    def pictures(self, row: PairRow) -> Pictures:
        """Return source and target of a pair.

        Raises:
            ShardError: its shard is broken.
        """
        if self._cache is not None and row.key in self._cache:
            return self._cache[row.key]
        sample = self._dataset.read(row)
        pictures = np.stack([sample.source_HW3, sample.target_HW3])
        if self._cache is not None:
            self._cache[row.key] = pictures
        return pictures

    def fingerprint(self) -> str:
        """Return a hash of the data sets: their indices hold the sha256 of every shard."""
        digest = hashlib.sha256()
        for folder in self._folders:
            digest.update((folder / "index.parquet").read_bytes())
        return digest.hexdigest()
