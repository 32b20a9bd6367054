import numpy as np
import pytest

from cat_dataset.records import EditScale
from cat_dataset.scoring.evaluation import EvaluationReport
from cat_dataset.store.pair_dataset import PairDataset
from tests.cat_dataset.scored_data import (
    CAMERA,
    JOB,
    LIGHT,
    DistortedOracle,
    behaviour_of,
    exact,
    report_of,
    score_of,
    scored,
)


@pytest.mark.parametrize("attribute", LIGHT)
@pytest.mark.parametrize("readout", ["physical", "matching"])
def test_an_exact_editor_scores_as_exact(
    exact_light_report: EvaluationReport, attribute: str, readout: str
) -> None:
    """Slope 1, every sign right, error at the floor of 8 bits: by both readouts."""
    score = score_of(exact_light_report, attribute, readout)

    assert score.slope == pytest.approx(1.0, abs=0.002)
    assert score.sign_accuracy == score.hit_rate == 1.0
    assert score.nmae < 0.001
    assert score.r2 == pytest.approx(1.0, abs=1e-4)
    assert score.num_scenes == 4


def test_a_gain_of_0_8_shows_as_the_slope(held_out: PairDataset) -> None:
    """A wrong gain cannot hide behind a correlation of 1: R2 is 1, the slope is not."""
    report = report_of(held_out, lambda edit: [(edit.attribute, 0.8 * edit.value)], LIGHT)

    for attribute in LIGHT:
        for readout in ("physical", "matching"):
            score = score_of(report, attribute, readout)
            assert score.slope == pytest.approx(0.8, abs=0.01)
            assert score.r2 == pytest.approx(1.0, abs=1e-3)
            assert score.sign_accuracy == 1.0


@pytest.mark.parametrize("readout", ["physical", "matching"])
def test_an_offset_shows_as_intercept_bias_and_at_zero(held_out: PairDataset, readout: str) -> None:
    """A quarter of a stop too bright, whatever is asked."""
    report = report_of(held_out, lambda edit: [(edit.attribute, edit.value + 0.25)], ("exposure",))

    score, behaviour = (f(report, "exposure", readout) for f in (score_of, behaviour_of))
    assert score.bias == pytest.approx(0.25, abs=0.005)
    assert score.intercept == pytest.approx(0.25, abs=0.005)
    assert score.slope == pytest.approx(1.0, abs=0.005)
    assert score.mae == pytest.approx(0.25, abs=0.005)
    assert behaviour.zero_mae == pytest.approx(0.25, abs=0.005)
    assert behaviour.identity_mean_db is not None
    assert behaviour.identity_mean_db < 30.0
    assert behaviour.identity_delta_e is not None
    assert behaviour.identity_p95_delta_e is not None
    assert 1.0 < behaviour.identity_delta_e < behaviour.identity_p95_delta_e < 12.0
    assert behaviour.return_mae == pytest.approx(0.5, abs=0.01)  # it comes twice
    assert behaviour.additivity_mae == pytest.approx(0.25, abs=0.01)  # once too often


def test_a_copy_obeys_nothing_and_is_perfect_in_identity(held_out: PairDataset) -> None:
    """Slope 0, no sign right, MAE the mean number asked: what smoothness would reward."""
    report, _, _ = scored(held_out, with_baselines=True, attributes=CAMERA)
    assert report.editors == ("copy", "blend", "oracle")

    for attribute in CAMERA:
        copies = [s for s in report.scores if s.editor == "copy" and s.attribute == attribute]
        behaviour = next(b for b in report.behaviour if b.attribute == attribute)
        for score in copies:
            assert score.slope is None or abs(score.slope) < 1e-3
            assert score.sign_accuracy == 0.0
        assert behaviour.identity_min_db == 99.0
        assert (behaviour.identity_delta_e, behaviour.identity_p95_delta_e) == (0.0, 0.0)
        assert behaviour.monotonicity_violations == 0.0
        assert behaviour.largest_step_ratio == pytest.approx(0.0, abs=1e-6)


