"""What camera makers write into a directory of their own: bracket numbers, focus, serial numbers.

The few tags that matter are read here and not by exifread: it reads no maker note of CR3 and of
OM System, leaves the sub-directories of Olympus unread, needs up to 70 ms for one note, and reads
a note whose length has one wrong bit value by value, four billion of them.

Not read: Panasonic, whose note RW2 keeps in its embedded JPEG; Pentax, Ricoh, Leica, Samsung,
Sigma; Nikon's focus distance and Sony's length of a sequence, which newer bodies encipher.

Sources: TIFF 6.0; https://exiftool.org/TagNames/ (pages Canon, Nikon, Sony, FujiFilm, Olympus).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from dslr.files.tiff import Directory, Tiff, first_directory

_MAKE, _EXIF_IFD, _MAKER_NOTE = 0x010F, 0x8769, 0x927C


@dataclass(frozen=True)
class MakerFacts:
    """What a maker note says about one exposure; empty where it says nothing."""

    serial: str = ""  # of the body
    focus_distance_m: float | None = None  # inf: focused at infinity
    bracket_shot: int | None = None  # number within a bracket or burst, as the maker counts
    bracket_kind: str | None = None  # one of BRACKET_KINDS


BRACKET_KINDS = ("exposure", "white_balance", "iso", "flash", "focus", "dynamic_range")


def read_maker_note(stream: BinaryIO) -> MakerFacts:
    """Read the maker note of a TIFF structure that begins at the start of a stream.

    Raises:
        TiffError: a directory or value lies outside the file, or is impossibly large.
    """
    ifd0 = first_directory(stream)
    note = ifd0.directory(_EXIF_IFD).entries.get(_MAKER_NOTE)
    if note is None:
        return MakerFacts()
    make = ifd0.text(_MAKE).upper()
    for start, read in _READERS.items():
        if make.startswith(start):
            return read(ifd0.tiff, note.at)
    return MakerFacts()


def read_canon_directory(stream: BinaryIO) -> MakerFacts:
    """Read Canon's directory where it is a TIFF structure of its own: box CMT3 of CR3.

    Raises:
        TiffError: as of `read_maker_note`.
    """
    return _facts_of_canon(first_directory(stream))


def canon_facts(
    shot_info: Sequence[int], file_info: Sequence[int] = (), serial: str = ""
) -> MakerFacts:
    """Return what Canon's arrays ShotInfo (tag 0x0004) and FileInfo (0x0093) say.

    The lens reports its focus as a zone; its middle is taken in dioptres, where it is in the
    middle of what looks sharp: a zone from 5 m to infinity is focused at 10 m.

    >>> canon_facts([0] * 19 + [65535, 500]).focus_distance_m
    10.0
    """
    far_m, near_m = (_place(file_info, i) / 100 for i in (20, 21))
    if not far_m:
        far_m, near_m = (_place(shot_info, i) / 100 for i in (19, 20))
    infinity_m = 655.35  # 65535 cm
    sharpness_dpt = [0.0 if x >= infinity_m else 1 / x for x in (far_m, near_m) if x]
    mean_dpt = sum(sharpness_dpt) / max(len(sharpness_dpt), 1)
    focus_m = (1 / mean_dpt if mean_dpt else float("inf")) if sharpness_dpt else None

    automatic = _signed(_place(shot_info, 16))  # AutoExposureBracketing: -1 on, 1 to 3 the shot
    kind = _CANON_KINDS.get(_place(file_info, 3))
    if kind is None and _place(file_info, 9) in (1, 2):  # shift along amber-blue, green-magenta
        kind = "white_balance"
    if kind is None and automatic in (-1, 1, 2, 3):
        kind = "exposure"
    automatic_shot = automatic if automatic in (1, 2, 3) else 0
    numbers = (_signed(_place(file_info, 5)), automatic_shot, _signed(_place(shot_info, 9)))
    shot = next((number for number in numbers if number > 0), None)
    return MakerFacts(serial, focus_m, shot, kind)


_CANON_KINDS = {1: "exposure", 2: "flash", 3: "iso", 4: "white_balance"}  # FileInfo BracketMode


def _place(values: Sequence[int], index: int) -> int:
    """Return one number of an array; 0, which is "unknown" everywhere here, past its end."""
    return values[index] if index < len(values) else 0


def _signed(number: int) -> int:
    return number - 65536 if number > 32767 else number


def _canon(tiff: Tiff, at: int) -> MakerFacts:
    return _facts_of_canon(tiff.directory(at))


def _facts_of_canon(note: Directory) -> MakerFacts:
    serial = note.number(0x000C)
    return canon_facts(note.numbers(0x0004), note.numbers(0x0093), str(serial) if serial else "")


def _nikon(tiff: Tiff, at: int) -> MakerFacts:
    """Read Nikon's note: a TIFF structure behind ten bytes; the D1 writes a bare directory."""
    label = tiff.bytes_at(at, 8)
    if label.startswith(b"Nikon\0\1"):
        return MakerFacts()  # the first Coolpix: no such tags
    is_labelled = label.startswith(b"Nikon\0")
    note = first_directory(tiff.stream, tiff.base + at + 10) if is_labelled else tiff.directory(at)
    serial = note.text(0x001D) or note.text(0x00A0).removeprefix("No=").strip()
    mode = note.number(0x0089)  # bits of ShootingMode
    return MakerFacts(serial, bracket_kind=_only_bit(mode, {4: "exposure", 6: "white_balance"}))


