from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cat_dataset.jobs.train_job import TrainJob
from tests.train.conftest import ATTRIBUTES, tiny_job
from train.adapter.fresh_adapter import fresh_adapter
from train.adapter.lora import add_lora
from train.data.batches import Batch, draw_batch
from train.data.pairs import TrainingPairs
from train.data.task_ids import tasks_of_pairs
from train.model.compact import build_compact, predict_target
from train.model.flow import noisy_at
from train.model.vocabulary import words_by_number
from train.objective.train_step import TrainStage, adapter_stage, base_stage, flow_loss


@pytest.fixture
def pairs(data_folder: Path) -> TrainingPairs:
    """The training split."""
    return TrainingPairs([data_folder], ("train",), ATTRIBUTES)


def make_stage(
    name: str, pairs: TrainingPairs, job: TrainJob, *, saves_memory: bool = False
) -> TrainStage:
    """Return a stage whose networks all have something to do."""
    torch.manual_seed(0)
    tasks = tasks_of_pairs(pairs.rows, ATTRIBUTES)
    base = build_compact(32, ATTRIBUTES, num_places=1)
    nn.init.normal_(base.transformer.proj_out.weight, std=0.1)
    if saves_memory:
        base.transformer.enable_gradient_checkpointing()
    if name == "base":
        return base_stage(job, base, tasks)
    adapter = fresh_adapter(base.transformer, tasks, job)
    nn.init.normal_(adapter.to_modulations.weight, std=0.1)
    return adapter_stage(job, base, adapter)


def gradients(
    stage: TrainStage, job: TrainJob, batch: Batch, part_size: int | None
) -> dict[str, Tensor]:
    """Return the gradients of a step that is taken in parts."""
    for part in batch.parts(part_size):
        with ExitStack() as contexts:
            loss = flow_loss(stage, job, part, 3, "train", contexts) * (len(part) / len(batch))
            loss.backward()
    return {name: p.grad for name, p in stage.parameters().items() if p.grad is not None}


def assert_equal_gradients(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    """Check that gradients agree within the error of float32 sums."""
    assert ours.keys() == theirs.keys()
    assert ours
    largest = max(float(gradient.abs().max()) for gradient in theirs.values())
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-4, atol=1e-5 * largest)


@pytest.mark.parametrize("name", ["base", "adapter"])
def test_parts_of_a_batch_add_up_to_the_whole(name: str, pairs: TrainingPairs) -> None:
    """Every sample has the noise, time and words that it has in the large batch."""
    job = tiny_job().with_settings({"optimizer.batch_size": 8})
    batch = draw_batch(pairs, job, name, 3, 0.4)

    in_parts = gradients(make_stage(name, pairs, job), job, batch, 2)
    at_once = gradients(make_stage(name, pairs, job), job, batch, None)

    assert_equal_gradients(in_parts, at_once)


@pytest.mark.parametrize("name", ["base", "adapter"])
def test_checkpointed_blocks_have_the_same_gradients(name: str, pairs: TrainingPairs) -> None:
    """The adapter is still attached when blocks are computed again on the way back."""
    job = tiny_job()
    batch = draw_batch(pairs, job, name, 3, 0.0)

    frugal = gradients(make_stage(name, pairs, job, saves_memory=True), job, batch, None)
    lavish = gradients(make_stage(name, pairs, job), job, batch, None)

    assert_equal_gradients(frugal, lavish)


def test_an_adapter_is_judged_by_what_its_numbers_change(pairs: TrainingPairs) -> None:
    """What the base predicts without numbers is taken off, and learns nothing."""
    job = tiny_job()
    torch.manual_seed(0)
    tasks = tasks_of_pairs(pairs.rows, ATTRIBUTES)
    base = build_compact(32, ATTRIBUTES, num_places=1)
    nn.init.normal_(base.transformer.proj_out.weight, std=0.1)
    adapter = fresh_adapter(base.transformer, tasks, job)
    nn.init.normal_(adapter.to_modulations.weight, std=0.1)
    stage = adapter_stage(job, base, adapter)
    batch = draw_batch(pairs, job, "adapter", 3, 0.0)
    time_B = torch.linspace(0.1, 1.0, len(batch))
    noise_BCHW = torch.randn_like(batch.target_BCHW)
    noisy_BCHW = noisy_at(batch.target_BCHW, noise_BCHW, time_B)
    plain_BCHW = noisy_at(batch.source_BCHW, noise_BCHW, time_B)
    neutral = [words_by_number(1)] * len(batch)

    with ExitStack() as contexts:
        changed_BCHW = stage.predict(batch, 3, noisy_BCHW, time_B, contexts)
    with adapter.attach(base.transformer, batch.edits):
        seen_BCHW = predict_target(base, noisy_BCHW, time_B, batch.source_BCHW, neutral)
    identity_BCHW = predict_target(base, plain_BCHW, time_B, batch.source_BCHW, neutral)

    assert (identity_BCHW - batch.source_BCHW).abs().max() > 0.1
    wanted_BCHW = batch.source_BCHW + seen_BCHW - identity_BCHW
    torch.testing.assert_close(changed_BCHW, wanted_BCHW, rtol=1e-5, atol=1e-5)
    assert (changed_BCHW - batch.source_BCHW).abs().max() > 0.1
    changed_BCHW.sum().backward()
    assert adapter.to_modulations.weight.grad is not None
    assert all(p.grad is None for network in base.modules() for p in network.parameters())


