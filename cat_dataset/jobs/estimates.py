"""What a manifest's rendered scenes will cost: pairs, core-hours, disk; said before a run.

The costs were measured by `benchmarks/costs.py` on a two-core cloud machine with both cores busy,
where a core renders a quarter of a million pixel samples of a table top a second: scale the hours
by yours. `benchmarks/estimates.py` compares an estimate with a measured fraction of a manifest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cat_dataset.attributes.table import ATTRIBUTES, BASIS_ATTRIBUTES, SWEEP_ATTRIBUTES
from cat_dataset.jobs.cost_table import (
    ACCEPTED_SHARE,
    COMPOSE_US_PER_PX,
    DENOISE_US_PER_PX,
    FAMILY_COSTS,
    LINEAR_BYTES_PER_PX,
    PICTURE_BYTES_PER_PX,
    REFERENCE_SIDE_PX,
    SCENES_PER_WORKER,
    START_S,
    FamilyCost,
)
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan, attributes_of_plan

_GUIDES = 2  # albedo and normals are denoised as well
_DENOISED_PER_FRAME = 1 + _GUIDES
_HALVES = 2  # of a sweep's first frame, each denoised as a frame of its own
_ANNOTATION_RENDERS = 2  # the scene, and the object alone
_ROW_BYTES = 3000  # JSON and tar headers of a pair
_SIZE_POWER = -0.24  # larger pictures are smoother: bytes per pixel fall with the side


@dataclass(frozen=True)
class Estimate:
    """What one source will cost, on the reference core."""

    num_scenes: int
    pairs: Mapping[str, float]  # expected, by plan
    core_s: float
    disk_bytes: float


def estimate_source(dataset: DatasetJob, source: RenderSource) -> Estimate:
    """Return the expected cost of a source of procedural scenes."""
    cost, num_scenes = FAMILY_COSTS[source.family], source.num_scenes or 0
    pairs = {
        name: plan_pairs(plan) * accepted_share(source.family, name)
        for name, plan in source.attributes.items()
    }
    scene_s = cost.build_s + _basis_s(source, cost)
    for name, plan in source.attributes.items():
        if name in SWEEP_ATTRIBUTES:
            is_annotated = bool(dataset.annotations) or ATTRIBUTES[name].role == "object"
            scene_s += _sweep_s(source, name, plan, is_annotated=is_annotated)
    num_px = source.width_px * source.height_px
    candidates = sum(plan_pairs(plan) for plan in source.attributes.values())
    scene_s += candidates * num_px * COMPOSE_US_PER_PX * 1e-6
    return Estimate(
        num_scenes=num_scenes,
        pairs=MappingProxyType({name: num_scenes * n for name, n in pairs.items()}),
        core_s=num_scenes * scene_s + math.ceil(num_scenes / SCENES_PER_WORKER) * START_S,
        disk_bytes=num_scenes * _scene_bytes(dataset, source, sum(pairs.values())),
    )


def plan_pairs(plan: PairPlan) -> int:
    """Return how many pairs a plan draws of one scene, before any check."""
    frames = plan.num_frames or len(plan.sweep or ())
    return min(plan.num_pairs, frames * (frames - 1)) if frames else plan.num_pairs


def accepted_share(family: str, name: str) -> float:
    """Return the share of candidates that pass the checks, of a family and a plan."""
    shares = [
        ACCEPTED_SHARE.get((family, attribute), ACCEPTED_SHARE.get(("any", attribute), 1.0))
        for attribute in attributes_of_plan(name)
    ]
    return math.prod(shares)


def _basis_s(source: RenderSource, cost: FamilyCost) -> float:
    if not any(name in BASIS_ATTRIBUTES for name in source.attributes):
        return 0.0
    images = cost.num_groups + _GUIDES if source.denoise else 0
    return _render_s(source, cost) + _denoise_s(source, images)


def _sweep_s(source: RenderSource, name: str, plan: PairPlan, *, is_annotated: bool) -> float:
    cost, frame_cost = FAMILY_COSTS[source.family], ATTRIBUTES[name].frame_cost
    assert frame_cost is not None, "what is rendered anew has its cost"
    frames = plan.num_frames or len(plan.sweep or ())
    factor = frame_cost.slower.get(source.family, 1.0)
    images = (frames + _HALVES) * _DENOISED_PER_FRAME if source.denoise else 0
    seconds = (frames + 1) * cost.sync_s + frames * factor * _samples_s(source, cost)
    seconds += _denoise_s(source, images) + frames * frame_cost.probe_s
    if is_annotated:
        num_px = source.width_px * source.height_px
        one_look_s = cost.sync_s + num_px * cost.us_per_sample * 1e-6
        seconds += frames * _ANNOTATION_RENDERS * one_look_s
    return seconds


def _render_s(source: RenderSource, cost: FamilyCost) -> float:
    return cost.sync_s + _samples_s(source, cost)


def _samples_s(source: RenderSource, cost: FamilyCost) -> float:
    samples = source.width_px * source.height_px * source.samples_per_pixel
    return samples * cost.us_per_sample * 1e-6


def _denoise_s(source: RenderSource, images: int) -> float:
    return images * source.width_px * source.height_px * DENOISE_US_PER_PX * 1e-6


def _scene_bytes(dataset: DatasetJob, source: RenderSource, pairs: float) -> float:
    num_px = source.width_px * source.height_px
    side = math.sqrt(num_px)
    if dataset.samples == "linear":
        images = FAMILY_COSTS[source.family].num_groups + sum(
            plan.num_frames or len(plan.sweep or ()) for plan in source.attributes.values()
        )
        return images * num_px * LINEAR_BYTES_PER_PX
    shrink: float = (side / REFERENCE_SIDE_PX) ** _SIZE_POWER
    per_px = PICTURE_BYTES_PER_PX[source.family] * shrink
    annotations = {"mask": 0.03, "moving": 0.01, "depth": 1.6, "normal": 2.2}  # bytes per px
    beside = sum(annotations[name] for name in dataset.annotations)
    return pairs * (2.0 * num_px * (per_px + beside) + _ROW_BYTES)


def estimate_text(estimates: Mapping[str, Estimate]) -> str:
    """Return a table of sources and their sum, for `--dry-run`."""
    lines = [f"{'source':<20} {'scenes':>8} {'pairs':>10} {'core-hours':>11} {'disk':>9}"]
    rows = [
        (name, e.num_scenes, sum(e.pairs.values()), e.core_s, e.disk_bytes)
        for name, e in estimates.items()
    ]
    total = (
        "all",
        sum(row[1] for row in rows),
        sum(row[2] for row in rows),
        sum(row[3] for row in rows),
        sum(row[4] for row in rows),
    )
    for name, scenes, pairs, core_s, disk in (*rows, total):
        size = f"{disk / 1e9:.3g} GB" if disk < 1e12 else f"{disk / 1e12:.3g} TB"
        lines.append(f"{name:<20} {scenes:>8} {pairs:>10.0f} {core_s / 3600.0:>11.3g} {size:>9}")
    return "\n".join(lines)
