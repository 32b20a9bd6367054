import json
import math
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.batches import SimulatedCamera
from cat_dataset.photometry import XYZ_TO_SRGB
from cat_dataset.seeding import derive_rng
from dslr.metadata import read_exif, read_metadata
from dslr.raw_file import open_raw, read_mosaic
from dslr.simulated_camera import (
    SENSOR,
    XYZ_TO_CAMERA,
    bayer_mosaic,
    expose,
    true_exposure_times_s,
    write_bracket,
)
from tests.dslr.conftest import photograph, scene_light


def test_the_truth_differs_from_what_the_files_print(bracket: tuple[Path, ...]) -> None:
    """Files say 1/15, 1/60, 1/250 s; the shutter took 1/16, 1/64, 1/256 s."""
    printed = [read_metadata(path).exposure_time_s for path in bracket]
    truth = json.loads((bracket[0].parent / "set.truth.json").read_text())["frames"]

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


def test_noise_is_shot_noise_plus_read_noise(tmp_path: Path) -> None:
    """Variance in electrons is the mean plus the read noise squared, in the dark and in light."""
    rng = derive_rng(0, "noise")
    for mean_e in (0.0, 200.0, 20_000.0):
        values = expose(np.full((400, 400), mean_e), 100, rng).astype(np.float64)
        counted_e = (values - SENSOR.black_level) * SENSOR.electrons_per_dn(100)

        assert counted_e.mean() == pytest.approx(mean_e, abs=4 * math.sqrt(mean_e + 16) / 400)
        quantisation = SENSOR.electrons_per_dn(100) ** 2 / 12
        wanted = mean_e + SENSOR.read_noise_e**2 + quantisation
        assert counted_e.var() == pytest.approx(wanted, rel=0.02)


def test_the_sensor_clips_at_white_and_leaves_its_black_level_room() -> None:
    """Too many electrons give exactly white; read noise below black is kept, not cut off."""
    rng = derive_rng(0, "clip")

    assert (expose(np.full((8, 8), 1e6), 100, rng) == SENSOR.white_level).all()
    dark = expose(np.zeros((64, 64)), 100, rng)
    assert dark.min() < SENSOR.black_level < dark.max()


def test_no_light_becomes_a_negative_signal() -> None:
    """Every pure sRGB colour is positive in all three camera channels."""
    assert (XYZ_TO_CAMERA @ np.linalg.inv(XYZ_TO_SRGB) > 0.0).all()


def test_the_mosaic_is_rggb() -> None:
    """Red top left, blue bottom right, green between."""
    picture = np.broadcast_to(np.array([1.0, 2.0, 3.0]), (2, 2, 3))

    assert bayer_mosaic(picture).tolist() == [[1.0, 2.0], [2.0, 3.0]]


def test_the_middle_frame_is_well_exposed(bracket: tuple[Path, ...]) -> None:
    """Bright parts of the middle frame lie at a third of white: two stops more clip few of them."""
    with open_raw(bracket[1]) as raw:
        mosaic = read_mosaic(raw, bracket[1])

    signal = (mosaic.planes_PHW - 512.0) / mosaic.full_scale_dn
    assert 0.2 < np.percentile(signal, 99) < 0.5
    assert mosaic.clipped_values().mean() < 0.02


def test_equal_generators_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    """A bracket is a pure function of scene, camera and generator."""
    first = photograph(tmp_path / "a")
    again = photograph(tmp_path / "b")
    rng = derive_rng(1, "other")
    other = write_bracket(
        tmp_path / "c", scene_light("set"), SimulatedCamera(), rng, name="set", number=0
    )

    for a, b, c in zip(first, again, other, strict=True):
        assert a.read_bytes() == b.read_bytes()
        assert a.read_bytes() != c.read_bytes()


def test_half_stop_times_are_true_to_their_own_grid() -> None:
    """A camera set to half stops prints 1/6 s for 1/5.66 s."""
    camera = SimulatedCamera(exposure_times_s=(1 / 6, 1 / 3, 0.7))

    assert true_exposure_times_s(camera) == pytest.approx([2**-2.5, 2**-1.5, 2**-0.5])
