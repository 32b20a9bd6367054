"""Re-rendered sweeps: one thing changes, and the instruments read it back."""

from itertools import permutations

import numpy as np
import pytest

from cat_dataset.attributes import ATTRIBUTES
from cat_dataset.records import Sweep
from tests.render.built_scene import build_scene

pytestmark = pytest.mark.bpy


def _sweep(
    attribute: str,
    values: tuple[float, ...],
    *,
    seed: int = 8,
    size_px: int = 48,
    denoise: bool = True,
) -> Sweep:
    from render.sweeps import render_sweep

    built, settings = build_scene(seed=seed, size_px=size_px, samples_per_pixel=8)
    return render_sweep(built, settings, attribute, values, "scene", "train", {}, denoise=denoise)


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
    """At f/2 the things behind the main object lose their edges, at the same exposure."""
    sweep = _sweep("aperture", (2.0, 16.0), seed=202, size_px=96)

    wide, narrow = (frame.linear_HW3.mean(axis=-1) for frame in sweep.frames)
    assert wide.mean() == pytest.approx(narrow.mean(), rel=0.05)
    far = slice(0, 32)  # rows at the top look past the main object
    edges = [np.percentile(np.abs(np.diff(frame[far])), 98) for frame in (wide, narrow)]
    assert edges[0] < 0.7 * edges[1]


def test_a_turned_object_leaves_what_does_not_see_it_alone() -> None:
    """Equal seeds: pixels that get no light from the main object are bit-identical."""
    sweep = _sweep("object_rotation", (0.0, 40.0), denoise=False)

    first, second = (frame.linear_HW3 for frame in sweep.frames)
    change = np.abs(first - second).max(axis=-1) / first.mean()
    assert (change == 0.0).mean() > 0.1
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
