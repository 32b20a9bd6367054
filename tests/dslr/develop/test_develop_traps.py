"""Every parameter of RAW development that makes frames incomparable, really set wrong.

Each test shows the error in numbers, then that `develop` is exact on the same files, by cells and
demosaiced.
"""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy
from numpy.typing import NDArray

from dslr.develop.develop import Linear
from dslr.files.raw_file import open_raw
from dslr.simulator.dng import dng_bytes
from dslr.simulator.sensor import bayer_mosaic, camera_rgb
from tests.dslr.conftest import scene_light
from tests.dslr.develop.test_develop import developed, plan_of
from tests.dslr.develop.test_develop_cells import COMPARABLE
from tests.dslr.dng_fields import with_field
from tests.dslr.simulator.test_dng import header

SIDES_PX = (1024, 64)  # demosaiced by LibRaw; averaged by cells
SCENE = np.minimum(scene_light("traps"), 1.0)
PEAK = float(camera_rgb(SCENE).max())
BALANCE = [2.0, 1.0, 1.5, 1.0]
Picture = NDArray[np.float64]


def shot(
    path: Path, camera_HW3: Picture, *, black: int = 512, white: int = 16383, **fields: Any
) -> bytes:
    """Write camera RGB (white = 1) as a DNG without noise; return its bytes."""
    values = np.round(bayer_mosaic(camera_HW3) * (white - black)) + black
    whole = replace(header(), black_level=black, white_level=white, **fields)
    data = dng_bytes(values.clip(0, white).astype(np.uint16), whole)
    path.write_bytes(data)
    return data


def scene_shot(path: Path, peak: float, **fields: Any) -> Path:
    """Write the scene exposed so that its brightest value lies at `peak` of full scale."""
    shot(path, camera_rgb(SCENE) * (peak / PEAK), **fields)
    return path


@pytest.fixture
def two_stops(tmp_path: Path) -> tuple[Path, Path]:
    """Two files exactly 2 stops apart, the brighter one up to 80 % of full scale."""
    return scene_shot(tmp_path / "dark.dng", 0.2), scene_shot(tmp_path / "bright.dng", 0.8)


def postprocess(path: Path, **changed: Any) -> Picture:
    """Develop with LibRaw and comparable parameters, some of them set wrong."""
    with rawpy.imread(str(path)) as raw:
        codes = raw.postprocess(**COMPARABLE | {"user_wb": BALANCE} | changed)
    return codes.astype(np.float64)


def stops(dark: Picture | Linear, bright: Picture | Linear, channel: int = 1) -> float:
    """Return the median stops between two pictures where both show light."""
    pictures = [picture[..., channel] for picture in (dark, bright)]
    shown = np.minimum(*pictures) > 0.003 * max(float(p.max()) for p in pictures)
    return float(np.median(np.log2(pictures[1][shown] / pictures[0][shown])))


def developed_stops(dark: Path, bright: Path, channel: int = 1) -> list[float]:
    """Return the stops between two files of one group, for each way to develop."""
    found = []
    for side_px in SIDES_PX:
        plan = plan_of(dark, side_px)
        pictures = [developed(path, plan).linear_HW3 for path in (dark, bright)]
        found.append(stops(*pictures, channel=channel))
    return found


# A default or neighbour of each parameter, and the stops by which it is wrong in a 2-stop pair.
BENT = [
    # takes the brightest pixel, at 80 % of white, for white: log2(1 / 0.8)
    ({"adjust_maximum_thr": 0.75}, 0.322),
    # stretches each frame until 1 % of it clips: hardly any difference is left
    ({"no_auto_bright": False, "highlight_mode": rawpy.HighlightMode.Clip}, -2.0),
    # code values of BT.709: a straight toe, then light to the power of 0.45
    ({"gamma": (2.222, 4.5)}, -0.576),
]


@pytest.mark.parametrize(("wrong", "error_stops"), BENT, ids=lambda value: str(value))
def test_a_content_dependent_parameter_bends_the_exposure(
    two_stops: tuple[Path, Path], wrong: dict[str, Any], error_stops: float
) -> None:
    """Set wrong, the pair's stops are wrong by this much; LibRaw told right and develop are not."""
    right = stops(*(postprocess(path) for path in two_stops))
    bent = stops(*(postprocess(path, **wrong) for path in two_stops))

    assert right == pytest.approx(2.0, abs=0.003)
    assert bent - 2.0 == pytest.approx(error_stops, abs=0.01)
    assert developed_stops(*two_stops) == pytest.approx([2.0, 2.0], abs=0.003)


