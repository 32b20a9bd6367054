"""Build one small scene in this process's Blender."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.blender.renderer import RenderSettings
    from render.scene import BuiltScene, SceneContext


def build_scene(
    family: str = "tabletop", *, seed: int = 5, size_px: int = 32, samples_per_pixel: int = 4
) -> "tuple[BuiltScene, RenderSettings]":
    """Return a scene in Blender and settings to render it with."""
    from render.blender.renderer import RenderSettings
    from render.families import registry

    settings = RenderSettings(size_px, size_px, samples_per_pixel, seed=seed)
    return registry.build_scene(family, seed, size_px, size_px), settings


def scene_context(*, denoise: bool, annotate: bool = False) -> "SceneContext":
    """Return what the pictures of a test scene share."""
    from render.scene import SceneContext

    return SceneContext("scene", "train", {}, denoise=denoise, annotate=annotate)
