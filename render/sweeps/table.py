"""Rendered attributes: one entry each says how it is set, probed and drawn in a scene.

Unit, range, tolerance, words and what a frame costs stand in the entry's `Attribute`, which the
core reads without Blender.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cat_dataset.attributes import lens, material, outdoors, pose
from cat_dataset.attributes.attribute import Attribute
from render.blender.probe_scene import AttributeProbe
from render.blender.renderer import RenderSettings
from render.scene import BuiltScene
from render.sweeps import (
    air_probes,
    lens_probes,
    material_edits,
    pose_probes,
    scene_edits,
    surface_probes,
)
from render.sweeps.material_edits import has_body_colour, has_edited_material
from render.sweeps.scene_edits import Put

_FOG_VISIBILITY_M = 110.0  # fog is edited around this: thinner is hardly seen in a picture
_SHUTTER_S = 1.0 / 24.0
_MOVED_SHARE = 0.35  # of the main object's width, at least, that it may be moved to either side
_ANY = (-math.inf, math.inf)


def _main_object(built: BuiltScene) -> str | None:
    return built.main_name


@dataclass(frozen=True)
class RenderedAttribute:
    """How one attribute of a built scene is set, read back, and where its sweeps are drawn."""

    attribute: Attribute  # holds the cost of its frames as well
    setter: Callable[[BuiltScene], AbstractContextManager[Put]]  # sets it, and puts it back
    # Reads it from what is rendered; made once for all absolute values of a sweep.
    probe: Callable[[BuiltScene, RenderSettings, Sequence[float]], AttributeProbe]
    # absolute value that sweeps are drawn around; None where the scene has nothing to edit
    centre: Callable[[BuiltScene], float | None]
    window: tuple[float, float] = _ANY  # absolute values that keep a picture plausible
    # On the axis, to each side of the centre, where a manifest plans no range.
    least_half_span: Callable[[BuiltScene], float] = lambda _: 0.0
    object_name: Callable[[BuiltScene], str | None] = _main_object  # what is edited of the object

    @property
    def is_of_object(self) -> bool:
        """Whether it acts on the main object, or else on the whole picture."""
        return self.attribute.role == "object"

    def subject(self, built: BuiltScene) -> str | None:
        """Return what of the scene it edits; None: all of it."""
        return self.object_name(built) if self.is_of_object else None


def _where(
    has_it: Callable[[BuiltScene], bool], value: float
) -> Callable[[BuiltScene], float | None]:
    return lambda built: value if has_it(built) else None


def _movable_cm(built: BuiltScene) -> float:
    return 100.0 * _MOVED_SHARE * float(max(built.main_object.dimensions[:2]))


_LENS = (
    RenderedAttribute(
        lens.APERTURE,
        scene_edits.f_number,
        lens_probes.StarProbe,
        lambda built: built.camera.f_number,
        (1.4, 16.0),
    ),
    RenderedAttribute(
        lens.FOCAL_LENGTH,
        scene_edits.focal_length,
        lens_probes.ZoomProbe,
        lambda built: built.camera.focal_length_mm,
        (14.0, 200.0),
    ),
    RenderedAttribute(
        lens.FOCUS_DISTANCE,
        scene_edits.focus_distance,
        lens_probes.FocusProbe,
        lambda built: built.camera.focus_distance_m,
        (0.15, 60.0),
    ),
    RenderedAttribute(
        lens.SHUTTER_BLUR,
        scene_edits.shutter,
        lens_probes.StreakProbe,
        lambda _: _SHUTTER_S,
        (0.002, 0.4),
    ),
)
_POSE = (
    RenderedAttribute(
        pose.OBJECT_ROTATION,
        scene_edits.object_rotation,
        pose_probes.TurnProbe,
        lambda _: 0.0,
    ),
    RenderedAttribute(
        pose.OBJECT_TRANSLATION,
        scene_edits.object_translation,
        pose_probes.ShiftProbe,
        lambda _: 0.0,
        least_half_span=_movable_cm,
    ),
    RenderedAttribute(
        pose.OBJECT_SCALE,
        scene_edits.object_scale,
        pose_probes.GrowthProbe,
        lambda _: 100.0,
        (40.0, 250.0),
    ),
    RenderedAttribute(
        pose.CAMERA_AZIMUTH,
        scene_edits.camera_azimuth,
        pose_probes.AzimuthProbe,
        lambda _: 0.0,
    ),
    RenderedAttribute(
        pose.CAMERA_ELEVATION,
        scene_edits.camera_elevation,
        pose_probes.ElevationProbe,
        lambda built: built.camera.elevation_deg,
        (-5.0, 75.0),
    ),
    RenderedAttribute(
        pose.CAMERA_DISTANCE,
        scene_edits.camera_distance,
        pose_probes.DistanceProbe,
        lambda built: built.camera.distance_m,
        (0.1, 500.0),
    ),
)
_MATERIAL = (
    RenderedAttribute(
        material.ROUGHNESS,
        material_edits.roughness,
        surface_probes.GlossProbe,
        _where(has_edited_material, 45.0),
        (8.0, 95.0),
    ),
    RenderedAttribute(
        material.METALLIC,
        material_edits.metallic,
        surface_probes.metallic_probe,
        _where(has_body_colour, 50.0),
        (0.0, 100.0),
    ),
    RenderedAttribute(
        material.TRANSMISSION,
        material_edits.transmission,
        surface_probes.transmission_probe,
        _where(has_body_colour, 50.0),
        (0.0, 100.0),
    ),
    RenderedAttribute(
        material.BASE_HUE,
        material_edits.base_hue,
        surface_probes.HueProbe,
        _where(has_edited_material, 0.0),
    ),
    RenderedAttribute(
        material.BASE_SATURATION,
        material_edits.base_saturation,
        surface_probes.SaturationProbe,
        _where(has_edited_material, 45.0),
        (5.0, 95.0),
    ),
    RenderedAttribute(
        material.SHAPE_KEY,
        scene_edits.shape_key,
        pose_probes.ShapeProbe,
        _where(lambda built: bool(built.shape_keys), 50.0),
        (0.0, 100.0),
        object_name=lambda built: built.edited_shape_key,
    ),
)
_OUTDOORS = (
    RenderedAttribute(
        outdoors.SUN_ELEVATION,
        scene_edits.sun_elevation,
        air_probes.SunHeightProbe,
        lambda built: None if built.sun is None else built.sun.elevation_deg,
        (3.0, 80.0),
    ),
    RenderedAttribute(
        outdoors.SUN_AZIMUTH,
        scene_edits.sun_azimuth,
        air_probes.SunBearingProbe,
        lambda built: None if built.sun is None else built.sun.azimuth_deg,
    ),
    RenderedAttribute(
        outdoors.FOG_DENSITY,
        scene_edits.fog_density,
        air_probes.FogProbe,
        _where(lambda built: built.fog is not None, _FOG_VISIBILITY_M),
        (10.0, 2000.0),
    ),
)
RENDERED: Mapping[str, RenderedAttribute] = MappingProxyType(
    {entry.attribute.name: entry for entry in (*_LENS, *_POSE, *_MATERIAL, *_OUTDOORS)}
)


def sweep_values_rand(
    rng: np.random.Generator,
    built: BuiltScene,
    name: str,
    num_frames: int,
    value_range: tuple[float, float] | None,
) -> tuple[float, ...]:
    """Draw the absolute values of a sweep, one in each of `num_frames` equal parts of its span.

    Edits between any two of them lie in `value_range` (None: the attribute's default range), or
    nearly so. Values have three digits, as a person would type them. The scene must have the
    attribute: its entry has a centre.
    """
    entry = RENDERED[name]
    attribute, centre = entry.attribute, entry.centre(built)
    assert centre is not None, "asked for before"
    low, high = value_range or attribute.default_range
    half = (high - low) / 4.0
    if value_range is None:
        half = max(half, entry.least_half_span(built))
    limits = sorted(attribute.to_axis(v) if math.isfinite(v) else v for v in entry.window)
    middle = attribute.to_axis(centre)
    start, stop = max(middle - half, limits[0]), min(middle + half, limits[1])
    parts = (np.arange(num_frames) + rng.uniform(0.15, 0.85, num_frames)) / num_frames
    return tuple(_three_digits(attribute.from_axis(start + (stop - start) * p)) for p in parts)


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
