"""One Blender per process: reset it for a scene, and keep its chatter out of our output."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy

from cat_dataset.errors import SceneError
from render.versions import check_blender, check_working_space

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

    Python's own streams write to the same descriptors, so they are flushed at both ends.
    """
    log = BlenderLog()
    with tempfile.TemporaryFile() as sink:
        sys.stdout.flush()
        sys.stderr.flush()
        saved = [os.dup(1), os.dup(2)]
        try:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            yield log
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, source in enumerate(saved, start=1):
                os.dup2(source, target)
                os.close(source)
            sink.seek(0)
            log.text = sink.read().decode(errors="replace")
