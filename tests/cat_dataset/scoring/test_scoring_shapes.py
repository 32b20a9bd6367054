"""Two shapes are two tasks: asked, read and scored apart, each over a range of its own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Sweep, SweepFrame, UnitResult
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.questions.request_list import write_requests
from cat_dataset.scoring.score_editors import plan_benchmark
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from tests.cat_dataset.scored_data import JOB, aperture_sweep, scored

LARGEST = {"smile": 100.0, "Key.001": 40.0}
TASKS = ("shape_key:Key_001", "shape_key:smile")


def shape_sweep(scene: str, subject: str) -> Sweep:
    """Return frames that are the sharper, the larger the number of the shape."""
    frames = aperture_sweep(scene).frames
    step = LARGEST[subject] / (len(frames) - 1)
    shaped = tuple(
        SweepFrame(number * step, number * step, frame.linear_HW3)
        for number, frame in enumerate(frames)
    )
    return replace(aperture_sweep(scene), attribute="shape_key", subject=subject, frames=shaped)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> PairDataset:
    """Pairs of two shapes of three scenes each."""
    folder, tables = tmp_path_factory.mktemp("shapes"), []
    dataset, plans = DatasetJob(name="shapes", seed=3), {"shape_key": PairPlan(num_pairs=20)}
    for subject in LARGEST:
        for number in range(3):
            sweep = shape_sweep(f"{subject.lower().replace('.', '-')}-{number}", subject)
            pairs = compose_light(sweep, plans, dataset).pairs
            table = staged_table(
                UnitResult(pairs), producer="render", unit_id=sweep.scene, origin={}
            )
            tables.append(table)
    write_shard(shard_path(folder, 0), tables)
    write_index(folder, [shard_path(folder, 0)])
    return PairDataset([folder], splits=("test",))


def test_each_shape_is_scored_by_itself(shapes: PairDataset) -> None:
    """Rows, ranges and scores carry the key of the task; the true picture is that of its sweep."""
    report, findings, plan = scored(shapes, attributes=("shape_key",), with_baselines=True)

    assert {name: high for name, (_, high) in plan.ranges.items()} == {
        "shape_key:Key_001": 40.0,
        "shape_key:smile": 100.0,
    }
    assert {result.attribute for result in findings.results} == set(TASKS)
    assert {score.attribute for score in report.scores} == set(TASKS)
    oracle = [s for s in report.scores if s.editor == "oracle" and s.readout == "matching"]
    assert {s.attribute: s.unit for s in oracle} == dict.fromkeys(TASKS, "percentage points")
    assert max(s.mae for s in oracle) < 1e-6


def test_one_shape_can_be_asked_alone(shapes: PairDataset) -> None:
    """By its key, in the plan as in the selection of pairs."""
    plan = plan_benchmark(shapes, JOB, ("shape_key:smile",))
    folder = shapes.rows[0].tar_path.parents[1]
    own = PairDataset([folder], splits=("test",), attributes=("shape_key:smile",))

    assert list(plan.ranges) == ["shape_key:smile"]
    assert {edit.subject for row in own.rows for edit in row.edits} == {"smile"}
    assert 0 < len(own) < len(shapes)


def test_the_request_list_names_the_shape(shapes: PairDataset, tmp_path: Path) -> None:
    """Whoever edits elsewhere must know which one."""
    plan = plan_benchmark(shapes, JOB)
    write_requests(tmp_path / "requests.jsonl", plan, CaseReader(shapes))

    lines = [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    edits = [edit for line in lines for edit in line["edits"]]
    assert {edit["subject"] for edit in edits} == set(LARGEST)
    assert {edit["attribute"] for edit in edits} == {"shape_key"}
