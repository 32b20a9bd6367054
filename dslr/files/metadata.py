"""What a RAW file says about itself: exposure settings, time, body, lens, focus, bracket, colour.

Tags come from `exif` and `maker_notes`; what they leave open, and containers without directories
(CRW, MRW, X3F), are read by LibRaw. Both places of a field are looked at: the Exif directory
("EXIF X") and IFD0 ("Image X"). Cameras write zeros, 0/0 and all-ones for what is unknown:
all of those become None, never a number.

Sources: Exif 2.32; DNG specification 1.7.
"""

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cat_dataset.errors import RawError
from dslr.files.ciff import read_ciff
from dslr.files.exif import Exif, Tags, number, numbers, read_directories, read_exif, text
from dslr.files.raw_file import open_raw

__all__ = ["CaptureMetadata", "DngColour", "read_exif", "read_metadata"]

ISO_OVERFLOW = 65535.0  # ISOSpeedRatings is 16 bits wide; the true value stands elsewhere
# Anything above is a number that overflowed, such as 0xFFFFFFFF / 1.
LARGEST_TIME_S, LARGEST_F_NUMBER, LARGEST_FOCAL_LENGTH_MM, LARGEST_ISO = 86400.0, 1e3, 1e5, 1e7
_LARGEST_BIAS_STOPS = 20.0
_INFINITY_M = 10_000.0  # Exif writes infinity as 0xFFFFFFFF / n, and n is not always 1

Matrix = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class DngColour:
    """How a DNG's camera sees colour under two illuminants (DNG 1.7, chapter 6)."""

    colour_matrix_1: Matrix  # XYZ to reference camera, under illuminant 1
    colour_matrix_2: Matrix | None
    illuminant_1_k: float
    illuminant_2_k: float | None
    camera_calibration: Matrix  # reference camera to this camera
    analog_balance: tuple[float, float, float]


@dataclass(frozen=True)
class CaptureMetadata:
    """The settings of one exposure; None where the file does not say."""

    make: str
    model: str
    lens: str
    exposure_time_s: float | None  # as written by the camera, a rounded number
    f_number: float | None  # None: a lens that reports nothing
    iso: float | None
    focal_length_mm: float | None  # of the lens itself, never the 35 mm equivalent
    captured_at: datetime | None  # the camera's clock with sub-seconds; never has a time zone
    orientation: int | None  # Exif 1 to 8
    source: str  # "exif", "libraw", or "exif+libraw" where LibRaw filled gaps
    dng_colour: DngColour | None = None
    serial: str = ""  # of the body
    focus_distance_m: float | None = None  # inf: focused at infinity
    exposure_bias_stops: float | None = None  # the dial; positive = brighter than metered
    is_flash_fired: bool | None = None
    baseline_exposure_stops: float | None = None  # of a DNG; recorded, never applied
    utc_offset_s: int | None = None  # captured_at minus this is UTC; apart, so that all compare
    bracket_shot: int | None = None  # number within a bracket or burst, as the maker counts
    bracket_kind: str | None = None  # one of maker_notes.BRACKET_KINDS
    is_maker_note_lost: bool = False  # damaged: serial, focus and bracket may be missing

    @property
    def body(self) -> str:
        """Maker and model in one name, the maker once."""
        is_named = self.model.lower().startswith(self.make.lower().split(" ")[0])
        return (self.model if is_named else f"{self.make} {self.model}").strip()


def read_metadata(path: Path) -> CaptureMetadata:
    """Read the settings of one RAW file.

    Raises:
        RawError: neither exifread nor LibRaw finds settings in the file.
    """
    exif = read_directories(path)
    if not exif.tags:
        return _from_libraw(path)
    metadata = _from_exif(exif)
    if metadata.exposure_time_s is not None and metadata.iso is not None:
        return metadata
    try:
        return _fill_gaps(metadata, _from_libraw(path))
    except RawError:
        return metadata  # LibRaw was only asked for what EXIF lacks


