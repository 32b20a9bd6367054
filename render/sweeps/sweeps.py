"""Sweeps: frames of one scene in which one setting takes known values, each measured again.

Everything else stays: pose, light, exposure, Cycles seed. The first frame is rendered in two
halves of its samples, which shows its noise at no cost.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.records import Annotation, Reading, Sweep, SweepFrame
from render.basis import (
    base_frame,
    mean_pictures,
    render_groups,
    render_halves,
    render_origin,
)
from render.blender.annotating import annotate
from render.blender.probe_scene import AttributeProbe
from render.blender.renderer import RenderSettings
from render.scene import BuiltScene, SceneContext
from render.sweeps.table import RENDERED


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
    entry = RENDERED[attribute]
    probe = entry.probe(built, settings, values)
    frames, looks, noise = [], [], None
    with entry.setter(built) as put:
        for value in values:
            state = put(value)
            if noise is None:
                linear, noise = _frame_and_noise(state, settings, denoise=context.denoise)
            else:
                pictures = render_groups(state, settings)
                linear = base_frame(state, pictures, denoise=context.denoise)
            annotation = _annotation(state, settings, context, entry.is_of_object)
            frames.append(
                SweepFrame(value, entry.attribute.to_axis(value), linear, annotation=annotation)
            )
            looks.append(probe.look())
    return Sweep(
        scene=context.scene,
        split=context.split,
        attribute=attribute,
        frames=tuple(frames),
        readings=_readings(probe, looks),
        subject=entry.subject(built),
        wb_cct_k=built.wb_cct_k,
        noise_HW3=noise,
        edited_area="object" if entry.is_of_object else "picture",
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


def _readings(probe: AttributeProbe, looks: Sequence[Any]) -> dict[tuple[int, int], Reading]:
    readings = {}
    for source, target in combinations(range(len(looks)), 2):
        reading = probe.read(looks[source], looks[target])
        readings[source, target] = reading
        readings[target, source] = replace(reading, value=-reading.value)
    return readings
