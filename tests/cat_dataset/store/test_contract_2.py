"""Data sets as the version before wrote them, built by hand: they must open like new ones."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cat_dataset.errors import ShardError
from cat_dataset.imaging.display import encode_png
from cat_dataset.records import LightBasis
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.truth import FrameTruth
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.schema import INDEX_SCHEMA
from cat_dataset.store.shards import is_shard_done, shard_path, write_index
from cat_dataset.store.tables import read_index
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.conftest import make_light_basis

EDIT = {
    "attribute": "light_power", "subject": None, "unit": "stops", "value": 0.64,
    "source_value": None, "target_value": None, "absolute_unit": None,
    "measured": 0.64, "measured_stderr": 0.001,
}  # fmt: skip
FOCUS = {
    "attribute": "focus_distance", "subject": None, "unit": "dioptres", "value": 0.5,
    "source_value": 2.0, "target_value": 1.0, "absolute_unit": "m",
    "measured": None, "measured_stderr": None,
}  # fmt: skip
KINDS = {
    "key": pa.string(), "kind": pa.string(), "status": pa.string(), "reason": pa.string(),
    "split": pa.string(), "scene": pa.string(), "producer": pa.string(), "unit_id": pa.string(),
    "attribute": pa.string(), "value": pa.float64(), "measured": pa.float64(),
    "measured_stderr": pa.float64(),
    "edits": pa.list_(
        pa.struct([(n, pa.string() if n in ("attribute", "subject", "unit", "absolute_unit")
                    else pa.float64()) for n in EDIT])
    ),
    "instruction": pa.string(), "width_px": pa.int32(), "height_px": pa.int32(),
    "exposure_anchor": pa.float64(), "source_clip_fraction": pa.float64(),
    "target_clip_fraction": pa.float64(), "shard": pa.string(),
    "members": pa.list_(pa.struct([("name", pa.string()), ("offset", pa.int64()),
                                   ("size", pa.int64()), ("sha256", pa.string())])),
}  # fmt: skip


def grey(code: int) -> bytes:
    """Return a small picture."""
    return encode_png(np.full((8, 8, 3), code, np.uint8))


def pair_members(key: str, edit: dict[str, Any], ratio: list[float] | None) -> dict[str, bytes]:
    """Return the members of a pair in contract 2."""
    record = {
        "key": key, "schema": 2, "split": "test", "scene": "old", "instruction": "Do it.",
        "edits": [edit], "light_ratios": [ratio],
        "develop": {"exposure_anchor": 0.6, "tone_curve": "srgb", "colour_space": "srgb",
                    "source_clip_fraction": 0.0, "target_clip_fraction": 0.0},
        "origin": {"producer": "render", "unit_id": "old", "seed": 5, "source_state": None},
    }  # fmt: skip
    code = 100 + 20 * int(key[-1])
    return {"json": json.dumps(record).encode(), "source.png": grey(100), "target.png": grey(code)}


def pair_row(key: str, edit: dict[str, Any]) -> dict[str, Any]:
    """Return a pair's row in a table of contract 2."""
    measured = {name: edit[name] for name in ("value", "measured", "measured_stderr")}
    return {
        "key": key, "kind": "pair", "status": "ok", "split": "test", "scene": "old",
        "producer": "render", "unit_id": "old", "attribute": edit["attribute"], **measured,
        "edits": [edit], "instruction": "Do it.", "width_px": 8, "height_px": 8,
        "exposure_anchor": 0.6, "source_clip_fraction": 0.0, "target_clip_fraction": 0.0,
    }  # fmt: skip


