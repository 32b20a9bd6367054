"""Short runs on tiny pretrained bases, and a way to make another base of one."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch

from cat_dataset.jobs.train_job import TrainJob
from tests.train.conftest import ATTRIBUTES
from train.data.pairs import TrainingPairs
from train.pretrained.latent_stage import FrozenBase, freeze_base
from train.runs.distributed import World

SIZE_PX = 64  # FLUX.2 takes no smaller pictures


def latent_job(
    kind: str, folder: Path, settings: Mapping[str, object] = MappingProxyType({})
) -> TrainJob:
    """Return a short run on a tiny checkpoint, with other settings by their dotted keys."""
    job = TrainJob.model_validate(
        {
            "attributes": ATTRIBUTES,
            "base": {"kind": kind, "path": str(folder), "size_px": SIZE_PX},
            "adapter": {"num_steps": 6},
            "optimizer": {"batch_size": 4},
            "checkpoint_every_steps": 2,
            "num_loader_workers": 0,
        }
    )
    return job.with_settings(settings)


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
