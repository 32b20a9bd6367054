import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cat_dataset.attributes.table import LAMP
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import encode_display
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import Asked, EditFailure
from cat_dataset.scoring.questions.known_light import with_known_light
from cat_dataset.scoring.questions.request_plan import plan_requests
from cat_dataset.scoring.questions.requests import make_request
from cat_dataset.scoring.truth import REST, LightTruth
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.system.progress import SilentProgress
from tests.train.conftest import ATTRIBUTES, tiny_job
from train.edit.editing import Editor
from train.evaluate.evaluated_models import AdapterEditor, float_order_gap
from train.evaluate.evaluation import _zero_shot_note, evaluate_editor, plan_evaluation

JOB = EvaluateJob(
    num_sweep_scenes=1, num_sweep_steps=3, num_behaviour_pairs=2, num_combination_pairs=2
)


@pytest.fixture(scope="module")
def dataset(data_folder: Path) -> PairDataset:
    """The test split of the tiny data set."""
    return PairDataset([data_folder], splits=("test",))


@pytest.fixture(scope="module")
def evaluated(
    editor: Editor, dataset: PairDataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of an evaluation with another editor: the same editor under another name."""
    folder = tmp_path_factory.mktemp("evaluated")
    others = {"no_task_id": editor}
    evaluate_editor(editor, dataset, JOB, folder, SilentProgress(), others=others)
    return folder


def test_every_editor_answers_the_same_questions(evaluated: Path) -> None:
    """Adapter, words, the other editor and the baselines stand in one table, edit by edit."""
    rows = pq.read_table(evaluated / "edits.parquet").to_pylist()

    keys: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        keys.setdefault(row["editor"], set()).add((row["key"], row["attribute"]))
    assert list(keys) == [
        *("adapter", "ratio not given", "words", "no_task_id", "copy", "blend", "oracle"),
    ]
    assert len({frozenset(asked) for asked in keys.values()}) == 1


def test_an_editor_is_given_the_light_of_its_source_as_it_is_then(dataset: PairDataset) -> None:
    """After one stop less of the lamp its ratio is half, and its colour is the lamp's own."""
    lamp, rest = (np.full((16, 16, 3), level, np.float32) for level in (0.2, 0.1))
    source = encode_display(lamp + rest, 1.0)
    known = np.ones((16, 16), np.bool_)
    truth = LightTruth(source, {LAMP: lamp, REST: rest}, known, lamp_cct_k=3000.0)
    power, warmer = EditScale("light_power", -1.0), EditScale("light_temperature", 50.0)
    first = make_request(dataset.rows[0], "first", (power,))
    second = make_request(
        dataset.rows[0], "second", (warmer, EditScale("exposure", 1.0)), follows=first
    )

    (at_first,) = with_known_light(first, truth)
    lamp, camera = with_known_light(second, truth)

    assert at_first.light_ratio == pytest.approx((2.0, 2.0, 2.0))
    assert lamp.light_ratio == pytest.approx((1.0, 1.0, 1.0))
    assert lamp.source_value == pytest.approx(3000.0)
    assert lamp.target_value == pytest.approx(1e6 / (1e6 / 3000.0 + 50.0))
    assert camera == EditScale("exposure", 1.0)


def test_another_name_of_the_same_editor_scores_the_same(evaluated: Path) -> None:
    """The paired difference is exactly zero, the interval too."""
    report = json.loads((evaluated / "evaluation.json").read_text())
    other = [c for c in report["comparisons"] if c["other"] == "no_task_id"]

    assert {c["attribute"] for c in other} == set(ATTRIBUTES)
    for comparison in other:
        assert comparison["extra_mae"] == 0.0
        if comparison["num_scenes"] > 1:
            assert comparison["extra_interval"] == [0.0, 0.0]
    assert max(comparison["num_scenes"] for comparison in other) > 1


def test_the_adapter_is_silent_at_zero_and_knows_no_order(evaluated: Path) -> None:
    """By construction: 99 dB at zero, no code between two orders of the same edits."""
    report = json.loads((evaluated / "evaluation.json").read_text())

    for score in (b for b in report["behaviour"] if b["editor"] == "adapter"):
        assert score["identity_min_db"] == 99.0
        assert score["unit_codes"] <= 1.0  # a number typed in another unit may differ in its digits
    orders = [c["order_codes"] for c in report["combinations"] if c["editor"] == "adapter"]
    assert orders
    assert set(orders) == {0.0}


def test_the_report_names_files_that_exist_and_what_is_missing(evaluated: Path) -> None:
    """JSON, Parquet, Markdown, curves, pictures; and that the base was trained without digits."""
    report = json.loads((evaluated / "evaluation.json").read_text())

    for name in ("scores.md", "response_curves.png", "response_curves.svg"):
        assert (evaluated / name).stat().st_size > 100
    for sample in report["samples"]:
        assert (evaluated / sample["ours_png"]).is_file()
    assert any("trained without digits" in note for note in report["notes"])
    assert any("Order of edits" in note for note in report["notes"])
    assert (
        "| adapter | exposure | stops | test | within | physical |"
        in (evaluated / "scores.md").read_text()
    )


def test_words_reach_the_base_without_the_adapter(editor: Editor, dataset: PairDataset) -> None:
    """Numbers of one third of the range are one word: the pictures are equal."""
    row = next(row for row in dataset.rows if row.edits[0].attribute == "exposure")
    source = dataset.read(row).source_HW3
    values = (0.05, 0.3, 1.9)
    asked = [
        Asked(make_request(row, "pair", (EditScale("exposure", value),)), source)
        for value in values
    ]

    slight, also_slight, strong = AdapterEditor("words", editor, "words").answer(asked)
    small, large, _ = AdapterEditor("adapter", editor).answer(asked)

    assert not isinstance(slight, EditFailure)
    assert np.array_equal(slight, also_slight)
    assert not np.array_equal(slight, strong)
    assert not np.array_equal(small, large)


def test_what_a_model_cannot_do_is_a_failure_and_not_the_end(
    editor: Editor, dataset: PairDataset
) -> None:
    """An attribute that it was not trained on, between two that it was."""
    row = dataset.rows[0]
    source = dataset.read(row).source_HW3
    names = ("exposure", "aperture", "exposure")
    asked = [Asked(make_request(row, "pair", (EditScale(name, 0.5),)), source) for name in names]

    first, refused, last = AdapterEditor("adapter", editor).answer(asked)

    assert isinstance(refused, EditFailure)
    assert "not trained on aperture" in refused.reason
    assert np.array_equal(first, last)


def test_the_order_gap_is_taken_before_the_display_rounds(
    editor: Editor, dataset: PairDataset
) -> None:
    """Summed codes differ by nothing; nothing asked in two orders has no gap at all."""
    row = dataset.rows[0]
    source = dataset.read(row).source_HW3
    edits = (EditScale("exposure", 0.7), EditScale("white_balance", 40.0))
    together = make_request(row, "combined", edits)

    assert float_order_gap(editor, [Asked(together, source)]) == pytest.approx(0.0, abs=1e-6)
    assert float_order_gap(editor, []) is None


def test_only_trained_numbers_are_asked_except_beyond(editor: Editor, dataset: PairDataset) -> None:
    """Held-out pairs outside of the adapter's range are left out; `beyond` says what it is."""
    plan = plan_evaluation(editor, dataset, JOB)

    for request in plan.requests():
        for edit in request.edits:
            low, high = plan.ranges[edit.attribute]
            assert (low <= edit.value <= high) == (request.role != "beyond")


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ({}, "Trained together: nothing; the rest is zero-shot."),
        (
            {
                "data.pairs": "composed",
                "data.max_edits": 2,
                "data.held_out_combinations": ("light_power+exposure",),
            },
            "Trained together: any 2 at once but exposure+light_power; the rest is zero-shot.",
        ),
    ],
)
def test_the_report_says_what_was_trained_together(
    data_folder: Path, settings: dict[str, object], note: str
) -> None:
    """Only a combination that was never trained tests zero-shot."""
    assert _zero_shot_note(tiny_job().with_settings(settings), [data_folder]) == note


def test_others_must_not_take_the_name_of_a_baseline(
    editor: Editor, dataset: PairDataset, tmp_path: Path
) -> None:
    """The tables would mix them up."""
    with pytest.raises(JobError, match="that name is taken"):
        evaluate_editor(editor, dataset, JOB, tmp_path, SilentProgress(), others={"copy": editor})


def test_a_split_without_such_pairs_is_an_error() -> None:
    """The message says what to raise."""
    with pytest.raises(JobError, match="raise test_share or num_scenes"):
        plan_requests([], {"exposure": (-2.0, 2.0)}, JOB)
