"""Which Blender wrote a .blend file, read from its first bytes before anything of it is opened.

Source: Blender 5.2, scripts/modules/_blendfile_header.py. Files are plain, or packed with zstd
(since 3.0) or gzip (before).
"""

import re
from pathlib import Path

import pyarrow

from cat_dataset.errors import SceneError

_HEADER_BYTES = 17
_PACKED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}
# "BLENDER-v405": pointer size, endianness, version. "BLENDER17-01v0502": 17 bytes, layout 01.
_HEADER = re.compile(rb"BLENDER(?:[-_][vV](\d)(\d\d)|17-01v(\d\d)(\d\d))")


def blend_version(path: Path) -> tuple[int, int]:
    """Return (major, minor) of the Blender that wrote a file.

    Raises:
        SceneError: the file is missing, no .blend, cut off, or of a layout that came later.
    """
    start = _first_bytes(path)
    found = _HEADER.match(start)
    if found is not None:
        major, minor = (int(part) for part in found.groups() if part is not None)
        return major, minor
    if start.startswith(b"BLENDER") and len(start) == _HEADER_BYTES:
        msg = (
            f"{path}: its header {start!r} is of a newer Blender than CAT knows; save the file "
            f"from Blender 4.5 or 5.2 LTS"
        )
        raise SceneError(msg)
    msg = f"{path}: begins with {start[:12]!r}, a .blend with 'BLENDER'; save it anew from Blender"
    raise SceneError(msg)


def check_version(path: Path, own: tuple[int, int]) -> None:
    """Raise SceneError where Blender `own` (major, minor) cannot open a file in full.

    Raises:
        SceneError: the file is from a newer Blender; or as `blend_version`.
    """
    version = blend_version(path)
    if version > own:
        msg = (
            f"{path}: saved by Blender {version[0]}.{version[1]}, this is {own[0]}.{own[1]}, which "
            f"would drop what it does not know; render with Python 3.13 (Blender 5.2), or save "
            f"the file from Blender {own[0]}.{own[1]} or older"
        )
        raise SceneError(msg)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_BYTES)
        for magic, packing in _PACKED.items():
            if start.startswith(magic):
                with pyarrow.input_stream(str(path), compression=packing) as stream:
                    return bytes(stream.read(_HEADER_BYTES))
    except FileNotFoundError:
        msg = f"{path}: no such file; check the path, relative to the manifest's folder"
        raise SceneError(msg) from None
    except OSError as error:  # pyarrow's errors of broken streams are OSErrors too
        msg = f"{path}: cannot be read ({error}); is it complete?"
        raise SceneError(msg) from None
    return start
