from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rawpy
from numpy.typing import NDArray

from dslr.dng import DngHeader, dng_bytes, write_dng
from dslr.metadata import read_metadata
from dslr.simulated_camera import XYZ_TO_CAMERA, camera_rgb


def header(*, orientation: int = 1) -> DngHeader:
    """Return a header with a value of its own in every field."""
    neutral = camera_rgb(np.ones((1, 1, 3), np.float32))[0, 0].tolist()
    return DngHeader(
        make="Maker",
        model="Model X",
        software="test",
        description="a test file",
        captured_at=datetime(2026, 2, 3, 4, 5, 6, 250_000),
        exposure_time_s=1 / 60,
        f_number=5.6,
        iso=200,
        focal_length_mm=35.0,
        as_shot_neutral=(neutral[0], neutral[1], neutral[2]),
        xyz_to_camera=XYZ_TO_CAMERA,
        black_level=512,
        white_level=16383,
        orientation=orientation,
    )


def ramp(height_px: int = 32, width_px: int = 48) -> NDArray[np.uint16]:
    """Return a mosaic in which every value differs; LibRaw refuses sides below 22 pixels."""
    values = 512 + np.arange(height_px * width_px).reshape(height_px, width_px) * 10
    return values.astype(np.uint16)


def test_the_mosaic_and_its_levels_come_back(tmp_path: Path) -> None:
    """LibRaw reads every value, the RGGB pattern, black, white and the balance as written."""
    write_dng(tmp_path / "x.dng", ramp(), header())

    with rawpy.imread(str(tmp_path / "x.dng")) as raw:
        np.testing.assert_array_equal(raw.raw_image_visible, ramp())
        assert raw.raw_pattern is not None
        assert raw.raw_pattern.tolist() == [[0, 1], [3, 2]]
        assert raw.black_level_per_channel == [512] * 4
        assert raw.white_level == 16383
        wanted = 1.0 / np.array(header().as_shot_neutral)
        np.testing.assert_allclose(raw.camera_whitebalance[:3], wanted, rtol=1e-4)


def test_the_settings_stand_in_a_real_exif_directory(tmp_path: Path) -> None:
    """Exifread and LibRaw both find time, aperture, ISO and focal length."""
    write_dng(tmp_path / "x.dng", ramp(), header())

    metadata = read_metadata(tmp_path / "x.dng")
    with rawpy.imread(str(tmp_path / "x.dng")) as raw:
        other = raw.other

    assert metadata.body == "Maker Model X"
    assert metadata.captured_at == header().captured_at
    for found in (
        (metadata.exposure_time_s, metadata.f_number, metadata.iso, metadata.focal_length_mm),
        (other.shutter_speed, other.aperture, other.iso_speed, other.focal_length),
    ):
        assert found == pytest.approx((1 / 60, 5.6, 200, 35.0), rel=1e-6)


def test_an_iso_beyond_16_bits_is_written_as_exif_asks(tmp_path: Path) -> None:
    """ISO 102400 overflows ISOSpeedRatings; RecommendedExposureIndex has it."""
    write_dng(tmp_path / "x.dng", ramp(), replace(header(), iso=102_400))

    assert read_metadata(tmp_path / "x.dng").iso == 102_400


def test_equal_input_gives_equal_bytes() -> None:
    """No clock and no random identifier gets into a file."""
    assert dng_bytes(ramp(), header()) == dng_bytes(ramp(), header())
    assert dng_bytes(ramp(), header()) != dng_bytes(ramp(), replace(header(), iso=400))
