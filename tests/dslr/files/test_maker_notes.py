import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslr.files.exif import read_directories
from dslr.files.maker_notes import (
    BRACKET_KINDS,
    MakerFacts,
    canon_facts,
    read_canon_directory,
    read_maker_note,
)
from dslr.files.tiff import TiffError
from tests.dslr.maker_note_bytes import OLYMPUS, OM_SYSTEM, array, bare, canon, nikon, olympus
from tests.dslr.tiff_bytes import Field, directory, tiff_bytes

INFINITY = float("inf")


def facts(make: str, note: Callable[[int], bytes], start: bytes = b"II*\0") -> MakerFacts:
    """Read the note of a file of a maker."""
    data = tiff_bytes([(0x010F, "ascii", make)], note=note, start=start)
    return read_maker_note(io.BytesIO(data))


@pytest.mark.parametrize(
    ("shot", "file", "number", "kind"),
    [
        ({}, {}, None, None),
        ({9: 3}, {}, 3, None),  # SequenceNumber of a burst
        ({16: -1, 9: 2}, {}, 2, "exposure"),  # automatic bracketing is on, shot unknown
        ({16: 3}, {}, 3, "exposure"),
        ({9: 1}, {3: 1, 5: 2}, 2, "exposure"),  # BracketMode and its own number decide
        ({}, {3: 2, 5: 1}, 1, "flash"),
        ({}, {3: 3, 5: 1}, 1, "iso"),
        ({}, {3: 4, 5: 3}, 3, "white_balance"),
        ({}, {9: 2}, None, "white_balance"),
        ({}, {3: -1, 5: -1, 9: -1}, None, None),  # not available
        ({9: -1, 16: 7}, {3: 99}, None, None),
    ],
)
def test_canon_bracket_tags(
    shot: dict[int, int], file: dict[int, int], number: int | None, kind: str | None
) -> None:
    """The bracket's own number goes before the number in a burst; -1 is "not available"."""
    found = facts("Canon", canon(shot, file))

    assert (found.bracket_shot, found.bracket_kind, found.serial) == (number, kind, "123456")


@pytest.mark.parametrize(
    ("far_cm", "near_cm", "focus_m"),
    [
        (0, 0, None),  # a lens that tells nothing
        (250, 0, 2.5),
        (100, 50, 1 / 1.5),  # the middle of 1 and 2 dioptres
        (65535, 0, INFINITY),
        (65535, 65535, INFINITY),
        (65535, 500, 10.0),
    ],
)
def test_canon_focus_is_the_middle_of_the_zone_in_dioptres(
    far_cm: int, near_cm: int, focus_m: float | None
) -> None:
    """Zero is unknown and not near, 65535 cm is infinity and not 655 m, in either array."""
    in_shot_info = facts("Canon", canon({19: far_cm, 20: near_cm}))
    in_file_info = facts("Canon", canon({19: 0}, {20: far_cm, 21: near_cm}))

    assert in_shot_info.focus_distance_m == pytest.approx(focus_m)
    assert in_file_info.focus_distance_m == pytest.approx(focus_m)


def test_short_arrays_of_old_canon_bodies_say_nothing() -> None:
    """What lies past an array's end is unknown, not another tag's bytes."""
    assert canon_facts([1, 2, 3]) == MakerFacts()


def test_canon_directory_of_cr3() -> None:
    """Box CMT3 is a TIFF structure whose first directory is the maker note."""
    fields: list[Field] = [(0x0004, "short", array(34, {9: 4, 19: 120}))]
    stream = io.BytesIO(b"II*\0\x08\0\0\0" + directory(fields, 8))

    assert read_canon_directory(stream) == MakerFacts("", 1.2, 4, None)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (0, None),
        (0x01, None),  # a burst
        (0x10, "exposure"),
        (0x31, "exposure"),  # in a burst, with automatic ISO
        (0x40, "white_balance"),
        (0x50, None),  # both: no clean axis
    ],
)
def test_nikon_shooting_mode(order: str, mode: int, kind: str | None) -> None:
    """Nikon says what is bracketed, but numbers no shots; its note has its own byte order."""
    note = nikon([(0x001D, "ascii", "6001234"), (0x0089, "short", (mode,))], order)

    assert facts("NIKON CORPORATION", note) == MakerFacts("6001234", bracket_kind=kind)


def test_nikon_notes_without_label_or_of_the_first_kind() -> None:
    """The D1 writes a bare directory; the first Coolpix have other tags under the same numbers."""
    fields: list[Field] = [(0x00A0, "ascii", "No= 4000a1b2"), (0x0089, "short", (0x10,))]

    assert facts("NIKON", bare(fields)) == MakerFacts("4000a1b2", bracket_kind="exposure")
    assert facts("NIKON", bare(fields, label=b"Nikon\0\1\0")) == MakerFacts()


@pytest.mark.parametrize("label", [b"", b"SONY DSC \0\0\0"])
@pytest.mark.parametrize(
    ("release", "sequence", "number", "kind"),
    [
        (0, 0, None, None),
        (2, 7, 7, None),
        (5, 1, 1, "exposure"),
        (6, 2, 2, "white_balance"),
        (8, 3, 3, "dynamic_range"),
        (65535, 65535, None, None),
    ],
)
def test_sony_release_mode(
    label: bytes, release: int, sequence: int, number: int | None, kind: str | None
) -> None:
    """ARW has the bare directory, JPEG-like files a label before it; 65535 is not available."""
    note = bare([(0xB049, "short", (release,)), (0xB04A, "short", (sequence,))], label=label)

    assert facts("SONY", note) == MakerFacts(bracket_shot=number, bracket_kind=kind)


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*"])
def test_fujifilm_sequence_number(start: bytes) -> None:
    """The note is little-endian in any file, and its offsets count from its own start.

    That bracketing is on (0x1100) does not say what is bracketed.
    """
    fields: list[Field] = [
        (0x0010, "ascii", "FFDX20582698"),
        (0x1100, "short", (1,)),
        (0x1101, "short", (2,)),
    ]

    def note(_: int) -> bytes:
        return b"FUJIFILM" + struct.pack("<I", 12) + directory(fields, 12)

    assert facts("FUJIFILM", note, start) == MakerFacts("FFDX20582698", bracket_shot=2)