def _from_exif(exif: Exif) -> CaptureMetadata:
    tags, maker = exif.tags, exif.maker
    return CaptureMetadata(
        make=text(tags, "Image Make"),
        model=text(tags, "Image Model"),
        lens=text(tags, "EXIF LensModel", "Image LensModel"),
        exposure_time_s=_positive(tags, "ExposureTime", LARGEST_TIME_S),
        f_number=_positive(tags, "FNumber", LARGEST_F_NUMBER),
        iso=_iso(tags),
        focal_length_mm=_positive(tags, "FocalLength", LARGEST_FOCAL_LENGTH_MM),
        captured_at=_time(tags),
        orientation=_orientation(tags),
        source="exif",
        dng_colour=_dng_colour(tags),
        serial=text(tags, "EXIF BodySerialNumber", "Image Tag 0xC62F") or maker.serial,
        focus_distance_m=_focus_distance_m(tags) or maker.focus_distance_m,
        exposure_bias_stops=number(
            tags, "ExposureBiasValue", lambda value: abs(value) <= _LARGEST_BIAS_STOPS
        ),
        is_flash_fired=_is_flash_fired(tags),
        baseline_exposure_stops=next(iter(numbers(tags, "Image Tag 0xC62A")), None),
        utc_offset_s=_utc_offset_s(tags),
        bracket_shot=maker.bracket_shot,
        bracket_kind=maker.bracket_kind or _bracket_kind(tags),
        is_maker_note_lost=exif.is_maker_note_lost,
    )


def _from_libraw(path: Path) -> CaptureMetadata:
    """Read the settings through LibRaw; it reads every container, but no sub-seconds."""
    ciff = read_ciff(path)
    with open_raw(path) as raw:
        other, lens, flip = raw.other, raw.lens, raw.sizes.flip
        return CaptureMetadata(
            make=ciff.make,  # LibRaw reads the body too, but rawpy does not pass it on
            model=ciff.model,
            lens=lens.model,
            exposure_time_s=_known(other.shutter_speed, LARGEST_TIME_S),
            f_number=_known(other.aperture, LARGEST_F_NUMBER),
            iso=_known(other.iso_speed, LARGEST_ISO) if other.iso_speed != ISO_OVERFLOW else None,
            focal_length_mm=_known(other.focal_length, LARGEST_FOCAL_LENGTH_MM),
            captured_at=ciff.captured_at or _libraw_time(other),
            orientation=_ORIENTATION_OF_FLIP.get(flip),
            source="libraw",
            serial=ciff.maker.serial,
            focus_distance_m=ciff.maker.focus_distance_m,
            bracket_shot=ciff.maker.bracket_shot,
            bracket_kind=ciff.maker.bracket_kind,
        )


_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's rotation to Exif's


def _libraw_time(other: Any) -> datetime | None:
    """Return LibRaw's time; unknown, it is 0 or -1 seconds since 1970."""
    try:
        time: datetime = other.timestamp
    except (ValueError, OverflowError):
        return None
    return time if time.year > 1970 else None


def _known(value: float, largest: float) -> float | None:
    return float(value) if 0.0 < value <= largest else None


def _fill_gaps(metadata: CaptureMetadata, other: CaptureMetadata) -> CaptureMetadata:
    return replace(
        metadata,
        exposure_time_s=metadata.exposure_time_s or other.exposure_time_s,
        iso=metadata.iso or other.iso,
        source="exif+libraw",
    )


def _positive(tags: Tags, field: str, largest: float) -> float | None:
    return number(tags, field, lambda value: 0.0 < value <= largest)


def _orientation(tags: Tags) -> int | None:
    written = number(tags, "Orientation", lambda value: value in range(1, 9))
    return None if written is None else int(written)


def _is_flash_fired(tags: Tags) -> bool | None:
    """Return bit 0 of Flash; it has seven bits, more is an overflow."""
    bits = number(tags, "Flash", lambda value: 0 <= value < 128)
    return None if bits is None else int(bits) % 2 == 1


