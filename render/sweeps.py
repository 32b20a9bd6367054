"""Sweeps: frames of one scene in which one setting of the camera or the object takes known values.

Everything else stays: pose, light, exposure, Cycles seed. Each sweep is measured again.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Any

from cat_dataset.attributes import find_attribute
from cat_dataset.records import Split, Sweep, SweepFrame
from render.basis import base_frame, render_groups, render_origin
from render.scene import BuiltScene
from render.cycles import RenderSettings
from render.probes import Instrument, PoseInstrument, StarInstrument, ZoomInstrument

Setter = Callable[[BuiltScene, float], None]
MakeInstrument = Callable[[BuiltScene, RenderSettings, Sequence[float]], Instrument]


def render_sweep(
    built: BuiltScene,
    settings: RenderSettings,
    attribute: str,
    values: Sequence[float],
    scene: str,
    split: Split,
    origin: Mapping[str, Any],
    *,
    denoise: bool,
) -> Sweep:
    """Render one frame per absolute value of `attribute`; the scene is left as it was built.

    Raises:
        SceneError: a frame cannot be rendered, or its scale cannot be measured.
    """
    set_value, make_instrument = _KINDS[attribute]
    to_axis = find_attribute(attribute).to_axis
    instrument = make_instrument(built, settings, values)
    frames, looks = [], []
    for value in values:
        set_value(built, value)
        linear = base_frame(built, render_groups(built, settings), denoise=denoise)
        frames.append(SweepFrame(value, to_axis(value), linear))
        looks.append(instrument.look())
    _reset(built)
    readings = {}
    for source, target in combinations(range(len(values)), 2):
        reading = instrument.read(looks[source], looks[target])
        readings[source, target] = reading
        readings[target, source] = replace(reading, value=-reading.value)
    return Sweep(
        scene=scene,
        split=split,
        attribute=attribute,
        frames=tuple(frames),
        readings=readings,
        origin={**origin, **render_origin(settings, denoise=denoise)},
    )


def _set_f_number(built: BuiltScene, f_number: float) -> None:
    """Set the f-number; Blender holds the brightness, as a camera does with its shutter."""
    built.render_camera.data.dof.aperture_fstop = f_number


def _set_focal_length(built: BuiltScene, focal_length_mm: float) -> None:
    """Set the lens; the camera stays where it is, and so does the f-number."""
    built.render_camera.data.lens = focal_length_mm


def _set_rotation(built: BuiltScene, angle_deg: float) -> None:
    """Turn the main object from its drawn heading, counter-clockwise seen from above."""
    built.main_object.rotation_euler.z += math.radians(angle_deg)


def _reset(built: BuiltScene) -> None:
    _set_f_number(built, built.camera.f_number)
    _set_focal_length(built, built.camera.focal_length_mm)
    _set_rotation(built, 0.0)


_KINDS: Mapping[str, tuple[Setter, MakeInstrument]] = MappingProxyType(
    {
        "aperture": (_set_f_number, StarInstrument),
        "focal_length": (_set_focal_length, ZoomInstrument),
        "object_rotation": (_set_rotation, PoseInstrument),
    }
)
