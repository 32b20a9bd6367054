import json
import shutil
from pathlib import Path
from typing import get_args

import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.jobs.train_job import Baseline, TrainJob
from tests.train.conftest import tiny_job
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.adapter.adapter import NumericAdapter
from train.adapter.number_prompt import NumberPrompt
from train.edit.editing import load_editor
from train.evaluate.baselines import baselines_beside, train_with_baselines
from train.evaluate.evaluation import evaluate
from train.loop.loop import run_training

NUM_ADAPTER_STEPS = 10
NUM_STEPS = 6 + NUM_ADAPTER_STEPS  # of base and adapter


def compared_job() -> TrainJob:
    """Return the tiny job with every baseline."""
    return tiny_job().with_settings({"baselines": get_args(Baseline)})


@pytest.fixture(scope="module")
def compared_run(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its baselines, which nothing interrupted."""
    folder = tmp_path_factory.mktemp("compared") / "run"
    train_with_baselines(compared_job(), [data_folder], folder, num_threads=1)
    return folder


def test_baselines_are_runs_of_their_own_beside_the_adapter(compared_run: Path) -> None:
    """One has no adapter; two the very same base, with one encoder, with a LoRA; one its own."""
    found = baselines_beside(compared_run / "adapter")

    assert found == baselines_beside(compared_run)
    assert sorted(found) == sorted(get_args(Baseline))
    assert isinstance(load_editor(found["number_in_prompt"]).backend.adapter, NumberPrompt)
    without_ids = load_editor(found["no_task_id"]).backend.adapter
    assert isinstance(without_ids, NumericAdapter)
    assert len(without_ids.encoders) == 1
    own_base = hashes(compared_run / "base")
    for name in ("no_task_id", "with_lora"):
        assert hashes(compared_run / "baselines" / name / "base") == own_base
    assert (compared_run / "baselines/with_lora/lora").is_dir()
    joint = load_editor(found["joint"]).backend
    assert isinstance(joint.adapter, NumericAdapter)
    assert joint.adapter.to_modulations.weight.abs().max() > 0.0
    assert hashes(compared_run / "baselines/joint/base") != own_base


@pytest.mark.parametrize(
    "num_steps", [NUM_STEPS + 7, 2 * NUM_STEPS + 5, 2 * NUM_STEPS + 2 * NUM_ADAPTER_STEPS + 9]
)
def test_a_run_that_stopped_in_a_baseline_resumes_to_the_same_bytes(
    num_steps: int, data_folder: Path, compared_run: Path, tmp_path: Path
) -> None:
    """In the first baseline, the second and the last; what was complete is left alone."""
    folder = tmp_path / "run"
    shutil.copytree(compared_run, folder, ignore=shutil.ignore_patterns("baselines"))
    before = hashes(folder)
    with pytest.raises(StoppedError):
        train_with_baselines(
            compared_job(),
            [data_folder],
            folder,
            num_threads=1,
            progress=StopAfter(num_steps - NUM_STEPS),
        )

    # those that were not begun yet are new runs
    train_with_baselines(compared_job(), [data_folder], folder, num_threads=1)

    after = hashes(folder)
    assert {name: after[name] for name in before} == before
    for name in ("number_in_prompt/base", "no_task_id/adapter", "joint/base", "joint/adapter"):
        assert hashes(folder / "baselines" / name) == hashes(compared_run / "baselines" / name)


def test_evaluate_measures_the_baselines_that_were_trained(
    compared_run: Path, data_folder: Path, tmp_path: Path
) -> None:
    """Nobody has to name them; combinations are asked of them too."""
    job = EvaluateJob(
        num_sweep_scenes=1, num_sweep_steps=3, num_behaviour_pairs=1, num_combination_pairs=1
    )

    evaluate(compared_run / "adapter", [data_folder], job, tmp_path)

    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert set(get_args(Baseline)) <= set(report["editors"])
    assert not any("not measured" in note for note in report["notes"])


def test_an_adapter_is_trained_on_the_base_of_another_run(
    compared_run: Path, data_folder: Path, tmp_path: Path
) -> None:
    """The same job on the same base is the same adapter; with another base it is not resumed."""
    job, folder = tiny_job(), tmp_path / "run"
    other = tmp_path / "other"
    shutil.copytree(compared_run / "base", other / "base")
    (other / "base/word_encoder/config.json").write_text("{}")

    run_training(job, [data_folder], folder, num_threads=1, base_from=compared_run)

    assert hashes(folder / "adapter") == hashes(compared_run / "adapter")
    with pytest.raises(JobError, match=r"was begun with another base \(its weights differ\)"):
        run_training(job, [data_folder], folder, base_from=other)


def test_bases_that_do_not_fit_are_refused(
    compared_run: Path, data_folder: Path, tmp_path: Path
) -> None:
    """None there; one that reads numbers; one of a baseline that trains its own."""
    prompted = compared_run / "baselines/number_in_prompt"

    with pytest.raises(JobError, match="no such folder; give the run folder of a run"):
        run_training(tiny_job(), [data_folder], tmp_path / "a", base_from=tmp_path)
    with pytest.raises(JobError, match="was not trained on the words by-number; take one that"):
        run_training(tiny_job(), [data_folder], tmp_path / "b", base_from=prompted)
    job = tiny_job().with_settings({"method": "prompt"})
    with pytest.raises(JobError, match="trains a base of its own"):
        run_training(job, [data_folder], tmp_path / "c", base_from=compared_run)
