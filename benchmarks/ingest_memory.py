"""What RAW files cost in memory: a 60-megapixel file stage by stage, and workers over 500 files.

    python benchmarks/ingest_memory.py --num-files 500

Prints the largest resident memory of a fresh process per stage, in MiB; the limit per worker is
1.2 GiB. Then what each worker of one `cat-dataset ingest` of small files holds, early and at most.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
HEIGHT_PX, WIDTH_PX = 6336, 9504
MAX_SIDE_PX = 1024  # of the pictures written, as `cat-dataset ingest` has it
STAGES = ("imports", "decode", "mosaic", "preview", "cells", "develop", "all")
LIMIT_MIB = 1.2 * 1024
HELD = re.compile(r"^holds (\d+) MiB$", re.M)
SETTLED_AFTER = 20  # units of a worker


def write_large(path: Path) -> None:
    """Write a bright 60-megapixel DNG with a burnt-out corner."""
    from dslr.simulator.dng import DngHeader, write_dng
    from dslr.simulator.simulated_camera import XYZ_TO_CAMERA

    rows = np.linspace(600.0, 9000.0, HEIGHT_PX, dtype=np.float32)[:, None]
    columns = np.linspace(0.2, 2.2, WIDTH_PX, dtype=np.float32)[None]
    mosaic_HW = np.minimum(rows * columns, 16383.0).astype(np.uint16)
    header = DngHeader(
        make="CAT",
        model="60 megapixels",
        software="benchmark",
        description="a ramp",
        captured_at=datetime(2026, 1, 1),
        exposure_time_s=0.01,
        f_number=5.6,
        iso=100,
        focal_length_mm=50.0,
        as_shot_neutral=(0.5, 1.0, 0.6),
        xyz_to_camera=XYZ_TO_CAMERA,
        black_level=512,
        white_level=16383,
    )
    write_dng(path, mosaic_HW, header)


def peak_mib() -> float:
    """Return the largest resident memory of this process since it started its program, in MiB.

    Not `ru_maxrss`: after fork and exec that begins at what the parent held.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024.0


def run_stage(stage: str, path: Path) -> None:
    """Do one stage, and what it needs, in this process; write the peak."""
    import cv2
    import rawpy

    from dslr.develop.develop import develop, plan_develop
    from dslr.develop.framing import PREVIEW_PX, preview_of
    from dslr.develop.white_balance import white_balance_of
    from dslr.files.metadata import read_metadata
    from dslr.files.raw_file import open_raw, read_mosaic
    from dslr.measure.regions import cell_grid

    cv2.setNumThreads(1)
    if stage == "decode":
        with rawpy.imread(str(path)) as raw:
            raw.unpack()
    elif stage != "imports":
        colour = read_metadata(path).dng_colour
        with open_raw(path) as raw:
            mosaic = read_mosaic(raw, path)
            if stage in ("preview", "all"):
                preview_of(mosaic, PREVIEW_PX)
            if stage in ("cells", "all"):
                cell_grid(mosaic)
            if stage in ("develop", "all"):
                balance = white_balance_of(raw, colour)
                develop(raw, mosaic, plan_develop(raw, mosaic, balance, colour, MAX_SIDE_PX))
    sys.stdout.write(f"{peak_mib():.0f}\n")


def stages_mib(path: Path) -> dict[str, int]:
    """Return the peak of every stage, each in a fresh process."""
    found = {}
    for stage in STAGES:
        command = [sys.executable, __file__, "--stage", stage, "--file", str(path)]
        done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
        found[stage] = int(done.stdout)
    return found


def held_over_files(place: Path, num_files: int) -> dict[str, Any]:
    """Return what the workers of one ingest of small brackets hold, early and at most."""
    from tests.dslr.conftest import photograph

    folder, out = place / "captures", place / "out"
    for number in range(-(-num_files // 3)):
        photograph(folder, f"b{number:04d}", number)
    code = "from cat_dataset.cli import main; main()"
    command = [sys.executable, "-c", code, "ingest", str(folder), "--out", str(out)]
    subprocess.run([*command, "--workers", "2"], check=True, cwd=ROOT, capture_output=True)
    figures: dict[str, Any] = {"files": 3 * -(-num_files // 3)}
    for log in sorted((out / "logs").glob("worker-*.log")):
        held = [int(number) for number in HELD.findall(log.read_text())]
        early = held[min(SETTLED_AFTER, len(held)) - 1]
        figures[log.stem] = {
            "units": len(held),
            "mib_at_unit_20": early,
            "largest_mib_after": max(held[SETTLED_AFTER - 1 :], default=early),
            "last_mib": held[-1],
        }
    return figures


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num-files", type=int, default=500)
    parser.add_argument("--stage", choices=STAGES)  # of the process itself
    parser.add_argument("--file", type=Path)
    args = parser.parse_args()
    if args.stage is not None:
        run_stage(args.stage, args.file)
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_large(place / "large.dng")
        peaks = stages_mib(place / "large.dng")
        figures = {
            "peak_mib_of_60_megapixels": peaks,
            "limit_mib": round(LIMIT_MIB),
            "is_within": max(peaks.values()) <= LIMIT_MIB,
            "held": held_over_files(place, args.num_files) if args.num_files else None,
        }
    print(json.dumps(figures, indent=1))  # noqa: T201  # a benchmark's output is its print


if __name__ == "__main__":
    main()
