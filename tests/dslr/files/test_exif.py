import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.errors import RawError
from dslr.files.exif import read_directories, read_exif
from dslr.files.maker_notes import MakerFacts
from dslr.files.metadata import read_metadata
from tests.dslr.maker_note_bytes import array, bare
from tests.dslr.tiff_bytes import Field, directory, tiff_bytes

IFD0: list[Field] = [(0x010F, "ascii", "Canon"), (0x0110, "ascii", "Canon EOS Test")]
EXIF: list[Field] = [
    (0x829A, "rational", (1, 125)),
    (0x829D, "rational", (28, 5)),
    (0x8827, "short", (400,)),
    (0x9291, "ascii", "25"),
]


BURST: list[Field] = [(0x0004, "short", array(20, {9: 3}))]  # Canon's "third shot of a burst"
canon_note = bare(BURST)


def cr3_bytes() -> bytes:
    """Return the metadata boxes of a CR3 file."""
    head = b"II*\0\x08\0\0\0"
    boxes = [
        struct.pack(">I", 16 + len(content)) + name + head + content
        for name, content in (
            (b"CMT1", directory(IFD0, 8)),
            (b"CMT2", directory(EXIF, 8)),
            (b"CMT3", directory(BURST, 8)),
        )
    ]
    return struct.pack(">I", 24) + b"ftypcrx \0\0\0\x01crx isom" + b"".join(boxes)


def raf_bytes() -> bytes:
    """Return a RAF file whose JPEG holds the directories; the JPEG's pixels are left out."""
    tiff = tiff_bytes(IFD0, EXIF, canon_note)
    app1 = b"Exif\0\0" + tiff
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + b"\xff\xd9"
    head = b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">II", 160, len(jpeg))
    return head.ljust(160, b"\0") + jpeg


STARTS = {
    "TIFF": b"II*\0",
    "PEF, big-endian": b"MM\0*",
    "ORF IIRO": b"IIRO",
    "ORF IIRS": b"IIRS",
    "ORF MMOR": b"MMOR",
    "RW2": b"IIU\0",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_every_relative_of_tiff_is_read(tmp_path: Path, start: bytes) -> None:
    """Cameras replace TIFF's 42 by letters of their own; the directories are the same."""
    path = tmp_path / "shot.raw"
    note = bare(BURST, ">" if start.startswith(b"MM") else "<")
    path.write_bytes(tiff_bytes(IFD0, EXIF, note, start=start))

    assert_read(path)


@pytest.mark.parametrize("make_bytes", [cr3_bytes, raf_bytes])
def test_boxes_of_cr3_and_the_jpeg_of_raf_are_read(
    tmp_path: Path, make_bytes: Callable[[], bytes]
) -> None:
    """Both directories and the maker note are found, under the names they have in a TIFF."""
    path = tmp_path / "shot.raw"
    path.write_bytes(make_bytes())

    assert_read(path)


def assert_read(path: Path) -> None:
    """Assert that the settings and the maker note of IFD0, EXIF and `canon_note` came out."""
    exif = read_directories(path)
    metadata = read_metadata(path)

    assert exif.maker == MakerFacts(bracket_shot=3)
    assert not exif.is_maker_note_lost
    assert metadata.body == "Canon EOS Test"
    assert metadata.exposure_time_s == pytest.approx(1 / 125)
    assert (metadata.f_number, metadata.iso, metadata.bracket_shot) == (5.6, 400.0, 3)


def test_a_raf_file_without_exif_has_no_directories(tmp_path: Path) -> None:
    """Nothing is guessed from other bytes of the file."""
    path = tmp_path / "shot.raf"
    path.write_bytes(raf_bytes().replace(b"Exif\0\0", b"JFIF\0\0"))

    assert read_exif(path) == {}


def test_a_damaged_maker_note_costs_the_note_alone(tmp_path: Path) -> None:
    """The exposure is read, and the loss is said."""
    path = tmp_path / "cut.cr2"
    path.write_bytes(tiff_bytes(IFD0, EXIF, canon_note)[:-30])

    metadata = read_metadata(path)

    assert metadata.exposure_time_s == pytest.approx(1 / 125)
    assert metadata.bracket_shot is None
    assert metadata.is_maker_note_lost


@pytest.mark.parametrize("make_bytes", [cr3_bytes, raf_bytes])
def test_a_damaged_maker_note_in_cr3_and_raf(
    tmp_path: Path, make_bytes: Callable[[], bytes]
) -> None:
    """The same in the other containers: a note whose directory claims 65535 entries."""
    data = make_bytes()
    entry = struct.pack("<HHI", 0x0004, 3, 20)
    at = data.rindex(entry)
    path = tmp_path / "broken.raw"
    path.write_bytes(data[: at - 2] + b"\xff\xff" + data[at:])

    exif = read_directories(path)

    assert exif.is_maker_note_lost
    assert "EXIF ExposureTime" in exif.tags


def test_a_pointer_before_the_start_of_the_file_is_broken_exif(tmp_path: Path) -> None:
    """Exif's pointer as a negative number: the file opens, so its permissions are not blamed."""
    path = tmp_path / "negative.dng"
    data = tiff_bytes(IFD0, EXIF)
    pointer = data.index(struct.pack("<HHI", 0x8769, 4, 1))
    path.write_bytes(
        data[:pointer] + struct.pack("<HHIi", 0x8769, 9, 1, -4000) + data[pointer + 12 :]
    )

    with pytest.raises(RawError, match=r"negative\.dng: its EXIF is broken"):
        read_exif(path)


def read_or_raw_error(path: Path, data: bytes) -> None:
    """Assert that any bytes give settings or `RawError`, and that settings are possible ones."""
    path.write_bytes(data)
    try:
        metadata = read_metadata(path)
    except RawError:
        return
    for value in (metadata.exposure_time_s, metadata.f_number, metadata.iso):
        assert value is None or 0.0 < value < 1e7


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.sampled_from(
        [b"", *STARTS.values(), b"\0\0\0\x18ftypcrx ", b"FUJIFILM", b"II\x1a\0\0\0HEAP"]
    ),
    st.binary(max_size=400),
)
def test_random_bytes_raise_nothing_but_raw_error(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    """Whatever stands behind the signature of a container."""
    read_or_raw_error(tmp_path_factory.getbasetemp() / "random.dng", start + rest)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_damaged_copies_raise_nothing_but_raw_error(
    tmp_path_factory: pytest.TempPathFactory, bracket: tuple[Path, ...], data: st.DataObject
) -> None:
    """Cut anywhere, and with bits flipped where the directories are."""
    dng = bracket[0].read_bytes()
    made = data.draw(
        st.sampled_from([dng, cr3_bytes(), raf_bytes(), tiff_bytes(IFD0, EXIF, canon_note)])
    )
    damaged = bytearray(made)
    in_directories = st.integers(0, 8 * min(len(made), 1200) - 1)
    for position in data.draw(st.lists(in_directories, max_size=6)):
        damaged[position // 8] ^= 1 << position % 8
    kept = data.draw(st.integers(0, len(made)))

    read_or_raw_error(tmp_path_factory.getbasetemp() / "damaged.dng", bytes(damaged[:kept]))
