"""One Blender per process: reset it for a scene, and keep its chatter out of our output."""

import fcntl
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy

from cat_dataset.errors import SceneError
from render.blender.versions import check_blender, check_working_space

# Blender writes these to its output and renders on; a picture made after one is not to be trusted.
FATAL_MARKS = ("error:", "out of memory", "missing texture", "failed to load", "cannot find")


@dataclass
class BlenderLog:
    """What Blender printed while its output was captured."""

    text: str = ""

    def check(self, subject: str) -> None:
        """Raise SceneError where Blender reported that something went wrong."""
        for line in self.text.splitlines():
            if any(mark in line.lower() for mark in FATAL_MARKS):
                msg = f"{subject}: Blender reported '{line.strip()}'"
                raise SceneError(msg)


def fresh_scene() -> Any:
    """Return the one scene of an emptied Blender; references to anything older are dead.

    Raises:
        SceneError: this Blender is not supported, or works in another colour space.
    """
    check_blender()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    check_working_space()
    return bpy.context.scene


@contextmanager
def captured_output() -> Iterator[BlenderLog]:
    """Collect what Blender's C++ code writes to the file descriptors 1 and 2.

    In a worker these are its log file, which keeps the text even if Blender dies; elsewhere they
    lead into a temporary file. Python's own streams write to the same descriptors, so they are
    flushed at both ends.
    """
    log = BlenderLog()
    sys.stdout.flush()
    sys.stderr.flush()
    with _readable_output() as descriptor:
        start = os.fstat(descriptor).st_size
        try:
            yield log
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            size = os.fstat(descriptor).st_size - start
            log.text = os.pread(descriptor, size, start).decode(errors="replace")


@contextmanager
def _readable_output() -> Iterator[int]:
    """Yield a descriptor of the file that standard output and standard error are written to."""
    if _is_worker_log(1):
        yield 1
        return
    with tempfile.TemporaryFile() as sink:
        saved = [os.dup(1), os.dup(2)]
        try:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            yield sink.fileno()
        finally:
            for target, source in enumerate(saved, start=1):
                os.dup2(source, target)
                os.close(source)


def _is_worker_log(descriptor: int) -> bool:
    """Return whether a descriptor is a worker's log: a plain file, appended to and read back."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    is_ours = flags & os.O_ACCMODE == os.O_RDWR and bool(flags & os.O_APPEND)
    return is_ours and stat.S_ISREG(os.fstat(descriptor).st_mode)
