"""The ingester recovers what the simulated camera did: which series, and by how much."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.records import Pair, UnitResult
from dslr.units import CaptureGroup, ingest_unit, scan_folder
from tests.dslr.conftest import photograph, read_truth

DATASET = DatasetJob(name="bench", seed=2, annotations=("moving",))
SIDE_PX = {"width_px": 256, "height_px": 192}
PLANNED = ("exposure", "aperture", "iso_noise", "focal_length", "white_balance")
THREE = (1 / 15, 1 / 60, 1 / 250)
FIVE = (1 / 15, 1 / 30, 1 / 60, 1 / 125, 1 / 250)
SEVEN = (1 / 8, 1 / 15, 1 / 30, 1 / 60, 1 / 125, 1 / 250, 1 / 500)


def ingested(folder: Path, num_pairs: int = 60) -> tuple[CaptureGroup, UnitResult]:
    """Return the only group of a folder and what it yields; all pairs of its series."""
    plan = {"num_pairs": num_pairs}
    capture_source = CaptureSource.model_validate(
        {
            "name": "shots",
            "folder": folder,
            "attributes": dict.fromkeys(
                ("exposure", "aperture", "iso_noise", "focal_length", "white_balance"), plan
            ),
        }
    )
    (group,) = scan_folder(capture_source, num_workers=1)
    return group, ingest_unit(DATASET, capture_source, group)


def series_pairs(result: UnitResult) -> list[Pair]:
    """Return the pairs of real frames, not those computed of one."""
    return [pair for pair in result.pairs if "-single-" not in pair.key]


def errors_stops(paths: Sequence[Path], pairs: Sequence[Pair]) -> list[float]:
    """Return by how much the recorded exposure of each pair misses the truth."""
    truth = {frame["file"]: frame for frame in read_truth(paths)}
    errors = []
    for pair in pairs:
        source, target = (truth[pair.origin[which]["file"]] for which in ("source", "target"))
        true = target["exposure_stops"] - source["exposure_stops"]
        errors.append(pair.edits[0].value - true)
    return errors


@pytest.mark.parametrize("times_s", [THREE, FIVE, SEVEN], ids=["3", "5", "7"])
def test_a_bracket_on_a_tripod_is_within_five_thousandths_of_a_stop(
    times_s: tuple[float, ...], tmp_path: Path
) -> None:
    """All ordered pairs, against the times that the shutter really took."""
    paths = photograph(tmp_path, exposure_times_s=times_s, **SIDE_PX)

    group, result = ingested(tmp_path)
    pairs = series_pairs(result)

    assert group.kind == "exposure"
    assert len(group.paths) == len(times_s)
    assert len(pairs) >= len(times_s) * (len(times_s) - 1) * 0.6  # the widest clip away
    assert max(abs(e) for e in errors_stops(paths, pairs)) < 0.005


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_shots_does_not_matter(order: tuple[int, ...], tmp_path: Path) -> None:
    """Darkest first, brightest first, middle first: the same series, the same truth."""
    paths = photograph(tmp_path, exposure_times_s=THREE, shot_order=order)

    group, result = ingested(tmp_path)

    assert (group.kind, len(group.paths)) == ("exposure", 3)
    assert max(abs(e) for e in errors_stops(paths, series_pairs(result))) < 0.005


def test_duplicates_stay_in_the_series_and_check_the_light(tmp_path: Path) -> None:
    """The second frame of one exposure is not paired; its row says how equal it was."""
    paths = photograph(tmp_path, exposure_times_s=FIVE, duplicates=(2, 2), **SIDE_PX)

    group, result = ingested(tmp_path)

    assert (group.kind, len(group.paths)) == ("exposure", 7)
    repeats = [row.reason for row in result.rejections if "repeats" in row.reason]
    assert len(repeats) == 2
    assert max(abs(e) for e in errors_stops(paths, series_pairs(result))) < 0.005


@pytest.mark.parametrize("shake_px", [1.0, 3.0, 6.0])
def test_a_hand_held_bracket_is_within_two_hundredths_of_a_stop(
    shake_px: float, tmp_path: Path
) -> None:
    """Frames are shifted and rolled back before anything is compared; the pictures line up."""
    settings = {**SIDE_PX, "width_px": 384, "height_px": 288}
    paths = photograph(
        tmp_path, exposure_times_s=FIVE, shake_px=shake_px / 2.0, shake_deg=0.3, **settings
    )

    group, result = ingested(tmp_path)
    pairs = series_pairs(result)

    assert (group.kind, len(group.paths)) == ("exposure", 5)
    assert len(pairs) >= 10
    assert max(abs(e) for e in errors_stops(paths, pairs)) < 0.02
    assert max(misplaced_px(paths, pairs)) < 0.3


def misplaced_px(paths: Sequence[Path], pairs: Sequence[Pair]) -> list[float]:
    """Return by how many sensor pixels each frame lies beside the anchor, against the truth.

    What was left untouched, because it stood nearly still, counts as it is.
    """
    truth = {frame["file"]: frame for frame in read_truth(paths)}
    origins = {pair.origin["target"]["file"]: pair.origin for pair in pairs}
    corners = np.array([[0, 0, 1], [383, 0, 1], [0, 287, 1], [383, 287, 1]], np.float64).T
    found = []
    for name, origin in origins.items():
        alignment = origin["target"]["alignment"]
        warp = np.array(alignment["sensor_warp"]) if alignment["is_applied"] else np.eye(2, 3)
        anchor, frame = (
            np.vstack([truth[file]["still_to_frame"], [0, 0, 1]])
            for file in (origin["anchor_file"], name)
        )
        true = (frame @ np.linalg.inv(anchor))[:2]
        found.append(float(np.hypot(*(warp @ corners - true @ corners)).max()))
    return found


def test_what_passes_by_is_masked_and_does_not_bend_the_scale(tmp_path: Path) -> None:
    """The mask covers what the object covers in either frame; the rest measures as before."""
    paths = photograph(
        tmp_path,
        exposure_times_s=THREE,
        passing_object_share=0.04,
        width_px=384,
        height_px=288,
    )
    truth = {frame["file"]: frame for frame in read_truth(paths)}

    group, result = ingested(tmp_path)
    pairs = series_pairs(result)

    assert group.kind == "exposure"
    assert len(pairs) >= 4
    assert max(abs(e) for e in errors_stops(paths, pairs)) < 0.02
    for pair in pairs:
        covered, masked = covered_and_masked(tmp_path, truth, pair)
        assert masked[covered].mean() > 0.85
        assert masked.mean() < 4.0 * covered.mean()


def covered_and_masked(
    folder: Path, truth: dict[str, dict[str, Any]], pair: Pair
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the object stands against the rest, and the mask that the pair has."""
    masks = []
    for which in ("source", "target"):
        passing = truth[pair.origin[which]["file"]]["passing_object"]
        png = (folder / passing["mask"]).read_bytes()
        masks.append(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) > 0)
    moving = [
        cv2.imdecode(np.frombuffer(pair.annotations[f"{which}.moving.png"], np.uint8), 0) > 0
        for which in ("source", "target")
    ]
    masked = moving[0] | moving[1]
    size = masked.shape[::-1]
    covered = [
        cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for m in masks
    ]
    return covered[0] ^ covered[1], masked


