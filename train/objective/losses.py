"""The objective of training: the space of a base, how pairs get there, and what an error is.

The compact base works in log light, pixel by pixel; a pretrained base in the latents of its VAE
(`train.pretrained.latent_space`). Everything else of training is the same for both.

Shapes: B batch, C channels, H height, W width of that space.
"""

from collections.abc import Collection
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, CAMERA_ATTRIBUTES
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.light.relighting import edits_gain_rgb
from train.data.batches import Batch, draw_batch
from train.data.pairs import PairSource
from train.model.log_light import (
    camera_error,
    change_error,
    decode_log_light,
    displayed_error,
    known_weights,
    lamp_error,
    light_error,
    rescaled_to_ratio,
)
from train.model.relighting import light_of

_UNKNOWN_RATIO_WEIGHT = 0.1  # of a lamp's error as it is where its ratio is not known
# What a camera, or a lamp whose ratio is known, does to light is known to a hundredth, and better
# than the pixels are.
_SURE_NUMBER_WEIGHT = 10.0
_FINEST_ERROR = 1e-3  # of log light, 0.005 stop: below it samples count by their square


class Objective(Protocol):
    """The space that a stage trains in, and its loss."""

    def draw(
        self,
        pairs: PairSource,
        job: TrainJob,
        stage: str,
        step: int,
        identity_share: float,
        *,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> Batch:
        """Return the batch of a step, or one process's part of it; see `draw_batch`."""

    def loss(self, job: TrainJob, predicted_BCHW: Tensor, batch: Batch, time_B: Tensor) -> Tensor:
        """Return the mean loss of a predicted target."""

    def develop(self, pictures_BCHW: Tensor) -> NDArray[np.float32]:
        """Return scene-linear light (B, height, width, 3) of pictures in this space."""


class LogLightObjective:
    """Log light, in which the compact base works without a VAE."""

    draw = staticmethod(draw_batch)

    def loss(self, job: TrainJob, predicted_BCHW: Tensor, batch: Batch, time_B: Tensor) -> Tensor:
        """Return the mean over samples of how far off each is: its pixels, and its number.

        The root of each sample's mean squared error of x0 counts, so that edits which can be known
        to a hundredth are learned to a hundredth beside others that one picture cannot show. Pixels
        that the display hides count 0. All times count alike: the error of the velocity, larger by
        1 / t**2, dwells on low noise, where x_t shows the target anyway and the number is not
        needed.

        Edits of a lamp count mostly as they are with the lighting ratio of the pair known, see
        `model.relighting`: where the lamp shines can be learned, how much it gives is a guess.
        """
        errors_B = _errors(job, predicted_BCHW, batch)
        lamps_B = _are_lamps(batch).to(errors_B.device)
        if not lamps_B.any():
            return errors_B.mean()
        rescaled_BCHW = rescaled_to_ratio(
            predicted_BCHW, batch.target_BCHW, batch.source_BCHW, _known(batch, _counted(batch))
        )
        gains_BC = _lamp_gains(batch).to(errors_B.device)
        known_B = _errors(job, rescaled_BCHW, batch, lamp_gains=gains_BC)
        weight = _UNKNOWN_RATIO_WEIGHT
        mixed_B = weight * errors_B + (1.0 - weight) * known_B
        return torch.where(lamps_B, mixed_B, errors_B).mean()

    def develop(self, pictures_BCHW: Tensor) -> NDArray[np.float32]:
        """Return the light, clipped to the display's white."""
        light_BCHW = decode_log_light(pictures_BCHW.float())
        return np.asarray(light_BCHW.permute(0, 2, 3, 1).cpu().numpy())


def _errors(
    job: TrainJob, predicted_BCHW: Tensor, batch: Batch, lamp_gains: Tensor | None = None
) -> Tensor:
    """Return the root of each sample's squared errors, of pixels and of the number (B,).

    A camera's number is read as the score reads it, pixel by pixel. With `lamp_gains`, the linear
    gains (B, C) asked of a lamp whose ratio is known, the number is that lamp's own; 0 where no
    lamp's gain is known.
    """
    source_BCHW, target_BCHW = batch.source_BCHW, batch.target_BCHW
    counted = _counted(batch)
    known = _known(batch, counted)
    weights_BCHW = counted * known_weights(source_BCHW)
    error_BCHW = displayed_error(predicted_BCHW, target_BCHW)
    of_pixels_B = (weights_BCHW * error_BCHW.square()).mean(dim=(1, 2, 3))
    is_camera_B = _alter_only(batch, CAMERA_ATTRIBUTES).to(error_BCHW.device)
    of_light_BC = torch.where(
        is_camera_B[:, None],
        camera_error(predicted_BCHW, target_BCHW, source_BCHW, known),
        light_error(predicted_BCHW, target_BCHW, source_BCHW, known),
    )
    if lamp_gains is not None:
        asked_BC = torch.where(lamp_gains > 0.0, lamp_gains, 1.0)
        of_lamp_BC = lamp_error(predicted_BCHW, target_BCHW, source_BCHW, known, asked_BC)
        of_light_BC = torch.where(lamp_gains > 0.0, of_lamp_BC, of_light_BC)
    of_change_B1 = change_error(predicted_BCHW, target_BCHW, source_BCHW, weights_BCHW)
    is_sure_B = is_camera_B if lamp_gains is None else torch.ones_like(is_camera_B)
    light_weight_B = job.compact.light_loss_weight * torch.where(
        is_sure_B, _SURE_NUMBER_WEIGHT, 1.0
    )
    of_number_B = torch.where(
        _alter_only(batch, BASIS_ATTRIBUTES).to(of_pixels_B.device),
        light_weight_B * of_light_BC.square().mean(dim=1),
        job.compact.change_loss_weight * of_change_B1.square().mean(dim=1),
    )
    return (of_pixels_B + of_number_B + _FINEST_ERROR**2).sqrt()


def _counted(batch: Batch) -> Tensor | float:
    return 1.0 if batch.counted_B1HW is None else batch.counted_B1HW


def _known(batch: Batch, counted: Tensor | float) -> Tensor | float:
    """Return which of the pixels that count show the light of the source."""
    return counted if batch.known_B1HW is None else counted * batch.known_B1HW


def _are_lamps(batch: Batch) -> Tensor:
    """Return which samples change one light of the scene and nothing else (B,)."""
    edited = [[e for e in edits if e.value != 0.0] for edits in batch.edits]
    return torch.tensor([light_of(edits) is not None for edits in edited])


def _lamp_gains(batch: Batch) -> Tensor:
    """Return the linear gain that each sample asks of its lamp (B, 3); 0 where none is known."""
    gains = torch.zeros(len(batch), 3)
    for number, edits in enumerate(batch.edits):
        active = [edit for edit in edits if edit.value != 0.0]
        gain = edits_gain_rgb(active) if light_of(active) is not None else None
        if gain is not None:
            gains[number] = torch.from_numpy(gain)
    return gains


def _alter_only(batch: Batch, attributes: Collection[str]) -> Tensor:
    """Return which samples edit nothing but these attributes (B,)."""
    return torch.tensor([all(e.attribute in attributes for e in edits) for edits in batch.edits])


LOG_LIGHT = LogLightObjective()
