"""Measure what scenes cost on one idle core, for `cat_dataset/cost_table.py`.

    python benchmarks/costs.py --family tabletop --scenes 3

Prints constants as JSON: seconds to build, fixed seconds of a render, microseconds per pixel
sample, how much slower some attributes' frames are, seconds of every instrument per frame,
microseconds per pixel of denoising and composing, bytes per pixel of pictures and linear light.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
SMALL, LARGE = (64, 2), (160, 10)  # pixels of a side, samples per pixel


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return a call's CPU seconds and its result."""
    begin_s = time.process_time()
    result = call()
    return time.process_time() - begin_s, result


def scene_costs(family: str, number: int) -> dict[str, Any]:
    """Return the costs of one scene."""
    from cat_dataset.compose import compose_basis
    from cat_dataset.linear_store import encode_linear
    from cat_dataset.manifest import DatasetJob
    from cat_dataset.plans import BASIS_ATTRIBUTES, FAMILY_ATTRIBUTES, PairPlan
    from cat_dataset.seeding import derive_rng, derive_seed
    from render.axis_table import AXES, sweep_values_rand
    from render.basis import light_basis, render_groups
    from render.cycles import RenderSettings
    from render.denoise import shared_denoiser
    from render.families import build_scene
    from render.scene import SceneContext
    from render.sweeps import INSTRUMENTS

    seed = derive_seed(5, family, number)
    build_s, built = timed(lambda: build_scene(family, seed, LARGE[0], LARGE[0]))
    times = []
    for side, samples in (SMALL, LARGE):
        settings = RenderSettings(side, side, samples, seed=1)
        seconds, pictures = timed(lambda s=settings: render_groups(built, s))
        times.append((side * side * samples, seconds))
    per_sample_s = (times[1][1] - times[0][1]) / (times[1][0] - times[0][0])
    denoiser = shared_denoiser("balanced")
    guides_s, guides = timed(
        lambda: denoiser.clean_guides(pictures.albedo_HW3, pictures.normal_HW3)
    )
    images = pictures.images_GHW3
    denoise_s, _ = timed(lambda: [denoiser.denoise(image, guides) for image in images])
    num_px = LARGE[0] ** 2
    context = SceneContext("cost", "train", {}, denoise=True, annotate=False)
    basis = light_basis(built, settings, context)
    plans = {name: PairPlan(num_pairs=4) for name in BASIS_ATTRIBUTES}
    job = DatasetJob(name="cost", seed=number)
    compose_s, result = timed(lambda: compose_basis(basis, plans, job))
    sizes = [len(png) for pair in result.pairs for png in (pair.source_png, pair.target_png)]
    if built.shape_keys:
        built = replace(built, edited_shape_key=built.shape_keys[0])
    found: dict[str, Any] = {
        "build_s": build_s,
        "sync_s": times[0][1] - per_sample_s * times[0][0],
        "us_per_sample": 1e6 * per_sample_s,
        "num_groups": len(images),
        "denoise_us_per_px": 1e6 * (denoise_s + guides_s) / (len(images) + 2) / num_px,
        "compose_us_per_px": 1e6 * compose_s / (4 * len(plans)) / num_px,
        "picture_bytes_per_px": float(np.mean(sizes)) / num_px,
        "linear_bytes_per_px": len(encode_linear(basis).exr) / num_px / len(images),
        "instrument_s": {},
        "slower": {},
    }
    names = sorted(FAMILY_ATTRIBUTES[family] - set(BASIS_ATTRIBUTES))
    for name in names:
        values = sweep_values_rand(derive_rng(seed, name), built, name, 3, None)
        if values is None:
            continue
        make_s, instrument = timed(lambda n=name, v=values: INSTRUMENTS[n](built, settings, v))
        look_s, frame_s = [], []
        with AXES[name].open(built) as put:
            for value in values[:2]:
                state = put(value)
                look_s.append(timed(instrument.look)[0])
                frame_s.append(timed(lambda s=state: render_groups(s, settings))[0])
        found["instrument_s"][name] = make_s / 4.0 + float(np.mean(look_s))
        found["slower"][name] = float(np.mean(frame_s)) / times[1][1]
    return found


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", required=True)
    parser.add_argument("--scenes", type=int, default=3)
    args = parser.parse_args()
    found = [scene_costs(args.family, number) for number in range(args.scenes)]
    mean: dict[str, Any] = {}
    for name in found[0]:
        values = [scene[name] for scene in found]
        if isinstance(values[0], dict):
            keys = sorted({key for value in values for key in value})
            mean[name] = {
                key: round(float(np.mean([v[key] for v in values if key in v])), 3) for key in keys
            }
        else:
            mean[name] = round(float(np.mean(values)), 4)
    print(json.dumps({args.family: mean}, indent=1))  # noqa: T201  # its output


if __name__ == "__main__":
    main()
