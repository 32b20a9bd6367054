from dataclasses import replace
from pathlib import Path

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.jobs.manifest import DatasetJob, DatasetManifest
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import EditScale, UnitResult
from cat_dataset.reporting.card import write_card
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from tests.cat_dataset.conftest import make_light_basis


def test_every_shape_key_has_a_line_of_its_own(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """Two shape keys are two tasks, with ranges and errors of their own."""
    plans = {"exposure": PairPlan(num_pairs=2)}
    smile, blink = (
        EditScale("shape_key", value, 0.0, value, measured, 0.1, subject)
        for subject, value, measured in (("smile", 60.0, 60.5), ("blink", 20.0, 20.25))
    )
    pairs = compose_basis(make_light_basis("scene-a"), plans, dataset_job).pairs
    pairs = tuple(
        replace(pair, edits=(edit,)) for pair, edit in zip(pairs, (smile, blink), strict=True)
    )
    table = staged_table(UnitResult(pairs), producer="render", unit_id="scene-a", origin={})
    write_shard(shard_path(tmp_path, 0), [table])
    index = write_index(tmp_path, [shard_path(tmp_path, 0)])

    write_card(tmp_path, DatasetManifest(dataset=dataset_job), index)

    card = (tmp_path / "README.md").read_text()
    unit = "percentage points"
    assert f"| shape_key:smile | {unit} | 1 | +60.00 to +60.00 | 0.5 |" in card
    assert f"| shape_key:blink | {unit} | 1 | +20.00 to +20.00 | 0.25 |" in card
