"""Build a scene of the family `outdoor` in an emptied Blender, ready to render."""

from typing import Any

import bpy
import numpy as np

from cat_dataset.records import LightGroup
from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Finish
from render.blender.meshes import add_mesh
from render.blender.session import fresh_scene
from render.blender.shapes import Floats, Shape
from render.families.craft.ground_surfaces import TRACK_ATTRIBUTE
from render.families.craft.materials import build_material
from render.families.craft.props import Prop
from render.families.craft.stage import add_camera, place
from render.families.craft.weathered_surfaces import SHADE_ATTRIBUTE, TIP_ATTRIBUTE
from render.families.outdoor.camera import half_angle_deg, nearest_ground_m
from render.families.outdoor.cover import cover_rand
from render.families.outdoor.drawing import Outdoor, outdoor_rand
from render.families.outdoor.flora import Plant
from render.families.outdoor.fog import add_fog
from render.families.outdoor.furnishing import scenery_rand
from render.families.outdoor.groundcover import View
from render.families.outdoor.places import water_finish_rand
from render.families.outdoor.scenery import Setting
from render.families.outdoor.sky import SKY_GROUP, SUN_GROUP, add_sun_and_sky, sun_cct_k
from render.families.outdoor.terrain import ground_mesh
from render.scene import BuiltScene

_ORBIT_DEG = 10.0  # covered beyond the frame: the camera may walk around the main object
_CLIP_END_M = 20000.0  # beyond the fog's box, or the air behind it would be missing
_WATER_HALF_M, WATER_Z_M = 1400.0, -0.12


def build_outdoor(seed: int, width_px: int, height_px: int) -> BuiltScene:
    """Draw and build one scene of the family."""
    drawn = outdoor_rand(seed, width_px, height_px)
    scene = fresh_scene()
    view = View(
        (drawn.camera.position_m[0], drawn.camera.position_m[1]),
        0.75 * nearest_ground_m(drawn.camera, width_px, height_px),
        half_angle_deg(drawn.camera, width_px, height_px) + _ORBIT_DEG,
    )
    main = _add_model(scene, seed, "main", drawn.main)
    place(main, 0.0, 0.0, 0.0, drawn.heading_deg)
    _add_ground(scene, seed, drawn)
    for number, cover in enumerate(cover_rand(seed, drawn, view)):
        _add_model(scene, seed, f"cover-{number}", cover)
    _add_scenery(scene, seed, drawn, view)
    sun = add_sun_and_sky(scene, drawn.sky)
    cct_k = sun_cct_k(drawn.sky.elevation_deg, drawn.sky.turbidity)
    fog = add_fog(scene, drawn.visibility_m)
    camera = add_camera(scene, drawn.camera)
    camera.data.clip_end = _CLIP_END_M
    return BuiltScene(
        scene=scene,
        main_object=main,
        main_name=drawn.main.kind,
        render_camera=camera,
        camera=drawn.camera,
        groups=(
            LightGroup(SUN_GROUP, "lamp", cct_k),
            LightGroup(SKY_GROUP, "ambient", None),
        ),
        wb_cct_k=drawn.wb_cct_k,
        facts=drawn.to_json(),
        sun=sun,
        fog=fog,
    )


def _add_model(scene: Any, seed: int, name: str, model: Plant | Prop) -> Any:
    """Add a plant or an object at the origin; returns its object."""
    rng = derive_rng(seed, "pattern", name)
    materials = [
        build_material(f"{name}-{slot}", finish, rng) for slot, finish in enumerate(model.finishes)
    ]
    mesh_object = add_mesh(scene, name, model.shape, materials)
    if isinstance(model, Plant):
        _add_attribute(mesh_object.data, SHADE_ATTRIBUTE, model.shade_V)
        _add_attribute(mesh_object.data, TIP_ATTRIBUTE, model.tip_V)
    return mesh_object


def _add_attribute(mesh: Any, name: str, values_V: Floats) -> None:
    """Give each vertex of a mesh (mutated) a number."""
    layer = mesh.attributes.new(name, "FLOAT", "POINT")
    layer.data.foreach_set("value", values_V.astype(np.float32))


def _add_ground(scene: Any, seed: int, drawn: Outdoor) -> None:
    relief = drawn.ground.relief
    x, y, _ = drawn.camera.position_m
    shape = ground_mesh(relief, (x, y))
    material = build_material("ground", drawn.ground.finish, derive_rng(seed, "pattern", "ground"))
    mesh_object = add_mesh(scene, "ground", shape, [material])
    if relief.track is not None:
        places = shape.vertices_V3
        _add_attribute(mesh_object.data, TRACK_ATTRIBUTE, relief.track(places[:, 0], places[:, 1]))
    if relief.shore_y_m is not None:
        _add_water(scene, seed, relief.shore_y_m)


def _add_water(scene: Any, seed: int, shore_y_m: float) -> None:
    """Lay a sheet of water behind the shore, a little below the beach."""
    half, near_m = _WATER_HALF_M, shore_y_m - 6.0
    corners = np.array(
        [[-half, near_m, 0.0], [half, near_m, 0.0], [half, half, 0.0], [-half, half, 0.0]]
    )
    sheet = Shape(corners, np.array([[0, 1, 2, 3]]), np.zeros(1, np.int64)).moved(z_m=WATER_Z_M)
    finish: Finish = water_finish_rand(derive_rng(seed, "water"))
    material = build_material("water", finish, derive_rng(seed, "pattern", "water"))
    add_mesh(scene, "water", sheet, [material])


def _add_scenery(scene: Any, seed: int, drawn: Outdoor, view: View) -> None:
    setting = Setting(
        drawn.camera,
        view.half_angle_deg,
        drawn.ground.relief,
        drawn.sky.elevation_deg,
        drawn.sky.azimuth_deg,
        drawn.main.shape.radius_m,
        drawn.palette,
    )
    scenery = scenery_rand(derive_rng(seed, "scenery"), drawn.place, setting)
    first = {
        number: _add_model(scene, seed, f"model-{number:02d}", model)
        for number, model in enumerate(scenery.models)
    }
    is_used = set()
    for count, spot in enumerate(scenery.spots):
        mesh_object = first[spot.model]
        if spot.model in is_used:  # the same mesh again costs no memory
            mesh_object = bpy.data.objects.new(f"spot-{count:03d}", mesh_object.data)
            scene.collection.objects.link(mesh_object)
        is_used.add(spot.model)
        place(mesh_object, spot.x_m, spot.y_m, spot.z_m, spot.heading_deg)
        mesh_object.scale = (spot.object_scale,) * 3
    for number in set(first) - is_used:
        first[number].hide_render = True
