"""The command ingest: a folder of RAW captures becomes a data set."""

from collections import Counter
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

    from cat_dataset.generate import WorkUnit
    from cat_dataset.jobs.datasets import CaptureSource
    from cat_dataset.jobs.manifest import DatasetJob
    from dslr.units import CaptureGroup

_LOG_COLUMNS = 160  # of a table that is not printed to a terminal


def ingest(
    folder: Annotated[Path, typer.Argument(help="Folder of RAW files, searched to its depths.")],
    out: OutFolder,
    name: Annotated[
        str, typer.Option(help="Name of the data set; sample keys begin with it.")
    ] = "captures",
    seed: Annotated[int, typer.Option(min=0, help="Seed of values, phrasings and splits.")] = 0,
    workers: Workers = DEFAULT_WORKERS,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
) -> None:
    """Turn a folder of RAW captures into a data set of pairs whose scale was measured.

    Series are found without help; a captures.toml in the folder may name them, see
    docs/capture-guide.md. With --dry-run a table says what was found, and why.

    Example: cat-dataset ingest ~/photos/brackets --out out/captures --dry-run
    """
    from cat_dataset.generate import check_summary
    from cat_dataset.pipeline.ingest_captures import capture_job, ingest_captures
    from cat_dataset.system.extras import require_extras

    if dry_run:
        from cat_dataset.cli.dry_run import plan_text

        require_extras("ingest", "dslr")
        job = capture_job(name, seed)
        units = shown_captures(job.dataset, job.capture[0], folder, workers)
        typer.echo(plan_text(job, units))
        return
    with shown_progress() as progress:
        summary = ingest_captures(
            folder,
            out,
            name=name,
            seed=seed,
            num_workers=workers,
            progress=progress,
            retry_failed=retry_failed,
        )
    print_summary(summary, out)
    check_summary(summary)


def shown_captures(
    dataset: "DatasetJob", source: "CaptureSource", folder: Path, workers: int
) -> "list[WorkUnit]":
    """Print a table of what a folder of captures holds; return its units of work."""
    from cat_dataset.pipeline.ingest_captures import capture_groups, capture_units

    with shown_progress():  # an interrupt while scanning says how to go on, too
        groups = capture_groups(source, folder, num_workers=workers)
    _show_groups(groups, folder)
    return capture_units(dataset, source, folder, groups)


def _show_groups(groups: "Sequence[CaptureGroup]", folder: Path) -> None:
    """Print a table of what a folder holds: each group, its files, and why."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("group", "kind", "files", "why", pad_edge=False)
    for group in groups:
        names = "\n".join(path.relative_to(folder).as_posix() for path in group.paths)
        cells = (group.unit_id, group.kind, names, group.reason)
        table.add_row(*(Text(cell) for cell in cells))  # names may hold what rich takes for markup
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_COLUMNS)
    console.print(table)
    kinds = Counter(group.kind for group in groups)
    typer.echo(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
