"""How fast RAW files become pairs, against a bare rawpy decode of the same files in the same run.

    python benchmarks/ingest_speed.py --brackets 12 --megapixels 20

Both run on 2 processes of one thread. Ingest is the whole command: metadata, grouping, measuring,
developing, composing, encoding, shards, index. Bare decode is `imread` and `postprocess` of every
file with the parameters under which frames compare, nothing else: no metadata, no picture
written. `full` interpolates every pixel, as `postprocess` does unless told otherwise, and is the
one that the target of 0.85 is about; `half` makes one pixel of four; `unpack` only reads sensor
values. The ratio is bare time over ingest time, above 1 where ingest is the faster: of wall time,
and of processor time, which a busy machine disturbs less.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
NUM_PROCESSES = 2
MAX_SIDE_PX = 1024
FRAMES_S = ((1 / 16, 1 / 15), (1 / 64, 1 / 60), (1 / 256, 1 / 250))  # taken, printed
BARE = ("unpack", "half", "full")


def mean_signal(height_px: int, width_px: int) -> NDArray[np.float32]:
    """Return a mosaic with detail at every scale, in shares of full scale at 1/64 s."""
    import cv2

    from cat_dataset.system.seeding import derive_rng
    from dslr.simulator.simulated_camera import bayer_mosaic, camera_rgb

    rng = derive_rng(0, "ingest-speed")
    light_HW3 = np.full((height_px, width_px, 3), 0.08, np.float32)
    for octave in range(9):
        side = 4 * 2**octave
        cells = rng.uniform(0.0, 0.08, (side * 3 // 4, side, 3)).astype(np.float32)
        light_HW3 += cv2.resize(cells, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    for _ in range(4):
        at = int(rng.integers(width_px)), int(rng.integers(height_px))
        cv2.circle(light_HW3, at, width_px // 60, (2.0, 2.0, 2.0), -1)
    return bayer_mosaic(camera_rgb(light_HW3) * 0.3).astype(np.float32)


def write_brackets(folder: Path, num_brackets: int, megapixels: float) -> list[Path]:
    """Write brackets of 3 frames 2 stops apart; each is the scene moved, under noise of its own."""
    from cat_dataset.system.seeding import derive_rng
    from dslr.simulator.dng import DngHeader, write_dng
    from dslr.simulator.simulated_camera import XYZ_TO_CAMERA, camera_rgb

    width_px = round((megapixels * 1.5e6) ** 0.5 / 2) * 2
    mean_HW = mean_signal(width_px * 2 // 3 // 2 * 2, width_px)
    rng = derive_rng(0, "ingest-speed-noise")
    noise_HW = rng.standard_normal(mean_HW.shape, np.float32)
    red, green, blue = camera_rgb(np.ones((1, 1, 3), np.float32))[0, 0].tolist()
    paths = []
    folder.mkdir()
    for number in range(num_brackets):
        moved_HW = np.roll(mean_HW, (200 * number, 350 * number), axis=(0, 1))
        for index, (taken_s, printed_s) in enumerate(FRAMES_S):
            # photons: 40000 at full scale, so noise of the square root, and 4 of reading
            mean_e = moved_HW * np.float32(40_000.0 * taken_s * 64.0)
            shift = tuple(int(step) for step in rng.integers(0, 2000, 2))
            recorded_e = mean_e + np.sqrt(mean_e + 16.0) * np.roll(noise_HW, shift, axis=(0, 1))
            values = np.clip(recorded_e * np.float32(15871 / 40_000.0) + 512.5, 0.0, 16383.0)
            paths.append(folder / f"shot-{number:02d}-{index}.dng")
            header = DngHeader(
                make="CAT",
                model="Simulated",
                software="benchmark",
                description="a re-exposed scene",
                captured_at=datetime(2026, 1, 1) + timedelta(minutes=number, seconds=index / 2),
                exposure_time_s=printed_s,
                f_number=5.6,
                iso=100,
                focal_length_mm=50.0,
                as_shot_neutral=(red / green, 1.0, blue / green),
                xyz_to_camera=XYZ_TO_CAMERA,
                black_level=512,
                white_level=16383,
            )
            write_dng(paths[-1], values.astype(np.uint16), header)
    return paths


def decode_bare(kind: str, path: Path) -> int:
    """Decode one file as `kind` says; return how many values came out."""
    import rawpy

    with rawpy.imread(str(path)) as raw:
        if kind == "unpack":
            return int(raw.raw_image_visible.copy().size)
        picture = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            output_bps=16,
            adjust_maximum_thr=0.0,
            user_wb=[2.0, 1.0, 1.5, 1.0],
            user_flip=0,
            highlight_mode=rawpy.HighlightMode.Clip,
            output_color=rawpy.ColorSpace.raw,
            half_size=kind == "half",
        )
        return int(picture.size)


def decode_all(kind: str, paths: Sequence[Path]) -> None:
    """Decode all files on 2 processes, which are started for it and ended."""
    with multiprocessing.get_context("spawn").Pool(NUM_PROCESSES) as pool:
        pool.starmap(decode_bare, [(kind, path) for path in paths], chunksize=1)
        pool.close()
        pool.join()


def ingest(folder: Path, out: Path) -> None:
    """Run the whole command."""
    code = "from cat_dataset.cli import main; main()"
    command = [sys.executable, "-c", code, "ingest", str(folder), "--out", str(out)]
    subprocess.run(
        [*command, "--workers", str(NUM_PROCESSES)], check=True, cwd=ROOT, capture_output=True
    )


def measured_s(call: Callable[[], None]) -> tuple[float, float]:
    """Return the wall time of a call and the processor time of the processes it started."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call()
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def stage_times_s(folder: Path, paths: Sequence[Path]) -> dict[str, float]:
    """Return seconds per file of each stage in this process, median over the files of a bracket."""
    import cv2

    from cat_dataset.jobs.datasets import CaptureSource
    from cat_dataset.jobs.manifest import DatasetJob
    from dslr.develop.develop import develop, plan_develop
    from dslr.develop.framing import PREVIEW_PX, preview_of
    from dslr.develop.white_balance import white_balance_of
    from dslr.files.metadata import read_metadata
    from dslr.files.raw_file import open_raw, read_mosaic
    from dslr.measure.regions import cell_grid
    from dslr.units import ingest_unit, scan_folder

    cv2.setNumThreads(1)
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began_s = time.process_time()
        result = call()
        times.setdefault(name, []).append(time.process_time() - began_s)
        return result

    for path in paths:
        metadata = timed("metadata", lambda p=path: read_metadata(p))
        with open_raw(path) as raw:
            timed("decode", raw.unpack)
            mosaic = timed("mosaic copy and checks", lambda r=raw, p=path: read_mosaic(r, p))
            timed("preview", lambda m=mosaic: preview_of(m, PREVIEW_PX))
            timed("cell grid", lambda m=mosaic: cell_grid(m))
            colour = metadata.dng_colour
            balance = white_balance_of(raw, colour)
            plan = plan_develop(raw, mosaic, balance, colour, MAX_SIDE_PX)
            timed("develop", lambda r=raw, m=mosaic, p=plan: develop(r, m, p))
        timed("hash", lambda p=path: hashlib.sha256(p.read_bytes()).hexdigest())
    batch = CaptureSource(name="captures", folder=folder)
    dataset = DatasetJob(name="captures", seed=0)
    group = scan_folder(batch, num_workers=NUM_PROCESSES)[0]
    timed("whole unit, per file", lambda: ingest_unit(dataset, batch, group))
    per_file = {name: statistics.median(values) for name, values in times.items()}
    per_file["whole unit, per file"] /= len(group.paths)
    return {name: round(seconds, 3) for name, seconds in per_file.items()}


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brackets", type=int, default=12)
    parser.add_argument("--megapixels", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # LibRaw's threads; the processes started below heed it
    times_s: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "captures"
        paths = write_brackets(folder, args.brackets, args.megapixels)
        decode_all("unpack", paths)  # brings the files into the system's cache, for all alike
        for number in range(args.repeats):  # interleaved: a busy machine slows all of them
            calls: dict[str, Callable[[], None]] = {
                kind: partial(decode_all, kind, paths) for kind in BARE
            }
            calls["ingest"] = partial(ingest, folder, Path(name) / f"out-{number}")
            for kind, call in calls.items():
                times_s.setdefault(kind, []).append(measured_s(call))
        stages = stage_times_s(folder, paths[: len(FRAMES_S)])
    walls_s, cpus_s = (
        {
            kind: round(statistics.median(t[part] for t in times), 2)
            for kind, times in times_s.items()
        }
        for part in (0, 1)
    )
    figures = {
        "files": len(paths),
        "megapixels": args.megapixels,
        "wall_s": walls_s,
        "cpu_s": cpus_s,
        "ratio": {kind: round(walls_s[kind] / walls_s["ingest"], 3) for kind in BARE},
        "ratio_of_cpu": {kind: round(cpus_s[kind] / cpus_s["ingest"], 3) for kind in BARE},
        "cpu_s_per_file": stages,
    }
    print(json.dumps(figures, indent=1))  # noqa: T201  # a benchmark's output is its print


if __name__ == "__main__":
    main()
