"""How tests start `cat-dataset`: the installed code in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def command(*arguments: str, before: str = "") -> list[str]:
    """Return a command line for this interpreter; `before` is Python that runs first."""
    return [sys.executable, "-c", f"{before}\nfrom cat_dataset.cli import main; main()", *arguments]


def cat(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run to the end in the repository, with its output as text."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, cwd=ROOT
    )
