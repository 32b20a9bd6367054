import math
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
import rawpy

from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.system.seeding import derive_rng
from dslr.develop.white_balance import kelvin_of_multipliers, known_multipliers
from dslr.files.metadata import read_exif, read_metadata
from dslr.files.raw_file import open_raw, read_mosaic
from dslr.simulator.sensor import SENSOR
from dslr.simulator.simulated_camera import write_series
from tests.dslr.conftest import photograph, read_signal, read_truth, scene_light

WHITE = 0.9 * (SENSOR.white_level - SENSOR.black_level)
ALL_ACCIDENTS = {
    "shake_px": 3.0,
    "shake_deg": 0.3,
    "passing_object_share": 0.03,
    "flicker_stops": 0.3,
    "band_stops": 0.2,
    "drift_stops": 0.3,
    "prnu_share": 0.01,
    "duplicates": (1,),
    "shot_order": (3, 0, 2, 1),
}


def stops_between(source: Path, target: Path) -> float:
    """Return log2 of the ratio of light in what neither frame clips."""
    dark, bright = read_signal(source), read_signal(target)
    is_open = np.maximum(dark, bright) < WHITE
    return math.log2(bright[is_open].sum() / dark[is_open].sum())


def test_the_truth_differs_from_what_the_files_print(bracket: tuple[Path, ...]) -> None:
    """Files say 1/15, 1/60, 1/250 s; the shutter took 1/16, 1/64, 1/256 s."""
    printed = [read_metadata(path).exposure_time_s for path in bracket]
    truth = read_truth(bracket)

    assert printed == pytest.approx([1 / 15, 1 / 60, 1 / 250])
    assert [frame["exposure_time_s"] for frame in truth] == [1 / 16, 1 / 64, 1 / 256]
    assert [frame["exposure_stops"] for frame in truth] == [2.0, 0.0, -2.0]
    assert [frame["file"] for frame in truth] == [path.name for path in bracket]


def test_files_say_that_they_are_simulated(bracket: tuple[Path, ...]) -> None:
    """Nobody who finds such a file mistakes it for a photograph."""
    tags = read_exif(bracket[0])

    assert "Simulated" in str(tags["Image Model"])
    assert "simulated" in str(tags["Image ImageDescription"])
    assert "simulate" in str(tags["Image Software"])


def test_the_middle_frame_is_well_exposed(bracket: tuple[Path, ...]) -> None:
    """Bright parts of the middle frame lie at a third of white: two stops more clip few of them."""
    with open_raw(bracket[1]) as raw:
        mosaic = read_mosaic(raw, bracket[1])

    signal = (mosaic.planes_PHW - 512.0) / mosaic.full_scale_dn
    assert 0.2 < np.percentile(signal, 99) < 0.5
    assert mosaic.clipped_values().mean() < 0.02


def test_equal_generators_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    """A series is a pure function of scene, camera and generator, with every accident on."""
    camera = SimulatedCamera.model_validate(ALL_ACCIDENTS)
    margins = 2 * camera.margin_px
    light_HW3 = scene_light("set", 96 + margins, 128 + margins)
    contents = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        rng = derive_rng(seed, "test-sensor")
        write_series(tmp_path / folder, light_HW3, camera, rng, name="set", number=0)
        files = sorted((tmp_path / folder).iterdir())
        contents.append({path.name: path.read_bytes() for path in files})

    first, again, other = contents
    assert len(first) == 4 + 4 + 1  # frames, masks, truth
    assert first == again
    assert first.keys() == other.keys()
    assert not any(first[name] == other[name] for name in first)


def test_accidents_leave_the_noise_of_the_sensor_alone(tmp_path: Path) -> None:
    """An object that passes in one shot changes no bit of the shots before it."""
    plain = photograph(tmp_path / "a")
    passed = photograph(tmp_path / "b", passing_object_share=0.03, passing_object_shots=(2,))

    assert [p.read_bytes() == q.read_bytes() for p, q in zip(plain, passed, strict=True)] == [
        *(True, True, False)
    ]


