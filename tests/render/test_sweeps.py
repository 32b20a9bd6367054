"""Re-rendered sweeps: one thing changes, and the instruments read it back."""

from itertools import permutations

import numpy as np
import pytest

from cat_dataset.attributes import ATTRIBUTES
from cat_dataset.records import Sweep
from tests.render.built_scene import build_scene

pytestmark = pytest.mark.bpy


def _sweep(attribute: str, values: tuple[float, ...], size_px: int = 48) -> Sweep:
    from render.sweeps import render_sweep

    built, settings = build_scene(seed=8, size_px=size_px, samples_per_pixel=8)
    return render_sweep(built, settings, attribute, values, "scene", "train", {}, denoise=True)


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("aperture", (2.0, 5.6, 11.0)),
        ("focal_length", (45.0, 60.0)),
        ("object_rotation", (0.0, 30.0, -75.0)),
    ],
)
def test_the_instruments_read_what_was_set(attribute: str, values: tuple[float, ...]) -> None:
    """All ordered pairs of frames are measured, within the attribute's tolerance."""
    sweep = _sweep(attribute, values)

    axis = [frame.axis_value for frame in sweep.frames]
    assert set(sweep.readings) == set(permutations(range(len(values)), 2))
    for (source, target), reading in sweep.readings.items():
        recorded = ATTRIBUTES[attribute].axis_difference(axis[source], axis[target])
        assert reading.value == pytest.approx(recorded, abs=ATTRIBUTES[attribute].tolerance)


def test_a_longer_lens_shows_less_of_the_scene_larger() -> None:
    """Positive focal length difference = subject larger, read from the frames alone."""
    sweep = _sweep("focal_length", (45.0, 60.0))

    assert sweep.readings[0, 1].value > 0.3


def test_a_wider_aperture_blurs_and_holds_the_brightness() -> None:
    """At f/2 the background has softer edges than at f/16, at the same exposure."""
    sweep = _sweep("aperture", (2.0, 16.0), size_px=96)

    wide, narrow = (frame.linear_HW3.mean(axis=-1) for frame in sweep.frames)
    assert wide.mean() == pytest.approx(narrow.mean(), rel=0.05)
    far = slice(0, 24)  # rows at the top look past the main object
    assert np.abs(np.diff(wide[far])).max() < 0.7 * np.abs(np.diff(narrow[far])).max()


def test_a_turned_object_leaves_the_rest_of_the_scene_alone() -> None:
    """Most of the frame keeps its pixels when only the main object turns."""
    sweep = _sweep("object_rotation", (0.0, 40.0))

    first, second = (frame.linear_HW3 for frame in sweep.frames)
    change = np.abs(first - second).max(axis=-1) / first.mean()
    assert np.median(change) < 0.02
    assert change.max() > 0.2


def test_a_sweep_leaves_the_scene_as_it_was_built() -> None:
    """A second attribute starts from the drawn lens, aperture and heading."""
    from render.basis import render_groups
    from render.sweeps import render_sweep

    built, settings = build_scene()
    before = render_groups(built, settings).images_GHW3

    for attribute, values in (("aperture", (4.0, 8.0)), ("object_rotation", (0.0, 30.0))):
        render_sweep(built, settings, attribute, values, "scene", "train", {}, denoise=False)

    assert np.array_equal(before, render_groups(built, settings).images_GHW3)
