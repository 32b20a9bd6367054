"""What a stranger measures: stock webdataset, Pillow and numpy on finished shards, no CAT code."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, command

MANIFEST = """
[dataset]
name = "stranger"
seed = 5
units_per_shard = 2

[[render]]
name = "table"
num_scenes = 3
width_px = 64
height_px = 64
samples_per_pixel = 8
attributes = { exposure = { num_pairs = 8 } }
"""
# Runs on its own so that nothing of CAT is imported by accident; prints one JSON line per pair.
STRANGER = """
import io, json, sys, warnings
warnings.simplefilter("ignore")  # torch's, which webdataset imports where it is installed
import numpy as np
import webdataset
from PIL import Image

def linear(png):
    code = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.float64) / 255.0
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4), code

for sample in webdataset.WebDataset(sys.argv[1:], shardshuffle=False):
    record = json.loads(sample["json"])
    (source, source_code), (target, target_code) = (
        linear(sample[name]) for name in ("source.png", "target.png")
    )
    codes = np.concatenate([source_code, target_code], axis=-1)
    unclipped = ((codes > 0.08) & (codes < 0.99)).all(axis=-1)
    stops = np.log2(target[unclipped].sum(axis=-1) / source[unclipped].sum(axis=-1))
    print(json.dumps([record["key"], record["edits"][0]["value"], float(np.median(stops))]))
"""


@pytest.mark.bpy
def test_a_stranger_measures_the_exposure_that_the_record_states(tmp_path: Path) -> None:
    """Median over unclipped pixels of the PNGs within 0.02 stop, each pair of a real render."""
    (tmp_path / "job.toml").write_text(MANIFEST)
    subprocess.run(
        command("render", str(tmp_path / "job.toml"), "--out", str(tmp_path / "out")),
        check=True,
        cwd=ROOT,
    )
    shards = sorted(str(path) for path in (tmp_path / "out" / "shards").glob("*.tar"))

    run = subprocess.run(
        [sys.executable, "-P", "-c", STRANGER, *shards],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    found = [json.loads(line) for line in io.StringIO(run.stdout)]
    assert len(found) >= 20
    assert max(abs(measured - value) for _, value, measured in found) <= 0.02
