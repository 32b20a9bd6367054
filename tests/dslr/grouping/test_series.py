import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.attributes.table import find_attribute
from cat_dataset.jobs.datasets import CaptureSource
from dslr.files.metadata import CaptureMetadata
from dslr.grouping.captures_file import UNIT_OF_VALUES
from dslr.grouping.series import (
    ATTRIBUTE_OF_KIND,
    EQUAL_EXPOSURE_STOPS,
    MIN_STEP_STOPS,
    SERIES_KINDS,
    SeriesKind,
    find_axis,
    setting_axes,
)
from dslr.measure.residual import MAX_BAND_STOPS, MAX_DRIFT_STOPS, MAX_MOVING_SHARE, Residual
from dslr.sweeps.series_frames import split_by_residual
from tests.dslr.conftest import photograph, scene_light
from tests.dslr.series_bench import (
    NAME,
    captures_of,
    ingest_series,
    photograph_pictures,
    read_series,
    reasons_of,
    series_pairs,
)


def settings_of(**changed: Any) -> CaptureMetadata:
    """Return what a camera says of one capture."""
    plain: dict[str, Any] = {
        "exposure_time_s": 1 / 64,
        "f_number": 4.0,
        "iso": 100.0,
        "focal_length_mm": 50.0,
        "focus_distance_m": 2.0,
    }
    return CaptureMetadata(
        make="CAT",
        model="Test",
        lens="zoom",
        captured_at=None,
        orientation=1,
        source="exif",
        **{**plain, **changed},
    )


def kind_of(*changes: dict[str, Any]) -> str | None:
    """Return the kind of series that captures with such settings make."""
    return find_axis([settings_of(**changed) for changed in changes]).kind


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"exposure_time_s": 1 / 16}, "exposure"),
        ({"iso": 400.0}, "exposure"),
        ({"f_number": 8.0}, "aperture"),
        ({"f_number": 8.0, "exposure_time_s": 1 / 16}, "aperture"),
        ({"iso": 400.0, "exposure_time_s": 1 / 256}, "iso"),
        ({"focal_length_mm": 85.0}, "focal_length"),
        ({"focus_distance_m": 0.7}, "focus_distance"),
        ({"focus_distance_m": math.inf}, "focus_distance"),
    ],
    ids=str,
)
def test_one_setting_or_two_that_make_up_for_each_other_make_a_series(
    other: dict[str, Any], kind: str
) -> None:
    """Each clean axis has its kind, and what it gives pairs of is a known attribute."""
    assert kind_of({}, other) == kind


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, "all settings are equal"),
        ({"f_number": 8.0, "iso": 400.0}, "vary together; only one setting may"),
        ({"focal_length_mm": 85.0, "exposure_time_s": 1 / 16}, "vary together; only one"),
        ({"f_number": 8.0, "exposure_time_s": 1 / 128}, "do not make up for each other"),
        ({"exposure_time_s": 2.0**0.15 / 64}, "too little for a series"),
        ({"f_number": None}, "the f-number of some captures is unknown"),
        ({"exposure_time_s": None}, "the exposure time of some captures is unknown"),
        ({"iso": None}, "the ISO of some captures is unknown"),
    ],
    ids=str,
)
def test_anything_else_is_no_series_with_the_reason(other: dict[str, Any], reason: str) -> None:
    """What could not be told apart from another difference is left alone."""
    found = find_axis([settings_of(), settings_of(**other)])

    assert found.kind is None
    assert reason in found.reason


def test_a_focus_distance_that_only_some_frames_know_is_not_looked_at() -> None:
    """The autofocus reports now and then; a bracket is still a bracket."""
    assert kind_of({"focus_distance_m": None}, {"exposure_time_s": 1 / 16}) == "exposure"


def test_settings_that_no_capture_knows_are_equal_in_all() -> None:
    """A manual lens has neither f-number nor focal length; its bracket is one."""
    unknown = {"f_number": None, "focal_length_mm": None, "focus_distance_m": None}

    assert kind_of(unknown, {**unknown, "exposure_time_s": 1 / 16}) == "exposure"
    assert setting_axes([settings_of(**unknown)] * 2).spread("f_number") == 0.0


