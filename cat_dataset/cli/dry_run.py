"""What `--dry-run` says: what a manifest would make, how long it takes and how much disk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cat_dataset.generate import WorkUnit
    from cat_dataset.jobs.datasets import RenderSource
    from cat_dataset.jobs.manifest import Job


def plan_text(job: "Job", units: "Sequence[WorkUnit]") -> str:
    """Return what a run would make of a manifest."""
    from cat_dataset.jobs.estimates import estimate_source, estimate_text

    num_shards = -(-len(units) // job.dataset.units_per_shard)
    lines = [f"{len(units)} units of work in {num_shards} shards"]
    lines += [_source_line(source) for source in job.render]
    procedural = [source for source in job.render if source.blends is None]
    if procedural:
        estimates = {source.name: estimate_source(job.dataset, source) for source in procedural}
        lines += ["", estimate_text(estimates), ""]
    if len(procedural) < len(job.render):
        lines.append("scenes of your own: pairs, hours and disk depend on them; try --workers 1")
    if job.simulate_camera is not None:
        lines.append(f"[simulate_camera]: {job.simulate_camera.num_brackets} brackets to ingest")
    if job.train is not None:
        steps = f"{job.train.adapter.num_steps} adapter steps"
        if job.train.is_compact:
            steps = f"{job.train.compact.num_steps} base and {steps}"
        lines.append(f"[train]: {steps} on {', '.join(job.train.attributes)}")
        if job.train.baselines:
            lines.append(f"[train]: then its baselines, {', '.join(job.train.baselines)}")
    return "\n".join(lines)


def _source_line(source: "RenderSource") -> str:
    from cat_dataset.jobs.estimates import plan_pairs

    asked = ", ".join(f"{name} {plan_pairs(plan)}" for name, plan in source.attributes.items())
    scenes = "every .blend" if source.num_scenes is None else f"{source.num_scenes} scenes"
    size = f"{source.width_px}x{source.height_px} px, {source.samples_per_pixel} samples"
    return f"[render] {source.name}: {scenes}, {size}; at most, of each: {asked or 'no'} pairs"
