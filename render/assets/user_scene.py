"""A scene of the user's own files; the modules of each kind load when its first scene is built."""

from render.scene import BuiltScene
from render.scene_files import SceneFiles


def build_user_scene(
    files: SceneFiles, seed: int, width_px: int, height_px: int, main_object: str | None
) -> BuiltScene:
    """Build a scene of the user's files: a .blend, or a table top with a model, an HDRI, or both.

    Raises:
        SceneError: a file cannot be used.
    """
    if files.blend is not None:
        from render.assets.user_blend import build_user_blend

        return build_user_blend(files.blend, seed, width_px, height_px, main_object)
    if files.model is not None:
        from render.assets.user_models import build_user_models_scene

        hdris = None if files.hdri is None else (files.hdri,)
        return build_user_models_scene((files.model,), hdris, seed, width_px, height_px)
    from render.families.tabletop.building import build_tabletop

    return build_tabletop(seed, width_px, height_px, hdri_file=files.hdri)
