from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.compose import compose_light
from cat_dataset.manifest import DatasetJob
from cat_dataset.plans import PairPlan
from cat_dataset.reading import PairDataset
from cat_dataset.records import EditScale
from cat_dataset.scoring.askable import class_of_value
from cat_dataset.scoring.behaviour import BehaviourScore
from cat_dataset.scoring.combinations import CombinationScore
from cat_dataset.scoring.editors import Answer, Asked, EditFailure
from cat_dataset.scoring.markdown import interval
from cat_dataset.scoring.report import EvaluationReport
from cat_dataset.scoring.results import EditResult
from cat_dataset.scoring.scores import (
    AttributeScore,
    compare,
    response_line,
    score_attribute,
    sign_accuracy,
)
from cat_dataset.shards import shard_path, write_index, write_shard
from cat_dataset.tables import staged_table
from tests.cat_dataset.linear_light import make_annotation
from tests.cat_dataset.scored_data import (
    JOB,
    LIGHT,
    SIZE_PX,
    DistortedOracle,
    aperture_sweep,
    exact,
    scored,
    write_scored_data,
)

CAMERA = ("exposure", "white_balance")
Distort = Callable[[EditScale], Sequence[tuple[str, float]]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> PairDataset:
    """Held-out pairs of light and of a lens, of four scenes."""
    return write_scored_data(tmp_path_factory.mktemp("scored"))


@pytest.fixture(scope="module")
def exact_report(dataset: PairDataset) -> EvaluationReport:
    """What an editor without error scores on all attributes of light."""
    return report_of(dataset, exact, LIGHT)


def report_of(
    dataset: PairDataset, distort: Distort, attributes: Sequence[str] = CAMERA, **settings: float
) -> EvaluationReport:
    """Score an editor whose error is known."""
    return scored(dataset, DistortedOracle(distort, **settings), attributes=attributes)[0]


def score_of(report: EvaluationReport, attribute: str, readout: str) -> AttributeScore:
    """Return one row of the first table."""
    wanted = (attribute, readout, "within")
    (found,) = [s for s in report.scores if (s.attribute, s.readout, s.values) == wanted]
    return found


def behaviour_of(report: EvaluationReport, attribute: str, readout: str) -> BehaviourScore:
    """Return the behaviour of one attribute."""
    wanted = (attribute, readout)
    (found,) = [b for b in report.behaviour if (b.attribute, b.readout) == wanted]
    return found


@pytest.mark.parametrize("attribute", LIGHT)
@pytest.mark.parametrize("readout", ["physical", "ladder"])
def test_an_exact_editor_scores_as_exact(
    exact_report: EvaluationReport, attribute: str, readout: str
) -> None:
    """Slope 1, every sign right, error at the floor of 8 bits: by both readouts."""
    score = score_of(exact_report, attribute, readout)

    assert score.slope == pytest.approx(1.0, abs=0.002)
    assert score.sign_accuracy == score.hit_rate == 1.0
    assert score.nmae < 0.001
    assert score.r2 == pytest.approx(1.0, abs=1e-4)
    assert score.num_scenes == 4


def test_a_gain_of_0_8_shows_as_the_slope(dataset: PairDataset) -> None:
    """A wrong gain cannot hide behind a correlation of 1: R2 is 1, the slope is not."""
    report = report_of(dataset, lambda edit: [(edit.attribute, 0.8 * edit.value)], LIGHT)

    for attribute in LIGHT:
        for readout in ("physical", "ladder"):
            score = score_of(report, attribute, readout)
            assert score.slope == pytest.approx(0.8, abs=0.01)
            assert score.r2 == pytest.approx(1.0, abs=1e-3)
            assert score.sign_accuracy == 1.0


@pytest.mark.parametrize("readout", ["physical", "ladder"])
def test_an_offset_shows_as_intercept_bias_and_at_zero(dataset: PairDataset, readout: str) -> None:
    """A quarter of a stop too bright, whatever is asked."""
    report = report_of(dataset, lambda edit: [(edit.attribute, edit.value + 0.25)], ("exposure",))

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


def test_a_copy_obeys_nothing_and_is_perfect_in_identity(dataset: PairDataset) -> None:
    """Slope 0, no sign right, MAE the mean number asked: what smoothness would reward."""
    report, _, _ = scored(dataset, with_baselines=True, attributes=CAMERA)
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


def test_the_oracle_beats_the_blend_and_both_beat_the_copy(dataset: PairDataset) -> None:
    """The blend of pixels gets the ends right and the middle wrong."""
    report, _, _ = scored(dataset, with_baselines=True, attributes=LIGHT)

    for attribute in LIGHT:
        mae = {
            s.editor: s.mae
            for s in report.scores
            if (s.attribute, s.readout, s.values) == (attribute, "physical", "within")
        }
        assert mae["oracle"] < 0.1 * mae["blend"] < 0.1 * mae["copy"]


def test_noise_shows_as_distance_and_not_as_slope(dataset: PairDataset) -> None:
    """A median over pixels still finds the gain; the ladder says how far the result is off."""
    still, noisy = (
        scored(dataset, DistortedOracle(exact, noise_codes=codes), attributes=("exposure",))
        for codes in (0.0, 12.0)
    )

    distances = [
        np.mean([r.off_path_codes for r in found.results if r.role == "pair"])
        for _, found, _ in (still, noisy)
    ]
    assert score_of(noisy[0], "exposure", "ladder").slope == pytest.approx(1.0, abs=0.03)
    assert distances[0] < 1.5
    assert distances[1] == pytest.approx(12.0, rel=0.15)
    for (report, _, _), distance, least_db in (
        (still, distances[0], 40.0),
        (noisy, distances[1], 24.0),
    ):
        score = score_of(report, "exposure", "ladder")
        assert score.off_path_codes == pytest.approx(distance, rel=0.01)
        assert score.to_truth_db is not None
        assert least_db < score.to_truth_db < least_db + 60.0


def test_a_tint_makes_the_readouts_disagree(dataset: PairDataset) -> None:
    """What is no true edit of this attribute lies off the path, and is not read as one."""

    def tinted(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, edit.value), ("white_balance", 80.0)]

    _, findings, _ = scored(dataset, DistortedOracle(tinted), attributes=("exposure",))

    distance = [r.off_path_codes for r in findings.results if r.role == "pair"]
    assert np.median([d for d in distance if d is not None]) > 5.0


