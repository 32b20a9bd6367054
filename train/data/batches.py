"""Batches: which pairs a step sees, and how they are cropped, mirrored and turned round.

All of it is decided by (seed, stage, step), never by what was drawn before, so a run resumes in the
middle of an epoch. Every change of the pictures keeps the number true or changes it along.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, find_attribute
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from cat_dataset.system.seeding import derive_rng, derive_seed
from train.data.pairs import Example, PairSource
from train.data.sampler import sample_at
from train.model.log_light import BRIGHTEST_LIGHT, encode_log_light, linear_of_codes

Linear = NDArray[np.float32]
_WHITE_CODE = 255
PixelT = TypeVar("PixelT", bound=np.generic)


@dataclass(frozen=True)
class Batch:
    """Pictures in log light and the edits between them: a step's samples, or a part of them."""

    source_BCHW: Tensor
    target_BCHW: Tensor
    edits: tuple[tuple[EditScale, ...], ...]  # of each sample
    counted_B1HW: Tensor | None = None  # 0 where something moved, else 1; None: all counts
    known_B1HW: Tensor | None = None  # 0 where the display cut some of the source's light off
    first: int = 0  # place of the first sample in the step's whole batch
    num_whole: int | None = None  # samples of the whole batch; None: this is the whole

    def __len__(self) -> int:
        return len(self.edits)

    @property
    def places(self) -> slice:
        """Where these samples stand in the step's whole batch."""
        return slice(self.first, self.first + len(self))

    def parts(self, size: int | None) -> Iterator["Batch"]:
        """Yield the batch in parts of at most `size` samples; None: in one."""
        if size is None or size >= len(self):
            yield self
            return
        for start in range(0, len(self), size):
            of_part = slice(start, start + size)
            yield Batch(
                self.source_BCHW[of_part],
                self.target_BCHW[of_part],
                self.edits[of_part],
                None if self.counted_B1HW is None else self.counted_B1HW[of_part],
                None if self.known_B1HW is None else self.known_B1HW[of_part],
                self.first + start,
                len(self) if self.num_whole is None else self.num_whole,
            )

    def chosen(self, numbers: Sequence[int]) -> "Batch":
        """Return some of the samples, as a batch of their own."""
        rows = list(numbers)
        return Batch(
            self.source_BCHW[rows],
            self.target_BCHW[rows],
            tuple(self.edits[number] for number in rows),
            None if self.counted_B1HW is None else self.counted_B1HW[rows],
            None if self.known_B1HW is None else self.known_B1HW[rows],
        )

    def of_tasks(self, keys: Collection[str]) -> "Batch | None":
        """Return the samples whose edits are all of these tasks; None: there is none.

        A shape that occurs in the val split alone has no task.
        """
        numbers = [
            number
            for number, edits in enumerate(self.edits)
            if all(edit.task_key in keys for edit in edits)
        ]
        return self.chosen(numbers) if numbers else None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        if self.source_BCHW.device == device:
            return self
        counted, known = self.counted_B1HW, self.known_B1HW
        return replace(
            self,
            source_BCHW=self.source_BCHW.to(device),
            target_BCHW=self.target_BCHW.to(device),
            counted_B1HW=None if counted is None else counted.to(device),
            known_B1HW=None if known is None else known.to(device),
        )


def joined(batches: Sequence[Batch]) -> Batch:
    """Return the samples of batches as one."""
    return Batch(
        torch.cat([batch.source_BCHW for batch in batches]),
        torch.cat([batch.target_BCHW for batch in batches]),
        tuple(edits for batch in batches for edits in batch.edits),
        _joined_masks([batch.counted_B1HW for batch in batches], batches),
        _joined_masks([batch.known_B1HW for batch in batches], batches),
    )


def _joined_masks(masks: Sequence[Tensor | None], batches: Sequence[Batch]) -> Tensor | None:
    if all(mask is None for mask in masks):
        return None
    whole = [
        torch.ones_like(batch.source_BCHW[:, :1]) if mask is None else mask
        for mask, batch in zip(masks, batches, strict=True)
    ]
    return torch.cat(whole)


@dataclass(frozen=True)
class View:
    """A pair as the trainer sees it."""

    linear_2HWC: Linear
    edits: tuple[EditScale, ...]
    counted_HW: NDArray[np.bool_] | None = None  # None: all
    known_HW: NDArray[np.bool_] | None = None  # None: all that the source shows


def draw_batch(
    pairs: PairSource,
    job: TrainJob,
    stage: str,
    step: int,
    identity_share: float,
    *,
    rank: int = 0,
    num_ranks: int = 1,
) -> Batch:
    """Return the batch of a step, or one process's part of it.

    Every epoch visits each pair once, in an order of its own. A share of the samples loses its
    edits and gets its source as target.
    """
    size = job.optimizer.batch_size // num_ranks
    begin = step * job.optimizer.batch_size + rank * size
    views = [
        _draw_view(pairs, job, stage, position, identity_share)
        for position in range(begin, begin + size)
    ]
    return replace(collate(views), first=rank * size, num_whole=job.optimizer.batch_size)


def _draw_view(
    pairs: PairSource, job: TrainJob, stage: str, position: int, identity_share: float
) -> View:
    epoch, number = sample_at(job.seed, stage, position, len(pairs))
    example = pairs.example(number, derive_seed(job.seed, stage, "compose"), epoch)
    rng = derive_rng(job.seed, stage, "augment", position)
    view = _augmented(rng, example, job.base.size_px)
    if rng.random() < identity_share:
        return replace(view, linear_2HWC=view.linear_2HWC[[0, 0]], edits=())
    return view


