import numpy as np
import pytest

from cat_dataset.scoring.statistics.bootstrap import (
    bootstrap_interval,
    bootstrap_ratio,
    bootstrap_slope,
)
from cat_dataset.system.seeding import derive_rng


def test_the_interval_is_wider_when_errors_belong_to_few_scenes() -> None:
    """Pairs of a scene share their error: resampling scenes sees it, resampling pairs would not."""
    errors = np.array([0.0] * 50 + [1.0] * 50)

    two_scenes = bootstrap_interval(errors, ["a"] * 50 + ["b"] * 50)
    many_scenes = bootstrap_interval(errors, [f"scene-{n}" for n in range(100)])

    assert two_scenes == (0.0, 1.0)
    assert 0.3 < many_scenes[0] < 0.5 < many_scenes[1] < 0.7


def test_what_no_resample_can_tell_has_no_interval() -> None:
    """Nothing below the line, one scene, or the same asked everywhere."""
    two = ["a", "b"]

    assert bootstrap_interval(np.ones(3), ["a", "b", "a"]) == (1.0, 1.0)
    assert bootstrap_ratio(np.ones(2), np.zeros(2), two) is None
    assert bootstrap_slope(np.array([0.0, 1.0]), np.array([0.0, 1.0]), ["a", "a"]) is None
    assert bootstrap_slope(np.ones(2), np.array([0.5, 1.0]), two) is None


def test_the_interval_of_a_slope_is_that_of_lines_through_resampled_scenes() -> None:
    """Against polyfit on the very same resamples; each scene has a gain of its own."""
    rng = derive_rng(0, "slopes")
    scenes = np.repeat(np.arange(12), 6)
    asked = rng.uniform(-2.0, 2.0, len(scenes)) + 5.0
    achieved = asked * rng.normal(0.9, 0.1, 12)[scenes] + rng.normal(0.0, 0.05, len(scenes))
    drawn = derive_rng(0, "bootstrap").integers(12, size=(1000, 12))

    found = bootstrap_slope(asked, achieved, [f"scene-{n:02d}" for n in scenes])

    slopes = []
    for numbers in drawn:
        pairs = np.concatenate([np.flatnonzero(scenes == number) for number in numbers])
        slopes.append(np.polyfit(asked[pairs], achieved[pairs], 1)[0])
    assert found == pytest.approx(tuple(np.percentile(slopes, [2.5, 97.5])), rel=1e-6)
