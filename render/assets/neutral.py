"""Undo in a scene that somebody else made what would bend its light or move under our hands.

Every change is reported as a short sentence, such as "drivers: 2 removed".
"""

from collections.abc import Iterator
from typing import Any

import bpy

from render.assets.shader_walk import shader_nodes
from render.blender.versions import has_compositor

# Switches by their owner, with the value that keeps light linear and pictures whole.
_RENDER = {
    "use_motion_blur": False,
    "film_transparent": False,
    "use_simplify": False,
    "use_border": False,
    "use_crop_to_border": False,
    "use_multiview": False,
    "use_freestyle": False,
    "use_single_layer": False,
    "use_texture_cache": False,  # 5.2; it would write files beside the textures
    "use_auto_generate_texture_cache": False,
    "pixel_aspect_x": 1.0,
    "pixel_aspect_y": 1.0,
}
_CYCLES = {
    "shading_system": False,  # open shading language: code in a file
    "film_exposure": 1.0,
    "film_transparent_glass": False,
    "use_fast_gi": False,  # light that belongs to no group
    "sampling_pattern": "AUTOMATIC",
    "use_camera_cull": False,
    "use_distance_cull": False,
    "use_layer_samples": "IGNORE",
}
_LAYER: dict[str, Any] = {
    "material_override": None,
    "world_override": None,
    "samples": 0,
    "use_freestyle": True,  # the default; freestyle itself is off
    "use_motion_blur": True,
}
_SILENT = {
    "use_crop_to_border",
    "use_layer_samples",
    "use_freestyle",
    "use_texture_cache",
    "use_auto_generate_texture_cache",
    "sampling_pattern",
}


def neutralise(scene: Any) -> list[str]:
    """Undo what bends light in a scene (mutated); returns what was overridden."""
    notes = _set_all(scene.render, _RENDER) + _set_all(scene.cycles, _CYCLES)
    notes += _set_all(scene.view_layers[0], _LAYER)
    if has_compositor(scene):
        notes.append("compositor: off")
    if scene.sequence_editor is not None and len(scene.sequence_editor.strips) > 0:
        notes.append("sequencer: off")
    if scene.background_set is not None:
        scene.background_set = None
        notes.append("background_set: removed")
    return notes + _neutral_objects() + _script_nodes()


def keep_one_layer(scene: Any) -> list[str]:
    """Keep the first view layer that is rendered; it becomes the only one."""
    layers = list(scene.view_layers)
    kept = next((layer for layer in layers if layer.use), layers[0])
    for layer in layers:
        if layer != kept:
            scene.view_layers.remove(layer)
    kept.use = True
    return [f"view_layers: {len(layers) - 1} removed"] if len(layers) > 1 else []


def _set_all(owner: Any, values: dict[str, Any]) -> list[str]:
    notes = []
    for name, neutral in values.items():
        before = getattr(owner, name, neutral)
        if before == neutral:
            continue
        setattr(owner, name, neutral)
        if name not in _SILENT:
            notes.append(f"{name}: {_said(before)} -> {_said(neutral)}")
    return notes


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(getattr(value, "name", value))


def _neutral_objects() -> list[str]:
    num_linked = num_catchers = 0
    for obj in bpy.data.objects:
        obj.pass_index = 0  # CAT's own masks count from 1
        linking = obj.light_linking
        if linking.receiver_collection or linking.blocker_collection:
            linking.receiver_collection = linking.blocker_collection = None
            num_linked += 1
        if obj.is_shadow_catcher and obj.type != "LIGHT":  # of lamps it says: shadows count
            obj.is_shadow_catcher = False
            num_catchers += 1
    notes = [f"light_linking: {num_linked} removed"] if num_linked else []
    return notes + ([f"shadow_catchers: {num_catchers} made solid"] if num_catchers else [])


def _script_nodes() -> list[str]:
    owners = (*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights)
    nodes = [node for owner in owners for node in shader_nodes(owner)]
    num = sum(node.bl_idname == "ShaderNodeScript" for node in nodes)
    return [f"script_nodes: {num} without effect"] if num else []


def remove_drivers() -> list[str]:
    """Remove every driver in the file; properties keep the values they were saved with."""
    num = 0
    for owner in _animated():
        drivers = owner.animation_data.drivers
        num += len(drivers)
        for driver in list(drivers):
            drivers.remove(driver)
    return [f"drivers: {num} removed"] if num else []


def freeze(scene: Any) -> list[str]:
    """Hold everything as it is at the scene's current frame: animation, then constraints."""
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    owners = [owner for owner in _animated() if not _is_still(owner.animation_data)]
    for owner in _animated():
        owner.animation_data_clear()
    notes = [f"animation: {len(owners)} held at frame {scene.frame_current}"] if owners else []
    return notes + _freeze_constraints(scene)


def _is_still(data: Any) -> bool:
    return data.action is None and not data.nla_tracks


def _animated() -> Iterator[Any]:
    """Yield every datablock with animation data, also the node trees inside others."""
    for prop in bpy.data.bl_rna.properties:
        if prop.type != "COLLECTION" or prop.identifier == "all_ids":
            continue
        for block in getattr(bpy.data, prop.identifier):
            for owner in (block, getattr(block, "node_tree", None)):
                if getattr(owner, "animation_data", None) is not None:
                    yield owner


def _freeze_constraints(scene: Any) -> list[str]:
    """Turn the effect of object constraints into plain poses, parents before children."""
    bound = [obj for obj in scene.objects if obj.constraints]
    poses = {obj.name: obj.matrix_world.copy() for obj in bound}
    bound.sort(key=_depth)
    for obj in bound:
        obj.constraints.clear()
        bpy.context.view_layer.update()
        obj.matrix_world = poses[obj.name]
    bpy.context.view_layer.update()
    num = len(bound)
    return [f"constraints: {num} objects held where they were"] if num else []


def _depth(obj: Any) -> int:
    return 0 if obj.parent is None else 1 + _depth(obj.parent)