def whole_batch(pairs: PairSource, numbers: Sequence[int], size_px: int, seed: int = 0) -> Batch:
    """Return chosen pairs, centre crop, unchanged otherwise: for losses that can be compared.

    `seed` decides the numbers of composed pairs.
    """
    examples = [pairs.example(number, seed, 0) for number in numbers]
    return collate([centre_view(example, size_px) for example in examples])


def collate(views: Sequence[View]) -> Batch:
    """Stack views into a batch in log light."""
    linear_B2HWC = torch.from_numpy(np.stack([view.linear_2HWC for view in views]))
    both_2BCHW = encode_log_light(linear_B2HWC).permute(1, 0, 4, 2, 3).contiguous()
    edits = tuple(view.edits for view in views)
    counted = _stacked([view.counted_HW for view in views], views[0])
    known = _stacked([view.known_HW for view in views], views[0])
    return Batch(both_2BCHW[0], both_2BCHW[1], edits, counted, known)


def _stacked(masks: Sequence[NDArray[np.bool_] | None], view: View) -> Tensor | None:
    """Return masks of views as one of 0 and 1 (B, 1, H, W); None where each is 1 all over."""
    if all(mask is None for mask in masks):
        return None
    all_HW = np.ones(view.linear_2HWC.shape[1:3], np.bool_)
    whole = [all_HW if mask is None else mask for mask in masks]
    return torch.from_numpy(np.stack(whole)).float().unsqueeze(1)


def resize_area(linear_HWC: Linear, height_px: int, width_px: int) -> Linear:
    """Return a picture at another size, averaging light; enlarging is linear."""
    height, width = linear_HWC.shape[:2]
    if (height, width) == (height_px, width_px):
        return linear_HWC
    is_smaller = height_px <= height and width_px <= width
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(linear_HWC, (width_px, height_px), interpolation=method))


@dataclass(frozen=True)
class _Square:
    """A square window of a picture."""

    top: int
    left: int
    side: int
    is_mirrored: bool = False

    def of(self, picture_HW: NDArray[PixelT]) -> NDArray[PixelT]:
        """Return the window of a picture or mask (H, W, ...)."""
        rows, columns = (
            slice(self.top, self.top + self.side),
            slice(self.left, self.left + self.side),
        )
        window = picture_HW[rows, columns]
        return window[:, ::-1] if self.is_mirrored else window


def _augmented(rng: np.random.Generator, example: Example, size_px: int) -> View:
    """Return a random view of a pair, half of the time from target to source."""
    is_photometric = all(edit.attribute in BASIS_ATTRIBUTES for edit in example.edits)
    if is_photometric:  # neither a crop nor a mirror changes how much light there is
        square = _random_square(rng, example, size_px)
    else:  # a crop is another lens
        square = replace(_centre_square(example), is_mirrored=bool(rng.random() < 0.5))
        if square.is_mirrored:
            example = replace(example, edits=tuple(map(mirrored_edit, example.edits)))
    return _view(example if rng.random() < 0.5 else example.reversed(), square, size_px)


def mirrored_edit(edit: EditScale) -> EditScale:
    """Return what an edit is in a mirrored picture: a turn to the left is one to the right."""
    if not find_attribute(edit.attribute).turns_in_mirror:
        return edit
    source, target = (None if v is None else -v for v in (edit.source_value, edit.target_value))
    return replace(edit, value=-edit.value, source_value=source, target_value=target)


def _random_square(rng: np.random.Generator, example: Example, size_px: int) -> _Square:
    """Return a random square, mirrored half of the time."""
    height, width = example.pictures.shape[1:3]
    largest = min(height, width)
    side = int(rng.integers(min(size_px, largest), largest + 1))
    top = int(rng.integers(0, height - side + 1))
    left = int(rng.integers(0, width - side + 1))
    return _Square(top, left, side, is_mirrored=bool(rng.random() < 0.5))


def _centre_square(example: Example) -> _Square:
    height, width = example.pictures.shape[1:3]
    side = min(height, width)
    return _Square((height - side) // 2, (width - side) // 2, side)


def centre_view(example: Example, size_px: int) -> View:
    """Return the centre square of a pair at a size, unchanged otherwise."""
    return _view(example, _centre_square(example), size_px)


def _view(example: Example, square: _Square, size_px: int) -> View:
    """Return a square of both pictures at the size of the trainer's crops.

    The source is what the display shows. Of the target the light beyond white counts as well where
    it is known: what a lamp does where it shines brightest must not be anybody's guess.
    """
    codes = [square.of(picture) for picture in example.pictures]
    source, target = (linear_of_codes(picture) for picture in codes)
    known_HW = counted_HW = None
    if example.light is not None:
        light = square.of(example.light[1])
        is_beyond = (codes[1] == _WHITE_CODE) & (light > 1.0) & (light < BRIGHTEST_LIGHT)
        target = np.where(is_beyond, light, target)
        known_HW = _is_nowhere((codes[0] == _WHITE_CODE).any(axis=2), size_px)
    if example.moving_HW is not None:
        counted_HW = _is_nowhere(square.of(example.moving_HW), size_px)
    linear_2HWC = np.stack([resize_area(picture, size_px, size_px) for picture in (source, target)])
    return View(linear_2HWC, example.edits, counted_HW, known_HW)


def _is_nowhere(mask_HW: NDArray[np.bool_], size_px: int) -> NDArray[np.bool_]:
    """Return the pixels of a smaller picture without any of a mask: one spoils the average."""
    is_nowhere: NDArray[np.bool_] = resize_area(mask_HW.astype(np.float32), size_px, size_px) <= 0.0
    return is_nowhere
