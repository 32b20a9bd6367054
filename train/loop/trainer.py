"""The loop of one stage: steps, log, validation, sample grids, checkpoints; resumed anywhere."""

from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor, nn

from cat_dataset.errors import CatError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.progress import Progress
from train.adapter.adapter import Task
from train.data.batches import Batch
from train.data.pairs import PairSource
from train.loop.dataloader import BatchStream
from train.loop.learning_rate import learning_rate_at
from train.loop.sample_grids import write_sample_grid
from train.objective.train_step import TrainStage, flow_loss
from train.runs.checkpoints import (
    TrainedWeights,
    all_finite,
    restore_newest,
    write_checkpoint,
)
from train.runs.device import is_out_of_memory, peak_memory_mb
from train.runs.distributed import World, without_averaging
from train.runs.metrics_log import RunLog
from train.runs.run_folder import RunFolder

_LOG_EVERY_STEPS = 10


@dataclass(frozen=True)
class Run:
    """What all stages of a run share."""

    job: TrainJob
    folder: RunFolder
    pairs: PairSource
    validation: Batch | None  # None: the data set has no val split
    tasks: list[Task]
    progress: Progress
    device: torch.device
    world: World


class StepLoss(nn.Module):
    """The loss of a stage as a module, which is what gradients are averaged over processes for."""

    def __init__(self, stage: TrainStage, job: TrainJob) -> None:
        super().__init__()
        self.networks = nn.ModuleList(stage.networks)
        self._stage, self._job = stage, job

    def forward(self, batch: Batch, step: int, contexts: ExitStack) -> Tensor:
        """Return the loss of a part of a step's batch; see `flow_loss`."""
        return flow_loss(self._stage, self._job, batch, step, "train", contexts)


def train_stage(run: Run, stage: TrainStage) -> None:
    """Take the remaining steps of a stage; its networks end with the averaged weights.

    Raises:
        CatError: memory is used up, or the loss is no number any more; the last checkpoint stays.
    """
    weights = TrainedWeights.fresh(
        stage.parameters(),
        ema_decay=run.job.optimizer.ema_decay,
        weight_decay=run.job.optimizer.weight_decay,
        factor_of=stage.factor_of,
    )
    restore_newest(run.folder.checkpoints, stage.name, run.folder.run_hash, weights)
    run.progress.start(f"training {stage.name}", stage.num_steps)
    run.progress.advance(weights.num_steps_done)
    try:
        _take_steps(run, stage, weights)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise CatError(_out_of_memory(run, stage, weights, error)) from None
    weights.ship_average()


def _take_steps(run: Run, stage: TrainStage, weights: TrainedWeights) -> None:
    job, world = run.job, run.world
    model = world.share(StepLoss(stage, job), run.device)
    with ExitStack() as stack:
        log = None
        if world.is_first:
            log = RunLog(run.folder.path, stage.name, weights.num_steps_done)
            stack.callback(log.close)
        batches = BatchStream(run.pairs, job, stage, world, weights.num_steps_done)
        meter = _Meter(batches, weights.num_steps_done)
        for batch in batches:
            loss = take_step(run, stage, model, weights, batch.to(run.device))
            done = weights.num_steps_done
            run.progress.advance(1)
            if log is None:
                continue
            if done % _LOG_EVERY_STEPS == 0:
                _log_step(run, stage, log, meter, done, loss)
            if done % job.checkpoint_every_steps == 0 or done == stage.num_steps:
                write_checkpoint(run.folder.checkpoints, stage.name, run.folder.run_hash, weights)
                _validate(run, stage, weights, log)
            if done % job.sample_grid_every_steps == 0 or done == stage.num_steps:
                _show_samples(run, stage, weights)


