"""SIGKILL to a command and its workers at some moments, then once to the end: the same bytes."""

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command_line import ROOT, command

MOMENTS = (0.35, 0.6, 0.85)  # of the time that the undisturbed command took
MANIFEST = """
[dataset]
name = "killed"
seed = 11
units_per_shard = 2
val_share = 0.0
test_share = 0.0

[[render]]
name = "table"
num_scenes = 5
width_px = 48
height_px = 48
samples_per_pixel = 4
attributes = { exposure = { num_pairs = 3 }, light_power = { num_pairs = 2 } }

[simulate_camera]
num_brackets = 3
width_px = 96
height_px = 96
samples_per_pixel = 4

[train]
attributes = ["exposure", "light_power"]
checkpoint_every_steps = 10
base = { size_px = 32, hidden_size = 32, num_steps = 60 }
adapter = { num_steps = 60 }
optimizer = { batch_size = 4 }
"""


def run_whole(arguments: list[str]) -> float:
    """Run to the end; return seconds."""
    began_s = time.perf_counter()
    subprocess.run(command(*arguments), check=True, cwd=ROOT, capture_output=True)
    return time.perf_counter() - began_s


def run_killed(arguments: list[str], after_s: float) -> bool:
    """Kill the command with its workers after a while; return whether it was still running."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return was_running


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file that must not depend on kills; logs and clocks may."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not {"tensorboard", "checkpoints", "logs"} & set(path.relative_to(folder).parts)
        and path.name != "train_log.jsonl"  # holds samples per second
    }


def check_killed(arguments: list[str], straight: Path, killed: Path) -> None:
    """Run straight, run with kills, compare."""
    lasted_s = run_whole([*arguments, "--out", str(straight)])

    interrupted = [
        run_killed([*arguments, "--out", str(killed)], moment * lasted_s) for moment in MOMENTS
    ]
    run_whole([*arguments, "--out", str(killed)])

    assert interrupted[0], "nothing was killed: the first moment came too late"
    assert digests(killed) == digests(straight)
    assert digests(straight)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small manifest."""
    path = tmp_path_factory.mktemp("manifest") / "job.toml"
    path.write_text(MANIFEST)
    return path


@pytest.mark.bpy
@pytest.mark.slow
def test_a_killed_render_ends_with_the_same_bytes(manifest: Path, tmp_path: Path) -> None:
    """Blender scenes to shards."""
    check_killed(["render", str(manifest)], tmp_path / "straight", tmp_path / "killed")


@pytest.mark.bpy
@pytest.mark.slow
def test_an_interrupt_ends_with_130_and_how_to_go_on(manifest: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches the command and its workers; what was finished is used afterwards."""
    arguments = ["render", str(manifest), "--workers", "1", "--out", str(tmp_path / "out")]
    heeds_interrupts = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    process = subprocess.Popen(
        command(*arguments, before=heeds_interrupts),
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    staged = tmp_path / "out" / "staging"
    while process.poll() is None and not list(staged.glob("*.parquet")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=60)

    assert process.returncode == 130, message
    assert "interrupted: run the same command again" in message
    assert "Traceback (most recent call last)" not in message.split("interrupted:")[1]
    assert list(staged.glob("*.parquet"))
    run_whole(arguments)
    assert (tmp_path / "out" / "index.parquet").is_file()


@pytest.fixture(scope="module")
def captures(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of simulated brackets."""
    folder = tmp_path_factory.mktemp("captures")
    run_whole(["simulate-camera", str(manifest), "--out", str(folder)])
    return folder


@pytest.mark.bpy
@pytest.mark.slow
def test_a_killed_ingest_ends_with_the_same_bytes(captures: Path, tmp_path: Path) -> None:
    """RAW brackets to shards."""
    check_killed(["ingest", str(captures)], tmp_path / "straight", tmp_path / "killed")


@pytest.mark.bpy
@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_adapter(manifest: Path, tmp_path: Path) -> None:
    """Shards to an adapter, to the last bit."""
    data = tmp_path / "data"
    run_whole(["render", str(manifest), "--out", str(data)])

    arguments = ["train", str(manifest), "--data", str(data)]
    check_killed(arguments, tmp_path / "straight", tmp_path / "killed")
    assert list((tmp_path / "straight" / "adapter").glob("*.safetensors"))
