"""Measure what scenes cost on one idle core, for `cat_dataset/jobs/cost_table.py`.

    python benchmarks/costs.py --family tabletop --scenes 3

Prints constants as JSON: seconds to build, fixed seconds of a render, microseconds per pixel
sample, how much slower some attributes' frames are, seconds of every probe per frame,
microseconds per pixel of denoising and composing, bytes per pixel of pictures and linear light.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from render.basis import GroupPictures
    from render.blender.renderer import RenderSettings
    from render.scene import BuiltScene

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
SMALL, LARGE = (64, 2), (160, 10)  # pixels of a side, samples per pixel
NUM_PX = LARGE[0] ** 2


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return a call's CPU seconds and its result."""
    begin_s = time.process_time()
    result = call()
    return time.process_time() - begin_s, result


def scene_costs(family: str, number: int) -> dict[str, Any]:
    """Return the costs of one scene."""
    from cat_dataset.system.seeding import derive_seed
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings
    from render.families.registry import build_scene

    seed = derive_seed(5, family, number)
    build_s, built = timed(lambda: build_scene(family, seed, LARGE[0], LARGE[0]))
    small, large = (RenderSettings(side, side, samples, seed=1) for side, samples in (SMALL, LARGE))
    small_s, _ = timed(lambda: render_groups(built, small))
    large_s, pictures = timed(lambda: render_groups(built, large))
    return {
        "build_s": build_s,
        **render_costs(small_s, large_s),
        "num_groups": len(pictures.images_GHW3),
        **denoise_costs(pictures),
        **compose_costs(built, large, number),
        **sweep_costs(family, built, large, seed, large_s),
    }


def render_costs(small_s: float, large_s: float) -> dict[str, float]:
    """Return the fixed part of a render and the part of each pixel sample, from two renders."""
    num_small, num_large = (side * side * samples for side, samples in (SMALL, LARGE))
    per_sample_s = (large_s - small_s) / (num_large - num_small)
    return {"sync_s": small_s - per_sample_s * num_small, "us_per_sample": 1e6 * per_sample_s}


def denoise_costs(pictures: "GroupPictures") -> dict[str, float]:
    """Return what denoising one picture costs; the two guides count as pictures."""
    from render.blender.denoise import shared_denoiser

    denoiser = shared_denoiser("balanced")
    guides_s, guides = timed(
        lambda: denoiser.clean_guides(pictures.albedo_HW3, pictures.normal_HW3)
    )
    images = pictures.images_GHW3
    denoise_s, _ = timed(lambda: [denoiser.denoise(image, guides) for image in images])
    return {"denoise_us_per_px": 1e6 * (denoise_s + guides_s) / (len(images) + 2) / NUM_PX}


def compose_costs(built: "BuiltScene", settings: "RenderSettings", number: int) -> dict[str, float]:
    """Return what composing one pair costs, and how large its pictures and the light are."""
    from cat_dataset.attributes.table import BASIS_ATTRIBUTES
    from cat_dataset.compose.basis_pairs import compose_basis
    from cat_dataset.jobs.manifest import DatasetJob
    from cat_dataset.jobs.plans import PairPlan
    from cat_dataset.store.linear_files import encode_linear
    from render.basis import light_basis
    from render.scene import SceneContext

    context = SceneContext("cost", "train", {}, denoise=True, annotate=False)
    basis = light_basis(built, settings, context)
    plans = {name: PairPlan(num_pairs=4) for name in BASIS_ATTRIBUTES}
    job = DatasetJob(name="cost", seed=number)
    compose_s, result = timed(lambda: compose_basis(basis, plans, job))
    sizes = [len(png) for pair in result.pairs for png in (pair.source_png, pair.target_png)]
    return {
        "compose_us_per_px": 1e6 * compose_s / (4 * len(plans)) / NUM_PX,
        "picture_bytes_per_px": float(np.mean(sizes)) / NUM_PX,
        "linear_bytes_per_px": len(encode_linear(basis).exr) / NUM_PX / len(basis.groups),
    }


def sweep_costs(
    family: str, built: "BuiltScene", settings: "RenderSettings", seed: int, plain_s: float
) -> dict[str, dict[str, float]]:
    """Return of each swept attribute its probe's seconds per frame, and how slow frames are.

    `plain_s` is what a frame costs of which nothing was edited.
    """
    from cat_dataset.attributes.table import BASIS_ATTRIBUTES, FAMILY_ATTRIBUTES
    from cat_dataset.system.seeding import derive_rng
    from render.sweeps.table import RENDERED, sweep_values_rand

    if built.shape_keys:
        built = replace(built, edited_shape_key=built.shape_keys[0])
    probe_s, slower = {}, {}
    for name in sorted(FAMILY_ATTRIBUTES[family] - set(BASIS_ATTRIBUTES)):
        if RENDERED[name].centre(built) is None:  # the scene lacks it
            continue
        values = sweep_values_rand(derive_rng(seed, name), built, name, 3, None)
        probe_s[name], frame_s = sweep_seconds(built, settings, name, values)
        slower[name] = frame_s / plain_s
    return {"probe_s": probe_s, "slower": slower}


def sweep_seconds(
    built: "BuiltScene", settings: "RenderSettings", name: str, values: Sequence[float]
) -> tuple[float, float]:
    """Return the seconds of an attribute's probe and of its render, per frame."""
    from render.basis import render_groups
    from render.sweeps.table import RENDERED

    make_s, probe = timed(lambda: RENDERED[name].probe(built, settings, values))
    look_s, frame_s = [], []
    with RENDERED[name].setter(built) as put:
        for value in values[:2]:
            state = put(value)
            look_s.append(timed(probe.look)[0])
            frame_s.append(timed(partial(render_groups, state, settings))[0])
    return make_s / 4.0 + float(np.mean(look_s)), float(np.mean(frame_s))


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
