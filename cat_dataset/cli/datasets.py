"""Commands that make data sets: render, ingest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    Manifest,
    OutFolder,
    RetryFailed,
    Workers,
    shown_progress,
)
from cat_dataset.errors import CatError, JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cat_dataset.generate import RunSummary, WorkUnit
    from cat_dataset.jobs.manifest import Job


def render(
    manifest: Manifest,
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
    keep_linear: Annotated[
        bool,
        typer.Option(
            "--keep-linear", help="Also write the linear light to OUT/linear, for `compose`."
        ),
    ] = False,
) -> None:
    """Render the scenes declared in MANIFEST into a data set of pairs.

    Example: cat-dataset render manifests/demo.toml --out out/renders
    """
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.system.extras import require_extras

    job = load_job(manifest)
    if not job.render:
        msg = f"manifest {manifest}: declares no [[render]] batch; nothing to render"
        raise JobError(msg)
    if keep_linear and job.dataset.samples == "linear":
        msg = f'manifest {manifest}: samples = "linear" keeps the light; omit --keep-linear'
        raise JobError(msg)
    require_extras("render", "render")
    units = render_units(job, manifest.parent, workers, keep_linear=keep_linear)
    make_or_plan(job, units, out, workers, retry_failed, dry_run, keep_linear=keep_linear)


def render_units(
    job: "Job", base: Path, workers: int, *, keep_linear: bool = False
) -> "list[WorkUnit]":
    """Return the units of work of all [[render]] batches; with their light, if it is kept.

    `base` is the manifest's folder, which its paths are relative to. Fewer workers than cores get
    several threads each.
    """
    from functools import partial

    from cat_dataset.generate import WorkUnit
    from render.scene_files import list_scenes
    from render.units import render_unit

    unit_of = partial(
        render_unit,
        job.dataset,
        keep_linear=keep_linear,
        threads=max(1, DEFAULT_WORKERS // workers),
    )
    return [
        WorkUnit(name, "render", partial(unit_of, batch, name, files), made_of=files.content())
        for batch in (batch.located(base) for batch in job.render)
        for name, files in list_scenes(job.dataset, batch).items()
    ]


def require_devices(job: "Job") -> None:
    """Raise CatError where a batch names a device that is not there; asked of a worker, once."""
    from functools import partial

    from cat_dataset.system.supervise import supervise

    batches = [batch for batch in job.render if batch.device != "CPU"]
    if not batches:
        return
    from render.units import check_devices

    for outcome in supervise([partial(check_devices, batches)], num_workers=1, timeout_s=120.0):
        if outcome.failure is not None:
            raise CatError(outcome.failure)


def make_or_plan(
    job: "Job",
    units: "Sequence[WorkUnit]",
    out: Path,
    workers: int,
    retry_failed: bool,
    is_dry_run: bool,
    *,
    keep_linear: bool = False,
) -> None:
    """Make a data set, or say what it would be; fail at the end if a unit failed."""
    from cat_dataset.generate import check_summary

    if is_dry_run:
        from cat_dataset.cli.planning import plan_text

        typer.echo(plan_text(job, units))
    else:
        made = make_dataset(job, units, out, workers, retry_failed, keep_linear=keep_linear)
        check_summary(made)


def make_dataset(
    job: "Job",
    units: "Sequence[WorkUnit]",
    out: Path,
    workers: int,
    retry_failed: bool,
    *,
    keep_linear: bool = False,
) -> "RunSummary":
    """Run a data set's units with progress and say what came of them."""
    from cat_dataset.generate import run_units

    require_devices(job)
    with shown_progress() as progress:
        summary = run_units(
            job.dataset_manifest(),
            units,
            out,
            num_workers=workers,
            progress=progress,
            retry_failed=retry_failed,
            keep_linear=keep_linear,
        )
    samples = "pairs" if job.dataset.samples == "pairs" else "light bases and sweeps"
    typer.echo(summary_text(summary, out, samples))
    return summary


def summary_text(summary: "RunSummary", out: Path, samples: str = "pairs") -> str:
    """Return one line on what a data set holds."""
    done = "was complete before" if summary.num_units_run == 0 else "is complete"
    return (
        f"{out} {done}: {summary.num_ok} {samples}, {summary.num_rejected} rejected, "
        f"{summary.num_failed} failed"
    )