def test_levels_of_an_aperture_series_follow_the_true_f_numbers(tmp_path: Path) -> None:
    """One stop from f/2.8 to f/4 and on, where the printed numbers say 1.029, 0.971, 1.029."""
    paths = photograph(
        tmp_path, series="aperture", f_numbers=(2.8, 4.0, 5.6, 8.0), shutter_compensates=False
    )

    truth = [frame["f_number"] for frame in read_truth(paths)]
    printed = [read_metadata(path).f_number or 0.0 for path in paths]
    assert printed == pytest.approx([2.8, 4.0, 5.6, 8.0])
    for n in range(3):
        measured = stops_between(paths[n], paths[n + 1])
        assert measured == pytest.approx(2 * math.log2(truth[n] / truth[n + 1]), abs=0.003)
        assert abs(measured - 2 * math.log2(printed[n] / printed[n + 1])) > 0.02


def test_frames_of_series_at_equal_exposure_are_equally_bright(tmp_path: Path) -> None:
    """ISO and apertures that the shutter makes up for, and lens settings."""
    for series, field, values, tag in (
        ("iso", "iso_values", (100, 400, 1600), "EXIF ISOSpeedRatings"),
        ("aperture", "f_numbers", (2.8, 5.6, 11.0), "EXIF FNumber"),
        ("focal_length", "focal_lengths_mm", (35.0, 50.0, 85.0), "EXIF FocalLength"),
        ("focus_distance", "focus_distances_m", (0.5, 1.25, 4.0), "EXIF SubjectDistance"),
    ):
        paths = photograph(tmp_path, series, **{"series": series, field: values})

        assert stops_between(paths[0], paths[1]) == pytest.approx(0.0, abs=0.003)
        assert stops_between(paths[1], paths[2]) == pytest.approx(0.0, abs=0.005)
        told = [float(read_exif(path)[tag].values[0]) for path in paths]
        assert told == pytest.approx(values)


def test_each_value_of_a_rendered_series_has_its_own_picture(tmp_path: Path) -> None:
    """Frame by frame in the order of the values, duplicates from the same picture."""
    camera = SimulatedCamera(
        series="focal_length", focal_lengths_mm=(35.0, 50.0), duplicates=(0,), shot_order=(1, 2, 0)
    )
    light_HW3 = scene_light("set")
    paths = write_series(
        tmp_path,
        [light_HW3, light_HW3[:, ::-1]],
        camera,
        derive_rng(0, "x"),
        name="zoom",
        number=0,
    )

    assert [frame["focal_length_mm"] for frame in read_truth(paths)] == [50.0, 35.0, 35.0]
    likeness = [
        np.corrcoef(read_signal(paths[0]).ravel(), read_signal(path).ravel())[0, 1]
        for path in paths[1:]
    ]
    assert np.corrcoef(read_signal(paths[1]).ravel(), read_signal(paths[2]).ravel())[0, 1] > 0.99
    assert max(likeness) < 0.9


def test_pictures_that_do_not_fit_the_camera_are_refused(tmp_path: Path) -> None:
    """One for each value, with the margin, even inside."""
    rng = derive_rng(0, "x")
    light_HW3 = scene_light("set")
    series = SimulatedCamera()
    for pictures, camera, complaint in (
        ([light_HW3], series, "1 pictures for 3 values of exposure"),
        (light_HW3[:95], series, "128x95 px inside the margin of 0 px: sides must be even"),
        (light_HW3, SimulatedCamera(width_px=64, height_px=32, shake_px=1.0), "at most 64x32 px"),
    ):
        with pytest.raises(ValueError, match=complaint):
            write_series(tmp_path / "no", pictures, camera, rng, name="x", number=0)
    assert not (tmp_path / "no").exists()


