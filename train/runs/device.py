"""What a run needs of the machine: a device, equal results, memory; and what to say without it."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.cores import available_cores

MAX_THREADS = 8  # above it the batches of the compact base are too small to share


def device_of(job: TrainJob, local_rank: int) -> torch.device:
    """Return the device of a job.

    Raises:
        JobError: it asks for a GPU that is not there.
    """
    if job.device == "cpu":
        return torch.device("cpu")
    check_gpus(job.device, local_rank + 1)
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def check_gpus(device: str, num_processes: int) -> None:
    """Raise JobError where processes of this machine want a GPU each and there are fewer."""
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cuda" and num_processes > found:
        msg = (
            f'[train] device = "cuda": torch {torch.__version__} sees {found} GPUs, and process '
            f"{num_processes - 1} of this machine needs one of its own; install a CUDA build of "
            f'torch and its driver, start fewer processes, or set device = "cpu"'
        )
        raise JobError(msg)


def threads_for(local_size: int) -> int:
    """Return how many threads each of the processes that share our cores takes."""
    return max(1, min(available_cores() // local_size, MAX_THREADS))


@contextmanager
def deterministic_torch(num_threads: int) -> Iterator[None]:
    """Make torch's results a function of its input alone while the context lasts."""
    # cuBLAS is deterministic only with a workspace of its own; read when it starts
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    were_deterministic = torch.are_deterministic_algorithms_enabled()
    had_threads = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(num_threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(were_deterministic)
        torch.set_num_threads(had_threads)


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory taken so far in MB (10**6 bytes): of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # getrusage(2): kB


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory is used up, of a GPU or of this machine."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)  # torch has no type of its own for the memory of CPUs
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or ("DataLoader worker" in text and "killed" in text)
    )
