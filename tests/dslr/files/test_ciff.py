import struct
from datetime import datetime
from pathlib import Path

import pytest

from cat_dataset.errors import RawError
from dslr.files.ciff import CiffFacts, read_ciff


@pytest.mark.raw
@pytest.mark.parametrize(
    ("name", "model", "captured_at", "focus_m"),
    [
        ("G2_0304.CRW", "Canon PowerShot G2", datetime(2022, 1, 20, 8, 13, 24), 6.88),
        ("S40_0101.CRW", "Canon PowerShot S40", datetime(2021, 4, 8, 14, 51, 12), 6.31),
    ],
)
def test_a_crw_file_names_its_camera_its_time_and_its_focus(
    raw_folder: Path, name: str, model: str, captured_at: datetime, focus_m: float
) -> None:
    """The records lie three heaps deep."""
    facts = read_ciff(raw_folder / name)

    assert (facts.make, facts.model) == ("Canon", model)
    assert facts.captured_at == captured_at
    assert facts.maker.focus_distance_m == focus_m
    assert facts.maker.bracket_shot is None


def crw_bytes(records: dict[int, bytes]) -> bytes:
    """Return a CRW file whose root heap holds the given records."""
    head = b"II\x1a\0\0\0HEAPCCDR".ljust(26, b"\0")
    content, table = b"", struct.pack("<H", len(records))
    for tag, data in records.items():
        table += struct.pack("<HII", tag, len(data), len(content))
        content += data
    return head + content + table + struct.pack("<I", len(content))


def test_bracket_serial_and_time_of_a_crw_file(tmp_path: Path) -> None:
    """ShotInfo and FileInfo have the places of Canon's maker note; time is the camera's clock."""
    shot_info = [0] * 34
    shot_info[9] = 2
    file_info = [0] * 10
    file_info[3] = 4
    path = tmp_path / "bracket.crw"
    path.write_bytes(
        crw_bytes(
            {
                0x080A: b"Canon\0Canon EOS 10D\0",
                0x102A: struct.pack("<34H", *shot_info),
                0x1093: struct.pack("<10H", *file_info),
                0x180B: struct.pack("<I", 320112233),
                0x180E: struct.pack("<III", 1_000_000_000, 0, 0),
            }
        )
    )

    facts = read_ciff(path)

    assert facts.captured_at == datetime(2001, 9, 9, 1, 46, 40)
    assert (facts.maker.serial, facts.maker.bracket_shot) == ("320112233", 2)
    assert facts.maker.bracket_kind == "white_balance"


def test_an_unset_clock_and_missing_records_are_unknown(tmp_path: Path) -> None:
    """Zero seconds is no date in 1970."""
    path = tmp_path / "bare.crw"
    path.write_bytes(crw_bytes({0x180E: b"\0" * 12, 0x102A: b"\0", 0x080A: b"Canon"}))

    assert read_ciff(path) == CiffFacts(make="Canon")


def test_a_heap_of_too_many_records_is_not_walked(tmp_path: Path) -> None:
    """65535 records that each point at the whole heap would take hours."""
    path = tmp_path / "many.crw"
    entries = struct.pack("<HII", 0x3000, 26, 0) * 65535
    path.write_bytes(b"II\x1a\0\0\0HEAPCCDR".ljust(26, b"\0") + b"\xff\xff" + entries + b"\0" * 4)

    with pytest.raises(RawError, match="a heap claims 65535 records"):
        read_ciff(path)


@pytest.mark.raw
@pytest.mark.parametrize("kept_share", [0.001, 0.5, 0.999])
def test_a_cut_crw_file_raises_raw_error(
    raw_folder: Path, tmp_path: Path, kept_share: float
) -> None:
    """The root table stands at the very end: a cut file has lost it, and says so."""
    data = (raw_folder / "S40_0101.CRW").read_bytes()
    path = tmp_path / "cut.crw"
    path.write_bytes(data[: int(kept_share * len(data))])

    with pytest.raises(RawError, match=r"cut\.crw: its CIFF heaps are broken"):
        read_ciff(path)


def test_other_containers_have_no_ciff_record(bracket: tuple[Path, ...]) -> None:
    """A DNG is left to exifread."""
    assert read_ciff(bracket[0]) == CiffFacts()


def test_heaps_within_themselves_end(tmp_path: Path) -> None:
    """A hostile tree that points back at itself does not run forever."""
    head = b"II\x1a\0\0\0HEAPCCDR" + b"\0" * 12
    # one entry: a heap (0x3000) that begins where its parent begins and is as long
    table = b"\x01\0" + b"\x00\x30" + (16).to_bytes(4, "little") + (0).to_bytes(4, "little")
    path = tmp_path / "loop.crw"
    path.write_bytes(head + table + (0).to_bytes(4, "little"))

    assert read_ciff(path) == CiffFacts()
