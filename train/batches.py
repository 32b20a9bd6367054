"""Batches: which pairs a step sees, and how they are cropped, mirrored and turned round.

All of it is decided by (seed, stage, step), never by what was drawn before, so a run resumes in the
middle of an epoch. Every change of the pictures keeps the number true or changes it along.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.manifest import TrainJob
from cat_dataset.plans import BASIS_ATTRIBUTES
from cat_dataset.records import EditScale
from cat_dataset.seeding import derive_rng
from train.log_light import encode_log_light, linear_of_codes
from train.pairs import Pictures, TrainingPairs

Linear = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Pictures in log light and the edits between them."""

    source_BCHW: Tensor
    target_BCHW: Tensor
    edits: tuple[tuple[EditScale, ...], ...]  # of each sample


def draw_batch(
    pairs: TrainingPairs, job: TrainJob, stage: str, step: int, identity_share: float
) -> Batch:
    """Return the batch of a step; every epoch visits each pair once, in an order of its own.

    A share of the samples loses its edits and gets its source as target.
    """
    first = step * job.batch_size
    examples = []
    for position in range(first, first + job.batch_size):
        epoch, place = divmod(position, len(pairs))
        order = epoch_order(job.seed, stage, epoch, len(pairs))
        row = pairs.rows[order[place]]
        rng = derive_rng(job.seed, stage, "augment", position)
        linear, edits = _augmented(rng, pairs.pictures(row), row.edits, job.size_px)
        if rng.random() < identity_share:
            linear, edits = np.stack([linear[0], linear[0]]), ()
        examples.append((linear, edits))
    return collate(examples)


def whole_batch(pairs: TrainingPairs, numbers: Sequence[int], size_px: int) -> Batch:
    """Return chosen pairs, centre crop, unchanged otherwise: for losses that can be compared."""
    rows = [pairs.rows[number] for number in numbers]
    return collate([(_centre_square(pairs.pictures(r), size_px), r.edits) for r in rows])


@lru_cache(maxsize=2)  # a batch asks for the same epoch again and again, or for two at its border
def epoch_order(seed: int, stage: str, epoch: int, num_pairs: int) -> tuple[int, ...]:
    """Return the order of pairs in an epoch."""
    return tuple(derive_rng(seed, stage, "epoch", epoch).permutation(num_pairs).tolist())


def collate(examples: Sequence[tuple[Linear, tuple[EditScale, ...]]]) -> Batch:
    """Stack examples, each linear light (2, H, W, 3) and its edits, into a batch in log light."""
    linear_B2HWC = torch.from_numpy(np.stack([linear for linear, _ in examples]))
    both_2BCHW = encode_log_light(linear_B2HWC).permute(1, 0, 4, 2, 3).contiguous()
    return Batch(both_2BCHW[0], both_2BCHW[1], tuple(edits for _, edits in examples))


def resize_area(linear_HWC: Linear, height_px: int, width_px: int) -> Linear:
    """Return a picture at another size, averaging light; enlarging is linear."""
    height, width = linear_HWC.shape[:2]
    if (height, width) == (height_px, width_px):
        return linear_HWC
    is_smaller = height_px <= height and width_px <= width
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(linear_HWC, (width_px, height_px), interpolation=method))


def _augmented(
    rng: np.random.Generator, pictures: Pictures, edits: tuple[EditScale, ...], size_px: int
) -> tuple[Linear, tuple[EditScale, ...]]:
    """Return linear light (2, size, size, 3) of a random view of a pair, and its edits."""
    is_photometric = all(edit.attribute in BASIS_ATTRIBUTES for edit in edits)
    if is_photometric:  # neither a crop nor a mirror changes how much light there is
        linear = _random_square(rng, pictures, size_px)
    else:
        linear = _centre_square(pictures, size_px)
    if rng.random() < 0.5:
        return linear[::-1].copy(), tuple(reversed_edit(edit) for edit in edits)
    return linear, edits


def reversed_edit(edit: EditScale) -> EditScale:
    """Return the edit that leads from the target back to the source."""
    return EditScale(edit.attribute, -edit.value, edit.target_value, edit.source_value)


def _random_square(rng: np.random.Generator, pictures: Pictures, size_px: int) -> Linear:
    """Return linear light of a random square of both pictures, mirrored half of the time."""
    height, width = pictures.shape[1:3]
    largest = min(height, width)
    side = int(rng.integers(min(size_px, largest), largest + 1))
    top = int(rng.integers(0, height - side + 1))
    left = int(rng.integers(0, width - side + 1))
    square = pictures[:, top : top + side, left : left + side]
    if rng.random() < 0.5:
        square = square[:, :, ::-1]
    return _squares_at_size(square, size_px)


def _centre_square(pictures: Pictures, size_px: int) -> Linear:
    height, width = pictures.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return _squares_at_size(pictures[:, top : top + side, left : left + side], size_px)


def _squares_at_size(pictures: Pictures, size_px: int) -> Linear:
    return np.stack([resize_area(linear_of_codes(p), size_px, size_px) for p in pictures])
