"""Build a scene of the family `interior` in an emptied Blender, ready to render."""

import math
from typing import Any

import numpy as np

from cat_dataset.records import LightGroup
from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Finish, linear_rgb
from render.blender.meshes import add_mesh
from render.blender.session import fresh_scene
from render.blender.shapes import ball, rounded_box
from render.families.craft.materials import build_material
from render.families.craft.stage import AreaLamp, add_area_lamp, add_camera, place
from render.families.interior import room as shell
from render.families.interior.drawing import Interior, interior_rand
from render.families.interior.floor_plan import Piece
from render.families.interior.glow import (
    add_bulb,
    add_panel,
    add_sun,
    bulb_material,
    join_light_group,
    shade_material,
    show_only_to_camera,
    view_material,
)
from render.families.interior.light import (
    Point,
    bulb_point,
    unseen_window,
    window_centre,
    window_normal,
)
from render.scene import AMBIENT_GROUP, BuiltScene

LAMP_GROUP, WINDOW_GROUP = "lamp", "window"
_BEHIND_WALL_M = 0.5  # from the outer face to the card with the view
_UNSEEN_SIZE_M = (1.3, 1.4)  # of the window beside the camera
_BULB_VIEW_RADIANCE = 6.0  # of a bare bulb as the camera sees it


def build_interior(seed: int, width_px: int, height_px: int) -> BuiltScene:
    """Draw and build one scene of the family.

    Raises:
        SceneError: a file that Blender should bring is missing.
    """
    drawn = interior_rand(seed, width_px, height_px)
    scene = fresh_scene()
    _add_shell(scene, seed, drawn)
    main = _add_piece(scene, seed, drawn, "main", drawn.main)
    for number, piece in enumerate((*drawn.furniture, *drawn.decor)):
        _add_piece(scene, seed, drawn, f"piece-{number:02d}", piece)
    _add_lamp(scene, seed, drawn)
    _add_daylight(scene, drawn)
    _add_fill(scene, drawn)
    light = drawn.light
    return BuiltScene(
        scene=scene,
        main_object=main,
        main_name=drawn.main.prop.kind,
        render_camera=add_camera(scene, drawn.view.camera),
        camera=drawn.view.camera,
        groups=(
            LightGroup(LAMP_GROUP, "lamp", light.lamp_cct_k, light.lamp_power_w),
            LightGroup(WINDOW_GROUP, "lamp", light.window_cct_k, light.window_power_w),
            LightGroup(AMBIENT_GROUP, "ambient", None, light.ambient_power_w),
        ),
        wb_cct_k=light.wb_cct_k,
        facts=drawn.to_json(),
    )


def _in_world(drawn: Interior, point: Point) -> Point:
    """Return a point of the room's frame in the world's."""
    turn = math.radians(drawn.view.turn_deg)
    x_m, y_m, z_m = point
    return (
        x_m * math.cos(turn) - y_m * math.sin(turn),
        x_m * math.sin(turn) + y_m * math.cos(turn),
        z_m,
    )


def _settle(drawn: Interior, mesh_object: Any, point: Point, heading_deg: float) -> None:
    place(mesh_object, *_in_world(drawn, point), heading_deg + drawn.view.turn_deg)


def _add_piece(scene: Any, seed: int, drawn: Interior, name: str, piece: Piece) -> Any:
    rng = derive_rng(seed, "pattern", name)
    materials = [
        build_material(f"{name}-{slot}", finish, rng)
        for slot, finish in enumerate(piece.prop.finishes)
    ]
    mesh_object = add_mesh(scene, name, piece.prop.shape, materials)
    _settle(drawn, mesh_object, (piece.x_m, piece.y_m, piece.z_m), piece.heading_deg)
    return mesh_object


def _add_shell(scene: Any, seed: int, drawn: Interior) -> None:
    room = drawn.room
    rng = derive_rng(seed, "pattern", "room")
    white = linear_rgb("f0eeea")
    floor, wall, trim, frame, ceiling = (
        build_material(name, finish, rng)
        for name, finish in (
            ("floor", room.floor),
            ("wall", room.wall),
            ("trim", room.trim),
            ("window-frame", room.window.frame),
            ("ceiling", Finish("plaster", white, white, 0.85)),
        )
    )
    for name, shape, material in (
        ("floor", shell.floor_shape(room), floor),
        ("ceiling", shell.ceiling_shape(room), ceiling),
    ):
        _settle(drawn, add_mesh(scene, name, shape, [material]), (0.0, 0.0, 0.0), 0.0)
    for name, ((x_m, y_m), turn_deg, _) in shell.wall_frames(room).items():
        parts = [
            add_mesh(scene, f"wall-{name}", shell.wall_shape(room, name), [wall]),
            add_mesh(scene, f"trim-{name}", shell.trim_shape(room, name), [trim]),
        ]
        for part in parts:
            _settle(drawn, part, (x_m, y_m, 0.0), turn_deg)
    mesh_object = add_mesh(scene, "window", shell.window_shape(room), [trim, frame])
    x_m, y_m, _ = window_centre(room, 0.0)
    turn_deg = shell.wall_frames(room)[room.window.wall][1]
    _settle(drawn, mesh_object, (x_m, y_m, 0.0), turn_deg)


