"""Find the directories of settings in any RAW container; what they mean is `metadata`'s business.

TIFF-like files (CR2, NEF, ARW, DNG, RW2, ORF, PEF, KDC ...) are their own directories, CR3 keeps
them in boxes, RAF in an embedded JPEG. Others (CRW, MRW, X3F) have none that exifread reads.
exifread reads the standard directories, without maker notes: see `maker_notes`.

Sources: TIFF 6.0; Exif 2.32; https://github.com/lclevy/canon_cr3 (boxes CMT1, CMT2, CMT3).
"""

import io
import logging
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cat_dataset.errors import RawError
from dslr.files.maker_notes import MakerFacts, read_canon_directory, read_maker_note
from dslr.files.tiff import TiffError

# Byte order alone: what follows is 42 in TIFF, "RO", "RS", "OR" in ORF, 85 in RW2. exifread and
# LibRaw ignore it too. CRW starts with II as well: its directory would lie at 1.1 GB, past its end.
_TIFF_STARTS = (b"II", b"MM")
_HEAD_BYTES = 1 << 18  # the metadata boxes of CR3 stand at the start of the file
_RAF_JPEG_AT = 84  # offset and length of the embedded JPEG, big-endian
_JPEG_EXIF = b"Exif\0\0"  # a TIFF structure follows

Tags = Mapping[str, Any]


@dataclass(frozen=True)
class Exif:
    """The settings a file's directories hold; empty for a container without any."""

    tags: Tags = field(default_factory=dict)  # exifread's, named "Image X" and "EXIF X"
    maker: MakerFacts = field(default_factory=MakerFacts)
    is_maker_note_lost: bool = False  # it is damaged: that it says nothing means nothing


def read_exif(path: Path) -> dict[str, Any]:
    """Return exifread's tags of a file; empty for containers that exifread does not read.

    Raises:
        RawError: the file cannot be opened, or its directories are broken.
    """
    return dict(read_directories(path).tags)


def read_directories(path: Path) -> Exif:
    """Read a file's standard directories and its maker note.

    Raises:
        RawError: the file cannot be opened, or its standard directories are broken.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            return _read(file, head, path)
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror}); check the file's permissions"
        raise RawError(msg) from None


# What exifread 3.5 lets through on damaged directories; OSError: a seek to before the start.
_BROKEN_EXIF = (
    *(struct.error, ValueError, TypeError, LookupError, AttributeError),
    *(OverflowError, ZeroDivisionError, RecursionError, OSError),
)


def text(tags: Tags, *names: str) -> str:
    """Return the first of some tags that holds text, without blanks around it; "" if none does."""
    for name in names:
        values = tags[name].values if name in tags else ""
        # exifread leaves what is not UTF-8 as bytes
        found = values.decode("latin-1") if isinstance(values, bytes) else values
        if isinstance(found, str) and found.strip("\0 "):
            return found.strip("\0 ")
    return ""


def numbers(tags: Tags, name: str) -> list[float]:
    """Return the values of a tag as numbers; those without one (0/0, NaN) are left out."""
    values = tags[name].values if name in tags else []
    if isinstance(values, str | bytes):
        return []
    # exifread wraps each value of the float types into a tuple
    flat = [item for v in values for item in (v if isinstance(v, tuple) else (v,))]
    return [float(v) for v in flat if getattr(v, "den", 1) != 0 and math.isfinite(v)]


def number(tags: Tags, field_name: str, is_known: Callable[[float], bool]) -> float | None:
    """Return a field of either directory, the Exif one first, unless it stands for "unknown"."""
    for name in (f"EXIF {field_name}", f"Image {field_name}"):
        for value in numbers(tags, name)[:1]:
            if is_known(value):
                return value
    return None


def _read(file: BinaryIO, head: bytes, path: Path) -> Exif:
    try:
        if head[4:11] == b"ftypcrx":
            return _from_cr3(head)
        if head.startswith(b"FUJIFILM"):
            return _from_tiff(io.BytesIO(_exif_of_raf(file, head)))
        return _from_tiff(file) if head.startswith(_TIFF_STARTS) else Exif()
    except _BROKEN_EXIF as error:
        msg = f"{path}: its EXIF is broken ({type(error).__name__}: {error}); copy the file anew"
        raise RawError(msg) from None


def _from_tiff(stream: BinaryIO) -> Exif:
    tags = _tags(stream)
    if not tags:
        return Exif()
    try:
        return Exif(tags, read_maker_note(stream))
    except TiffError:
        return Exif(tags, is_maker_note_lost=True)


def _from_cr3(head: bytes) -> Exif:
    """Read CMT1, which holds IFD0, CMT2 the Exif directory, CMT3 Canon's; each a small TIFF."""
    named = ((_box(head, b"CMT1"), "Image "), (_box(head, b"CMT2"), "EXIF "))
    tags = {
        prefix + name.removeprefix("Image "): value
        for box, prefix in named
        for name, value in _tags(io.BytesIO(box)).items()
    }
    note = _box(head, b"CMT3")
    try:
        return Exif(tags, read_canon_directory(io.BytesIO(note)) if note else MakerFacts())
    except TiffError:
        return Exif(tags, is_maker_note_lost=True)


def _box(head: bytes, name: bytes) -> bytes:
    """Return the content of the first box of a name; nothing where there is none.

    A box is its size, itself included, in four bytes, big-endian; its name; its content.
    """
    at = head.find(name)
    if at < 4:
        return b""
    (size,) = struct.unpack_from(">I", head, at - 4)
    return head[at + 4 : at - 4 + size]


def _exif_of_raf(file: BinaryIO, head: bytes) -> bytes:
    """Return the TIFF structure in the JPEG that a RAF file carries; nothing where it has none."""
    offset, size = struct.unpack_from(">II", head, _RAF_JPEG_AT)
    file.seek(offset)
    start, found, exif = file.read(min(size, _HEAD_BYTES)).partition(_JPEG_EXIF)
    return exif if found and start.startswith(b"\xff\xd8") else b""


def _tags(stream: BinaryIO) -> dict[str, Any]:
    import exifread

    # It reports damage to the log alone; here what counts is which tags came out.
    logging.getLogger("exifread").setLevel(logging.CRITICAL)
    tags: dict[str, Any] = exifread.process_file(stream, details=False, extract_thumbnail=False)
    return tags
