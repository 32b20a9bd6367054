"""How fast pairs come out of the renderer, as ratios taken in one run.

    python benchmarks/render_speed.py --out out/benchmark

1. photometric: pairs per core-hour from light bases over one render per image, same size, samples.
2. swept: pairs per render where all ordered pairs are used, over "one base, one variant".
3. wall: the whole command `render` on two workers over bare `bpy.ops.render.render` of the same
   scenes on two processes; and where the rest goes.
4. split: one process with two threads over two processes with one.
Prints a table, and writes JSON beside it.
"""

import argparse
import json
import multiprocessing
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RENDERED = re.compile(r"^rendered (\S+) in ([\d.]+) s$", re.M)
SEED = 11
PAIRS = 24  # a scene, of the whole command
MANY_PAIRS = 64  # a scene: a basis holds every photometric pair there is


def manifest_text(args: argparse.Namespace, attributes: str) -> str:
    """Return a job of `num` scenes with the given plans."""
    return f"""
[dataset]
name = "speed"
seed = {SEED}
units_per_shard = 4

[[render]]
name = "speed"
family = "{args.family}"
num_scenes = {args.num}
width_px = {args.size}
height_px = {args.size}
samples_per_pixel = {args.samples}

[render.attributes]
{attributes}
"""


PHOTOMETRIC = ("exposure", "white_balance", "light_power", "light_temperature", "ambient_level")


def photometric_plans(num_pairs: int) -> str:
    """Return plans of so many pairs a scene in all, shared among the photometric attributes."""
    each, rest = divmod(num_pairs, len(PHOTOMETRIC))
    return "\n".join(
        f"{name} = {{ num_pairs = {each + (place < rest)} }}"
        for place, name in enumerate(PHOTOMETRIC)
    )


SWEPT = "object_rotation = { num_frames = 4, num_pairs = 12 }"


def run_command(
    args: argparse.Namespace, name: str, attributes: str, workers: int
) -> dict[str, Any]:
    """Run `cat-dataset render` and return its wall time, pairs, and seconds inside renders."""
    import pyarrow.parquet as pq

    out = args.out / name
    manifest = args.out / f"{name}.toml"
    manifest.write_text(manifest_text(args, attributes))
    begin_s = time.perf_counter()
    code = "from cat_dataset.cli import main; main()"
    subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "render",
            str(manifest),
            "--out",
            str(out),
            "-w",
            str(workers),
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall_s = time.perf_counter() - begin_s
    status = pq.read_table(out / "index.parquet")["status"].to_pylist()
    inside_s = sum(
        float(seconds)
        for log in (out / "logs").glob("worker-*.log")
        for _, seconds in RENDERED.findall(log.read_text())
    )
    return {
        "wall_s": wall_s,
        "pairs": status.count("ok"),
        "rejected": status.count("rejected"),
        "inside_render_s": inside_s,
    }


def bare_seconds(args: argparse.Namespace, number: int, threads: int) -> dict[str, float]:
    """Build one scene and time nothing but Blender's own render of it; runs in a worker."""
    import bpy

    from cat_dataset.system.seeding import derive_seed
    from render.blender.renderer import RenderSettings, apply_settings
    from render.blender.session import captured_output
    from render.families.registry import build_scene

    begin_s = time.perf_counter()
    seed = derive_seed(SEED, "speed", f"speed-{number:04d}")
    built = build_scene(args.family, seed, args.size, args.size)
    build_s = time.perf_counter() - begin_s
    apply_settings(built.scene, RenderSettings(args.size, args.size, args.samples, seed=1))
    layer = built.scene.view_layers[0]
    for group in list(layer.lightgroups):
        layer.lightgroups.remove(group)
    layer.cycles.denoising_store_passes = False
    built.scene.render.threads = threads
    with captured_output():
        begin_s = time.perf_counter()
        bpy.ops.render.render(scene=built.scene.name)
        render_s = time.perf_counter() - begin_s
    return {"build_s": build_s, "render_s": render_s}


def run_bare(
    args: argparse.Namespace, numbers: Sequence[int], processes: int, threads: int
) -> dict[str, float]:
    """Render scenes bare on some processes; the wall time counts only what renders."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        found = list(pool.map(partial(bare_seconds, args, threads=threads), numbers))
    total_s = sum(item["render_s"] for item in found)
    return {"render_s": total_s, "wall_s": total_s / processes}


def parts_of_a_scene(args: argparse.Namespace) -> dict[str, float]:
    """Return seconds of one process's work on one scene, part by part."""
    import numpy as np

    from cat_dataset.compose.basis_pairs import compose_light
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.records import LightBasis
    from cat_dataset.system.seeding import derive_seed
    from render.basis import balance_gains, render_groups
    from render.blender.denoise import shared_denoiser
    from render.blender.renderer import RenderSettings
    from render.families.registry import build_scene

    job = load_job(args.out / "photometric.toml")
    seed = derive_seed(SEED, "speed", "speed-0000")
    parts: dict[str, float] = {}
    built = timed(parts, "build", lambda: build_scene(args.family, seed, args.size, args.size))
    settings = RenderSettings(args.size, args.size, args.samples, seed=1)
    pictures = timed(parts, "render", lambda: render_groups(built, settings))
    for quality in ("fast", "balanced", "high"):
        denoiser = shared_denoiser(quality)
        guides = denoiser.clean_guides(pictures.albedo_HW3, pictures.normal_HW3)
        timed(
            parts,
            f"denoise {len(pictures.images_GHW3)} groups, {quality}",
            lambda d=denoiser, g=guides: [d.denoise(i, g) for i in pictures.images_GHW3],
        )
    basis = LightBasis(
        "speed-0000",
        "train",
        built.groups,
        pictures.images_GHW3 * balance_gains(built).astype(np.float32),
        built.wb_cct_k,
        built.groups[0].name,
    )
    result = timed(
        parts, "compose", lambda: compose_light(basis, job.render[0].attributes, job.dataset)
    )
    parts["compose, per pair"] = parts["compose"] / max(1, len(result.pairs))
    return parts


