"""Maker notes as cameras write them, for tests; each is made for the place where it will stand."""

from collections.abc import Callable, Sequence

from tests.dslr.tiff_bytes import Field, directory

Note = Callable[[int], bytes]
OLYMPUS, OM_SYSTEM = b"OLYMPUS\0II\x03\0", b"OM SYSTEM\0\0\0II\x04\0"


def bare(fields: Sequence[Field], order: str = "<", label: bytes = b"") -> Note:
    """Return a note whose offsets count from the start of the file, as Canon and Sony do."""
    return lambda at: label + directory(fields, at + len(label), order)


def array(length: int, values: dict[int, int]) -> tuple[int, ...]:
    """Return an array of zeros but for some places, as a camera stores signed numbers."""
    return tuple(values.get(index, 0) % 65536 for index in range(length))


def canon(shot: dict[int, int], file: dict[int, int] | None = None) -> Note:
    """Return Canon's note with places of ShotInfo and FileInfo set."""
    return bare(
        [
            (0x0004, "short", array(34, shot)),
            (0x000C, "long", (123456,)),
            (0x0093, "short", array(32, file or {})),
        ]
    )


def nikon(fields: Sequence[Field], order: str = ">") -> Note:
    """Return Nikon's labelled note, a TIFF structure of its own, in any byte order."""
    start = b"MM\0*\0\0\0\x08" if order == ">" else b"II*\0\x08\0\0\0"
    return lambda at: b"Nikon\0\2\x10\0\0" + start + directory(fields, 8, order)


def olympus(drive: tuple[int, ...], distance: tuple[int, int], header: bytes) -> Note:
    """Return a note with its three sub-directories, offsets from the note's start."""

    def note(_: int) -> bytes:
        at = len(header) + 2 + 3 * 12 + 4
        equipment = directory([(0x0101, "ascii", "BJ1234567")], at)
        settings_at = at + len(equipment)
        camera_settings = directory([(0x0600, "short", drive)], settings_at)
        focus_at = settings_at + len(camera_settings)
        focus_info = directory([(0x0305, "rational", distance)], focus_at)
        pointers: list[Field] = [
            (0x2010, "ifd", (at,)),
            (0x2020, "ifd", (settings_at,)),
            (0x2050, "ifd", (focus_at,)),
        ]
        return header + directory(pointers, len(header)) + equipment + camera_settings + focus_info

    return note
