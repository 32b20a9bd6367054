import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cat_dataset.compose.basis_pairs import compose_basis, compose_sweep
from cat_dataset.imaging.colour_difference import ciede2000, lab_of_srgb
from cat_dataset.imaging.display import decode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Pair, UnitResult
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.sample_json import dump_record, load_record
from cat_dataset.store.schema import EDIT_FIELDS, Field
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import read_index, staged_table
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.linear_light import full_basis, make_sweep
from tests.cat_dataset.scored_data import smooth_basis

# the first five pairs, in order of keys, have neither absolute values nor a ratio
LATE_VALUES = {
    "exposure": PairPlan(num_pairs=6),
    "light_power": PairPlan(num_pairs=1),
    "white_balance": PairPlan(num_pairs=2),
}


def some_pairs(dataset_job: DatasetJob) -> tuple[Pair, ...]:
    """Return pairs of a light basis and of a sweep."""
    basis = compose_basis(smooth_basis("a-basis"), LATE_VALUES, dataset_job).pairs
    sweep = compose_sweep(make_sweep("b-sweep"), PairPlan(num_pairs=3), dataset_job).pairs
    assert len(basis) == 9
    assert len(sweep) == 3
    return (*basis, *sweep)


@pytest.fixture
def folder(tmp_path: Path, dataset_job: DatasetJob) -> Path:
    """A data set of two producers, whose first samples lack what later ones have."""
    pairs = some_pairs(dataset_job)
    shards = []
    for number, producer in enumerate(("render", "dslr")):
        own = pairs[:9] if producer == "render" else pairs[9:]
        origin = {"manifest_sha256": "0" * 64, "seed": 3}
        table = staged_table(UnitResult(own), producer=producer, unit_id="u", origin=origin)
        shards.append(shard_path(tmp_path, number))
        write_shard(shards[-1], [table])
    write_index(tmp_path, shards)
    return tmp_path


def types_of(value: Any) -> Any:
    """Return the JSON types of a value, of a list those of each item once."""
    if isinstance(value, dict):
        return {name: types_of(part) for name, part in value.items()}
    if isinstance(value, list):
        assert value, "an empty list has no type"
        kinds = [types_of(part) for part in value]
        assert all(kind == kinds[0] for kind in kinds)
        return [kinds[0]]
    assert value is not None, "null has no type"
    return type(value).__name__


def test_every_pair_has_the_same_fields_of_the_same_types(dataset_job: DatasetJob) -> None:
    """Of light bases and sweeps, measured or not, so that readers may ask any sample."""
    pairs = some_pairs(dataset_job)
    bare = replace(pairs[0].edits[0], measured=None, measured_se=None)
    pairs = (*pairs, replace(pairs[0], edits=(bare,), origin={}))

    kinds = [types_of(json.loads(dump_record(pair.to_json()))) for pair in pairs]

    assert all(kind == kinds[0] for kind in kinds)
    assert kinds[0]["source_frame"] == "int"
    assert kinds[0]["edits"][0]["light_ratio"] == ["float"]
    assert kinds[0]["origin"]["details"] == "str"


def test_every_linear_sample_has_the_same_fields_of_the_same_types() -> None:
    """A basis and a sweep differ inside one text alone."""
    samples = [encode_linear(light) for light in (full_basis(), make_sweep())]

    first, second = (types_of(json.loads(dump_record(sample.record))) for sample in samples)

    assert first == second


@pytest.mark.parametrize("number", range(12))
def test_a_record_is_read_back_as_it_was_written(number: int, dataset_job: DatasetJob) -> None:
    """What was absent is None again, and zero stays zero."""
    record = some_pairs(dataset_job)[number].to_json()

    found = load_record(dump_record(record))

    assert found.pop("schema") == 3
    assert "cat-dataset" in found["origin"].pop("versions")
    record["origin"].pop("versions", None)
    assert found == record


def test_values_that_are_truly_zero_are_not_absent(dataset_job: DatasetJob) -> None:
    """A measured change of 0 with a standard error of 0, and a rotation that starts at 0."""
    pair = some_pairs(dataset_job)[-1]
    edit = replace(pair.edits[0], source_value=0.0, target_value=0.0, measured=0.0, measured_se=0.0)
    record = replace(pair, edits=(edit,)).to_json()

    assert load_record(dump_record(record))["edits"] == [edit.to_json()]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_value": None}, "one absolute value without the other"),
        ({"measured_se": None}, "without its standard error"),
    ],
)
def test_half_of_what_belongs_together_is_refused(
    changes: dict[str, None], message: str, dataset_job: DatasetJob
) -> None:
    """JSON could not say it, and nothing makes it."""
    record = some_pairs(dataset_job)[-1].to_json()
    record["edits"][0] |= {"source_value": 1.0, "absolute_unit": "K", "target_value": 2.0}
    record["edits"][0] |= {"measured": 1.0, "measured_se": 0.1} | changes

    with pytest.raises(ValueError, match=message):
        dump_record(record)


