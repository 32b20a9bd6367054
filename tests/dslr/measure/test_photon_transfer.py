import math
from pathlib import Path

import pytest

from dslr.files.raw_file import Mosaic, open_raw, read_mosaic
from dslr.measure.photon_transfer import frame_noise
from dslr.simulator.sensor import SENSOR
from tests.dslr.conftest import photograph


def mosaic_of(path: Path) -> Mosaic:
    """Return a file's sensor values."""
    with open_raw(path) as raw:
        return read_mosaic(raw, path)


def true_share(iso: int, signal_share: float) -> float:
    """Return the noise over the signal that the simulated sensor has."""
    electrons = signal_share * SENSOR.white_e(iso)
    return math.sqrt(electrons + SENSOR.read_noise_e(iso) ** 2) / electrons


@pytest.mark.parametrize("iso", [100, 800, 3200])
def test_the_noise_of_one_frame_is_that_of_the_sensor(tmp_path: Path, iso: int) -> None:
    """From a single frame of a scene with edges, at middle grey, within 10 %."""
    paths = photograph(
        tmp_path, iso=iso, exposure_times_s=(1 / 30, 1 / 60), width_px=768, height_px=512
    )

    found = frame_noise(mosaic_of(paths[1]))

    assert found is not None
    assert found.share_at(0.18) == pytest.approx(true_share(iso, 0.18), rel=0.1)


def test_a_picture_too_small_to_tell_says_nothing(tmp_path: Path) -> None:
    """No number is better than a guess."""
    paths = photograph(tmp_path, exposure_times_s=(1 / 30, 1 / 60), width_px=64, height_px=48)

    assert frame_noise(mosaic_of(paths[0])) is None
