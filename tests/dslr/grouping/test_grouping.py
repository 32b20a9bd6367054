from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dslr.develop.framing import Preview, match_framing, preview_of_file
from dslr.files.metadata import CaptureMetadata, read_metadata
from dslr.grouping.bursts import Capture, split_into_bursts
from dslr.grouping.grouping import Grouped, group_burst, may_be_series
from tests.dslr.conftest import photograph, scene_light

START = datetime(2026, 1, 1, 12, 0, 0)


def capture(name: str, time_s: float = 1 / 60, after_s: float = 0.0, **changed: Any) -> Capture:
    """Return a capture that exists as settings only."""
    metadata = CaptureMetadata(
        make="CAT",
        model="Test",
        lens="50mm",
        exposure_time_s=time_s,
        f_number=5.6,
        iso=100.0,
        focal_length_mm=50.0,
        captured_at=START + timedelta(seconds=after_s),
        orientation=1,
        source="exif",
    )
    return Capture(Path(f"/shots/{name}"), name, replace(metadata, **changed))


def burst_names(captures: Sequence[Capture]) -> list[list[str]]:
    """Return the names of the captures of each burst."""
    return [[c.name for c in burst] for burst in split_into_bursts(captures)]


def preview(shift_px: int = 0, scene: str = "framing", stops: float = 0.0) -> Preview:
    """Return the framing of a scene, moved to the right and exposed otherwise."""
    light_HW: NDArray[np.float32] = scene_light(scene, 192, 256)[..., 1] * np.float32(2.0**stops)
    light_HW = np.roll(light_HW, shift_px, axis=1)
    return Preview(np.minimum(light_HW, 1.0), light_HW >= 1.0, (768, 1024))


def grouped(captures: Sequence[Capture], previews: Sequence[Preview]) -> list[Grouped]:
    """Return the groups of one burst, given the framing of each capture."""
    return list(group_burst(captures, {c.path: p for c, p in zip(captures, previews, strict=True)}))


def test_frames_that_differ_in_exposure_alone_are_a_bracket_in_any_order() -> None:
    """Darkest first, brightest first, middle first: one bracket of all three."""
    for stops in permutations((-2.0, 0.0, 2.0)):
        shots = [capture(f"{i}", 2.0 ** (s - 6), i) for i, s in enumerate(stops)]

        (group,) = grouped(shots, [preview(stops=s) for s in stops])

        assert group.kind == "exposure"
        assert len(group.captures) == 3
        assert "4.00 stops" in group.reason


def test_frames_may_differ_in_iso_too() -> None:
    """ISO brackets count: the signal is time times ISO."""
    shots = [capture("a"), capture("b", after_s=1, iso=400.0)]

    assert grouped(shots, [preview(), preview(stops=2.0)])[0].kind == "exposure"


def test_equal_exposure_at_another_iso_is_an_iso_series() -> None:
    """Half the time at double ISO gives the same light: only the noise differs."""
    shots = [capture("a", 1 / 64), capture("b", 1 / 128, 1, iso=200.0)]

    assert [g.kind for g in grouped(shots, [preview(), preview()])] == ["iso"]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"f_number": 11.0}, "aperture"),
        ({"f_number": 11.0, "exposure_time_s": 1 / 15}, "aperture"),
        ({"focus_distance_m": 1.0}, "focus_distance"),
        ({"exposure_time_s": 1 / 15, "iso": 400.0}, "single"),
        ({"f_number": 11.0, "iso": 400.0}, "single"),
        ({"f_number": None}, "single"),
    ],
    ids=str,
)
def test_what_varies_decides_the_kind(changed: dict[str, Any], kind: str) -> None:
    """One setting, or two that make up for each other; anything else is no series."""
    near = {"focus_distance_m": 3.0, **changed}
    shots = [capture("a", focus_distance_m=3.0), replace_settings(capture("b", after_s=1), near)]

    assert {g.kind for g in grouped(shots, [preview(), preview()])} == {kind}


def replace_settings(shot: Capture, changed: dict[str, Any]) -> Capture:
    """Return a capture with other settings."""
    return replace(shot, metadata=replace(shot.metadata, **changed))


