"""The command line as a person meets it: real processes, exit codes, messages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, command

COMMANDS = (
    "run", "preview", "render", "simulate-camera", "ingest", "compose", "train", "edit", "evaluate",
    "benchmark", "report", "verify", "doctor",
)  # fmt: skip
MANIFEST = """
[dataset]
name = "small"
seed = 1
[[render]]
name = "a"
num_scenes = 2
width_px = 32
height_px = 32
samples_per_pixel = 2
attributes = { exposure = { num_pairs = 1 } }
"""


def cat(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `cat-dataset` in a process of its own."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"},
    )


def test_the_help_lists_every_command() -> None:
    """The commands are frozen here: a rename breaks other people's scripts."""
    run = cat("--help")

    assert run.returncode == 0
    listed = re.findall(r"^  ([a-z-]+)  ", run.stdout.split("Commands:")[1], re.MULTILINE)
    assert tuple(listed) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_stands_in_the_docs(command: str) -> None:
    """Help with an example; the page of commands knows it."""
    run = cat(command, "--help")

    assert run.returncode == 0
    assert f"Example: cat-dataset {command}" in run.stdout
    assert f"| `{command}` |" in (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("render",), "Missing argument"),
        (("render", "x.toml"), "Missing option '--out'"),
        (("render", "x.toml", "--out", "o", "--workers", "0"), "greater than or equal to 1"),
        (("paint",), "No such command 'paint'"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], complaint: str) -> None:
    """The shell can tell usage from failed work."""
    run = cat(*arguments)

    assert run.returncode == 2
    assert complaint in run.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("render", "none.toml", "--out", "o"), "error: manifest none.toml: no such file"),
        (("verify", "nowhere"), "error: nowhere: holds no index.parquet"),
        (("report", "nowhere"), "error: nowhere: holds no dataset folder"),
        (("ingest", "nowhere", "--out", "o"), "error: .*nowhere"),
        (("edit", "none.png", "-a", "x", "-e", "exposure=1EV", "-o", "o.png"), "none.png: cannot"),
        (
            ("edit", "none.png", "-a", "x", "-e", "glow=1", "-o", "o.png"),
            "unknown attribute 'glow'",
        ),
        (("edit", "none.png", "-a", "x", "-e", "exposure=9EV", "-o", "o.png"), "out of range"),
        (("edit", "none.png", "-a", "x", "-e", "exposure=1EV", "-o", "o.jpg"), "written as PNG"),
    ],
)
def test_failed_work_exits_with_1_and_one_line(
    arguments: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    """What was found, the rule, the remedy; no traceback."""
    run = cat(*arguments, cwd=tmp_path)

    assert run.returncode == 1
    assert re.search(complaint, run.stderr), run.stderr
    assert run.stderr.startswith("error: ")
    assert "Traceback" not in run.stderr


def test_an_out_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    """The system's refusals name the file and what to look at."""
    (tmp_path / "job.toml").write_text(MANIFEST)
    (tmp_path / "taken").write_text("a file")

    run = cat("render", "job.toml", "--out", "taken", cwd=tmp_path)

    assert run.returncode == 1
    assert re.match(r"error: taken: file exists; check path and permissions\n$", run.stderr)


def test_a_dry_run_says_what_would_be_made_and_writes_nothing(tmp_path: Path) -> None:
    """Units, shards and pairs, from the manifest alone."""
    (tmp_path / "job.toml").write_text(MANIFEST)

    run = cat("render", "job.toml", "--out", "o", "--dry-run", cwd=tmp_path)

    assert run.returncode == 0
    assert "2 units of work in 1 shards" in run.stdout
    assert not (tmp_path / "o").exists()


def test_a_dry_run_of_the_camera_counts_its_frames(tmp_path: Path) -> None:
    """Nothing is rendered to answer that."""
    (tmp_path / "job.toml").write_text(MANIFEST + "[simulate_camera]\nnum_brackets = 2\n")

    run = cat("simulate-camera", "job.toml", "--out", "o", "--dry-run", cwd=tmp_path)

    assert (run.returncode, run.stdout) == (0, "2 brackets of 3 frames, 256x192 px\n")
    assert not (tmp_path / "o").exists()


_WITHOUT = """
import importlib.util
import sys
hidden = set(sys.argv.pop(1).split(","))
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in hidden else find(name, *rest)
from cat_dataset.cli import main
main()
"""


@pytest.mark.parametrize(
    ("hidden", "arguments", "extra"),
    [
        ("bpy", ("render", "job.toml", "--out", "o"), "render"),
        ("rawpy", ("ingest", ".", "--out", "o"), "dslr"),
        ("torch", ("train", "train.toml", "--data", "d", "--out", "o"), "train"),
        ("matplotlib", ("report", "."), "report"),
    ],
)
def test_a_missing_extra_names_the_command_that_mends_it(
    hidden: str, arguments: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    """The same answer as on an install without that extra."""
    (tmp_path / "job.toml").write_text(MANIFEST)
    (tmp_path / "train.toml").write_text(MANIFEST + "[train]\n")
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT, hidden, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert run.returncode == 1
    assert f"needs {hidden}" in run.stderr
    assert f"pip install 'cat-dataset[{extra}]'" in run.stderr
