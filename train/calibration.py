"""The last thousandth of a camera's number: correct its encoder until pictures obey on average.

The loss that trains an adapter weighs pixels, lamps and numbers against each other, and leaves an
exposure about a thousandth of a stop off, by another amount at another number. What an exposure or
a white balance does to light follows from its number alone, so what an editor makes of it is
measured on training pairs, and what is wrong about it is taken out in the features that the
encoder reads. Nothing else changes, and zero stays zero.

Shapes: B batch, C = 3 channels, H height, W width; N edits, F features, E code.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cat_dataset.photometry import white_balance_gains
from cat_dataset.plans import CAMERA_ATTRIBUTES
from cat_dataset.records import EditScale
from cat_dataset.train_job import TrainJob
from train.adapter import NumericAdapter, number_features
from train.batches import Batch, draw_batch
from train.log_light import HALF_STOPS, camera_error
from train.painters import CompactPainter
from train.pairs import PairSource

_STREAM = "calibrate"  # of random numbers: an order, and composed values, of its own
_NUM_BATCHES = 64
_NUM_ROUNDS = 2  # the response is not quite a line
_LARGEST_CORRECTION = 0.1  # who errs by more has not learned yet: no correction makes it true
_SMALL_EDIT = 0.05  # of the largest: errors count by the size of their edit, of smaller ones alike
_NUM_REWEIGHTINGS = 20
_EXACT = 1e-12  # of an edit: nothing left to weigh
_FLATTEST = 1e-4  # of the clearest combination of features: less does not show in the edits

Values = NDArray[np.float64]


def calibrate(job: TrainJob, pairs: PairSource, painter: CompactPainter) -> dict[str, float]:
    """Correct the encoders of camera edits; return the slopes of their responses before.

    Measured are attributes that some pair edits alone and whose encoder alone carries the number:
    none that other tasks share it with, that tokens carry, or that the base is told in words. One
    whose slope is off by more than a tenth is measured and stays as it is.
    """
    adapter = painter.adapter
    if not isinstance(adapter, NumericAdapter) or not adapter.config["task_ids"]:
        return {}
    own = [n for n in adapter.encoders if n in CAMERA_ATTRIBUTES and not adapter.tasks[n].is_worded]
    parts = [
        _Unedited.of(painter, part.to(adapter.device))
        for batch in _camera_batches(job, pairs, own)
        for part in batch.parts(job.micro_batch_size)
    ]
    slopes: dict[str, float] = {}
    for _ in range(_NUM_ROUNDS):
        for name, response in _responses(painter, parts).items():
            slopes.setdefault(name, response.slope)
            if abs(response.slope - 1.0) <= _LARGEST_CORRECTION:
                _correct(adapter, name, response)
    return slopes


@dataclass(frozen=True)
class _Unedited:
    """Pairs, and how bright the editor paints their sources without numbers."""

    batch: Batch
    light_BC: Tensor

    @classmethod
    def of(cls, painter: CompactPainter, batch: Batch) -> "_Unedited":
        """Return pairs with what is the same in every round."""
        return cls(batch, _mean_light(batch, painter.kept(batch.source_BCHW)))


@dataclass(frozen=True)
class _Response:
    """What was asked of pictures and what they did, of one attribute."""

    edits: tuple[EditScale, ...]
    asked_N: Values  # log light, along the direction in which its edits change colours
    made_N: Values

    @property
    def slope(self) -> float:
        """How much of what is asked is made, by least squares."""
        return float(self.made_N @ self.asked_N / (self.asked_N @ self.asked_N))


def _responses(painter: CompactPainter, parts: Sequence[_Unedited]) -> dict[str, _Response]:
    """Return what camera edits do, by attribute: the mean over readable pixels."""
    edits: dict[str, list[EditScale]] = defaultdict(list)
    asked: dict[str, list[Values]] = defaultdict(list)
    made: dict[str, list[Values]] = defaultdict(list)
    for part in parts:
        painted_BCHW = painter.painted(part.batch.source_BCHW, part.batch.edits)
        change_BC = _mean_light(part.batch, painted_BCHW) - part.light_BC
        for (edit,), change_C in zip(part.batch.edits, change_BC.double().cpu(), strict=True):
            if change_C.any():  # else nothing could be read
                edits[edit.attribute].append(edit)
                asked[edit.attribute].append(_true_gain(edit))
                made[edit.attribute].append(change_C.numpy())
    found = {}
    for name, own in edits.items():
        asked_NC = np.stack(asked[name])
        _, _, directions_3C = np.linalg.svd(asked_NC, full_matrices=False)
        direction_C = directions_3C[0]
        made_NC = np.stack(made[name])
        found[name] = _Response(tuple(own), asked_NC @ direction_C, made_NC @ direction_C)
    return found


def _correct(adapter: NumericAdapter, name: str, response: _Response) -> None:
    """Take what a response lacks out of an encoder, as far as its features can tell."""
    task, weight_EF = adapter.tasks[name], cast("nn.Linear", adapter.encoders[name]).weight
    features_NF = np.array([number_features(task, e, task.largest_value) for e in response.edits])
    asked_N = response.asked_N
    error_F = _fitted(features_NF, response.made_N - asked_N, asked_N)
    codes_NE = features_NF @ weight_EF.detach().double().cpu().numpy().T
    code_of_change_E = asked_N @ codes_NE / (asked_N @ asked_N)  # what brightens by one
    with torch.no_grad():
        weight_EF.sub_(torch.from_numpy(np.outer(code_of_change_E, error_F)).to(weight_EF))


def _fitted(features_NF: Values, errors_N: Values, asked_N: Values) -> Values:
    """Return the weights (F,) of features that give what errors have in common.

    Errors count by the size of their edits: where much light is clipped, at the ends of the range,
    pictures differ ten times as much as in its middle. Beyond the usual they count no more than in
    proportion, so that no odd picture decides; iteratively reweighted least squares.
    """
    size_N = np.abs(asked_N)
    usual_N = 1.0 / (size_N + _SMALL_EDIT * size_N.max())
    weights_N = usual_N
    for _ in range(_NUM_REWEIGHTINGS):
        fitted_F, *_ = np.linalg.lstsq(
            features_NF * weights_N[:, None], errors_N * weights_N, rcond=_FLATTEST
        )
        left_N = np.abs(errors_N - features_NF @ fitted_F) * usual_N
        usual_left = float(np.median(left_N)) + _EXACT
        weights_N = usual_N * np.sqrt(usual_left / np.maximum(left_N, usual_left))
    return np.asarray(fitted_F)


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


def _mean_light(batch: Batch, picture_BCHW: Tensor) -> Tensor:
    """Return how bright a picture is beside the target where both it and the source can be read.

    The mean in log light (B, C); zero where nothing can be read.
    """
    counted = 1.0 if batch.counted_B1HW is None else batch.counted_B1HW
    known = counted if batch.known_B1HW is None else counted * batch.known_B1HW
    return camera_error(picture_BCHW, batch.target_BCHW, batch.source_BCHW, known)
