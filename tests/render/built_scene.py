"""Build one small table-top scene in this process's Blender."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.scene import BuiltScene
    from render.cycles import RenderSettings


def build_scene(
    seed: int = 5, size_px: int = 32, samples_per_pixel: int = 4
) -> "tuple[BuiltScene, RenderSettings]":
    """Return a scene in Blender and settings to render it with."""
    from render.building import build_tabletop
    from render.cycles import RenderSettings

    settings = RenderSettings(size_px, size_px, samples_per_pixel, seed=seed)
    return build_tabletop(seed, size_px, size_px), settings
