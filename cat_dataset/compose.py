"""The composer: draws pairs from light bases and sweeps, measures them again, encodes them once.

Both producers use it, and so does whoever composes anew from stored linear light. A pair that
fails a gate becomes a `Rejection` with the reason; it never stops the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cat_dataset import readout
from cat_dataset.attributes import find_attribute
from cat_dataset.display import encode_display, exposure_anchor
from cat_dataset.drafts import Draft, Picture, finish
from cat_dataset.draws import PhotometricDraw, draw_photometric, draw_together, drawable_attributes
from cat_dataset.errors import EditScaleError
from cat_dataset.light import light_frame
from cat_dataset.manifest import DatasetJob
from cat_dataset.photometric_readout import read_draw, reading_step
from cat_dataset.photometry import white_balance_gains
from cat_dataset.plans import BASIS_ATTRIBUTES, PairPlan, attributes_of_plan
from cat_dataset.records import EditScale, LightBasis, Reading, Sweep, UnitResult
from cat_dataset.seeding import derive_rng

Linear = NDArray[np.float32]
_NO_LIGHT = np.empty((0, 1, 1, 3), np.float32)
SATURATED = np.float32(1e4)  # scene-linear stand-in for "at least white": clips at any anchor


def compose_light(
    light: LightBasis | Sweep, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return all the planned pairs that a light basis or a sweep can give.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    if isinstance(light, LightBasis):
        photometric = {
            name: plan
            for name, plan in plans.items()
            if attributes_of_plan(name)[0] in BASIS_ATTRIBUTES
        }
        return compose_basis(light, photometric, dataset)
    results = [
        compose_sweep(light, plan, dataset, attributes_of_plan(name)[1:])
        for name, plan in plans.items()
        if attributes_of_plan(name)[0] == light.attribute
    ]
    return UnitResult(
        tuple(pair for result in results for pair in result.pairs),
        tuple(rejection for result in results for rejection in result.rejections),
    )


def compose_basis(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return the planned photometric pairs of one light basis.

    A plan named after several attributes, "exposure+light_power", edits them all at once.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    for name in plans:
        for attribute in attributes_of_plan(name):
            if attribute not in drawable_attributes(basis):
                msg = f"scene {basis.scene}: has no light for {attribute}; remove {name}"
                raise EditScaleError(msg)
    return finish(_basis_drafts(basis, plans, dataset), dataset)


def _basis_drafts(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> Iterator[Draft]:
    for name, plan in plans.items():
        ranges = {
            attribute: _value_range(plans, attribute) for attribute in attributes_of_plan(name)
        }
        for number in range(plan.num_pairs):
            rng = derive_rng(dataset.seed, "draw", basis.scene, name, number)
            draw = (
                draw_together(rng, basis, ranges)
                if len(ranges) > 1
                else draw_photometric(rng, basis, name, ranges[name])
            )
            yield _draft_of_draw(basis, draw, pair_key(basis.scene, name, f"{number:02d}"), dataset)


def _value_range(plans: Mapping[str, PairPlan], attribute: str) -> tuple[float, float]:
    plan = plans.get(attribute)
    own = None if plan is None else plan.value_range
    return own or find_attribute(attribute).default_range


def pair_key(scene: str, plan_name: str, number: str) -> str:
    """Return a sample key; of several attributes at once only the first letters are named."""
    names = attributes_of_plan(plan_name)
    short = names[0] if len(names) == 1 else "-".join(("mix", *(_initials(n) for n in names)))
    return f"{scene}-{short}-{number}"


def _initials(attribute: str) -> str:
    return "".join(word[:3] for word in attribute.split("_"))


def _draft_of_draw(
    basis: LightBasis, draw: PhotometricDraw, key: str, dataset: DatasetJob
) -> Draft:
    source, target = light_frame(basis, draw.source), light_frame(basis, draw.target)
    anchor = exposure_anchor(source) * 2.0**draw.source.exposure_stops
    if draw.edited_groups:  # a lamp that is turned up must not wash out the picture
        middle = [2.0**-state.exposure_stops for state in (draw.source, draw.target)]
        both = source * np.float32(middle[0] / 2) + target * np.float32(middle[1] / 2)
        anchor = exposure_anchor(both)
    if basis.clipped_HW is not None:
        anchor = max(anchor, 1.0)  # what the sensor clipped shows as white, not as grey
        source, target = (_saturate(picture, basis.clipped_HW) for picture in (source, target))
    states = {"source_state": draw.source.to_json(), "target_state": draw.target.to_json()}
    return Draft(
        key=key,
        scene=basis.scene,
        split=basis.split,
        source=Picture(source, anchor, dataset.tone_curve, basis.annotation),
        target=Picture(target, anchor, dataset.tone_curve, basis.annotation),
        edits=draw.edits,
        measure=lambda mask: read_draw(basis, draw, source, target, mask),
        origin={**basis.origin, **states},
    )


def compose_sweep(
    sweep: Sweep, plan: PairPlan, dataset: DatasetJob, together_with: Sequence[str] = ()
) -> UnitResult:
    """Return pairs of a sweep's frames: all ordered pairs, or as many of them as planned.

    `together_with` names what the camera changes as well: exposure, white_balance, or both.
    """
    pairs = list(permutations(range(len(sweep.frames)), 2))
    names = (sweep.attribute, *together_with)
    rng = derive_rng(dataset.seed, "sweep", sweep.scene, *names)
    chosen = sorted(rng.permutation(len(pairs))[: plan.num_pairs].tolist())
    noise_HW = _noise_codes(sweep, dataset)
    if together_with:
        drafts = (
            _draft_with_camera(sweep, pairs[index], noise_HW, dataset, together_with)
            for index in chosen
        )
        return finish(drafts, dataset)
    shared: dict[int, Picture] = {}
    return finish(
        (_draft_of_frames(sweep, pairs[index], noise_HW, dataset, shared) for index in chosen),
        dataset,
    )


def _noise_codes(sweep: Sweep, dataset: DatasetJob) -> NDArray[np.float32] | None:
    """Return how noisy the first frame is, display codes of the noisiest channel, (H, W)."""
    if sweep.noise_HW3 is None:
        return None
    frame, anchor = sweep.frames[0].linear_HW3, exposure_anchor(sweep.frames[0].linear_HW3)
    clean, noisy = (
        encode_display(picture, anchor, dataset.tone_curve).astype(np.float32)
        for picture in (frame, np.maximum(frame + sweep.noise_HW3, 0.0))
    )
    noise: NDArray[np.float32] = np.abs(noisy - clean).max(axis=-1)
    return noise


def _draft_of_frames(
    sweep: Sweep,
    indices: tuple[int, int],
    noise_HW: NDArray[np.float32] | None,
    dataset: DatasetJob,
    shared: dict[int, Picture],
) -> Draft:
    source_index, target_index = indices
    anchor = _sweep_anchor(sweep, source_index, target_index)
    pictures = [
        _frame_picture(sweep, index, anchor, dataset, shared)
        for index in (source_index, target_index)
    ]
    return Draft(
        key=pair_key(sweep.scene, sweep.attribute, f"{source_index:02d}-{target_index:02d}"),
        scene=sweep.scene,
        split=sweep.split,
        source=pictures[0],
        target=pictures[1],
        edits=(_frame_edit(sweep, source_index, target_index),),
        measure=lambda _mask: [sweep.readings.get((source_index, target_index))],
        origin=_frame_origin(sweep, source_index, target_index),
        is_measured_the_scale=sweep.is_measured_the_scale,
        area=sweep.edited_area,
        noise_HW=noise_HW,
    )


def _frame_edit(sweep: Sweep, source_index: int, target_index: int) -> EditScale:
    source, target = sweep.frames[source_index], sweep.frames[target_index]
    value = find_attribute(sweep.attribute).axis_difference(source.axis_value, target.axis_value)
    return EditScale(
        sweep.attribute,
        value,
        source.absolute_value,
        target.absolute_value,
        subject=sweep.subject,
    )


def _frame_origin(sweep: Sweep, source_index: int, target_index: int) -> dict[str, object]:
    source, target = sweep.frames[source_index], sweep.frames[target_index]
    return {**sweep.origin, "source": dict(source.origin), "target": dict(target.origin)}


def _frame_picture(
    sweep: Sweep, index: int, anchor: float, dataset: DatasetJob, shared: dict[int, Picture]
) -> Picture:
    """Return a frame's picture; frames with one anchor for the whole sweep are shared by pairs."""
    if index in shared and shared[index].anchor == anchor:
        return shared[index]
    frame = sweep.frames[index]
    linear = frame.linear_HW3
    if frame.clipped_HW is not None:
        linear = _saturate(linear, frame.clipped_HW)
    shared[index] = Picture(linear, anchor, dataset.tone_curve, frame.annotation)
    return shared[index]


