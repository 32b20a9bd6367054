import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.display import encode_display
from cat_dataset.errors import JobError
from cat_dataset.manifest import EvaluateJob
from cat_dataset.photometry import DAYLIGHT_CCT_K, kelvin, mired, white_balance_gains
from cat_dataset.progress import SilentProgress
from cat_dataset.reading import PairDataset
from cat_dataset.records import EditScale
from train.achieved import Display
from train.adapter import Task
from train.evaluation import EvaluationReport, askable_range, evaluate_editor
from train.log_light import linear_of_codes
from train.scores import PairResult, bootstrap_interval, score_attribute

TASKS = {
    "exposure": Task("exposure", "exposure", "stops", -2.0, 2.0, None, None),
    "white_balance": Task(
        "white_balance", "white balance", "mired", -120.0, 120.0, DAYLIGHT_CCT_K, "K"
    ),
}


@dataclass
class ExactEditor:
    """The analytic operator: the right gain on the source's light."""

    tasks: dict[str, Task] = field(default_factory=lambda: TASKS)
    strength: float = 1.0  # of the number; 1 is right

    def edit_batch(
        self, sources: Sequence[Display], edits: Sequence[Sequence[EditScale]]
    ) -> list[Display]:
        """Return sources with their gains."""
        return [
            encode_display(linear_of_codes(source) * self._gain(edit), 1.0)
            for source, (edit,) in zip(sources, edits, strict=True)
        ]

    def _gain(self, edit: EditScale) -> np.ndarray:
        value = edit.value * self.strength
        if edit.attribute == "exposure":
            return np.full(3, 2.0**value, np.float32)
        source_k = edit.source_value or DAYLIGHT_CCT_K
        gains = white_balance_gains(source_k, kelvin(mired(source_k) + value))
        return gains.astype(np.float32)


def report_of(editor: ExactEditor, data_folder: Path, out_folder: Path) -> EvaluationReport:
    """Evaluate on the test split of the tiny data set."""
    dataset = PairDataset([data_folder], splits=("test",), attributes=tuple(TASKS))
    job = EvaluateJob(num_sweep_scenes=2, num_sweep_steps=5)
    return evaluate_editor(editor, dataset, job, out_folder, SilentProgress())


def test_the_analytic_operator_scores_at_the_floor(data_folder: Path, tmp_path: Path) -> None:
    """An oracle's error is that of 8 bits, about the error read on the true pairs."""
    report = report_of(ExactEditor(), data_folder, tmp_path)

    for score, largest_mae in zip(report.scores, (0.02, 1.5), strict=True):
        assert score.mae < largest_mae
        assert score.floor_mae is not None
        assert score.floor_mae < largest_mae
        assert score.slope == pytest.approx(1.0, abs=0.01)
        assert score.sign_accuracy == 1.0
        assert score.identity_min_db == 99.0
        assert score.num_scenes == 3


def test_an_editor_that_copies_its_source_scores_as_the_copy_baseline(
    data_folder: Path, tmp_path: Path
) -> None:
    """Doing nothing has slope 0 and the error of the mean number asked."""
    report = report_of(ExactEditor(strength=0.0), data_folder, tmp_path)

    for score in report.scores:
        assert score.slope == pytest.approx(0.0, abs=0.01)
        assert score.mae == pytest.approx(score.copy_mae, rel=0.01)


def test_half_the_strength_shows_as_half_the_slope(data_folder: Path, tmp_path: Path) -> None:
    """A wrong gain cannot hide behind a correlation of 1."""
    report = report_of(ExactEditor(strength=0.5), data_folder, tmp_path)

    assert [score.slope for score in report.scores] == pytest.approx([0.5, 0.5], abs=0.02)


def test_curves_rise_over_the_trained_range(data_folder: Path, tmp_path: Path) -> None:
    """Two scenes per attribute, from the lowest to the highest number."""
    report = report_of(ExactEditor(), data_folder, tmp_path)

    assert len(report.curves) == 4
    for curve in report.curves:
        assert list(curve.asked) == sorted(curve.asked)
        readable = [value for value in curve.achieved if value is not None]
        assert readable == sorted(readable)
        assert len(readable) >= 3


def test_a_curve_asks_only_for_settings_that_exist() -> None:
    """From 6500 K, 12000 K is 70.5 mired away, so -120 cannot be asked; exposure has no end."""
    balance = EditScale("white_balance", 10.0, 6500.0)

    assert askable_range(TASKS["white_balance"], balance) == pytest.approx((-70.5, 120.0), abs=0.1)
    assert askable_range(TASKS["exposure"], EditScale("exposure", 1.0)) == (-2.0, 2.0)


def test_the_report_on_disk_names_pictures_that_exist(data_folder: Path, tmp_path: Path) -> None:
    """evaluation.json is what the core's report page reads."""
    report_of(ExactEditor(), data_folder, tmp_path)

    record = json.loads((tmp_path / "evaluation.json").read_text())
    assert len(record["samples"]) == 12
    for sample in record["samples"]:
        for role in ("source_png", "target_png", "ours_png"):
            assert (tmp_path / sample[role]).is_file()


def test_a_split_without_such_pairs_is_an_error(data_folder: Path, tmp_path: Path) -> None:
    """The message says what to raise."""
    editor = ExactEditor({"ambient_level": Task("ambient_level", "", "stops", -2, 2, None, None)})

    with pytest.raises(JobError, match="raise test_share or num_scenes"):
        report_of(editor, data_folder, tmp_path)


def result(scene: str, asked: float, achieved: float | None) -> PairResult:
    """Return the result of one pair."""
    return PairResult(f"{scene}-{asked}", scene, "exposure", asked, achieved, asked + 0.01, 50.0)


def test_unreadable_pairs_are_counted_and_left_out() -> None:
    """Two of three are read: errors 0.1 and 0.3, bias +0.1."""
    results = [result("a", 1.0, 0.9), result("b", -1.0, -0.7), result("b", 2.0, None)]

    score = score_attribute("exposure", results)

    assert (score.num_pairs, score.num_unreadable, score.num_scenes) == (2, 1, 2)
    assert score.mae == pytest.approx(0.2)
    assert score.bias == pytest.approx(0.1)
    assert score.floor_mae == pytest.approx(0.01)
    assert score.copy_mae == 1.0


def test_the_interval_is_wider_when_errors_belong_to_few_scenes() -> None:
    """Pairs of a scene share their error: resampling scenes sees it, resampling pairs would not."""
    errors = np.array([0.0] * 50 + [1.0] * 50)

    two_scenes = bootstrap_interval(errors, ["a"] * 50 + ["b"] * 50)
    many_scenes = bootstrap_interval(errors, [f"scene-{n}" for n in range(100)])

    assert two_scenes == (0.0, 1.0)
    assert 0.3 < many_scenes[0] < 0.5 < many_scenes[1] < 0.7
