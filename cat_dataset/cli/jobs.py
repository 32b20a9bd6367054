"""The main job, from manifest to report; and the report alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    Manifest,
    RetryFailed,
    Workers,
    shown_progress,
)
from cat_dataset.cli.printing import print_report, print_summary
from cat_dataset.errors import CatError

if TYPE_CHECKING:
    from cat_dataset.pipeline.run_job import JobResult

JobFolder = Annotated[
    Path, typer.Option("--out", "-o", help="Job folder to write; resumed if begun.")
]


def run(
    manifest: Manifest,
    out: JobFolder,
    workers: Workers = DEFAULT_WORKERS,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
) -> None:
    """Do the whole job of MANIFEST: data set, training, evaluation, report.html.

    Run the same command again to resume; finished work is never repeated.

    Example: cat-dataset run manifests/demo.toml --out out/demo
    """
    from cat_dataset.generate import check_summary
    from cat_dataset.pipeline.run_job import run_job

    if dry_run:
        _plan(manifest, workers)
        return
    with shown_progress() as progress:
        result = run_job(
            manifest, out, num_workers=workers, progress=progress, retry_failed=retry_failed
        )
    _print_result(result, out)
    if result.failures:
        raise CatError("; ".join(result.failures))
    check_summary(result.dataset)


def _plan(manifest: Path, workers: int) -> None:
    """Print what a job would make; its captures are looked through."""
    from cat_dataset.cli.captures import shown_captures
    from cat_dataset.cli.dry_run import plan_text
    from cat_dataset.pipeline.job_source import open_job
    from cat_dataset.pipeline.render_dataset import render_units
    from cat_dataset.pipeline.run_job import require_job_extras

    job, folder, _ = open_job(manifest)
    require_job_extras(job)
    units = render_units(job, folder, num_threads=1) if job.render else []
    for source in job.capture:
        units += shown_captures(job.dataset, source, folder / source.folder, workers)
    typer.echo(plan_text(job, units))


def _print_result(result: "JobResult", out: Path) -> None:
    """Print what a job made, and what was there before."""
    from cat_dataset.pipeline.run_job import EVALUATION

    print_summary(result.dataset, out / "dataset")
    if result.evaluation is not None:
        print_report(result.evaluation, out / EVALUATION)
    elif result.adapter is not None:
        typer.echo(f"{out / EVALUATION} was complete before")
    typer.echo(f"report: {result.report}")


def report(
    folder: Annotated[Path, typer.Argument(help="Job folder, the one that `run` wrote.")],
) -> None:
    """Write report.html anew from what a job folder holds.

    Example: cat-dataset report out/demo
    """
    from cat_dataset.pipeline.run_job import write_report

    typer.echo(f"report: {write_report(folder)}")
