import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.imaging.photometry import aperture_stops
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.records import Pair
from dslr.develop.develop import Linear
from dslr.grouping.bursts import Capture
from dslr.sweeps.constant_exposure_sweep import MAX_BRIGHTNESS_GAP_STOPS, MIN_SHUTTER_MOVING_SHARE
from dslr.units import ingest_unit, scan_folder
from tests.dslr.conftest import photograph, scene_light
from tests.dslr.series_bench import (
    DATASET,
    captures_of,
    ingest_series,
    photograph_pictures,
    reasons_of,
    series_pairs,
)

HEIGHT_PX, WIDTH_PX = 192, 256
F_NUMBERS = (2.8, 5.6, 11.0)
ALL, ABOVE_THE_BALL = slice(None), slice(0, 90)
SAME_TIME: dict[str, Any] = {"exposure_times_s": (1 / 60, 1 / 60, 1 / 60)}


def scene() -> Linear:
    """Return a picture in which nothing clips, so that all of it can be compared."""
    return np.minimum(scene_light("square", HEIGHT_PX, WIDTH_PX), 0.9)


def deeper_and_deeper() -> list[Linear]:
    """Return a scene whose upper half is less and less out of focus, as a lens stops down."""
    pictures = []
    for blur_px in (3.0, 1.5, 0.5):
        picture = scene().copy()
        picture[:96] = cv2.GaussianBlur(scene(), (0, 0), blur_px)[:96]
        pictures.append(picture)
    return pictures


def told_nothing(captures: Sequence[Capture], **unknown: None) -> tuple[Capture, ...]:
    """Return captures of a camera that does not know some of its settings."""
    return tuple(replace(c, metadata=replace(c.metadata, **unknown)) for c in captures)


def shown_stops(pair: Pair, rows: slice = ALL) -> float:
    """Return by how many stops the target picture is brighter, from the two PNGs alone."""
    source, target = (
        decode_display(decode_png(png))[rows].astype(np.float64)
        for png in (pair.source_png, pair.target_png)
    )
    clear = (np.minimum(source, target) > 0.02) & (np.maximum(source, target) < 0.9)
    return math.log2(float(target[clear].sum() / source[clear].sum()))


@pytest.mark.parametrize("shutter_compensates", [True, False])
def test_an_aperture_series_shows_depth_and_no_brightness(
    shutter_compensates: bool, tmp_path: Path
) -> None:
    """With the shutter's help or without, four stops of light are taken out of the pictures."""
    paths = photograph_pictures(
        tmp_path,
        deeper_and_deeper(),
        series="aperture",
        f_numbers=F_NUMBERS,
        shutter_compensates=shutter_compensates,
        exposure_times_s=(1 / 60,),
    )

    pairs = series_pairs(ingest_series(captures_of(paths), "aperture"))

    assert len(pairs) == 6
    for pair in pairs:
        (edit,) = pair.edits
        assert edit.value in (pytest.approx(2.0), pytest.approx(4.0), pytest.approx(-2.0), -4.0)
        assert abs(shown_stops(pair)) < 0.02


@pytest.mark.parametrize("shutter_compensates", [True, False])
def test_a_manual_lens_is_told_its_f_numbers(shutter_compensates: bool, tmp_path: Path) -> None:
    """The camera knows none; what captures.toml states is the scale, and explains the light."""
    paths = photograph_pictures(
        tmp_path,
        deeper_and_deeper(),
        series="aperture",
        f_numbers=F_NUMBERS,
        shutter_compensates=shutter_compensates,
        exposure_times_s=(1 / 60,),
    )
    captures = told_nothing(captures_of(paths, F_NUMBERS), f_number=None)

    result = ingest_series(captures, "aperture")

    assert not reasons_of(result)
    pairs = series_pairs(result)
    assert len(pairs) == 6
    widest = max(pairs, key=lambda pair: pair.edits[0].value)
    assert widest.edits[0].value == pytest.approx(4.0)  # f/2.8 to f/11 as meant: 2.83 to 11.3
    assert widest.edits[0].value != pytest.approx(aperture_stops(11.0) - aperture_stops(2.8))
    assert (widest.edits[0].source_value, widest.edits[0].target_value) == (2.8, 11.0)
    assert abs(shown_stops(widest)) < 0.02


