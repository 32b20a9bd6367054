"""Settings from CIFF, the container of Canon's CRW files, which exifread does not read.

A CIFF file is a tree of heaps. Each heap ends with the offset of its table; a table lists entries
of tag, size and offset, the offset counted from the start of the heap. LibRaw reads the exposure;
read here is what it or rawpy leaves out: the body's name, and the clock, which rawpy converts to
the time zone of the computer it runs on.
Source: Canon, CIFF specification 1.0 revision 4; https://exiftool.org/TagNames/CanonRaw.html
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from cat_dataset.errors import RawError
from dslr.files.maker_notes import MakerFacts, canon_facts

_SIGNATURE, _SIGNATURE_AT = b"HEAPCCDR", 6
_MAKE_AND_MODEL = 0x080A  # two strings, each closed by a zero byte
_SHOT_INFO = 0x102A  # as of the maker note, 16-bit numbers
_FILE_INFO = 0x1093
_SERIAL = 0x180B
_TIME = 0x180E  # seconds since 1970 by the camera's clock, zone, zone known
_HEAP_TYPES = (0x2800, 0x3000)
_TYPE_BITS, _PLACE_BITS = 0x3800, 0xC000  # of a tag: what the data is; 0 = it lies in the heap
_DEEPEST = 4  # camera object in image properties in root: three levels are in use
_MOST_RECORDS = 4096  # a real file has about 50


@dataclass(frozen=True)
class CiffFacts:
    """What a CRW file says beside its exposure; all empty for any other container."""

    make: str = ""
    model: str = ""
    captured_at: datetime | None = None  # the camera's clock
    maker: MakerFacts = field(default_factory=MakerFacts)


def read_ciff(path: Path) -> CiffFacts:
    """Return what a CRW file says; `CiffFacts()` for any other container.

    Raises:
        RawError: the file cannot be opened, or its tree of heaps is broken.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SIGNATURE_AT + len(_SIGNATURE))
            if not head.endswith(_SIGNATURE):
                return CiffFacts()
            data = head + file.read()
        (header_size,) = struct.unpack_from("<I", data, 2)
        tree = _records(memoryview(data), header_size, len(data), _DEEPEST)
        records: dict[int, bytes] = {}
        for tag, content in islice(tree, _MOST_RECORDS):
            if tag in (_MAKE_AND_MODEL, _SHOT_INFO, _FILE_INFO, _SERIAL, _TIME):
                records.setdefault(tag, bytes(content))
        return _facts(records)
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror}); check the file's permissions"
        raise RawError(msg) from None
    except (struct.error, ValueError) as error:
        msg = f"{path}: its CIFF heaps are broken ({error}); copy the file anew"
        raise RawError(msg) from None


def _facts(records: dict[int, bytes]) -> CiffFacts:
    make, model, *_ = (records.get(_MAKE_AND_MODEL, b"").decode("latin-1") + "\0\0").split("\0")
    seconds = _numbers(records, _TIME, "I")
    serial = _numbers(records, _SERIAL, "I")
    return CiffFacts(
        make=make,
        model=model,
        captured_at=_EPOCH + timedelta(seconds=seconds[0]) if any(seconds[:1]) else None,
        maker=canon_facts(
            _numbers(records, _SHOT_INFO, "H"),
            _numbers(records, _FILE_INFO, "H"),
            str(serial[0]) if any(serial[:1]) else "",
        ),
    )


_EPOCH = datetime(1970, 1, 1)


def _numbers(records: dict[int, bytes], tag: int, letter: str) -> tuple[int, ...]:
    content = records.get(tag, b"")
    count = len(content) // struct.calcsize("<" + letter)
    return struct.unpack_from(f"<{count}{letter}", content)


def _records(
    data: memoryview, start: int, end: int, depth: int
) -> Iterator[tuple[int, memoryview]]:
    """Yield (tag, content) of all records of a heap, and of the heaps inside it."""
    if depth == 0:
        return
    (table,) = struct.unpack_from("<I", data, end - 4)
    (count,) = struct.unpack_from("<H", data, start + table)
    if count > _MOST_RECORDS:
        msg = f"a heap claims {count} records; at most {_MOST_RECORDS} are believed"
        raise ValueError(msg)
    for index in range(count):
        tag, size, offset = struct.unpack_from("<HII", data, start + table + 2 + 10 * index)
        if tag & _PLACE_BITS:
            continue  # a value of eight bytes, inside the entry itself
        at = start + offset
        yield tag, data[at : at + size]
        if tag & _TYPE_BITS in _HEAP_TYPES:
            yield from _records(data, at, at + size, depth - 1)
