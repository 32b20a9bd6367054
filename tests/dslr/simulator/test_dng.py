from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rawpy
from numpy.typing import NDArray

from dslr.files.metadata import read_exif, read_metadata
from dslr.simulator.dng import DngHeader, dng_bytes, write_dng
from dslr.simulator.sensor import XYZ_TO_CAMERA, neutral_rgb


def header(*, orientation: int = 1) -> DngHeader:
    """Return a header with a value of its own in every field."""
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
        as_shot_neutral=neutral_rgb(None),
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


def test_what_only_some_cameras_say_is_read_by_exifread_and_libraw(tmp_path: Path) -> None:
    """Distance, bias, serial number, lens and time zone, each at its tag; None leaves it out."""
    full = replace(
        header(),
        focus_distance_m=1.25,
        exposure_bias_stops=-2 / 3,
        body_serial="012345",
        lens_model="Lens 24-70mm F2.8",
        utc_offset="-03:30",
    )
    write_dng(tmp_path / "full.dng", ramp(), full)
    write_dng(tmp_path / "plain.dng", ramp(), header())

    tags, plain = read_exif(tmp_path / "full.dng"), read_exif(tmp_path / "plain.dng")
    numbers = {name: str(tags[f"EXIF {name}"].values[0]) for name in _NUMBERS}
    texts = {name: str(tags[f"EXIF {name}"]) for name in _TEXTS}
    assert numbers == {"SubjectDistance": "5/4", "ExposureBiasValue": "-2/3"}
    assert texts == dict(zip(_TEXTS, ("012345", "Lens 24-70mm F2.8", "-03:30"), strict=True))
    assert not [name for name in (*_NUMBERS, *_TEXTS) if f"EXIF {name}" in plain]
    with rawpy.imread(str(tmp_path / "full.dng")) as raw:
        assert raw.lens.model == "Lens 24-70mm F2.8"
        assert raw.other.shutter_speed == pytest.approx(1 / 60)  # the directory is still sound
        np.testing.assert_array_equal(raw.raw_image_visible, ramp())


_NUMBERS = ("SubjectDistance", "ExposureBiasValue")
_TEXTS = ("BodySerialNumber", "LensModel", "OffsetTimeOriginal")


def test_equal_input_gives_equal_bytes() -> None:
    """No clock and no random identifier gets into a file."""
    assert dng_bytes(ramp(), header()) == dng_bytes(ramp(), header())
    assert dng_bytes(ramp(), header()) != dng_bytes(ramp(), replace(header(), iso=400))
