"""Options that several commands share, and how commands show progress and interruptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.system.cores import available_cores

if TYPE_CHECKING:
    from cat_dataset.system.progress import Progress

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

Manifest = Annotated[Path, typer.Argument(help="TOML manifest, see manifests/demo.toml.")]
OutFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; resumed if begun.")]
Workers = Annotated[
    int, typer.Option("--workers", "-w", min=1, help="Worker processes; default: all cores.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and stop.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Make shards that hold failed units anew.")
]
DEFAULT_WORKERS = available_cores()


@contextmanager
def shown_progress() -> Iterator["Progress"]:
    """Show progress on stderr: bars in a terminal, lines in a log.

    An interrupt ends the command with how to go on.
    """
    from rich.console import Console

    from cat_dataset.system.progress import BarProgress, LineProgress

    console = Console(stderr=True)
    shown = BarProgress(console) if console.is_terminal else LineProgress(_write_line)
    try:
        with shown as progress:
            yield progress
    except KeyboardInterrupt:
        typer.echo("interrupted: run the same command again to go on from here", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _write_line(text: str) -> None:
    typer.echo(text, err=True)
