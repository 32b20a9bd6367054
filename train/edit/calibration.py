"""The last thousandth of a camera's number: correct its encoder until pictures obey on average.

The loss that trains an adapter weighs pixels, lamps and numbers against each other, and leaves an
exposure about a thousandth of a stop off, by another amount at another number. What an exposure or
a white balance does to light follows from its number alone, so what an editor makes of it is
measured on training pairs, and what is wrong about it is taken out in the features that the
encoder reads. Nothing else changes, and zero stays zero.

Shapes: B batch, C = 3 channels, H height, W width; N edits, F features, E code.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cat_dataset.attributes.table import CAMERA_ATTRIBUTES
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.light.relighting import edit_gain_rgb
from cat_dataset.records import EditScale
from train.adapter.adapter import NumericAdapter, number_features
from train.data.batches import Batch, draw_batch, joined
from train.data.pairs import PairSource
from train.edit.backends import CompactBackend
from train.model.log_light import HALF_RANGE_STOPS, camera_error

_STREAM = "calibrate"  # of random numbers: an order, and composed values, of its own
_NUM_BATCHES = 64
_NUM_ROUNDS = 2  # the response is not quite a line
_BATCH_SIZE = 32  # pictures
_NUM_PROBED = 32  # pictures on which the effect of each number of a code is measured
_PROBE = 0.03  # of a code that brightens by one unit of log light
_LARGEST_CORRECTION = 0.1  # a larger error means that the task is not learned yet
_SMALL_EDIT = 0.05  # of the largest: errors count by the size of their edit, of smaller ones alike
_NUM_REWEIGHTINGS = 20
_EXACT = 1e-12  # of an edit: nothing left to weigh
_FLATTEST = 1e-4  # of the clearest combination of features: less does not show in the edits
_FAINTEST = 0.05  # of what brightens most: colours that a code hardly changes stay as they are

Values = NDArray[np.float64]


def calibrate(job: TrainJob, pairs: PairSource, backend: CompactBackend) -> dict[str, float]:
    """Correct the encoders of camera edits; return the slopes of their responses before.

    Measured are attributes that some pair edits alone and whose encoder alone carries the number:
    none that other tasks share it with, that tokens carry, or that the instruction hints at. One
    whose slope is off by more than a tenth is measured and stays as it is.
    """
    adapter = backend.adapter
    if not isinstance(adapter, NumericAdapter) or not adapter.config["task_ids"]:
        return {}
    own = [
        n
        for n in adapter.encoders
        if n in CAMERA_ATTRIBUTES and not adapter.tasks[n].has_prompt_hint
    ]
    slopes: dict[str, float] = {}
    for name, batch in _pairs_of_each(job, pairs, own).items():
        response = _Response(
            backend, adapter, name, batch.to(adapter.device), job.optimizer.micro_batch_size
        )
        for _ in range(_NUM_ROUNDS):
            made_NC = response.made()
            if not made_NC.any():  # nothing of it can be read
                break
            asked_NC = response.asked_NC * made_NC.any(axis=1, keepdims=True)
            slope = float((made_NC * asked_NC).sum() / np.square(asked_NC).sum())
            slopes.setdefault(name, slope)
            if abs(slope - 1.0) > _LARGEST_CORRECTION:
                break
            response.correct(made_NC)
    return slopes


class _Response:
    """What the edits of one attribute do to pictures, per channel of log light."""

    def __init__(
        self,
        backend: CompactBackend,
        adapter: NumericAdapter,
        name: str,
        batch: Batch,
        batch_size: int | None,
    ) -> None:
        self._backend = backend
        self._weight_EF = cast("nn.Linear", adapter.encoders[name]).weight
        size = min(batch_size or _BATCH_SIZE, _BATCH_SIZE)
        self._parts = list(batch.parts(size))
        self._num_probed_parts = math.ceil(_NUM_PROBED / size)
        self._identity = [
            _mean_light(part, backend.predict_identity(part.source_BCHW)) for part in self._parts
        ]
        task, edits = adapter.tasks[name], [edit for (edit,) in batch.edits]
        rows = [number_features(task, edit, task.largest_value) for edit in edits]
        self._features_NF = np.array(rows)
        self.asked_NC = np.stack([_true_gain(edit) for edit in edits])

    def made(self, num_parts: int | None = None) -> Values:
        """Return how much brighter pictures become: the mean over readable pixels, else zero."""
        changes = [
            _mean_light(part, self._backend.predict(part.source_BCHW, part.edits)) - identity_BC
            for part, identity_BC in list(zip(self._parts, self._identity, strict=True))[:num_parts]
        ]
        return np.asarray(torch.cat(changes).double().cpu())

    def correct(self, made_NC: Values) -> None:
        """Take what they lack out of the encoder, as far as its features can express it.

        Each channel by itself: an exposure that is right on average may still leave green short.
        """
        is_read_N = made_NC.any(axis=1)
        errors_NC = (made_NC - self.asked_NC)[is_read_N]
        sizes_N = np.linalg.norm(self.asked_NC, axis=1)[is_read_N]
        features_NF = self._features_NF[is_read_N]
        errors_CF = np.stack([_fitted(features_NF, error_N, sizes_N) for error_N in errors_NC.T])
        self._change_by(-np.linalg.pinv(self._brightened, rcond=_FAINTEST) @ errors_CF)

    @cached_property
    def _brightened(self) -> Values:
        """By how much each number of a code brightens each channel (C, E): tried on some pairs."""
        before_NC = self.made(self._num_probed_parts)
        probed = slice(len(before_NC))
        features_NF, asked_NC = self._features_NF[probed], self.asked_NC[probed]
        main_C = np.linalg.svd(asked_NC, full_matrices=False)[2][0]
        of_one_F = np.linalg.lstsq(features_NF, asked_NC @ main_C, rcond=_FLATTEST)[0]
        size_N = features_NF @ of_one_F
        tried_EC = []
        for step_E in _PROBE * np.eye(len(self._weight_EF)):
            with self._changed_by(np.outer(step_E, of_one_F)):
                gained_NC = self.made(self._num_probed_parts) - before_NC
            tried_EC.append(size_N @ gained_NC / (_PROBE * size_N @ size_N))
        return np.stack(tried_EC, axis=1)

    @contextmanager
    def _changed_by(self, change_EF: Values) -> Iterator[None]:
        before_EF = self._weight_EF.detach().clone()
        self._change_by(change_EF)
        try:
            yield
        finally:
            with torch.no_grad():
                self._weight_EF.copy_(before_EF)

    def _change_by(self, change_EF: Values) -> None:
        with torch.no_grad():
            self._weight_EF.add_(torch.from_numpy(change_EF).to(self._weight_EF))


def _fitted(features_NF: Values, errors_N: Values, size_N: Values) -> Values:
    """Return the weights (F,) of features that give what errors have in common.

    Errors count by the size of their edits: where much light is clipped, at the ends of the range,
    pictures differ ten times as much as in its middle. Beyond the usual they count no more than in
    proportion, so that no odd picture decides; iteratively reweighted least squares.
    """
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


def _pairs_of_each(job: TrainJob, pairs: PairSource, attributes: Sequence[str]) -> dict[str, Batch]:
    """Return pairs of fresh batches that edit one of these attributes alone, by attribute."""
    found: dict[str, list[Batch]] = defaultdict(list)
    for step in range(_NUM_BATCHES if attributes else 0):
        batch = draw_batch(pairs, job, _STREAM, step, 0.0)
        for name in attributes:
            alone = [
                number
                for number, edits in enumerate(batch.edits)
                if [edit.attribute for edit in edits] == [name] and _true_gain(edits[0]).any()
            ]
            if alone:
                found[name].append(batch.chosen(alone))
    return {name: joined(batches) for name, batches in found.items()}


def _true_gain(edit: EditScale) -> NDArray[np.float64]:
    """Return by how much an edit of the camera brightens each channel, in log light (3,).

    Zero where a white balance has no kelvin. Not read from the target: of a picture that was
    clipped, then made smaller, it is half of a per cent short.
    """
    gain_3 = edit_gain_rgb(edit)
    return np.zeros(3) if gain_3 is None else np.log2(gain_3) / HALF_RANGE_STOPS


def _mean_light(batch: Batch, picture_BCHW: Tensor) -> Tensor:
    """Return how bright a picture is beside the target where both it and the source can be read.

    The mean in log light (B, C); zero where nothing can be read.
    """
    counted = 1.0 if batch.counted_B1HW is None else batch.counted_B1HW
    known = counted if batch.known_B1HW is None else counted * batch.known_B1HW
    return camera_error(picture_BCHW, batch.target_BCHW, batch.source_BCHW, known)
