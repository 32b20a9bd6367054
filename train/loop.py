"""Train the compact base from words, freeze it, train the numeric adapter; resume anywhere.

Every step's pairs, noise and times follow from (seed, stage, step), so a run that was killed and
started again ends with the same bytes.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from cat_dataset.errors import CatError
from cat_dataset.manifest import TrainJob
from cat_dataset.progress import Progress, SilentProgress
from cat_dataset.seeding import derive_seed
from train.adapter import NumericAdapter, Task, task_table
from train.batches import Batch, draw_batch, whole_batch
from train.checkpoints import (
    TrainedWeights,
    all_finite,
    learning_rate_at,
    restore_newest,
    write_checkpoint,
)
from train.compact import CompactBase, build_compact, load_compact
from train.hooks import modulation_linears
from train.pairs import TrainingPairs
from train.run_folder import RunFolder, claim_run_folder, finished_adapter, write_folder_whole
from train.runlog import RunLog
from train.stages import Stage, adapter_stage, base_stage, flow_loss
from train.tasks import tasks_of_pairs

_LARGEST_GRADIENT = 1.0  # norm
_LOG_EVERY_STEPS = 10
_MOST_THREADS = 8
_NUM_VALIDATION_PAIRS = 64
_BASE_BESIDE_ADAPTER = "../base"


@dataclass(frozen=True)
class _Run:
    """What all stages of a run share."""

    job: TrainJob
    folder: RunFolder
    pairs: TrainingPairs
    validation: Batch | None  # None: the data set has no val split
    tasks: list[Task]
    progress: Progress


def run_training(
    job: TrainJob,
    data_folders: Sequence[Path],
    run_folder: Path,
    *,
    progress: Progress | None = None,
    num_threads: int | None = None,
) -> Path:
    """Train, or go on training, in `run_folder`; return the folder of the finished adapter.

    A complete run is left as it is. `num_threads` counts for a new run only; None takes the
    machine's cores, up to where the batches of the compact base are too small to share.

    Raises:
        JobError: the run folder is of another job or other data, or there is nothing to train on.
        ShardError: a data set is missing or broken.
        CatError: the loss is no number any more; the last checkpoint stays.
    """
    progress = progress or SilentProgress()
    pairs = TrainingPairs(data_folders, ("train",), job.attributes)
    threads = num_threads or min(os.cpu_count() or 1, _MOST_THREADS)
    folder = claim_run_folder(run_folder, job, pairs.fingerprint(), threads)
    finished = finished_adapter(run_folder)
    if finished is not None:
        return finished
    with _deterministic_torch(folder.num_threads):
        pairs.load(progress, "reading pairs")
        tasks = tasks_of_pairs(pairs.rows, job.attributes)
        run = _Run(job, folder, pairs, _validation_batch(job, data_folders), tasks, progress)
        if not folder.base.is_dir():
            _train_base(run)
        _train_adapter(run, load_compact(folder.base))
    return folder.adapter


def _train_base(run: _Run) -> None:
    num_places = max(len(row.edits) for row in run.pairs.rows)
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(run.job.seed, "base", "weights"))
        base = build_compact(run.job.hidden_size, [t.attribute for t in run.tasks], num_places)
    _train(run, base_stage(run.job, base, run.tasks))
    write_folder_whole(run.folder.base, base.save)


def _train_adapter(run: _Run, base: CompactBase) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(run.job.seed, "adapter", "weights"))
        adapter = fresh_adapter(base.transformer, run.tasks, run.job)
    _train(run, adapter_stage(run.job, base, adapter))
    write_folder_whole(run.folder.adapter, adapter.save_pretrained)


def fresh_adapter(transformer: nn.Module, tasks: Sequence[Task], job: TrainJob) -> NumericAdapter:
    """Return an adapter that fits a transformer and changes nothing yet."""
    linears = modulation_linears(transformer)
    widths = [(name, linear.out_features) for name, linear in linears.items()]
    adapter: NumericAdapter = NumericAdapter(
        task_table(tasks), widths, job.code_size, _BASE_BESIDE_ADAPTER, job.size_px
    )
    return adapter


def _train(run: _Run, stage: Stage) -> None:
    """Take the remaining steps of a stage; its networks end with the averaged weights."""
    weights = TrainedWeights.fresh(stage.parameters())
    restore_newest(run.folder.checkpoints, stage.name, run.folder.run_hash, weights)
    log = RunLog(run.folder.path, stage.name, weights.num_steps_done)
    run.progress.start(f"training {stage.name}", stage.num_steps)
    run.progress.advance(weights.num_steps_done)
    began_s, began_at = time.perf_counter(), weights.num_steps_done
    try:
        while weights.num_steps_done < stage.num_steps:
            loss = _step(run, stage, weights)
            done = weights.num_steps_done
            run.progress.advance(1)
            if done % _LOG_EVERY_STEPS == 0:
                speed = (done - began_at) * run.job.batch_size / (time.perf_counter() - began_s)
                rate = learning_rate_at(done, stage.num_steps, stage.learning_rate)
                log.write(done, loss=loss, learning_rate=rate, samples_per_s=speed)
            if done % run.job.checkpoint_every_steps == 0 or done == stage.num_steps:
                _checkpoint(run, stage, weights, log)
    finally:
        log.close()
    weights.ship_average()


def _step(run: _Run, stage: Stage, weights: TrainedWeights) -> float:
    """Take one optimiser step and return its loss."""
    step = weights.num_steps_done
    batch = draw_batch(run.pairs, run.job, stage.name, step, stage.identity_share)
    loss = flow_loss(stage, run.job, batch, step, "train")
    loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
    norm = nn.utils.clip_grad_norm_(weights.parameters.values(), _LARGEST_GRADIENT)
    if not all_finite((loss.detach(), norm)):
        msg = (
            f"stage {stage.name}, step {step + 1}: the loss is {loss.item()} and its gradient "
            f"{norm.item()}, no numbers any more; lower {stage.name}_learning_rate "
            f"(now {stage.learning_rate:g}) and train into a new folder; the last good state is "
            f"in {run.folder.checkpoints}"
        )
        raise CatError(msg)
    weights.update(learning_rate_at(step, stage.num_steps, stage.learning_rate))
    return loss.item()


def _checkpoint(run: _Run, stage: Stage, weights: TrainedWeights, log: RunLog) -> None:
    if run.validation is not None:
        with torch.no_grad():
            loss = flow_loss(stage, run.job, run.validation, 0, "validate")
        log.write(weights.num_steps_done, validation_loss=loss.item())
    write_checkpoint(run.folder.checkpoints, stage.name, run.folder.run_hash, weights)


def _validation_batch(job: TrainJob, data_folders: Sequence[Path]) -> Batch | None:
    """Return fixed pairs of the val split, spread evenly over its keys."""
    pairs = TrainingPairs(data_folders, ("val",), job.attributes, allow_none=True)
    if not pairs.rows:
        return None
    stride = max(1, len(pairs) // _NUM_VALIDATION_PAIRS)
    return whole_batch(pairs, range(len(pairs))[::stride][:_NUM_VALIDATION_PAIRS], job.size_px)


@contextmanager
def _deterministic_torch(num_threads: int) -> Iterator[None]:
    """Make torch's results a function of its input alone while the context lasts."""
    were_deterministic = torch.are_deterministic_algorithms_enabled()
    had_threads = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(num_threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(were_deterministic)
        torch.set_num_threads(had_threads)
