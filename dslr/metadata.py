"""What a RAW file says about itself: exposure settings, time, body, lens, colour matrices.

exifread parses TIFF-like containers (CR2, NEF, ARW, DNG, RW2, KDC ...); CR3 keeps its
directories in boxes and RAF in an embedded JPEG, so those are cut out first; the rest (CRW, MRW,
X3F) is left to LibRaw. Both places of a field are looked at: IFD0 ("Image X") and the Exif
directory ("EXIF X").

Sources: Exif 2.32; DNG specification 1.7; https://github.com/lclevy/canon_cr3 (CMT boxes).
"""

import io
import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cat_dataset.errors import RawError
from dslr.ciff import make_and_model
from dslr.raw_file import open_raw

ISO_OVERFLOW = 65535.0  # ISOSpeedRatings is 16 bits wide; the true value stands elsewhere
_TIFF_STARTS = (b"II", b"MM")
_CR3_HEAD_BYTES = 1 << 18  # the metadata boxes stand at the start of the file
_RAF_JPEG_AT = 84  # offset and length of the embedded JPEG, big-endian

Tags = Mapping[str, Any]
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
    """The settings of one exposure; None where the camera does not know."""

    make: str
    model: str
    lens: str
    exposure_time_s: float | None  # as written by the camera, a rounded number
    f_number: float | None  # None: a lens that tells nothing
    iso: float | None
    focal_length_mm: float | None
    captured_at: datetime | None  # the camera's clock, with its sub-seconds, no zone
    orientation: int | None  # Exif 1 to 8
    source: str  # "exif", "libraw", or "exif+libraw" where LibRaw filled gaps
    dng_colour: DngColour | None = None

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
    tags = read_exif(path)
    if not tags:
        return _from_libraw(path)
    metadata = _from_tags(tags)
    if metadata.exposure_time_s is not None and metadata.iso is not None:
        return metadata
    try:
        return _fill_gaps(metadata, _from_libraw(path))
    except RawError:
        return metadata  # LibRaw was only asked for what EXIF lacks