def test_a_camera_that_says_no_exposure_time_has_no_series() -> None:
    """It is never the same by itself, so that nothing may be concluded from the rest."""
    unknown = {"exposure_time_s": None}

    found = find_axis([settings_of(**unknown), settings_of(**unknown, iso=400.0)])

    assert found.kind is None
    assert "exposure time" in found.reason


def test_metering_may_be_a_third_stop_off_but_no_more() -> None:
    """The shutter makes up for the aperture in third stops: both sides of the limit."""
    times_s = [2.0 ** (third / 3) / 16 for third in (1, 2)]
    assert 1 / 3 < EQUAL_EXPOSURE_STOPS < 2 / 3

    assert kind_of({}, {"f_number": 8.0, "exposure_time_s": times_s[0]}) == "aperture"
    assert kind_of({}, {"f_number": 8.0, "exposure_time_s": times_s[1]}) is None


def test_printed_numbers_of_one_speed_are_equal() -> None:
    """1/60 and 1/64 s are one time, f/2.8 and f/2.83 one aperture."""
    found = find_axis([settings_of(exposure_time_s=1 / 60, f_number=2.8, iso=100.0)] * 2)
    rounded = find_axis(
        [
            settings_of(exposure_time_s=1 / 60, f_number=2.8),
            settings_of(exposure_time_s=1 / 64, f_number=2.8284),
        ]
    )

    assert found.is_all_equal
    assert rounded.is_all_equal


@given(
    st.permutations([1 / 250, 1 / 60, 1 / 60, 1 / 15, 1 / 4]),
    st.sampled_from(["exposure_time_s", "iso"]),
)
def test_order_and_duplicates_do_not_matter(values: list[float], setting: str) -> None:
    """The kind and the reason are those of the set of settings."""
    factor = 1.0 if setting == "exposure_time_s" else 1e4
    found = find_axis([settings_of(**{setting: factor * v}) for v in values])
    in_order = find_axis([settings_of(**{setting: factor * v}) for v in sorted(values)])

    assert found == in_order
    assert found.kind == "exposure"


@given(st.floats(0.5, 8.0), st.floats(0.5, 8.0))
def test_differences_of_focus_are_dioptres(first_m: float, second_m: float) -> None:
    """Spread on the axis of focus is the difference of reciprocal distances."""
    axes = setting_axes([settings_of(focus_distance_m=d) for d in (first_m, second_m)])

    assert axes.spread("focus_distance") == pytest.approx(abs(1.0 / first_m - 1.0 / second_m))


def test_every_kind_has_an_attribute_a_unit_and_a_plan() -> None:
    """The tables agree: whatever is found can be stated, and has pairs by default."""
    planned = CaptureSource(name="shots", folder=Path()).attributes

    assert set(ATTRIBUTE_OF_KIND) == set(SERIES_KINDS) == set(UNIT_OF_VALUES)
    for attribute in ATTRIBUTE_OF_KIND.values():
        assert find_attribute(attribute).name in planned


def test_steps_below_a_fifth_of_a_stop_are_rounding() -> None:
    """The smallest step is above what printed numbers are rounded by, below a third stop."""
    assert 0.186 < MIN_STEP_STOPS < 1 / 3


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"moving_share": 0.16}, "of the picture moved, at most 15% may"),
        ({"drift_stops": 0.31}, "the light drifted by 0.31 stops across the picture"),
        ({"band_stops": 0.11}, "the light flickered: stripes of 0.11 stops"),
    ],
    ids=str,
)
def test_a_frame_in_which_more_changed_is_left_out_and_says_what(
    difference: dict[str, float], reason: str, tmp_path: Path
) -> None:
    """Just above each limit the frame is refused; just below it is kept."""
    group = read_series(captures_of(photograph(tmp_path)), "exposure")
    limits = {"moving_share": 0.01, "drift_stops": 0.02, "band_stops": 0.02}
    ((name, value),) = difference.items()
    results = [
        split_by_residual(
            replace(
                group,
                captures=(
                    replace(group.captures[0], residual=residual(**{name: shown})),
                    *group.captures[1:],
                ),
            ),
            "exposure",
            NAME,
        )
        for shown in (value, value - limits[name])
    ]

    assert results[0][0] == (1, 2)
    assert reason in results[0][1][0].reason
    assert results[1] == ((0, 1, 2), ())


