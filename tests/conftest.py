"""How a test run ends."""

import os
import sys

import pytest

_EXIT_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the exit status for the very end."""
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process at once where Blender was loaded into it.

    Blender's destructors may wait for ever: one that closes files in the background destroys a
    condition that its own thread still waits on (`delayed_close_thread_run`, seen with gdb in
    4.5.15). Workers of a run end by `os._exit` too, and no other process loads Blender.
    """
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(_EXIT_STATUS, pytest.ExitCode.INTERNAL_ERROR))
