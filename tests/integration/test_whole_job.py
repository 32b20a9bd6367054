"""The whole line in one small job: scenes and RAW brackets to an edited picture and a report."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cat_dataset.imaging.display import decode_png, encode_png
from cat_dataset.system.seeding import derive_rng
from tests.command_line import cat

MANIFEST = """
[dataset]
name = "whole"
seed = 9
units_per_shard = 4
val_share = 0.2
test_share = 0.4

[[render]]
name = "table"
num_scenes = 6
width_px = 48
height_px = 48
samples_per_pixel = 4
attributes = { exposure = { num_pairs = 4 }, white_balance = { num_pairs = 2 } }

[simulate_camera]
num_brackets = 1
width_px = 96
height_px = 96
samples_per_pixel = 8

[train]
attributes = ["exposure", "white_balance"]
checkpoint_every_steps = 5
base = { size_px = 32, hidden_size = 32, num_steps = 10 }
adapter = { num_steps = 10 }
optimizer = { batch_size = 4 }

[evaluate]
num_sweep_scenes = 1
num_sweep_steps = 3
"""


@pytest.fixture(scope="module")
def job_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the finished job; its manifest and its log lie beside it."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "job.toml").write_text(MANIFEST)
    run = cat("run", str(folder / "job.toml"), "--out", str(folder / "out"))
    assert run.returncode == 0, run.stderr
    (folder / "log").write_text(run.stderr)
    return folder / "out"


@pytest.mark.bpy
@pytest.mark.slow
def test_the_job_holds_both_producers_and_everything_after_them(job_folder: Path) -> None:
    """Rendered and captured pairs in one data set, adapter, evaluation, report."""
    rows = pq.read_table(job_folder / "dataset" / "index.parquet").to_pylist()
    written = [row for row in rows if row["status"] == "ok"]

    assert {row["origin"]["producer"] for row in written} == {"render", "dslr"}
    assert not [row for row in rows if row["status"] == "failed"]
    assert (job_folder / "training" / "adapter" / "config.json").is_file()
    scores = json.loads((job_folder / "evaluation" / "evaluation.json").read_text())["scores"]
    assert {score["attribute"] for score in scores} == {"exposure", "white_balance"}
    assert "obey the number" in (job_folder / "report.html").read_text()


@pytest.mark.bpy
@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    ["photographing", "making pairs", "training base", "training adapter", "evaluating edits"],
)
def test_the_log_says_where_the_job_is(job_folder: Path, step: str) -> None:
    """Every long step has its lines in a log without a terminal, training included."""
    log = (job_folder.parent / "log").read_text()

    assert re.search(rf"^{step}: (\d+) to do$", log, re.MULTILINE), log
    assert re.search(rf"^{step}: (\d+) of \1, .*, done$", log, re.MULTILINE), log


@pytest.mark.bpy
@pytest.mark.slow
def test_running_again_repeats_nothing(job_folder: Path) -> None:
    """Every part says that it was complete, and no file of data or weights is touched."""
    files = [p for p in job_folder.rglob("*") if p.suffix in (".tar", ".safetensors", ".dng")]
    before = {path: path.stat().st_mtime_ns for path in files}

    run = cat("run", str(job_folder.parent / "job.toml"), "--out", str(job_folder))

    assert run.returncode == 0, run.stderr
    assert run.stdout.count("was complete before") == 2  # data set and evaluation
    assert {path: path.stat().st_mtime_ns for path in files} == before


@pytest.mark.bpy
@pytest.mark.slow
def test_the_captured_scale_is_the_simulated_truth_not_the_exif(job_folder: Path) -> None:
    """Within 0.01 stop of the truth, from which the printed times differ by up to 0.06."""
    (truth_path,) = (job_folder / "captures").glob("*.truth.json")
    true_stops = [frame["exposure_stops"] for frame in json.loads(truth_path.read_text())["frames"]]
    rows = pq.read_table(job_folder / "dataset" / "index.parquet").to_pylist()
    captured = [r for r in rows if r["status"] == "ok" and r["origin"]["producer"] == "dslr"]
    bracket = [row for row in captured if "-single-" not in row["key"]]

    assert len(bracket) >= 2
    for row in bracket:
        source, target = row["source_frame"], row["target_frame"]
        assert row["value"] == pytest.approx(true_stops[target] - true_stops[source], abs=0.01)


@pytest.mark.slow
@pytest.mark.bpy
def test_a_picture_of_any_size_is_edited(job_folder: Path, tmp_path: Path) -> None:
    """The edit command writes a PNG of the same size; zero gives the source back, bit for bit."""
    picture = derive_rng(0, "photo").integers(30, 200, (75, 130, 3)).astype(np.uint8)
    (tmp_path / "photo.png").write_bytes(encode_png(picture))
    adapter = str(job_folder / "training" / "adapter")
    common = ("edit", str(tmp_path / "photo.png"), "--adapter", adapter)

    edited = cat(
        *common, "-e", "exposure=+1EV", "-e", "white_balance=5600K", "-o", str(tmp_path / "a.png")
    )
    same = cat(*common, "-e", "exposure=0", "-o", str(tmp_path / "b.png"))

    assert edited.returncode == 0, edited.stderr
    assert "exposure +1 stops, white_balance +24.73 mired (6500 to 5600 K)" in edited.stdout
    assert decode_png((tmp_path / "a.png").read_bytes()).shape == picture.shape
    assert same.returncode == 0, same.stderr
    assert (decode_png((tmp_path / "b.png").read_bytes()) == picture).all()
