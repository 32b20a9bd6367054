"""Which axis belongs to which attribute, and around what its sweeps are drawn in a scene."""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from cat_dataset.attributes.table import find_attribute
from render.scene import BuiltScene
from render.sweeps import material_edits
from render.sweeps import scene_edits as axes
from render.sweeps.material_edits import has_body_colour, has_edited_material
from render.sweeps.scene_edits import Put

_FOG_VISIBILITY_M = 110.0  # fog is edited around this: thinner is hardly seen in a picture
_SHUTTER_S = 1.0 / 24.0
_MOVED_SHARE = 0.35  # of the main object's width, at least, that it may be moved to either side


@dataclass(frozen=True)
class Axis:
    """One rendered attribute of any scene."""

    open: Callable[[BuiltScene], AbstractContextManager[Put]]
    # absolute value that sweeps are drawn around; None where the scene has nothing to edit
    centre: Callable[[BuiltScene], float | None]
    window: tuple[float, float]  # absolute values that keep a picture plausible
    edits: Literal["object", "picture"]  # where it acts


def _where(
    has_it: Callable[[BuiltScene], bool], value: float
) -> Callable[[BuiltScene], float | None]:
    return lambda built: value if has_it(built) else None


_ANY = (-math.inf, math.inf)
AXES: Mapping[str, Axis] = MappingProxyType(
    {
        "aperture": Axis(
            axes.f_number, lambda built: built.camera.f_number, (1.4, 16.0), "picture"
        ),
        "focal_length": Axis(
            axes.focal_length, lambda built: built.camera.focal_length_mm, (14.0, 200.0), "picture"
        ),
        "focus_distance": Axis(
            axes.focus_distance,
            lambda built: built.camera.focus_distance_m,
            (0.15, 60.0),
            "picture",
        ),
        "shutter_blur": Axis(axes.shutter, lambda _: _SHUTTER_S, (0.002, 0.4), "object"),
        "object_rotation": Axis(axes.object_rotation, lambda _: 0.0, _ANY, "object"),
        "object_translation": Axis(axes.object_translation, lambda _: 0.0, _ANY, "object"),
        "object_scale": Axis(axes.object_scale, lambda _: 100.0, (40.0, 250.0), "object"),
        "camera_azimuth": Axis(axes.camera_azimuth, lambda _: 0.0, _ANY, "picture"),
        "camera_elevation": Axis(
            axes.camera_elevation, lambda built: built.camera.elevation_deg, (-5.0, 75.0), "picture"
        ),
        "camera_distance": Axis(
            axes.camera_distance, lambda built: built.camera.distance_m, (0.1, 500.0), "picture"
        ),
        "roughness": Axis(
            material_edits.roughness, _where(has_edited_material, 45.0), (8.0, 95.0), "object"
        ),
        "metallic": Axis(
            material_edits.metallic, _where(has_body_colour, 50.0), (0.0, 100.0), "object"
        ),
        "transmission": Axis(
            material_edits.transmission, _where(has_body_colour, 50.0), (0.0, 100.0), "object"
        ),
        "base_hue": Axis(material_edits.base_hue, _where(has_edited_material, 0.0), _ANY, "object"),
        "base_saturation": Axis(
            material_edits.base_saturation, _where(has_edited_material, 45.0), (5.0, 95.0), "object"
        ),
        "sun_elevation": Axis(
            axes.sun_elevation,
            lambda built: None if built.sun is None else built.sun.elevation_deg,
            (3.0, 80.0),
            "picture",
        ),
        "sun_azimuth": Axis(
            axes.sun_azimuth,
            lambda built: None if built.sun is None else built.sun.azimuth_deg,
            _ANY,
            "picture",
        ),
        "fog_density": Axis(
            axes.fog_density,
            _where(lambda built: built.fog is not None, _FOG_VISIBILITY_M),
            (10.0, 2000.0),
            "picture",
        ),
        "shape_key": Axis(
            axes.shape_key,
            _where(lambda built: bool(built.shape_keys), 50.0),
            (0.0, 100.0),
            "object",
        ),
    }
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
    attribute: its axis has a centre.
    """
    axis, attribute = AXES[name], find_attribute(name)
    centre = axis.centre(built)
    assert centre is not None, "asked for before"
    low, high = value_range or attribute.default_range
    half = (high - low) / 4.0
    if name == "object_translation" and value_range is None:
        half = max(half, 100.0 * _MOVED_SHARE * max(built.main_object.dimensions[:2]))
    limits = sorted(attribute.to_axis(v) if math.isfinite(v) else v for v in axis.window)
    middle = attribute.to_axis(centre)
    start, stop = max(middle - half, limits[0]), min(middle + half, limits[1])
    parts = (np.arange(num_frames) + rng.uniform(0.15, 0.85, num_frames)) / num_frames
    return tuple(_three_digits(attribute.from_axis(start + (stop - start) * p)) for p in parts)


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