def test_cross_talk_of_a_tenth_is_found_where_it_is(dataset: PairDataset) -> None:
    """Exposure turns the balance by a tenth of its range per range; the balance does nothing."""
    _, _, plan = scored(dataset, DistortedOracle(exact), attributes=CAMERA)
    spans = {name: high - low for name, (low, high) in plan.ranges.items()}

    def leaking(edit: EditScale) -> list[tuple[str, float]]:
        leak = 0.1 * edit.value * spans["white_balance"] / spans["exposure"]
        extra = [("white_balance", leak)] if edit.attribute == "exposure" else []
        return [(edit.attribute, edit.value), *extra]

    matrix = {(e.swept, e.read): e.slope for e in report_of(dataset, leaking).cross_talk}

    assert matrix["exposure", "white_balance"] == pytest.approx(0.1, abs=0.01)
    assert matrix["exposure", "exposure"] == pytest.approx(1.0, abs=0.01)
    assert matrix["white_balance", "exposure"] == pytest.approx(0.0, abs=0.01)
    assert matrix["white_balance", "white_balance"] == pytest.approx(1.0, abs=0.02)


def test_a_lamp_that_brightens_the_picture_is_no_cross_talk(
    exact_report: EvaluationReport,
) -> None:
    """Only what exceeds the true picture counts."""
    for entry in exact_report.cross_talk:
        assert entry.slope == pytest.approx(1.0 if entry.swept == entry.read else 0.0, abs=0.02)


def combined(report: EvaluationReport, attribute: str) -> list[CombinationScore]:
    """Return the combinations of an attribute, read from light."""
    return [c for c in report.combinations if c.attribute == attribute and c.readout == "physical"]


def test_an_exact_editor_composes_and_knows_no_order(exact_report: EvaluationReport) -> None:
    """Each attribute combined is as right as the true picture reads."""
    assert {c.combination for c in exact_report.combinations} >= {
        "exposure+white_balance",
        "exposure+light_power",
        "ambient_level+white_balance",
    }
    for score in exact_report.combinations:
        assert score.order_codes == 0.0
        assert score.mae < 0.02 * score.ignoring_mae
        assert score.mae == pytest.approx(score.floor_mae, abs=1e-6)


