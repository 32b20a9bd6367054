import json
import os
import re
import shutil
import signal
import subprocess
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cat_dataset.compose.stored_light import compose_unit, compose_units
from cat_dataset.errors import JobError, ShardError
from cat_dataset.generate import RunSummary, run_units
from cat_dataset.imaging.display import decode_display
from cat_dataset.jobs.datasets import ComposeJob
from cat_dataset.jobs.manifest import DatasetJob, Job, load_job
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.sample_json import dump_record
from cat_dataset.store.shards import shard_path
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.conftest import make_light_basis
from tests.cat_dataset.linear_light import (
    SCENES,
    make_linear_dataset,
)
from tests.cat_dataset.test_generate import digests
from tests.command_line import cat, command

HEAD = '[dataset]\nname = "again"\nseed = 5\nunits_per_shard = 2\n'
COMPOSE = """
[compose]
max_side_px = 32
[compose.attributes]
exposure = { num_pairs = 3, value_range = [-0.5, 0.5] }
light_power = { num_pairs = 2 }
object_rotation = { num_pairs = 4 }
"""


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of linear samples; not to be changed."""
    folder = tmp_path_factory.mktemp("light")
    make_linear_dataset(folder)
    return folder


def job_of(tmp_path: Path, text: str) -> Job:
    """Return a manifest."""
    path = tmp_path / "job.toml"
    path.write_text(HEAD + text)
    return load_job(path)


def compose(light: Path, out: Path, job: Job, num_workers: int = 1) -> RunSummary:
    """Do what the command does."""
    manifest, progress = job.compose_manifest(), SilentProgress()
    units = compose_units(manifest.dataset, manifest.compose, LinearDataset([light]).rows)
    return run_units(manifest, units, out, num_workers=num_workers, progress=progress)


def test_pairs_are_made_anew_from_stored_light(light: Path, tmp_path: Path) -> None:
    """Other scales, counts and size; each scene's split, its readings, and where it came from."""
    summary = compose(light, tmp_path / "out", job_of(tmp_path, COMPOSE))

    dataset = PairDataset([tmp_path / "out"])
    assert summary.num_ok + summary.num_rejected == 3 * 3 + 3 * 2 + 2 * 4
    assert summary.num_ok >= 20
    assert verify_dataset(tmp_path / "out", SilentProgress()).faults == ()
    stored = {row.key: row for row in LinearDataset([light]).rows}
    for row in dataset.rows:
        edit, sample = row.edits[0], dataset.read(row)
        assert sample.source_HW3.shape == sample.target_HW3.shape == (32, 32, 3)
        assert edit.attribute != "exposure" or abs(edit.value) <= 0.5
        assert edit.measured == pytest.approx(edit.value, abs=0.002)
        origin = sample.record["origin"]
        assert row.split == stored[origin["composed_from"]["key"]].split
        assert origin["composed_from"]["exr_sha256"] == stored[row.scene].content or (
            edit.attribute == "object_rotation"
        )
        assert origin["producer"] == "render"
        assert origin["manifest_sha256"] != origin["composed_from"]["manifest_sha256"]


def test_several_attributes_are_composed_at_once(light: Path, tmp_path: Path) -> None:
    """Of a basis and of a sweep, in the ranges of the single plans; a row says what cannot be."""
    plans = (
        "exposure = { num_pairs = 1, value_range = [0.4, 0.5] }\n"
        '"exposure+light_power" = { num_pairs = 3 }\n'
        '"object_rotation+exposure" = { num_pairs = 2 }\n'
        '"exposure+light_power+ambient_level" = { num_pairs = 2 }\n'
    )
    job = job_of(tmp_path, "[compose.attributes]\n" + plans)

    summary = compose(light, tmp_path / "out", job)

    rows = PairDataset([tmp_path / "out"]).rows
    found = {tuple(edit.attribute for edit in row.edits) for row in rows}
    assert {("exposure", "light_power"), ("object_rotation", "exposure")} <= found
    for row in (r for r in rows if len(r.edits) > 1 and r.edits[0].attribute == "exposure"):
        assert 0.4 <= row.edits[0].value <= 0.5
        for edit in row.edits:
            assert edit.measured == pytest.approx(edit.value, abs=0.002)
    assert summary.num_failed == 0


@pytest.mark.slow
def test_one_and_two_workers_compose_the_same_bytes(light: Path, tmp_path: Path) -> None:
    """And a second run does nothing."""
    job = job_of(tmp_path, COMPOSE)

    compose(light, tmp_path / "one", job, num_workers=1)
    compose(light, tmp_path / "two", job, num_workers=2)

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert compose(light, tmp_path / "two", job).num_units_run == 0


