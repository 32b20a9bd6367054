"""Bases with random weights, what they say of fixed pictures, and a few steps on one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from train.adapter.adapter import NumericAdapter
from train.data.batches import Batch
from train.model.compact import CompactBase, build_compact, predict_target
from train.model.vocabulary import words_by_number
from train.objective.train_step import TrainStage, flow_loss
from train.runs.checkpoints import TrainedWeights


def random_base(
    attributes: Sequence[str], num_places: int = 1, *, reads_numbers: bool = False
) -> CompactBase:
    """Return the smallest base with random weights in every layer, the last included."""
    torch.manual_seed(0)
    base = build_compact(32, attributes, num_places, reads_numbers=reads_numbers)
    nn.init.normal_(base.transformer.proj_out.weight, std=0.1)
    return base


@torch.no_grad()
def predict(base: CompactBase) -> Tensor:
    """Return what a base with one place for words says about two fixed pictures."""
    generator = torch.Generator().manual_seed(3)
    noisy, source = (torch.randn(2, 3, 16, 24, generator=generator) for _ in range(2))
    words = [words_by_number(1)] * 2
    return predict_target(base, noisy, torch.tensor([0.9, 0.4]), source, words)


def predict_edited(base: CompactBase, adapter: NumericAdapter, *edits: EditScale) -> Tensor:
    """Return the same with the same edits on both pictures."""
    with torch.no_grad(), adapter.attach(base.transformer, [edits, edits]):
        return predict(base)


def take_steps(
    stage: TrainStage, job: TrainJob, batch: Batch, num_steps: int, learning_rate: float
) -> list[float]:
    """Train a stage on one batch and return the losses."""
    weights = TrainedWeights.fresh(stage.parameters())
    losses = []
    for step in range(num_steps):
        loss = flow_loss(stage, job, batch, step, "train")
        loss.backward()
        weights.update(learning_rate)
        losses.append(loss.item())
    return losses
