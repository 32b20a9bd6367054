"""Files of one kind in a folder that a user names, in an order that does not depend on the disk."""

from collections.abc import Sequence
from pathlib import Path

from cat_dataset.errors import JobError

BLEND_SUFFIXES = (".blend",)
MODEL_SUFFIXES = (".glb", ".gltf", ".obj")
HDRI_SUFFIXES = (".exr", ".hdr")


def list_assets(folder: Path, suffixes: Sequence[str], what: str) -> tuple[Path, ...]:
    """Return the files of a folder and below that have one of the suffixes, sorted by path.

    Hidden files and folders are left out; upper case counts as lower case.

    Raises:
        JobError: the folder does not exist, or holds none.
    """
    listed = ", ".join(suffixes)
    if not folder.is_dir():
        msg = f"folder {folder}: does not exist; name the folder of your {what} ({listed})"
        raise JobError(msg)
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        msg = f"folder {folder}: holds no {what}; put files there that end in {listed}"
        raise JobError(msg)
    return tuple(sorted(found, key=lambda path: path.relative_to(folder).as_posix()))
