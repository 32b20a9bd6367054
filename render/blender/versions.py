"""Every difference between Blender 4.5 LTS and 5.2 LTS that CAT meets, in one place.

Nothing else in `render` asks for a version. Source: change logs of the Python API, 5.0 and 5.2.
"""

from typing import Any

import bpy

from cat_dataset.errors import SceneError

SUPPORTED = ((4, 5), (5, 2))  # LTS lines, (major, minor)


def blender_version() -> str:
    """Return the version as it stands in records, such as "4.5.15"."""
    return ".".join(str(part) for part in bpy.app.version)


def check_blender() -> None:
    """Raise SceneError where the installed Blender is no line that CAT is tested with."""
    check_supported(tuple(bpy.app.version))


def check_supported(version: tuple[int, ...]) -> None:
    """Raise SceneError where `version` belongs to no supported line.

    Raises:
        SceneError: names the lines that are supported.
    """
    if version[:2] not in SUPPORTED:
        lines = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        found = ".".join(str(part) for part in version)
        msg = f"Blender {found}: CAT renders with {lines} LTS; install cat-dataset[render]"
        raise SceneError(msg)


def enable_nodes(datablock: Any) -> None:
    """Give a material or world its node tree; from 5.0 on it always has one."""
    if bpy.app.version < (5, 0, 0):
        datablock.use_nodes = True  # the setter warns from 5.0 on, and goes in 6.0


def has_node_tree(datablock: Any) -> bool:
    """Return whether a material, world or lamp is made of nodes; from 5.0 on all of them are."""
    if datablock.node_tree is None:
        return False
    return bpy.app.version >= (5, 0, 0) or bool(datablock.use_nodes)


def has_compositor(scene: Any) -> bool:
    """Return whether a scene sends its picture through compositor nodes."""
    if bpy.app.version < (5, 0, 0):
        return bool(scene.use_nodes)
    return scene.compositing_node_group is not None


def mark_homogeneous(material: Any) -> None:
    """Tell Cycles that a medium is the same everywhere; from 5.0 on it finds out by itself."""
    if bpy.app.version < (5, 0, 0):
        material.cycles.homogeneous_volume = True


_PASS_NAMES_4 = {
    "diffuse_color": "DiffCol",
    "diffuse_direct": "DiffDir",
    "glossy_direct": "GlossDir",
    "material_index": "IndexMA",
    "object_index": "IndexOB",
}
_PASS_NAMES_5 = {
    "diffuse_color": "Diffuse Color",
    "diffuse_direct": "Diffuse Direct",
    "glossy_direct": "Glossy Direct",
    "material_index": "Material Index",
    "object_index": "Object Index",
}


def pass_name(name: str) -> str:
    """Return what Cycles calls a pass whose switch is `use_pass_<name>`."""
    return (_PASS_NAMES_4 if bpy.app.version < (5, 0, 0) else _PASS_NAMES_5)[name]


def check_working_space() -> None:
    """Raise SceneError where the file works in other primaries than Rec.709, a choice since 5.0."""
    if bpy.app.version < (5, 0, 0):
        return
    space = str(bpy.data.colorspace.working_space)
    if space != "Linear Rec.709":
        msg = f"working space {space}: CAT's colours are linear Rec.709; set the file to that"
        raise SceneError(msg)