def test_a_pair_with_something_that_moved_needs_its_mask(tmp_path: Path) -> None:
    """Without the annotation a loader could not leave it out, so the pair is rejected."""
    photograph(
        tmp_path,
        exposure_times_s=THREE,
        passing_object_share=0.04,
        width_px=384,
        height_px=288,
    )
    capture_source = CaptureSource.model_validate({"name": "shots", "folder": tmp_path})
    (group,) = scan_folder(capture_source, num_workers=1)

    result = ingest_unit(DatasetJob(name="plain", seed=2), capture_source, group)

    assert not series_pairs(result)
    assert any("something moved" in row.reason for row in result.rejections)


def test_drifting_light_and_stripes_are_rejected_with_their_size(tmp_path: Path) -> None:
    """A cloud over half the picture, and mains flicker, are no edit of the exposure."""
    photograph(tmp_path, "cloud", 0, exposure_times_s=THREE, drift_stops=1.2, **SIDE_PX)
    _, result = ingested(tmp_path)
    assert any("drifted" in row.reason for row in result.rejections)


def test_flicker_is_flagged_or_rejected(tmp_path: Path) -> None:
    """A lamp whose light jumps by half a stop contradicts the settings."""
    photograph(tmp_path, exposure_times_s=FIVE, flicker_stops=1.5, **SIDE_PX)

    _, result = ingested(tmp_path)

    told = [row.reason for row in result.rejections if "settings say" in row.reason]
    flagged = [
        pair for pair in series_pairs(result) if pair.origin["target"]["stops"]["is_flagged"]
    ]
    assert told or flagged


