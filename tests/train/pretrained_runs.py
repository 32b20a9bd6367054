"""Short runs on tiny pretrained bases, and a way to make another base of one."""

from pathlib import Path
from typing import Any

import torch

from cat_dataset.jobs.train_job import TrainJob
from tests.train.conftest import ATTRIBUTES
from train.data.pairs import TrainingPairs
from train.pretrained.latent_stage import FrozenBase, freeze_base
from train.runs.distributed import World

SIZE_PX = 64  # FLUX.2 takes no smaller pictures


def latent_job(kind: str, folder: Path, **settings: Any) -> TrainJob:
    """Return a short run on a tiny checkpoint."""
    return TrainJob.model_validate(
        {
            "base": kind,
            "base_path": str(folder),
            "attributes": ATTRIBUTES,
            "size_px": SIZE_PX,
            "num_adapter_steps": 6,
            "batch_size": 4,
            "checkpoint_every_steps": 2,
            "num_loader_workers": 0,
            **settings,
        }
    )


def training_pairs(data_folder: Path) -> TrainingPairs:
    """Return the training split."""
    return TrainingPairs([data_folder], ("train",), ATTRIBUTES)


def frozen_base(job: TrainJob, data_folder: Path, cache: Path) -> FrozenBase:
    """Return the base of a job with its caches filled."""
    return freeze_base(job, [training_pairs(data_folder)], cache, World(), torch.device("cpu"))


def another_vae(folder: Path) -> None:
    """Change one byte of the VAE's weights."""
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
