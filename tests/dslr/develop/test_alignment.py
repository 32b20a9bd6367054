import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from cat_dataset.system.seeding import derive_rng
from dslr.develop.alignment import (
    STANDS_STILL,
    STILL_PX,
    Alignment,
    align,
    aligned_mosaic,
    aligned_picture,
    alignment_view,
    common_margin_px,
    cropped,
)
from dslr.develop.develop import Developed, Linear, turned
from dslr.develop.framing import MAX_SHIFT_PX
from dslr.files.raw_file import Mosaic
from dslr.grouping.series import SeriesKind
from dslr.simulator.sensor import bayer_mosaic, camera_rgb
from dslr.simulator.shake import Shake, shaken
from tests.dslr.conftest import photograph, read_truth, scene_light
from tests.dslr.dng_fields import with_field
from tests.dslr.series_bench import captures_of, exposed, mosaic_from, read_series

HEIGHT_PX, WIDTH_PX, MARGIN_PX = 192, 256, 24
MOVED = Shake(3.25, -2.5, 0.3)
STILL_LENS = {"has_other_blur": False, "may_breathe": False}


def moved_light(shake: Shake, blur_px: float = 1.0, scene: str = "square") -> Linear:
    """Return the light of a frame, its content moved; softened, so that it can be resampled."""
    size = HEIGHT_PX + 2 * MARGIN_PX, WIDTH_PX + 2 * MARGIN_PX
    soft_HW3 = cv2.GaussianBlur(scene_light(scene, *size), (0, 0), blur_px)
    return shaken(np.asarray(soft_HW3, np.float32), MARGIN_PX, shake)


def recorded(shake: Shake, scene: str = "square") -> Mosaic:
    """Return what the simulated sensor records of a moved scene."""
    rng = derive_rng(0, "alignment", repr(shake))
    return exposed(moved_light(shake, scene=scene), rng, full_scale=0.4)


def true_alignment(shake: Shake) -> Alignment:
    """Return the alignment that undoes a movement, as the simulated camera knows it."""
    warp = shake.matrix(HEIGHT_PX, WIDTH_PX)
    return Alignment(warp, 4.0, 1.0, is_applied=True)


