"""The command ingest: a folder of RAW captures becomes a data set."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.datasets import make_or_plan
from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    OutFolder,
    RetryFailed,
    Workers,
    shown_progress,
)

_HEAD_BYTES = 1 << 16
_LOG_COLUMNS = 160  # of a table that is not printed to a terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cat_dataset.generate import WorkUnit
    from cat_dataset.jobs.datasets import CaptureBatch
    from cat_dataset.jobs.manifest import DatasetJob
    from dslr.units import CaptureGroup


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
    from cat_dataset.jobs.datasets import CaptureBatch
    from cat_dataset.jobs.manifest import DatasetJob, Job, validated
    from cat_dataset.system.extras import require_extras

    require_extras("ingest", "dslr")
    job = validated(
        Job,
        {
            "dataset": validated(
                DatasetJob, {"name": name, "seed": seed, "annotations": ["moving"]}, "ingest"
            ),
            "capture": (validated(CaptureBatch, {"name": name, "folder": Path()}, "ingest"),),
        },
        "ingest",
    )
    units = capture_units(job.dataset, job.capture[0], folder, workers=workers, show=dry_run)
    make_or_plan(job, units, out, workers, retry_failed, dry_run)


def capture_units(
    dataset: "DatasetJob",
    batch: "CaptureBatch",
    folder: Path,
    *,
    workers: int,
    show: bool = False,
) -> "list[WorkUnit]":
    """Return the units of work of one folder of captures: its series and single files."""
    from functools import partial

    from cat_dataset.generate import WorkUnit
    from dslr.units import ingest_unit, scan_folder

    located = batch.model_copy(update={"folder": folder})
    with shown_progress():  # an interrupt while scanning says how to go on, too
        groups = scan_folder(located, num_workers=workers)
    if show:
        _show_groups(groups, folder)
    return [
        WorkUnit(
            group.unit_id,
            "dslr",
            partial(ingest_unit, dataset, located, group),
            made_of=_contents(group, folder),
        )
        for group in groups
    ]


def _contents(group: "CaptureGroup", folder: Path) -> str:
    """Return what tells one capture group from another: names, sizes and heads of its files."""
    import hashlib

    lines: list[str] = [group.kind]
    for path in group.paths:
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            lines.append(f"{name} no file")
            continue
        try:
            with path.open("rb") as file:
                head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()  # time and settings
        except OSError as error:
            lines.append(f"{name} {error.strerror}")
            continue
        lines.append(f"{name} {path.stat().st_size} {head}")
    lines += [f"{c.name} = {c.stated!r}" for c in group.captures if c.stated is not None]
    return "; ".join(lines)


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
