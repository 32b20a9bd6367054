"""Progress that a command shows and library code only reports.

A terminal shows a bar with the time left; a log gets a line at least every 30 seconds.
"""

from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic
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

LINE_EVERY_S = 30.0
_NUM_RECENT_LINES = 4  # the speed is that of the last two minutes: a step's parts differ in size


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
    """A bar per step in a terminal, with the time left. Use as a context manager."""

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


class LineProgress:
    """Lines for a log: one as a step begins, one as it ends, and one every 30 seconds between.

    The lines come from a thread of their own, so that a long part does not look like a hang. Use as
    a context manager.
    """

    def __init__(self, write: Callable[[str], None], *, every_s: float = LINE_EVERY_S) -> None:
        self._write, self._every_s = write, every_s
        self._lock, self._ended = Lock(), Event()
        self._thread: Thread | None = None
        self._step: _Step | None = None

    def __enter__(self) -> "LineProgress":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def start(self, name: str, total: int) -> None:
        """Begin a step of `total` equal parts with a line."""
        with self._lock:
            self._step = _Step(name, total)
            self._write(f"{name}: {total} to do")
        if self._thread is None:
            self._thread = Thread(target=self._write_lines, daemon=True)
            self._thread.start()

    def advance(self, parts: int) -> None:
        """Report finished parts; the last one gives a line."""
        with self._lock:
            step = self._step
            if step is None or not parts:
                return
            step.add(parts, monotonic())
            if step.num_done >= step.total:
                self._write(step.line(monotonic()))

    def _write_lines(self) -> None:
        while not self._ended.wait(self._every_s):
            with self._lock:
                step = self._step
                if step is None:
                    continue
                if step.num_done >= step.total:
                    self._write(f"{step.name}: done; the next step is being prepared")
                else:
                    self._write(step.line(monotonic()))


class _Step:
    """How far a step is, and how fast it was lately."""

    def __init__(self, name: str, total: int) -> None:
        self.name, self.total, self.num_done = name, total, 0
        self._began_s = monotonic()
        # (time, parts done) at the first report, which may be of an earlier run, and at lines
        self._recent: deque[tuple[float, int]] = deque(maxlen=_NUM_RECENT_LINES + 1)

    def add(self, parts: int, now_s: float) -> None:
        """Count finished parts."""
        self.num_done += parts
        if not self._recent:
            self._recent.append((now_s, self.num_done))

    def line(self, now_s: float) -> str:
        """Return where the step is, how long it took so far, and how long it will take."""
        took = f"{self.name}: {self.num_done} of {self.total}, {_duration(now_s - self._began_s)}"
        if self.num_done >= self.total:
            return f"{took}, done"
        left_s = self._left_s(now_s)
        if self._recent:
            self._recent.append((now_s, self.num_done))
        left = "time left not known yet" if left_s is None else f"about {_duration(left_s)} left"
        return f"{took}, {left}"

    def _left_s(self, now_s: float) -> float | None:
        """Return the time that the rest will take at the speed of the last lines; None: unknown."""
        if not self._recent:
            return None
        then_s, then_done = self._recent[0]
        if self.num_done == then_done:
            return None
        return (self.total - self.num_done) * (now_s - then_s) / (self.num_done - then_done)


def _duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> _duration(42.4), _duration(130.0), _duration(7260.0)
    ('42 s', '2 min 10 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest_s = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    return f"{minutes // 60} h {minutes % 60} min"
