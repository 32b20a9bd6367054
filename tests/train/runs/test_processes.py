import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cat_dataset.errors import CatError, JobError
from tests.train.conftest import tiny_job
from train.evaluate.baselines import train_with_baselines
from train.runs.distributed import joined_world
from train.runs.processes import joined_processes


def _meet_and_die() -> None:
    with joined_world("cpu") as world:
        world.wait()
        os.kill(os.getpid(), signal.SIGKILL)


def _meet_and_complain() -> None:
    with joined_world("cpu") as world:
        world.wait()
        msg = "the data are broken here"
        raise CatError(msg)


class _EndsAsItIsRead:
    """A call that takes its process with it as soon as that one reads what it is to do."""

    def __call__(self) -> None:
        raise AssertionError

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return os._exit, (3,)


def _be_interrupted_and_meet() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    with joined_world("cpu") as world:
        world.wait()


def _go_on_together() -> None:
    with joined_world("cpu") as world:
        world.wait()
        for _ in range(1000):
            world.mean(torch.ones(1))


@pytest.mark.slow
def test_a_manifest_starts_its_processes_itself(data_folder: Path, tmp_path: Path) -> None:
    """Same batches, gradients averaged: weights agree within 1e-5 with those of one process."""
    job = tiny_job().with_settings({"optimizer.warm_up_steps": 1})
    alone = train_with_baselines(job, [data_folder], tmp_path / "alone", num_threads=1)
    shared = job.with_settings({"num_processes": 2})

    together = train_with_baselines(shared, [data_folder], tmp_path / "two", num_threads=1)

    expected, found = (
        load_file(f / "diffusion_pytorch_model.safetensors") for f in (alone, together)
    )
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, atol=1e-5, rtol=1e-4)
    assert "WORLD_SIZE" not in os.environ


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (_meet_and_die, "one of the 2 training processes ended with exit code -9"),
        (_meet_and_complain, "^the data are broken here$"),
        (
            _EndsAsItIsRead(),
            r"2 training processes ended with exit code 3 before it began; a script",
        ),
    ],
)
def test_a_process_that_is_lost_ends_the_run_with_its_reason(
    call: Callable[[], None], said: str
) -> None:
    """One line instead of a lost connection; nothing is left behind in the environment."""
    with pytest.raises(CatError, match=said), joined_processes(2, "cpu", call):
        _go_on_together()

    assert "WORLD_SIZE" not in os.environ


@pytest.mark.slow
def test_an_interrupt_reaches_the_first_process_alone() -> None:
    """Ctrl-C goes to all processes of a terminal; only the first one says how to go on."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    with joined_processes(2, "cpu", _be_interrupted_and_meet), joined_world("cpu") as world:
        world.wait()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def test_too_few_gpus_are_said_before_anything_starts() -> None:
    """The others would wait for the one without a GPU, which has ended."""
    num_processes = torch.cuda.device_count() + 2

    with (
        pytest.raises(JobError, match=f"and process {num_processes - 1} of this machine needs one"),
        joined_processes(num_processes, "cuda", _go_on_together),
    ):
        raise AssertionError

    assert "WORLD_SIZE" not in os.environ
