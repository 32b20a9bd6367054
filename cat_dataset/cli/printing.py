"""What commands print of a data set and of an evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cat_dataset.generate import RunSummary
    from cat_dataset.scoring.evaluation import EvaluationReport


def print_summary(summary: "RunSummary", out: Path, samples: str = "pairs") -> None:
    """Print one line on what a data set holds, of samples of one kind."""
    kind = "pairs" if samples == "pairs" else "light bases and sweeps"
    done = "was complete before" if summary.num_units_run == 0 else "is complete"
    typer.echo(
        f"{out} {done}: {summary.num_ok} {kind}, {summary.num_rejected} rejected, "
        f"{summary.num_failed} failed"
    )


def print_report(report: "EvaluationReport", out: Path) -> None:
    """Print a line per attribute, and where everything else stands."""
    from cat_dataset.scoring.markdown import short_lines

    typer.echo(f"split {report.split}, {report.editors[0]}, errors in each attribute's unit:")
    for line in short_lines(report):
        typer.echo(f"  {line}")
    typer.echo(f"all scores and baselines: {out / 'scores.md'}")