def read_exif(path: Path) -> dict[str, Any]:
    """Return exifread's tags of a file; empty for containers that exifread does not know.

    Raises:
        RawError: the file cannot be opened, or its directories are broken.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_CR3_HEAD_BYTES)
            if head[4:11] == b"ftypcrx":
                return _cr3_tags(head)
            if head.startswith(b"FUJIFILM"):
                offset, size = struct.unpack_from(">II", head, _RAF_JPEG_AT)
                file.seek(offset)
                return _tags(file.read(size))
            return _tags_of_file(file) if head.startswith(_TIFF_STARTS) else {}
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror}); check the file's permissions"
        raise RawError(msg) from None
    except _BROKEN_EXIF as error:
        msg = f"{path}: its EXIF is broken ({type(error).__name__}: {error}); copy the file anew"
        raise RawError(msg) from None


# What exifread 3.5 lets through on damaged directories.
_BROKEN_EXIF = (struct.error, ValueError, TypeError, IndexError, KeyError, OverflowError)


def _tags(data: bytes) -> dict[str, Any]:
    return _tags_of_file(io.BytesIO(data)) if data else {}


def _tags_of_file(file: Any) -> dict[str, Any]:
    import exifread

    # It reports damage to the log alone; here what counts is which tags came out.
    logging.getLogger("exifread").setLevel(logging.CRITICAL)
    tags: dict[str, Any] = exifread.process_file(file, details=False, extract_thumbnail=False)
    return tags


def _cr3_tags(head: bytes) -> dict[str, Any]:
    """Return the tags of CR3: box CMT1 holds IFD0, CMT2 the Exif directory, each a small TIFF."""
    tags: dict[str, Any] = {}
    for box, prefix in ((b"CMT1", "Image "), (b"CMT2", "EXIF ")):
        at = head.find(box)
        if at < 4:
            continue
        (size,) = struct.unpack_from(">I", head, at - 4)
        found = _tags(head[at + 4 : at - 4 + size])
        tags |= {prefix + name.removeprefix("Image "): value for name, value in found.items()}
    return tags


def _from_tags(tags: Tags) -> CaptureMetadata:
    return CaptureMetadata(
        make=_text(tags, "Image Make"),
        model=_text(tags, "Image Model"),
        lens=_text(tags, "EXIF LensModel"),
        exposure_time_s=_positive(tags, "ExposureTime"),
        f_number=_positive(tags, "FNumber"),
        iso=_iso(tags),
        focal_length_mm=_positive(tags, "FocalLength"),
        captured_at=_time(tags),
        orientation=_whole(tags, "Image Orientation"),
        source="exif",
        dng_colour=_dng_colour(tags),
    )


def _from_libraw(path: Path) -> CaptureMetadata:
    """Read the settings through LibRaw; it knows every container, but no sub-seconds."""
    make, model = make_and_model(path)
    with open_raw(path) as raw:
        other, lens, flip = raw.other, raw.lens, raw.sizes.flip
        return CaptureMetadata(
            make=make,  # LibRaw knows the body too, but rawpy does not pass it on
            model=model,
            lens=lens.model,
            exposure_time_s=other.shutter_speed or None,
            f_number=other.aperture or None,
            iso=other.iso_speed or None,
            focal_length_mm=other.focal_length or None,
            captured_at=other.timestamp,
            orientation=_ORIENTATION_OF_FLIP.get(flip),
            source="libraw",
        )


_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's rotation to Exif's


def _fill_gaps(metadata: CaptureMetadata, other: CaptureMetadata) -> CaptureMetadata:
    return replace(
        metadata,
        exposure_time_s=metadata.exposure_time_s or other.exposure_time_s,
        iso=metadata.iso or other.iso,
        source="exif+libraw",
    )


def _text(tags: Tags, name: str) -> str:
    return str(tags[name].values).strip("\0 ") if name in tags else ""


def _numbers(tags: Tags, name: str) -> list[float]:
    """Return the values of a tag as numbers; those without one (0/0) are left out."""
    values = tags[name].values if name in tags else []
    if isinstance(values, str | bytes):
        return []
    return [float(v) for v in values if getattr(v, "den", 1) != 0]


def _positive(tags: Tags, field: str) -> float | None:
    """Return a setting from either directory; cameras write 0 for what they do not know."""
    for name in (f"EXIF {field}", f"Image {field}"):
        for value in _numbers(tags, name)[:1]:
            if 0.0 < value < float("inf"):
                return value
    return None


def _whole(tags: Tags, name: str) -> int | None:
    values = _numbers(tags, name)
    return int(values[0]) if values else None


def _iso(tags: Tags) -> float | None:
    """Return the ISO speed; above 65534 it stands in RecommendedExposureIndex (Exif 2.3)."""
    iso = _positive(tags, "ISOSpeedRatings")
    if iso is not None and iso < ISO_OVERFLOW:
        return iso
    return _positive(tags, "RecommendedExposureIndex") or _positive(tags, "ISOSpeed")


def _time(tags: Tags) -> datetime | None:
    """Return when the picture was taken, with its sub-seconds; None where the clock was unset."""
    names = ("EXIF DateTimeOriginal", "Image DateTimeOriginal", "Image DateTime")
    written = next((text for text in (_text(tags, name) for name in names) if text), "")
    try:
        time = datetime.strptime(written[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None  # "0000:00:00 00:00:00" or blanks: a camera without a clock
    digits = _text(tags, "EXIF SubSecTimeOriginal")
    return time + timedelta(seconds=float(f"0.{digits}")) if digits.isdecimal() else time


_ILLUMINANT_K = {17: 2856.0, 18: 4874.0, 19: 6774.0, 20: 5503.0, 21: 6504.0, 22: 7504.0, 23: 5003.0}


def _dng_colour(tags: Tags) -> DngColour | None:
    """Return a DNG's matrices; the tags have no names in exifread."""
    first = _matrix(tags, "Image Tag 0xC621")
    if first is None:
        return None
    illuminant_1, illuminant_2 = (
        _ILLUMINANT_K.get(_whole(tags, f"Image Tag 0xC65{digit}") or 0) for digit in "AB"
    )
    balance = _numbers(tags, "Image Tag 0xC627")
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
    values = _numbers(tags, name)
    if len(values) != 9:
        return None
    rows = [values[start : start + 3] for start in (0, 3, 6)]
    return tuple((row[0], row[1], row[2]) for row in rows)
