from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.reporting.score_tables import interval
from cat_dataset.scoring.questions.value_ranges import class_of_value
from cat_dataset.scoring.statistics.results import EditResult
from cat_dataset.scoring.statistics.scores import (
    compare,
    response_line,
    score_attribute,
    sign_accuracy,
)


def result(scene: str, asked: float, physical: float | None, editor: str = "e") -> EditResult:
    """Return the row of one pair."""
    return EditResult(
        editor=editor, key=f"{scene}-{asked}", pair_key=scene, role="pair", scene=scene,
        producer="render", attribute="exposure", combination="exposure", values="within",
        asked=asked, physical=physical, matching=None, is_outside=False, off_path_codes=None,
        physical_floor=asked + 0.01, matching_floor=None, to_source_db=None, to_truth_db=None,
        to_reference_db=None, to_reference_codes=None, zero_delta_e=None, zero_p95_delta_e=None,
        outside_delta_e=None, outside_true_delta_e=None, reference_physical=None,
        reference_matching=None, alone_physical=None, failure=None,
    )  # fmt: skip


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
    assert score_attribute(results, "matching", (-2.0, 2.0)) is None


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


def test_a_readout_that_errs_by_more_than_a_tenth_of_the_range_is_refused() -> None:
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
    assert found.ratio == pytest.approx(0.575 / 0.475)


def test_how_many_times_more_an_editor_errs_is_as_sure_as_the_scenes_agree() -> None:
    """Twice the error in every scene is 2 in every resample; in half of them it is not."""
    scenes = [f"s{n}" for n in range(20)]
    ours = [result(s, 1.0, 1.0 + 0.01 * (n + 1)) for n, s in enumerate(scenes)]
    twice = [result(s, 1.0, 1.0 + 0.02 * (n + 1), "twice") for n, s in enumerate(scenes)]
    mixed = [result(s, 1.0, 1.1 if n % 2 else 1.3, "mixed") for n, s in enumerate(scenes)]

    sure, unsure = (compare(ours, theirs, "physical") for theirs in (twice, mixed))

    assert sure is not None
    assert unsure is not None
    assert sure.ratio_interval == pytest.approx((2.0, 2.0))
    assert unsure.ratio == pytest.approx(0.2 / 0.105)
    assert unsure.ratio_interval is not None
    low, high = unsure.ratio_interval
    assert low < 0.2 / 0.105 < high
    assert high - low > 0.5


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
