"""Runs that end before they are finished, and what shows that two runs ended alike."""

import hashlib
from pathlib import Path


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


class StoppedError(Exception):
    """Stands for a kill."""


class StopAfter:
    """A progress that ends the run after a number of steps, as Ctrl-C would."""

    def __init__(self, num_steps: int) -> None:
        self._left = num_steps
        self._counts = False

    def start(self, name: str, total: int) -> None:
        """Count training steps only."""
        self._counts = name.startswith("training")

    def advance(self, parts: int) -> None:
        """Raise when the steps are used up."""
        self._left -= parts if self._counts else 0
        if self._left <= 0:
            raise StoppedError