def test_a_bracket_and_an_aperture_series_in_one_burst_are_two_series() -> None:
    """The settings are followed in the order of time as long as they make a clean axis."""
    shots = [
        *(capture(f"e{i}", t, i) for i, t in enumerate((1 / 15, 1 / 60, 1 / 250))),
        *(capture(f"n{i}", 1 / 60, 3 + i, f_number=n) for i, n in enumerate((2.8, 4.0, 8.0))),
    ]
    stops = (2.0, 0.0, -2.0, 2.0, 1.0, -1.0)

    groups = grouped(shots, [preview(stops=s) for s in stops])

    assert [(g.kind, len(g.captures)) for g in groups] == [("exposure", 3), ("aperture", 3)]


def test_series_set_by_hand_are_joined_across_short_pauses() -> None:
    """A ring is turned within ten seconds; a bracket shot twice stays two brackets."""
    by_hand = [capture(f"{i}", after_s=10.0 * i, f_number=2.0**i) for i in range(1, 4)]
    twice = [capture(f"{i}{j}", 2.0**-j, 20.0 * i + 2 * j) for i in range(2) for j in range(3)]

    assert burst_names(by_hand) == [["1", "2", "3"]]
    assert burst_names(twice) == [["00", "01", "02"], ["10", "11", "12"]]


def test_the_cameras_own_number_starts_a_new_bracket() -> None:
    """Without a pause, the shot number within the bracket tells where the next one begins."""
    shots = [capture(f"{i}", 2.0 ** -(i % 3), 0.5 * i, bracket_shot=1 + i % 3) for i in range(6)]

    assert [len(names) for names in burst_names(shots)] == [3, 3]


def test_frames_of_equal_settings_but_other_balance_are_a_balance_series() -> None:
    """Nothing varies but the multipliers that the camera chose."""
    shots = [capture("a"), capture("b", after_s=1)]
    views = [
        replace(preview(), multipliers_rgb=(2.0, 1.0, 1.5)),
        replace(preview(), multipliers_rgb=(1.4, 1.0, 2.2)),
    ]

    (group,) = grouped(shots, views)

    assert group.kind == "white_balance"


def test_a_lamp_switched_on_is_a_lamp_series_and_a_cloud_is_not() -> None:
    """A lamp adds unevenly; a cloud multiplies all of the picture by about the same."""
    shots = [capture("a"), capture("b", after_s=1)]
    off = preview()
    y, x = np.mgrid[0:192, 0:256].astype(np.float32)
    glow = 0.4 * np.exp(-((x - 60) ** 2 + (y - 70) ** 2) / 40.0**2).astype(np.float32)
    on_HW = off.light_HW * (1.0 + 4.0 * glow)
    on = replace(off, light_HW=np.minimum(on_HW, 1.0), is_clipped_HW=on_HW >= 1.0)

    (lamp,) = grouped(shots, [off, on])
    cloud = grouped(shots, [off, preview(stops=-0.5)])

    assert lamp.kind == "lamp"
    assert "adds" in lamp.reason
    assert {g.kind for g in cloud} == {"single"}


def test_another_framing_is_no_bracket() -> None:
    """Exposures differ, but the pictures show different scenes: singles, with the reason."""
    shots = [capture("a"), capture("b", 1 / 15, 1)]

    groups = grouped(shots, [preview(), preview(scene="something else", stops=2.0)])

    assert [g.kind for g in groups] == ["single", "single"]
    assert "other framing" in groups[0].reason


def test_a_camera_that_moved_is_no_bracket() -> None:
    """Four preview pixels are sixteen pixels of the picture: more than a shaking hand."""
    shots = [capture("a"), capture("b", 1 / 250, 1)]

    groups = grouped(shots, [preview(), preview(shift_px=4, stops=-2.0)])

    assert [g.kind for g in groups] == ["single", "single"]
    assert "camera moved" in groups[0].reason


def test_a_test_shot_before_a_bracket_is_left_out_of_it() -> None:
    """One frame of another framing within the burst stays single, the others are the bracket."""
    shots = [
        capture("0"),
        capture("1", 1 / 60, 1),
        capture("2", 1 / 15, 2),
        capture("3", 1 / 250, 3),
    ]
    framings = [preview(scene="elsewhere"), preview(), preview(stops=2.0), preview(stops=-2.0)]

    groups = grouped(shots, framings)

    assert sorted((g.kind, *(c.name for c in g.captures)) for g in groups) == [
        ("exposure", "1", "2", "3"),
        ("single", "0"),
    ]


