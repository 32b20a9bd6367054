import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cat_dataset.errors import JobError, ShardError
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.tables import read_index
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.linear_light import SCENES, assert_same, light_of, make_linear_dataset


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of linear samples; not to be changed."""
    folder = tmp_path_factory.mktemp("shards")
    make_linear_dataset(folder)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of pairs with their light beside them; not to be changed."""
    folder = tmp_path_factory.mktemp("kept")
    make_linear_dataset(folder, keep_linear=True)
    return folder


def test_kept_files_hold_a_shards_very_bytes(shards: Path, kept: Path) -> None:
    """`linear/` and shards of linear samples are two places for the same light."""
    in_shards, in_files = LinearDataset([shards]), LinearDataset([kept])

    assert len(in_files) == 2 * len(SCENES) - 1
    assert [replace(r, place=Path(), spans=None) for r in in_shards.rows] == [
        replace(r, place=Path(), spans=None) for r in in_files.rows
    ]
    names = {path.name for path in (kept / "linear").iterdir()}
    assert {"scene-a.basis.exr", "scene-a.json", "scene-a-object_rotation.sweep.exr"} <= names
    assert set(read_index(kept)["kind"].to_pylist()) == {"pair"}
    for row, other in zip(in_shards.rows, in_files.rows, strict=True):
        first, second = in_shards.read(row), in_files.read(other)
        assert {**first.origin, "manifest_sha256": ""} == {**second.origin, "manifest_sha256": ""}
        assert_same(replace(first, origin={}), replace(second, origin={}))


def test_stored_light_is_read_by_split_and_attribute(shards: Path) -> None:
    """Sweeps by what they change, bases by what they can give; rows are sorted by key."""

    def keys(**chosen: Any) -> list[str]:
        return [row.key for row in LinearDataset([shards], **chosen).rows]

    sweeps = [f"{scene}-object_rotation" for scene in SCENES[:-1]]
    assert keys() == sorted([*SCENES, *sweeps])
    assert keys(attributes=["object_rotation"]) == sweeps
    assert keys(attributes=["light_power"]) == list(SCENES)
    assert keys(splits=["val"]) == sweeps
    assert keys(splits=["test"]) == []
    dataset = LinearDataset([shards])
    read = replace(dataset.read(dataset.rows[0]), origin={"producer": "render"})
    assert_same(read, light_of(SCENES[0])[0])


def test_a_folder_without_light_says_how_to_make_it(tmp_path: Path) -> None:
    """Empty, or not finished."""
    with pytest.raises(ShardError, match="holds no linear light; make it with"):
        LinearDataset([tmp_path])
    (tmp_path / "linear").mkdir()
    with pytest.raises(ShardError, match=r"holds no index\.parquet; finish the data set"):
        LinearDataset([tmp_path])


def faults_of(folder: Path) -> str:
    """Return all that verification finds."""
    return "\n".join(verify_dataset(folder, SilentProgress()).faults)


def test_sound_light_has_no_faults(shards: Path, kept: Path) -> None:
    """In shards, and kept beside shards of pairs."""
    for folder, num_pairs in ((shards, 0), (kept, len(SCENES))):
        verdict = verify_dataset(folder, SilentProgress())
        assert (verdict.num_pairs, verdict.num_linear, verdict.faults) == (num_pairs, 5, ())


def flip_bit(path: Path, place: int) -> None:
    """Damage one byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_damage_to_light_in_shards_is_found_and_named(shards: Path, tmp_path: Path) -> None:
    """One flipped bit."""
    folder = shutil.copytree(shards, tmp_path / "copy")
    row = LinearDataset([folder]).rows[0]
    assert row.spans is not None
    offset, size = row.spans["basis.exr"]
    flip_bit(row.place, offset + size // 2)

    faults = faults_of(folder)

    assert f"sample {row.key}: basis.exr has another sha256" in faults
    assert f"sample {row.key}: cannot be decoded" in faults


def test_damage_to_kept_light_is_found_and_named(kept: Path, tmp_path: Path) -> None:
    """A flipped bit, a lost picture, a lost scene."""
    folder = shutil.copytree(kept, tmp_path / "copy")
    light = folder / "linear" / "scene-b.basis.exr"

    flip_bit(light, 5000)
    assert "sample scene-b in" in faults_of(folder)
    light.unlink()
    assert "No such file" in faults_of(folder)
    (folder / "linear" / "scene-c.json").unlink()
    assert "scene scene-c: has pairs, but its linear light is gone" in faults_of(folder)


def test_keeping_light_is_decided_when_a_folder_is_begun(
    shards: Path, kept: Path, tmp_path: Path
) -> None:
    """Otherwise only some of the scenes would have their light beside them."""
    with_light = shutil.copytree(kept, tmp_path / "kept")
    without = shutil.copytree(shards, tmp_path / "shards")

    assert make_linear_dataset(with_light, keep_linear=True).num_units_run == 0
    shutil.rmtree(with_light / "linear")
    with pytest.raises(JobError, match="begun without --keep-linear"):
        make_linear_dataset(with_light, keep_linear=True)
    (without / "linear").mkdir()
    with pytest.raises(JobError, match="begun with --keep-linear; give it again, or delete"):
        make_linear_dataset(without)
