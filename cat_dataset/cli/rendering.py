"""The command that makes a data set of rendered scenes: render."""

from typing import Annotated

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
from cat_dataset.cli.printing import print_summary


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
    from cat_dataset.generate import check_summary
    from cat_dataset.pipeline.job_source import open_job
    from cat_dataset.pipeline.render_dataset import check_renders, render_dataset, render_units
    from cat_dataset.system.extras import require_extras

    job, folder, subject = open_job(manifest)
    if dry_run:
        from cat_dataset.cli.dry_run import plan_text

        check_renders(job, subject, keep_linear=keep_linear)
        require_extras("render", "render")
        typer.echo(plan_text(job, render_units(job, folder, num_threads=1)))
        return
    with shown_progress() as progress:
        summary = render_dataset(
            manifest,
            out,
            num_workers=workers,
            progress=progress,
            retry_failed=retry_failed,
            keep_linear=keep_linear,
        )
    print_summary(summary, out, job.dataset.samples)
    check_summary(summary)
