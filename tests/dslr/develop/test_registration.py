import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng
from dslr.develop.framing import MIN_CORRELATION
from dslr.develop.registration import (
    MIN_SHARED,
    Registration,
    register,
    register_from,
    zoom_about_centre,
)
from dslr.simulator.shake import Shake, shaken
from tests.dslr.conftest import scene_light

HEIGHT_PX, WIDTH_PX, MARGIN_PX = 192, 256, 24
WELL_E, READ_NOISE_E = 40_000.0, 4.0
E_PER_LIGHT = 5_000.0  # four stops brighter clips the brightest parts, four darker shows noise
Light = NDArray[np.float32]
Seen = tuple[Light, NDArray[np.bool_]]


def scene(name: str) -> Light:
    """Return a scene with a margin around the frame, green light (H, W, 3)."""
    return scene_light(name, HEIGHT_PX + 2 * MARGIN_PX, WIDTH_PX + 2 * MARGIN_PX)


def seen(scene_HW3: Light, shake: Shake, stops: float, rng: np.random.Generator) -> Seen:
    """Return what a noisy sensor sees of a scene, of full scale, and where it clips."""
    light_HW = shaken(scene_HW3, MARGIN_PX, shake)[..., 1]
    mean_e = np.maximum(light_HW, 0.0) * E_PER_LIGHT * 2.0**stops
    counted_e = rng.poisson(mean_e) + rng.normal(0.0, READ_NOISE_E, mean_e.shape)
    recorded: Light = np.minimum(counted_e / WELL_E, 1.0).astype(np.float32)
    return recorded, recorded >= 0.985


def registered(first: Seen, second: Seen) -> Registration:
    """Register two views as the ingester does: where neither clips."""
    shared_HW = ~(first[1] | second[1])
    return register(first[0], second[0], (shared_HW, shared_HW))


def corner_error_px(found: Registration, shake: Shake) -> float:
    """Return by how far the found warp misses the true one, at the corner where that is worst."""
    corners = np.array(
        [[0, 0, 1], [WIDTH_PX, 0, 1], [0, HEIGHT_PX, 1], [WIDTH_PX, HEIGHT_PX, 1]], np.float64
    )
    off = (found.warp - shake.matrix(HEIGHT_PX, WIDTH_PX)) @ corners.T
    return float(np.hypot(*off).max())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["bay", "hall", "yard", "dock"]),
    length_px=st.floats(0.0, 8.0),
    direction_deg=st.floats(0.0, 360.0),
    roll_deg=st.floats(-0.4, 0.4),
    stops=st.floats(-4.0, 4.0),
)
def test_shift_and_roll_are_found_across_eight_stops_of_noise(
    name: str, length_px: float, direction_deg: float, roll_deg: float, stops: float
) -> None:
    """Any shift of up to 8 px and roll of up to 0.4 degree: no corner is off by 0.15 px."""
    angle = np.radians(direction_deg)
    shake = Shake(float(length_px * np.cos(angle)), float(length_px * np.sin(angle)), roll_deg)
    rng = derive_rng(0, "registration", name)
    first, second = seen(scene(name), Shake(), 0.0, rng), seen(scene(name), shake, stops, rng)

    found = registered(first, second)

    assert found.correlation > 0.95
    assert corner_error_px(found, shake) < 0.15


@pytest.mark.parametrize("stops", [-3.0, -1.0])
def test_a_clipped_lamp_does_not_hold_the_picture_where_it_is(stops: float) -> None:
    """The rim of what clips in one frame lies in both at the same place; it must not count."""
    shake = Shake(4.0, -3.0, 0.3)
    rng = derive_rng(0, "lamp")
    bright = seen(scene("r0"), Shake(), 2.0, rng)
    assert bright[1].any()

    found = registered(bright, seen(scene("r0"), shake, 2.0 + stops, rng))

    assert corner_error_px(found, shake) < 0.15


def test_two_different_pictures_do_not_correlate() -> None:
    """However the second is moved, it stays another picture."""
    rng = derive_rng(0, "different")
    for number in range(8):
        one = seen(scene(f"this {number}"), Shake(), 0.0, rng)
        other = seen(scene(f"that {number}"), Shake(), 1.0, rng)

        assert registered(one, other).correlation < 0.7


def test_what_moved_does_not_pull_at_the_rest() -> None:
    """A tenth of the picture shows something else in the second frame."""
    shake = Shake(2.0, 1.0, 0.1)
    rng = derive_rng(0, "mover")
    first, second = (seen(scene("bay"), s, 0.0, rng) for s in (Shake(), shake))
    second[0][60:120, 90:170] = seen(scene("van"), Shake(), 0.0, rng)[0][60:120, 90:170]

    found = registered(first, second)

    assert found.correlation > MIN_CORRELATION
    assert corner_error_px(found, shake) < 0.15


def test_a_cloud_over_half_of_the_picture_does_not_matter() -> None:
    """Slow changes of the light are no movement."""
    shake = Shake(-3.0, 2.0, -0.2)
    rng = derive_rng(0, "cloud")
    first, second = (seen(scene("dock"), s, 0.0, rng) for s in (Shake(), shake))
    shade = np.exp2(np.linspace(-1.0, 0.0, WIDTH_PX, dtype=np.float32))

    found = registered(first, (second[0] * shade, second[1]))

    assert corner_error_px(found, shake) < 0.15


def test_pictures_that_share_no_light_are_not_compared() -> None:
    """Nearly everything clips in one of them: there is no telling, and the share says so."""
    rng = derive_rng(0, "white")
    dark = seen(scene("bay"), Shake(), 0.0, rng)
    white = (np.ones_like(dark[0]), np.ones_like(dark[1]))

    found = registered(dark, white)

    assert found.correlation == 0.0
    assert found.shared_share < MIN_SHARED
    assert np.isinf(found.shift_px)


@pytest.mark.parametrize("magnification", [1.4, 2.9])
def test_a_magnified_view_is_found_from_a_rough_guess(magnification: float) -> None:
    """The printed ratio is 4 % off; the measured one is within 0.5 %."""
    rng = derive_rng(0, "zoom")
    wide_HW3 = scene("hall")
    centre = zoom_about_centre(1.0 / magnification, (HEIGHT_PX, WIDTH_PX))
    whole = wide_HW3[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    close_HW3 = _warped(whole, centre)
    wide, close = (
        seen(np.pad(p, ((MARGIN_PX,) * 2, (MARGIN_PX,) * 2, (0, 0))), Shake(), 0.0, rng)
        for p in (whole, close_HW3)
    )

    start = zoom_about_centre(1.0 / (1.04 * magnification), (HEIGHT_PX, WIDTH_PX))
    found = register_from(start, close[0], wide[0], (~close[1], ~wide[1]), blur_px=7)

    assert found.correlation > MIN_CORRELATION
    assert 1.0 / found.magnification == pytest.approx(magnification, rel=0.005)


def _warped(picture_HW3: Light, warp: NDArray[np.float64]) -> Light:
    """Return the part of a picture that a longer lens shows, as large as the whole."""
    size = picture_HW3.shape[1], picture_HW3.shape[0]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture_HW3, warp, size, flags=flags), np.float32)