def write_old(folder: Path, rows: list[dict[str, Any]], members: list[dict[str, bytes]]) -> None:
    """Write a data set of one shard, as the version before did."""
    path = shard_path(folder, 0)
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row, data in zip(rows, members, strict=True):
            row |= {"shard": path.name, "members": []}
            for name, content in sorted(data.items()):
                header = tarfile.TarInfo(f"{row['key']}.{name}")
                header.size = len(content)
                offset = tar.offset + 512
                tar.addfile(header, io.BytesIO(content))
                digest = hashlib.sha256(content).hexdigest()
                place = {"name": name, "offset": offset, "size": len(content), "sha256": digest}
                row["members"].append(place)
    data = path.read_bytes()
    end = rows[-1]["members"][-1]
    path.write_bytes(data[: -(-(end["offset"] + end["size"]) // 512) * 512] + bytes(1024))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    metadata = {"cat_schema": "2"}
    schema = pa.schema(list(KINDS.items()), metadata={**metadata, "cat_tar_sha256": digest})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path.with_suffix(".parquet"))
    schema = pa.schema([*KINDS.items(), ("shard_sha256", pa.string())], metadata=metadata)
    rows = [{**row, "shard_sha256": digest} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "index.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of contract 2: a pair of a lamp, two of a sweep of three frames."""
    samples = [
        ("old-focus_distance-00-01", FOCUS, None),
        ("old-focus_distance-01-02", FOCUS, None),
        ("old-light_power-02", EDIT, [0.2, 0.4, 1.2]),
    ]
    rows = [pair_row(key, edit) for key, edit, _ in samples]
    write_old(tmp_path, rows, [pair_members(*sample) for sample in samples])
    return tmp_path


def test_pairs_of_contract_2_are_read_as_records_of_3(folder: Path) -> None:
    """Frames come from the key, the ratio goes into its edit, and names are the new ones."""
    dataset = PairDataset([folder])

    frames = {row.key[4:-6]: (row.source_frame, row.target_frame) for row in dataset.rows}
    assert frames == {"focus_distance": (1, 2), "light_po": (None, None)}
    lamp = dataset.rows[2]
    assert lamp.edits[0].measured_se == 0.001
    record = dataset.read(lamp).record
    assert record["edits"][0]["light_ratio"] == [0.2, 0.4, 1.2]
    assert record["edits"][0]["measured_se"] == 0.001
    assert record["view"] is None
    assert record["origin"]["seed"] == 5
    index = read_index(folder)
    assert index.schema.equals(INDEX_SCHEMA)
    assert set(index["origin"].to_pylist()[0].items()) >= {("producer", "render")}


def test_a_data_set_of_contract_2_verifies(folder: Path) -> None:
    """Its hashes, tables and records agree with each other."""
    assert verify_dataset(folder, SilentProgress()).faults == ()
    assert is_shard_done(shard_path(folder, 0))


def test_what_contract_2_and_3_say_may_stand_in_one_index(folder: Path) -> None:
    """A run that a new version goes on with; the index is then of contract 3."""
    old = read_index(folder)

    write_index(folder, [shard_path(folder, 0)])

    assert pq.read_schema(folder / "index.parquet").equals(INDEX_SCHEMA)
    assert read_index(folder).to_pylist() == old.to_pylist()


def test_the_frames_of_an_old_sweep_are_found_again(folder: Path) -> None:
    """A held-out pair is read with all frames of its sweep, as a new one is."""
    dataset = PairDataset([folder])

    case = CaseReader(dataset).read(dataset.rows[0])

    assert isinstance(case.truth, FrameTruth)
    assert sorted(case.truth.frames) == [0.0, 0.5, 1.0]


def test_linear_light_of_contract_2_is_read(tmp_path: Path) -> None:
    """A light basis in a shard, and the same as a plain file."""
    basis = make_light_basis("old")
    sample = encode_linear(basis)
    own = {name: sample.record[name] for name in ("key", "kind", "split", "scene")}
    sizes = {name: sample.record[name] for name in ("width_px", "height_px")}
    stored = {
        n: sample.record[n] for n in ("light_factor", "num_clamped", "exr_sha256", "wb_cct_k")
    }
    origin = {"producer": "render", "unit_id": "old", "blender": "4.5.15"}
    record = {**own, **sizes, **stored, **sample.record["light"], "schema": 2, "origin": origin}
    data = json.dumps(record).encode()
    row = {**own, **sizes, "status": "ok", "producer": "render", "unit_id": "old"}
    write_old(tmp_path / "shards", [row], [{"json": data, "basis.exr": sample.exr}])
    (tmp_path / "old.json").write_bytes(data)
    (tmp_path / "old.basis.exr").write_bytes(sample.exr)

    for folder in (tmp_path / "shards", tmp_path):
        dataset = LinearDataset([folder])
        light = dataset.read(dataset.rows[0])
        assert dataset.rows[0].producer == "render"
        assert isinstance(light, LightBasis)
        assert light.main_lamp == basis.main_lamp
        np.testing.assert_allclose(light.images_GHW3, basis.images_GHW3, rtol=2.0**-11)
    assert verify_dataset(tmp_path / "shards", SilentProgress()).faults == ()


def test_columns_of_no_contract_are_refused(folder: Path) -> None:
    """With the schemas that can be read."""
    table = pq.read_table(folder / "index.parquet").drop_columns(["edits"])
    pq.write_table(table, folder / "index.parquet")

    with pytest.raises(ShardError, match="other columns than schemas 2 and 3"):
        PairDataset([folder])
