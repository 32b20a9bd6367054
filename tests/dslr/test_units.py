import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import CatError, RawError
from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import UnitResult
from dslr.units import CaptureGroup, ingest_unit, scan_folder
from tests.dslr.conftest import photograph

DATASET = DatasetJob(name="test", seed=0)


def source_of(folder: Path, num_pairs: int = 6) -> CaptureSource:
    """Return a source of a folder with both attributes."""
    plan = PairPlan(num_pairs=num_pairs)
    return CaptureSource(
        name="shots", folder=folder, attributes={"exposure": plan, "white_balance": plan}
    )


@pytest.fixture(scope="module")
def mixed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two brackets, a single frame in a subfolder, a cut-off and a foreign file, a JPEG."""
    folder = tmp_path_factory.mktemp("mixed")
    first = photograph(folder, "a", number=0)
    photograph(folder, "b", number=1)
    (folder / "sub").mkdir()
    shutil.copy(first[1], folder / "sub" / "a-1.dng")  # same file name, other folder
    data = first[0].read_bytes()
    (folder / "cut.dng").write_bytes(data[: len(data) // 2])
    (folder / "text.nef").write_text("no picture")
    (folder / "preview.jpg").write_bytes(b"\xff\xd8")
    return folder


@pytest.fixture(scope="module")
def groups(mixed_folder: Path) -> tuple[CaptureGroup, ...]:
    """The capture groups of the mixed folder."""
    return scan_folder(source_of(mixed_folder))


@pytest.fixture(scope="module")
def bracket_result(mixed_folder: Path, groups: tuple[CaptureGroup, ...]) -> UnitResult:
    """What the first bracket yields."""
    return ingest_unit(DATASET, source_of(mixed_folder), groups[0])


def test_a_folder_is_split_into_brackets_singles_and_unreadable_files(
    groups: tuple[CaptureGroup, ...],
) -> None:
    """Bad files cost only themselves; foreign files are left alone; ids follow the names."""
    found = {group.unit_id: (group.kind, [path.name for path in group.paths]) for group in groups}

    assert found == {
        "shots-0000": ("exposure", ["a-0.dng", "a-1.dng", "a-2.dng"]),
        "shots-0001": ("exposure", ["b-0.dng", "b-1.dng", "b-2.dng"]),
        "shots-0002": ("unreadable", ["cut.dng"]),  # settings like a frame of "a", no pixels
        "shots-0003": ("single", ["a-1.dng"]),
        "shots-0004": ("unreadable", ["text.nef"]),
    }


def test_scanning_twice_or_with_more_workers_gives_the_same_groups(
    mixed_folder: Path, groups: tuple[CaptureGroup, ...]
) -> None:
    """Names and members are a function of the folder alone."""
    assert scan_folder(source_of(mixed_folder), num_workers=1) == groups


def test_an_unreadable_file_becomes_a_failed_row_with_its_reason(
    mixed_folder: Path, groups: tuple[CaptureGroup, ...]
) -> None:
    """Failure is data: one row, status failed, the file's name in the reason."""
    result = ingest_unit(DATASET, source_of(mixed_folder), groups[4])

    assert not result.pairs
    (row,) = result.rejections
    assert (row.key, row.status) == ("shots-0004", "failed")
    assert "text.nef" in row.reason


def test_reasons_do_not_tell_where_the_folder_lies(
    mixed_folder: Path, groups: tuple[CaptureGroup, ...]
) -> None:
    """Rows are part of the data set: the same captures give the same bytes in any place."""
    unreadable = [group for group in groups if group.kind == "unreadable"]

    assert unreadable
    assert not [group.reason for group in unreadable if str(mixed_folder) in group.reason]