def test_an_iso_series_holds_the_brightness_and_its_noise_is_measured(tmp_path: Path) -> None:
    """ISO 100 to 1600 at equal exposure: measured noise grows by the stops of ISO."""
    photograph(
        tmp_path,
        series="iso",
        iso_values=(100, 400, 1600),
        exposure_times_s=(1 / 15,),
        width_px=384,
        height_px=288,
    )

    group, result = ingested(tmp_path)
    pairs = [p for p in series_pairs(result) if p.edits[0].attribute == "iso_noise"]

    assert group.kind == "iso"
    assert len(pairs) == 6
    for pair in pairs:
        (edit,) = pair.edits
        assert edit.measured == pytest.approx(edit.value, abs=0.35)
    widest = max(pair.edits[0].value for pair in pairs)
    assert widest == pytest.approx(4.0)


@pytest.mark.parametrize("shutter_compensates", [True, False])
def test_an_aperture_series_is_told_from_a_bracket(
    shutter_compensates: bool, tmp_path: Path
) -> None:
    """The f-number is the scale, snapped; what it does to the brightness is taken out."""
    photograph(
        tmp_path,
        series="aperture",
        f_numbers=(2.8, 5.6, 11.0),
        shutter_compensates=shutter_compensates,
        exposure_times_s=(1 / 60,),
        **SIDE_PX,
    )

    group, result = ingested(tmp_path)

    assert group.kind == "aperture"
    frames = series_frames(result)
    gains = sorted(origin["brightness"]["taken_out_stops"] for origin in frames)
    expected = [0.0, 0.0, 0.0] if shutter_compensates else [-2.0, 0.0, 2.0]
    assert gains == pytest.approx(expected, abs=0.01)


def series_frames(result: UnitResult) -> list[dict[str, Any]]:
    """Return what is known of each frame of a series, from its pairs or, invisible, its rows."""
    frames = {}
    for pair in series_pairs(result):
        for which in ("source", "target"):
            frames[pair.origin[which]["file"]] = pair.origin[which]
    return list(frames.values())


def test_a_white_balance_series_gives_the_balances_that_were_set(tmp_path: Path) -> None:
    """Tungsten, daylight, shade: exact pairs between the kelvin of the camera's multipliers."""
    photograph(tmp_path, series="white_balance", wb_ccts_k=(3000, 5500, 7500), **SIDE_PX)

    group, result = ingested(tmp_path)
    pairs = [p for p in series_pairs(result) if p.edits[0].attribute == "white_balance"]

    assert group.kind == "white_balance"
    assert len(pairs) == 6
    kelvin = sorted({pair.edits[0].source_value for pair in pairs})
    assert kelvin == pytest.approx([3000, 5500, 7500], rel=0.01)
