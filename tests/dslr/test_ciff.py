from pathlib import Path

import pytest

from cat_dataset.errors import RawError
from dslr.ciff import make_and_model


@pytest.mark.raw
@pytest.mark.parametrize(
    ("name", "model"),
    [("G2_0304.CRW", "Canon PowerShot G2"), ("S40_0101.CRW", "Canon PowerShot S40")],
)
def test_a_crw_file_names_its_camera(raw_folder: Path, name: str, model: str) -> None:
    """The record lies three heaps deep."""
    assert make_and_model(raw_folder / name) == ("Canon", model)


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
        make_and_model(path)


def test_other_containers_have_no_ciff_record(bracket: tuple[Path, ...]) -> None:
    """A DNG is left to exifread."""
    assert make_and_model(bracket[0]) == ("", "")


def test_heaps_within_themselves_end(tmp_path: Path) -> None:
    """A hostile tree that points back at itself does not run forever."""
    head = b"II\x1a\0\0\0HEAPCCDR" + b"\0" * 12
    # one entry: a heap (0x3000) that begins where its parent begins and is as long
    table = b"\x01\0" + b"\x00\x30" + (16).to_bytes(4, "little") + (0).to_bytes(4, "little")
    path = tmp_path / "loop.crw"
    path.write_bytes(head + table + (0).to_bytes(4, "little"))

    assert make_and_model(path) == ("", "")
