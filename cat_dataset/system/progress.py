"""Progress that a command shows and library code only reports: a bar with the time left."""

from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars


class Progress(Protocol):
    """What library code needs to report how far it is."""

    def start(self, name: str, total: int) -> None:
        """Begin a step of `total` equal parts."""

    def advance(self, parts: int) -> None:
        """Report finished parts of the present step."""


class SilentProgress:
    """Reports to nobody."""

    def start(self, name: str, total: int) -> None:
        """Begin a step of `total` equal parts."""

    def advance(self, parts: int) -> None:
        """Report finished parts of the present step."""


class BarProgress:
    """A bar per step on stderr with the time left; one line per finished step without a terminal.

    Use as a context manager.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "BarProgress":
        return self  # nothing is drawn before the first step, so an early error stands alone

    def __exit__(self, *_exception: object) -> None:
        if self._task is not None:  # stopping prints a line even where nothing was drawn
            self._bars.stop()

    def start(self, name: str, total: int) -> None:
        """Show a new bar."""
        self._bars.start()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, parts: int) -> None:
        """Move the present bar."""
        if self._task is not None:
            self._bars.advance(self._task, parts)