def corner_gap_px(warp: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Return how far two warps of the sensor lie apart at the corner where that is most."""
    corners = np.array([[0, 0, 1], [WIDTH_PX, 0, 1], [0, HEIGHT_PX, 1], [WIDTH_PX, HEIGHT_PX, 1]])
    return float(np.hypot(*((warp - true) @ corners.T)).max())


@pytest.mark.parametrize(
    "shake", [MOVED, Shake(-1.0, 2.0, -0.2), Shake(0.0, 0.0, 0.4)], ids=["far", "near", "roll"]
)
def test_the_sensor_warp_is_the_true_movement(shake: Shake) -> None:
    """In whole sensor pixels, though it is found on pictures of half the size."""
    views = [alignment_view(recorded(s)) for s in (Shake(), shake)]

    found = align(*views, **STILL_LENS)

    assert found.is_applied
    assert corner_gap_px(found.warp, shake.matrix(HEIGHT_PX, WIDTH_PX)) < 0.3
    assert found.correlation > 0.95


def test_a_moved_mosaic_aligned_back_records_what_the_anchor_did() -> None:
    """Each plane of the filter pattern is moved on its own: within 1 % away from edges."""
    anchor, frame = (noise_free(moved_light(s, blur_px=5.0)) for s in (Shake(), MOVED))

    back = aligned_mosaic(frame, true_alignment(MOVED))

    away_PHW = away_from_edges(anchor)
    assert away_PHW.mean() > 0.3
    assert np.abs(signal(back) / signal(anchor) - 1.0)[away_PHW].max() < 0.01
    untouched = np.abs(signal(frame) / signal(anchor) - 1.0)
    assert untouched[away_PHW].max() > 0.05  # the test can fail: unmoved, the two differ


def signal(mosaic: Mosaic) -> NDArray[np.float64]:
    """Return sensor values above black, by plane."""
    return mosaic.planes_PHW - mosaic.black_P[:, None, None]


def away_from_edges(mosaic: Mosaic) -> NDArray[np.bool_]:
    """Return where the values of a plane change by less than a tenth over five of them."""
    kernel = np.ones((5, 5), np.uint8)
    flat_PHW = np.stack(
        [
            (cv2.dilate(plane, kernel) - cv2.erode(plane, kernel)) / plane < 0.1
            for plane in signal(mosaic)
        ]
    )
    flat_PHW[:, :8] = flat_PHW[:, -8:] = False
    flat_PHW[:, :, :8] = flat_PHW[:, :, -8:] = False
    return flat_PHW


def noise_free(light_HW3: Linear) -> Mosaic:
    """Return the mosaic of light without any noise, none of it clipped."""
    signal_HW = bayer_mosaic(camera_rgb(light_HW3)) * 3000.0
    return mosaic_from(np.rint(512.0 + signal_HW).astype(np.uint16))


def test_what_comes_from_outside_or_beside_a_clipped_value_counts_as_clipped() -> None:
    """No light is made up at the border, none is mixed of white and the rest."""
    frame = noise_free(moved_light(Shake(), blur_px=5.0))
    planes = frame.planes_PHW.copy()
    planes[:, 40:44, 60:64] = 16_383
    shift = Alignment(np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 0.0]]), 5.0, 1.0, is_applied=True)

    clipped_PHW = aligned_mosaic(replace(frame, planes_PHW=planes), shift).clipped_values()

    assert clipped_PHW[..., -2:].all()  # two and a half values of a plane are missing
    assert clipped_PHW[:, 40:44, 57:62].all()
    assert not clipped_PHW[:, 40:44, :57].any()
    assert not clipped_PHW[..., 62:-3].any()


@pytest.mark.parametrize("flip", [0, 3, 5, 6])
def test_a_turned_picture_aligned_back_equals_the_anchor(flip: int) -> None:
    """The camera's orientation turns the picture, not the movement of the sensor."""
    anchor, frame = (
        Developed(turned(moved_light(s, blur_px=5.0), flip), np.zeros((1, 1), np.bool_))
        for s in (Shake(), MOVED)
    )
    clipped_HW = np.zeros(frame.linear_HW3.shape[:2], np.bool_)

    back = aligned_picture(
        replace(frame, clipped_HW=clipped_HW), true_alignment(MOVED), flip, (HEIGHT_PX, WIDTH_PX)
    )

    inside = (slice(12, -12), slice(12, -12))
    ratio = back.linear_HW3[inside] / anchor.linear_HW3[inside]
    assert np.abs(ratio - 1.0).max() < 0.01
    assert np.abs(frame.linear_HW3[inside] / anchor.linear_HW3[inside] - 1.0).max() > 0.1
    assert back.clipped_HW.any()  # of the border, which the frame does not show
    assert not back.clipped_HW[inside].any()


def test_a_frame_that_hardly_moved_is_left_untouched_bit_for_bit() -> None:
    """Under a quarter pixel, resampling would cost more sharpness than it mends."""
    shake = Shake(0.125, 0.0, 0.0)
    anchor, frame = recorded(Shake()), recorded(shake)
    picture = Developed(moved_light(shake), np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_))

    found = align(alignment_view(anchor), alignment_view(frame), **STILL_LENS)

    assert 0.0 < found.shift_px < STILL_PX
    assert not found.is_applied
    assert aligned_mosaic(frame, found) is frame
    assert aligned_picture(picture, found, 0, (HEIGHT_PX, WIDTH_PX)) is picture
    assert common_margin_px([STANDS_STILL, found], (HEIGHT_PX, WIDTH_PX), WIDTH_PX) == 0


