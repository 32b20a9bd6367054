import pytest
import torch

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from train.runs.device import device_of, is_out_of_memory, peak_memory_mb, threads_for


def test_memory_that_is_used_up_is_told_from_other_errors() -> None:
    """By the error that torch really raises on a CPU, and by its own type for GPUs."""
    with pytest.raises(RuntimeError) as too_much:
        torch.empty(2**50)
    with pytest.raises(RuntimeError) as mismatch:
        torch.ones(2) @ torch.ones(3)

    assert is_out_of_memory(too_much.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."))
    assert not is_out_of_memory(mismatch.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_missing_gpu_is_an_error_with_a_remedy() -> None:
    """Before anything is read or written."""
    with pytest.raises(JobError, match=r'sees 0 GPUs, .* or set device = "cpu"'):
        device_of(TrainJob(device="cuda"), 0)


def test_the_peak_counts_what_was_taken_and_freed() -> None:
    """128 MB that were filled show in the peak of the process."""
    before_mb = peak_memory_mb(torch.device("cpu"))

    taken = torch.ones(32 * 10**6)
    del taken

    assert peak_memory_mb(torch.device("cpu")) >= before_mb
    assert peak_memory_mb(torch.device("cpu")) > 128.0


def test_processes_on_one_machine_share_its_cores() -> None:
    """Each has at least one thread."""
    assert threads_for(10_000) == 1
    assert threads_for(1) >= threads_for(2)
