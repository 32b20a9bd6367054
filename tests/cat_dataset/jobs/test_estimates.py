"""Estimates grow as the work does, and every manifest that is shipped has one."""

from pathlib import Path

import pytest

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, SWEEP_ATTRIBUTES
from cat_dataset.jobs.cost_table import FAMILY_COSTS, PICTURE_BYTES_PER_PX
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.estimates import estimate_source, estimate_text, plan_pairs
from cat_dataset.jobs.manifest import DatasetJob, load_job
from cat_dataset.jobs.plans import PairPlan
from tests.command_line import ROOT, cat

JOB = DatasetJob(name="small", seed=1)


def _batch(**changes: object) -> RenderSource:
    fields = {
        "name": "b",
        "num_scenes": 10,
        "width_px": 256,
        "height_px": 256,
        "samples_per_pixel": 32,
        "attributes": {
            "exposure": PairPlan(num_pairs=4),
            "object_rotation": PairPlan(num_frames=4, num_pairs=20),
        },
    }
    return RenderSource.model_validate({**fields, **changes})


def test_a_sweep_gives_at_most_its_ordered_pairs() -> None:
    """Four frames have twelve ordered pairs."""
    assert plan_pairs(PairPlan(num_frames=4, num_pairs=20)) == 12
    assert plan_pairs(PairPlan(sweep=(1.0, 2.0), num_pairs=1)) == 1
    assert plan_pairs(PairPlan(num_pairs=7)) == 7


def test_twice_the_scenes_cost_twice_as_much() -> None:
    """Hours, pairs and disk are proportional to the number of scenes."""
    one, two = (estimate_source(JOB, _batch(num_scenes=n)) for n in (10, 20))

    assert two.core_s == pytest.approx(2.0 * one.core_s, rel=0.1)  # starting costs once
    assert two.disk_bytes == pytest.approx(2.0 * one.disk_bytes)
    assert sum(two.pairs.values()) == pytest.approx(2.0 * sum(one.pairs.values()))


def test_four_times_the_samples_cost_nearly_four_times_the_hours() -> None:
    """Rendering is most of the work."""
    few, many = (estimate_source(JOB, _batch(samples_per_pixel=n)) for n in (32, 128))

    assert 3.0 < many.core_s / few.core_s < 4.0


def test_every_family_has_its_costs() -> None:
    """A new one must be measured, see benchmarks/costs.py."""
    assert set(FAMILY_COSTS) == {"tabletop", "interior", "outdoor", "head"}
    assert set(PICTURE_BYTES_PER_PX) == set(FAMILY_COSTS)


@pytest.mark.parametrize(("name", "scenes"), [("cat-small", 360), ("cat-full", 100_000)])
def test_the_shipped_manifests_are_what_they_say(name: str, scenes: int) -> None:
    """All rendered attributes, the sizes that are promised, and a sum at the end."""
    job = load_job(ROOT / "manifests" / f"{name}.toml")

    planned = {attribute for source in job.render for attribute in source.attributes}
    assert {*BASIS_ATTRIBUTES, *SWEEP_ATTRIBUTES} <= planned
    assert {source.width_px for source in job.render} == {512 if name == "cat-small" else 1024}
    text = estimate_text({b.name: estimate_source(job.dataset, b) for b in job.render})
    assert text.splitlines()[-1].split()[:2] == ["all", str(scenes)]


def test_a_dry_run_says_pairs_hours_and_disk(tmp_path: Path) -> None:
    """And writes nothing."""
    out = tmp_path / "out"

    run = cat("render", "manifests/cat-small.toml", "--out", str(out), "--dry-run")

    assert run.returncode == 0, run.stderr
    assert "core-hours" in run.stdout
    assert not out.exists()
