from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng
from train.edit.tiling import blended_rows, tile_corners


def blended(
    tiles: NDArray[np.float32], corners: list[tuple[int, int]], width_px: int
) -> NDArray[np.float32]:
    """Return the whole picture of its rows, which must follow each other."""
    rows = []
    for first, part in blended_rows(tiles, corners, width_px):
        assert first == sum(map(len, rows))
        rows.append(part)
    return np.concatenate(rows)


@pytest.mark.parametrize("size", [(16, 16), (16, 17), (40, 23), (33, 90)])
def test_tiles_of_a_picture_give_the_picture_back(size: tuple[int, int]) -> None:
    """Whatever the size: every pixel is covered, and weights cancel."""
    picture = derive_rng(0, "tiles", *size).random((*size, 3), np.float32)
    corners = tile_corners(*size, 16)

    tiles = np.stack([picture[r : r + 16, c : c + 16] for r, c in corners])

    np.testing.assert_allclose(blended(tiles, corners, size[1]), picture, rtol=1e-5)


def test_neighbours_fade_into_each_other() -> None:
    """Black beside white: the middle of the overlap is grey, and no step is larger than a few %."""
    corners = tile_corners(16, 24, 16)
    tiles = np.stack([np.full((16, 16, 1), value, np.float32) for value in (0.0, 1.0)])

    row = blended(tiles, corners, 24)[8, :, 0]

    assert corners == [(0, 0), (0, 8)]
    assert row[4] == 0.0
    assert row[20] == 1.0
    assert 0.4 < row[12] < 0.6
    assert np.diff(row).max() < 0.35


def test_a_strip_at_a_time_gives_what_the_whole_picture_gives() -> None:
    """Slow reference: all tiles added to one picture, bit for bit."""
    height, width, side = 45, 70, 16
    corners = tile_corners(height, width, side)
    tiles = derive_rng(0, "strips").random((len(corners), side, side, 3), np.float32)
    ramp = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 + 1e-3
    weight = np.outer(ramp, ramp).astype(np.float32)[..., None]
    total, weights = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 1), "f4")
    for (row, column), tile in zip(corners, tiles, strict=True):
        total[row : row + side, column : column + side] += weight * tile
        weights[row : row + side, column : column + side] += weight

    np.testing.assert_array_equal(blended(tiles, corners, width), total / weights)


def test_rows_come_before_the_tiles_below_are_made() -> None:
    """So that no more than a strip is held, however large the picture."""
    corners = tile_corners(64, 64, 16)
    made = []

    def tiles() -> Iterator[NDArray[np.float32]]:
        for corner in corners:
            made.append(corner)
            yield np.ones((16, 16, 3), np.float32)

    ahead = [made[-1][0] - first for first, _ in blended_rows(tiles(), corners, 64)]

    assert max(ahead) <= 8