def test_an_editor_that_ignores_one_of_two_shows_in_that_one_alone(dataset: PairDataset) -> None:
    """One pooled number would hide it: exposure is right, the balance misses all that was asked."""

    def one_sided(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, edit.value if edit.attribute == "exposure" else 0.0)]

    report = report_of(dataset, one_sided)

    (exposure,), (balance,) = (combined(report, name) for name in CAMERA)
    assert exposure.mae < 0.02
    assert balance.mae == pytest.approx(balance.ignoring_mae, rel=0.02)


def test_an_editor_that_listens_to_the_first_word_has_an_order_gap(dataset: PairDataset) -> None:
    """A tenth of the second edit is lost: the orders differ by a tenth of both numbers."""
    report = scored(dataset, DistortedOracle(exact, late_edits_fade=0.1), attributes=CAMERA)[0]

    for name in CAMERA:
        (score,) = combined(report, name)
        assert score.order_mae == pytest.approx(0.1 * score.ignoring_mae, rel=0.1)
        assert score.order_codes is not None
        assert score.order_codes > 0.0


def test_standing_still_shows_where_nothing_falls(
    exact_report: EvaluationReport, dataset: PairDataset
) -> None:
    """A copy is monotonic to the letter: none of its steps falls, all of them stand."""
    copies = report_of(dataset, lambda edit: [(edit.attribute, 0.0)], ("exposure",))

    standing = behaviour_of(copies, "exposure", "physical")
    rising = behaviour_of(exact_report, "exposure", "physical")

    assert (standing.monotonicity_violations, standing.standing_steps) == (0.0, 1.0)
    assert (rising.monotonicity_violations, rising.standing_steps) == (0.0, 0.0)


def test_a_kink_shows_as_falling_steps(dataset: PairDataset) -> None:
    """Numbers above one stop fall back: a quarter of the steps of a sweep over two stops."""

    def folded(edit: EditScale) -> list[tuple[str, float]]:
        value = edit.value if edit.value < 1.0 else 2.0 - edit.value
        return [(edit.attribute, value)]

    behaviour = behaviour_of(report_of(dataset, folded, ("exposure",)), "exposure", "physical")

    assert behaviour.monotonicity_violations == pytest.approx(1 / 6)
    assert behaviour.num_steps == 12


def test_another_unit_must_give_the_same_picture(dataset: PairDataset) -> None:
    """Kelvin instead of mired, a factor instead of stops: the same numbers, the same codes."""
    report = report_of(dataset, exact)

    for name in CAMERA:
        behaviour = behaviour_of(report, name, "physical")
        assert behaviour.unit_codes == 0.0


def test_numbers_beyond_and_in_gaps_are_scored_apart(dataset: PairDataset) -> None:
    """An editor that saturates at the trained range fails beyond it, and only there."""
    gap = JOB.model_copy(update={"held_out_values": {"exposure": ((0.5, 1.0),)}})
    whole = scored(dataset, DistortedOracle(exact), attributes=("exposure",), job=gap)[1]

    def saturated(edit: EditScale) -> list[tuple[str, float]]:
        return [(edit.attribute, float(np.clip(edit.value, -1.97, 1.97)))]

    report = scored(dataset, DistortedOracle(saturated), attributes=("exposure",), job=gap)[0]

    by_values = {s.values: s for s in report.scores if s.readout == "ladder"}
    assert set(by_values) == {"within", "interpolation", "extrapolation"}
    assert by_values["within"].mae < 0.02
    assert by_values["interpolation"].mae < 0.02
    assert by_values["extrapolation"].mae > 0.3
    in_gap = [r.asked for r in whole.results if (r.role, r.values) == ("pair", "interpolation")]
    assert min(in_gap) < 0.0 < max(in_gap)  # pairs are trained in both directions
    assert all(0.5 <= abs(value) <= 1.0 for value in in_gap)


@settings(max_examples=200, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(0.1, 2.4), st.floats(0.05, 1.0))
def test_both_signs_of_a_number_are_of_one_class(value: float, low: float, width: float) -> None:
    """And only what lies between trained numbers is interpolated."""
    held_out = [(low, low + width)]

    found = class_of_value(value, (-2.0, 2.0), held_out)

    assert found == class_of_value(-value, (-2.0, 2.0), held_out)
    if found == "interpolation":
        assert low <= abs(value) <= low + width < 2.0
    if abs(value) > 2.0:
        assert found == "extrapolation"


