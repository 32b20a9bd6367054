"""Cut a large picture into overlapping tiles, and lay what was made of them together again.

Neighbours overlap by half and are weighed by a raised cosine, so that no border shows: at every
pixel the weights are divided by their sum.

Shapes: H height, W width of the picture; T side of a tile.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Linear = NDArray[np.float32]
_SMALLEST_WEIGHT = 1e-3  # at a tile's border, so that the picture's own border has a weight


def tile_corners(height_px: int, width_px: int, tile_px: int) -> list[tuple[int, int]]:
    """Return the upper left corners (row, column) of tiles that cover a picture.

    >>> tile_corners(4, 10, 4)
    [(0, 0), (0, 2), (0, 4), (0, 6)]
    """
    return [(row, column) for row in _starts(height_px, tile_px) for column in
            _starts(width_px, tile_px)]  # fmt: skip


def _starts(length_px: int, tile_px: int) -> Iterator[int]:
    last = length_px - tile_px
    yield from range(0, last, max(tile_px // 2, 1))
    yield last


def blended_rows(
    tiles: Iterable[NDArray[np.float32]], corners: Sequence[tuple[int, int]], width_px: int
) -> Iterator[tuple[int, Linear]]:
    """Yield (first row, rows (R, W, 3)) of a picture, from the top, as soon as they are complete.

    `tiles` (T, T, 3) come in the order of `corners`, row by row; where they overlap, their mean
    counts. Only a strip of the height of a tile is held at a time.
    """
    top, strip = 0, _Strip(width_px)
    for (row, column), tile in zip(corners, tiles, strict=True):
        if row > top:
            yield top, strip.finished(row - top)
            top = row
        strip.add(column, tile)
    yield top, strip.finished(None)


class _Strip:
    """Weighted sums of tiles over some rows of a picture."""

    def __init__(self, width_px: int) -> None:
        self._width_px = width_px
        self._weight_TT1 = np.empty((0, 0, 1), np.float32)
        self._total_TW3 = self._weights_TW1 = np.empty((0, 0, 1), np.float32)

    def add(self, column: int, tile: NDArray[np.float32]) -> None:
        """Add a tile whose first row is that of the strip."""
        tile_px = len(tile)
        if not len(self._weight_TT1):
            ramp = np.sin(np.pi * (np.arange(tile_px) + 0.5) / tile_px) ** 2 + _SMALLEST_WEIGHT
            self._weight_TT1 = np.outer(ramp, ramp).astype(np.float32)[..., None]
            self._total_TW3 = np.zeros((tile_px, self._width_px, tile.shape[2]), np.float32)
            self._weights_TW1 = np.zeros((tile_px, self._width_px, 1), np.float32)
        columns = slice(column, column + tile_px)
        self._total_TW3[:, columns] += self._weight_TT1 * tile
        self._weights_TW1[:, columns] += self._weight_TT1

    def finished(self, num_rows: int | None) -> Linear:
        """Return the first rows, which nothing will be added to, and move the strip below them."""
        done: Linear = self._total_TW3[:num_rows] / self._weights_TW1[:num_rows]
        for sums in (self._total_TW3, self._weights_TW1):
            sums[: -len(done)] = sums[len(done) :]
            sums[-len(done) :] = 0.0
        return done
