"""The last thousandths of a camera's number: scale its encoder until pictures obey on average.

The loss that trains an adapter weighs pixels, lamps and numbers against each other, and leaves an
exposure one or two thousandths of itself short. What an exposure or a white balance does is known
to the last digit, so that is measured on pairs of the training split as an editor paints them, and
taken out: one factor per task, nothing else changes, and zero stays zero.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cat_dataset.plans import CAMERA_ATTRIBUTES
from cat_dataset.train_job import TrainJob
from train.adapter import NumericAdapter
from train.batches import Batch, draw_batch
from train.log_light import camera_error
from train.painters import CompactPainter
from train.pairs import PairSource

_STREAM = "calibrate"  # of random numbers: other pairs and values than any step has drawn
_NUM_BATCHES = 32
_NUM_ROUNDS = 2  # the response is not quite a line
_LARGEST_CORRECTION = 0.1  # who errs by more has not learned yet: a factor would not make it true


def calibrate(job: TrainJob, pairs: PairSource, painter: CompactPainter) -> dict[str, float]:
    """Scale the encoders of camera edits; return what each was multiplied by, by attribute.

    An attribute that is off by more than a tenth, that other tasks share an encoder with, or that
    no pair edits alone stays as it is.
    """
    adapter = painter.adapter
    if not isinstance(adapter, NumericAdapter) or not adapter.config["task_ids"]:
        return {}
    names = [name for name in adapter.encoders if name in CAMERA_ATTRIBUTES]
    batches = list(_camera_batches(job, pairs, names, adapter.device))
    factors = dict.fromkeys(names, 1.0)
    for _ in range(_NUM_ROUNDS):
        for name, slope in _slopes(painter, batches).items():
            if abs(slope - 1.0) <= _LARGEST_CORRECTION:
                with torch.no_grad():
                    adapter.encoders[name].weight.div_(slope)
                factors[name] /= slope
    return {name: factor for name, factor in factors.items() if factor != 1.0}


def _camera_batches(
    job: TrainJob, pairs: PairSource, attributes: Sequence[str], device: torch.device
) -> Iterator[Batch]:
    """Yield the samples of fresh batches that edit one of these attributes and nothing else."""
    for step in range(_NUM_BATCHES if attributes else 0):
        batch = draw_batch(pairs, job, _STREAM, step, 0.0).to(device)
        alone = [
            number
            for number, edits in enumerate(batch.edits)
            if len(edits) == 1 and edits[0].attribute in attributes
        ]
        if alone:
            yield Batch(
                batch.source_BCHW[alone],
                batch.target_BCHW[alone],
                tuple(batch.edits[number] for number in alone),
                None if batch.counted_B1HW is None else batch.counted_B1HW[alone],
                None if batch.known_B1HW is None else batch.known_B1HW[alone],
            )


def _slopes(painter: CompactPainter, batches: Sequence[Batch]) -> dict[str, float]:
    """Return how much of the change asked for is made, by attribute, by least squares.

    The change is the mean over readable pixels, per channel of log light.
    """
    made: dict[str, float] = defaultdict(float)
    asked: dict[str, float] = defaultdict(float)
    for batch in batches:
        source_BCHW = batch.source_BCHW
        changed_BCHW = painter.painted(source_BCHW, batch.edits) - painter.kept(source_BCHW)
        change_BC = _mean_change(source_BCHW + changed_BCHW, batch)
        true_BC = _mean_change(batch.target_BCHW, batch)
        along_B, whole_B = (change_BC * true_BC).sum(dim=1), true_BC.square().sum(dim=1)
        for edits, part, all_ in zip(batch.edits, along_B.tolist(), whole_B.tolist(), strict=True):
            made[edits[0].attribute] += part
            asked[edits[0].attribute] += all_
    return {name: made[name] / asked[name] for name in made if asked[name] > 0.0}


def _mean_change(picture_BCHW: Tensor, batch: Batch) -> Tensor:
    """Return the mean change from the source over what is readable in source and target (B, C)."""
    counted = 1.0 if batch.counted_B1HW is None else batch.counted_B1HW
    known = counted if batch.known_B1HW is None else counted * batch.known_B1HW
    to_target, of_source = (
        camera_error(picture, batch.target_BCHW, batch.source_BCHW, known)
        for picture in (picture_BCHW, batch.source_BCHW)
    )
    return to_target - of_source
