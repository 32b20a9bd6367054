"""Light kept beside pairs, or stored instead of them, by real renders."""

import hashlib
import os
import signal
import subprocess
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.compose.basis_pairs import compose_basis, compose_sweep
from cat_dataset.imaging.display import decode_png
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import LightBasis, Sweep
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.linear_files import decode_linear
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from render.units import render_unit
from tests.command_line import ROOT, cat, command

pytestmark = [pytest.mark.bpy, pytest.mark.slow]

MANIFEST = """
[dataset]
name = "kept"
seed = 4
units_per_shard = 2
{samples}
[[render]]
name = "table"
num_scenes = 2
width_px = 48
height_px = 32
samples_per_pixel = 4

[render.attributes]
exposure = {{ num_pairs = 2 }}
light_power = {{ num_pairs = 2 }}
focal_length = {{ sweep = [40.0, 60.0], num_pairs = 2 }}
"""
COMPOSE = """
[compose]
max_side_px = 24
[compose.attributes]
exposure = { num_pairs = 5, value_range = [-1.0, 1.0] }
white_balance = { num_pairs = 2 }
focal_length = { num_pairs = 2 }
"""


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a data set but the logs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "logs"
    }


def write_manifest(folder: Path, samples: str = "") -> Path:
    """Write the manifest that all folders here are made of."""
    path = folder / "job.toml"
    path.write_text(MANIFEST.format(samples=samples) + COMPOSE)
    return path


def done(*arguments: str | Path) -> None:
    """Run a command that must succeed."""
    run = cat(*(str(argument) for argument in arguments))
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set with its light beside it; not to be changed."""
    folder = tmp_path_factory.mktemp("kept")
    done("render", write_manifest(folder), "-o", folder / "out", "-w", "1", "--keep-linear")
    return folder / "out"


def test_keeping_light_changes_no_shard(kept: Path, tmp_path: Path) -> None:
    """The same pairs to the last bit, with two workers and without the light."""
    done("render", write_manifest(tmp_path), "-o", tmp_path / "out", "-w", "2")

    plain, with_light = digests(tmp_path / "out"), digests(kept)

    assert {name for name in with_light if not name.startswith("linear/")} == set(plain)
    for name in plain.keys() - {"README.md"}:
        assert plain[name] == with_light[name], name
    assert "linear/table-0001-focal_length.sweep.exr" in with_light
    assert verify_dataset(kept, SilentProgress()).faults == ()
    assert cat("render", str(tmp_path / "job.toml"), "-o", str(kept)).returncode == 1


def test_a_killed_render_keeps_the_same_light(kept: Path, tmp_path: Path) -> None:
    """Every scene that counts as done has its light; two workers, stopped after the first file."""
    arguments = ["render", str(write_manifest(tmp_path)), "-o", str(tmp_path / "out")]
    arguments += ["-w", "2", "--keep-linear"]
    process = subprocess.Popen(
        command(*arguments), cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    staged = tmp_path / "out" / "staging"
    while process.poll() is None and not list(staged.glob("*.parquet")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path.stem for path in staged.glob("*.parquet")}
    names = {path.name for path in (tmp_path / "out" / "linear").iterdir()}

    assert finished
    assert {f"{unit}.json" for unit in finished} <= names
    assert {f"{unit}-focal_length.json" for unit in finished} <= names
    done(*arguments)
    assert digests(tmp_path / "out") == digests(kept)


def test_composing_kept_light_gives_what_was_asked(kept: Path, tmp_path: Path) -> None:
    """Smaller pictures with other values; from shards of light the very same pictures."""
    done("render", write_manifest(tmp_path, 'samples = "linear"'), "-o", tmp_path / "light")
    for name, light in (("one", kept), ("two", tmp_path / "light")):
        done("compose", light, "-m", tmp_path / "job.toml", "-o", tmp_path / name)

    one, two = (PairDataset([tmp_path / name]) for name in ("one", "two"))

    assert len(one) >= 14
    assert [row.key for row in one.rows] == [row.key for row in two.rows]
    for row, other in zip(one.rows, two.rows, strict=True):
        sample = one.read(row)
        assert sample.source_HW3.shape == (16, 24, 3)
        assert (sample.source_HW3 == two.read(other).source_HW3).all()
        assert (sample.target_HW3 == two.read(other).target_HW3).all()
        assert row.edits == other.edits
        assert row.edits[0].measured is not None
    for folder in ("light", "one"):
        assert verify_dataset(tmp_path / folder, SilentProgress()).faults == ()


def test_composing_the_same_plan_from_kept_light_gives_the_same_pairs(kept: Path) -> None:
    """Same draws; half floats move no picture by more than a code."""
    job = DatasetJob(name="kept", seed=4)
    plan, light = PairPlan(num_pairs=2), LinearDataset([kept])
    pairs = {}
    for stored in map(light.read, light.rows):
        if isinstance(stored, LightBasis):
            result = compose_basis(stored, {"exposure": plan, "light_power": plan}, job)
        else:
            result = compose_sweep(stored, plan, job)
        pairs.update({pair.key: pair for pair in result.pairs})
    rendered = PairDataset([kept])

    assert {row.key for row in rendered.rows} == set(pairs)
    for row in rendered.rows:
        sample, pair = rendered.read(row), pairs[row.key]
        assert [e.value for e in row.edits] == [e.value for e in pair.edits]
        for picture, png in (
            (sample.source_HW3, pair.source_png),
            (sample.target_HW3, pair.target_png),
        ):
            assert np.abs(picture.astype(np.int16) - decode_png(png)).max() <= 1


def test_a_unit_gives_its_light_with_its_pairs_or_alone() -> None:
    """What is kept beside pairs and what is stored instead of them is the same."""
    render_source = RenderSource(
        name="table",
        num_scenes=1,
        width_px=32,
        height_px=24,
        samples_per_pixel=2,
        attributes={
            "exposure": PairPlan(num_pairs=1),
            "object_rotation": PairPlan(sweep=(0.0, 40.0), num_pairs=2),
        },
    )
    job = DatasetJob(name="kept", seed=4)
    alone = job.model_copy(update={"samples": "linear"})

    both = render_unit(job, render_source, "table-0000", keep_linear=True)
    light = render_unit(alone, render_source, "table-0000")
    pairs = render_unit(job, render_source, "table-0000")

    assert both.linear == light.linear
    assert both.pairs == pairs.pairs
    assert (light.pairs, light.rejections, pairs.linear) == ((), (), ())
    assert [sample.kind for sample in light.linear] == ["basis", "sweep"]
    sweep = decode_linear(light.linear[1].exr, light.linear[1].record)
    assert isinstance(sweep, Sweep)
    assert set(sweep.readings) == {(0, 1), (1, 0)}


def test_blender_opens_kept_light(kept: Path) -> None:
    """A reader that is not OpenEXR's own: a layer for each light group."""
    import bpy

    path = kept / "linear" / "table-0000.basis.exr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of use_nodes, which 5.x sets itself
        image = bpy.data.images.load(str(path))
        list(image.pixels)  # loads

    assert image.type == "MULTILAYER"


def test_keeping_light_that_is_stored_anyway_is_refused(tmp_path: Path) -> None:
    """One of the two is enough."""
    manifest = write_manifest(tmp_path, 'samples = "linear"')

    run = cat("render", str(manifest), "-o", str(tmp_path / "out"), "--keep-linear")

    assert run.returncode == 1
    assert "omit --keep-linear" in run.stderr
