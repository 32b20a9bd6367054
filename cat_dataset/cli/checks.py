"""Commands that look and change nothing: verify, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from cat_dataset.cli.options import shown_progress
from cat_dataset.errors import CatError

MAX_FAULTS_SHOWN = 50


def verify(
    folder: Annotated[Path, typer.Argument(help="Data set folder, the one with index.parquet.")],
) -> None:
    """Recompute every hash, re-read every sample, and name what is broken.

    Example: cat-dataset verify out/demo/dataset
    """
    from cat_dataset.store.verify import verify_dataset

    with shown_progress() as progress:
        verdict = verify_dataset(folder, progress)
    light = f", {verdict.num_linear} light bases and sweeps" if verdict.num_linear else ""
    typer.echo(f"{verdict.num_shards} shards, {verdict.num_pairs} pairs{light} read")
    if verdict.faults:
        shown = "\n  ".join(verdict.faults[:MAX_FAULTS_SHOWN])
        more = len(verdict.faults) - MAX_FAULTS_SHOWN
        rest = f"\n  and {more} more" if more > 0 else ""
        msg = f"{folder}: {len(verdict.faults)} faults\n  {shown}{rest}"
        raise CatError(msg)
    typer.echo("everything is as the index says")


def doctor(
    folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder in which data would be written.")
    ] = Path("out"),
) -> None:
    """Say what of the machine and the install is missing, and the command that mends it.

    An extra that is not installed is named and is no fault; what is broken ends with exit code 1.

    Example: cat-dataset doctor
    """
    from cat_dataset.system.doctor import examine

    findings = examine(folder)
    for finding in findings:
        typer.echo(f"{finding.state:<7} {finding.subject}: {finding.found}")
        if finding.state != "ok" and finding.remedy:
            typer.echo(f"        -> {finding.remedy}")
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)
