import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import CatError, JobError, RawError
from cat_dataset.jobs.datasets import CaptureSource
from dslr.grouping.captures_file import CAPTURES_FILE, StatedGroup, read_captures_files
from dslr.units import CaptureGroup, find_raw_files, ingest_unit, scan_folder
from tests.dslr.conftest import photograph, scene_light
from tests.dslr.series_bench import (
    DATASET,
    captures_of,
    ingest_series,
    photograph_pictures,
    reasons_of,
    series_pairs,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files that are named like captures, with two subfolders; nothing is in them."""
    for name in (
        "a.dng",
        "b.dng",
        "c.dng",
        "d.DNG",
        "test-1.dng",
        "in/a.dng",
        "in/b.dng",
        "z/e.nef",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def said(folder: Path, text: str, where: str = ".") -> None:
    """Write a captures.toml."""
    (folder / where / CAPTURES_FILE).write_text(text, encoding="utf-8")


def read(folder: Path) -> tuple[tuple[StatedGroup, ...], list[str]]:
    """Return what the captures.toml files say: series, and names of what they leave out."""
    groups, excluded = read_captures_files(folder, find_raw_files(folder))
    return groups, sorted(path.relative_to(folder).as_posix() for path in excluded)


def names_in(folder: Path, group: StatedGroup) -> list[str]:
    """Return the files of a stated series, relative to the folder."""
    return [path.relative_to(folder).as_posix() for path in group.paths]


def test_a_folder_without_a_captures_file_states_nothing(folder: Path) -> None:
    """Files alone then tell what they are."""
    assert read(folder) == ((), [])


def test_files_and_values_keep_the_order_in_which_they_are_written(folder: Path) -> None:
    """The first value belongs to the first file, whatever the files are called."""
    said(
        folder,
        '[[series]]\nname = "desk"\nkind = "lamp"\nfiles = ["c.dng", "a.dng", "b.dng"]\n'
        "values = [60.0, 0.0, 30.0]\n",
    )

    ((group,), excluded) = read(folder)

    assert (group.series.kind, group.series.name) == ("lamp", "desk")
    assert names_in(folder, group) == ["c.dng", "a.dng", "b.dng"]
    assert group.values == (60.0, 0.0, 30.0)
    assert not excluded


def test_wildcards_name_files_in_the_order_of_their_names_once(folder: Path) -> None:
    """A file that two patterns name counts once; case does not matter, nor do values."""
    said(folder, '[[series]]\nkind = "exposure"\nfiles = ["[b-d].dng", "B.DNG", "a.*"]\n')

    ((group,), _) = read(folder)

    assert names_in(folder, group) == ["b.dng", "c.dng", "d.DNG", "a.dng"]
    assert group.values == (None,) * 4


def test_a_name_with_brackets_names_that_file(folder: Path) -> None:
    """Exports are called "shot[1].dng"; as they stand they are names, not wildcards."""
    for name in ("shot[1].dng", "shot[2].dng"):
        (folder / name).touch()
    said(folder, '[[series]]\nkind = "exposure"\nfiles = ["shot[1].dng", "shot[2].dng"]\n')

    ((group,), _) = read(folder)

    assert names_in(folder, group) == ["shot[1].dng", "shot[2].dng"]


def test_names_are_relative_to_the_folder_of_the_file(folder: Path) -> None:
    """A captures.toml in a subfolder speaks of that subfolder, one above may name it too."""
    said(folder, '[[series]]\nkind = "iso"\nfiles = ["a.dng", "b.dng"]\n', "in")
    said(folder, '[[series]]\nkind = "exposure"\nfiles = ["a.dng", "z/*"]\n')

    groups, _ = read(folder)

    assert {group.series.kind: names_in(folder, group) for group in groups} == {
        "exposure": ["a.dng", "z/e.nef"],
        "iso": ["in/a.dng", "in/b.dng"],
    }


def test_excluded_files_are_left_out_before_series_are_named(folder: Path) -> None:
    """A wildcard of a series does not bring back what is excluded."""
    said(folder, 'exclude = ["test-*"]\n[[series]]\nkind = "exposure"\nfiles = ["?*.dng"]\n')

    ((group,), excluded) = read(folder)

    assert excluded == ["test-1.dng"]
    assert "test-1.dng" not in names_in(folder, group)


@pytest.mark.parametrize("subfolder", ["b-side", "z"])
def test_what_a_subfolder_excludes_is_excluded_whatever_its_name(
    folder: Path, subfolder: str
) -> None:
    """Folders are read in some order; all that is excluded is known before series are named."""
    (folder / subfolder).mkdir(exist_ok=True)
    for name in ("p.dng", "q.dng", "r.dng"):
        (folder / subfolder / name).touch()
    said(folder, f'[[series]]\nkind = "exposure"\nfiles = ["{subfolder}/[pqr].dng"]\n')
    said(folder, 'exclude = ["q.dng"]\n', subfolder)

    ((group,), _) = read(folder)

    assert names_in(folder, group) == [f"{subfolder}/p.dng", f"{subfolder}/r.dng"]


def of_two(kind: str, values: str = "", files: str = '"a.dng", "b.dng"') -> str:
    """Return a series of a captures.toml."""
    return f'[[series]]\nkind = "{kind}"\nfiles = [{files}]\n{values}\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (of_two("lamp"), "0 where it is off"),
        (of_two("lamp", "values = [10, 20]"), "0 where it is off"),
        (of_two("aperture", "values = [0.0, 4.0]"), "values are in f-number: none may be 0"),
        (of_two("focus_distance", "values = [-1, 1]"), "values are in m: none may be negative"),
        (of_two("focus_distance", "values = [inf, 1]"), "finite"),
        (
            of_two("iso", "values = [100, 200]", '"a.dng", "b.dng", "c.dng"'),
            r"2 values for 3 files \(a\.dng, b\.dng, c\.dng\); give one for each",
        ),
        (of_two("exposure", files='"a.dng"'), "names 1 file .*at least two"),
        (of_two("exposure", files=""), "files"),
        (of_two("exposure", files='"a.dng", "gone.dng"'), "'gone.dng' names no"),
        ('exclude = ["a.jpg"]\n', "'a.jpg' names no RAW file"),
        ('exclude = ["a.dng"]\n' + of_two("iso"), "excluded"),
        (of_two("zoom"), "kind"),
        (of_two("iso").replace("series", "serie"), "serie"),
        (of_two("iso", 'file = "a.dng"'), "file"),
        ("exclude = [", r"is no TOML .*see docs/capture-guide\.md"),
    ],
    ids=range(15),
)
def test_a_broken_rule_is_named_with_the_file_that_breaks_it(
    folder: Path, text: str, why: str
) -> None:
    """Nothing is guessed, nothing left out in silence: the command stops and says what to mend."""
    said(folder, text)

    with pytest.raises(CatError, match=why) as caught:
        read(folder)

    assert isinstance(caught.value, JobError | RawError)
    assert CAPTURES_FILE in str(caught.value)


def test_a_file_that_is_no_utf_8_is_named(folder: Path) -> None:
    """An editor's old encoding is told apart from a wrong rule."""
    (folder / CAPTURES_FILE).write_bytes('exclude = ["Küche.dng"]'.encode("latin-1"))

    with pytest.raises(RawError, match="is no TOML"):
        read(folder)


@pytest.mark.parametrize("second_folder", [".", "in"])
def test_a_capture_stands_in_one_series_only(folder: Path, second_folder: str) -> None:
    """Within one file or across two, naming a capture twice is an error that names it."""
    twice = '[[series]]\nkind = "exposure"\nfiles = ["in/a.dng", "in/b.dng"]\n'
    again = '[[series]]\nkind = "iso"\nfiles = ["a.dng", "b.dng"]\n'
    if second_folder == ".":
        said(folder, twice + again.replace('"a.dng"', '"in/a.dng"'))
    else:
        said(folder, twice)
        said(folder, again, second_folder)

    with pytest.raises(RawError, match=r"in/a\.dng: stands in two series of captures\.toml"):
        read(folder)


def scanned(folder: Path) -> tuple[CaptureSource, tuple[CaptureGroup, ...]]:
    """Return the groups of a folder of captures."""
    capture_source = CaptureSource.model_validate(
        {"name": "shots", "folder": folder, "attributes": {"exposure": {"num_pairs": 6}}}
    )
    return capture_source, scan_folder(capture_source, num_workers=1)


def filtered(folder: Path, stops: Sequence[float]) -> tuple[Path, ...]:
    """Photograph a scene at one setting, through a grey filter for each number of stops."""
    scene = scene_light("square")
    pictures = [scene * np.float32(2.0**s) for s in stops]
    return photograph_pictures(folder, pictures, exposure_times_s=(1 / 60,) * len(stops))


def test_stated_stops_of_grey_filters_make_a_bracket_of_equal_settings(tmp_path: Path) -> None:
    """The settings are equal; what is stated names the frames, what is measured is the scale."""
    filtered(tmp_path, (0.0, -1.9, -4.1))
    said(
        tmp_path,
        '[[series]]\nkind = "exposure"\nfiles = ["set-0.dng", "set-1.dng", "set-2.dng"]\n'
        "values = [0.0, -2.0, -4.0]\n",
    )

    capture_source, (group,) = scanned(tmp_path)
    pairs = series_pairs(ingest_unit(DATASET, capture_source, group))

    assert (group.kind, group.reason) == ("exposure", "3 frames, captures.toml")
    true = {"set-0.dng": 0.0, "set-1.dng": -1.9, "set-2.dng": -4.1}
    assert len(pairs) >= 4
    for pair in pairs:
        source, target = (pair.origin[which] for which in ("source", "target"))
        step = true[target["file"]] - true[source["file"]]
        assert pair.edits[0].value == pytest.approx(step, abs=0.005)
        nominal = target["stops"]["nominal"] - source["stops"]["nominal"]
        assert nominal == target["stated_value"] - source["stated_value"]


def test_a_filter_that_is_stated_wrongly_is_refused(tmp_path: Path) -> None:
    """Three stops are stated of a filter of two: as with settings, 0.3 stop is the limit."""
    result = ingest_series(captures_of(filtered(tmp_path, (0.0, -2.0)), [0.0, -3.0]), "exposure")

    assert not series_pairs(result)
    assert "measured -2.0" in reasons_of(result)
    assert "its settings say -3.000" in reasons_of(result)


def test_excluded_captures_are_no_group_and_do_not_stand_in_a_series(tmp_path: Path) -> None:
    """A test shot in a bracket is left out by name; no row speaks of it."""
    photograph(tmp_path, exposure_times_s=(1 / 60, 1 / 15, 1 / 60, 1 / 250))
    said(tmp_path, 'exclude = ["set-0.dng"]\n')

    _, (group,) = scanned(tmp_path)

    assert group.kind == "exposure"
    assert [path.name for path in group.paths] == ["set-1.dng", "set-2.dng", "set-3.dng"]


def test_captures_of_one_burst_share_a_split_when_some_are_named(tmp_path: Path) -> None:
    """Two stated pairs and a rest, all of one scene: never on both sides of a split."""
    photograph(tmp_path, exposure_times_s=(1 / 60, 1 / 15, 1 / 60, 1 / 15, 1 / 60, 1 / 15))
    said(
        tmp_path,
        '[[series]]\nkind = "exposure"\nfiles = ["set-0.dng", "set-1.dng"]\n'
        '[[series]]\nkind = "exposure"\nfiles = ["set-2.dng", "set-3.dng"]\n',
    )

    _, groups = scanned(tmp_path)

    assert [len(group.paths) for group in groups] == [2, 2, 2]
    assert len({group.split_scene for group in groups}) == 1


def test_a_stated_series_goes_on_without_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The damaged file is a failed row; with one file left there is no series, and it says why."""
    paths = photograph(tmp_path, exposure_times_s=(1 / 60, 1 / 15))
    paths[1].write_bytes(b"no picture")
    said(tmp_path, '[[series]]\nname = "two"\nkind = "exposure"\nfiles = ["set-*.dng"]\n')

    _, groups = scanned(tmp_path)

    assert [(g.kind, g.paths[0].name) for g in groups] == [
        ("single", "set-0.dng"),
        ("unreadable", "set-1.dng"),
    ]
    assert groups[0].reason == "captures.toml as 'two'; its other files are unreadable"


def test_stated_values_reach_the_pairs_of_a_nested_folder(tmp_path: Path) -> None:
    """Two folders of equal file names, one of them stated: the statement concerns that one."""
    photograph(tmp_path / "one", exposure_times_s=(1 / 60, 1 / 15))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    said(tmp_path, '[[series]]\nkind = "exposure"\nfiles = ["*.dng"]\nvalues = [0, 2]\n', "two")

    groups = scanned(tmp_path)[1]
    stated = {g.captures[0].name: [c.stated for c in g.captures] for g in groups}
    assert stated == {"one/set-0.dng": [None, None], "two/set-0.dng": [0.0, 2.0]}
