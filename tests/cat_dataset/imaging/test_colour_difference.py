import numpy as np
import pytest

from cat_dataset.imaging.colour_difference import ciede2000, lab_of_srgb, visible_delta_e
from cat_dataset.system.seeding import derive_rng

# Sharma, Wu and Dalal 2005, table 1: L, a, b of both colours and their difference
SHARMA = np.array(
    [
        (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
        (50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615),
        (50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412),
        (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000),
        (50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0000),
        (50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0000),
        (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
        (50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0009, 7.1792),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0010, 7.1792),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0011, 7.2195),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0012, 7.2195),
        (50.0, -0.0010, 2.4900, 50.0, 0.0009, -2.4900, 4.8045),
        (50.0, -0.0010, 2.4900, 50.0, 0.0010, -2.4900, 4.8045),
        (50.0, -0.0010, 2.4900, 50.0, 0.0011, -2.4900, 4.7461),
        (50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065),
        (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
        (50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977),
        (50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.9030),
        (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
        (50.0, 2.5, 0.0, 50.0, 3.1736, 0.5854, 1.0000),
        (50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0000),
        (50.0, 2.5, 0.0, 50.0, 1.8634, 0.5757, 1.0000),
        (50.0, 2.5, 0.0, 50.0, 3.2592, 0.3350, 1.0000),
        (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
        (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
        (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
        (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
        (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
        (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
        (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
        (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
        (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
        (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
    ]
)


def test_the_published_pairs_come_out_as_published() -> None:
    """To their four digits, in both directions; the pairs are made to catch every slip."""
    one, other, expected = SHARMA[:, :3], SHARMA[:, 3:6], SHARMA[:, 6]

    np.testing.assert_allclose(ciede2000(one, other), expected, atol=5.1e-5)
    np.testing.assert_allclose(ciede2000(other, one), expected, atol=5.1e-5)


@pytest.mark.parametrize(
    ("codes", "lab"),
    [((255, 0, 0), (53.24, 80.09, 67.20)), ((0, 0, 255), (32.30, 79.19, -107.86)),
     ((0, 0, 0), (0.0, 0.0, 0.0)), ((119, 119, 119), (50.03, 0.0, 0.0))],
)  # fmt: skip
def test_display_codes_have_their_known_colours(
    codes: tuple[int, ...], lab: tuple[float, ...]
) -> None:
    """Red, blue, black and middle grey of sRGB."""
    np.testing.assert_allclose(lab_of_srgb(np.array(codes, np.uint8)), lab, atol=0.02)


def test_equal_pictures_do_not_differ() -> None:
    """Greys, which have no hue, among them."""
    codes = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * np.uint8(5)
    grey = np.full((2, 2, 3), 77, np.uint8)

    for picture in (codes, grey):
        assert ciede2000(lab_of_srgb(picture), lab_of_srgb(picture)).max() == 0.0


def test_equal_pictures_do_not_differ_wherever_they_lie_in_memory() -> None:
    """Blocks of all sizes come and go, so that results land behind arguments now and then."""
    rng = derive_rng(0, "memory")
    codes_HW3 = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
    blocks = []

    for size in rng.integers(1, 200_000, 300):
        blocks.append(np.empty(size, np.uint8))
        if len(blocks) > 30:
            blocks.pop(int(rng.integers(30)))
        assert not ciede2000(lab_of_srgb(codes_HW3), lab_of_srgb(codes_HW3.copy())).any()


def test_a_large_picture_is_compared_on_a_grid_that_shows_the_same() -> None:
    """Mean and 95th percentile of a smooth change, over a mask and all over."""
    rows, columns = np.mgrid[0:512, 0:384] / 512.0
    light = np.stack([rows, columns, (rows + columns) / 2.0], axis=-1)
    source, target = ((255 * light**power).astype(np.uint8) for power in (1.0, 0.7))
    mask_HW = (rows - 0.4) ** 2 + (columns - 0.3) ** 2 < 0.05
    difference = ciede2000(lab_of_srgb(source), lab_of_srgb(target))

    for edited_HW in (None, mask_HW):
        inside = difference if edited_HW is None else difference[edited_HW]
        mean, p95 = visible_delta_e(source, target, edited_HW)
        assert mean == pytest.approx(inside.mean(), rel=0.03)
        assert p95 == pytest.approx(np.percentile(inside, 95.0), rel=0.03)
