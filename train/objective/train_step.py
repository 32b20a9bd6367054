"""The stages of training as one kind of object: what is trained, and the loss of a step.

TrainStage "base" learns edits from words; stage "adapter" learns numbers on the frozen base. The
baseline with the number in its prompt has the first alone, as long as both; stage "joint", as long
as both too, trains a base and its adapter together. Identity samples belong to the bases alone: at
number zero an adapter is silent by construction, so there it has nothing to learn.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from cat_dataset.system.seeding import derive_rng, derive_seed
from train.adapter.adapter import NumericAdapter, Task
from train.adapter.lora import LoraWeights
from train.data.batches import Batch
from train.model.compact import COMPACT_TIME_SHIFT, CompactBase, predict_target
from train.model.flow import draw_times, noisy_at
from train.model.vocabulary import MAX_NAMED, words_by_number, words_of_edits, words_with_numbers
from train.objective.losses import LOG_LIGHT, Objective

Predict = Callable[[Batch, int, Tensor, Tensor, ExitStack], Tensor]
Instruct = Callable[[np.random.Generator, Batch], list[tuple[str, ...]]]
_NEUTRAL_SHARE = 0.5  # of identity samples with the instruction "by number" instead of "keep"
_NAMED_SHARE = 0.5  # of those, whose instruction names attributes


@dataclass(frozen=True)
class TrainStage:
    """One stage: its name, networks, steps, and loss."""

    name: str
    networks: tuple[nn.Module, ...]  # trained; everything else is frozen
    num_steps: int
    learning_rate: float  # peak
    identity_share: float  # of samples whose target is their source
    time_shift: float  # of the base, where the manifest gives none
    predict: Predict
    # (batch, step, x_t, time_B, contexts) to the predicted target. What steers the base stays
    # attached until `contexts` closes: checkpointed blocks are computed again on the way back.
    objective: Objective = LOG_LIGHT
    rate_factors: tuple[float, ...] = ()  # of learning_rate, by network; (): all 1

    def shift_in(self, job: TrainJob) -> float:
        """Return the shift of times in a job: its own, or the base's."""
        return job.base.time_shift or self.time_shift

    def factor_of(self, name: str) -> float:
        """Return the factor of the learning rate of a parameter."""
        return self.rate_factors[int(name.split(".")[0])] if self.rate_factors else 1.0

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return trained parameters by a name that is stable across runs."""
        return {
            f"{number}.{name}": parameter
            for number, network in enumerate(self.networks)
            for name, parameter in network.named_parameters()
        }


def base_stage(job: TrainJob, base: CompactBase, tasks: Sequence[Task]) -> TrainStage:
    """Return the stage in which the base learns edits from words alone, in any order."""
    largest = {task.key: task.largest_value for task in tasks}
    num_places = base.word_encoder.num_places

    def instruct(rng: np.random.Generator, batch: Batch) -> list[tuple[str, ...]]:
        num_whole = batch.num_whole or len(batch)
        is_neutral = rng.random(num_whole)[batch.places] < _NEUTRAL_SHARE
        named = _names_at_random(rng, list(largest), num_whole)[batch.places]
        orders = _orders_at_random(rng, num_places, num_whole)[batch.places]
        return [
            words_by_number(num_places, names)
            if not edits and neutral
            else _reordered(words_of_edits(edits, largest, num_places), order)
            for edits, neutral, names, order in zip(
                batch.edits, is_neutral, named, orders, strict=True
            )
        ]

    return _word_stage(job, base, job.compact.num_steps, instruct)


def prompt_stage(job: TrainJob, base: CompactBase, tasks: Sequence[Task]) -> TrainStage:
    """Return the only stage of the baseline: the base learns edits from numbers in its words.

    It takes the steps of both stages of a run with an adapter, on the pairs of the first. Identity
    samples say "keep" or a zero; edits stand in any place, so that every place is trained.
    """
    num_places = base.word_encoder.num_places

    def instruct(rng: np.random.Generator, batch: Batch) -> list[tuple[str, ...]]:
        num_whole = batch.num_whole or len(batch)
        zeros = rng.integers(2 * len(tasks), size=num_whole)[batch.places]
        orders = _orders_at_random(rng, num_places, num_whole)[batch.places]
        instructions = []
        for edits, zero, order in zip(batch.edits, zeros, orders, strict=True):
            spelled = edits or [_no_change(task) for task in tasks[zero : zero + 1]]
            instructions.append(_reordered(words_with_numbers(spelled, num_places), order))
        return instructions

    return _word_stage(job, base, job.compact.num_steps + job.adapter.num_steps, instruct)


def _no_change(task: Task) -> EditScale:
    return EditScale(task.attribute, 0.0, subject=task.subject)


def _word_stage(job: TrainJob, base: CompactBase, num_steps: int, instruct: Instruct) -> TrainStage:
    """Return a stage that trains the base by the instruction of each sample."""

    def predict(
        batch: Batch, step: int, noisy_BCHW: Tensor, time_B: Tensor, _contexts: ExitStack
    ) -> Tensor:
        instructions = instruct(derive_rng(job.seed, "base", "words", step), batch)
        return predict_target(base, noisy_BCHW, time_B, batch.source_BCHW, instructions)

    return TrainStage(
        "base",
        base.modules(),
        num_steps,
        job.compact.learning_rate,
        job.data.identity_share,
        COMPACT_TIME_SHIFT,
        predict,
    )


def _orders_at_random(
    rng: np.random.Generator, num_places: int, num_samples: int
) -> NDArray[np.int64]:
    """Return an order of the places for each sample, so that every place is trained."""
    return rng.permuted(np.tile(np.arange(num_places), (num_samples, 1)), axis=1)


def _reordered(words: tuple[str, ...], order: NDArray[np.int64]) -> tuple[str, ...]:
    """Return an instruction with its edits in another order."""
    by_place = np.reshape(words, (len(order), -1))
    return tuple(by_place[order].ravel().tolist())


def _names_at_random(
    rng: np.random.Generator, attributes: Sequence[str], num_samples: int
) -> list[tuple[str, ...]]:
    """Return which attributes the neutral instruction of each sample names: none, or up to two.

    Under them the base keeps the picture too, so an adapter's instruction may name the attribute.
    """
    most = min(MAX_NAMED, len(attributes))
    counts = rng.integers(1, most + 1, size=num_samples) * (rng.random(num_samples) < _NAMED_SHARE)
    orders = rng.permuted(np.tile(np.arange(len(attributes)), (num_samples, 1)), axis=1)
    return [
        tuple(attributes[number] for number in order[:count])
        for order, count in zip(orders, counts, strict=True)
    ]


def adapter_stage(
    job: TrainJob, base: CompactBase, adapter: NumericAdapter, lora: LoraWeights | None = None
) -> TrainStage:
    """Return the stage in which the adapter learns numbers on the frozen base.

    A LoRA, which acts without numbers too, learns with it, and also to keep the picture: what it
    changes without numbers must count, so there the whole picture is judged.
    """
    for network in base.modules():
        network.requires_grad_(False)
    if lora is not None:
        lora.requires_grad_(True)
    return TrainStage(
        "adapter",
        adapter_networks(adapter, lora),
        job.adapter.num_steps,
        job.adapter.learning_rate,
        0.0 if lora is None else job.data.identity_share,
        COMPACT_TIME_SHIFT,
        _predict_change(base, adapter) if lora is None else _predict_by_number(base, adapter),
        rate_factors=rate_factors(job, lora),
    )


def joint_stage(job: TrainJob, base: CompactBase, adapter: NumericAdapter) -> TrainStage:
    """Return the only stage of an adapter and a base that learn together, from numbers alone."""
    rate_factor = job.compact.learning_rate / job.adapter.learning_rate
    return TrainStage(
        "joint",
        (adapter, *base.modules()),
        job.compact.num_steps + job.adapter.num_steps,
        job.adapter.learning_rate,
        job.data.identity_share,
        COMPACT_TIME_SHIFT,
        _predict_by_number(base, adapter),
        rate_factors=(1.0, *(rate_factor for _ in base.modules())),
    )


def _predict_by_number(base: CompactBase, adapter: NumericAdapter) -> Predict:
    num_places = base.word_encoder.num_places

    def predict(
        batch: Batch, _step: int, noisy_BCHW: Tensor, time_B: Tensor, contexts: ExitStack
    ) -> Tensor:
        contexts.enter_context(adapter.attach(base.transformer, batch.edits))
        instructions = [adapter.instruction(edits, num_places) for edits in batch.edits]
        return predict_target(base, noisy_BCHW, time_B, batch.source_BCHW, instructions)

    return predict


def _predict_change(base: CompactBase, adapter: NumericAdapter) -> Predict:
    """Return what predicts a target as an editor does: what the numbers change, on the source.

    A frozen base keeps a picture to a thousandth of a stop, a little differently in every scene.
    An editor subtracts what it predicts without numbers (`train.edit.backends`), so an adapter that
    learned to mend it would be off by it. Here x_t of both shows the target and the source under
    the same noise; an editor, which has no target yet, shows the source in both.
    """
    num_places = base.word_encoder.num_places
    predict_edited = _predict_by_number(base, adapter)

    def predict(
        batch: Batch, step: int, noisy_BCHW: Tensor, time_B: Tensor, contexts: ExitStack
    ) -> Tensor:
        source_BCHW = batch.source_BCHW
        shown_B111 = (1.0 - time_B).view(-1, 1, 1, 1)  # how much of a picture x_t holds
        unedited_BCHW = noisy_BCHW + shown_B111 * (source_BCHW - batch.target_BCHW)
        neutral = [adapter.instruction((), num_places)] * len(batch)
        with torch.no_grad():
            identity_BCHW = predict_target(base, unedited_BCHW, time_B, source_BCHW, neutral)
        edited_BCHW = predict_edited(batch, step, noisy_BCHW, time_B, contexts)
        return source_BCHW + edited_BCHW - identity_BCHW

    return predict


def adapter_networks(adapter: NumericAdapter, lora: LoraWeights | None) -> tuple[nn.Module, ...]:
    """Return what the adapter's stage trains."""
    return (adapter,) if lora is None else (adapter, lora)


