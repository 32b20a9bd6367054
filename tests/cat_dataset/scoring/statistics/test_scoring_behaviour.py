import pytest

from cat_dataset.records import EditScale
from cat_dataset.scoring.evaluation import EvaluationReport
from cat_dataset.scoring.statistics.combinations import CombinationScore
from cat_dataset.store.pair_dataset import PairDataset
from tests.cat_dataset.scored_data import (
    CAMERA,
    DistortedOracle,
    behaviour_of,
    exact,
    report_of,
    scored,
)


def test_cross_talk_of_a_tenth_is_found_where_it_is(held_out: PairDataset) -> None:
    """Exposure turns the balance by a tenth of its range per range; the balance does nothing."""
    _, _, plan = scored(held_out, DistortedOracle(exact), attributes=CAMERA)
    spans = {name: high - low for name, (low, high) in plan.ranges.items()}

    def leaking(edit: EditScale) -> list[tuple[str, float]]:
        leak = 0.1 * edit.value * spans["white_balance"] / spans["exposure"]
        extra = [("white_balance", leak)] if edit.attribute == "exposure" else []
        return [(edit.attribute, edit.value), *extra]

    matrix = {(e.swept, e.read): e.slope for e in report_of(held_out, leaking).cross_talk}

    assert matrix["exposure", "white_balance"] == pytest.approx(0.1, abs=0.01)
    assert matrix["exposure", "exposure"] == pytest.approx(1.0, abs=0.01)
    assert matrix["white_balance", "exposure"] == pytest.approx(0.0, abs=0.01)
    assert matrix["white_balance", "white_balance"] == pytest.approx(1.0, abs=0.02)


def test_a_lamp_that_brightens_the_picture_is_no_cross_talk(
    exact_light_report: EvaluationReport,
) -> None:
    """Only what exceeds the true picture counts."""
    for entry in exact_light_report.cross_talk:
        assert entry.slope == pytest.approx(1.0 if entry.swept == entry.read else 0.0, abs=0.02)


def combined(report: EvaluationReport, attribute: str) -> list[CombinationScore]:
    """Return the combinations of an attribute, read from light."""
    return [c for c in report.combinations if c.attribute == attribute and c.readout == "physical"]


def test_an_exact_editor_composes_and_knows_no_order(exact_light_report: EvaluationReport) -> None:
    """Each attribute combined is as right as the true picture reads."""
    assert {c.combination for c in exact_light_report.combinations} >= {
        "exposure+white_balance",
        "exposure+light_power",
        "ambient_level+white_balance",
    }
    for score in exact_light_report.combinations:
        assert score.order_codes == 0.0
        assert score.mae < 0.02 * score.ignoring_mae
        assert score.mae == pytest.approx(score.floor_mae, abs=1e-6)


def test_an_editor_that_ignores_one_of_two_shows_in_that_one_alone(held_out: PairDataset) -> None:
    """One pooled number would hide it: exposure is right, the balance misses all that was asked."""

    def one_sided(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, edit.value if edit.attribute == "exposure" else 0.0)]

    report = report_of(held_out, one_sided)

    (exposure,), (balance,) = (combined(report, name) for name in CAMERA)
    assert exposure.mae < 0.02
    assert balance.mae == pytest.approx(balance.ignoring_mae, rel=0.02)


def test_an_editor_that_listens_to_the_first_word_has_an_order_gap(held_out: PairDataset) -> None:
    """A tenth of the second edit is lost: the orders differ by a tenth of both numbers."""
    report = scored(held_out, DistortedOracle(exact, late_edits_fade=0.1), attributes=CAMERA)[0]

    for name in CAMERA:
        (score,) = combined(report, name)
        assert score.order_mae == pytest.approx(0.1 * score.ignoring_mae, rel=0.1)
        assert score.order_codes is not None
        assert score.order_codes > 0.0


def test_standing_still_shows_where_nothing_falls(
    exact_light_report: EvaluationReport, held_out: PairDataset
) -> None:
    """A copy is monotonic to the letter: none of its steps falls, all of them stand."""
    copies = report_of(held_out, lambda edit: [(edit.attribute, 0.0)], ("exposure",))

    standing = behaviour_of(copies, "exposure", "physical")
    rising = behaviour_of(exact_light_report, "exposure", "physical")

    assert (standing.monotonicity_violations, standing.standing_steps) == (0.0, 1.0)
    assert (rising.monotonicity_violations, rising.standing_steps) == (0.0, 0.0)


def test_a_kink_shows_as_falling_steps(held_out: PairDataset) -> None:
    """Numbers above one stop fall back: a quarter of the steps of a sweep over two stops."""

    def folded(edit: EditScale) -> list[tuple[str, float]]:
        value = edit.value if edit.value < 1.0 else 2.0 - edit.value
        return [(edit.attribute, value)]

    behaviour = behaviour_of(report_of(held_out, folded, ("exposure",)), "exposure", "physical")

    assert behaviour.monotonicity_violations == pytest.approx(1 / 6)
    assert behaviour.num_steps == 12


def test_another_unit_must_give_the_same_picture(held_out: PairDataset) -> None:
    """Kelvin instead of mired, a factor instead of stops: the same numbers, the same codes."""
    report = report_of(held_out, exact)

    for name in CAMERA:
        behaviour = behaviour_of(report, name, "physical")
        assert behaviour.unit_codes == 0.0
