from collections.abc import Sequence
from itertools import combinations

import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import Answer, Asked, EditFailure
from cat_dataset.scoring.evaluation import EvaluationReport
from cat_dataset.scoring.questions.combination_requests import separates
from cat_dataset.scoring.questions.request_plan import combination_name
from cat_dataset.scoring.score_editors import plan_benchmark
from cat_dataset.store.pair_dataset import PairDataset
from tests.cat_dataset.scored_data import (
    JOB,
    LIGHT,
    DistortedOracle,
    exact,
    scored,
    write_kept_data,
    write_scored_data,
)

PAIRS_OF_LIGHT = {combination_name(names) for names in combinations(LIGHT, 2)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PairDataset:
    """Pairs with their light beside them: every layer is known."""
    return write_kept_data(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PairDataset:
    """Pairs alone: a pair knows the lamp that it edits."""
    return write_scored_data(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def exact_report(kept: PairDataset) -> EvaluationReport:
    """What an editor without error scores."""
    return scored(kept, DistortedOracle(exact))[0]


def test_every_two_attributes_of_light_are_separated(exact_report: EvaluationReport) -> None:
    """Both readouts read each of them as the true picture reads, in every combination."""
    found = {(c.combination, c.attribute, c.readout) for c in exact_report.combinations}

    assert {name for name, _, _ in found} == PAIRS_OF_LIGHT
    assert len(found) == 2 * 2 * len(PAIRS_OF_LIGHT)
    for score in exact_report.combinations:
        assert score.mae < 0.03 * score.ignoring_mae
        assert score.alone_mae < 0.03 * score.ignoring_mae
        assert score.order_codes == 0.0


def test_without_kept_light_a_pair_asks_what_it_can_show(plain: PairDataset) -> None:
    """Nothing of a lamp beside the sky, which no pair of one edit shows apart."""
    plan = plan_benchmark(plain, JOB, LIGHT)

    asked = {combination_name(r.attributes) for r in plan.requests() if r.role == "combined"}

    of_two_lights = {"ambient_level+light_power", "ambient_level+light_temperature"}
    assert asked == PAIRS_OF_LIGHT - of_two_lights
    for request in plan.requests():
        if request.role == "combined":
            assert separates(plan.rows[request.pair_key], request.attributes)


def test_each_number_of_a_combination_is_asked_alone_on_the_same_source(plain: PairDataset) -> None:
    """Once: the pair's own number is asked anyhow."""
    requests = plan_benchmark(plain, JOB, LIGHT).requests()

    alone = [(r.pair_key, r.edits[0].attribute, r.edits[0].value) for r in requests
             if r.role in ("pair", "alone")]  # fmt: skip

    assert len({request.key for request in requests}) == len(requests)
    for request in requests:
        if request.role == "combined":
            for edit in request.edits:
                assert (request.pair_key, edit.attribute, edit.value) in alone


def test_an_editor_that_errs_alike_alone_has_a_ratio_of_one(plain: PairDataset) -> None:
    """A gain of 0.8 errs by a fifth of every number: other numbers alone would hide it."""
    report = scored(plain, DistortedOracle(lambda e: [(e.attribute, 0.8 * e.value)]))[0]

    assert report.combinations
    for score in report.combinations:
        assert score.mae == pytest.approx(0.2 * score.ignoring_mae, rel=0.15)
        assert score.ratio == pytest.approx(1.0, abs=0.15)
        assert score.ratio_interval is not None
        # a median between two pictures of 8 bits is known to two thousandths of a stop
        slack = 0.02 + (0.002 / score.alone_mae if score.attribute == "exposure" else 0.0)
        assert score.ratio_interval[0] - slack <= 1.0 <= score.ratio_interval[1] + slack


def test_an_editor_that_drops_the_second_number_is_as_bad_as_ignoring_it(
    plain: PairDataset,
) -> None:
    """Alone it is exact, so the ratio is large, and its interval too."""
    editor = DistortedOracle(exact, late_edits_fade=1.0)
    report = scored(plain, editor, attributes=("exposure", "white_balance"))[0]

    assert report.combinations
    for score in report.combinations:
        half = 0.5 * score.ignoring_mae  # each attribute is the second one half of the time
        assert score.mae == pytest.approx(half, rel=0.5)
        assert score.ratio is not None
        assert score.ratio > 10.0


def test_failing_at_combinations_counts_as_ignoring_them(plain: PairDataset) -> None:
    """Where alone was readable, no picture is an error of all that was asked."""

    class Refuses(DistortedOracle):
        def answer(self, asked: Sequence[Asked]) -> list[Answer]:
            answers = super().answer(asked)
            return [
                EditFailure("one at a time") if len(item.request.edits) > 1 else answer
                for item, answer in zip(asked, answers, strict=True)
            ]

    report = scored(plain, Refuses(exact), attributes=("exposure", "light_power"))[0]

    assert report.combinations
    for score in report.combinations:
        assert score.mae == pytest.approx(score.ignoring_mae)


def test_a_job_says_which_combinations_are_asked(plain: PairDataset, kept: PairDataset) -> None:
    """Those that training left out, for example; of which something must be measurable."""
    job = JOB.model_copy(update={"combinations": ("light_power+light_temperature",)})
    both = JOB.model_copy(update={"combinations": ("light_power+ambient_level",)})

    asked = {r.attributes for r in plan_benchmark(plain, job).requests() if r.role == "combined"}

    assert asked == {("light_power", "light_temperature")}
    with pytest.raises(JobError, match="no pair of split 'test' separates light_power and ambient"):
        plan_benchmark(plain, both)
    assert any(r.role == "combined" for r in plan_benchmark(kept, both).requests())
    with pytest.raises(JobError, match="names light_power, which is not measured"):
        plan_benchmark(plain, job, ("light_temperature",))


@pytest.mark.parametrize("name", ["exposure", "exposure+exposure", "object_rotation+exposure"])
def test_combinations_that_nobody_can_measure_are_refused(name: str) -> None:
    """By the manifest."""
    with pytest.raises(ValueError, match="must name two or more of exposure"):
        EvaluateJob(combinations=(name,))


def test_the_number_of_combinations_is_bounded(plain: PairDataset) -> None:
    """At most so many pairs of each."""
    job = JOB.model_copy(update={"num_combination_pairs": 2})

    requests = [r for r in plan_benchmark(plain, job, LIGHT).requests() if r.role == "combined"]

    names = [combination_name(request.attributes) for request in requests]
    assert {names.count(name) for name in names} == {2}


def test_cross_talk_with_a_lamp_shows_when_the_camera_is_swept(kept: PairDataset) -> None:
    """Asked for exposure, the lamp goes up as well: read relative to the steady rest."""
    spans = {n: h - low for n, (low, h) in plan_benchmark(kept, JOB, LIGHT).ranges.items()}

    def leaking(edit: EditScale) -> list[tuple[str, float]]:
        leak = 0.2 * edit.value * spans["light_power"] / spans["exposure"]
        extra = [("light_power", leak)] if edit.attribute == "exposure" else []
        return [(edit.attribute, edit.value), *extra]

    leaky, clean = (
        {(e.swept, e.read): e.slope for e in scored(kept, DistortedOracle(d))[0].cross_talk}
        for d in (leaking, exact)
    )

    assert leaky["exposure", "light_power"] == pytest.approx(0.2, abs=0.03)
    assert leaky["exposure", "ambient_level"] == pytest.approx(0.0, abs=0.03)
    for (swept, read), slope in clean.items():
        assert slope == pytest.approx(1.0 if swept == read else 0.0, abs=0.03)
    assert {read for swept, read in clean if swept == "exposure"} == set(LIGHT)
