"""The procedural families of scenes; a family's modules load when its first scene is built."""

from render.scene import BuiltScene


def build_scene(family: str, seed: int, width_px: int, height_px: int) -> BuiltScene:
    """Draw and build one scene of a family in an emptied Blender, ready to render.

    Raises:
        SceneError: a file that Blender should bring is missing.
    """
    match family:
        case "tabletop":
            from render.families.tabletop.building import build_tabletop

            return build_tabletop(seed, width_px, height_px)
        case "interior":
            from render.families.interior.building import build_interior

            return build_interior(seed, width_px, height_px)
        case "outdoor":
            from render.families.outdoor.building import build_outdoor

            return build_outdoor(seed, width_px, height_px)
        case "head":
            from render.families.head.building import build_head

            return build_head(seed, width_px, height_px)
    msg = f"family {family}: no such family of scenes"
    raise ValueError(msg)  # manifests are checked long before
