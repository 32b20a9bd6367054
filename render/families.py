"""The procedural families of scenes; a family's modules load when its first scene is built."""

from render.scene import BuiltScene


def build_scene(family: str, seed: int, width_px: int, height_px: int) -> BuiltScene:
    """Draw and build one scene of a family in an emptied Blender, ready to render.

    Raises:
        SceneError: a file that Blender should bring is missing.
    """
    match family:
        case "tabletop":
            from render.building import build_tabletop as build
        case "interior":
            from render.interior import build_interior as build
        case "outdoor":
            from render.outdoor import build_outdoor as build
        case "head":
            from render.head import build_head as build
        case _:
            msg = f"family {family}: no such family of scenes"
            raise ValueError(msg)  # manifests are checked long before
    return build(seed, width_px, height_px)
