import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cat_dataset.errors import CatError
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
    ],
)
def test_a_process_that_is_lost_ends_the_run_with_its_reason(
    call: Callable[[], None], said: str
) -> None:
    """One line instead of a lost connection; nothing is left behind in the environment."""
    with pytest.raises(CatError, match=said), joined_processes(2, "cpu", call):
        _go_on_together()

    assert "WORLD_SIZE" not in os.environ
