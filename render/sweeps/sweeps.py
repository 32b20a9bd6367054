"""Sweeps: frames of one scene in which one setting takes known values, each measured again.

Everything else stays: pose, light, exposure, Cycles seed. The first frame is rendered in two
halves of its samples, which shows its noise at no cost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import find_attribute
from cat_dataset.records import Annotation, Reading, Sweep, SweepFrame
from render.basis import (
    base_frame,
    mean_pictures,
    render_groups,
    render_halves,
    render_origin,
)
from render.blender.annotating import annotate
from render.blender.probe_scene import Instrument
from render.blender.renderer import RenderSettings
from render.scene import BuiltScene, SceneContext
from render.sweeps import air_probes, lens_probes, pose_probes, surface_probes
from render.sweeps.table import AXES

MakeInstrument = Callable[[BuiltScene, RenderSettings, Sequence[float]], Instrument]
INSTRUMENTS: Mapping[str, MakeInstrument] = MappingProxyType(
    {
        "aperture": lens_probes.StarInstrument,
        "focal_length": lens_probes.ZoomInstrument,
        "focus_distance": lens_probes.FocusInstrument,
        "shutter_blur": lens_probes.StreakInstrument,
        "object_rotation": pose_probes.TurnInstrument,
        "object_translation": pose_probes.ShiftInstrument,
        "object_scale": pose_probes.GrowthInstrument,
        "camera_azimuth": pose_probes.AzimuthInstrument,
        "camera_elevation": pose_probes.ElevationInstrument,
        "camera_distance": pose_probes.DistanceInstrument,
        "roughness": surface_probes.GlossInstrument,
        "metallic": surface_probes.metallic_instrument,
        "transmission": surface_probes.transmission_instrument,
        "base_hue": surface_probes.HueInstrument,
        "base_saturation": surface_probes.SaturationInstrument,
        "sun_elevation": air_probes.SunHeightInstrument,
        "sun_azimuth": air_probes.SunBearingInstrument,
        "fog_density": air_probes.FogInstrument,
        "shape_key": pose_probes.ShapeInstrument,
    }
)


def render_sweep(
    built: BuiltScene,
    settings: RenderSettings,
    attribute: str,
    values: Sequence[float],
    context: SceneContext,
) -> Sweep:
    """Render one frame per absolute value of `attribute`; the scene is left as it was built.

    Raises:
        SceneError: a frame cannot be rendered, or its scale cannot be measured.
    """
    axis, to_axis = AXES[attribute], find_attribute(attribute).to_axis
    instrument = INSTRUMENTS[attribute](built, settings, values)
    frames, looks, noise = [], [], None
    with axis.open(built) as put:
        for value in values:
            state = put(value)
            if noise is None:
                linear, noise = _frame_and_noise(state, settings, denoise=context.denoise)
            else:
                pictures = render_groups(state, settings)
                linear = base_frame(state, pictures, denoise=context.denoise)
            annotation = _annotation(state, settings, context, axis.edits == "object")
            frames.append(SweepFrame(value, to_axis(value), linear, annotation=annotation))
            looks.append(instrument.look())
    return Sweep(
        scene=context.scene,
        split=context.split,
        attribute=attribute,
        frames=tuple(frames),
        readings=_readings(instrument, looks),
        subject=_subject(built, attribute),
        wb_cct_k=built.wb_cct_k,
        noise_HW3=noise,
        edited_area=axis.edits,
        origin={**context.origin, **render_origin(settings, denoise=context.denoise)},
    )


def _frame_and_noise(
    built: BuiltScene, settings: RenderSettings, *, denoise: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the frame of all samples, and half of what its two halves differ by."""
    halves = render_halves(built, settings)
    one, other = (base_frame(built, half, denoise=denoise) for half in halves)
    frame = base_frame(built, mean_pictures(*halves), denoise=denoise)
    return frame, (one - other) / np.float32(2.0)


def _annotation(
    built: BuiltScene, settings: RenderSettings, context: SceneContext, is_object_edited: bool
) -> Annotation | None:
    if not (context.annotate or is_object_edited):
        return None
    return annotate(built, settings)


def _readings(instrument: Instrument, looks: Sequence[Any]) -> dict[tuple[int, int], Reading]:
    readings = {}
    for source, target in combinations(range(len(looks)), 2):
        reading = instrument.read(looks[source], looks[target])
        readings[source, target] = reading
        readings[target, source] = replace(reading, value=-reading.value)
    return readings


def _subject(built: BuiltScene, attribute: str) -> str | None:
    if attribute == "shape_key":
        return built.edited_shape_key
    return built.main_name if AXES[attribute].edits == "object" else None
