"""Write files whole or not at all, even through a kill or a full disk."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cat_dataset.errors import DiskFullError

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when the block ends without an error.

    Raises:
        DiskFullError: there is no room; nothing is left behind.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        if error.errno not in _FULL_DISK:
            raise
        free_mib = shutil.disk_usage(path.parent).free / 2**20
        msg = (
            f"{path}: no room to write it ({error.strerror}; {free_mib:.0f} MiB free); nothing "
            f"finished is lost: make room and run the same command again"
        )
        raise DiskFullError(msg) from None
    finally:
        partial.unlink(missing_ok=True)  # only still there when the write failed


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to disk, then rename it into place."""
    with atomic_file(path) as file:
        file.write(data)


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_bytes_atomic` does."""
    write_bytes_atomic(path, text.encode())
