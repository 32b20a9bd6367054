from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.jobs.camera import MAX_DEVIATIONS, SimulatedCamera
from cat_dataset.system.seeding import derive_rng
from dslr.simulator.shake import Shake, shaken, shakes_rand
from tests.dslr.conftest import photograph, read_signal, read_truth, scene_light

HAND = {
    "exposure_times_s": (1 / 60,) * 4,
    "shake_px": 2.5,
    "shake_deg": 0.3,
    "width_px": 256,
    "height_px": 192,
}


def cells(path: Path) -> NDArray[np.float32]:
    """Return the 2x2 means of a mosaic: one grey value for each cell of the filters."""
    signal = read_signal(path)
    planes = signal.reshape(signal.shape[0] // 2, 2, signal.shape[1] // 2, 2)
    return planes.mean(axis=(1, 3)).astype(np.float32)


def waves(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a smooth picture that is known between its pixels."""
    return 1.0 + 0.4 * np.sin(0.37 * x + 0.2 * y) + 0.3 * np.sin(0.5 * y - 0.11 * x + 1.0)


def ecc(one: NDArray[np.float32], other: NDArray[np.float32], motion: int) -> NDArray[np.float32]:
    """Return the 2x3 matrix from one picture's coordinates to the other's, by OpenCV's ECC."""
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-7)
    start = np.eye(2, 3, dtype=np.float32)
    return cv2.findTransformECC(one, other, start, motion, stop, None, 3)[1]


def homogeneous(matrix: object) -> NDArray[np.float64]:
    """Return a 2x3 matrix as 3x3."""
    return np.vstack([np.array(matrix, np.float64), [0.0, 0.0, 1.0]])


def test_the_shift_and_roll_of_the_truth_are_found_again_in_the_files(tmp_path: Path) -> None:
    """ECC between any two frames agrees within 0.1 px, at the corners too."""
    paths = photograph(tmp_path, **HAND)
    still_to_frame = [homogeneous(frame["still_to_frame"]) for frame in read_truth(paths)]
    cell_to_pixel = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
    corners = np.array([[0, 0, 1], [255, 0, 1], [0, 191, 1], [255, 191, 1]], np.float64).T

    for other in (1, 2, 3):
        wanted = still_to_frame[other] @ np.linalg.inv(still_to_frame[0])
        found = ecc(cells(paths[0]), cells(paths[other]), cv2.MOTION_EUCLIDEAN)
        found_px = cell_to_pixel @ homogeneous(found) @ np.linalg.inv(cell_to_pixel)
        gap_px = np.hypot(*((found_px - wanted) @ corners)[:2])
        moved_px = np.hypot(*((wanted - np.eye(3)) @ corners)[:2])
        assert gap_px.max() < 0.1
        assert moved_px.max() > 1.0  # or there was nothing to find


@pytest.mark.parametrize(
    "shake", [Shake(3.25, -1.5), Shake(-2.03125, 7.5, -0.4), Shake(3.25, -1.5, 0.6)]
)
def test_a_shaken_frame_is_the_picture_at_the_places_the_truth_names(shake: Shake) -> None:
    """Within 1 % of a picture that is known everywhere, which is 0.03 px on its slopes."""
    y, x = np.mgrid[-24:120, -24:152].astype(np.float64)
    picture_HW3 = np.repeat(waves(x, y)[..., None], 3, axis=2).astype(np.float32)

    to_still = np.linalg.inv(homogeneous(shake.matrix(96, 128)))
    y, x = np.mgrid[:96, :128].astype(np.float64)
    places = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    still_x, still_y, _ = to_still @ places
    wanted_HW = waves(still_x, still_y).reshape(96, 128)
    got_HW = shaken(picture_HW3, 24, shake)[..., 1]
    np.testing.assert_allclose(got_HW, wanted_HW, atol=0.01)


def test_a_shift_is_positive_to_the_right_and_down() -> None:
    """ECC maps still to moved coordinates and gives the shift back within 0.05 px."""
    light_HW3 = scene_light("shift", 120, 152)
    moved_HW3 = shaken(light_HW3, 12, Shake(right_px=3.25, down_px=-1.5))

    still, moved = light_HW3[12:-12, 12:-12, 1].copy(), moved_HW3[..., 1].copy()
    assert ecc(still, moved, cv2.MOTION_TRANSLATION)[:, 2] == pytest.approx([3.25, -1.5], abs=0.05)


def test_whole_pixels_are_moved_without_a_change() -> None:
    """Where nothing lies between pixels, nothing is made up."""
    light_HW3 = scene_light("whole", 120, 152)

    moved = shaken(light_HW3, 12, Shake(right_px=3.0, down_px=-2.0))
    np.testing.assert_allclose(moved, light_HW3[14:110, 9:137], rtol=1e-5, atol=1e-6)


def test_a_roll_turns_counter_clockwise_about_the_centre() -> None:
    """What is right of the centre goes up, which is to smaller y."""
    matrix = Shake(roll_deg=1.0).matrix(97, 129)

    assert matrix @ [64.0, 48.0, 1.0] == pytest.approx([64.0, 48.0])
    x, y = matrix @ [128.0, 48.0, 1.0]
    assert (x - 64.0, 48.0 - y) == pytest.approx(
        (64 * np.cos(np.pi / 180), 64 * np.sin(np.pi / 180))
    )


def test_a_tripod_resamples_nothing(tmp_path: Path) -> None:
    """Without shake, the picture is the frame; with it, no border is made up."""
    light_HW3 = scene_light("set")
    assert shaken(light_HW3, 0, Shake()) is light_HW3

    ones_HW3 = np.ones((96 + 44, 128 + 44, 3), np.float32)
    farthest = Shake(right_px=15.0, down_px=-15.0, roll_deg=0.75)
    np.testing.assert_allclose(shaken(ones_HW3, 22, farthest), 1.0, rtol=1e-5)


def test_hands_shake_as_much_as_asked_and_never_beyond_the_margin() -> None:
    """Standard deviations come back, a little smaller for the cut-off tails."""
    camera = SimulatedCamera(shake_px=4.0, shake_deg=0.3)
    shakes = shakes_rand(derive_rng(0, "hand"), camera, 2000)
    drawn = np.array([[s.right_px, s.down_px, s.roll_deg] for s in shakes])

    assert drawn.std(axis=0) == pytest.approx(0.955 * np.array([4.0, 4.0, 0.3]), rel=0.05)
    assert (np.abs(drawn).max(axis=0) <= MAX_DEVIATIONS * np.array([4.0, 4.0, 0.3]) + 1 / 64).all()
    assert drawn.mean(axis=0) == pytest.approx([0.0, 0.0, 0.0], abs=0.3)
