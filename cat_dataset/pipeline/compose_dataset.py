"""Stored linear light becomes a new data set of pairs, without Blender."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cat_dataset.compose.stored_light import compose_units
from cat_dataset.errors import JobError
from cat_dataset.generate import RunSummary, WorkUnit, run_units
from cat_dataset.jobs.manifest import ComposeManifest
from cat_dataset.pipeline.job_source import JobSource, open_job
from cat_dataset.store.linear_dataset import LinearDataset, LinearRow
from cat_dataset.system.cores import available_cores
from cat_dataset.system.progress import Progress, SilentProgress


class ComposePlan(NamedTuple):
    """What composing would make: its manifest, the stored light, a unit for each scene."""

    job: ComposeManifest
    rows: Sequence[LinearRow]
    units: Sequence[WorkUnit]


def compose_dataset(
    folder: Path | str,
    manifest: JobSource,
    out: Path | str,
    *,
    num_workers: int | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
) -> RunSummary:
    """Make pairs anew from light that was kept: other scales, counts, sizes or tone curve.

    Scenes keep their split. `num_workers` None: as many as there are cores.

    Raises:
        JobError: the manifest has no [compose], or `out` is `folder` or holds another data set.
        ShardError: the folder holds no linear light.
    """
    plan = plan_compose(folder, manifest, out)
    return run_units(
        plan.job,
        plan.units,
        Path(out),
        num_workers=num_workers or available_cores(),
        progress=progress or SilentProgress(),
        retry_failed=retry_failed,
    )


def plan_compose(folder: Path | str, manifest: JobSource, out: Path | str) -> ComposePlan:
    """Return what `compose_dataset` would make, with its errors."""
    job = open_job(manifest).job.compose_manifest()
    stored = Path(folder)
    if Path(out).resolve() in (stored.resolve(), (stored / "linear").resolve()):
        msg = f"{out}: is where the light is read from; give another folder to write"
        raise JobError(msg)
    rows = LinearDataset([stored]).rows
    return ComposePlan(job, rows, compose_units(job.dataset, job.compose, rows))