def _iso(tags: Tags) -> float | None:
    """Return the ISO speed; above 65534 it stands in RecommendedExposureIndex (Exif 2.3).

    Panasonic and Leica write it into tags of their own in IFD0 of RW2 and RWL.
    """
    fields = ["ISOSpeedRatings", "RecommendedExposureIndex", "ISOSpeed"]
    if text(tags, "Image Make").lower().startswith(("panasonic", "leica")):
        fields += ["Tag 0x0017", "Tag 0x0037"]
    found = (_positive(tags, field, LARGEST_ISO) for field in fields)
    return next((iso for iso in found if iso and iso != ISO_OVERFLOW), None)


def _focus_distance_m(tags: Tags) -> float | None:
    """Return SubjectDistance; 0 is "unknown" in Exif, all ones infinity."""
    distance_m = number(tags, "SubjectDistance", lambda value: value > 0.0)
    return math.inf if distance_m is not None and distance_m > _INFINITY_M else distance_m


def _bracket_kind(tags: Tags) -> str | None:
    """Return "exposure" where ExposureMode is 2, a bracket of exposures by definition of Exif."""
    return "exposure" if number(tags, "ExposureMode", lambda value: value == 2) else None


def _time(tags: Tags) -> datetime | None:
    """Return when the picture was taken, with its sub-seconds; None where the clock was unset."""
    written = text(tags, "EXIF DateTimeOriginal", "Image DateTimeOriginal", "Image DateTime")
    try:
        time = datetime.strptime(written[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None  # "0000:00:00 00:00:00" or blanks: a camera without a clock
    digits = text(tags, "EXIF SubSecTimeOriginal", "Image SubSecTimeOriginal")
    # cut, not rounded: 9 nines must not become the next second
    microseconds = int(digits[:6].ljust(6, "0")) if digits.isdecimal() else 0
    return time + timedelta(microseconds=microseconds)


def _utc_offset_s(tags: Tags) -> int | None:
    """Return the zone of the camera's clock; OffsetTime is not read, software sets it to its own.

    Source: Exif 2.31, OffsetTimeOriginal: "+02:00", blanks where unknown.
    """
    found = _OFFSET.fullmatch(text(tags, "EXIF OffsetTimeOriginal", "EXIF OffsetTimeDigitized"))
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    return int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60)


_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)  # UTC-12 to UTC+14 exist


_ILLUMINANT_K = {
    1: 5500.0,
    3: 2856.0,
    10: 6500.0,
    11: 7500.0,
    24: 3200.0,
    17: 2856.0,
    18: 4874.0,
    19: 6774.0,
    20: 5503.0,
    21: 6504.0,
    22: 7504.0,
    23: 5003.0,
}


def _dng_colour(tags: Tags) -> DngColour | None:
    """Return a DNG's matrices; the tags have no names in exifread."""
    first = _matrix(tags, "Image Tag 0xC621")
    if first is None:
        return None
    illuminant_1, illuminant_2 = (
        _ILLUMINANT_K.get(int(next(iter(numbers(tags, f"Image Tag 0xC65{digit}")), 0)))
        for digit in "AB"
    )
    balance = numbers(tags, "Image Tag 0xC627")
    return DngColour(
        colour_matrix_1=first,
        colour_matrix_2=_matrix(tags, "Image Tag 0xC622"),
        illuminant_1_k=illuminant_1 or _ILLUMINANT_K[21],
        illuminant_2_k=illuminant_2,
        camera_calibration=_matrix(tags, "Image Tag 0xC623") or _IDENTITY,
        analog_balance=(balance[0], balance[1], balance[2]) if len(balance) == 3 else (1, 1, 1),
    )


_IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def _matrix(tags: Tags, name: str) -> Matrix | None:
    values = numbers(tags, name)
    if len(values) != 9:
        return None
    rows = [values[start : start + 3] for start in (0, 3, 6)]
    return tuple((row[0], row[1], row[2]) for row in rows)