def test_one_scene_has_no_interval() -> None:
    """It says nothing of other scenes, and the tables say so instead of showing a width of 0."""
    rows = [result("alone", value, value + 0.1) for value in (-1.0, 0.5, 1.0)]

    score = score_attribute(rows, "physical", (-2.0, 2.0))

    assert score is not None
    assert score.mae_interval is None
    assert interval(score.mae_interval) == "unknown: one scene"
    assert score.slope_interval is None


def test_a_lens_is_read_on_the_frames_of_its_sweep(dataset: PairDataset) -> None:
    """No light tells an f-number; the frames do, and half the way shows as half the slope."""
    attributes = ("aperture",)
    right = score_of(report_of(dataset, exact, attributes), "aperture", "ladder")
    _, findings, _ = scored(dataset, DistortedOracle(exact), attributes=attributes)

    assert right.mae == pytest.approx(0.0, abs=1e-9)
    assert right.floor_mae is not None
    assert 0.0 < right.floor_mae < 1.0  # a frame read on the ladder of the others
    assert all(result.physical is None for result in findings.results)


def test_a_stopped_down_lens_that_goes_half_way_has_half_the_slope(dataset: PairDataset) -> None:
    """From f/1.4 to f/2.8 is two stops; who stops at f/2 made one."""

    def half(edit: EditScale) -> list[tuple[str, float]]:
        return [("aperture", edit.value / 2)]

    _, findings, _ = scored(dataset, DistortedOracle(half), attributes=("aperture",))

    read = [(r.asked, r.ladder) for r in findings.results if r.role == "pair" and r.ladder]
    assert read
    for asked, ladder in read:
        assert ladder == pytest.approx(asked / 2, abs=0.35)  # frames lie a stop apart


def result(scene: str, asked: float, physical: float | None, editor: str = "e") -> EditResult:
    """Return the row of one pair."""
    return EditResult(
        editor=editor, key=f"{scene}-{asked}", pair_key=scene, role="pair", scene=scene,
        producer="render", attribute="exposure", combination="exposure", values="within",
        asked=asked, physical=physical, ladder=None, is_outside=False, off_path_codes=None,
        physical_floor=asked + 0.01, ladder_floor=None, to_source_db=None, to_truth_db=None,
        to_reference_db=None, to_reference_codes=None, zero_delta_e=None, zero_p95_delta_e=None,
        outside_delta_e=None, outside_true_delta_e=None, reference_physical=None,
        reference_ladder=None, alone_physical=None, failure=None,
    )  # fmt: skip


def test_edits_whose_truth_cannot_be_read_are_counted_and_left_out() -> None:
    """Two of three are read: errors -0.1 and +0.3, bias +0.1."""
    unknown = replace(result("b", 2.0, None), physical_floor=None)
    results = [result("a", 1.0, 0.9), result("b", -1.0, -0.7), unknown]

    score = score_attribute(results, "physical", (-2.0, 2.0))

    assert score is not None
    assert (score.num_pairs, score.num_unreadable, score.num_scenes) == (2, 1, 2)
    assert score.mae == pytest.approx(0.2)
    assert score.bias == pytest.approx(0.1)
    assert score.floor_mae == pytest.approx(0.01)
    assert score.above_floor == pytest.approx(0.19)
    assert score.nmae == pytest.approx(0.05)
    assert score_attribute(results, "ladder", (-2.0, 2.0)) is None


def test_failing_is_no_better_than_doing_nothing() -> None:
    """An editor that answers only where it is easy is scored as if it copied elsewhere."""
    asked = np.linspace(-2.0, 2.0, 41).tolist()
    copies = [result(f"s{n % 5}", value, 0.0) for n, value in enumerate(asked)]
    shirks = [
        replace(copy, physical=None, failure="too hard") if abs(copy.asked) > 0.35 else copy
        for copy in copies
    ]

    lazy, shirking = (score_attribute(rows, "physical", (-2.0, 2.0)) for rows in (copies, shirks))

    assert lazy is not None
    assert shirking is not None
    assert (shirking.mae, shirking.hit_rate) == pytest.approx((lazy.mae, lazy.hit_rate))
    assert shirking.num_unreadable == 34