def test_a_field_that_the_contract_does_not_have_is_refused(dataset_job: DatasetJob) -> None:
    """A new field goes into the schema first, or into the details of the origin."""
    record = some_pairs(dataset_job)[0].to_json()

    with pytest.raises(ValueError, match="the contract has"):
        dump_record({**record, "mood": "calm"})
    with pytest.raises(ValueError, match="'instruction' is never absent"):
        dump_record({**record, "instruction": None})


@pytest.mark.parametrize("data", [b'{"schema": 4}', b"{}", b"[]", b"7"])
def test_another_schema_is_named(data: bytes) -> None:
    """And those that can be read."""
    with pytest.raises(ValueError, match="schemas 2 and 3 can be read"):
        load_record(data)


@pytest.mark.parametrize("field", EDIT_FIELDS, ids=lambda field: field.name)
def test_a_record_without_a_field_is_refused_on_reading(
    field: Field, dataset_job: DatasetJob
) -> None:
    """A damaged record says which field is missing."""
    record = json.loads(dump_record(some_pairs(dataset_job)[0].to_json()))
    del record["edits"][0][field.name]

    with pytest.raises(ValueError, match=field.name):
        load_record(json.dumps(record).encode())


def test_table_and_json_say_the_same(folder: Path) -> None:
    """Frames, visible difference, edits and origin, the origin's details apart."""
    dataset = PairDataset([folder])
    rows = {row["key"]: row for row in read_index(folder).to_pylist()}

    assert verify_dataset(folder, SilentProgress()).faults == ()
    for pair in dataset.rows:
        record, row = dataset.read(pair).record, rows[pair.key]
        for name in ("source_frame", "target_frame", "view", "edits", "visible_delta_e_mean"):
            assert record[name] == row[name]
        for name in ("manifest_sha256", "unit_id", "seed", "producer", "device"):
            assert record["origin"].get(name) == row["origin"][name]
        assert pair.source_frame == row["source_frame"]
    assert {row["origin"]["seed"] for row in rows.values()} == {3, 8}  # of the sweep, its own
    assert {row["source_frame"] for row in rows.values()} > {None, 0}
    assert any(edit.light_ratio for row in dataset.rows for edit in row.edits)


def test_the_visible_difference_is_that_of_the_stored_pictures(dataset_job: DatasetJob) -> None:
    """CIEDE2000 over all pixels of a small picture, over the mask where an object is edited."""
    for pair in some_pairs(dataset_job):
        source, target = (decode_png(png) for png in (pair.source_png, pair.target_png))
        difference = ciede2000(lab_of_srgb(source), lab_of_srgb(target))
        if pair.source_frame is not None and pair.target_frame is not None:
            frames = make_sweep("b-sweep").frames
            pictured = [frames[n].annotation for n in (pair.source_frame, pair.target_frame)]
            difference = difference[np.logical_or(*(a.mask_HW for a in pictured if a is not None))]
        assert pair.visible_delta_e_mean == pytest.approx(difference.mean(), abs=1e-4)
        assert pair.visible_delta_e_p95 == pytest.approx(np.percentile(difference, 95), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("streaming", [False, True])
def test_stock_datasets_reads_samples_whose_first_five_lack_values(
    folder: Path, streaming: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hugging Face `datasets` takes its types from the first five samples of the first shard."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets  # reads the variable once

    shards = sorted(str(path) for path in (folder / "shards").glob("*.tar"))

    loaded = datasets.load_dataset(
        "webdataset",
        data_files=shards,
        split="train",
        streaming=streaming,
        cache_dir=str(folder / "cache"),
    )
    found = {sample["__key__"]: sample for sample in loaded}

    dataset = PairDataset([folder])
    assert set(found) == {row.key for row in dataset.rows}
    for row in dataset.rows:
        sample, edit = found[row.key], row.edits[0]
        assert sample["json"]["edits"][0]["value"] == edit.value
        assert sample["json"]["edits"][0]["source_value"] == (edit.source_value or 0.0)
        assert sample["json"]["edits"][0]["light_ratio"] == list(edit.light_ratio or (0, 0, 0))
        assert (np.asarray(sample["source.png"]) == dataset.read(row).source_HW3).all()
