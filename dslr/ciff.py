"""Maker and model from CIFF, the container of Canon's CRW files, which exifread does not know.

A CIFF file is a tree of heaps. Each heap ends with the offset of its table; a table lists entries
of tag, size and offset, the offset counted from the start of the heap.
Source: Canon, CIFF specification 1.0 revision 4.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from cat_dataset.errors import RawError

_SIGNATURE = b"HEAPCCDR"
_MAKE_AND_MODEL = 0x080A  # two strings, each closed by a zero byte
_HEAP_TYPES = (0x2800, 0x3000)
_TYPE_BITS, _PLACE_BITS = 0x3800, 0xC000  # of a tag: what the data is; 0 = it lies in the heap
_DEEPEST = 4  # camera object in image properties in root: three levels are in use


def make_and_model(path: Path) -> tuple[str, str]:
    """Return (maker, model) as a CRW file names them; empty strings for any other container.

    Raises:
        RawError: the file cannot be opened, or its tree of heaps is broken.
    """
    try:
        data = path.read_bytes()
        if data[6:14] != _SIGNATURE:
            return "", ""
        (header_size,) = struct.unpack_from("<I", data, 2)
        for tag, content in _records(data, header_size, len(data), _DEEPEST):
            if tag == _MAKE_AND_MODEL:
                make, model, *_ = content.decode("latin-1").split("\0")
                return make, model
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror}); check the file's permissions"
        raise RawError(msg) from None
    except (struct.error, ValueError) as error:
        msg = f"{path}: its CIFF heaps are broken ({error}); copy the file anew"
        raise RawError(msg) from None
    return "", ""


def _records(data: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of all records of a heap and of the heaps inside it."""
    if depth == 0:
        return
    (table,) = struct.unpack_from("<I", data, end - 4)
    (count,) = struct.unpack_from("<H", data, start + table)
    for index in range(count):
        tag, size, offset = struct.unpack_from("<HII", data, start + table + 2 + 10 * index)
        if tag & _PLACE_BITS:
            continue  # a value of eight bytes, inside the entry itself
        at = start + offset
        if tag & _TYPE_BITS in _HEAP_TYPES:
            yield from _records(data, at, at + size, depth - 1)
        else:
            yield tag, data[at : at + size]
