import hashlib
import math
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from cat_dataset.errors import CatError, JobError
from train.batches import whole_batch
from train.checkpoints import TrainedWeights, checkpoint_paths
from train.compact import build_compact
from train.loop import run_training
from train.pairs import TrainingPairs
from train.run_folder import finished_adapter
from train.runlog import read_log
from train.stages import base_stage, flow_loss
from train.tasks import tasks_of_pairs

from .conftest import ATTRIBUTES, SIZE_PX, tiny_job


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


class _StoppedError(Exception):
    """Stands for a kill."""


class StopAfter:
    """A progress that ends the run after a number of steps, as Ctrl-C would."""

    def __init__(self, num_steps: int) -> None:
        self._left = num_steps
        self._counts = False

    def start(self, name: str, total: int) -> None:
        """Count training steps only."""
        self._counts = name.startswith("training")

    def advance(self, parts: int) -> None:
        """Raise when the steps are used up."""
        self._left -= parts if self._counts else 0
        if self._left <= 0:
            raise _StoppedError


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
    with pytest.raises(_StoppedError):
        run_training(
            tiny_job(), [data_folder], folder, num_threads=2, progress=StopAfter(num_steps)
        )

    run_training(tiny_job(), [data_folder], folder)

    assert hashes(folder / "adapter") == hashes(straight_run / "adapter")
    assert hashes(folder / "base") == hashes(straight_run / "base")
    assert [(e["stage"], e["step"], e.get("loss")) for e in read_log(folder)] == [
        (e["stage"], e["step"], e.get("loss")) for e in read_log(straight_run)
    ]


def _train_in_child(data_folder: Path, folder: Path) -> None:
    run_training(tiny_job(), [data_folder], folder, num_threads=2)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes(
    data_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    """SIGKILL as soon as the first checkpoint is there, which no code of ours can catch."""
    folder = tmp_path / "run"
    child = multiprocessing.get_context("spawn").Process(
        target=_train_in_child, args=(data_folder, folder)
    )
    child.start()
    deadline = time.monotonic() + 60.0
    while not checkpoint_paths(folder / "checkpoints", "base") and child.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()

    run_training(tiny_job(), [data_folder], folder)

    assert hashes(folder / "adapter") == hashes(straight_run / "adapter")


def test_a_complete_run_is_left_alone(data_folder: Path, straight_run: Path) -> None:
    """Running again returns the adapter and touches no file."""
    before = {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")}

    adapter = run_training(tiny_job(), [data_folder], straight_run)

    assert adapter == finished_adapter(straight_run)
    assert {path: path.stat().st_mtime_ns for path in straight_run.rglob("*")} == before


def test_the_frozen_base_is_not_touched_by_the_adapter_stage(
    data_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    """The base of a run stopped right after stage one equals the base of the finished run."""
    folder = tmp_path / "run"
    with pytest.raises(_StoppedError):
        run_training(tiny_job(), [data_folder], folder, num_threads=2, progress=StopAfter(7))

    assert finished_adapter(folder) is None
    assert hashes(folder / "base") == hashes(straight_run / "base")


def test_a_folder_of_another_job_is_refused(data_folder: Path, straight_run: Path) -> None:
    """The message names the setting that differs."""
    other = tiny_job().model_copy(update={"num_adapter_steps": 11})

    with pytest.raises(JobError, match=r"num_adapter_steps \(10, now 11\); give a new folder"):
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
    job = tiny_job().model_copy(
        update={"base_learning_rate": 1e30, "num_base_steps": 60, "checkpoint_every_steps": 1}
    )

    with pytest.raises(CatError, match="lower base_learning_rate"):
        run_training(job, [data_folder], tmp_path / "run")

    kept = checkpoint_paths(tmp_path / "run" / "checkpoints", "base")
    assert kept


def test_the_log_has_losses_speed_and_validation(straight_run: Path) -> None:
    """What the report's training curve is drawn from."""
    entries = read_log(straight_run)

    assert {entry["stage"] for entry in entries} == {"base", "adapter"}
    assert all(math.isfinite(entry["validation_loss"]) for entry in entries if "loss" not in entry)
    assert any("samples_per_s" in entry for entry in entries)
    assert list((straight_run / "tensorboard" / "adapter").glob("events.*"))


def test_one_batch_overfits(data_folder: Path) -> None:
    """The base learns four pairs by heart: the loss falls below a tenth."""
    job = tiny_job()
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    torch.manual_seed(0)
    base = build_compact(32, ATTRIBUTES, num_places=1)
    stage = base_stage(job, base, tasks_of_pairs(pairs.rows, ATTRIBUTES))
    weights = TrainedWeights.fresh(stage.parameters())
    batch = whole_batch(pairs, [0, 10, 20, 30], SIZE_PX)

    losses = []
    for step in range(150):
        loss = flow_loss(stage, job, batch, step, "train")
        loss.backward()
        weights.update(3e-3)
        losses.append(loss.item())

    assert sum(losses[-10:]) < 0.1 * sum(losses[:10])
