"""Candidates from the frames of a sweep: ordered pairs; the camera may change them as well."""

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import EXPOSURE
from cat_dataset.attributes.table import find_attribute
from cat_dataset.compose.edit_sampling import Range, sample_edits
from cat_dataset.compose.pair_candidate import AreHeldOut, SweepCandidate, none_held_out, pair_key
from cat_dataset.compose.picture import Picture, saturate
from cat_dataset.imaging.channels import brightest_channel
from cat_dataset.imaging.display import encode_display, exposure_anchor
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.light.light_state import base_state, camera_gain_rgb
from cat_dataset.light.relighting import Gain
from cat_dataset.records import EditScale, LightBasis, Sweep
from cat_dataset.system.seeding import derive_rng

_NO_LIGHT = np.empty((0, 1, 1, 3), np.float32)


def sweep_candidates(
    sweep: Sweep,
    num_pairs: int,
    dataset: DatasetJob,
    together_with: Mapping[str, Range],
    is_held_out: AreHeldOut = none_held_out,
) -> Iterator[SweepCandidate]:
    """Yield pairs of a sweep's frames, not checked yet; `num_pairs` of all ordered ones.

    `together_with` says what the camera changes as well, and how far. Its settings are sampled as
    those of a light basis without a light.
    """
    rng = derive_rng(dataset.seed, "sweep", sweep.scene, sweep.attribute, *together_with)
    noise_HW = _noise_codes(sweep, dataset)
    no_light = LightBasis(sweep.scene, sweep.split, (), _NO_LIGHT, sweep.wb_cct_k)
    shared: dict[int, Picture] = {}
    for frames in _chosen_frames_rand(rng, len(sweep.frames), num_pairs):
        number = f"{frames[0]:02d}-{frames[1]:02d}"
        key = pair_key(sweep.scene, "+".join((sweep.attribute, *together_with)), number)
        camera = sample_edits(derive_rng(dataset.seed, "draw", key), no_light, together_with)
        edits = (_frame_edit(sweep, *frames), *camera.edits)
        if is_held_out(edits):
            continue
        anchor = _sweep_anchor(sweep, *frames)
        before, after = (_frame_picture(sweep, i, anchor, dataset, shared) for i in frames)
        source, target = before, after
        if together_with:
            base = base_state(no_light)
            source = _relit(before, camera_gain_rgb(base, camera.source))
            target = _relit(after, camera_gain_rgb(base, camera.target))
        states = camera.states if together_with else {}
        origin = {**_frame_origin(sweep, *frames), **states}
        yield SweepCandidate(
            key, sweep, frames, edits, source, target, (before, after), origin, noise_HW
        )


def _chosen_frames_rand(
    rng: np.random.Generator, num_frames: int, num_pairs: int
) -> list[tuple[int, int]]:
    """Return at most so many ordered pairs of frames, in their own order."""
    pairs = list(permutations(range(num_frames), 2))
    return [pairs[index] for index in sorted(rng.permutation(len(pairs))[:num_pairs].tolist())]


def _frame_origin(sweep: Sweep, source_index: int, target_index: int) -> dict[str, object]:
    source, target = sweep.frames[source_index], sweep.frames[target_index]
    return {**sweep.origin, "source": dict(source.origin), "target": dict(target.origin)}


def _frame_edit(sweep: Sweep, source_index: int, target_index: int) -> EditScale:
    source, target = sweep.frames[source_index], sweep.frames[target_index]
    attribute = find_attribute(sweep.attribute)
    return EditScale(
        sweep.attribute,
        attribute.axis_difference(source.axis_value, target.axis_value),
        source.absolute_value,
        target.absolute_value,
        subject=sweep.subject,
    )


def _relit(picture: Picture, gain_rgb: Gain) -> Picture:
    """Return a picture under other settings of the camera."""
    linear_HW3 = picture.linear_HW3 * gain_rgb.astype(np.float32)
    return Picture(
        linear_HW3, picture.anchor, picture.tone_curve, picture.annotation, picture.moving_HW
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
    noise: NDArray[np.float32] = brightest_channel(np.abs(noisy - clean))
    return noise


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
