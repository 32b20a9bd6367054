import numpy as np
import pytest

from cat_dataset.seeding import derive_rng
from train.tiling import blend_tiles, tile_corners


@pytest.mark.parametrize("size", [(16, 16), (16, 17), (40, 23), (33, 90)])
def test_tiles_of_a_picture_give_the_picture_back(size: tuple[int, int]) -> None:
    """Whatever the size: every pixel is covered, and weights cancel."""
    picture = derive_rng(0, "tiles", *size).random((*size, 3), np.float32)
    corners = tile_corners(*size, 16)

    tiles = np.stack([picture[r : r + 16, c : c + 16] for r, c in corners])

    np.testing.assert_allclose(blend_tiles(tiles, corners, *size), picture, rtol=1e-5)


def test_neighbours_fade_into_each_other() -> None:
    """Black beside white: the middle of the overlap is grey, and no step is larger than a few %."""
    corners = tile_corners(16, 24, 16)
    tiles = np.stack([np.full((16, 16, 1), value, np.float32) for value in (0.0, 1.0)])

    row = blend_tiles(tiles, corners, 16, 24)[8, :, 0]

    assert corners == [(0, 0), (0, 8)]
    assert row[4] == 0.0
    assert row[20] == 1.0
    assert 0.4 < row[12] < 0.6
    assert np.diff(row).max() < 0.35
