"""What a picture file says of its own exposure: the EXIF tags that attributes name.

Reads the EXIF block of JPEG, PNG, WebP and TIFF files without any decoder. Source: Exif 2.32
(CIPA DC-008), sections 4.5.2 and 4.6; PNG 1.3 extensions, chunk eXIf.
"""

import struct
from collections.abc import Iterator

from cat_dataset.attributes.table import ATTRIBUTES

_EXIF_IFD = 0x8769
# tag: attribute whose absolute value it is
_TAGS = {tag: a.name for a in ATTRIBUTES.values() for tag in a.exif_tags}
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_INFINITE = 2**32 - 1  # a distance; 0 is an unknown one


def own_values(data: bytes) -> dict[str, float]:
    """Return absolute values by attribute, in the attribute's unit; empty where none are known.

    A damaged block says nothing rather than something wrong.
    """
    block = exif_block(data)
    if block is None:
        return {}
    try:
        found = dict(_tags(block))
    except (struct.error, IndexError):
        return {}
    values: dict[str, float] = {}
    for tag, name in _TAGS.items():  # of two tags for one attribute the later counts
        value = found.get(tag, 0.0)
        if 0.0 < value < _INFINITE:
            values[name] = value
    return values


def exif_block(data: bytes) -> bytes | None:
    """Return the TIFF structure that holds a file's EXIF, from its byte order mark on."""
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return data
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _chunk(data, b"eXIf", 8, ">I4s", size_first=True)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _chunk(data, b"EXIF", 12, "<4sI", size_first=False)
        return None if found is None else found.removeprefix(b"Exif\x00\x00")
    start = data.find(b"Exif\x00\x00", 0, 2**16)
    return data[start + 6 :] if start >= 0 else None


def _chunk(data: bytes, kind: bytes, place: int, head: str, *, size_first: bool) -> bytes | None:
    """Return the content of the first chunk of a kind: PNG (a checksum behind it) or RIFF."""
    while place + 8 <= len(data):
        one, other = struct.unpack(head, data[place : place + 8])
        size, found = (one, other) if size_first else (other, one)
        if found == kind:
            return data[place + 8 : place + 8 + size]
        place += 8 + (size + 4 if size_first else size + size % 2)
    return None


def _tags(block: bytes) -> Iterator[tuple[int, float]]:
    order = "<" if block[:2] == b"II" else ">"
    (first,) = struct.unpack(f"{order}I", block[4:8])
    main = dict(_entries(block, first, order, {_EXIF_IFD, *_TAGS}))
    yield from main.items()
    if _EXIF_IFD in main:
        yield from _entries(block, int(main[_EXIF_IFD]), order, set(_TAGS))


def _entries(block: bytes, place: int, order: str, wanted: set[int]) -> Iterator[tuple[int, float]]:
    """Yield the wanted tags of one directory with their first value."""
    (count,) = struct.unpack_from(f"{order}H", block, place)
    for number in range(count):
        at = place + 2 + 12 * number
        tag, kind, _ = struct.unpack_from(f"{order}HHI", block, at)
        if tag not in wanted or kind not in (_SHORT, _LONG, _RATIONAL):
            continue
        if kind == _RATIONAL:  # a rational does not fit into the entry
            (offset,) = struct.unpack_from(f"{order}I", block, at + 8)
            above, below = struct.unpack_from(f"{order}II", block, offset)
            if below:
                yield tag, above / below
        else:
            form = f"{order}H" if kind == _SHORT else f"{order}I"
            yield tag, float(struct.unpack_from(form, block, at + 8)[0])
