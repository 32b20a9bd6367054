"""Small TIFF structures for tests: a camera's directories without a picture."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

# name of a TIFF type: its number and its letters in struct
_TYPES = {
    "byte": (1, "B"),
    "ascii": (2, "B"),
    "short": (3, "H"),
    "long": (4, "I"),
    "rational": (5, "II"),
    "undefined": (7, "B"),
    "srational": (10, "ii"),
    "float": (11, "f"),
    "ifd": (13, "I"),
}

Field = tuple[int, str, Any]  # tag, name of its type, values; rationals flat: (1, 60)


def directory(fields: Sequence[Field], at: int, order: str = "<") -> bytes:
    """Return a directory that starts at byte `at` of its structure, long values behind it.

    A value of (number of items, offset) of type "undefined elsewhere" is not written, only
    pointed at.
    """
    entries, tail = b"", b""
    values_at = at + 2 + 12 * len(fields) + 4
    for tag, kind, values in fields:
        if kind == "undefined elsewhere":
            entries += struct.pack(order + "HHII", tag, 7, *values)
            continue
        number, letters = _TYPES[kind]
        data = values.encode() + b"\0" if kind == "ascii" else values
        if not isinstance(data, bytes):
            data = struct.pack(f"{order}{len(values) // len(letters) * letters}", *values)
        count = len(data) // struct.calcsize("<" + letters)
        slot = data.ljust(4, b"\0")
        if len(data) > 4:
            slot = struct.pack(order + "I", values_at + len(tail))
            tail += data + b"\0" * (len(data) % 2)
        entries += struct.pack(order + "HHI", tag, number, count) + slot
    return struct.pack(order + "H", len(fields)) + entries + b"\0\0\0\0" + tail


def tiff_bytes(
    ifd0: Sequence[Field] = (),
    exif: Sequence[Field] = (),
    note: Callable[[int], bytes] | None = None,
    *,
    start: bytes = b"II*\0",
) -> bytes:
    """Return a TIFF with IFD0, an Exif directory and a maker note.

    `note` makes the maker note for the place where it will stand; `start` is byte order and magic.
    """
    order = ">" if start.startswith(b"MM") else "<"
    note_bytes = note(0) if note else b""

    def directories(exif_at: int, note_at: int) -> tuple[bytes, bytes]:
        pointer: list[Field] = [(0x8769, "long", (exif_at,))] if exif or note else []
        inner = [*exif]
        if note:
            inner.append((0x927C, "undefined elsewhere", (len(note_bytes), note_at)))
        return directory([*ifd0, *pointer], 8, order), directory(inner, exif_at, order)

    first, second = (len(part) for part in directories(0, 0))
    exif_at, note_at = 8 + first, 8 + first + second
    head = start + struct.pack(order + "I", 8)
    return head + b"".join(directories(exif_at, note_at)) + (note(note_at) if note else b"")