@pytest.mark.parametrize(
    ("drive", "number", "kind"),
    [
        ((0, 0), None, None),
        ((1, 5, 0), 5, None),  # a burst
        ((2, 1), 1, "exposure"),
        ((3, 2), 2, "white_balance"),
        ((4, 2), 2, None),  # exposure and white balance at once
        ((5, 3, 0b1, 0, 4), 3, "exposure"),
        ((5, 3, 0b10), 3, "white_balance"),
        ((5, 3, 0b100), 3, "flash"),
        ((5, 3, 0b10000), 3, "iso"),
        ((5, 3, 0b1000000), 3, "focus"),
        ((5, 3, 0b11), 3, None),
    ],
)
def test_olympus_drive_mode(drive: tuple[int, ...], number: int | None, kind: str | None) -> None:
    """It stands in a sub-directory that exifread leaves unread."""
    found = facts("OLYMPUS IMAGING CORP.  ", olympus(drive, (0, 1), OLYMPUS))

    assert found == MakerFacts("BJ1234567", None, number, kind)


@pytest.mark.parametrize(
    ("distance", "focus_m"),
    [((1250, 1), 1.25), ((1250, 10), 1.25), ((0xFFFFFFFF, 1), INFINITY), ((0, 1), None)],
)
def test_focus_of_om_system(distance: tuple[int, int], focus_m: float | None) -> None:
    """The numerator is in mm whatever the denominator; the new brand has a longer label."""
    found = facts("OM Digital Solutions", olympus((1, 1), distance, OM_SYSTEM))

    assert found == MakerFacts("BJ1234567", focus_m, 1, None)


def test_old_olympus_sequence() -> None:
    """SpecialMode holds mode, shot and direction; offsets count from the file's start."""
    note = bare([(0x0200, "long", (2, 6, 0))], label=b"OLYMP\0\1\0")

    assert facts("OLYMPUS OPTICAL CO.,LTD", note) == MakerFacts(bracket_shot=6)


def test_makers_without_a_known_note_say_nothing() -> None:
    """No maker's tags are read by another maker's numbers."""
    assert facts("PENTAX", canon({9: 3})) == MakerFacts()
    assert read_maker_note(io.BytesIO(tiff_bytes([(0x010F, "ascii", "Canon")]))) == MakerFacts()


def test_a_wrong_bit_in_a_length_costs_the_note_alone_and_no_time(tmp_path: Path) -> None:
    """A count of 134 million values is not believed, and the file's other settings stay."""
    fields: list[Field] = [(0x829A, "rational", (1, 60)), (0x8827, "short", (100,))]
    data = tiff_bytes([(0x010F, "ascii", "Canon")], fields, canon({9: 3}))
    at = data.rindex(struct.pack("<HH", 0x0004, 3)) + 4
    broken = data[:at] + struct.pack("<I", 34 | 1 << 27) + data[at + 4 :]
    path = tmp_path / "flipped.cr2"
    path.write_bytes(broken)

    with pytest.raises(TiffError, match="claims 134217762 values"):
        read_maker_note(io.BytesIO(broken))
    exif = read_directories(path)
    assert exif.is_maker_note_lost
    assert exif.maker == MakerFacts()
    assert float(exif.tags["EXIF ExposureTime"].values[0]) == pytest.approx(1 / 60)


def test_a_cut_note_is_reported_as_lost() -> None:
    """That a damaged note says nothing must not be taken for "no bracket"."""
    data = tiff_bytes([(0x010F, "ascii", "Canon")], note=canon({9: 3}))

    with pytest.raises(TiffError, match="beyond the end of the file"):
        read_maker_note(io.BytesIO(data[:-40]))


NOTES = (
    ("Canon", canon({9: 3, 19: 200}, {3: 1, 5: 2})),
    ("NIKON", nikon([(0x001D, "ascii", "6001234"), (0x0089, "short", (16,))])),
    ("SONY", bare([(0xB049, "short", (5,)), (0xB04A, "short", (1,))])),
    ("OLYMPUS", olympus((5, 3, 1), (1250, 1), OLYMPUS)),
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.sampled_from(NOTES), st.data())
def test_damaged_notes_are_lost_or_read_but_never_raise_anything_else(
    made: tuple[str, Callable[[int], bytes]], data: st.DataObject
) -> None:
    """Flipped bits and cut ends: a fact or `TiffError`."""
    make, note = made
    whole = bytearray(tiff_bytes([(0x010F, "ascii", make)], note=note))
    for position in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), max_size=4)):
        whole[position // 8] ^= 1 << position % 8
    kept = data.draw(st.integers(4, len(whole)))

    try:
        found = read_maker_note(io.BytesIO(bytes(whole[:kept])))
    except TiffError:
        return

    assert found.bracket_kind in (None, *BRACKET_KINDS)
    assert found.bracket_shot is None or found.bracket_shot > 0
    assert found.focus_distance_m is None or found.focus_distance_m > 0
