"""Directories of tags as TIFF 6.0 lays them out, for those that exifread does not read.

Values are read when asked for: makers' notes are large, and a few of their tags matter.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

_LONG, _IFD = 4, 13
# TIFF type: its letter in struct, two for a rational
_LETTERS = {1: "B", 2: "B", 3: "H", _LONG: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii"}
_LETTERS[_IFD] = "I"
_LARGEST_VALUE_BYTES = 1 << 16  # the tags read here take less than 1 KiB


class TiffError(ValueError):
    """A directory or value lies outside the file, or is impossibly large."""


@dataclass(frozen=True)
class Entry:
    """What a directory says of one tag."""

    tiff_type: int
    count: int
    at: int  # of its value


@dataclass(frozen=True)
class Tiff:
    """Where offsets count from, and the order of bytes."""

    stream: BinaryIO
    base: int
    order: str  # of struct

    def bytes_at(self, at: int, size: int) -> bytes:
        """Return bytes of the file, `at` counted from the structure's start.

        Raises:
            TiffError: they lie beyond the end of the file.
        """
        self.stream.seek(self.base + at)
        data = self.stream.read(size)
        if len(data) < size:
            msg = f"{size} bytes at byte {self.base + at} lie beyond the end of the file"
            raise TiffError(msg)
        return data

    def numbers(self, form: str, at: int) -> tuple[int, ...]:
        """Return the numbers of a format of `struct`, without its byte order."""
        form = self.order + form
        return struct.unpack(form, self.bytes_at(at, struct.calcsize(form)))

    def directory(self, at: int) -> "Directory":
        """Return the directory at an offset; its values are not read yet."""
        (count,) = self.numbers("H", at)
        entries = {}
        for index, entry in enumerate(
            struct.iter_unpack(self.order + "HHII", self.bytes_at(at + 2, 12 * count))
        ):
            tag, tiff_type, number, value_at = entry
            item_bytes = struct.calcsize("<" + _LETTERS.get(tiff_type, "B"))
            if number * item_bytes <= 4:
                value_at = at + 2 + 12 * index + 8
            entries[tag] = Entry(tiff_type, number, value_at)
        return Directory(self, entries)


@dataclass(frozen=True)
class Directory:
    """A directory's entries; their values are read when asked for."""

    tiff: Tiff
    entries: Mapping[int, Entry]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return a tag's whole numbers, two for each rational; none where it is absent.

        Raises:
            TiffError: there are more than any known tag has.
        """
        entry = self.entries.get(tag)
        if entry is None or entry.tiff_type not in _LETTERS:
            return ()
        letter = _LETTERS[entry.tiff_type]
        if entry.count * struct.calcsize("<" + letter) > _LARGEST_VALUE_BYTES:
            msg = f"tag 0x{tag:04X} claims {entry.count} values; at most 65536 bytes are believed"
            raise TiffError(msg)
        return self.tiff.numbers(letter * entry.count, entry.at)

    def number(self, tag: int) -> int:
        """Return a tag's first number; 0, which is "unknown" everywhere here, where it has none."""
        return next(iter(self.numbers(tag)), 0)

    def text(self, tag: int) -> str:
        """Return a tag's text up to the first zero byte, without blanks around it."""
        values = bytes(v for v in self.numbers(tag) if 0 <= v < 256)
        return values.split(b"\0")[0].decode("latin-1").strip()

    def directory(self, tag: int) -> "Directory":
        """Return a sub-directory: at the offset that a tag holds, or the tag's own value."""
        entry = self.entries.get(tag)
        if entry is None:
            return Directory(self.tiff, {})
        is_offset = entry.tiff_type in (_LONG, _IFD) and entry.count == 1
        return self.tiff.directory(self.number(tag) if is_offset else entry.at)


def first_directory(stream: BinaryIO, base: int = 0) -> Directory:
    """Return the first directory of the structure that begins at `base`.

    Raises:
        TiffError: it lies beyond the end of the file.
    """
    stream.seek(base)
    order = ">" if stream.read(2) == b"MM" else "<"
    tiff = Tiff(stream, base, order)
    return tiff.directory(tiff.numbers("I", 4)[0])