def test_a_manual_lens_that_is_told_nothing_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """No number is guessed."""
    paths = photograph_pictures(tmp_path, deeper_and_deeper(), "set", **SAME_TIME)
    captures = told_nothing(captures_of(paths), f_number=None)

    result = ingest_series(captures, "aperture")

    assert not series_pairs(result)
    assert "set-0.dng: its aperture is unknown; state it in captures.toml" in reasons_of(result)


def test_a_focus_series_is_told_its_distances_in_metres(tmp_path: Path) -> None:
    """The lens tells nothing; 4 m to 1 m is +0.75 dioptres."""
    paths = photograph_pictures(tmp_path, deeper_and_deeper(), "set", **SAME_TIME)

    pairs = series_pairs(ingest_series(captures_of(paths, [4.0, 2.0, 1.0]), "focus_distance"))

    values = {pair.edits[0].source_value: pair.edits[0] for pair in pairs}
    assert set(values) == {4.0, 2.0, 1.0}
    for pair in pairs:
        (edit,) = pair.edits
        assert edit.source_value is not None
        assert edit.target_value is not None
        assert edit.value == pytest.approx(1.0 / edit.target_value - 1.0 / edit.source_value)


def test_focus_at_infinity_is_zero_dioptres_in_plain_json(tmp_path: Path) -> None:
    """Lenses report infinity; a record holds numbers that every JSON reader knows."""
    paths = photograph_pictures(tmp_path, deeper_and_deeper(), "set", **SAME_TIME)
    captures = tuple(
        replace(c, metadata=replace(c.metadata, focus_distance_m=distance_m))
        for c, distance_m in zip(captures_of(paths), (math.inf, 2.0, 1.0), strict=True)
    )

    pairs = series_pairs(ingest_series(captures, "focus_distance"))

    assert max(pair.edits[0].value for pair in pairs) == pytest.approx(1.0)
    for pair in pairs:
        assert json.dumps(pair.to_json(), allow_nan=False)


def test_a_focus_series_that_breathes_is_brought_to_one_size(tmp_path: Path) -> None:
    """Focusing nearer magnifies by 2 %: that is taken out before anything is compared."""
    pictures = [scene(), _magnified(scene(), 1.02)]
    paths = photograph_pictures(tmp_path, pictures, "set", exposure_times_s=(1 / 60, 1 / 60))

    pairs = series_pairs(ingest_series(captures_of(paths, [3.0, 1.0]), "focus_distance"))

    warp = np.array(pairs[0].origin["target"]["alignment"]["sensor_warp"])
    other = np.array(pairs[0].origin["source"]["alignment"]["sensor_warp"])
    sizes = sorted(float(np.sqrt(np.linalg.det(w[:, :2]))) for w in (warp, other))
    assert sizes[1] / sizes[0] == pytest.approx(1.02, abs=0.002)


def _magnified(picture_HW3: Linear, magnification: float) -> Linear:
    centre = ((WIDTH_PX - 1) / 2.0, (HEIGHT_PX - 1) / 2.0)
    warp = cv2.getRotationMatrix2D(centre, 0.0, magnification)
    return np.asarray(cv2.warpAffine(picture_HW3, warp, (WIDTH_PX, HEIGHT_PX)), np.float32)


def test_light_that_contradicts_the_settings_is_refused_with_both_numbers(tmp_path: Path) -> None:
    """Auto ISO, a sticking diaphragm, a cloud: 0.6 stop that no setting explains."""
    pictures = deeper_and_deeper()
    pictures[2] = pictures[2] * np.float32(2.0**-0.6)
    paths = photograph_pictures(
        tmp_path, pictures, series="aperture", f_numbers=F_NUMBERS, exposure_times_s=(1 / 60,)
    )
    assert MAX_BRIGHTNESS_GAP_STOPS < 0.6

    result = ingest_series(captures_of(paths), "aperture")

    assert len(series_pairs(result)) == 2
    told = r"measured -0\.(59|60)\d stops against the anchor, but the settings say \+0\.000"
    assert re.search(told, reasons_of(result))


