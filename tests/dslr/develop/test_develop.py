from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.imaging.photometry import srgb_encode
from dslr.develop.develop import Developed, DevelopPlan, develop, plan_develop, turned
from dslr.develop.white_balance import WhiteBalance, white_balance_of
from dslr.files.metadata import read_metadata
from dslr.files.raw_file import open_raw, read_mosaic
from dslr.simulator.dng import write_dng
from dslr.simulator.sensor import bayer_mosaic, camera_rgb
from tests.dslr.conftest import scene_light
from tests.dslr.simulator.test_dng import header

MAX_SIDE_PX = 1024


def plan_of(path: Path, max_side_px: int = MAX_SIDE_PX) -> DevelopPlan:
    """Return the plan of a group whose anchor is the file."""
    colour = read_metadata(path).dng_colour
    with open_raw(path) as raw:
        mosaic = read_mosaic(raw, path)
        return plan_develop(raw, mosaic, white_balance_of(raw, colour), colour, max_side_px)


def developed(path: Path, plan: DevelopPlan) -> Developed:
    """Develop one file by a plan."""
    with open_raw(path) as raw:
        return develop(raw, read_mosaic(raw, path), plan)


def noiseless(
    folder: Path, level: float, *, orientation: int = 1, size_px: int = 128, name: str = "x"
) -> Path:
    """Write a DNG without noise in which the scene's linear light is multiplied by `level`."""
    light_HW3 = scene_light("develop", size_px * 3 // 4, size_px)
    picture = camera_rgb(light_HW3 * np.float32(level))
    values = np.clip(np.round(bayer_mosaic(picture) * 15871.0) + 512, 0, 16383)
    path = folder / f"{name}.dng"
    write_dng(path, values.astype(np.uint16), header(orientation=orientation))
    return path


def median_stops(source: Developed, target: Developed) -> float:
    """Return by how many stops the target's unclipped green is brighter."""
    pictures = [d.linear_HW3[..., 1] for d in (source, target)]
    shown = ~(source.clipped_HW | target.clipped_HW) & (np.minimum(*pictures) > 0.02)
    return float(np.median(np.log2(pictures[1][shown] / pictures[0][shown])))


# 0.12: the brightest value lies at 75 to 100 % of white, where LibRaw takes it for white.
@pytest.mark.parametrize("max_side_px", [MAX_SIDE_PX, 64, 50])
@pytest.mark.parametrize("level", [0.03, 0.06, 0.14, 0.24])
def test_developed_light_is_proportional_to_the_exposure(
    tmp_path: Path, level: float, max_side_px: int
) -> None:
    """Frames of one plan differ by their exposure alone, wherever their maxima lie."""
    dark = noiseless(tmp_path, 0.03, name="dark")
    other = noiseless(tmp_path, level, name="other")
    plan = plan_of(dark, max_side_px)

    stops = median_stops(developed(dark, plan), developed(other, plan))

    assert stops == pytest.approx(np.log2(level / 0.03), abs=0.003)


def test_the_scale_does_not_depend_on_the_balance(tmp_path: Path) -> None:
    """Tungsten multipliers (red below green) leave green where daylight put it."""
    path = noiseless(tmp_path, 0.1)
    plan = plan_of(path)
    greens = []
    for multipliers in ((2.0, 1.0, 1.5), (0.7, 1.0, 3.0)):
        balance = WhiteBalance(multipliers, None, None, "test")
        changed = DevelopPlan(balance, np.eye(3), plan.full_scale_dn, 0, MAX_SIDE_PX)
        greens.append(developed(path, changed).linear_HW3[..., 1])

    assert np.median(greens[0] / greens[1]) == pytest.approx(1.0, abs=0.002)


def test_a_frame_balanced_otherwise_follows_its_anchor(tmp_path: Path) -> None:
    """Auto white balance changes between frames; `use_camera_wb` would follow it, the plan not."""
    anchor = noiseless(tmp_path, 0.1, name="anchor")
    other = tmp_path / "other.dng"
    with open_raw(anchor) as raw:
        values = raw.raw_image_visible.copy()
    write_dng(other, values, replace(header(), as_shot_neutral=(0.7, 1.0, 0.4)))

    pictures = [developed(path, plan_of(anchor)).linear_HW3 for path in (anchor, other)]

    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_colours_come_back_as_they_were(tmp_path: Path) -> None:
    """Through camera colours, mosaic and back: linear sRGB of smooth areas within 2 %."""
    level = 0.1
    truth_HW3 = scene_light("develop") * level
    path = noiseless(tmp_path, level)

    got = developed(path, plan_of(path))

    smooth = np.abs(np.gradient(truth_HW3[..., 1], axis=1)) < 0.0005
    smooth &= ~got.clipped_HW & (truth_HW3.min(axis=-1) > 0.01)
    error = got.linear_HW3[smooth] / truth_HW3[smooth] - 1.0
    assert np.median(np.abs(error)) < 0.02
    assert np.abs(np.median(error, axis=0)).max() < 0.01


def test_burnt_out_highlights_are_white_and_masked(tmp_path: Path) -> None:
    """No magenta where green clips first: the lamp is at least white in every channel."""
    path = noiseless(tmp_path, 1.0)

    got = developed(path, plan_of(path))

    lamp = got.linear_HW3[22:26, 30:34]  # where the scene's lamp is
    assert got.clipped_HW[22:26, 30:34].all()
    assert lamp.min() >= 0.99
    assert (lamp.max(axis=-1) / lamp.min(axis=-1)).max() < 1.05
    assert 0.0 < got.clipped_HW.mean() < 0.2


def test_a_clipped_pure_colour_keeps_its_colour(tmp_path: Path) -> None:
    """A blue lamp whose blue channel alone clips stays blue, not white."""
    light = np.full((32, 32, 3), 0.05, np.float32)
    light[8:24, 8:24, 2] = 5.0
    camera = camera_rgb(light)
    camera[8:24, 8:24, :2] = 0.05  # a lamp so narrow that only blue sees it
    values = np.clip(np.round(bayer_mosaic(camera) * 15871.0) + 512, 0, 16383)
    values[0, :] += np.arange(32)  # files of equal values are refused
    path = tmp_path / "blue.dng"
    write_dng(path, values.astype(np.uint16), header())

    got = developed(path, plan_of(path))

    red, _, blue = got.linear_HW3[16, 16]
    assert blue > 4 * max(red, 0.01)
    assert not got.clipped_HW[12:20, 12:20].any()


def test_shrinking_averages_linear_light(tmp_path: Path) -> None:
    """The mean of the light stays the same at half and at an odd size; averaged codes would not."""
    path = noiseless(tmp_path, 0.1)
    full = developed(path, plan_of(path)).linear_HW3

    for side_px, shape in ((64, (48, 64)), (50, (38, 50))):
        small = developed(path, plan_of(path, side_px)).linear_HW3
        assert small.shape[:2] == shape
        assert small.mean() == pytest.approx(full.mean(), rel=0.01)
    assert srgb_encode(full).mean() != pytest.approx(
        srgb_encode(full.mean(keepdims=True)), rel=0.01
    )


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_the_picture_stands_upright(tmp_path: Path, orientation: int, turns: int) -> None:
    """Exif orientations 3, 6 and 8 turn the picture by a half and by quarters."""
    lying = noiseless(tmp_path, 0.1, name="lying")
    turned_file = noiseless(tmp_path, 0.1, orientation=orientation, name="turned")

    picture = developed(turned_file, plan_of(turned_file))

    expected = np.rot90(developed(lying, plan_of(lying)).linear_HW3, turns)
    np.testing.assert_array_equal(picture.linear_HW3, expected)
    assert picture.clipped_HW.shape == expected.shape[:2]


def test_the_anchor_decides_the_rotation_of_its_group(tmp_path: Path) -> None:
    """A frame whose orientation sensor tipped over is developed as its anchor stands."""
    anchor = noiseless(tmp_path, 0.1, name="anchor")
    tipped = noiseless(tmp_path, 0.1, orientation=6, name="tipped")

    picture = developed(tipped, plan_of(anchor))

    np.testing.assert_array_equal(picture.linear_HW3, developed(anchor, plan_of(anchor)).linear_HW3)


def test_all_orientation_bits_are_undone() -> None:
    """LibRaw's bits: 1 mirrors x, 2 mirrors y, 4 transposes, in the order of its flip_index."""
    picture = np.arange(6).reshape(2, 3)

    assert turned(picture, 3).tolist() == np.rot90(picture, 2).tolist()
    assert turned(picture, 5).tolist() == np.rot90(picture, 1).tolist()
    assert turned(picture, 6).tolist() == np.rot90(picture, -1).tolist()


@pytest.mark.raw
def test_a_linear_dng_without_a_mosaic_is_developed(raw_folder: Path) -> None:
    """The lossy 6D file has three finished channels: developed, clipped screen masked."""
    path = raw_folder / "photoprism_6d.dng"

    got = developed(path, plan_of(path))

    assert got.linear_HW3.shape == (683, 1024, 3)
    assert 0.0005 < got.clipped_HW.mean() < 0.02


@pytest.mark.raw
def test_the_grey_patches_of_a_real_colour_chart_are_grey(raw_folder: Path) -> None:
    """As-shot balance and matrix leave a real chart's neutral row neutral within a camera's AWB."""
    path = raw_folder / "S40_0104.CRW"

    picture = developed(path, plan_of(path)).linear_HW3

    patch = np.median(picture[440:540, 500:580].reshape(-1, 3), axis=0)  # a grey of the bottom row
    assert 0.02 < patch[1] < 0.5
    assert np.abs(np.log2(patch / patch[1])).max() < 0.35