def test_the_margin_covers_what_the_farthest_frame_does_not_show() -> None:
    """In pixels of the picture, of whatever size it is; no border is left after cropping."""
    sensor_shape = (HEIGHT_PX, WIDTH_PX)
    alignments = [STANDS_STILL, true_alignment(Shake(1.0)), true_alignment(MOVED)]
    farthest_px = corner_gap_px(MOVED.matrix(*sensor_shape), np.eye(2, 3))

    margin_px = common_margin_px(alignments, sensor_shape, WIDTH_PX)
    half_size = common_margin_px(alignments, sensor_shape, WIDTH_PX // 2)

    assert farthest_px <= margin_px <= farthest_px + 2.0
    assert farthest_px / 2.0 <= half_size <= farthest_px / 2.0 + 2.0
    frame = Developed(moved_light(MOVED), np.zeros(sensor_shape, np.bool_))
    kept = cropped(aligned_picture(frame, alignments[-1], 0, sensor_shape), margin_px)
    assert kept.linear_HW3.shape == (HEIGHT_PX - 2 * margin_px, WIDTH_PX - 2 * margin_px, 3)
    assert not kept.clipped_HW.any()


def test_another_scene_is_refused_with_its_correlation() -> None:
    """A frame that shows something else has no place in a series."""
    views = [alignment_view(recorded(Shake(), scene)) for scene in ("square", "street")]

    with pytest.raises(BracketError, match=r"shows something else .*correlation 0\.\d\d"):
        align(*views, **STILL_LENS)


def test_a_camera_that_moved_too_far_is_refused_with_the_distance() -> None:
    """Beyond eight pixels near objects move otherwise than far ones."""
    views = [alignment_view(recorded(s)) for s in (Shake(), Shake(11.0, 0.0, 0.0))]

    with pytest.raises(BracketError, match=rf"moved by 1[01]\.\d px, at most {MAX_SHIFT_PX:g}"):
        align(*views, **STILL_LENS)


@pytest.mark.parametrize("kind", ["exposure", "lamp", "focal_length"])
def test_frames_of_two_sizes_are_refused_with_a_reason(kind: SeriesKind, tmp_path: Path) -> None:
    """captures.toml may name a full frame and a crop; that is no crash of the whole series."""
    whole = photograph(tmp_path, "whole", exposure_times_s=(1 / 60, 1 / 30))
    crop = photograph(tmp_path, "crop", exposure_times_s=(1 / 15, 1 / 8), width_px=96)

    group = read_series(captures_of([*whole, crop[0]]), kind)

    assert [read.capture.name for read in group.captures] == ["whole-0.dng", "whole-1.dng"]
    (refused,) = group.rejections
    assert refused.reason.startswith("crop-0.dng: has 96x96 sensor pixels, the anchor frame 128x96")


@pytest.mark.parametrize("exif_orientation", [1, 3, 6, 8])
def test_turned_captures_of_a_hand_held_series_line_up(
    exif_orientation: int, tmp_path: Path
) -> None:
    """From the files on: shaken frames come out congruent, upright, and cut to what all show."""
    settings = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "shake_px": 2.0, "shake_deg": 0.2}
    paths = photograph(tmp_path, exposure_times_s=(1 / 30, 1 / 60, 1 / 125), **settings)
    for path in paths:
        turn = struct.pack("<H", exif_orientation)
        path.write_bytes(with_field(path.read_bytes(), 274, 274, 3, turn))

    group = read_series(captures_of(paths), "exposure", side_px=WIDTH_PX // 2)

    assert sum(read.alignment.is_applied for read in group.captures) == 2
    pictures = [read.developed.linear_HW3[..., 1] for read in group.captures]
    gains = [2.0 ** frame["exposure_stops"] for frame in read_truth(paths)]
    is_upright = exif_orientation in (6, 8)
    assert (pictures[0].shape[0] > pictures[0].shape[1]) == is_upright
    for index in (0, 2):
        assert gap_share(pictures[1], pictures[index] / gains[index]) < 0.015
    assert gap_share(pictures[1][:, 1:], pictures[1][:, :-1]) > 0.025  # one pixel beside


def gap_share(one_HW: NDArray[np.float32], other_HW: NDArray[np.float32]) -> float:
    """Return by which share two pictures differ, typically, when their noise is averaged out."""
    smooth = [cv2.boxFilter(np.ascontiguousarray(p), -1, (5, 5)) for p in (one_HW, other_HW)]
    return float(np.abs(smooth[0] / smooth[1] - 1.0).mean())


def test_alignment_is_written_down_as_plain_numbers() -> None:
    """The origin of a pair says how far its frame was moved, and by which warp."""
    said = true_alignment(MOVED).to_json()

    assert said["is_applied"] is True
    warp: Sequence[Sequence[float]] = said["sensor_warp"]
    assert np.allclose(warp, MOVED.matrix(HEIGHT_PX, WIDTH_PX))
