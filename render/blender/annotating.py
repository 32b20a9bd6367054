"""Annotations of a frame: mask of the main object, depth, normals; one point per pixel, no blur."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from cat_dataset.records import Annotation
from render.blender.probe_scene import MISS_M, pinhole_passes, probe_scene
from render.blender.renderer import RenderSettings
from render.blender.versions import pass_name
from render.scene import BuiltScene

_INDEX = 1  # pass index of the main object and all that hangs on it


def annotate(built: BuiltScene, settings: RenderSettings) -> Annotation:
    """Return what is known of every pixel of the scene as it is set now.

    The scene's settings are mutated; the next `apply_settings` sets them again.

    Raises:
        SceneError: Cycles failed.
    """
    one_sample = replace(settings, samples_per_pixel=1)
    own = set(built.scene.objects)  # a probe may have hung something on the object
    parts = [built.main_object, *(t for t in built.main_object.children_recursive if t in own)]
    layer = built.scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = True
    for part in parts:
        part.pass_index = _INDEX
    motion_blur, built.scene.render.use_motion_blur = built.scene.render.use_motion_blur, False
    passes = pinhole_passes(built.scene, one_sample)
    built.scene.render.use_motion_blur = motion_blur
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = False
    depth = passes["Depth"][..., 0]
    mask = passes[pass_name("object_index")][..., 0] == _INDEX
    whole = _whole_mask(built, parts, one_sample)
    return Annotation(
        mask_HW=mask,
        depth_HW=np.where(depth < MISS_M, depth, np.inf).astype(np.float32),
        normal_HW3=passes["Normal"][..., :3].copy(),
        visible_share=float(mask.sum() / whole.sum()) if whole.any() else 0.0,
    )


def _whole_mask(built: BuiltScene, parts: list[Any], settings: RenderSettings) -> NDArray[np.bool_]:
    """Return the pixels that the main object would cover if nothing stood before it."""
    scene = probe_scene("alone", built)
    for part in parts:
        if part.name not in scene.collection.objects:
            scene.collection.objects.link(part)
    scene.view_layers[0].use_pass_z = True
    mask: NDArray[np.bool_] = pinhole_passes(scene, settings)["Depth"][..., 0] < MISS_M
    bpy.data.scenes.remove(scene)
    return mask
