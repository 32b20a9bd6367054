import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from cat_dataset.errors import RawError
from dslr.files.metadata import read_exif, read_metadata

# file: exposure time, f-number, ISO, focal length, body
METADATA_ONLY = {
    "et_CanonRaw.cr2": (1 / 15, 8.0, 400, 55.0, "Canon EOS 350D DIGITAL"),
    "et_CanonRaw.cr3": (1 / 80, 3.5, 12800, 15.0, "Canon EOS M50"),  # in boxes
    "et_FujiFilm.raf": (1 / 250, 8.0, 100, 70.0, "FUJIFILM FinePix S5Pro"),  # in a JPEG
    "et_Nikon.nef": (1 / 20, 3.5, 200, 18.0, "NIKON D70"),
    "et_Panasonic.rw2": (1 / 250, 4.0, 80, 5.1, "Panasonic DMC-LX3"),  # ISO in its own tag
    "a7iii_exifpy.ARW": (1 / 400, None, 6400, None, "SONY ILCE-7M3"),  # manual lens: f/0, 0 mm
}


@pytest.mark.raw
@pytest.mark.parametrize("name", sorted(METADATA_ONLY))
def test_settings_of_every_container_are_read(raw_folder: Path, name: str) -> None:
    """TIFF-like files, CR3 boxes, the JPEG inside RAF; zeros of a manual lens mean unknown."""
    time_s, f_number, iso, focal_length_mm, body = METADATA_ONLY[name]

    metadata = read_metadata(raw_folder / "metadata_only" / name)

    assert metadata.exposure_time_s == pytest.approx(time_s)
    assert metadata.f_number == pytest.approx(f_number)
    assert metadata.iso == pytest.approx(iso)
    assert metadata.focal_length_mm == pytest.approx(focal_length_mm)
    assert metadata.body == body
    assert metadata.source == "exif"
    assert not metadata.is_maker_note_lost


# file: serial, focus distance in m, flash, offset from UTC in s, shot
SECOND_HALF = {
    "et_CanonRaw.cr2": ("123456789", None, False, None, None),
    # focus from 0.22 to 0.24 m
    "et_CanonRaw.cr3": ("613040000565", 0.2296, False, 0, None),
    "et_FujiFilm.raf": ("FPX20582698 592D313134360702198C0020100A84", None, False, None, None),
    "et_Nikon.nef": ("12345678", None, False, None, None),
    "et_Panasonic.rw2": ("", None, False, None, None),
    "a7iii_exifpy.ARW": ("", None, False, 7200, 1),
}


@pytest.mark.raw
@pytest.mark.parametrize("name", sorted(SECOND_HALF))
def test_serial_focus_flash_zone_and_shot_of_real_files(raw_folder: Path, name: str) -> None:
    """From the Exif directory and from the makers' own; no kind of bracket is made up."""
    serial, focus_m, is_flash_fired, utc_offset_s, shot = SECOND_HALF[name]

    metadata = read_metadata(raw_folder / "metadata_only" / name)

    assert metadata.serial == serial
    assert metadata.focus_distance_m == pytest.approx(focus_m, abs=1e-4)
    assert metadata.is_flash_fired is is_flash_fired
    assert metadata.utc_offset_s == utc_offset_s
    assert metadata.exposure_bias_stops == 0.0
    assert (metadata.bracket_shot, metadata.bracket_kind) == (shot, None)


@pytest.mark.raw
def test_sub_seconds_are_read(raw_folder: Path) -> None:
    """Frames of a burst within one second keep their order."""
    metadata = read_metadata(raw_folder / "metadata_only" / "et_CanonRaw.cr3")

    assert metadata.captured_at == datetime(2018, 2, 21, 12, 8, 56, 210_000)


@pytest.mark.raw
def test_a_container_unknown_to_exifread_is_read_through_libraw(raw_folder: Path) -> None:
    """CRW is CIFF, no TIFF: exifread has nothing, LibRaw has all."""
    path = raw_folder / "G2_0304.CRW"

    metadata = read_metadata(path)

    assert read_exif(path) == {}
    assert metadata.source == "libraw"
    assert metadata.exposure_time_s == pytest.approx(1 / 50, rel=0.01)
    assert (metadata.f_number, metadata.iso, metadata.focal_length_mm) == (4.0, 50.0, 7.0)
    assert metadata.body == "Canon PowerShot G2"
    assert metadata.captured_at == datetime(2022, 1, 20, 8, 13, 24)
    assert metadata.focus_distance_m == 6.88


@pytest.fixture
def computer_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set this process's time zone nine hours ahead."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.raw
@pytest.mark.usefixtures("computer_in_tokyo")
def test_the_zone_of_the_computer_does_not_move_the_cameras_clock(raw_folder: Path) -> None:
    """LibRaw's time of a CRW file would be nine hours late here."""
    metadata = read_metadata(raw_folder / "G2_0304.CRW")

    assert metadata.captured_at == datetime(2022, 1, 20, 8, 13, 24)


@pytest.mark.raw
def test_gaps_of_exif_are_filled_through_libraw(raw_folder: Path) -> None:
    """The DC50 has no Exif directory: all is in IFD0, and its ISO where only LibRaw looks."""
    metadata = read_metadata(raw_folder / "DC50_0008L.KDC")

    assert metadata.source == "exif+libraw"
    assert metadata.exposure_time_s == pytest.approx(0.02328)
    assert metadata.iso == 84.0
    assert (metadata.f_number, metadata.focal_length_mm) == (2.5, 37.0)
    assert (metadata.focus_distance_m, metadata.is_flash_fired) == (0.7, True)


@pytest.mark.raw
def test_the_zone_of_the_software_that_made_a_dng_is_not_the_cameras(raw_folder: Path) -> None:
    """The converted 6D file has OffsetTime, of the computer, and no OffsetTimeOriginal."""
    metadata = read_metadata(raw_folder / "photoprism_6d.dng")

    assert metadata.utc_offset_s is None
    assert metadata.serial == "033024001432"


@pytest.mark.parametrize(
    "content",
    [b"", b"II*\0", b"II*\0\x08\0\0\0\xff\xff", b"FUJIFILMCCD-RAW ", b"\0" * 4000, b"text"],
    ids=["empty", "cut header", "cut directory", "cut RAF", "zeros", "text"],
)
def test_a_file_that_is_no_raw_file_raises_raw_error(tmp_path: Path, content: bytes) -> None:
    """Whatever the bytes, the error names the file and what to do."""
    path = tmp_path / "broken.dng"
    path.write_bytes(content)

    with pytest.raises(RawError, match=r"broken\.dng: "):
        read_metadata(path)


def test_a_file_that_does_not_exist_raises_raw_error(tmp_path: Path) -> None:
    """A file deleted between listing and reading costs only itself."""
    with pytest.raises(RawError, match="cannot be opened"):
        read_metadata(tmp_path / "gone.dng")


def test_a_name_beyond_ascii_is_read(bracket: tuple[Path, ...], tmp_path: Path) -> None:
    """Photographers name files in their own language."""
    path = tmp_path / "Stra\u00dfe \u6771\u4eac.dng"
    path.write_bytes(bracket[0].read_bytes())

    assert read_metadata(path).exposure_time_s == pytest.approx(1 / 15)
