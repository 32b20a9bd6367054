"""The whole job as Python, as in a notebook: `cat_dataset.run_job`, without the command line."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ROOT

MANIFEST = """
[dataset]
name = "called"
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
attributes = { exposure = { num_pairs = 4 } }

[train]
attributes = ["exposure"]
base = { size_px = 32, hidden_size = 32, num_steps = 5 }
adapter = { num_steps = 5 }
optimizer = { batch_size = 4 }

[evaluate]
num_sweep_scenes = 1
num_sweep_steps = 3
"""
CALL = """
import json, sys
sys.modules["typer"] = None  # an import of it fails
import cat_dataset
result = cat_dataset.run_job(sys.argv[1], sys.argv[2], num_workers=2)
print(json.dumps({
    "ok": result.dataset.num_ok,
    "units_run": result.dataset.num_units_run,
    "adapter": str(result.adapter),
    "scores": result.evaluation and [score.attribute for score in result.evaluation.scores],
    "report": str(result.report),
    "failures": result.failures,
}))
"""


def call(manifest: Path, out: Path) -> dict[str, Any]:
    """Run the job in a Python of its own; return what it gave."""
    run = subprocess.run(
        [sys.executable, "-c", CALL, str(manifest), str(out)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)  # and nothing else was printed
    return found


@pytest.mark.bpy
@pytest.mark.slow
def test_a_job_called_from_python_returns_what_it_made(tmp_path: Path) -> None:
    """Data set, adapter, scores and report; called again it repeats nothing and says so."""
    (tmp_path / "job.toml").write_text(MANIFEST)
    out = tmp_path / "out"

    first = call(tmp_path / "job.toml", out)
    tars = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*.tar")}
    again = call(tmp_path / "job.toml", out)

    assert first["units_run"] == 6
    assert first["ok"] == again["ok"]
    assert first["ok"]
    assert first["adapter"] == str(out / "training" / "adapter")
    assert set(first["scores"]) == {"exposure"}
    assert Path(first["report"]).is_file()
    assert first["failures"] == []
    assert (again["units_run"], again["scores"]) == (0, None)
    assert tars == {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*.tar")}
