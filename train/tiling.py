"""Cut a large picture into overlapping tiles, and lay what was made of them together again.

Neighbours overlap by half and are weighed by a raised cosine, so that no border shows: at every
pixel the weights are divided by their sum.

Shapes: H height, W width of the picture; T side of a tile.
"""

from collections.abc import Iterator

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


def blend_tiles(
    tiles: NDArray[np.float32], corners: list[tuple[int, int]], height_px: int, width_px: int
) -> Linear:
    """Return the picture (H, W, 3) of tiles (N, T, T, 3); where they overlap, their mean."""
    tile_px = tiles.shape[1]
    ramp = np.sin(np.pi * (np.arange(tile_px) + 0.5) / tile_px) ** 2 + _SMALLEST_WEIGHT
    weight_TT1 = np.outer(ramp, ramp).astype(np.float32)[..., None]
    total = np.zeros((height_px, width_px, tiles.shape[3]), np.float32)
    weights = np.zeros((height_px, width_px, 1), np.float32)
    for (row, column), tile in zip(corners, tiles, strict=True):
        place = (slice(row, row + tile_px), slice(column, column + tile_px))
        total[place] += weight_TT1 * tile
        weights[place] += weight_TT1
    blended: Linear = total / weights
    return blended