def _add_lamp(scene: Any, seed: int, drawn: Interior) -> None:
    lamp, spot, light = drawn.lamp, drawn.lamp_spot, drawn.light
    stand = Piece(lamp.stand, spot.x_m, spot.y_m, spot.z_m, spot.heading_deg)
    # What is close to the bulb is very bright and very small: indirect rays that find it by chance
    # would be fireflies.
    _add_piece(scene, seed, drawn, "lamp-stand", stand).visible_diffuse = False
    bulb = bulb_point(lamp, spot)
    shade = lamp.shade
    if shade.transmission > 0.0:
        cloth = shade_material(
            "shade", shade.colour, shade.transmission, light.shade_radiance, shade.height_m / 2
        )
        materials = [cloth]
    else:
        rng = derive_rng(seed, "pattern", "shade")
        lining = linear_rgb("f0ece2")
        materials = [
            build_material("shade", Finish("plastic", shade.colour, roughness=0.3), rng),
            build_material("shade-lining", Finish("plastic", lining, roughness=0.6), rng),
        ]
        radius_m = 0.03
        bare = ball(12).stretched(radius_m, radius_m, radius_m)
        glow = add_mesh(scene, "bulb", bare, [bulb_material("bulb", _BULB_VIEW_RADIANCE)])
        show_only_to_camera(glow)
        join_light_group(scene, glow, LAMP_GROUP)
        _settle(drawn, glow, bulb, 0.0)
    mesh_object = add_mesh(scene, "shade", shade.shape, materials)
    mesh_object.visible_diffuse = False
    if shade.transmission > 0.0:
        join_light_group(scene, mesh_object, LAMP_GROUP)
    _settle(drawn, mesh_object, bulb, spot.heading_deg)
    add_bulb(scene, LAMP_GROUP, _in_world(drawn, bulb), lamp.bulb_radius_m, light.lamp_power_w)


def _add_daylight(scene: Any, drawn: Interior) -> None:
    """Add the window's soft light at the outer face, the view behind it, and the sun."""
    room, light = drawn.room, drawn.light
    window = room.window
    outside = np.array(window_centre(room, shell.WALL_M + 0.01))
    inside = outside + np.array(window_normal(room))
    add_area_lamp(
        scene,
        AreaLamp(
            WINDOW_GROUP,
            _in_world(drawn, _point(outside)),
            _in_world(drawn, _point(inside)),
            (window.width_m, window.height_m),
            light.window_power_w - light.unseen_power_w,
            light.window_cct_k,
        ),
    )
    spot, normal = unseen_window(room)
    aim = _point(np.add(spot, normal))
    second = AreaLamp(
        "window-beside-camera",
        _in_world(drawn, spot),
        _in_world(drawn, aim),
        _UNSEEN_SIZE_M,
        light.unseen_power_w,
        light.window_cct_k,
    )
    add_panel(scene, WINDOW_GROUP, second)
    view = view_material("view", light.view_hdri, light.view_turn_deg, light.view_radiance)
    card = rounded_box((window.width_m + 8.0, 0.01, 8.0), 0.001, num_steps=1)
    mesh_object = add_mesh(scene, "view", card, [view])
    show_only_to_camera(mesh_object)
    join_light_group(scene, mesh_object, WINDOW_GROUP)
    x_m, y_m, _ = window_centre(room, shell.WALL_M + _BEHIND_WALL_M)
    _settle(drawn, mesh_object, (x_m, y_m, -2.5), shell.wall_frames(room)[window.wall][1])
    if light.sun is not None:
        towards = _in_world(drawn, light.sun.towards)
        add_sun(scene, WINDOW_GROUP, towards, light.sun.irradiance_w_m2, angle_deg=1.0)


def _point(vector: Any) -> Point:
    x_m, y_m, z_m = (float(v) for v in vector)
    return x_m, y_m, z_m


def _add_fill(scene: Any, drawn: Interior) -> None:
    """Add the weak light of the rest of the house, which comes in through the open front."""
    room = drawn.room
    middle_m = (room.right_m - room.left_m) / 2
    spot = (middle_m, -shell.FRONT_M + 0.05, room.height_m / 2)
    add_area_lamp(
        scene,
        AreaLamp(
            AMBIENT_GROUP,
            _in_world(drawn, spot),
            _in_world(drawn, (middle_m, 0.0, room.height_m / 2)),
            (room.left_m + room.right_m - 0.1, room.height_m - 0.1),
            drawn.light.ambient_power_w,
            6500.0,
        ),
    )
