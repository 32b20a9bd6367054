from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.store.shards import shard_path, table_path, write_index, write_shard, write_table
from cat_dataset.store.tables import staged_table
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.conftest import make_light_basis


@pytest.fixture
def dataset_folder(tmp_path: Path, dataset_job: DatasetJob) -> Path:
    """Return a data set of two shards."""
    for number, scene in enumerate(("scene-a", "scene-b")):
        plan = {"exposure": PairPlan(num_pairs=3)}
        result = compose_basis(make_light_basis(scene), plan, dataset_job)
        table = staged_table(result, producer="render", unit_id=scene, origin={})
        write_shard(shard_path(tmp_path, number), [table])
    write_index(tmp_path, [shard_path(tmp_path, number) for number in range(2)])
    return tmp_path


def faults_of(folder: Path) -> str:
    """Return all faults as one text."""
    return "\n".join(verify_dataset(folder, SilentProgress()).faults)


def test_a_sound_data_set_has_no_faults(dataset_folder: Path) -> None:
    """Everything is read and nothing is complained of."""
    verdict = verify_dataset(dataset_folder, SilentProgress())

    assert (verdict.num_shards, verdict.num_pairs) == (2, 6)
    assert verdict.faults == ()


def place(row: dict[str, Any], name: str) -> tuple[int, int]:
    """Return where a member's data begins and ends in the tar."""
    member = next(m for m in row["members"] if m["name"] == name)
    return member["offset"], member["offset"] + member["size"]


def truncate(tar: Path) -> None:
    """Cut the tar at a member boundary, which plain readers do not notice."""
    rows = pq.read_table(table_path(tar)).to_pylist()
    offset = sorted(place(row, "source.png")[0] for row in rows)[1]
    tar.write_bytes(tar.read_bytes()[: offset - 512])


def flip_data_bit(tar: Path) -> None:
    """Flip one bit inside a picture."""
    row = pq.read_table(table_path(tar)).to_pylist()[1]
    data = bytearray(tar.read_bytes())
    data[sum(place(row, "target.png")) // 2] ^= 4
    tar.write_bytes(bytes(data))


def flip_header_bit(tar: Path) -> None:
    """Flip one bit in a tar header, at which plain readers silently stop."""
    row = pq.read_table(table_path(tar)).to_pylist()[1]
    data = bytearray(tar.read_bytes())
    data[place(row, "json")[0] - 500] ^= 4
    tar.write_bytes(bytes(data))


def drop_end_blocks(tar: Path) -> None:
    """Take the end-of-archive blocks away."""
    row = pq.read_table(table_path(tar)).to_pylist()[-1]
    end = place(row, "target.png")[1]
    tar.write_bytes(tar.read_bytes()[: -(-end // 512) * 512])


def remove(tar: Path) -> None:
    """Delete the tar."""
    tar.unlink()


def edit_table(tar: Path) -> None:
    """Change a value in the table beside the tar."""
    table = pq.read_table(table_path(tar))
    column = table.column_names.index("instruction")
    field = table.schema.field(column)
    changed = table.set_column(column, field, [["something else"] * table.num_rows])
    write_table(table_path(tar), changed)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (truncate, "is cut off"),
        (flip_data_bit, "target.png has another sha256"),
        (flip_header_bit, "a tar reader sees|no readable tar"),
        (drop_end_blocks, "is cut off"),
        (remove, "is missing"),
        (edit_table, "differs from index.parquet"),
    ],
)
def test_damage_is_found_and_named(
    damage: Callable[[Path], None], complaint: str, dataset_folder: Path
) -> None:
    """Each kind of damage, in one shard, is reported with that shard or sample."""
    damage(shard_path(dataset_folder, 1))

    faults = faults_of(dataset_folder)

    assert any(part in faults for part in complaint.split("|")), faults
    assert "000000" not in faults


def test_a_stray_shard_is_named(dataset_folder: Path) -> None:
    """A tar that the index does not know would be read by a glob."""
    stray = shard_path(dataset_folder, 7)
    stray.write_bytes(shard_path(dataset_folder, 0).read_bytes())

    assert "shard 000007.tar: is not in the index" in faults_of(dataset_folder)
