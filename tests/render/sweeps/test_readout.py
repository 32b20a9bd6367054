"""Geometry readouts on pictures whose answer is known exactly."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from cat_dataset.system.seeding import derive_rng
from render.blender.shapes import rotation
from render.sweeps.lens_readout import aperture_stops_read, zoom_log2
from render.sweeps.pose_readout import PosePoints, turn_deg


def _texture(zoom: float, seed: int = 0, size_px: int = 96) -> NDArray[np.float32]:
    """Return a smooth random texture, evaluated (not resampled) at a magnification."""
    rng = derive_rng(seed, "test-texture")
    place = (np.arange(size_px) - (size_px - 1) / 2.0) / zoom
    x, y = np.meshgrid(place, place)
    waves = rng.normal(0.0, 0.25, (24, 2))
    phases = rng.uniform(0.0, 2.0 * np.pi, 24)
    light = sum(np.sin(u * x + v * y + p) for (u, v), p in zip(waves, phases, strict=True))
    grey: NDArray[np.float32] = np.exp(0.3 * light[..., None]).astype(np.float32)
    return np.repeat(grey, 3, axis=-1)


@pytest.mark.parametrize("zoom", [1.05, 1.3, 1.9])
def test_magnification_is_read_within_a_thousandth(zoom: float) -> None:
    """The reading is the log2 ratio, and its standard error is honest to a few times."""
    reading = zoom_log2(_texture(1.0), _texture(zoom))

    assert reading.value == pytest.approx(math.log2(zoom), abs=1.5e-3)
    assert reading.stderr < 1e-3


def test_magnification_is_antisymmetric() -> None:
    """Swapping source and target turns the sign."""
    wide, narrow = _texture(1.0), _texture(1.4)

    there, back = zoom_log2(wide, narrow), zoom_log2(narrow, wide)

    assert there.value == pytest.approx(-back.value, abs=1e-9)


def test_brightness_and_contrast_do_not_disturb_magnification() -> None:
    """Only geometry counts."""
    reading = zoom_log2(_texture(1.0), 1.7 * _texture(1.3))

    assert reading.value == pytest.approx(math.log2(1.3), abs=2e-3)


def test_pictures_of_different_things_have_no_magnification() -> None:
    """Two unrelated textures raise instead of giving a number."""
    with pytest.raises(SceneError, match="correlate"):
        zoom_log2(_texture(1.0), _texture(1.2, seed=1))


def _points(turn: float, noise_m: float = 0.0) -> PosePoints:
    """Return 200 points of an object that is turned and standing elsewhere."""
    rng = derive_rng(3, "test-pose", str(turn))
    own = rng.uniform(-0.05, 0.05, (200, 3))
    world = (
        own @ rotation("z", turn).T + [0.3, -0.1, 0.02] + rng.normal(0.0, 1.0, (200, 3)) * noise_m
    )
    return PosePoints(own, world)


def test_a_turn_is_read_from_points_alone() -> None:
    """Counter-clockwise from above is positive, different points in both pictures do not matter."""
    reading = turn_deg(_points(20.0), _points(53.0))

    assert reading.value == pytest.approx(33.0, abs=1e-6)


def test_a_noisy_pose_says_so() -> None:
    """The standard error covers the error that noise causes."""
    reading = turn_deg(_points(0.0, noise_m=1e-3), _points(10.0, noise_m=1e-3))

    assert abs(reading.value - 10.0) < 4.0 * reading.stderr
    assert 0.01 < reading.stderr < 0.5


def test_too_few_pixels_give_no_pose() -> None:
    """An object that is hardly visible is refused with the remedy."""
    few = PosePoints(np.zeros((3, 3)), np.zeros((3, 3)))

    with pytest.raises(SceneError, match="render larger"):
        turn_deg(few, _points(10.0))


def _disc(radius_px: float) -> NDArray[np.float32]:
    """Return an anti-aliased disc."""
    fine = (np.arange(48 * 8) - 191.5) / 8.0
    inside = np.hypot(*np.meshgrid(fine, fine)) < radius_px
    disc: NDArray[np.float32] = inside.reshape(48, 8, 48, 8).mean(axis=(1, 3)).astype(np.float32)
    return disc


def test_half_the_blur_circle_is_two_stops() -> None:
    """Closing the aperture by two stops halves the circle's diameter; positive = closed."""
    reading = aperture_stops_read(_disc(16.0), _disc(8.0), _disc(0.2))

    assert reading.value == pytest.approx(2.0, abs=0.02)


def test_the_size_of_the_dot_itself_is_taken_off() -> None:
    """Without any blur left there is nothing to measure."""
    with pytest.raises(SceneError, match="not blurred"):
        aperture_stops_read(_disc(8.0), _disc(4.0), _disc(4.0))
