import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import ShardError
from cat_dataset.imaging.display import decode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Rejection, UnitResult
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.shards import is_shard_done, shard_path, table_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from tests.cat_dataset.conftest import make_light_basis

PLANS = {"exposure": PairPlan(num_pairs=2), "white_balance": PairPlan(num_pairs=1)}
BROKEN = Rejection("scene-b-broken", "scene-b", "failed", "no camera in the scene")


def staged(scene: str, job: DatasetJob, rejections: tuple[Rejection, ...] = ()) -> pa.Table:
    """Return the staged table of one scene."""
    composed = compose_basis(make_light_basis(scene), PLANS, job)
    result = UnitResult(composed.pairs, rejections=composed.rejections + rejections)
    return staged_table(result, producer="render", unit_id=scene, origin={"manifest_sha256": "0"})


@pytest.fixture
def dataset_folder(tmp_path: Path, dataset_job: DatasetJob) -> Path:
    """Return a folder with one shard of two scenes and one failed row."""
    tables = [staged("scene-a", dataset_job), staged("scene-b", dataset_job, (BROKEN,))]
    write_shard(shard_path(tmp_path, 0), tables)
    write_index(tmp_path, [shard_path(tmp_path, 0)])
    return tmp_path


def test_writing_twice_gives_the_same_bytes(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """Tar and table are functions of the pairs alone."""
    digests = []
    for name in ("one", "two"):
        path = shard_path(tmp_path / name, 0)
        write_shard(path, [staged("scene-a", dataset_job)])
        digests.append([hashlib.sha256(p.read_bytes()).hexdigest() for p in path.parent.iterdir()])
    assert digests[0] == digests[1]


def test_pairs_are_read_back_as_they_were_written(
    dataset_folder: Path, dataset_job: DatasetJob
) -> None:
    """Random access through the index gives the pictures and the record of each pair."""
    pairs = {
        pair.key: pair
        for scene in ("scene-a", "scene-b")
        for pair in compose_basis(make_light_basis(scene), PLANS, dataset_job).pairs
    }
    dataset = PairDataset([dataset_folder])

    assert [row.key for row in dataset.rows] == sorted(pairs)
    for row in dataset.rows:
        sample = dataset.read(row)
        assert (sample.source_HW3 == decode_png(pairs[row.key].source_png)).all()
        assert (sample.target_HW3 == decode_png(pairs[row.key].target_png)).all()
        assert row.edits == pairs[row.key].edits
        assert sample.record["edits"] == [edit.to_json() for edit in row.edits]


def test_stock_webdataset_reads_the_same_samples(dataset_folder: Path) -> None:
    """Other people's readers see KEY.source.png, KEY.target.png, KEY.json and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, which webdataset imports
        import webdataset

        url = str(shard_path(dataset_folder, 0))
        samples = list(webdataset.WebDataset(url, shardshuffle=False).decode("rgb8"))

    rows = PairDataset([dataset_folder]).rows
    assert sorted(sample["__key__"] for sample in samples) == [row.key for row in rows]
    for sample in samples:
        assert {name for name in sample if not name.startswith("__")} == {
            "source.png",
            "target.png",
            "json",
        }
        assert sample["source.png"].shape == sample["target.png"].shape == (48, 48, 3)
        assert sample["json"]["key"] == sample["__key__"]


def test_the_record_has_the_fields_of_the_contract(dataset_folder: Path) -> None:
    """The sample JSON is relied on by other people's readers."""
    dataset = PairDataset([dataset_folder])
    record = dataset.read(dataset.rows[0]).record

    assert set(record) == {
        "key",
        "schema",
        "split",
        "scene",
        "view",
        "source_frame",
        "target_frame",
        "instruction",
        "edits",
        "visible_delta_e_mean",
        "visible_delta_e_p95",
        "develop",
        "origin",
    }
    assert record["schema"] == 3
    assert set(record["edits"][0]) == {
        "attribute",
        "subject",
        "unit",
        "value",
        "source_value",
        "target_value",
        "absolute_unit",
        "light_ratio",
        "measured",
        "measured_se",
    }
    assert set(record["develop"]) == {
        "exposure_anchor",
        "tone_curve",
        "colour_space",
        "source_clip_fraction",
        "target_clip_fraction",
    }
    assert {"producer", "manifest_sha256", "unit_id", "seed"} <= set(record["origin"])
    json.dumps(record, allow_nan=False)


def test_failed_rows_stand_in_the_index_with_their_reason(dataset_folder: Path) -> None:
    """Failure is data: a row with status and reason, and no bytes in the tar."""
    rows = pq.read_table(dataset_folder / "index.parquet").to_pylist()

    failed = [row for row in rows if row["status"] == "failed"]
    assert [(row["key"], row["reason"]) for row in failed] == [(BROKEN.key, BROKEN.reason)]
    assert failed[0]["members"] == []


@pytest.mark.parametrize("key", ["scene_f5.6", "Scene", "a b", "", "x" * 83])
def test_keys_that_readers_would_cut_are_refused(
    key: str, tmp_path: Path, dataset_job: DatasetJob
) -> None:
    """WebDataset splits at the first dot: two samples would silently become one."""
    table = staged("scene-a", dataset_job).slice(0, 1)
    table = table.set_column(0, "key", pa.array([key]))

    with pytest.raises(ShardError, match="must match"):
        write_shard(shard_path(tmp_path, 0), [table])
    assert not list(tmp_path.rglob("*.tar*"))


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """Distant duplicates pass silently through readers, so the writer must not."""
    table = staged("scene-a", dataset_job)

    with pytest.raises(ShardError, match="occurs twice"):
        write_shard(shard_path(tmp_path, 0), [table, table])


def test_a_shard_is_done_only_with_its_table_and_hash(dataset_folder: Path) -> None:
    """A cut-off tar or a missing table means: make it again."""
    path = shard_path(dataset_folder, 0)
    assert is_shard_done(path)

    whole = path.read_bytes()
    path.write_bytes(whole[:-1024])
    assert not is_shard_done(path)

    path.write_bytes(whole)
    table_path(path).unlink()
    assert not is_shard_done(path)


def test_reading_a_cut_off_tar_names_shard_and_remedy(dataset_folder: Path) -> None:
    """No sample is silently dropped or half read."""
    path = shard_path(dataset_folder, 0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    dataset = PairDataset([dataset_folder])

    last = max(dataset.rows, key=lambda row: max(row.spans.values()))
    with pytest.raises(ShardError, match=r"000000\.tar: ends inside sample .* run the job again"):
        dataset.read(last)


def test_a_folder_without_an_index_says_so(tmp_path: Path) -> None:
    """Training on an unfinished data set is refused."""
    with pytest.raises(ShardError, match=r"holds no index\.parquet"):
        PairDataset([tmp_path])


def test_rows_are_chosen_by_split_and_attribute(dataset_folder: Path) -> None:
    """A reader gets what it asked for."""
    chosen = PairDataset([dataset_folder], attributes=["exposure"])

    assert {row.edits[0].attribute for row in chosen.rows} == {"exposure"}
    assert not PairDataset([dataset_folder], splits=["test"]).rows


def test_offsets_point_at_the_members(dataset_folder: Path) -> None:
    """Plain seek and read give bytes whose sha256 the table names."""
    data = shard_path(dataset_folder, 0).read_bytes()
    for row in pq.read_table(dataset_folder / "index.parquet").to_pylist():
        if row["status"] == "ok":
            names = [member["name"] for member in row["members"]]
            assert names == ["json", "source.png", "target.png"]
            for member in row["members"]:
                part = data[member["offset"] : member["offset"] + member["size"]]
                assert hashlib.sha256(part).hexdigest() == member["sha256"]
    assert np.frombuffer(data[-1024:], np.uint8).sum() == 0  # the end-of-archive blocks