def test_the_oracle_beats_the_blend_and_both_beat_the_copy(held_out: PairDataset) -> None:
    """The blend of pixels gets the ends right and the middle wrong."""
    report, _, _ = scored(held_out, with_baselines=True, attributes=LIGHT)

    for attribute in LIGHT:
        mae = {
            s.editor: s.mae
            for s in report.scores
            if (s.attribute, s.readout, s.values) == (attribute, "physical", "within")
        }
        assert mae["oracle"] < 0.1 * mae["blend"] < 0.1 * mae["copy"]


def test_noise_shows_as_distance_and_not_as_slope(held_out: PairDataset) -> None:
    """A median over pixels still finds the gain; the nearest true picture is far away."""
    still, noisy = (
        scored(held_out, DistortedOracle(exact, noise_codes=codes), attributes=("exposure",))
        for codes in (0.0, 12.0)
    )

    distances = [
        np.mean([r.off_path_codes for r in found.results if r.role == "pair"])
        for _, found, _ in (still, noisy)
    ]
    assert score_of(noisy[0], "exposure", "matching").slope == pytest.approx(1.0, abs=0.03)
    assert distances[0] < 1.5
    assert distances[1] == pytest.approx(12.0, rel=0.15)
    for (report, _, _), distance, least_db in (
        (still, distances[0], 40.0),
        (noisy, distances[1], 24.0),
    ):
        score = score_of(report, "exposure", "matching")
        assert score.off_path_codes == pytest.approx(distance, rel=0.01)
        assert score.to_truth_db is not None
        assert least_db < score.to_truth_db < least_db + 60.0


def test_a_tint_makes_the_readouts_disagree(held_out: PairDataset) -> None:
    """What is no true edit of this attribute lies off the path, and is not read as one."""

    def tinted(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, edit.value), ("white_balance", 80.0)]

    _, findings, _ = scored(held_out, DistortedOracle(tinted), attributes=("exposure",))

    distance = [r.off_path_codes for r in findings.results if r.role == "pair"]
    assert np.median([d for d in distance if d is not None]) > 5.0


def test_numbers_beyond_and_in_gaps_are_scored_apart(held_out: PairDataset) -> None:
    """An editor that saturates at the trained range fails beyond it, and only there."""
    gap = JOB.model_copy(update={"held_out_values": {"exposure": ((0.5, 1.0),)}})
    whole = scored(held_out, DistortedOracle(exact), attributes=("exposure",), job=gap)[1]

    def saturated(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, float(np.clip(edit.value, -1.97, 1.97)))]

    report = scored(
        held_out,
        DistortedOracle(saturated),
        attributes=("exposure",),
        job=gap,
        with_baselines=True,
    )[0]

    own = report.editors[0]
    by_values = {s.values: s for s in report.scores if (s.editor, s.readout) == (own, "matching")}
    assert set(by_values) == {"within", "interpolation", "extrapolation"}
    assert by_values["within"].mae < 0.02
    assert by_values["interpolation"].mae < 0.02
    assert by_values["extrapolation"].mae > 0.3
    of_copy = {
        c.values: c.ratio
        for c in report.comparisons
        if (c.other, c.readout) == ("copy", "matching") and c.ratio is not None
    }
    assert set(of_copy) == set(by_values)
    assert min(of_copy["within"], of_copy["interpolation"]) > 30.0
    assert of_copy["extrapolation"] < 10.0
    in_gap = [r.asked for r in whole.results if (r.role, r.values) == ("pair", "interpolation")]
    assert min(in_gap) < 0.0 < max(in_gap)  # pairs are trained in both directions
    assert all(0.5 <= abs(value) <= 1.0 for value in in_gap)


def test_the_whole_report_is_deterministic(held_out: PairDataset) -> None:
    """Seeded bootstrap, seeded partners of combinations, fixed order."""
    one, other = (report_of(held_out, exact).to_json() for _ in range(2))

    assert one == other
