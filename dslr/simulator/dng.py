"""Write a Bayer mosaic as a DNG that any RAW developer opens, with a real Exif directory.

A minimal, uncompressed, little-endian TIFF: IFD0 with the mosaic and the DNG tags, an Exif
directory with the exposure. Equal input gives equal bytes: no clock, no version of this program.
Source: Adobe DNG specification 1.4; Exif 2.32; TIFF 6.0.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cat_dataset.system.atomic import write_bytes_atomic

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SRATIONAL = 1, 2, 3, 4, 5, 7, 10
_LARGEST_DENOMINATOR = 100_000  # keeps both halves of a rational within 32 bits
_D65 = 21  # Exif LightSource
_HEADER_BYTES = 8

Values = bytes | str | Sequence[int] | Sequence[float]
Field = tuple[int, int, Values]  # tag, TIFF type, values
OptionalField = tuple[int, int, Values | None]


@dataclass(frozen=True)
class DngHeader:
    """What a DNG says about its mosaic and its exposure; the numbers as a camera prints them."""

    make: str
    model: str
    software: str
    description: str
    captured_at: datetime
    exposure_time_s: float
    f_number: float
    iso: int
    focal_length_mm: float
    as_shot_neutral: tuple[float, float, float]  # camera RGB of what is to be neutral
    xyz_to_camera: NDArray[np.float64]  # 3x3, under D65
    black_level: int  # DN
    white_level: int
    orientation: int = 1  # Exif 1 to 8
    # What only some cameras say; None leaves the field out.
    focus_distance_m: float | None = None
    exposure_bias_stops: float | None = None
    body_serial: str | None = None  # ASCII, as all text here
    lens_model: str | None = None
    utc_offset: str | None = None  # of `captured_at`, "+01:00"


def write_dng(path: Path, mosaic_HW: NDArray[np.uint16], header: DngHeader) -> None:
    """Write an RGGB mosaic; the file appears whole or not at all."""
    write_bytes_atomic(path, dng_bytes(mosaic_HW, header))


def dng_bytes(mosaic_HW: NDArray[np.uint16], header: DngHeader) -> bytes:
    """Return the file's bytes."""
    exif = _directory_bytes(_exif_fields(header), 0)
    ifd0_size = len(_directory_bytes(_ifd0_fields(mosaic_HW, header, 0, 0), 0))
    exif_at = _HEADER_BYTES + ifd0_size
    pixels_at = exif_at + len(exif)
    ifd0 = _directory_bytes(_ifd0_fields(mosaic_HW, header, exif_at, pixels_at), _HEADER_BYTES)
    exif = _directory_bytes(_exif_fields(header), exif_at)
    head = b"II*\0" + struct.pack("<I", _HEADER_BYTES)
    return head + ifd0 + exif + mosaic_HW.astype("<u2").tobytes()


def _ifd0_fields(
    mosaic_HW: NDArray[np.uint16], header: DngHeader, exif_at: int, pixels_at: int
) -> list[Field]:
    height, width = mosaic_HW.shape
    return [  # sorted by tag, as TIFF demands
        (254, _LONG, [0]),  # NewSubfileType: full picture
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16]),  # BitsPerSample
        (259, _SHORT, [1]),  # Compression: none
        (262, _SHORT, [32803]),  # Photometric: colour filter array
        (270, _ASCII, header.description),
        (271, _ASCII, header.make),
        (272, _ASCII, header.model),
        (273, _LONG, [pixels_at]),  # StripOffsets
        (274, _SHORT, [header.orientation]),
        (277, _SHORT, [1]),  # SamplesPerPixel
        (278, _LONG, [height]),  # RowsPerStrip
        (279, _LONG, [width * height * 2]),  # StripByteCounts
        (284, _SHORT, [1]),  # PlanarConfiguration
        (305, _ASCII, header.software),
        (306, _ASCII, _exif_time(header.captured_at)),
        (33421, _SHORT, [2, 2]),  # CFARepeatPatternDim
        (33422, _BYTE, bytes([0, 1, 1, 2])),  # CFAPattern: RGGB
        (34665, _LONG, [exif_at]),  # ExifIFD
        (50706, _BYTE, bytes([1, 4, 0, 0])),  # DNGVersion
        (50707, _BYTE, bytes([1, 1, 0, 0])),  # DNGBackwardVersion
        (50708, _ASCII, f"{header.make} {header.model}"),  # UniqueCameraModel
        (50714, _SHORT, [header.black_level]),
        (50717, _SHORT, [header.white_level]),
        (50721, _SRATIONAL, header.xyz_to_camera.ravel().tolist()),  # ColorMatrix1
        (50728, _RATIONAL, header.as_shot_neutral),
        (50778, _SHORT, [_D65]),  # CalibrationIlluminant1
    ]


def _exif_fields(header: DngHeader) -> list[Field]:
    fields: list[OptionalField] = [  # sorted by tag, as TIFF demands
        (33434, _RATIONAL, [header.exposure_time_s]),
        (33437, _RATIONAL, [header.f_number]),
        (34855, _SHORT, [min(header.iso, 65535)]),  # 65535 = see RecommendedExposureIndex
        (34864, _SHORT, [2]),  # SensitivityType: recommended exposure index
        (34866, _LONG, [header.iso]),  # RecommendedExposureIndex
        (36864, _UNDEFINED, b"0232"),  # ExifVersion
        (36867, _ASCII, _exif_time(header.captured_at)),  # DateTimeOriginal
        (36881, _ASCII, header.utc_offset),  # OffsetTimeOriginal
        (37380, _SRATIONAL, _if_known(header.exposure_bias_stops)),  # ExposureBiasValue
        (37382, _RATIONAL, _if_known(header.focus_distance_m)),  # SubjectDistance
        (37386, _RATIONAL, [header.focal_length_mm]),
        (37521, _ASCII, f"{header.captured_at.microsecond // 10_000:02d}"),  # SubSecTimeOriginal
        (42033, _ASCII, header.body_serial),  # BodySerialNumber
        (42036, _ASCII, header.lens_model),  # LensModel
    ]
    return [(tag, tiff_type, values) for tag, tiff_type, values in fields if values is not None]


def _if_known(value: float | None) -> list[float] | None:
    return None if value is None else [value]


def _exif_time(time: datetime) -> str:
    return time.strftime("%Y:%m:%d %H:%M:%S")


def _directory_bytes(fields: Sequence[Field], at: int) -> bytes:
    """Return one directory that starts at byte `at` of the file, long values behind it."""
    entries, tail = b"", b""
    values_at = at + 2 + 12 * len(fields) + 4
    for tag, tiff_type, values in fields:
        count, data = _packed(tiff_type, values)
        if len(data) > 4:
            slot = struct.pack("<I", values_at + len(tail))
            tail += data + b"\0" * (len(data) % 2)  # values begin at even offsets
        else:
            slot = data.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, tiff_type, count) + slot
    return struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + tail


def _packed(tiff_type: int, values: Values) -> tuple[int, bytes]:
    """Return a field's count and bytes."""
    if isinstance(values, str):
        values = values.encode("ascii") + b"\0"
    if isinstance(values, bytes):
        return len(values), values
    if tiff_type in (_RATIONAL, _SRATIONAL):
        form = "<II" if tiff_type == _RATIONAL else "<ii"
        ratios = [Fraction(v).limit_denominator(_LARGEST_DENOMINATOR) for v in values]
        return len(ratios), b"".join(struct.pack(form, *r.as_integer_ratio()) for r in ratios)
    form = "H" if tiff_type == _SHORT else "I"
    return len(values), struct.pack(f"<{len(values)}{form}", *values)