def residual(
    moving_share: float = 0.0, drift_stops: float = 0.0, band_stops: float = 0.0
) -> Residual:
    """Return a finding of a given size."""
    assert (MAX_MOVING_SHARE, MAX_DRIFT_STOPS, MAX_BAND_STOPS) == (0.15, 0.3, 0.1)
    moving_HW = np.arange(10_000).reshape(100, 100) < 10_000 * moving_share
    return Residual(moving_HW, drift_stops, band_stops, 10_000)


def test_each_frame_that_is_left_out_has_a_row_of_its_own(tmp_path: Path) -> None:
    """One shows something else, another has auto ISO: two keys, each with its frame's number."""
    pictures = [scene_light("street" if number == 1 else "square") for number in range(5)]
    pictures[2] = pictures[2] * np.float32(2.0)
    times_s = (1 / 15, 1 / 500, 1 / 250, 1 / 60, 1 / 30)
    paths = photograph_pictures(tmp_path, pictures, exposure_times_s=times_s)

    result = ingest_series(captures_of(paths), "exposure")

    keys = {row.key: row.reason for row in result.rejections}
    assert len(keys) == len(result.rejections) == 2
    assert "shows something else" in keys["shots-0000-frame-01"]
    assert "its settings say" in keys["shots-0000-frame-02"]


def test_a_duplicate_of_a_frame_that_is_left_out_takes_its_place(tmp_path: Path) -> None:
    """The first dark frame has a cloud in it; the second one is good and must not repeat it."""
    plain = scene_light("square")
    shade = np.exp2(np.linspace(-0.4, 0.4, plain.shape[1], dtype=np.float32))[None, :, None]
    pictures = [plain, plain, plain * shade, plain]
    times_s = (1 / 15, 1 / 60, 1 / 250, 1 / 250)
    paths = photograph_pictures(tmp_path, pictures, exposure_times_s=times_s)

    result = ingest_series(captures_of(paths), "exposure")

    assert "the light drifted" in reasons_of(result)
    assert "repeats" not in reasons_of(result)
    files = {pair.origin[w]["file"] for pair in series_pairs(result) for w in ("source", "target")}
    assert files == {"set-0.dng", "set-1.dng", "set-3.dng"}


@pytest.mark.parametrize("kind", ["exposure", "aperture", "focus_distance", "lamp"])
def test_a_series_with_one_readable_file_gives_a_row_and_computed_pairs(
    kind: SeriesKind, tmp_path: Path
) -> None:
    """The other file is cut off: it costs itself and the series, not the first one's pairs."""
    paths = photograph(tmp_path, exposure_times_s=(1 / 60, 1 / 30))
    captures = captures_of(paths, [1.0, 2.0])
    paths[1].write_bytes(paths[1].read_bytes()[:5000])

    result = ingest_series(captures, kind)

    assert not series_pairs(result)
    assert [row.status for row in result.rejections][:1] == ["failed"]
    assert result.rejections[0].reason.startswith("set-1.dng: ")


def names(paths: Sequence[Path]) -> list[str]:
    """Return the names of files."""
    return [path.name for path in paths]


def test_nominal_snapped_and_measured_are_all_written_down(tmp_path: Path) -> None:
    """A sidecar next to the captures changes nothing, and the origin keeps three numbers."""
    paths = photograph(tmp_path)
    shutil.copy(paths[0], tmp_path / "set-0.xmp")

    pairs = series_pairs(ingest_series(captures_of(paths), "exposure"))

    stops = {p.origin["target"]["file"]: p.origin["target"]["stops"] for p in pairs}
    assert sorted(stops) == names(paths)
    assert stops["set-2.dng"]["nominal"] == pytest.approx(-2.059, abs=1e-3)
    assert stops["set-2.dng"]["snapped"] == -2.0
    assert stops["set-2.dng"]["measured"] == pytest.approx(-2.0, abs=0.005)
