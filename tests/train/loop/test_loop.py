import math
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cat_dataset.errors import CatError, JobError, ShardError
from cat_dataset.imaging.display import decode_png
from cat_dataset.jobs.manifest import dump_job
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.progress import SilentProgress
from cat_dataset.system.seeding import derive_rng
from tests.command_line import ROOT
from tests.train.conftest import ATTRIBUTES, SIZE_PX, tiny_job
from tests.train.small_bases import take_steps
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.data.batches import Batch, whole_batch
from train.data.pairs import TrainingPairs
from train.data.task_ids import tasks_of_pairs
from train.loop.dataloader import BatchStream
from train.loop.loop import run_training
from train.loop.trainer import Run, train_stage
from train.model.compact import build_compact
from train.objective.train_step import base_stage
from train.runs.checkpoints import checkpoint_paths
from train.runs.distributed import World
from train.runs.metrics_log import read_log
from train.runs.run_folder import claim_run_folder, finished_editor


@pytest.fixture(scope="session")
def straight_run(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    run_training(tiny_job(), [data_folder], folder, num_threads=2)
    return folder


@pytest.mark.parametrize("num_steps", [3, 5, 9, 13])
def test_a_stopped_run_resumes_to_the_same_bytes(
    num_steps: int, data_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    """Stopped before, at and after checkpoints, in both stages."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run_training(
            tiny_job(), [data_folder], folder, num_threads=2, progress=StopAfter(num_steps)
        )

    run_training(tiny_job(), [data_folder], folder)

    assert hashes(folder / "adapter") == hashes(straight_run / "adapter")
    assert hashes(folder / "base") == hashes(straight_run / "base")
    assert [(e["stage"], e["step"], e.get("loss")) for e in read_log(folder)] == [
        (e["stage"], e["step"], e.get("loss")) for e in read_log(straight_run)
    ]


KILLED_AT_A_STEP = """
import os, signal, sys, tomllib
from pathlib import Path
from cat_dataset.jobs.train_job import TrainJob
from train.loop.loop import run_training
job_path, data, folder, num_steps = sys.argv[1:]

class KillAfter:
    left, counts = int(num_steps), False

    def start(self, name, total):
        self.counts = name.startswith("training")

    def advance(self, parts):
        self.left -= parts if self.counts else 0
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

job = TrainJob.model_validate(tomllib.loads(Path(job_path).read_text()))
run_training(job, [Path(data)], Path(folder), num_threads=2, progress=KillAfter())
"""


def killed_at_a_step(job: TrainJob, data_folder: Path, folder: Path, num_steps: int) -> int:
    """Train in a process of its own that SIGKILL ends after a step; return its exit status."""
    job_path = folder.with_name("job.toml")
    job_path.write_text(dump_job(job))
    files = [str(path) for path in (job_path, data_folder, folder)]
    run = subprocess.run(
        [sys.executable, "-c", KILLED_AT_A_STEP, *files, str(num_steps)],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    return run.returncode


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_killed_run_resumes_to_the_same_bytes(
    num_workers: int, data_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    """SIGKILL at random steps of both stages, which no code of ours can catch, then to the end.

    Nothing at all survives of a step but what a checkpoint holds; batches are drawn by workers.
    """
    folder, job = (
        tmp_path / "run",
        tiny_job().with_settings({"num_loader_workers": num_workers}),
    )
    base_steps, all_steps = job.compact.num_steps, job.compact.num_steps + job.adapter.num_steps
    rng = derive_rng(num_workers, "killed")

    for low, high in ((1, base_steps), (base_steps + 1, all_steps)):
        num_steps = int(rng.integers(low, high))
        assert killed_at_a_step(job, data_folder, folder, num_steps) == -signal.SIGKILL
    run_training(job, [data_folder], folder)

    assert hashes(folder / "adapter") == hashes(straight_run / "adapter")
    assert hashes(folder / "base") == hashes(straight_run / "base")
    assert hashes(folder / "samples") == hashes(straight_run / "samples")


def test_composed_pairs_resume_in_the_middle_of_an_epoch(
    linear_folder: Path, tmp_path: Path
) -> None:
    """11 lights, batches of 4: the third step spans two epochs. Workers change nothing."""
    job = tiny_job().with_settings({"data.pairs": "composed", "data.max_edits": 2})
    run_training(job, [linear_folder], tmp_path / "straight", num_threads=2)

    folder, helped = tmp_path / "run", job.with_settings({"num_loader_workers": 2})
    with pytest.raises(StoppedError):
        run_training(helped, [linear_folder], folder, num_threads=2, progress=StopAfter(9))
    run_training(helped, [linear_folder], folder)

    assert hashes(folder / "adapter") == hashes(tmp_path / "straight" / "adapter")


def test_a_complete_run_is_left_alone(data_folder: Path, straight_run: Path) -> None:
    """Running again returns the adapter and touches no file."""
    before = {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")}

    adapter = run_training(tiny_job(), [data_folder], straight_run)

    assert adapter == finished_editor(straight_run)
    assert {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")} == before


def test_the_frozen_base_is_not_touched_by_the_adapter_stage(
    data_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    """The base of a run stopped right after stage one equals the base of the finished run."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run_training(tiny_job(), [data_folder], folder, num_threads=2, progress=StopAfter(7))

    assert finished_editor(folder) is None
    assert hashes(folder / "base") == hashes(straight_run / "base")


def test_a_folder_of_another_job_is_refused(data_folder: Path, straight_run: Path) -> None:
    """The message names the setting that differs."""
    other = tiny_job().with_settings({"adapter.num_steps": 11})

    with pytest.raises(JobError, match=r"adapter\.num_steps \(10, now 11\); give a new folder"):
        run_training(other, [data_folder], straight_run)


def test_a_folder_that_holds_something_else_is_refused(data_folder: Path, tmp_path: Path) -> None:
    """Nothing of the user's is mixed with a run."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(JobError, match=r"holds files but no run\.json"):
        run_training(tiny_job(), [data_folder], tmp_path)


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An absurd learning rate overflows; the error says what to lower."""
    job = tiny_job().with_settings(
        {"base.learning_rate": 1e30, "base.num_steps": 60, "checkpoint_every_steps": 1}
    )

    with pytest.raises(CatError, match=r"lower learning_rate of \[train\.base\]"):
        run_training(job, [data_folder], tmp_path / "run")

    kept = checkpoint_paths(tmp_path / "run" / "checkpoints", "base")
    assert kept


def test_the_log_has_losses_speed_and_validation(straight_run: Path) -> None:
    """What the report's training curve is drawn from."""
    entries = read_log(straight_run)

    assert {entry["stage"] for entry in entries} == {"base", "adapter"}
    validated = [entry["validation_loss"] for entry in entries if "validation_loss" in entry]
    assert len(validated) >= 2
    assert all(math.isfinite(loss) for loss in validated)
    for entry in (entry for entry in entries if "loss" in entry):
        assert entry["samples_per_s"] > 0.0
        assert 0.0 < entry["waiting_share"] < 1.0
        assert entry["peak_memory_mb"] > 100.0  # torch alone takes more
    assert list((straight_run / "tensorboard" / "adapter").glob("events.*"))


def test_a_resumed_run_may_spend_its_memory_otherwise(data_folder: Path, tmp_path: Path) -> None:
    """Smaller parts, no stored activations: what an out-of-memory error asks for."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run_training(tiny_job(), [data_folder], folder, num_threads=2, progress=StopAfter(5))
    frugal = {"optimizer.micro_batch_size": 2, "gradient_checkpointing": True}

    adapter = run_training(tiny_job().with_settings(frugal), [data_folder], folder)

    assert adapter == finished_editor(folder)


def test_used_up_memory_says_what_to_lower_and_keeps_the_checkpoint(
    data_folder: Path, tmp_path: Path
) -> None:
    """By the real error of an allocation that no machine can serve."""
    job = tiny_job()
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    tasks = tasks_of_pairs(pairs.rows, ATTRIBUTES)
    stage = base_stage(job, build_compact(32, ATTRIBUTES, num_places=1), tasks)

    def predict(batch: Batch, step: int, *rest: Any) -> Tensor:
        if step == 5:
            torch.empty(2**50)
        return stage.predict(batch, step, *rest)

    folder = claim_run_folder(tmp_path / "run", job, "data", 2)
    run = Run(job, folder, pairs, None, tasks, SilentProgress(), torch.device("cpu"), World())

    with pytest.raises(
        CatError,
        match=r"step 6: out of memory on cpu .* micro_batch_size = 2 in \[train\.optimizer\] or",
    ):
        train_stage(run, replace(stage, predict=predict))

    assert [p.name for p in checkpoint_paths(folder.checkpoints, "base")] == [
        "base-0000004.safetensors"
    ]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_broken_shard_is_named_whoever_reads_it(
    num_workers: int, data_folder: Path, tmp_path: Path
) -> None:
    """Workers hand errors over as they are, without a traceback."""
    shutil.copytree(data_folder, tmp_path / "data")
    pairs = TrainingPairs([tmp_path / "data"], ("train",), ATTRIBUTES, max_cache_bytes=0)
    (tar,) = (tmp_path / "data" / "shards").glob("*.tar")
    tar.write_bytes(tar.read_bytes()[:100])
    job = tiny_job().with_settings({"num_loader_workers": num_workers})
    stage = base_stage(
        job, build_compact(32, ATTRIBUTES, 1), tasks_of_pairs(pairs.rows, ATTRIBUTES)
    )

    with pytest.raises(ShardError, match=r"\Ashard .*: ends inside sample"):
        next(iter(BatchStream(pairs, job, stage, World(), 0)))


def test_sample_grids_show_source_edit_and_target(straight_run: Path) -> None:
    """Six validation pairs below each other, with margins, at the end of each stage."""
    grids = sorted((straight_run / "samples").iterdir())

    assert [path.name for path in grids] == ["adapter-0000010.png", "base-0000006.png"]
    shape = decode_png(grids[0].read_bytes()).shape
    assert shape == (6 * (SIZE_PX + 2), 3 * (SIZE_PX + 2), 3)


def test_one_batch_overfits(data_folder: Path) -> None:
    """The base learns four pairs by heart: the loss falls below a tenth."""
    job = tiny_job()
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    torch.manual_seed(0)
    base = build_compact(32, ATTRIBUTES, num_places=1)
    stage = base_stage(job, base, tasks_of_pairs(pairs.rows, ATTRIBUTES))
    batch = whole_batch(pairs, [0, 10, 20, 30], SIZE_PX)

    losses = take_steps(stage, job, batch, 150, 3e-3)

    assert sum(losses[-10:]) < 0.1 * sum(losses[:10])
