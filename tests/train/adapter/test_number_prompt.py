from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import Asked, EditFailure
from cat_dataset.scoring.questions.requests import make_request
from cat_dataset.store.pair_dataset import PairDataset
from tests.train.conftest import ATTRIBUTES, SIZE_PX, tiny_job
from tests.train.small_bases import random_base, take_steps
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.data.batches import draw_batch, whole_batch
from train.data.pairs import TrainingPairs
from train.data.task_ids import tasks_of_pairs
from train.edit.editing import Editor, load_editor
from train.evaluate.evaluated_models import AdapterEditor
from train.loop.loop import run_training
from train.objective.train_step import TrainStage, flow_loss, prompt_stage
from train.runs.metrics_log import read_log
from train.runs.run_folder import finished_editor


def prompt_job() -> TrainJob:
    """Return the tiny job with its numbers in the prompt: 6 + 10 steps of the base."""
    return tiny_job().with_settings({"method": "prompt"})


@pytest.fixture(scope="module")
def prompted_run(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("prompted") / "run"
    assert run_training(prompt_job(), [data_folder], folder, num_threads=1) == folder / "prompt"
    return folder


@pytest.fixture(scope="module")
def prompted(prompted_run: Path) -> Editor:
    """The editor of that run."""
    return load_editor(prompted_run)


def test_the_base_takes_the_steps_of_both_stages_and_there_is_no_adapter(
    prompted_run: Path,
) -> None:
    """The same budget as base and adapter together."""
    assert {(e["stage"], e["step"]) for e in read_log(prompted_run) if "validation_loss" in e} == {
        ("base", 4),
        ("base", 8),
        ("base", 12),
        ("base", 16),
    }
    assert not (prompted_run / "adapter").exists()
    assert [path.name for path in (prompted_run / "prompt").iterdir()] == ["config.json"]


@pytest.mark.parametrize("num_steps", [3, 9])
def test_a_stopped_run_resumes_to_the_same_bytes(
    num_steps: int, data_folder: Path, prompted_run: Path, tmp_path: Path
) -> None:
    """As a run with an adapter does."""
    folder = tmp_path / "run"
    with pytest.raises(StoppedError):
        run_training(
            prompt_job(), [data_folder], folder, num_threads=1, progress=StopAfter(num_steps)
        )
    with pytest.raises(JobError, match="is not finished; run `cat-dataset train` on it again"):
        load_editor(folder)

    run_training(prompt_job(), [data_folder], folder)

    assert hashes(folder / "base") == hashes(prompted_run / "base")
    assert finished_editor(folder) == folder / "prompt"


def test_every_digit_counts_and_two_numbers_at_once_are_read(
    prompted: Editor, data_folder: Path
) -> None:
    """Unlike words of direction and strength, of which numbers alike share one."""
    source_BCHW = whole_batch(train_pairs(data_folder), [0], SIZE_PX).source_BCHW
    edits = [
        [EditScale("exposure", 1.21)],
        [EditScale("exposure", 1.22)],
        [EditScale("exposure", 1.22), EditScale("white_balance", 30.0)],
    ]

    edited = [prompted.backend.predict(source_BCHW, [edit]).numpy().tobytes() for edit in edits]

    assert len(set(edited)) == 3


def test_it_answers_as_any_editor_and_refuses_what_it_has_no_words_for(
    prompted: Editor, data_folder: Path
) -> None:
    """Number zero returns the source; three numbers at once are more than its places."""
    dataset = PairDataset([data_folder], splits=("test",))
    row = dataset.rows[0]
    source = dataset.read(row).source_HW3
    edits: list[tuple[EditScale, ...]] = [
        (EditScale("exposure", 0.0),),
        tuple(EditScale(name, 0.5) for name in ATTRIBUTES),
    ]
    asked = [Asked(make_request(row, "pair", edit), source) for edit in edits]

    kept, refused = AdapterEditor("number_in_prompt", prompted).answer(asked)

    assert not isinstance(kept, EditFailure)
    assert np.array_equal(kept, source)
    assert isinstance(refused, EditFailure)
    assert "has words for at most 2" in refused.reason


def test_parts_of_a_batch_are_told_what_they_are_told_in_the_whole(data_folder: Path) -> None:
    """Zeros and places are drawn for the whole batch; they average to its loss."""
    job = prompt_job().with_settings({"optimizer.batch_size": 8})
    pairs = train_pairs(data_folder)
    batch = draw_batch(pairs, job, "base", 3, 0.4)
    stage = make_stage(pairs, job)

    whole = flow_loss(stage, job, batch, 3, "train").item()
    parts = [flow_loss(stage, job, part, 3, "train").item() for part in batch.parts(2)]

    assert sum(parts) / 4 == pytest.approx(whole, rel=1e-5)


def test_one_batch_overfits(data_folder: Path) -> None:
    """The base learns four pairs by heart from their numbers: squared, errors fall to a tenth."""
    job, pairs = prompt_job(), train_pairs(data_folder)
    stage = make_stage(pairs, job)
    batch = whole_batch(pairs, [0, 10, 20, 30], SIZE_PX)

    losses = take_steps(stage, job, batch, 150, 3e-3)

    assert sum(losses[-10:]) < 0.1**0.5 * sum(losses[:10])


def train_pairs(data_folder: Path) -> TrainingPairs:
    """Return the training split."""
    return TrainingPairs([data_folder], ("train",), ATTRIBUTES)


def make_stage(pairs: TrainingPairs, job: TrainJob) -> TrainStage:
    """Return the stage of a base with random weights and two places for numbers."""
    base = random_base(ATTRIBUTES, 2, reads_numbers=True)
    return prompt_stage(job, base, tasks_of_pairs(pairs.rows, ATTRIBUTES))