def _only_bit(bits: int, kinds: Mapping[int, str]) -> str | None:
    """Return the kind of the one bit that is set; None where several things vary at once."""
    found = {kind for bit, kind in kinds.items() if bits >> bit & 1}
    return found.pop() if len(found) == 1 else None


def _sony(tiff: Tiff, at: int) -> MakerFacts:
    """Read Sony's note: bare in ARW, behind twelve bytes where the label says so."""
    note = tiff.directory(at + 12 if tiff.bytes_at(at, 4) == b"SONY" else at)
    shot = note.number(0xB04A)  # 0 single, 65535 not available
    kinds = {5: "exposure", 6: "white_balance", 8: "dynamic_range"}  # ReleaseMode
    return MakerFacts(
        bracket_shot=shot if 0 < shot < 65535 else None,
        bracket_kind=kinds.get(note.number(0xB049)),
    )


def _fujifilm(tiff: Tiff, at: int) -> MakerFacts:
    """Read Fujifilm's note: always little-endian, offsets from its own start."""
    own = Tiff(tiff.stream, tiff.base + at, "<")
    note = own.directory(own.numbers("I", 8)[0])
    return MakerFacts(note.text(0x0010), bracket_shot=note.number(0x1101) or None)


def _olympus(tiff: Tiff, at: int) -> MakerFacts:
    """Read the note of Olympus and OM System; old ones count offsets from the file's start."""
    label = tiff.bytes_at(at, 16)
    header_bytes = {b"OLYMPUS\0": 12, b"OM SYSTE": 16}.get(label[:8])
    if header_bytes is None:
        special = tiff.directory(at + 8).numbers(0x0200)  # mode, shot, direction of a panorama
        return MakerFacts(bracket_shot=_place(special, 1) or None)
    order = ">" if label[header_bytes - 4 : header_bytes - 2] == b"MM" else "<"
    note = Tiff(tiff.stream, tiff.base + at, order).directory(header_bytes)
    drive = note.directory(0x2020).numbers(0x0600)  # mode, shot, bits of what is bracketed
    mode, shot, bits = (_place(drive, index) for index in range(3))
    kinds = {2: "exposure", 3: "white_balance", 5: _only_bit(bits, _OLYMPUS_BITS)}
    distance = _place(note.directory(0x2050).numbers(0x0305), 0)
    # the denominator is 1 or 10 by model, the numerator in mm in all of them
    focus_m = float("inf") if distance == 0xFFFFFFFF else distance / 1000 or None
    serial = note.directory(0x2010).text(0x0101)
    return MakerFacts(serial, focus_m, shot if mode and shot else None, kinds.get(mode))


_OLYMPUS_BITS = {
    0: "exposure",
    1: "white_balance",
    2: "flash",
    3: "focus",
    4: "iso",
    5: "exposure",
    6: "focus",
}

_READERS: Mapping[str, Callable[[Tiff, int], MakerFacts]] = {
    "CANON": _canon,
    "NIKON": _nikon,
    "SONY": _sony,
    "FUJI": _fujifilm,
    "OLYMPUS": _olympus,
    "OM DIGITAL": _olympus,
}