def test_a_white_balance_series_is_one_picture_that_is_read_differently(tmp_path: Path) -> None:
    """The light is the same; the kelvin of the camera's setting comes back from the file."""
    paths = photograph(tmp_path, series="white_balance", wb_ccts_k=(3200.0, 5600.0, 8000.0))

    assert abs(stops_between(paths[0], paths[2])) < 0.003
    for path, frame in zip(paths, read_truth(paths), strict=True):
        with rawpy.imread(str(path)) as raw:
            multipliers = known_multipliers(raw.camera_whitebalance)
        assert multipliers == pytest.approx(1.0 / np.array(frame["as_shot_neutral"]), rel=1e-4)
        assert multipliers is not None
        found_k, duv = kelvin_of_multipliers(multipliers, None, read_metadata(path).dng_colour)
        assert found_k == pytest.approx(frame["wb_cct_k"], rel=0.005)
        assert duv == pytest.approx(0.0, abs=0.001)


def test_files_are_numbered_by_time_and_the_truth_by_file(tmp_path: Path) -> None:
    """Frames overlap neither each other nor the next series, however long they take."""
    settings = {
        "exposure_times_s": (30.0, 8.0, 1.0),
        "duplicates": (1,),
        "shot_order": (2, 3, 0, 1),
    }
    paths = [p for n in range(2) for p in photograph(tmp_path, f"s{n}", n, **settings)]
    truth = read_truth(paths[:4]) + read_truth(paths[4:])

    assert [frame["value_index"] for frame in truth[:4]] == [2, 1, 0, 1]
    assert [frame["exposure_stops"] for frame in truth[:4]] == [-3.0, 0.0, 2.0, 0.0]
    starts = [read_metadata(path).captured_at for path in paths]
    for n, frame in enumerate(truth):
        assert frame["file"] == paths[n].name
        start = datetime.fromisoformat(frame["captured_at"])
        told = starts[n]
        assert told is not None
        assert abs(told - start) < timedelta(seconds=0.01)
        end = start + timedelta(seconds=frame["exposure_time_s"])
        assert n == 7 or end < datetime.fromisoformat(truth[n + 1]["captured_at"])


def test_twins_show_the_noise_alone(tmp_path: Path) -> None:
    """A duplicate is the same exposure, photographed anew."""
    paths = photograph(tmp_path, duplicates=(1,))

    assert abs(stops_between(paths[1], paths[3])) < 0.002
    assert not np.array_equal(read_signal(paths[1]), read_signal(paths[3]))


def test_the_mask_of_a_passing_object_covers_what_changed(tmp_path: Path) -> None:
    """Outside only noise differs from a frame without it; inside nearly everything does."""
    settings = {"exposure_times_s": (1 / 60,) * 4, "iso": 100}
    share = 0.04
    still = read_signal(photograph(tmp_path / "a", **settings)[3])
    paths = photograph(
        tmp_path / "b", passing_object_share=share, passing_object_shots=(0, 1, 2), **settings
    )

    noise = np.sqrt(2.0 * (still.clip(0) / SENSOR.electrons_per_dn(100) + 5.0))
    masks = []
    for path, frame in zip(paths[:3], read_truth(paths)[:3], strict=True):
        mask = cv2.imread(str(path.with_name(frame["passing_object"]["mask"])), -1) == 255
        change = np.abs(read_signal(path) - still) / noise
        assert change[~mask].max() < 6.0
        assert (change[mask] > 6.0).mean() > 0.6
        assert mask.mean() == pytest.approx(share, rel=0.15)
        left, top, right, bottom = frame["passing_object"]["box_px"]
        assert mask[top:bottom, left:right].sum() == mask.sum()
        masks.append(mask)
    assert not (masks[0] & masks[1] & masks[2]).any()
    assert read_truth(paths)[3]["passing_object"] is None
    assert len(list((tmp_path / "b").glob("*.png"))) == 3


