"""What a file that somebody else made refers to: is it all there?"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from cat_dataset.errors import SceneError
from render.assets.shader_walk import shader_images

_NAMES_SHOWN = 5


def check_libraries(path: Path) -> list[str]:
    """Check that every linked .blend was found; returns a note where there are some.

    Raises:
        SceneError: one is missing, with its path.
    """
    libraries = [library for library in bpy.data.libraries if library.filepath]
    missing = [
        library.filepath
        for library in libraries
        if library.packed_file is None and not Path(bpy.path.abspath(library.filepath)).is_file()
    ]
    if missing:
        msg = (
            f"{path}: linked file(s) not found: {_listed(missing)}; put them where the file looks "
            f"for them, or choose File > External Data > Make Local and save"
        )
        raise SceneError(msg)
    return [f"libraries: {len(libraries)} read along"] if libraries else []


def check_images(path: Path, objects: Iterable[Any], world: Any | None) -> None:
    """Raise SceneError where an image that is shown cannot be read; Cycles would show magenta.

    Raises:
        SceneError: names the images and where they were looked for.
    """
    owners = [world] if world is not None else []
    for obj in objects:
        if obj.type == "LIGHT":
            owners.append(obj.data)
        owners += [s.material for s in obj.material_slots if s.material is not None]
    images = {image.name: image for owner in owners for image in shader_images(owner)}
    missing = [
        f"{name} ({image.filepath or 'no path'})"
        for name, image in sorted(images.items())
        if image.source != "GENERATED" and min(image.size) == 0
    ]
    if missing:
        msg = (
            f"{path}: image(s) cannot be read: {_listed(missing)}; put them there, or pack them "
            f"into the file where they are"
        )
        raise SceneError(msg)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
