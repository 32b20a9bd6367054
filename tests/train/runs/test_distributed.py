import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import dump_job
from cat_dataset.jobs.train_job import TrainJob
from tests.command_line import ROOT
from tests.train.conftest import tiny_job
from train.evaluate.baselines import baselines_beside
from train.loop.loop import run_training
from train.runs.distributed import World
from train.runs.metrics_log import read_log

SCRIPT = """
import sys, tomllib
from pathlib import Path
from cat_dataset.jobs.train_job import TrainJob
from train.evaluate.baselines import train_with_baselines
job = TrainJob.model_validate(tomllib.loads(Path(sys.argv[1]).read_text()))
train_with_baselines(job, [Path(sys.argv[2])], Path(sys.argv[3]), num_threads=1)
"""


def train_with_torchrun(job: TrainJob, data_folder: Path, folder: Path, num_processes: int) -> None:
    """Train as a user would on a machine with several GPUs."""
    (folder / "script.py").write_text(SCRIPT)
    (folder / "job.toml").write_text(dump_job(job))
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    files = [str(folder / name) for name in ("script.py", "job.toml")]
    run = subprocess.run(
        [sys.executable, *launcher, str(num_processes), *files, str(data_folder), folder / "run"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_two_processes_end_where_one_does(data_folder: Path, tmp_path: Path) -> None:
    """Same global batch, gradients averaged over gloo, in parts: weights agree within 1e-5.

    The baselines are trained by the same processes.
    """
    job = tiny_job().with_settings({"optimizer.warm_up_steps": 1})  # steps as large as they get
    alone = tmp_path / "alone"
    run_training(job, [data_folder], alone, num_threads=1)

    compared = {"optimizer.micro_batch_size": 1, "baselines": ("no_task_id", "number_in_prompt")}
    in_parts = job.with_settings(compared)
    train_with_torchrun(in_parts, data_folder, tmp_path, 2)

    for part in ("base/transformer", "base/word_encoder", "base/pixel_features", "adapter"):
        name = f"{part}/diffusion_pytorch_model.safetensors"
        ours, theirs = load_file(tmp_path / "run" / name), load_file(alone / name)
        assert ours.keys() == theirs.keys()
        for key, tensor in theirs.items():
            torch.testing.assert_close(ours[key], tensor, rtol=0.0, atol=1e-5, msg=f"{name} {key}")
    losses, expected = (
        [entry["loss"] for entry in read_log(folder) if "loss" in entry]
        for folder in (tmp_path / "run", alone)
    )
    assert losses == pytest.approx(expected, abs=1e-5)
    assert list(baselines_beside(tmp_path / "run")) == ["no_task_id", "number_in_prompt"]


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    """Uneven parts would weigh samples unevenly."""
    with pytest.raises(JobError, match=r"batch_size 32: 3 processes .* give a multiple of 3"):
        World(rank=0, size=3).check_batch(32)
