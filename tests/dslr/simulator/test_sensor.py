import math
from pathlib import Path

import numpy as np
import pytest
import rawpy
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import XYZ_TO_SRGB
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.system.seeding import derive_rng
from dslr.simulator.sensor import SENSOR, XYZ_TO_CAMERA, bayer_mosaic, expose
from dslr.simulator.simulated_camera import write_series
from tests.dslr.conftest import read_signal


def flat_signals(folder: Path, level: float = 1.0, **settings: object) -> list[NDArray[np.float64]]:
    """Photograph a grey wall; return the green pixels of each file in DN above black."""
    camera = SimulatedCamera.model_validate(settings)
    wall_HW3 = np.full((256, 256, 3), level, np.float32)
    rng = derive_rng(0, "wall")
    paths = write_series(folder, wall_HW3, camera, rng, name="wall", number=0)
    mosaics = [read_signal(path) for path in paths]
    return [np.concatenate([m[0::2, 1::2], m[1::2, 0::2]]) for m in mosaics]


def pair_variance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the variance of the noise in one of two equal frames: what is fixed falls out."""
    return float((one - other).var()) / 2.0


@pytest.mark.parametrize("iso", [100, 800])
def test_photon_transfer_gives_the_gain_and_the_read_noise(iso: int, tmp_path: Path) -> None:
    """Variance over mean of two flat frames: electrons per DN within 3 %, read noise within 5 %."""
    times_s = (1 / 60, 1 / 60)
    light = flat_signals(tmp_path / "light", iso=iso, exposure_times_s=times_s)
    dark = flat_signals(tmp_path / "dark", level=0.0, iso=iso, exposure_times_s=times_s)

    dark_variance = pair_variance(*dark)
    mean = (light[0].mean() + light[1].mean()) / 2.0
    electrons_per_dn = mean / (pair_variance(*light) - dark_variance)
    read_noise_e = math.sqrt(dark_variance - 1.0 / 12.0) * electrons_per_dn  # less quantisation

    assert electrons_per_dn == pytest.approx(SENSOR.electrons_per_dn(iso), rel=0.03)
    assert read_noise_e == pytest.approx(SENSOR.read_noise_e(iso), rel=0.05)
    assert mean == pytest.approx(0.3 * (SENSOR.white_level - SENSOR.black_level), rel=0.002)


def test_iso_at_equal_exposure_doubles_the_relative_shot_noise(tmp_path: Path) -> None:
    """The level in DN stays, the electrons behind it halve."""
    camera = {"series": "iso", "iso_values": (100, 200, 400, 800), "duplicates": (0, 1, 2, 3)}
    frames = flat_signals(tmp_path / "light", **camera)
    dark = flat_signals(tmp_path / "dark", level=0.0, **camera)

    shares = []
    for n in range(4):
        mean = (frames[n].mean() + frames[n + 4].mean()) / 2.0
        shot_variance = pair_variance(frames[n], frames[n + 4]) - pair_variance(
            dark[n], dark[n + 4]
        )
        shares.append(shot_variance / mean**2)
        assert mean == pytest.approx(frames[0].mean(), rel=0.002)
    assert np.diff(np.log2(shares)) == pytest.approx([1.0, 1.0, 1.0], abs=0.04)


def test_read_noise_in_electrons_falls_with_iso() -> None:
    """What is added behind the amplifier counts for less, what stands before it stays."""
    noise_e = [SENSOR.read_noise_e(iso) for iso in (50, 100, 200, 6400)]

    assert noise_e == sorted(noise_e, reverse=True)
    assert noise_e[1] == 4.0
    assert noise_e[3] == pytest.approx(SENSOR.pixel_noise_e, rel=0.001)


def test_noise_is_shot_noise_plus_read_noise() -> None:
    """Variance in electrons is the mean plus the read noise squared, in the dark and in light."""
    rng = derive_rng(0, "noise")
    for mean_e in (0.0, 200.0, 20_000.0):
        values = expose(np.full((400, 400), mean_e), 100, rng).astype(np.float64)
        counted_e = (values - SENSOR.black_level) * SENSOR.electrons_per_dn(100)

        assert counted_e.mean() == pytest.approx(mean_e, abs=4 * math.sqrt(mean_e + 16) / 400)
        quantisation = SENSOR.electrons_per_dn(100) ** 2 / 12
        wanted = mean_e + SENSOR.read_noise_e(100) ** 2 + quantisation
        assert counted_e.var() == pytest.approx(wanted, rel=0.02)


def test_the_sensor_clips_at_white_and_leaves_its_black_level_room() -> None:
    """Too many electrons give exactly white; read noise below black is kept, not cut off."""
    rng = derive_rng(0, "clip")

    assert (expose(np.full((8, 8), 1e6), 100, rng) == SENSOR.white_level).all()
    dark = expose(np.zeros((64, 64)), 100, rng)
    assert dark.min() < SENSOR.black_level < dark.max()


def test_a_pulled_iso_is_full_below_the_largest_number_and_says_so(tmp_path: Path) -> None:
    """At ISO 50 the photodiode is full at 55 % of the numbers; the file's white level is there."""
    camera = SimulatedCamera(iso=50, exposure_times_s=(1 / 60, 1 / 60, 4.0))
    wall_HW3 = np.ones((64, 64, 3), np.float32)
    *_, path = write_series(tmp_path, wall_HW3, camera, derive_rng(0, "pull"), name="w", number=0)

    full = read_signal(path)
    with rawpy.imread(str(path)) as raw:
        white = raw.white_level
    assert white == 9241  # 512 + 15871 * 44000 / 80000
    assert full.mean() == pytest.approx(white - SENSOR.black_level, abs=1.0)
    assert 0.0 < full.std() < 3.0


def test_pixels_of_one_body_differ_always_in_the_same_way(tmp_path: Path) -> None:
    """What two frames share is the gain of each pixel; another body shares nothing with them."""
    series = {"exposure_times_s": (1 / 60, 1 / 60), "prnu_share": 0.02}
    one, other = flat_signals(tmp_path / "a", body_serial="A1", **series)
    foreign, _ = flat_signals(tmp_path / "b", body_serial="B2", **series)

    shared = np.mean((one / one.mean() - 1.0) * (other / other.mean() - 1.0))
    assert math.sqrt(shared) == pytest.approx(0.02, rel=0.05)
    assert abs(np.mean((one / one.mean() - 1.0) * (foreign / foreign.mean() - 1.0))) < 2e-5


def test_no_light_becomes_a_negative_signal() -> None:
    """Every pure sRGB colour is positive in all three camera channels."""
    assert (XYZ_TO_CAMERA @ np.linalg.inv(XYZ_TO_SRGB) > 0.0).all()


def test_the_mosaic_is_rggb() -> None:
    """Red top left, blue bottom right, green between."""
    picture = np.broadcast_to(np.array([1.0, 2.0, 3.0]), (2, 2, 3))

    assert bayer_mosaic(picture).tolist() == [[1.0, 2.0], [2.0, 3.0]]
