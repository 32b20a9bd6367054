"""Re-rendered sweeps: one thing changes, and the instruments read it back."""

from itertools import permutations

import pytest

from cat_dataset.attributes import ATTRIBUTES
from cat_dataset.records import Sweep
from tests.render.built_scene import build_scene, scene_context

pytestmark = pytest.mark.bpy

TABLETOP = {
    "aperture": (2.0, 5.6, 11.0),
    "focal_length": (45.0, 60.0),
    "focus_distance": (0.6, 1.0, 1.7),
    "shutter_blur": (1 / 60, 1 / 20, 1 / 8),
    "object_rotation": (0.0, 30.0, -75.0),
    "object_translation": (0.0, 6.0, -4.5),
    "object_scale": (100.0, 130.0, 70.0),
    "camera_azimuth": (0.0, 12.0, -20.0),
    "camera_elevation": (12.0, 30.0),
    "camera_distance": (0.8, 1.1),
    "roughness": (12.0, 31.0, 73.0),
    "metallic": (0.0, 40.0, 100.0),
    "transmission": (0.0, 30.0, 90.0),
    "base_hue": (0.0, 60.0, -150.0),
    "base_saturation": (10.0, 50.0, 90.0),
}


def _sweep(
    attribute: str,
    values: tuple[float, ...],
    *,
    family: str = "tabletop",
    seed: int = 8,
    size_px: int = 48,
    denoise: bool = True,
) -> Sweep:
    from render.sweeps import render_sweep

    built, settings = build_scene(family, seed=seed, size_px=size_px, samples_per_pixel=8)
    return render_sweep(built, settings, attribute, values, scene_context(denoise=denoise))


@pytest.mark.parametrize("attribute", TABLETOP)
def test_the_instruments_read_what_was_set(attribute: str) -> None:
    """All ordered pairs of frames are measured, within the attribute's tolerance."""
    values = TABLETOP[attribute]
    sweep = _sweep(attribute, values)

    axis = [frame.axis_value for frame in sweep.frames]
    assert set(sweep.readings) == set(permutations(range(len(values)), 2))
    for (source, target), reading in sweep.readings.items():
        recorded = ATTRIBUTES[attribute].axis_difference(axis[source], axis[target])
        assert reading.value == pytest.approx(recorded, abs=ATTRIBUTES[attribute].tolerance)