def test_saturation_counts_above_black(tmp_path: Path) -> None:
    """White as the file writes it makes one of two cameras 0.046 stop darker in equal light."""
    no_black = scene_shot(tmp_path / "no-black.dng", 0.8, black=0, white=15871)
    with_black = scene_shot(tmp_path / "black.dng", 0.8, black=512, white=16383)
    saturation = {no_black: 15871, with_black: 16383}

    wrong = stops(*(postprocess(path, user_sat=white) for path, white in saturation.items()))
    right = stops(*(postprocess(path, user_sat=15871) for path in saturation))
    by_develop = [
        stops(*(developed(path, plan_of(path, side_px)).linear_HW3 for path in saturation))
        for side_px in SIDES_PX
    ]

    assert wrong == pytest.approx(np.log2(15871 / 16383), abs=0.002)
    assert right == pytest.approx(0.0, abs=1e-4)
    assert by_develop == pytest.approx([0.0, 0.0], abs=1e-4)


def test_values_that_are_not_scaled_do_not_compare_between_cameras(tmp_path: Path) -> None:
    """`no_auto_scale`: 12 bits against 14 bits of the same light are 2 stops apart."""
    bits_14 = scene_shot(tmp_path / "14.dng", 0.8)
    bits_12 = scene_shot(tmp_path / "12.dng", 0.8, black=128, white=4095)

    wrong = stops(*(postprocess(path, no_auto_scale=True) for path in (bits_12, bits_14)))
    by_develop = [
        stops(*(developed(path, plan_of(path, side)).linear_HW3 for path in (bits_12, bits_14)))
        for side in SIDES_PX
    ]

    assert wrong == pytest.approx(2.0, abs=0.01)
    assert by_develop == pytest.approx([0.0, 0.0], abs=0.002)


def without_balance(path: Path, camera_HW3: Picture) -> Path:
    """Write a file that does not say how it was balanced."""
    data = shot(path, camera_HW3)
    unused = struct.pack("<6I", 1, 1, 1, 1, 1, 1)
    path.write_bytes(with_field(data, 50728, 60999, 5, unused))  # AsShotNeutral
    return path


def test_an_unknown_camera_balance_silently_becomes_an_automatic_one(tmp_path: Path) -> None:
    """Red paint in the lower half moves the upper half by more than 0.3 stop."""
    plain_HW3 = camera_rgb(SCENE) * (0.5 / PEAK)
    red_HW3 = plain_HW3.copy()
    red_HW3[48:, :, 1:] *= 0.1
    paths = [
        without_balance(tmp_path / f"{index}.dng", camera_HW3)
        for index, camera_HW3 in enumerate((plain_HW3, red_HW3))
    ]

    with open_raw(paths[0]) as raw:
        assert raw.camera_whitebalance[0] == 0.0
    pictures = [postprocess(path, user_wb=None, use_camera_wb=True)[:40] for path in paths]
    errors = [abs(stops(*pictures, channel=channel)) for channel in range(3)]

    assert max(errors) > 0.3
    for side_px in SIDES_PX:
        plan = plan_of(paths[0], side_px)
        num_rows = 36 * min(side_px, 128) // 128
        upper = [developed(path, plan).linear_HW3[:num_rows] for path in paths]
        np.testing.assert_array_equal(upper[0], upper[1])


def test_a_balance_per_frame_colours_the_pair(tmp_path: Path) -> None:
    """Auto white balance changed between two frames: red is 0.8 stop off, one vector is exact."""
    anchor = scene_shot(tmp_path / "anchor.dng", 0.5)
    other = scene_shot(tmp_path / "other.dng", 0.5, as_shot_neutral=(0.7, 1.0, 0.4))

    pictures = [postprocess(p, user_wb=None, use_camera_wb=True) for p in (anchor, other)]

    assert stops(*pictures, channel=0) < -0.7
    assert stops(*pictures, channel=2) > 0.5
    for side_px in SIDES_PX:
        plan = plan_of(anchor, side_px)
        anchored = [developed(path, plan).linear_HW3 for path in (anchor, other)]
        np.testing.assert_array_equal(anchored[0], anchored[1])


def test_highlight_modes_do_not_mix(tmp_path: Path) -> None:
    """Clip divides the multipliers by the smallest, ignore by the largest: here 1 stop apart."""
    path = scene_shot(tmp_path / "x.dng", 0.4)
    modes = rawpy.HighlightMode.Ignore, rawpy.HighlightMode.Clip

    pictures = [postprocess(path, highlight_mode=mode) for mode in modes]

    assert stops(*pictures) == pytest.approx(np.log2(max(BALANCE) / min(BALANCE)), abs=0.003)


