import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dslr.develop.exposure import exposure_axis, rounding_stops, snap, snap_series
from dslr.files.metadata import CaptureMetadata

# What cameras print on the third-stop scale, and the power of two they mean.
PRINTED = [
    (1 / 8000, -13),
    (1 / 1000, -10),
    (1 / 60, -6),
    (1 / 15, -4),
    (1.0, 0),
    (15.0, 4),
    (30.0, 5),
]


def capture(
    time_s: float, iso: float | None = 100.0, f_number: float | None = 5.6
) -> CaptureMetadata:
    """Return settings as a camera would print them."""
    return CaptureMetadata(
        make="CAT",
        model="Test",
        lens="",
        exposure_time_s=time_s,
        f_number=f_number,
        iso=iso,
        focal_length_mm=50.0,
        captured_at=datetime(2026, 1, 1),
        orientation=1,
        source="exif",
    )


@pytest.mark.parametrize(("printed_s", "power"), PRINTED)
def test_printed_shutter_times_snap_to_the_power_of_two_they_mean(
    printed_s: float, power: int
) -> None:
    """1/60 s is 1/64 s, 15 s is 16 s."""
    assert snap(printed_s, 3) == 2.0**power


@given(st.floats(1e-5, 1e3), st.sampled_from([2, 3]))
def test_snapping_lands_on_the_grid_and_stays_there(value: float, per_stop: int) -> None:
    """A snapped value is a multiple of the step, at most half a step away, and snaps to itself."""
    snapped = snap(value, per_stop)

    assert math.log2(snapped) * per_stop == pytest.approx(round(math.log2(snapped) * per_stop))
    assert abs(math.log2(snapped / value)) <= 0.5 / per_stop + 1e-9
    assert snap(snapped, per_stop) == pytest.approx(snapped, rel=1e-12)
    assert rounding_stops(snapped, per_stop) == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.integers(-36, 15), min_size=1, max_size=7))
def test_a_series_on_the_third_stop_grid_is_recovered_from_rounded_numbers(
    thirds: list[int],
) -> None:
    """Rounding by up to 3 % does not move any frame to another grid position."""
    true = [2.0 ** (third / 3) for third in thirds]
    printed = [
        time * (1.03 if third % 2 else 0.97) for time, third in zip(true, thirds, strict=True)
    ]

    assert snap_series(printed) == pytest.approx(true)


def test_one_grid_serves_the_whole_series() -> None:
    """3 s means 3.17 s among third stops, but 2.83 s beside half-stop times."""
    assert snap_series([3.0, 2.5, 1.6])[0] == pytest.approx(2 ** (5 / 3))
    assert snap_series([3.0, 0.7, 1.4])[0] == pytest.approx(2**1.5)


def test_a_time_that_is_on_no_grid_stays_as_it_is() -> None:
    """1/55.7 s lies 0.13 stop beside the thirds and 0.2 beside the halves: that is no rounding."""
    assert snap_series([2.0**-5.8]) == (2.0**-5.8,)


def test_nominal_and_snapped_stops_differ_by_the_rounding_of_the_printed_numbers() -> None:
    """1/60 -> 1/250 s is -2.059 stops as printed and -2 by design; ISO counts like time."""
    axis = exposure_axis([capture(1 / 60), capture(1 / 250), capture(1 / 60, iso=400)])

    assert axis.nominal_stops[1] - axis.nominal_stops[0] == pytest.approx(-2.0589, abs=1e-4)
    assert axis.snapped_stops[1] - axis.snapped_stops[0] == pytest.approx(-2.0)
    assert axis.snapped_stops[2] - axis.snapped_stops[0] == pytest.approx(2.0)


def test_an_unknown_aperture_and_iso_leave_the_shutter_to_speak() -> None:
    """A manual lens tells no f-number: constant within a series, so differences stand."""
    axis = exposure_axis([capture(1 / 60, None, None), capture(1 / 30, None, None)])

    assert axis.snapped_stops[1] - axis.snapped_stops[0] == pytest.approx(1.0)
