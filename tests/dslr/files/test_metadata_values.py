import dataclasses
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from dslr.files.metadata import CaptureMetadata, read_metadata
from tests.dslr.tiff_bytes import Field, tiff_bytes

ALL_ONES = 0xFFFFFFFF
INFINITY = float("inf")
NAN = float("nan")


def settings_of(
    folder: Path, exif: Sequence[Field] = (), ifd0: Sequence[Field] = ()
) -> CaptureMetadata:
    """Write a file with the given tags, and an exposure where none is given, and read it."""
    exposure: list[Field] = [(0x829A, "rational", (1, 60)), (0x8827, "short", (200,))]
    given = {tag for tag, _, _ in (*exif, *ifd0)}
    path = folder / "shot.dng"
    path.write_bytes(
        tiff_bytes(ifd0, [*exif, *(item for item in exposure if item[0] not in given)])
    )
    return read_metadata(path)


@pytest.mark.parametrize("directory", ["exif", "ifd0"])
@pytest.mark.parametrize(
    ("tag", "field", "value"),
    [
        (0x829A, "exposure_time_s", 2.5),
        (0x829D, "f_number", 2.5),
        (0x920A, "focal_length_mm", 2.5),
        (0x9206, "focus_distance_m", 2.5),
        (0x9204, "exposure_bias_stops", 2.5),
    ],
)
def test_a_setting_is_read_from_either_directory(
    tmp_path: Path, directory: str, tag: int, field: str, value: float
) -> None:
    """Old Kodaks and software write everything into IFD0."""
    written: list[Field] = [(tag, "srational", (5, 2))]

    metadata = settings_of(tmp_path, **{directory: written})

    assert getattr(metadata, field) == value


@pytest.mark.parametrize(
    ("tag", "field"),
    [(0x829A, "exposure_time_s"), (0x829D, "f_number"), (0x920A, "focal_length_mm")],
)
@pytest.mark.parametrize("written", [(0, 1), (0, 0), (1, 0), (ALL_ONES, 1)])
def test_a_number_that_means_unknown_is_unknown(
    tmp_path: Path, tag: int, field: str, written: tuple[int, int]
) -> None:
    """Zero, 0/0, n/0 and all ones are no settings."""
    metadata = settings_of(tmp_path, [(tag, "rational", written)])

    assert getattr(metadata, field) is None


@pytest.mark.parametrize("written", [0.0, -1.0, INFINITY, NAN])
def test_an_exposure_time_that_is_no_time_is_unknown(tmp_path: Path, written: float) -> None:
    """Written as a floating-point number, it can be anything."""
    assert settings_of(tmp_path, [(0x829A, "float", (written,))]).exposure_time_s is None


def test_a_floating_point_exposure_time_is_read(tmp_path: Path) -> None:
    """The reader wraps such values, which must not end the read."""
    assert settings_of(tmp_path, [(0x829A, "float", (0.25,))]).exposure_time_s == 0.25


def test_a_35_mm_equivalent_is_not_a_focal_length(tmp_path: Path) -> None:
    """It holds digital zoom and is rounded; a lens that says nothing stays unknown."""
    exif: list[Field] = [(0x920A, "rational", (0, 1)), (0xA405, "short", (50,))]

    assert settings_of(tmp_path, exif).focal_length_mm is None


@pytest.mark.parametrize(
    ("exif", "iso"),
    [
        ([(0x8827, "short", (64000,))], 64000.0),
        ([(0x8827, "short", (65535,)), (0x8832, "long", (102400,))], 102400.0),
        ([(0x8827, "short", (65535,)), (0x8833, "long", (204800,))], 204800.0),
        ([(0x8827, "short", (0,)), (0x8832, "long", (1600,))], 1600.0),
        ([(0x8827, "short", (65535,))], None),
        ([(0x8827, "short", (65535,)), (0x8832, "long", (ALL_ONES,))], None),
        ([(0x8827, "short", (0,))], None),
    ],
)
def test_an_overflowed_iso_is_read_where_it_fits(
    tmp_path: Path, exif: list[Field], iso: float | None
) -> None:
    """65535 is the largest number of the field and not a sensitivity; nothing replaces it."""
    assert settings_of(tmp_path, exif).iso == iso


@pytest.mark.parametrize(
    ("digits", "microseconds"),
    [
        ("5", 500_000),
        ("05", 50_000),
        ("123", 123_000),
        ("123456", 123_456),
        ("999999999", 999_999),  # cut: rounded, it would be the next second
        ("12   ", 120_000),
        ("   ", 0),
        ("", 0),
        ("1a", 0),
        ("-1", 0),
    ],
)
def test_sub_seconds_of_any_length(tmp_path: Path, digits: str, microseconds: int) -> None:
    """They are decimals of a second: "5" is half a second, and blanks are none."""
    exif: list[Field] = [
        (0x9003, "ascii", "2024:05:06 07:08:09"),
        (0x9291, "ascii", digits),
    ]

    captured_at = settings_of(tmp_path, exif).captured_at

    assert captured_at == datetime(2024, 5, 6, 7, 8, 9, microseconds)


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "2024:13:01"]
)
def test_a_camera_without_a_clock(tmp_path: Path, written: str) -> None:
    """An unset clock is no date."""
    assert settings_of(tmp_path, [(0x9003, "ascii", written)]).captured_at is None


