"""Train the compact base from words, freeze it, train the numeric adapter; resume anywhere.

What an adapter's camera edits do is calibrated at the end (`train.edit.calibration`).
A pretrained base is frozen already: its only stage is in `train.loop.pretrained_run`.

Every step's pairs, noise and times follow from (seed, stage, step), so a run that was killed and
started again ends with the same bytes, and several processes end where one does.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import torch

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.progress import Progress, SilentProgress
from cat_dataset.system.seeding import derive_seed
from train.adapter.adapter import Task, task_table
from train.adapter.fresh_adapter import BASE_BESIDE_ADAPTER, fresh_adapter
from train.adapter.lora import add_lora, save_lora
from train.adapter.number_prompt import NumberPrompt
from train.data.batches import Batch, whole_batch
from train.data.task_ids import tasks_of_pairs
from train.edit.backends import CompactBackend
from train.edit.calibration import calibrate
from train.loop.dataloader import open_pairs, validation_numbers
from train.loop.pretrained_run import base_fingerprint, train_pretrained
from train.loop.trainer import Run, train_stage
from train.model.compact import CompactBase, build_compact, load_compact, paint_time
from train.model.vocabulary import BY_NUMBER
from train.objective.train_step import (
    TrainStage,
    adapter_stage,
    base_stage,
    joint_stage,
    prompt_stage,
)
from train.runs.device import deterministic_torch, device_of, threads_for
from train.runs.distributed import World, joined_world
from train.runs.metrics_log import RunLog, read_log
from train.runs.run_folder import (
    RunFolder,
    claim_run_folder,
    fingerprint_of_base,
    finished_editor,
    write_together,
)

_NUM_PROMPT_PLACES = 2  # two numbers at once can be asked, whether such pairs were trained or not


def run_training(
    job: TrainJob,
    data_folders: Sequence[Path],
    run_folder: Path,
    *,
    progress: Progress | None = None,
    num_threads: int | None = None,
    base_from: Path | None = None,
) -> Path:
    """Train, or go on training, in `run_folder`; return the folder of what was trained.

    A complete run is left as it is. `num_threads` counts for a new run only; None takes the
    machine's cores, up to where the batches of the compact base are too small to share. `base_from`
    is a run folder whose base is taken, so that the adapter alone is trained. Started by `torchrun`
    or `accelerate launch`, the processes share every batch.

    Raises:
        JobError: the run folder is of another job, data or base, there is nothing to train on, no
            GPU to train with, or the base of `base_from` is missing or does not fit.
        ShardError: a data set is missing or broken.
        CatError: the loss is no number any more, or memory is used up; the last checkpoint stays.
    """
    with joined_world(job.device) as world:
        world.check_batch(job.optimizer.batch_size)
        device = device_of(job, world.local_rank)
        pairs = open_pairs(job, data_folders, "train")
        threads = num_threads or threads_for(world.local_size)
        base = _base_fingerprint(job, base_from)
        claim = partial(claim_run_folder, run_folder, job, pairs.fingerprint(), threads, base)
        folder = _claim_together(world, claim)
        finished = finished_editor(run_folder)
        if finished is not None:
            return finished
        shown = progress if progress is not None and world.is_first else SilentProgress()
        with deterministic_torch(folder.num_threads):
            if job.is_compact:
                pairs.load(shown, "reading pairs")
            tasks = tasks_of_pairs(pairs.rows, job.attributes)
            run = Run(
                job=job,
                folder=folder,
                pairs=pairs,
                validation=_validation_batch(job, data_folders, tasks, device)
                if world.is_first and job.is_compact
                else None,
                tasks=tasks,
                progress=shown,
                device=device,
                world=world,
            )
            if job.is_compact:
                return _train_stages(run, base_from)
            return train_pretrained(run, data_folders)


def _base_fingerprint(job: TrainJob, base_from: Path | None) -> str | None:
    """Return what identifies a base that is not trained here; None: the run trains its own."""
    if not job.is_compact:
        if base_from is not None:
            msg = f'base.kind = "{job.base.kind}" is read from its path: train without --base-from'
            raise JobError(msg)
        return base_fingerprint(job)
    return None if base_from is None else fingerprint_of_base(base_from / "base")


def _train_stages(run: Run, base_from: Path | None) -> Path:
    folder = run.folder
    if run.job.method == "prompt":
        if base_from is not None:
            msg = 'method = "prompt" trains a base of its own: train without --base-from'
            raise JobError(msg)
        _train_prompted(run)
        return folder.prompt
    if run.job.method == "joint":
        if base_from is not None:
            msg = 'method = "joint" trains a base of its own: train without --base-from'
            raise JobError(msg)
        _train_joint(run)
        return folder.adapter
    if not folder.base.is_dir():
        if base_from is None:
            _train_base(run)
        else:
            _take_base(run, base_from / "base")
    _train_adapter(run, load_compact(folder.base))
    return folder.adapter


def _claim_together(world: World, claim: Callable[[], RunFolder]) -> RunFolder:
    """Let the first process claim the run folder, then the others join it."""
    if world.is_first:
        folder = claim()
    world.wait()
    if not world.is_first:
        folder = claim()
    world.wait()
    return folder


def _train_base(run: Run) -> None:
    base = _fresh_base(run, _most_edits(run))
    train_stage(run, base_stage(run.job, base, run.tasks))
    write_together(run.world, run.folder.base, base.save)


def _take_base(run: Run, base_folder: Path) -> None:
    """Copy the base of another run, which then moves together with this adapter.

    Raises:
        JobError: it was not trained on what the adapter is to learn.
    """
    words = load_compact(base_folder).word_encoder.config["words"]
    needed = [BY_NUMBER[0], *(task.key for task in run.tasks)]
    unknown = [word for word in needed if word not in words]
    if unknown:
        msg = (
            f"base {base_folder}: was not trained on the words {', '.join(unknown)}; take one that "
            f"was, or train without --base-from"
        )
        raise JobError(msg)
    write_together(run.world, run.folder.base, partial(shutil.copytree, base_folder))


def _train_prompted(run: Run) -> None:
    """Train the baseline that has its numbers in the prompt; its base is all that it has."""
    if not run.folder.base.is_dir():
        base = _fresh_base(run, max(_most_edits(run), _NUM_PROMPT_PLACES))
        train_stage(run, prompt_stage(run.job, base, run.tasks))
        write_together(run.world, run.folder.base, base.save)
    prompt = NumberPrompt(
        task_table(run.tasks),
        BASE_BESIDE_ADAPTER,
        run.job.base.size_px,
        paint_time(run.job.base.time_shift),
    )
    write_together(run.world, run.folder.prompt, prompt.save_config)


def _fresh_base(run: Run, num_places: int) -> CompactBase:
    names = [task.key for task in run.tasks]
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(run.job.seed, "base", "weights"))
        base = build_compact(
            run.job.compact.hidden_size, names, num_places, reads_numbers=run.job.method == "prompt"
        )
    _prepare(run, base)
    return base


def _most_edits(run: Run) -> int:
    return max(len(row.edits) for row in run.pairs.rows)


def _train_joint(run: Run) -> None:
    """Train a base and its adapter together; what was written before a kill stays."""
    base = _fresh_base(run, _most_edits(run))
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(run.job.seed, "adapter", "weights"))
        adapter = fresh_adapter(base.transformer, run.tasks, run.job).to(run.device)
    stage = joint_stage(run.job, base, adapter)
    train_stage(run, stage)
    _calibrate(run, stage, CompactBackend(base, adapter))
    if not run.folder.base.is_dir():
        write_together(run.world, run.folder.base, base.save)
    write_together(run.world, run.folder.adapter, adapter.save_pretrained)


def _train_adapter(run: Run, base: CompactBase) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(run.job.seed, "adapter", "weights"))
        adapter = fresh_adapter(base.transformer, run.tasks, run.job)
        wanted = run.job.adapter.lora
        lora = None if wanted is None else add_lora(base.transformer, wanted.rank)
    _prepare(run, base)
    adapter.to(run.device)
    stage = adapter_stage(run.job, base, adapter, lora)
    train_stage(run, stage)
    _calibrate(run, stage, CompactBackend(base, adapter))
    if lora is not None:
        write_together(run.world, run.folder.lora, partial(save_lora, base.transformer))
    write_together(run.world, run.folder.adapter, adapter.save_pretrained)


def _calibrate(run: Run, stage: TrainStage, backend: CompactBackend) -> None:
    """Calibrate in every process alike, and log what slopes it found; the first process writes."""
    slopes = {f"slope_{name}": s for name, s in calibrate(run.job, run.pairs, backend).items()}
    is_said = any(slopes.keys() & entry.keys() for entry in read_log(run.folder.path))
    if slopes and run.world.is_first and not is_said:
        with closing(RunLog(run.folder.path, stage.name, stage.num_steps)) as log:
            log.write(stage.num_steps, **slopes)


def _prepare(run: Run, base: CompactBase) -> None:
    """Put a base on the device, with the memory that the job wants to spend on it."""
    for network in base.modules():
        network.to(run.device)
    if run.job.gradient_checkpointing:
        base.transformer.enable_gradient_checkpointing()


def _validation_batch(
    job: TrainJob, data_folders: Sequence[Path], tasks: Sequence[Task], device: torch.device
) -> Batch | None:
    """Return fixed pairs of the val split on these tasks, spread evenly over its keys."""
    pairs = open_pairs(job, data_folders, "val", allow_none=True)
    if not len(pairs):
        return None
    numbers = validation_numbers(len(pairs))
    batch = whole_batch(pairs, numbers, job.base.size_px, derive_seed(job.seed, "validate"))
    own = batch.of_tasks([task.key for task in tasks])
    return None if own is None else own.to(device)