def test_a_small_difference_of_light_is_taken_out_and_written_down(tmp_path: Path) -> None:
    """A diaphragm that closes a fifth of a stop too far: the pictures are equally bright."""
    pictures = deeper_and_deeper()
    pictures[2] = pictures[2] * np.float32(2.0**-0.2)
    paths = photograph_pictures(
        tmp_path, pictures, series="aperture", f_numbers=F_NUMBERS, exposure_times_s=(1 / 60,)
    )

    pairs = series_pairs(ingest_series(captures_of(paths), "aperture"))

    assert len(pairs) == 6
    brightness = {
        pair.origin["target"]["file"]: pair.origin["target"]["brightness"]["taken_out_stops"]
        for pair in pairs
    }
    assert brightness["set-2.dng"] - brightness["set-1.dng"] == pytest.approx(-0.2, abs=0.02)
    assert max(abs(shown_stops(pair)) for pair in pairs) < 0.02


def streaks(length_px: int) -> Linear:
    """Return a scene with a bright ball that moves to the right while the shutter is open."""
    picture = scene().copy()
    sharp = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    cv2.circle(sharp, (60, 120), 10, 1.0, -1)
    steps = [np.roll(sharp, step, axis=1) for step in range(0, length_px + 1, 2)]
    cover_HW1 = np.mean(steps, axis=0)[..., None]
    return np.asarray(picture * (1.0 - cover_HW1) + 0.8 * cover_HW1, np.float32)


def filtered(pictures: Sequence[Linear], stops: Sequence[float]) -> list[Linear]:
    """Return pictures behind grey filters that let less through."""
    return [p * np.float32(2.0**-s) for p, s in zip(pictures, stops, strict=True)]


def test_captures_toml_makes_a_shutter_series_of_filtered_exposures(tmp_path: Path) -> None:
    """Longer times behind denser filters: the camera calls them a bracket, their names do not."""
    pictures = filtered([streaks(0), streaks(20), streaks(80)], (0.0, 2.0, 4.0))
    photograph_pictures(tmp_path, pictures, exposure_times_s=(1 / 250, 1 / 60, 1 / 15))
    (tmp_path / "captures.toml").write_text(
        '[[series]]\nkind = "shutter"\nfiles = ["set-*.dng"]\nname = "ball"\n'
    )
    capture_source = CaptureSource.model_validate({"name": "shots", "folder": tmp_path})

    (group,) = scan_folder(capture_source, num_workers=1)
    pairs = series_pairs(ingest_unit(DATASET, capture_source, group))

    assert (group.kind, group.reason) == ("shutter", "3 frames, captures.toml as 'ball'")
    edits = [pair.edits[0] for pair in pairs]
    assert {edit.attribute for edit in edits} == {"shutter_blur"}
    assert sorted(edit.value for edit in edits) == pytest.approx([-4, -2, -2, 2, 2, 4])
    times_s = sorted({edit.source_value for edit in edits if edit.source_value})
    assert times_s == pytest.approx([1 / 250, 1 / 60, 1 / 15])
    assert max(abs(shown_stops(pair, ABOVE_THE_BALL)) for pair in pairs) < 0.02


def test_a_shutter_series_may_be_held_by_iso(tmp_path: Path) -> None:
    """Without filters the sensor's gain makes up for the time; what passes by is blurred anew."""
    paths = photograph(
        tmp_path,
        series="iso",
        iso_values=(100, 400, 1600),
        exposure_times_s=(1 / 15,),
        passing_object_share=0.04,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )

    pairs = series_pairs(ingest_series(captures_of(paths), "shutter"))

    assert sorted(p.edits[0].value for p in pairs) == pytest.approx([-4, -2, -2, 2, 2, 4])


def test_a_shutter_series_in_which_nothing_moves_is_refused(tmp_path: Path) -> None:
    """Times make no difference to a still life; the reason says how much must move."""
    pictures = filtered([scene()] * 3, (0.0, 2.0, 4.0))
    paths = photograph_pictures(tmp_path, pictures, exposure_times_s=(1 / 250, 1 / 60, 1 / 15))

    result = ingest_series(captures_of(paths), "shutter")

    assert not series_pairs(result)
    needed = f"at least {MIN_SHUTTER_MOVING_SHARE:.1%} must): exposure times make no difference"
    assert needed in reasons_of(result)


def test_a_shutter_series_that_is_not_held_is_refused(tmp_path: Path) -> None:
    """Without a filter two stops of time are two stops of light: that is a bracket."""
    pictures = [streaks(0), streaks(20)]
    paths = photograph_pictures(tmp_path, pictures, exposure_times_s=(1 / 60, 1 / 15))

    result = ingest_series(captures_of(paths), "shutter")

    assert not series_pairs(result)
    assert "but the settings say +0.000" in reasons_of(result)
