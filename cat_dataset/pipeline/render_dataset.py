"""Scenes of a manifest become a data set of pairs."""

from functools import partial
from pathlib import Path

from cat_dataset.errors import JobError
from cat_dataset.generate import RunSummary, WorkUnit
from cat_dataset.jobs.manifest import Job
from cat_dataset.pipeline.job_source import JobSource, open_job
from cat_dataset.pipeline.make_dataset import make_dataset
from cat_dataset.system.cores import available_cores, threads_per_worker
from cat_dataset.system.extras import require_extras
from cat_dataset.system.progress import Progress, SilentProgress


def render_dataset(
    manifest: JobSource,
    out: Path | str,
    *,
    num_workers: int | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
    keep_linear: bool = False,
) -> RunSummary:
    """Render the scenes of a job into a data set of pairs; resume one that was begun.

    `num_workers` None: as many as there are cores. `keep_linear` also writes the linear light to
    `out`/linear, for `compose_dataset`. Failed scenes are in the summary.

    Raises:
        JobError: the manifest breaks a rule or has nothing to render, or `out` holds another job.
        MissingExtraError: Blender is not installed.
    """
    job, folder, subject = open_job(manifest)
    check_renders(job, subject, keep_linear=keep_linear)
    require_extras("render", "render")
    workers = num_workers or available_cores()
    threads = threads_per_worker(workers)
    return make_dataset(
        job,
        render_units(job, folder, num_threads=threads, keep_linear=keep_linear),
        Path(out),
        num_workers=workers,
        progress=progress or SilentProgress(),
        retry_failed=retry_failed,
        keep_linear=keep_linear,
    )


def check_renders(job: Job, subject: str, *, keep_linear: bool) -> None:
    """Raise JobError where a job has no scenes, or keeps their light already."""
    if not job.render:
        msg = f"{subject}: declares no [[render]] source; nothing to render"
        raise JobError(msg)
    if keep_linear and job.dataset.samples == "linear":
        msg = f'{subject}: samples = "linear" keeps the light; omit --keep-linear'
        raise JobError(msg)


def render_units(
    job: Job, base: Path, *, num_threads: int, keep_linear: bool = False
) -> list[WorkUnit]:
    """Return the units of work of all [[render]] sources; with their light, if it is kept.

    `base` is the manifest's folder, which its paths are relative to; `num_threads` is of a unit.
    """
    from render.scene_files import list_scenes
    from render.units import render_unit

    unit_of = partial(render_unit, job.dataset, keep_linear=keep_linear, threads=num_threads)
    return [
        WorkUnit(name, "render", partial(unit_of, source, name, files), made_of=files.content())
        for source in (source.located(base) for source in job.render)
        for name, files in list_scenes(job.dataset, source).items()
    ]
