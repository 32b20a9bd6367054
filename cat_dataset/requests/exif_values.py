"""What a picture file says of its own exposure: the EXIF tags that attributes name.

Source: Exif 2.32 (CIPA DC-008), sections 4.5.2 and 4.6; Pillow finds the block in JPEG, PNG, WebP
and TIFF files and reads it.
"""

import io
import struct
import warnings
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from cat_dataset.attributes.table import ATTRIBUTES

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")  # no other decoder of Pillow is tried
_EXIF_IFD = 0x8769
# tag: attribute whose absolute value it is
_TAGS = {tag: a.name for a in ATTRIBUTES.values() for tag in a.exif_tags}
_INFINITE = 2**32 - 1  # a distance; 0 is an unknown one
# What Pillow 13 raises on damaged files; SyntaxError: a directory without its byte order.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error),
    Image.DecompressionBombError,  # a size that cannot be, or over 179 megapixels
)


def own_values(data: bytes) -> dict[str, float]:
    """Return absolute values by attribute, in the attribute's unit; empty where none are known.

    A damaged block says nothing rather than something wrong.
    """
    found = _read_tags(data)
    values: dict[str, float] = {}
    for tag, name in _TAGS.items():  # of two tags for one attribute the later counts
        value = _first_number(found.get(tag))
        if 0.0 < value < _INFINITE:
            values[name] = value
    return values


def _read_tags(data: bytes) -> Mapping[int, Any]:
    """Return the tags of both directories, the Exif one's before the main one's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damage, which leaves tags out
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                exif = picture.getexif()
                return {**exif, **exif.get_ifd(_EXIF_IFD)}
    except _DAMAGED:
        return {}


def _first_number(value: Any) -> float:
    """Return a tag's first value; 0, "unknown", where it is absent, no number or n / 0."""
    first = value[0] if isinstance(value, tuple) and value else value
    if isinstance(first, IFDRational) and first.denominator == 0:
        return 0.0
    return float(first) if isinstance(first, int | float | IFDRational) else 0.0
