"""Train the adapter on a pretrained base: caches first, then its one stage."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import torch

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.seeding import derive_seed
from train.adapter.fresh_adapter import fresh_adapter
from train.adapter.lora import add_lora, save_lora
from train.data.batches import Batch
from train.data.pairs import TrainingPairs
from train.loop.dataloader import open_pairs, validation_numbers
from train.loop.trainer import Run, train_stage
from train.pretrained.checkpoint import check_base_folder, parts_hash
from train.pretrained.latent_stage import FrozenBase, freeze_base, latent_adapter_stage
from train.pretrained.pipelines import LATENT_BASES
from train.runs.run_folder import write_together


def base_fingerprint(job: TrainJob) -> str:
    """Return a hash of everything in a base's folder that decides what is learned on it.

    Raises:
        JobError: `path` of [train.base] holds no checkpoint of the job's kind.
    """
    folder = Path(job.pretrained.path)
    check_base_folder(job.base.kind, folder)
    parts = ("scheduler", "transformer", "vae", *LATENT_BASES[job.base.kind].text_folders)
    return parts_hash(folder, parts)


def train_pretrained(run: Run, data_folders: Sequence[Path]) -> Path:
    """Train on the base that `[train.base] path` names; return the folder of the adapter.

    Raises:
        JobError: the base cannot be used, or other things filled the caches.
    """
    job = run.job
    held_out = cast("TrainingPairs", open_pairs(job, data_folders, "val", allow_none=True))
    pairs = [cast("TrainingPairs", run.pairs), held_out]
    cache_folder = Path(job.pretrained.cache_folder or run.folder.path / "cache")
    frozen = freeze_base(job, pairs, cache_folder, run.world, run.device)
    transformer = frozen.base.pipeline.transformer
    run = replace(run, validation=_validation(run, frozen, held_out))
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(job.seed, "adapter", "weights"))
        adapter = fresh_adapter(transformer, run.tasks, job)
        wanted = job.adapter.lora
        lora = None if wanted is None else add_lora(transformer, wanted.rank)
    adapter.to(run.device)
    train_stage(run, latent_adapter_stage(job, frozen, adapter, lora))
    if lora is not None:
        write_together(run.world, run.folder.lora, partial(save_lora, transformer))
    write_together(run.world, run.folder.adapter, adapter.save_pretrained)
    return run.folder.adapter


def _validation(run: Run, frozen: FrozenBase, pairs: TrainingPairs) -> Batch | None:
    numbers = validation_numbers(len(pairs))
    if not numbers or not run.world.is_first:
        return None
    batch = frozen.objective.whole_batch(pairs, numbers).of_tasks([t.key for t in run.tasks])
    return None if batch is None else batch.to(run.device)