def take_step(
    run: Run, stage: TrainStage, model: nn.Module, weights: TrainedWeights, batch: Batch
) -> float:
    """Take one optimiser step and return its loss, over all processes.

    Raises:
        CatError: the loss is no number any more.
    """
    job, step = run.job, weights.num_steps_done
    loss = run.world.mean(_accumulate(job, model, batch, step))
    norm = nn.utils.clip_grad_norm_(
        weights.parameters.values(), job.optimizer.largest_gradient_norm
    )
    if not all_finite((loss, norm)):
        msg = (
            f"stage {stage.name}, step {step + 1}: the loss is {loss.item()} and its gradient "
            f"{norm.item()}, no numbers any more; lower learning_rate of "
            f"[train.{_rate_table(stage)}] (now {stage.learning_rate:g}) and train into a new "
            f"folder; the last good state is in {run.folder.checkpoints}"
        )
        raise CatError(msg)
    weights.update(
        learning_rate_at(step, stage.num_steps, stage.learning_rate, job.optimizer.warm_up_steps)
    )
    return loss.item()


def _rate_table(stage: TrainStage) -> str:
    """Return which table of the manifest holds the learning rate of a stage."""
    return "base" if stage.name == "base" else "adapter"


def _accumulate(job: TrainJob, model: nn.Module, batch: Batch, step: int) -> Tensor:
    """Add up the gradients of a batch's parts and return its loss."""
    parts = list(batch.parts(job.optimizer.micro_batch_size))
    losses = []
    for number, part in enumerate(parts):
        with ExitStack() as contexts:
            alone = without_averaging(model)
            if alone is not None and number < len(parts) - 1:
                contexts.enter_context(alone)
            loss = model(part, step, contexts) * (len(part) / len(batch))
            loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses).sum()


class _Meter:
    """Speed and waiting since it was read last."""

    def __init__(self, batches: BatchStream, num_steps_done: int) -> None:
        self._batches = batches
        self._step, self._began_s, self._waited_s = num_steps_done, perf_counter(), 0.0

    def read(self, num_steps_done: int) -> tuple[float, float]:
        """Return (steps per second, share of the time spent waiting for data)."""
        now_s, waited_s = perf_counter(), self._batches.waited_s
        took_s = now_s - self._began_s
        speed = (num_steps_done - self._step) / took_s
        waiting = (waited_s - self._waited_s) / took_s
        self._step, self._began_s, self._waited_s = num_steps_done, now_s, waited_s
        return speed, waiting


def _log_step(
    run: Run, stage: TrainStage, log: RunLog, meter: _Meter, num_steps_done: int, loss: float
) -> None:
    job = run.job
    steps_per_s, waiting_share = meter.read(num_steps_done)
    log.write(
        num_steps_done,
        loss=loss,
        learning_rate=learning_rate_at(
            num_steps_done - 1, stage.num_steps, stage.learning_rate, job.optimizer.warm_up_steps
        ),
        samples_per_s=steps_per_s * job.optimizer.batch_size,
        waiting_share=waiting_share,
        peak_memory_mb=peak_memory_mb(run.device),
    )


def _validate(run: Run, stage: TrainStage, weights: TrainedWeights, log: RunLog) -> None:
    """Log the loss of the averaged weights on fixed pairs, noise and times."""
    if run.validation is None:
        return
    loss, num_pairs = 0.0, len(run.validation)
    with torch.no_grad(), weights.averaged():
        for part in run.validation.parts(run.job.optimizer.micro_batch_size):
            part_loss = flow_loss(stage, run.job, part, 0, "validate").item()
            loss += part_loss * len(part) / num_pairs
    log.write(weights.num_steps_done, validation_loss=loss)


def _show_samples(run: Run, stage: TrainStage, weights: TrainedWeights) -> None:
    if run.validation is not None:
        with weights.averaged():
            write_sample_grid(
                run.folder.samples, stage, run.job, run.validation, weights.num_steps_done
            )


def _out_of_memory(
    run: Run, stage: TrainStage, weights: TrainedWeights, error: BaseException
) -> str:
    job = run.job
    at_once = job.optimizer.micro_batch_size or job.optimizer.batch_size // run.world.size
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return (
        f"stage {stage.name}, step {weights.num_steps_done + 1}: out of memory on {run.device} "
        f"with {at_once} samples of {job.base.size_px} px at once, at most "
        f"{peak_memory_mb(run.device):.0f} MB before ({first_line}); set micro_batch_size = "
        f"{max(1, at_once // 2)} in [train.optimizer] or gradient_checkpointing = true in [train], "
        f"or use fewer num_loader_workers, and run the same command again: it goes on from the "
        f"last good state in {run.folder.checkpoints}"
    )
