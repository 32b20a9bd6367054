"""Drafts from the frames of a sweep: ordered pairs, and such whose exposure differs as well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import EXPOSURE, WHITE_BALANCE
from cat_dataset.attributes.table import find_attribute
from cat_dataset.compose.edit_sampling import Range, draw_together
from cat_dataset.compose.pair_candidate import Draft, Picture, pair_key, saturate
from cat_dataset.imaging.channels import brightest_channel
from cat_dataset.imaging.display import encode_display, exposure_anchor
from cat_dataset.imaging.reading_grid import reading_grid
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light import readout
from cat_dataset.light.light_state import base_state, camera_gain_rgb
from cat_dataset.records import EditScale, LightBasis, Reading, Sweep
from cat_dataset.system.seeding import derive_rng

Linear = NDArray[np.float32]
_NO_LIGHT = np.empty((0, 1, 1, 3), np.float32)


def sweep_drafts(
    sweep: Sweep, plan: PairPlan, dataset: DatasetJob, together_with: Mapping[str, Range]
) -> Iterator[Draft]:
    """Yield the planned pairs of a sweep's frames, not gated yet; see `compose.compose_sweep`."""
    pairs = list(permutations(range(len(sweep.frames)), 2))
    rng = derive_rng(dataset.seed, "sweep", sweep.scene, sweep.attribute, *together_with)
    chosen = sorted(rng.permutation(len(pairs))[: plan.num_pairs].tolist())
    noise_HW = _noise_codes(sweep, dataset)
    shared: dict[int, Picture] = {}
    for index in chosen:
        if together_with:
            alone = _draft_of_frames(sweep, pairs[index], noise_HW, dataset, shared)
            yield _draft_with_camera(sweep, pairs[index], alone, dataset, together_with)
        else:
            yield _draft_of_frames(sweep, pairs[index], noise_HW, dataset, shared)


def _noise_codes(sweep: Sweep, dataset: DatasetJob) -> NDArray[np.float32] | None:
    """Return how noisy the first frame is, display codes of the noisiest channel, (H, W)."""
    if sweep.noise_HW3 is None:
        return None
    frame, anchor = sweep.frames[0].linear_HW3, exposure_anchor(sweep.frames[0].linear_HW3)
    clean, noisy = (
        encode_display(picture, anchor, dataset.tone_curve).astype(np.float32)
        for picture in (frame, np.maximum(frame + sweep.noise_HW3, 0.0))
    )
    noise: NDArray[np.float32] = brightest_channel(np.abs(noisy - clean))
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
        view=sweep.view,
        frames=indices,
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
        linear = saturate(linear, frame.clipped_HW)
    shared[index] = Picture(linear, anchor, dataset.tone_curve, frame.annotation, frame.moving_HW)
    return shared[index]


def _sweep_anchor(sweep: Sweep, source_index: int, target_index: int) -> float:
    """Return one anchor for the whole sweep; for a bracket, one that suits both of its frames."""
    if sweep.attribute != EXPOSURE.name:
        anchor = exposure_anchor(sweep.frames[0].linear_HW3)
        is_captured = sweep.frames[0].clipped_HW is not None
        return max(anchor, 1.0) if is_captured else anchor
    source, target = (sweep.frames[i].linear_HW3 for i in (source_index, target_index))
    return max(exposure_anchor((source + target) / 2), 1.0)  # sensor white shows as white


def _draft_with_camera(
    sweep: Sweep,
    indices: tuple[int, int],
    alone: Draft,
    dataset: DatasetJob,
    together_with: Mapping[str, Range],
) -> Draft:
    """Return a pair of frames whose exposure or white balance differs as well.

    What the camera does is drawn as for a light basis of no light; `alone` is the pair without it.
    """
    names = (sweep.attribute, *together_with)
    number = f"{indices[0]:02d}-{indices[1]:02d}"
    key = pair_key(sweep.scene, "+".join(names), number)
    camera = LightBasis(sweep.scene, sweep.split, (), _NO_LIGHT, sweep.wb_cct_k)
    draw = draw_together(derive_rng(dataset.seed, "draw", key), camera, together_with)
    pictures = [
        Picture(
            picture.linear_HW3 * camera_gain_rgb(base_state(camera), state).astype(np.float32),
            picture.anchor,
            dataset.tone_curve,
            picture.annotation,
            picture.moving_HW,
        )
        for picture, state in ((alone.source, draw.source), (alone.target, draw.target))
    ]
    states = {"source_state": draw.source.to_json(), "target_state": draw.target.to_json()}
    return replace(
        alone,
        key=key,
        source=pictures[0],
        target=pictures[1],
        edits=(*alone.edits, *draw.edits),
        measure=lambda mask: [
            *alone.measure(mask),
            *_camera_readings(sweep, alone, pictures, mask, tuple(together_with)),
        ],
        origin={**alone.origin, **states},
        shown=(alone.source, alone.target),
    )


def _camera_readings(
    sweep: Sweep,
    alone: Draft,
    pictures: Sequence[Picture],
    mask_HW: NDArray[np.bool_],
    names: Sequence[str],
) -> list[Reading]:
    """Return what the camera did between the two pictures, by what it did to each frame."""
    looks = [
        _camera_reading(frame.linear_HW3, picture.linear_HW3, mask_HW, sweep.wb_cct_k)
        for frame, picture in zip((alone.source, alone.target), pictures, strict=True)
    ]
    return [_difference(looks[0][name], looks[1][name]) for name in names]


def _camera_reading(
    frame_HW3: Linear, picture_HW3: Linear, mask_HW: NDArray[np.bool_], wb_cct_k: float
) -> dict[str, Reading]:
    """Return what the camera did to a frame, by attribute."""
    grid = reading_grid(mask_HW.shape)
    frame, picture, mask = frame_HW3[grid], picture_HW3[grid], mask_HW[grid]
    return {
        EXPOSURE.name: readout.exposure_stops(frame, picture, mask),
        WHITE_BALANCE.name: readout.white_balance_mired(frame, picture, mask, wb_cct_k),
    }


def _difference(source: Reading, target: Reading) -> Reading:
    stderr = float(np.hypot(source.stderr, target.stderr))
    return Reading(target.value - source.value, stderr, source.num_px + target.num_px)