def test_a_single_file_with_cut_off_pixels_fails_by_name(
    bracket: tuple[Path, ...], tmp_path: Path
) -> None:
    """Its settings are whole, so it is listed; LibRaw's complaint becomes that unit's reason."""
    data = bracket[0].read_bytes()
    (tmp_path / "cut.dng").write_bytes(data[: len(data) // 2])
    capture_source = source_of(tmp_path)
    (group,) = scan_folder(capture_source)

    assert group.kind == "single"
    with pytest.raises(RawError, match=r"cut\.dng: LibRaw cannot read it"):
        ingest_unit(DATASET, capture_source, group)


def test_a_bracket_records_what_was_measured(bracket_result: UnitResult) -> None:
    """The value is the measured one, with its error, within 0.003 stop of the simulated truth."""
    pairs = [p for p in bracket_result.pairs if "single" not in p.key]
    truth = {"a-0.dng": 2.0, "a-1.dng": 0.0, "a-2.dng": -2.0}

    assert len(pairs) >= 4
    for pair in pairs:
        (edit,) = pair.edits
        files = [pair.origin[role]["file"] for role in ("source", "target")]
        assert edit.value == edit.measured
        assert edit.value == pytest.approx(truth[files[1]] - truth[files[0]], abs=0.003)
        assert edit.measured_se is not None
        assert 0.0 < edit.measured_se < 0.002


def test_nominal_snapped_and_measured_stand_side_by_side(bracket_result: UnitResult) -> None:
    """The origin keeps all three, so that nobody has to trust one of them."""
    darkest = next(
        pair.origin["target"]["stops"]
        for pair in bracket_result.pairs
        if pair.origin.get("target", {}).get("file") == "a-2.dng"
    )

    assert darkest["nominal"] == pytest.approx(-2.059, abs=0.001)
    assert darkest["snapped"] == pytest.approx(-2.0)
    assert darkest["measured"] == pytest.approx(-2.0, abs=0.003)
    assert not darkest["is_flagged"]


def test_the_pictures_of_a_bracket_show_their_scale(bracket_result: UnitResult) -> None:
    """Read back from the PNGs alone, over pixels clear of clipping and black: within 0.02 stop."""
    shown = 0
    for pair in bracket_result.pairs:
        if pair.edits[0].attribute == "exposure":
            source, target = (
                decode_display(decode_png(png))[..., 1].astype(np.float64)
                for png in (pair.source_png, pair.target_png)
            )
            clear = (np.minimum(source, target) > 0.02) & (np.maximum(source, target) < 0.9)
            if clear.mean() > 0.05:
                stops = float(np.median(np.log2(target[clear] / source[clear])))
                assert stops == pytest.approx(pair.edits[0].value, abs=0.02)
                shown += 1
    assert shown >= 6


def test_single_and_computed_pairs_have_both_attributes(
    mixed_folder: Path, groups: tuple[CaptureGroup, ...]
) -> None:
    """Any one RAW file is a source of exact exposure and white-balance pairs."""
    result = ingest_unit(DATASET, source_of(mixed_folder), groups[3])

    attributes = {pair.edits[0].attribute for pair in result.pairs}
    assert attributes == {"exposure", "white_balance"}
    assert all(pair.key.startswith("shots-0003-single-") for pair in result.pairs)
    assert len({pair.key for pair in result.pairs}) == len(result.pairs)
    assert result.pairs[0].origin["capture"]["file"] == "sub/a-1.dng"


def test_all_pairs_of_a_group_share_a_split(bracket_result: UnitResult) -> None:
    """Measured and computed pairs show the same scene."""
    assert len({pair.split for pair in bracket_result.pairs}) == 1


def test_ingesting_twice_gives_equal_pairs(
    mixed_folder: Path, groups: tuple[CaptureGroup, ...], bracket_result: UnitResult
) -> None:
    """A unit is a pure function of manifest and files."""
    assert ingest_unit(DATASET, source_of(mixed_folder), groups[0]) == bracket_result


def test_a_frame_whose_gain_changed_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """Auto ISO: a file's settings say -2 stops, its light says 0. The rest goes on."""
    paths = photograph(tmp_path, "a")
    num_pixel_bytes = 96 * 128 * 2  # the mosaic stands at the end of the file
    settings = paths[2].read_bytes()[:-num_pixel_bytes]
    paths[2].write_bytes(settings + paths[1].read_bytes()[-num_pixel_bytes:])
    capture_source = source_of(tmp_path)
    (group,) = scan_folder(capture_source)

    result = ingest_unit(DATASET, capture_source, group)

    (reason,) = [row.reason for row in result.rejections if row.key == "shots-0000-frame-02"]
    assert "auto ISO" in reason
    assert len([pair for pair in result.pairs if "single" not in pair.key]) == 2


def test_a_repeated_exposure_is_used_once(tmp_path: Path) -> None:
    """Duplicates are welcome in a folder, but a pair of equal pictures teaches nothing."""
    photograph(tmp_path, "a", exposure_times_s=(1 / 15, 1 / 60, 1 / 60))
    capture_source = source_of(tmp_path)
    (group,) = scan_folder(capture_source)

    result = ingest_unit(DATASET, capture_source, group)

    assert [r.key for r in result.rejections if "repeats" in r.reason] == ["shots-0000-frame-02"]
    assert len([pair for pair in result.pairs if "single" not in pair.key]) == 2


def test_captures_of_one_burst_share_a_split_even_as_singles(tmp_path: Path) -> None:
    """Two shots of one scene must not lie on both sides of the split."""
    photograph(tmp_path, "a", exposure_times_s=(1 / 60, 1 / 60))

    groups = scan_folder(source_of(tmp_path))

    assert [group.kind for group in groups] == ["single", "single"]
    assert len({group.split_scene for group in groups}) == 1


def test_a_missing_folder_is_named_with_a_remedy(tmp_path: Path) -> None:
    """The message says what to give instead."""
    with pytest.raises(CatError, match="does not exist; give the folder"):
        scan_folder(source_of(tmp_path / "gone"))


def test_a_folder_without_raw_files_is_named_with_a_remedy(tmp_path: Path) -> None:
    """JPEG files alone are not enough, and the message says so."""
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8")

    with pytest.raises(CatError, match="holds no RAW file"):
        scan_folder(source_of(tmp_path))


def test_listing_units_needs_no_raw_library() -> None:
    """The module imports without rawpy and exifread: help and dry runs need no extra."""
    code = "import sys, dslr.units; sys.exit('rawpy' in sys.modules or 'exifread' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.raw
def test_a_folder_of_real_files_loses_nothing_good(raw_folder: Path) -> None:
    """Every file of the shared folder is a unit; six have pixels, six say why not."""
    capture_source = source_of(raw_folder, num_pairs=1).model_copy(update={"max_side_px": 256})
    groups = scan_folder(capture_source)

    good = {g.paths[0].name for g in groups if g.paths[0].parent == raw_folder}
    for group in groups:
        name = group.paths[0].name
        if name in good:
            assert ingest_unit(DATASET, capture_source, group).pairs
        else:
            with pytest.raises(RawError, match=name):
                ingest_unit(DATASET, capture_source, group)

    assert len(groups) == 12
    assert len(good) == 6
