"""The composer: draws pairs from light bases and sweeps, measures them again, encodes them once.

Both producers use it, and so does whoever composes anew from stored linear light. A pair that
fails a gate becomes a `Rejection` with the reason; it never stops the others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset import readout
from cat_dataset.attributes import find_attribute
from cat_dataset.display import (
    COLOUR_SPACE,
    TONE_CURVE,
    clip_fraction,
    encode_display,
    encode_png,
    exposure_anchor,
)
from cat_dataset.draws import PhotometricDraw, draw_photometric, drawable_attributes
from cat_dataset.errors import EditScaleError
from cat_dataset.gates import check_measured, check_readable, check_visible
from cat_dataset.instructions import phrase_edits
from cat_dataset.light import LightState, camera_gain_rgb, light_frame
from cat_dataset.manifest import DatasetJob, PairPlan
from cat_dataset.records import (
    Develop,
    EditScale,
    LightBasis,
    Pair,
    Reading,
    Rejection,
    Split,
    Sweep,
    UnitResult,
)
from cat_dataset.seeding import derive_rng

Linear = NDArray[np.float32]
SATURATED = np.float32(1e4)  # scene-linear stand-in for "at least white": clips at any anchor


@dataclass(frozen=True)
class _Draft:
    """Two linear pictures on their way to a pair."""

    key: str
    scene: str
    split: Split
    source_HW3: Linear
    target_HW3: Linear
    anchor: float
    edit: EditScale  # `measured` not filled in
    measure: Callable[[NDArray[np.bool_]], Reading | None]  # takes the readable mask
    is_measured_the_scale: bool
    origin: Mapping[str, Any]


def compose_basis(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return the planned photometric pairs of one light basis.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    drafts = []
    for name, plan in plans.items():
        if name not in drawable_attributes(basis):
            msg = f"scene {basis.scene}: has no light for {name}; remove it from the manifest"
            raise EditScaleError(msg)
        value_range = plan.value_range or find_attribute(name).default_range
        for number in range(plan.num_pairs):
            rng = derive_rng(dataset.seed, "draw", basis.scene, name, number)
            draw = draw_photometric(rng, basis, name, value_range)
            drafts.append(_draft_of_draw(basis, draw, f"{basis.scene}-{name}-{number:02d}"))
    return _finish(drafts, dataset)


def compose_sweep(sweep: Sweep, plan: PairPlan, dataset: DatasetJob) -> UnitResult:
    """Return pairs of a sweep's frames: all ordered pairs, or as many of them as planned."""
    pairs = list(permutations(range(len(sweep.frames)), 2))
    rng = derive_rng(dataset.seed, "sweep", sweep.scene, sweep.attribute)
    chosen = sorted(rng.permutation(len(pairs))[: plan.num_pairs].tolist())
    return _finish((_draft_of_frames(sweep, *pairs[index]) for index in chosen), dataset)


def _draft_of_draw(basis: LightBasis, draw: PhotometricDraw, key: str) -> _Draft:
    source, target = light_frame(basis, draw.source), light_frame(basis, draw.target)
    anchor = exposure_anchor(light_frame(basis, replace(draw.source, exposure_stops=0.0)))
    if draw.edited_groups:  # a lamp that is turned up must not wash out the picture
        anchor = exposure_anchor((source + target) / 2)
    if basis.clipped_HW is not None:
        anchor = max(anchor, 1.0)  # what the sensor clipped shows as white, not as grey
        source, target = (_saturate(picture, basis.clipped_HW) for picture in (source, target))
    states = {"source_state": draw.source.to_json(), "target_state": draw.target.to_json()}
    return _Draft(
        key=key,
        scene=basis.scene,
        split=basis.split,
        source_HW3=source,
        target_HW3=target,
        anchor=anchor,
        edit=draw.edit,
        measure=lambda mask: _measure_draw(basis, draw, source, target, mask),
        is_measured_the_scale=False,
        origin={**basis.origin, **states},
    )


def _draft_of_frames(sweep: Sweep, source_index: int, target_index: int) -> _Draft:
    source, target = sweep.frames[source_index], sweep.frames[target_index]
    attribute = find_attribute(sweep.attribute)
    value = attribute.axis_difference(source.axis_value, target.axis_value)
    edit = EditScale(sweep.attribute, value, source.absolute_value, target.absolute_value)
    pictures = [
        frame.linear_HW3
        if frame.clipped_HW is None
        else _saturate(frame.linear_HW3, frame.clipped_HW)
        for frame in (source, target)
    ]
    return _Draft(
        key=f"{sweep.scene}-{sweep.attribute}-{source_index:02d}-{target_index:02d}",
        scene=sweep.scene,
        split=sweep.split,
        source_HW3=pictures[0],
        target_HW3=pictures[1],
        anchor=_sweep_anchor(sweep, source_index, target_index),
        edit=edit,
        measure=lambda _mask: sweep.readings.get((source_index, target_index)),
        is_measured_the_scale=sweep.is_measured_the_scale,
        origin={**sweep.origin, "source": dict(source.origin), "target": dict(target.origin)},
    )