def timed(parts: dict[str, float], name: str, call: Callable[[], Any]) -> Any:
    """Return a call's result and note its seconds."""
    begin_s = time.perf_counter()
    result = call()
    parts[name] = time.perf_counter() - begin_s
    return result


def report(args: argparse.Namespace) -> dict[str, Any]:
    """Run everything and return the figures."""
    # half of the bare renders before and half after: a shared machine's speed drifts
    half = args.num // 2
    before = run_bare(args, range(half), processes=2, threads=1)
    photometric = run_command(args, "photometric", photometric_plans(PAIRS), workers=2)
    after = run_bare(args, range(half, args.num), processes=2, threads=1)
    bare = {name: before[name] + after[name] for name in before}
    few = argparse.Namespace(**{**vars(args), "num": max(2, half)})
    many = run_command(few, "many", photometric_plans(MANY_PAIRS), workers=2)
    one_image_s = bare["render_s"] / args.num
    photometric_figures = {
        f"photometric_over_one_render_per_image_{count}_pairs_a_scene": over_one_render_per_image(
            run, one_image_s
        )
        for count, run in ((PAIRS, photometric), (MANY_PAIRS, many))
    }
    if args.wall_only:
        return {
            "size_px": args.size,
            "samples_per_pixel": args.samples,
            "scenes": args.num,
            "family": args.family,
            **photometric_figures,
            "wall_over_bare_render": photometric["wall_s"] / bare["wall_s"],
            "photometric": photometric,
            "many": many,
            "bare": bare,
        }
    one_worker = run_command(args, "one-worker", photometric_plans(PAIRS), workers=1)
    swept = run_command(few, "swept", SWEPT, workers=2)
    threaded = run_bare(args, range(args.num), processes=1, threads=2)
    parts = in_a_process(parts_of_a_scene, args)
    frames = 4 * few.num
    return {
        "size_px": args.size,
        "samples_per_pixel": args.samples,
        "scenes": args.num,
        "family": args.family,
        **photometric_figures,
        "swept_pairs_per_render_over_base_and_variant": swept["pairs"] / frames / (1.0 / 2.0),
        "swept_pairs_per_render_over_shared_base": swept["pairs"] / frames / (3.0 / 4.0),
        "wall_over_bare_render": photometric["wall_s"] / bare["wall_s"],
        "swept_wall_over_bare_render": swept["wall_s"] / (frames * one_image_s / 2.0),
        "bare_two_threads_over_two_processes": threaded["wall_s"] / bare["wall_s"],
        "command_one_worker_two_threads_over_two_workers": one_worker["wall_s"]
        / photometric["wall_s"],
        "photometric": photometric,
        "many": many,
        "swept": swept,
        "bare": bare,
        "seconds_of_one_scene": parts,
    }


def over_one_render_per_image(run: dict[str, Any], one_image_s: float) -> float:
    """Return pairs per core-hour of a run over those of one render per image.

    Without a basis every pair takes two renders, a base and a variant: light costs a render.
    """
    num_cores = 2.0
    pairs_per_core_s: float = run["pairs"] / (num_cores * run["wall_s"])
    return pairs_per_core_s * 2.0 * one_image_s


def in_a_process(call: Callable[[argparse.Namespace], Any], args: argparse.Namespace) -> Any:
    """Run a call that loads Blender in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(call, args).result()


def table(figures: dict[str, Any]) -> str:
    """Return the ratios and the parts as a Markdown table."""
    rows = ["| what | value |", "|---|---|"]
    for name, value in figures.items():
        if isinstance(value, float):
            rows.append(f"| {name} | {value:.3f} |")
    if "seconds_of_one_scene" not in figures:
        return "\n".join(rows)
    total = sum(figures["seconds_of_one_scene"][part] for part in ("build", "render", "compose"))
    for name, seconds in figures["seconds_of_one_scene"].items():
        rows.append(f"| one scene: {name} | {seconds:.3f} s, {seconds / total:.1%} |")
    return "\n".join(rows)


def main() -> None:
    """Parse the options, run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "benchmark")
    parser.add_argument("--family", default="tabletop")
    parser.add_argument("--num", type=int, default=8, help="scenes")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--wall-only", action="store_true", help="figures 1 and 3 alone")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    figures = report(args)
    (args.out / "render_speed.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))  # noqa: T201  # a benchmark's output is its print


if __name__ == "__main__":
    main()