def test_an_instrument_that_errs_by_more_than_a_tenth_of_the_range_is_refused() -> None:
    """A floor of 0.01 is fine in four stops, and too coarse in 0.08."""
    results = [result("a", 0.03, 0.03), result("b", -0.03, -0.03)]

    wide, narrow = (score_attribute(results, "physical", (-x, x)) for x in (2.0, 0.04))

    assert wide is not None
    assert narrow is not None
    assert (wide.is_too_coarse, narrow.is_too_coarse) == (False, True)


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    """Scenes differ a lot, the editors by 0.1 in each: the paired interval excludes zero."""
    scenes = [f"s{n}" for n in range(20)]
    ours = [result(s, 1.0, 1.0 + 0.05 * n) for n, s in enumerate(scenes)]
    theirs = [result(s, 1.0, 1.1 + 0.05 * n, "other") for n, s in enumerate(scenes)]

    found = compare(ours, theirs, "physical")

    assert found is not None
    assert found.extra_mae == pytest.approx(0.1)
    assert found.extra_interval == pytest.approx((0.1, 0.1))
    assert found.num_scenes == 20


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.1, 2.0),
    st.floats(-0.5, 0.5),
    st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=30, unique_by=lambda x: round(x, 2)),
)
def test_the_response_line_finds_any_gain_and_offset(
    slope: float, intercept: float, values: list[float]
) -> None:
    """For every straight response, whatever is asked."""
    asked = np.array(values)

    found = response_line(asked, slope * asked + intercept)

    assert found[0] == pytest.approx(slope, abs=1e-6)
    assert found[1] == pytest.approx(intercept, abs=1e-6)
    assert found[2] == pytest.approx(1.0, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.1, 2.0), min_size=1, max_size=20), st.booleans())
def test_sign_accuracy_is_1_or_0_for_consistent_editors(sizes: list[float], is_right: bool) -> None:
    """Right or wrong way round; numbers below the floor do not count."""
    asked = np.array([*sizes, *(-np.array(sizes)), 0.001])

    found = sign_accuracy("exposure", asked, asked if is_right else -asked, 0.01)

    assert found == (1.0 if is_right else 0.0)
    assert sign_accuracy("exposure", np.array([0.001]), np.array([-1.0]), 0.01) is None


def test_the_whole_report_is_deterministic(dataset: PairDataset, tmp_path: Path) -> None:
    """Seeded bootstrap, seeded partners of combinations, fixed order."""
    one, other = (report_of(dataset, exact).to_json() for _ in range(2))

    assert one == other


def test_what_changes_outside_the_edit_mask_is_seen(tmp_path: Path) -> None:
    """An editor that turns the object and dims the whole picture, beside one that only turns it."""
    disc_HW = make_annotation("disc", SIZE_PX).mask_HW
    frames = tuple(
        replace(
            frame,
            linear_HW3=np.where(
                disc_HW[..., None], frame.linear_HW3, aperture_sweep("still").frames[0].linear_HW3
            ),
            annotation=make_annotation("disc", SIZE_PX),
        )
        for frame in aperture_sweep("turned").frames
    )
    sweep = replace(aperture_sweep("masked"), frames=frames, edited_area="object")
    job = DatasetJob(name="masked", seed=3, annotations=("mask",))
    result = compose_light(sweep, {"aperture": PairPlan(num_pairs=20)}, job)
    table = staged_table(result, producer="render", unit_id="masked", origin={})
    write_shard(shard_path(tmp_path, 0), [table])
    write_index(tmp_path, [shard_path(tmp_path, 0)])
    dataset = PairDataset([tmp_path], splits=("test",))

    class Dims(DistortedOracle):
        def answer(self, asked: Sequence[Asked]) -> list[Answer]:
            answers = super().answer(asked)
            return [a if isinstance(a, EditFailure) else a // 2 for a in answers]

    right, dimmed = (
        score_of(scored(dataset, editor, attributes=("aperture",))[0], "aperture", "ladder")
        for editor in (DistortedOracle(exact), Dims(exact))
    )

    assert right.outside_delta_e == right.outside_true_delta_e == 0.0
    assert dimmed.outside_delta_e is not None
    assert dimmed.outside_delta_e > 10.0
    assert dimmed.outside_true_delta_e == 0.0