@pytest.mark.parametrize(
    ("written", "offset_s"),
    [
        ("+02:00", 7200),
        ("-03:30", -12600),
        ("+14:00", 50400),
        ("Z", None),
        ("   :  ", None),
        ("+15:00", None),
        ("+02:60", None),
    ],
)
def test_the_zone_stands_apart_so_that_all_times_compare(
    tmp_path: Path, written: str, offset_s: int | None
) -> None:
    """A capture with a zone and one without sort together, by the camera's clock."""
    time: Field = (0x9003, "ascii", "2024:05:06 07:08:09")

    with_zone = settings_of(tmp_path, [time, (0x9011, "ascii", written)])
    without = settings_of(tmp_path, [time])

    assert with_zone.utc_offset_s == offset_s
    assert without.utc_offset_s is None
    assert with_zone.captured_at == without.captured_at


@pytest.mark.parametrize(
    ("written", "distance_m"),
    [
        ((7, 10), 0.7),
        ((0, 1), None),  # Exif: unknown
        ((0, 0), None),
        ((ALL_ONES, 1), INFINITY),  # Exif: infinity
        ((ALL_ONES, 1000), INFINITY),
    ],
)
def test_subject_distance(
    tmp_path: Path, written: tuple[int, int], distance_m: float | None
) -> None:
    """Zero is unknown and not at the lens; all ones is infinity and not 4 million km."""
    metadata = settings_of(tmp_path, [(0x9206, "rational", written)])

    assert metadata.focus_distance_m == distance_m


@pytest.mark.parametrize(
    ("written", "bias_stops"),
    [((-2, 3), -2 / 3), ((0, 1), 0.0), ((0, 0), None), ((-(2**31), 1), None)],
)
def test_exposure_bias(tmp_path: Path, written: tuple[int, int], bias_stops: float | None) -> None:
    """Zero is a setting here; what is beyond any dial is not."""
    metadata = settings_of(tmp_path, [(0x9204, "srational", written)])

    assert metadata.exposure_bias_stops == bias_stops


@pytest.mark.parametrize(
    ("written", "is_fired"), [(0x10, False), (0x19, True), (0, False), (0x20, False), (65535, None)]
)
def test_flash(tmp_path: Path, written: int, is_fired: bool | None) -> None:
    """Bit 0 alone says whether it fired; modes and red-eye reduction stand in the others."""
    assert settings_of(tmp_path, [(0x9209, "short", (written,))]).is_flash_fired is is_fired


@pytest.mark.parametrize(("mode", "kind"), [(0, None), (1, None), (2, "exposure")])
def test_exposure_mode_names_a_bracket(tmp_path: Path, mode: int, kind: str | None) -> None:
    """Exif defines 2 as a series of exposures of one scene, for makers without tags of theirs."""
    assert settings_of(tmp_path, [(0xA402, "short", (mode,))]).bracket_kind == kind


@pytest.mark.parametrize(("written", "orientation"), [(6, 6), (0, None), (9, None)])
def test_orientation_has_eight_values(
    tmp_path: Path, written: int, orientation: int | None
) -> None:
    """Others turn nothing."""
    metadata = settings_of(tmp_path, ifd0=[(0x0112, "short", (written,))])

    assert metadata.orientation == orientation


def test_text_that_is_not_unicode_is_read(tmp_path: Path) -> None:
    """Old bodies write Latin-1; a number in place of text is no name."""
    ifd0: list[Field] = [
        (0x010F, "short", (1, 2, 3)),
        (0x0110, "ascii", "Caf\u00e9 1"),
        (0xC62F, "ascii", "0042 "),
    ]
    path = tmp_path / "shot.dng"
    data = tiff_bytes(ifd0, [(0x829A, "rational", (1, 60)), (0x8827, "short", (200,))])
    path.write_bytes(data.replace("Caf\u00e9 1".encode(), b"Caf\xe9  1"))

    metadata = read_metadata(path)

    assert (metadata.make, metadata.model, metadata.serial) == ("", "Caf\u00e9  1", "0042")


def test_the_serial_number_of_exif_goes_before_that_of_dng(tmp_path: Path) -> None:
    """The body's own record is nearer to the truth than the converter's copy."""
    metadata = settings_of(tmp_path, [(0xA431, "ascii", "body")], [(0xC62F, "ascii", "converted")])

    assert metadata.serial == "body"


def test_a_matrix_that_is_no_matrix_is_left_out(tmp_path: Path) -> None:
    """ColorMatrix1 with a 0/0 in it, or with NaN, gives no colour instead of a wrong one."""
    good = (1, 1, 0, 1, 0, 1) * 3
    bad = (0, 0, *good[2:])
    nan = (NAN, *[1.0] * 8)

    assert settings_of(tmp_path, ifd0=[(0xC621, "srational", good)]).dng_colour is not None
    assert settings_of(tmp_path, ifd0=[(0xC621, "srational", bad)]).dng_colour is None
    assert settings_of(tmp_path, ifd0=[(0xC621, "float", nan)]).dng_colour is None


def test_new_fields_have_defaults_that_mean_unknown() -> None:
    """Code that makes metadata by hand gives the exposure alone."""
    metadata = CaptureMetadata("", "", "", 1.0, None, None, None, None, None, "exif")

    unknown = dataclasses.asdict(metadata)

    assert unknown["serial"] == ""
    assert unknown["is_maker_note_lost"] is False
    for name in ("focus_distance_m", "exposure_bias_stops", "is_flash_fired", "utc_offset_s"):
        assert unknown[name] is None
    assert (metadata.bracket_shot, metadata.bracket_kind) == (None, None)