def test_a_pause_ends_a_burst_but_a_long_exposure_does_not() -> None:
    """The gap counts from the end of one exposure to the start of the next."""
    shots = [capture("a"), capture("b", after_s=1.5), capture("c", after_s=10)]
    night = [capture("a", 30.0), capture("b", 8.0, 31), capture("c", 2.0, 40)]

    assert burst_names(shots) == [["a", "b"], ["c"]]
    assert burst_names(night) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    "changed",
    [{"serial": "2"}, {"model": "Other"}, {"lens": "70mm"}],
    ids=str,
)
def test_another_camera_or_lens_ends_a_burst(changed: dict[str, object]) -> None:
    """A series is taken with one body and one lens."""
    assert len(burst_names([capture("a"), capture("b", 1 / 15, 1, **changed)])) == 2


def test_order_follows_the_clock_before_the_name() -> None:
    """File numbers roll over from 9999 to 0001; sub-seconds tell the order."""
    shots = [capture("9999", after_s=0.25), capture("0001", after_s=0.5)]

    assert burst_names(shots) == [["9999", "0001"]]


def test_an_unknown_exposure_time_stays_single() -> None:
    """Without a time there is no exposure to compare; nothing is guessed."""
    shots = [capture("a", exposure_time_s=None), capture("b", after_s=1, exposure_time_s=None)]

    groups = grouped(shots, [preview(), preview()])

    assert [g.kind for g in groups] == ["single", "single"]
    assert "unknown" in groups[0].reason


@pytest.mark.parametrize("iso", [100, 6400])
def test_simulated_brackets_have_one_framing_in_spite_of_their_noise(
    tmp_path: Path, iso: int
) -> None:
    """Every frame registers with the next one; noise does not look like movement."""
    for number in range(4):
        paths = photograph(tmp_path, f"n{number}", iso=iso)
        previews = [preview_of_file(path) for path in paths]
        assert match_framing(previews[0], previews[1]).is_same
        assert match_framing(previews[1], previews[2]).is_same


def test_a_shift_is_measured_in_picture_pixels() -> None:
    """Registration finds a known shift across two stops."""
    light = scene_light("shift", 192, 256)[..., 1]
    moved = cv2.warpAffine(
        light,
        np.array([[1.0, 0.0, 1.5], [0.0, 1.0, 0.0]]),
        (256, 192),
        borderMode=cv2.BORDER_REPLICATE,  # no black rim, which no camera would record
    )
    pictures = [
        Preview(picture.astype(np.float32), np.zeros(picture.shape, np.bool_), (768, 1024))
        for picture in (light, 0.25 * moved)
    ]

    assert match_framing(*pictures).shift_px == pytest.approx(4 * 1.5, abs=0.2)


@pytest.mark.raw
def test_real_charts_of_other_framing_are_not_grouped(raw_folder: Path) -> None:
    """The S40 files of one session look groupable by settings; their pixels say otherwise."""
    paths = [raw_folder / f"S40_{number}.CRW" for number in ("0101", "0104", "0105")]
    shots = [
        Capture(path, path.name, replace(read_metadata(path), captured_at=None)) for path in paths
    ]
    (burst,) = split_into_bursts(shots)  # without a clock nothing separates them
    assert may_be_series(burst)

    groups = list(group_burst(burst, {path: preview_of_file(path) for path in paths}))

    assert [g.kind for g in groups] == ["single"] * 3
    assert all("other framing" in g.reason for g in groups[:1])


@pytest.mark.raw
def test_a_real_file_registers_with_itself(raw_folder: Path) -> None:
    """The negative test means something: the same real picture is found equal."""
    one = preview_of_file(raw_folder / "S40_0101.CRW")

    match = match_framing(one, one)

    assert match.is_same
    assert match.correlation == pytest.approx(1.0, abs=1e-6)


def test_a_time_lapse_is_no_series_and_its_pixels_are_not_read() -> None:
    """Thirteen and more captures of equal settings: no lamp is switched, no balance tried."""
    shots = [capture(f"{i:02d}", after_s=float(i)) for i in range(13)]

    assert not may_be_series(shots)
    assert {g.kind for g in group_burst(shots, {})} == {"single"}
    assert may_be_series(shots[:2])
