"""A .blend file somebody else made becomes a scene: opened without its scripts, made linear.

A file is taken as it stands at its current frame. What would bend light or run code is switched
off, and `facts["overridden"]` says so; what the picture needs and lacks is an error.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K, luminance
from cat_dataset.records import LightGroup
from cat_dataset.system.seeding import derive_rng
from render.assets.blend_header import check_version
from render.assets.emitters import Emitters, group_emitters
from render.assets.main_choice import choose_main, coverages, named_main, spoken_name
from render.assets.neutral import freeze, keep_one_layer, neutralise, remove_drivers
from render.assets.solid import is_skewed, joined, make_solid
from render.assets.user_camera import file_view, find_camera, focus_camera, make_full_frame
from render.assets.user_files import check_images, check_libraries
from render.assets.visibility import own_meshes, rendered_objects, show_everything
from render.basis import check_sum
from render.blender.probe_scene import pinhole_passes
from render.blender.renderer import RenderSettings, apply_settings, render_passes
from render.blender.session import captured_output, fresh_scene
from render.blender.versions import check_working_space, pass_name
from render.scene import BuiltScene

_LOOK_PX, _LOOK_SAMPLES = 96, 16  # of the small pictures that show what is where


def build_user_blend(
    path: Path, seed: int, width_px: int, height_px: int, main_object: str | None = None
) -> BuiltScene:
    """Open a .blend file and make a scene of it; `seed` only picks the shape key to edit.

    The main object is `main_object`, a mesh or the parent of some, or else what `main_choice`
    picks. The first light group is the lamp that gives most light in the picture; where no lamp
    reaches it, the first group is "ambient" or "emission".

    Raises:
        SceneError: the file cannot be opened, or lacks what a picture needs.
    """
    scene, notes = open_blend(path)
    notes += keep_one_layer(scene)
    view, camera = file_view(scene), find_camera(scene, path)
    meshes, objects = own_meshes(scene), rendered_objects(scene)
    _check_not_empty(meshes, path)
    check_images(path, objects, scene.world)
    show_everything(scene)
    notes += freeze(scene) + neutralise(scene) + make_full_frame(camera, view)
    look = _look_settings(width_px, height_px)
    main = _find_main(scene, meshes, main_object, look, path)
    main_name = main.name
    notes += _doubts(main)
    main, shape_keys = _plain_main(scene, main, meshes)
    pose, focus_notes = focus_camera(camera, _middle(main))
    emitters = group_emitters(scene, rendered_objects(scene), _middle(main))
    groups = _ranked_groups(scene, emitters, look, path)
    return BuiltScene(
        scene=scene,
        main_object=main,
        main_name=spoken_name(main_name),
        render_camera=camera,
        camera=pose,
        groups=groups,
        wb_cct_k=DAYLIGHT_CCT_K,  # Blender's own picture is balanced at its white
        facts={
            "file": path.name,
            "file_sha256": _sha256(path),
            "frame": scene.frame_current,
            "main_object": main_name,
            "focal_length_mm": pose.focal_length_mm,
            "f_number": pose.f_number,
            "focus_distance_m": pose.focus_distance_m,
            "overridden": sorted(notes + focus_notes + list(emitters.notes)),
        },
        shape_keys=tuple(shape_keys),
        edited_shape_key=_edited_key(seed, shape_keys),
    )


def open_blend(path: Path) -> tuple[Any, list[str]]:
    """Open a .blend file without running anything in it; returns its scene and notes.

    Raises:
        SceneError: it is missing, broken, from a newer Blender, or lacks a linked file.
    """
    check_version(path, (bpy.app.version[0], bpy.app.version[1]))
    fresh_scene()
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    with captured_output() as log:
        try:
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
            reason = ""
        except RuntimeError as error:
            reason = " ".join(str(error).split())
    if reason:
        msg = f"{path}: Blender cannot open it ({reason}); is it complete? save it anew"
        raise SceneError(msg)
    del log  # complains of disabled drivers, and of linked files, which are checked by name
    notes = remove_drivers()
    bpy.app.driver_namespace.clear()  # else Blender 4.5 hangs at exit after it refused a driver
    check_working_space()
    num_scripts = sum(text.use_module for text in bpy.data.texts)
    notes += [f"scripts: {num_scripts} not run"] if num_scripts else []
    return bpy.context.scene, notes + check_libraries(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_not_empty(meshes: Sequence[Any], path: Path) -> None:
    if not any(len(obj.data.vertices) > 0 or obj.modifiers for obj in meshes):
        msg = (
            f"{path}: has no mesh that is rendered; add one, or enable its object and collection "
            f"for renders, and save"
        )
        raise SceneError(msg)


def _look_settings(width_px: int, height_px: int) -> RenderSettings:
    shrink = _LOOK_PX / max(width_px, height_px)
    width, height = (max(1, round(side * shrink)) for side in (width_px, height_px))
    return RenderSettings(width, height, _LOOK_SAMPLES, seed=0)


def _find_main(
    scene: Any, meshes: Sequence[Any], name: str | None, look: RenderSettings, path: Path
) -> Any:
    """Return the main object: the named one, or the one that a small picture shows largest."""
    if name is not None:
        return named_main(scene, meshes, name, path)
    for number, mesh in enumerate(meshes, start=1):
        mesh.pass_index = number
    layer = scene.view_layers[0]
    layer.use_pass_object_index = True
    passes = pinhole_passes(scene, replace(look, samples_per_pixel=1, max_bounces=0))
    layer.use_pass_object_index = False
    for mesh in meshes:
        mesh.pass_index = 0
    index_HW = passes[pass_name("object_index")][..., 0]
    return scene.objects[choose_main(coverages(index_HW, [m.name for m in meshes]), path)]


def _doubts(main: Any) -> list[str]:
    """Return in what the main object may look otherwise than in Blender."""
    notes = []
    if is_skewed(main.matrix_world):
        notes.append("main_object: skew made part of its mesh, generated textures may move")
    if len(main.particle_systems) > 0:
        notes.append("main_object: its particles may have another size")
    return notes


def _plain_main(scene: Any, main: Any, meshes: Sequence[Any]) -> tuple[Any, list[str]]:
    """Return the main object as one plain mesh, and its shape keys."""
    if main.type == "MESH":
        return main, make_solid(scene, main)
    parts = [child for child in main.children_recursive if child in meshes]
    return joined(scene, parts), []


def _middle(obj: Any) -> Vector:
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    return sum(corners, Vector()) / len(corners)


def _ranked_groups(
    scene: Any, emitters: Emitters, look: RenderSettings, path: Path
) -> tuple[LightGroup, ...]:
    """Return the light groups, lamps by the light they give in a small picture.

    Raises:
        SceneError: there is no light, or some of it is in no group.
    """
    apply_settings(scene, look)
    try:
        passes = render_passes(scene)
        known = (*emitters.groups, *emitters.hidden)
        images = np.stack([passes[f"Combined_{group.name}"][..., :3] for group in known])
        light = {g.name: float(luminance(i).mean()) for g, i in zip(known, images, strict=True)}
        if not any(light.values()):
            msg = "no light reaches the picture; add a lamp, a world or a glowing material"
            raise SceneError(msg)
        check_sum(images, passes["Combined"][..., :3])
    except SceneError as error:
        msg = f"{path}: {error}"
        raise SceneError(msg) from None
    shown = [*emitters.groups, *(group for group in emitters.hidden if light[group.name] > 0.0)]
    return tuple(sorted(shown, key=lambda g: _rank(g, emitters, light[g.name])))


def _rank(group: LightGroup, emitters: Emitters, light: float) -> tuple[int, float]:
    """Return a rank: lit lamps, ambient, glowing objects, lamps out of the picture."""
    if group.kind == "ambient":
        return 1, 0.0
    if group.name not in emitters.lamp_names:
        return 2, -light
    return (0, -light) if light > 0.0 else (3, 0.0)


def _edited_key(seed: int, names: Sequence[str]) -> str | None:
    if not names:
        return None
    return str(derive_rng(seed, "shape_key").choice(sorted(names)))
