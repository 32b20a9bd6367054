"""Several processes that train one model together, each on its part of every batch.

Start them with `torchrun` or `accelerate launch`, which number the processes in the environment:

    torchrun --nproc-per-node 2 --no-python cat-dataset train job.toml --data data --out run

Gradients are averaged by torch's DistributedDataParallel: over gloo on CPUs, over NCCL on GPUs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cat_dataset.errors import JobError


@dataclass(frozen=True)
class World:
    """The processes of a run, as one of them sees it."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # on this machine
    local_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes logs and checkpoints."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean over all processes."""
        if self.size == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.size

    def share(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Return a model whose gradients are averaged over all processes."""
        if self.size == 1:
            return model
        devices = [device] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    def check_batch(self, batch_size: int) -> None:
        """Raise JobError where a batch cannot be shared out evenly."""
        if batch_size % self.size:
            msg = (
                f"[train.optimizer] batch_size {batch_size}: {self.size} processes share every "
                f"batch evenly; give a multiple of {self.size}"
            )
            raise JobError(msg)


@contextmanager
def joined_world(device: str) -> Iterator[World]:
    """Join the processes that `torchrun` or `accelerate launch` started; alone without them.

    Inside another `joined_world` they stay together until that one ends: they meet only once.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    world = World(
        int(os.environ["RANK"]),
        size,
        int(os.environ.get("LOCAL_RANK", "0")),
        int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
    )
    if dist.is_initialized():
        yield world
        return
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield world
    finally:
        dist.destroy_process_group()


def without_averaging(model: nn.Module) -> Any:
    """Return a context in which a shared model keeps its gradients to itself; else None."""
    return model.no_sync() if isinstance(model, DistributedDataParallel) else None