def test_beside_a_lora_the_whole_picture_is_judged(pairs: TrainingPairs) -> None:
    """A LoRA acts without numbers as well: what it spoils there must cost."""
    job = tiny_job()
    tasks = tasks_of_pairs(pairs.rows, ATTRIBUTES)
    base = build_compact(32, ATTRIBUTES, num_places=1)
    nn.init.normal_(base.transformer.proj_out.weight, std=0.1)
    adapter = fresh_adapter(base.transformer, tasks, job)
    stage = adapter_stage(job, base, adapter, add_lora(base.transformer, 4))
    batch = draw_batch(pairs, job, "adapter", 3, 1.0)
    time_B = torch.ones(len(batch))

    with ExitStack() as contexts:
        predicted_BCHW = stage.predict(
            batch, 3, torch.randn_like(batch.source_BCHW), time_B, contexts
        )

    assert (predicted_BCHW - batch.source_BCHW).abs().max() > 0.1


def test_what_moved_is_left_out_of_the_loss(pairs: TrainingPairs) -> None:
    """The target may show anything there."""
    job = tiny_job()
    stage = make_stage("base", pairs, job)
    batch = draw_batch(pairs, job, "base", 0, 0.0)
    counted = torch.ones(len(batch), 1, *batch.source_BCHW.shape[2:])
    counted[:, :, 8:16, 8:16] = 0.0
    ghost_BCHW = batch.target_BCHW.clone()
    ghost_BCHW[:, :, 8:16, 8:16] = 0.3

    def loss(target_BCHW: Tensor, counted_B1HW: Tensor | None) -> float:
        # what the network sees of the target must not differ: only the loss is compared
        def predict(*_: object) -> Tensor:
            return batch.source_BCHW

        blind = replace(stage, predict=predict)
        changed = replace(batch, target_BCHW=target_BCHW, counted_B1HW=counted_B1HW)
        return flow_loss(blind, job, changed, 0, "train").item()

    assert loss(ghost_BCHW, counted) == loss(batch.target_BCHW, counted)
    assert loss(ghost_BCHW, None) != loss(batch.target_BCHW, None)


def test_bf16_computes_in_half_the_bits_and_keeps_the_weights(pairs: TrainingPairs) -> None:
    """The loss differs by what eight bits of mantissa cost; weights and gradients stay fp32."""
    exact, job = tiny_job(), tiny_job().with_settings({"precision": "bf16"})
    stage = make_stage("adapter", pairs, job)
    batch = draw_batch(pairs, job, "adapter", 0, 0.0)

    coarse = flow_loss(stage, job, batch, 0, "train").item()
    fine = flow_loss(stage, exact, batch, 0, "train").item()

    assert coarse != fine
    assert coarse == pytest.approx(fine, rel=0.02)
    frugal = make_stage("adapter", pairs, job, saves_memory=True)
    assert {g.dtype for g in gradients(frugal, job, batch, None).values()} == {torch.float32}


def test_the_manifest_may_shift_times_other_than_the_base(pairs: TrainingPairs) -> None:
    """Without one, the base's own counts."""
    job = tiny_job()
    stage = make_stage("base", pairs, job)
    batch = draw_batch(pairs, job, "base", 0, 0.0)

    own, same, other = (
        flow_loss(stage, job.with_settings({"base.time_shift": shift}), batch, 0, "train").item()
        for shift in (None, stage.time_shift, 1.0)
    )

    assert own == same
    assert own != other