@pytest.mark.slow
def test_composing_killed_at_any_moment_ends_with_the_same_bytes(
    light: Path, tmp_path: Path
) -> None:
    """SIGKILL to the command and its workers as soon as something is staged, then to the end."""
    (tmp_path / "job.toml").write_text(HEAD + COMPOSE.replace("num_pairs = 3", "num_pairs = 150"))
    arguments = ["compose", str(light), "-m", str(tmp_path / "job.toml"), "-w", "2", "-o"]
    assert cat(*arguments, str(tmp_path / "straight")).returncode == 0
    killed = tmp_path / "killed"

    process = subprocess.Popen(
        command(*arguments, str(killed)), start_new_session=True, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not list((killed / "staging").glob("*.parquet")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    assert not (killed / "index.parquet").exists()
    assert cat(*arguments, str(killed)).returncode == 0
    assert digests(killed) == digests(tmp_path / "straight")


def test_other_light_is_another_data_set(light: Path, tmp_path: Path) -> None:
    """The same scenes with other pictures must not pass as a resumed run."""
    job = job_of(tmp_path, COMPOSE)
    compose(light, tmp_path / "out", job)
    manifest = job.compose_manifest()
    rows = [replace(row, content="0" * 64) for row in LinearDataset([light]).rows]
    units = compose_units(manifest.dataset, manifest.compose, rows)

    with pytest.raises(JobError, match="give another --out"):
        run_units(manifest, units, tmp_path / "out", num_workers=1, progress=SilentProgress())


def test_damaged_light_costs_its_own_scene(light: Path, tmp_path: Path) -> None:
    """A failed row with the reason; the others are composed."""
    folder = shutil.copytree(light, tmp_path / "copy")
    row = next(r for r in LinearDataset([folder]).rows if r.key == "scene-b")
    assert row.spans is not None
    data = bytearray(row.place.read_bytes())
    data[row.spans["basis.exr"][0] + 9000] ^= 1
    row.place.write_bytes(bytes(data))

    summary = compose(folder, tmp_path / "out", job_of(tmp_path, COMPOSE))

    assert summary.num_failed == 1
    assert "scene-b" in summary.failures[0]
    assert "damaged or replaced" in summary.failures[0]
    assert {row.scene for row in PairDataset([tmp_path / "out"]).rows} == {"scene-a", "scene-c"}


def test_sweeps_without_a_plan_are_left_alone(light: Path, tmp_path: Path) -> None:
    """And a scene that has only what is not asked for is no unit of work."""
    rows = LinearDataset([light]).rows
    dataset = DatasetJob(name="again", seed=5)

    exposure = compose_units(dataset, ComposeJob(attributes={"exposure": PairPlan()}), rows)
    turns = compose_units(dataset, ComposeJob(attributes={"object_rotation": PairPlan()}), rows)

    assert [unit.unit_id for unit in exposure] == list(SCENES)
    assert [unit.unit_id for unit in turns] == ["scene-a", "scene-b"]
    assert {p.edits[0].attribute for p in exposure[0].call().pairs} == {"exposure"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "declares no [compose]"),
        ("[compose]\nattributes = {}\n", "compose.attributes"),
        (
            "[compose]\nattributes = { aperture = {} }\n",
            "[compose] aperture: the stored light has only light bases, object_rotation",
        ),
        (
            "[compose]\nwidth_px = 96\nheight_px = 48\nattributes = { exposure = {} }\n",
            "asks for 96x48 px, but light is stored at 48x48 px; enlarging adds nothing",
        ),
        ("[compose]\nwidth_px = 32\nattributes = { exposure = {} }\n", "belong together"),
        (
            "[compose]\nwidth_px = 32\nheight_px = 32\nmax_side_px = 32\n"
            "attributes = { exposure = {} }\n",
            "are two sizes: give one of them",
        ),
        (
            "[compose]\nattributes = { object_rotation = { sweep = [0.0, 9.0] } }\n",
            "pairs are those of the stored frames",
        ),
        ('[compose]\ntone_curve = "agx"\nattributes = { exposure = {} }\n', "compose.tone_curve"),
    ],
)
def test_what_cannot_be_composed_is_said_before_anything_is_made(
    text: str, complaint: str, light: Path, tmp_path: Path
) -> None:
    """What was asked, the rule, the remedy."""
    with pytest.raises(JobError, match=re.escape(complaint)):
        compose(light, tmp_path / "out", job_of(tmp_path, text))

    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_composes_and_resumes(light: Path, tmp_path: Path) -> None:
    """Exit codes and words, as a person meets them."""
    (tmp_path / "job.toml").write_text(HEAD + COMPOSE)
    arguments = ["compose", str(light), "-m", str(tmp_path / "job.toml"), "-o"]

    plan = cat(*arguments, str(tmp_path / "out"), "--dry-run")
    first = cat(*arguments, str(tmp_path / "out"))
    second = cat(*arguments, str(tmp_path / "out"))
    into_itself = cat(*arguments, str(light))
    no_light = cat("compose", str(tmp_path / "out"), *arguments[2:], str(tmp_path / "other"))

    assert plan.stdout == "3 scenes; at most exposure 9, light_power 6, object_rotation 8 pairs\n"
    assert "is complete: 22 pairs, 1 rejected, 0 failed" in first.stdout
    assert "was complete before" in second.stdout
    assert into_itself.returncode == 1
    assert "where the light is read from" in " ".join(into_itself.stderr.split())
    assert no_light.returncode == 1
    assert "holds no linear light; make it with `cat-dataset render --keep" in no_light.stderr