def _sweep_anchor(sweep: Sweep, source_index: int, target_index: int) -> float:
    """Return one anchor for the whole sweep; for a bracket, one that suits both of its frames."""
    if sweep.attribute != "exposure":
        return exposure_anchor(sweep.frames[0].linear_HW3)
    source, target = (sweep.frames[i].linear_HW3 for i in (source_index, target_index))
    return max(exposure_anchor((source + target) / 2), 1.0)  # sensor white shows as white


def _saturate(linear_HW3: Linear, clipped_HW: NDArray[np.bool_]) -> Linear:
    return np.where(clipped_HW[..., None], SATURATED, linear_HW3)


def _draft_with_camera(
    sweep: Sweep,
    indices: tuple[int, int],
    noise_HW: NDArray[np.float32] | None,
    dataset: DatasetJob,
    together_with: Sequence[str],
) -> Draft:
    """Return a pair of frames whose exposure or white balance differs as well.

    What the camera does is drawn as for a light basis of one light, the frame itself.
    """
    source_index, target_index = indices
    number = f"{source_index:02d}-{target_index:02d}"
    key = pair_key(sweep.scene, "+".join((sweep.attribute, *together_with)), number)
    rng = derive_rng(dataset.seed, "draw", key)
    camera = LightBasis(sweep.scene, sweep.split, (), _NO_LIGHT, sweep.wb_cct_k)
    ranges = {name: find_attribute(name).default_range for name in together_with}
    draw = draw_together(rng, camera, ranges)
    frames = [sweep.frames[index] for index in (source_index, target_index)]
    linear = [
        frame.linear_HW3
        * (white_balance_gains(sweep.wb_cct_k, state.wb_cct_k) * 2.0**state.exposure_stops).astype(
            np.float32
        )
        for frame, state in zip(frames, (draw.source, draw.target), strict=True)
    ]
    anchor = _sweep_anchor(sweep, source_index, target_index)

    def measure(mask_HW: NDArray[np.bool_]) -> list[Reading | None]:
        readings: list[Reading | None] = [sweep.readings.get((source_index, target_index))]
        looks = [
            _camera_reading(frame.linear_HW3, picture, mask_HW, sweep.wb_cct_k)
            for frame, picture in zip(frames, linear, strict=True)
        ]
        for name in together_with:
            readings.append(_difference(looks[0][name], looks[1][name]))
        return readings

    pictures = [
        Picture(light, anchor, dataset.tone_curve, frame.annotation)
        for light, frame in zip(linear, frames, strict=True)
    ]
    states = {"source_state": draw.source.to_json(), "target_state": draw.target.to_json()}
    return Draft(
        key=key,
        scene=sweep.scene,
        split=sweep.split,
        source=pictures[0],
        target=pictures[1],
        edits=(_frame_edit(sweep, source_index, target_index), *draw.edits),
        measure=measure,
        origin={**_frame_origin(sweep, source_index, target_index), **states},
        area=sweep.edited_area,
        noise_HW=noise_HW,
    )


def _camera_reading(
    frame_HW3: Linear, picture_HW3: Linear, mask_HW: NDArray[np.bool_], wb_cct_k: float
) -> dict[str, Reading]:
    """Return what the camera did to a frame, by attribute."""
    grid = (slice(None, None, reading_step(mask_HW.shape)),) * 2
    frame, picture, mask = frame_HW3[grid], picture_HW3[grid], mask_HW[grid]
    return {
        "exposure": readout.exposure_stops(frame, picture, mask),
        "white_balance": readout.white_balance_mired(frame, picture, mask, wb_cct_k),
    }


def _difference(source: Reading, target: Reading) -> Reading:
    stderr = float(np.hypot(source.stderr, target.stderr))
    return Reading(target.value - source.value, stderr, source.num_px + target.num_px)