def _sweep_anchor(sweep: Sweep, source_index: int, target_index: int) -> float:
    """Return one anchor for the whole sweep; for a bracket, one that suits both of its frames."""
    if sweep.attribute != "exposure":
        return exposure_anchor(sweep.frames[0].linear_HW3)
    source, target = (sweep.frames[i].linear_HW3 for i in (source_index, target_index))
    return max(exposure_anchor((source + target) / 2), 1.0)  # sensor white shows as white


def _saturate(linear_HW3: Linear, clipped_HW: NDArray[np.bool_]) -> Linear:
    return np.where(clipped_HW[..., None], SATURATED, linear_HW3)


def _measure_draw(
    basis: LightBasis,
    draw: PhotometricDraw,
    source_HW3: Linear,
    target_HW3: Linear,
    mask_HW: NDArray[np.bool_],
) -> Reading:
    """Read a composed edit back from its two linear pictures."""
    name = draw.edit.attribute
    if name == "exposure":
        return readout.exposure_stops(source_HW3, target_HW3, mask_HW)
    if name == "white_balance":
        return readout.white_balance_mired(
            source_HW3, target_HW3, mask_HW, source_wb_cct_k=draw.source.wb_cct_k
        )
    gains = [
        _edited_light_gain(basis, state, draw.edited_groups, picture)
        for state, picture in ((draw.source, source_HW3), (draw.target, target_HW3))
    ]
    if name == "light_temperature":
        return readout.light_temperature_mired(*gains)
    return readout.light_power_stops(*gains)


def _edited_light_gain(
    basis: LightBasis, state: LightState, groups: frozenset[str], picture_HW3: Linear
) -> readout.LightGain:
    """Return the gain of the edited groups in one picture over their images as rendered."""
    others = light_frame(basis, state, only=frozenset(g.name for g in basis.groups) - groups)
    is_edited = np.array([group.name in groups for group in basis.groups])
    light = basis.images_GHW3[is_edited].sum(axis=0) * camera_gain_rgb(basis, state)
    return readout.light_gain(picture_HW3, light.astype(np.float32), others)


def _finish(drafts: Iterable[_Draft], dataset: DatasetJob) -> UnitResult:
    """Gate, measure and encode drafts, one at a time."""
    pairs, rejections = [], []
    for draft in drafts:
        try:
            pairs.append(_pair(draft, dataset))
        except EditScaleError as error:
            rejections.append(
                Rejection(
                    draft.key,
                    draft.scene,
                    "rejected",
                    str(error),
                    draft.edit.attribute,
                    draft.edit.value,
                )
            )
    return UnitResult(tuple(pairs), tuple(rejections))


def _pair(draft: _Draft, dataset: DatasetJob) -> Pair:
    attribute = find_attribute(draft.edit.attribute)
    anchor = np.float32(draft.anchor)
    mask = readout.readable_mask(draft.source_HW3 * anchor, draft.target_HW3 * anchor)
    check_readable(mask)
    edit = _measured_edit(draft, draft.measure(mask))
    attribute.check_value(edit.value)
    check_measured(attribute, edit)
    pictures = [encode_display(p, draft.anchor) for p in (draft.source_HW3, draft.target_HW3)]
    check_visible(*pictures)
    develop = Develop(
        draft.anchor,
        TONE_CURVE,
        COLOUR_SPACE,
        clip_fraction(draft.source_HW3, draft.anchor),
        clip_fraction(draft.target_HW3, draft.anchor),
    )
    rng = derive_rng(dataset.seed, "phrase", draft.key)
    source_png, target_png = (encode_png(p, dataset.png_compression) for p in pictures)
    return Pair(
        key=draft.key,
        split=draft.split,
        scene=draft.scene,
        instruction=phrase_edits((edit,), rng),
        edits=(edit,),
        source_png=source_png,
        target_png=target_png,
        develop=develop,
        origin=draft.origin,
    )


def _measured_edit(draft: _Draft, reading: Reading | None) -> EditScale:
    if reading is None:
        return draft.edit
    value = reading.value if draft.is_measured_the_scale else draft.edit.value
    return replace(draft.edit, value=value, measured=reading.value, measured_stderr=reading.stderr)