def test_a_basis_without_a_lamp_gives_what_it_can(light: Path, tmp_path: Path) -> None:
    """The rest is a rejected row with the reason."""
    basis = replace(make_light_basis("no-lamp"), main_lamp=None, origin={"producer": "render"})
    sample = encode_linear(basis)
    (tmp_path / "no-lamp.basis.exr").write_bytes(sample.exr)
    (tmp_path / "no-lamp.json").write_bytes(dump_record(sample.record))
    plans = {"exposure": PairPlan(num_pairs=2), "light_power": PairPlan()}

    rows = LinearDataset([tmp_path]).rows
    job = ComposeJob(attributes=plans)
    result = compose_unit(DatasetJob(name="again", seed=5), job, rows)

    assert {pair.edits[0].attribute for pair in result.pairs} == {"exposure"}
    assert [(r.status, r.attribute) for r in result.rejections] == [("rejected", "light_power")]
    assert "no-lamp: its light has no light_power to edit" in result.rejections[0].reason


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    """Somebody's own JSON in the folder is not light."""
    (tmp_path / "notes.json").write_text('{"hello": 1}')

    with pytest.raises(ShardError, match=r"notes\.json: is no record of linear light"):
        LinearDataset([tmp_path])


def test_filmic_pairs_show_their_exposure_when_the_curve_is_undone(
    light: Path, tmp_path: Path
) -> None:
    """The record names the curve; readouts happen in linear light, so scales stay true."""
    text = '[compose]\ntone_curve = "filmic"\nattributes = { exposure = { num_pairs = 4 } }\n'
    compose(light, tmp_path / "out", job_of(tmp_path, text))

    dataset = PairDataset([tmp_path / "out"])
    assert len(dataset) >= 10
    for row in dataset.rows:
        sample = dataset.read(row)
        assert sample.record["develop"]["tone_curve"] == "filmic"
        codes = np.concatenate([sample.source_HW3, sample.target_HW3], axis=-1)
        safe = ((codes > 40) & (codes < 240)).all(axis=-1)
        source, target = (
            decode_display(picture, "filmic")[safe][:, 1]
            for picture in (sample.source_HW3, sample.target_HW3)
        )
        stops = float(np.median(np.log2(target / source)))
        assert stops == pytest.approx(row.edits[0].value, abs=0.03)
    assert '"filmic"' in (tmp_path / "out" / "README.md").read_text()


def test_stock_webdataset_reads_stored_light(light: Path) -> None:
    """Other people's readers see KEY.basis.exr and KEY.json in every sample."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, which webdataset imports
        import webdataset

        urls = [str(shard_path(light, number)) for number in range(2)]
        samples = list(webdataset.WebDataset(urls, shardshuffle=False))

    assert sorted(s["__key__"] for s in samples) == [r.key for r in LinearDataset([light]).rows]
    for sample in samples:
        assert {n for n in sample if not n.startswith("__")} == {"basis.exr", "json"}
        assert json.loads(sample["json"])["key"] == sample["__key__"]


def test_the_index_names_the_kind_of_light(light: Path) -> None:
    """Basis or sweep, what is swept, and the size."""
    rows = pq.read_table(light / "index.parquet").to_pylist()

    found = {row["key"]: (row["kind"], row["attribute"], row["width_px"]) for row in rows}
    assert found["scene-a"] == ("basis", None, 48)
    assert found["scene-a-object_rotation"] == ("sweep", "object_rotation", 48)
    assert "light basis | 3" in (light / "README.md").read_text()