def rate_factors(job: TrainJob, lora: LoraWeights | None) -> tuple[float, ...]:
    """Return the learning rates of `adapter_networks` by that of the adapter."""
    if lora is None or job.adapter.lora is None:
        return ()
    return (1.0, job.adapter.lora.learning_rate / job.adapter.learning_rate)


def flow_loss(
    stage: TrainStage,
    job: TrainJob,
    batch: Batch,
    step: int,
    purpose: str,
    contexts: ExitStack | None = None,
) -> Tensor:
    """Return the loss of the predicted x0, as the stage's objective weighs it.

    Noise and times follow from (seed, stage, purpose, step) alone, and each sample of a part has
    those that it has in the whole batch: the losses of equal parts average to that of the whole.

    Close `contexts` after the gradients are there; without it, no gradient checkpointing.
    """
    generator = torch.Generator().manual_seed(derive_seed(job.seed, stage.name, purpose, step))
    num_whole = batch.num_whole or len(batch)
    shape = (num_whole, *batch.target_BCHW.shape[1:])
    whole_noise_BCHW = torch.randn(shape, generator=generator)
    whole_time_B = draw_times(generator, num_whole, stage.shift_in(job))
    device = batch.target_BCHW.device
    noise_BCHW = whole_noise_BCHW[batch.places].to(device)
    time_B = whole_time_B[batch.places].to(device)
    noisy_BCHW = noisy_at(batch.target_BCHW, noise_BCHW, time_B)
    is_coarse = job.precision == "bf16"
    with ExitStack() as own, torch.autocast(device.type, torch.bfloat16, enabled=is_coarse):
        if is_coarse:
            (contexts or own).enter_context(_quiet_norms())
        predicted_BCHW = stage.predict(batch, step, noisy_BCHW, time_B, contexts or own)
    return stage.objective.loss(job, predicted_BCHW.float(), batch, time_B)


@contextmanager
def _quiet_norms() -> Iterator[None]:
    """Norms keep float32 weights on purpose; torch says each time that this is slower."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")
        yield