def test_flicker_is_a_gain_of_the_light_that_the_exposure_does_not_know(tmp_path: Path) -> None:
    """Measured stops are those of the settings plus those of the lamp."""
    paths = photograph(tmp_path, exposure_times_s=(1 / 30, 1 / 60, 1 / 125), flicker_stops=0.4)

    truth = read_truth(paths)
    for one, other in ((0, 1), (1, 2)):
        told = truth[other]["exposure_stops"] - truth[one]["exposure_stops"]
        lamp = truth[other]["flicker_stops"] - truth[one]["flicker_stops"]
        assert stops_between(paths[one], paths[other]) == pytest.approx(told + lamp, abs=0.004)
    assert max(abs(frame["flicker_stops"]) for frame in truth) > 0.1


def test_bands_and_drift_lie_where_the_truth_says(tmp_path: Path) -> None:
    """The map of gains between two frames is rebuilt from the truth, band by band."""
    paths = photograph(
        tmp_path, exposure_times_s=(1 / 1000, 1 / 1000), band_stops=0.3, drift_stops=0.5
    )

    one, other = (read_signal(path) for path in paths)
    dark, bright = (told_gain(frame) for frame in read_truth(paths))
    is_open = (np.maximum(one, other) < WHITE).astype(np.float64)
    for axis in (0, 1):
        got = (other * is_open).sum(axis=axis) / (one * is_open).sum(axis=axis)
        weight = one * is_open / dark
        wanted = (weight * bright).sum(axis=axis) / (weight * dark).sum(axis=axis)
        assert got == pytest.approx(wanted, rel=0.03)
        assert np.ptp(np.log2(wanted)) > 0.1


def told_gain(frame: dict[str, float]) -> np.ndarray:
    """Return the gain (96, 128) that the truth describes, written out anew."""
    y, x = (np.mgrid[:96, :128] + 0.5) / np.array([96.0, 128.0])[:, None, None]
    angle = math.radians(frame["drift_deg"])
    drift = 2.0 ** (
        frame["drift_stops"] * ((x - 0.5) * math.cos(angle) + (0.5 - y) * math.sin(angle))
    )
    turns = 3.0 * y + frame["band_turns"]
    return drift * (1.0 + frame["band_share"] * np.sin(2.0 * math.pi * turns))


def test_bands_average_out_over_long_exposures(tmp_path: Path) -> None:
    """A thousandth shows them in full, a second hardly."""
    paths = photograph(tmp_path, exposure_times_s=(1 / 1000, 1.0), band_stops=0.3)

    short, long = (abs(frame["band_share"]) for frame in read_truth(paths))
    assert short == pytest.approx(2**0.3 - 1.0, rel=0.02)
    assert long < 0.01


def test_what_cameras_may_say_is_said_on_request(tmp_path: Path) -> None:
    """Body, lens, zone and bias; the plain camera is silent about them."""
    told = photograph(
        tmp_path / "told",
        body_serial="000123",
        lens_model="Lens 24-70",
        utc_offset="+02:00",
        has_exposure_bias=True,
    )
    plain = photograph(tmp_path / "plain")

    names = ("BodySerialNumber", "LensModel", "OffsetTimeOriginal", "ExposureBiasValue")
    tags = [read_exif(path) for path in told]
    assert [str(tags[0][f"EXIF {name}"]) for name in names[:3]] == [
        *("000123", "Lens 24-70", "+02:00")
    ]
    assert [float(t["EXIF ExposureBiasValue"].values[0]) for t in tags] == [2.0, 0.0, -2.0]
    assert not any(f"EXIF {name}" in read_exif(plain[0]) for name in names)


def test_the_margin_is_not_part_of_the_frame(tmp_path: Path) -> None:
    """Shaken frames have the size of still ones."""
    shaky = photograph(tmp_path, **ALL_ACCIDENTS)

    assert {read_signal(path).shape for path in shaky} == {(96, 128)}
