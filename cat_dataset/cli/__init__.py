"""The command `cat-dataset`: one app, its commands in the modules beside this one.

Only commands import the packages beside the core (`render`, `dslr`, `train`), and only when they
run: the help works without any extra. Exit codes: 0 done, 1 work failed (what failed is said), 2
wrong usage, 130 interrupted (run the same command again to resume).
"""

import sys
from typing import Annotated

import typer

from cat_dataset.cli import (
    benchmarking,
    cameras,
    captures,
    checks,
    composing,
    jobs,
    preview,
    rendering,
    training,
)
from cat_dataset.errors import CatError

app = typer.Typer(
    name="cat-dataset",
    help="Make image pairs whose difference is a known number, and train the adapter that "
    "learns from them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback is for bugs, in Python's own words
    rich_markup_mode=None,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(version("cat-dataset"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Make image pairs whose difference is a known number, and train what learns from them."""


app.command(name="run")(jobs.run)
app.command()(preview.preview)
app.command()(rendering.render)
app.command()(cameras.simulate_camera)
app.command()(captures.ingest)
app.command()(composing.compose)
app.command()(training.train)
app.command()(training.edit)
app.command()(training.evaluate)
app.command()(benchmarking.benchmark)
app.command()(jobs.report)
app.command()(checks.verify)
app.command()(checks.doctor)


def main() -> None:
    """Run the command line; errors meant for the user end in one line and exit code 1."""
    try:
        app()
    except CatError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise  # not about a file of the user's: a bug
        reason = (error.strerror or "cannot be used").lower()
        typer.echo(f"error: {error.filename}: {reason}; check path and permissions", err=True)
        sys.exit(1)
