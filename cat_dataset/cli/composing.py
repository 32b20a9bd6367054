"""The command that makes data sets of pairs from stored linear light: compose."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.datasets import summary_text
from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    OutFolder,
    RetryFailed,
    Workers,
    shown_progress,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cat_dataset.jobs.datasets import ComposeJob
    from cat_dataset.store.linear_dataset import LinearRow


def compose(
    folder: Annotated[
        Path,
        typer.Argument(help="Data set rendered with --keep-linear or of linear samples."),
    ],
    manifest: Annotated[
        Path, typer.Option("--manifest", "-m", help="TOML manifest with a [compose] table.")
    ],
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
) -> None:
    """Make a new data set of pairs from stored linear light, without Blender.

    Other scales, counts, sizes or another tone curve, as [compose] says; scenes keep their split.

    Example: cat-dataset compose out/renders --manifest manifests/compose.toml --out out/small
    """
    from cat_dataset.compose.stored_light import compose_units
    from cat_dataset.generate import check_summary, run_units
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.store.linear_dataset import LinearDataset

    job = load_job(manifest).compose_manifest()
    if out.resolve() in (folder.resolve(), (folder / "linear").resolve()):
        msg = f"--out {out} is where the light is read from; give another folder"
        raise typer.BadParameter(msg)
    rows = LinearDataset([folder]).rows
    units = compose_units(job.dataset, job.compose, rows)
    if dry_run:
        typer.echo(_plan_text(job.compose, rows, len(units)))
        return
    with shown_progress() as progress:
        summary = run_units(
            *(job, units, out),
            num_workers=workers,
            progress=progress,
            retry_failed=retry_failed,
        )
    typer.echo(summary_text(summary, out))
    check_summary(summary)


def _plan_text(compose: "ComposeJob", rows: "Sequence[LinearRow]", num_units: int) -> str:
    """Return what a run would make."""
    counts = (
        f"{name} {plan.num_pairs * sum(row.can_give(name) for row in rows)}"
        for name, plan in compose.attributes.items()
    )
    return f"{num_units} scenes; at most {', '.join(counts)} pairs"
