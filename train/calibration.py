"""The last thousandth of a camera's number: scale its encoder until pictures obey on average.

The loss that trains an adapter weighs pixels, lamps and numbers against each other, and leaves an
exposure about a thousandth of itself short. What an exposure or a white balance does to light
follows from its number alone, so what an editor makes of it is measured on training pairs and the
rest is taken out: one factor per task. Nothing else changes, and zero stays zero.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.photometry import white_balance_gains
from cat_dataset.plans import CAMERA_ATTRIBUTES
from cat_dataset.records import EditScale
from cat_dataset.train_job import TrainJob
from train.adapter import NumericAdapter
from train.batches import Batch, draw_batch
from train.log_light import HALF_STOPS, camera_error
from train.painters import CompactPainter
from train.pairs import PairSource

_STREAM = "calibrate"  # of random numbers: an order, and composed values, of its own
_NUM_BATCHES = 32
_NUM_ROUNDS = 2  # the response is not quite a line
_LARGEST_CORRECTION = 0.1  # who errs by more has not learned yet: a factor would not make it true


def calibrate(job: TrainJob, pairs: PairSource, painter: CompactPainter) -> dict[str, float]:
    """Divide the encoders of camera edits by the slope of their response; return these slopes.

    Measured are attributes that some pair edits alone and whose encoder alone carries the number:
    none that other tasks share it with, that tokens carry, or that the base is told in words. One
    that is off by more than a tenth is measured and stays as it is.
    """
    adapter = painter.adapter
    if not isinstance(adapter, NumericAdapter) or not adapter.config["task_ids"]:
        return {}
    own = [n for n in adapter.encoders if n in CAMERA_ATTRIBUTES and not adapter.tasks[n].is_worded]
    batches = list(_camera_batches(job, pairs, own))
    measured: dict[str, float] = {}
    for _ in range(_NUM_ROUNDS):
        slopes = _slopes(painter, batches, job.micro_batch_size, adapter.device)
        for name, slope in slopes.items():
            if abs(slope - 1.0) <= _LARGEST_CORRECTION:
                with torch.no_grad():
                    adapter.encoders[name].weight.div_(slope)
        measured = measured or slopes
    return measured


def _camera_batches(job: TrainJob, pairs: PairSource, attributes: Sequence[str]) -> Iterator[Batch]:
    """Yield the samples of fresh batches that edit one of these attributes and nothing else."""
    for step in range(_NUM_BATCHES if attributes else 0):
        batch = draw_batch(pairs, job, _STREAM, step, 0.0)
        alone = [
            number
            for number, edits in enumerate(batch.edits)
            if len(edits) == 1 and edits[0].attribute in attributes and _true_gain(edits[0]).any()
        ]
        if alone:
            yield Batch(
                batch.source_BCHW[alone],
                batch.target_BCHW[alone],
                tuple(batch.edits[number] for number in alone),
                None if batch.counted_B1HW is None else batch.counted_B1HW[alone],
                None if batch.known_B1HW is None else batch.known_B1HW[alone],
            )


def _true_gain(edit: EditScale) -> NDArray[np.float64]:
    """Return by how much an edit of the camera brightens each channel, in log light (3,).

    Zero where a white balance has no kelvin. Not read from the target: of a picture that was
    clipped, then made smaller, it is half of a per cent short.
    """
    if edit.attribute == "exposure":
        return np.full(3, edit.value / HALF_STOPS)
    if edit.source_value is None or edit.target_value is None:
        return np.zeros(3)
    return np.log2(white_balance_gains(edit.source_value, edit.target_value)) / HALF_STOPS


def _slopes(
    painter: CompactPainter, batches: Sequence[Batch], at_once: int | None, device: torch.device
) -> dict[str, float]:
    """Return how much of the change asked for is made, by attribute, by least squares.

    The change is the mean over readable pixels, per channel of log light.
    """
    made: dict[str, float] = defaultdict(float)
    asked: dict[str, float] = defaultdict(float)
    for part in (part for batch in batches for part in batch.parts(at_once)):
        change_BC = _mean_change(painter, part.to(device))
        for (edit,), change_C in zip(part.edits, change_BC.double().cpu().numpy(), strict=True):
            gain_C = _true_gain(edit)
            made[edit.attribute] += float(change_C @ gain_C)
            asked[edit.attribute] += float(gain_C @ gain_C) * bool(change_C.any())
    return {name: made[name] / asked[name] for name in made if asked[name] > 0.0}


def _mean_change(painter: CompactPainter, batch: Batch) -> Tensor:
    """Return the mean change over what can be read in source and target (B, C); else zero."""
    source_BCHW, counted = batch.source_BCHW, batch.counted_B1HW
    known = 1.0 if counted is None else counted
    known = known if batch.known_B1HW is None else known * batch.known_B1HW
    pictures = (painter.painted(source_BCHW, batch.edits), painter.kept(source_BCHW))
    edited_BC, unedited_BC = (
        camera_error(picture, batch.target_BCHW, source_BCHW, known) for picture in pictures
    )
    return edited_BC - unedited_BC