@pytest.mark.parametrize(
    ("mode", "error_stops"),
    [
        (rawpy.HighlightMode.Clip, -np.log2(0.7)),  # the least multiplier, 1 before, is red's now
        (rawpy.HighlightMode.Ignore, np.log2(2.0 / 3.0)),  # the largest
    ],
)
def test_a_multiplier_below_one_moves_the_scale(
    tmp_path: Path, mode: rawpy.HighlightMode, error_stops: float
) -> None:
    """LibRaw's green depends on the other colours' balance; that of develop does not."""
    path = scene_shot(tmp_path / "x.dng", 0.25)
    tungsten = [0.7, 1.0, 3.0, 1.0]

    pictures = [postprocess(path, highlight_mode=mode, user_wb=wb) for wb in (BALANCE, tungsten)]

    assert stops(*pictures) == pytest.approx(error_stops, abs=0.003)
    for side_px in SIDES_PX:
        plan = replace(plan_of(path, side_px), camera_to_srgb=np.eye(3))
        greens = [
            developed(path, replace(plan, balance=replace(plan.balance, multipliers_rgb=rgb)))
            for rgb in ((2.0, 1.0, 1.5), (0.7, 1.0, 3.0))
        ]
        assert stops(*(g.linear_HW3 for g in greens)) == pytest.approx(0.0, abs=0.002)


def test_frames_of_other_orientation_are_turned_apart(tmp_path: Path) -> None:
    """A camera pointed down tips its orientation; LibRaw follows it, half a stop at the median."""
    upright = scene_shot(tmp_path / "1.dng", 0.5)
    half_turned = scene_shot(tmp_path / "3.dng", 0.5, orientation=3)
    on_its_side = scene_shot(tmp_path / "6.dng", 0.5, orientation=6)

    followed = [postprocess(p, user_flip=None) for p in (upright, half_turned, on_its_side)]
    apart = np.abs(np.log2((followed[0][..., 1] + 1.0) / (followed[1][..., 1] + 1.0)))

    assert np.median(apart) > 0.5
    assert followed[2].shape == (128, 96, 3)
    for side_px in SIDES_PX:
        plan = plan_of(upright, side_px)
        pictures = [developed(p, plan).linear_HW3 for p in (upright, half_turned, on_its_side)]
        np.testing.assert_array_equal(pictures[0], pictures[1])
        np.testing.assert_array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    "space", [rawpy.ColorSpace.sRGB, rawpy.ColorSpace.ProPhoto, rawpy.ColorSpace.XYZ], ids=str
)
def test_a_colour_space_cuts_off_what_lies_outside_it(
    tmp_path: Path, space: rawpy.ColorSpace
) -> None:
    """A lamp that only green filters see: LibRaw's blue is 0 in both frames, its light is lost."""
    ramp_HW = np.repeat(np.linspace(0.1, 0.8, 128)[None], 96, axis=0)
    lamp_HW3 = np.stack([0.1 * ramp_HW, ramp_HW, 0.1 * ramp_HW], axis=-1)
    paths = tmp_path / "dark.dng", tmp_path / "bright.dng"
    for path, level in zip(paths, (0.25, 1.0), strict=True):
        shot(path, lamp_HW3 * level)

    for path in paths:
        assert postprocess(path, output_color=space)[..., 2].max() == 0.0
        assert postprocess(path)[..., 2].min() > 0.0
    for side_px in SIDES_PX:
        plan = plan_of(paths[0], side_px)
        blues = [developed(path, plan).linear_HW3[2:-2, 2:-2, 2] for path in paths]
        assert max(float(blue.max()) for blue in blues) < 0.0  # outside sRGB, and kept
        assert np.median(np.log2(blues[1] / blues[0])) == pytest.approx(2.0, abs=0.003)


def test_exposure_shift_and_brightness_are_left_alone(tmp_path: Path) -> None:
    """Both scale the light; a frame of a group developed with one of them is a stop off."""
    path = scene_shot(tmp_path / "x.dng", 0.2)

    plain = postprocess(path)

    assert stops(plain, postprocess(path, exp_shift=2.0)) == pytest.approx(1.0, abs=0.01)
    assert stops(plain, postprocess(path, bright=2.0)) == pytest.approx(1.0, abs=0.01)


def test_baseline_exposure_is_not_applied(tmp_path: Path) -> None:
    """LibRaw ignores the DNG tag, 0.35 stop here; so does develop, and frames stay comparable."""
    plain = scene_shot(tmp_path / "plain.dng", 0.5)
    tagged = tmp_path / "tagged.dng"
    stops_35 = struct.pack("<2i", 35, 100)
    tagged.write_bytes(with_field(plain.read_bytes(), 305, 50730, 10, stops_35))

    np.testing.assert_array_equal(postprocess(plain), postprocess(tagged))
    assert developed_stops(plain, tagged) == [0.0, 0.0]
