"""The command that makes data sets of pairs from stored linear light: compose."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    OutFolder,
    RetryFailed,
    Workers,
    shown_progress,
)
from cat_dataset.cli.printing import print_summary

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
    from cat_dataset.generate import check_summary
    from cat_dataset.pipeline.compose_dataset import compose_dataset, plan_compose

    if dry_run:
        plan = plan_compose(folder, manifest, out)
        typer.echo(_plan_text(plan.job.compose, plan.rows, len(plan.units)))
        return
    with shown_progress() as progress:
        summary = compose_dataset(
            folder,
            manifest,
            out,
            num_workers=workers,
            progress=progress,
            retry_failed=retry_failed,
        )
    print_summary(summary, out)
    check_summary(summary)


def _plan_text(compose: "ComposeJob", rows: "Sequence[LinearRow]", num_units: int) -> str:
    """Return what a run would make."""
    counts = (
        f"{name} {plan.num_pairs * sum(row.can_give(name) for row in rows)}"
        for name, plan in compose.attributes.items()
    )
    return f"{num_units} scenes; at most {', '.join(counts)} pairs"
