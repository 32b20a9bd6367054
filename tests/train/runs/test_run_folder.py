import json
from pathlib import Path

import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from train.runs.metrics_log import RunLog, read_log
from train.runs.run_folder import claim_run_folder, finished_editor, write_folder_whole


def test_a_run_keeps_the_threads_it_began_with(tmp_path: Path) -> None:
    """Bits depend on how sums are split, so a resumed run splits them alike."""
    claim_run_folder(tmp_path / "run", TrainJob(), "data", num_threads=3)

    resumed = claim_run_folder(tmp_path / "run", TrainJob(), "data", num_threads=8)

    assert resumed.num_threads == 3


def test_other_data_is_refused(tmp_path: Path) -> None:
    """Same job, other pairs: another run."""
    claim_run_folder(tmp_path / "run", TrainJob(), "data", num_threads=1)

    with pytest.raises(JobError, match="another data set"):
        claim_run_folder(tmp_path / "run", TrainJob(), "other data", num_threads=1)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A writer that fails leaves no folder under the final name; the next try succeeds."""

    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").write_text("")
        msg = "no space left"
        raise OSError(msg)

    with pytest.raises(OSError, match="no space"):
        write_folder_whole(tmp_path / "adapter", fail)
    assert finished_editor(tmp_path) is None

    write_folder_whole(tmp_path / "adapter", lambda folder: folder.mkdir())
    assert finished_editor(tmp_path) == tmp_path / "adapter"
    assert list((tmp_path / "adapter").iterdir()) == []


def test_a_resumed_log_drops_what_will_come_again(tmp_path: Path) -> None:
    """Entries after the checkpoint go, other stages and a cut-off line do no harm."""
    log = RunLog(tmp_path, "base", 0)
    for step in (10, 20, 30):
        log.write(step, loss=1.0 / step)
    log.close()
    with (tmp_path / "train_log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"stage": "base", "st')

    RunLog(tmp_path, "base", 20).close()
    RunLog(tmp_path, "adapter", 0).close()

    assert [entry["step"] for entry in read_log(tmp_path)] == [10, 20]


@pytest.mark.parametrize("text", ["{}", "[1]", '{"job": {}, "run_hash": "1"}'])
def test_a_run_record_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    """A run.json that no training wrote: the message says what it lacks."""
    (tmp_path / "run.json").write_text(text)

    with pytest.raises(JobError, match=r"run\.json: has no data, .*num_threads.*give a new run"):
        claim_run_folder(tmp_path, TrainJob(), "data", num_threads=1)


def test_a_run_of_before_the_tables_is_named_as_such(tmp_path: Path) -> None:
    """One sentence instead of the first of forty keys that differ."""
    record = {"run_hash": "", "num_threads": 1, "job": {"num_base_steps": 500}, "data": "data"}
    (tmp_path / "run.json").write_text(json.dumps(record))

    with pytest.raises(JobError, match=r"begun before \[train\] had tables .* needs a new folder"):
        claim_run_folder(tmp_path, TrainJob(), "data", num_threads=1)
