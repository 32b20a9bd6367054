"""Build a scene of the family `tabletop` in an emptied Blender, ready to render."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.meshes import add_mesh
from render.blender.session import fresh_scene
from render.blender.shapes import Shape, rounded_box
from render.families.craft.layout import Placed
from render.families.craft.materials import build_material
from render.families.craft.stage import add_camera, add_lights, place
from render.families.tabletop.drawing import Table, Tabletop, tabletop_rand
from render.scene import BuiltScene

_TABLE_WIDTH_M, _TABLE_FRONT_M, _TABLE_THICK_M = 3.6, 2.2, 0.035
_WALL_HEIGHT_M = 2.2
_SWEEP_RADIUS_M = 0.35  # of the bend of the background paper


def build_tabletop(
    seed: int, width_px: int, height_px: int, hdri_file: Path | None = None
) -> BuiltScene:
    """Draw and build one scene of the family, in the light of the user's HDRI if one is given.

    Raises:
        SceneError: an HDRI is missing, or cannot be used.
    """
    drawn = tabletop_rand(seed, width_px, height_px, hdri_file=hdri_file)
    return lay_table(fresh_scene(), drawn, seed)


def lay_table(scene: Any, drawn: Tabletop, seed: int, guest: Any | None = None) -> BuiltScene:
    """Build a drawn scene in an empty one; `guest` is an object that is the main one already.

    Raises:
        SceneError: an HDRI is missing, or cannot be used.
    """
    _add_surroundings(scene, seed, drawn.table)
    objects = [] if guest is None else [guest]
    for number, placed in enumerate(drawn.props):
        if number == 0 and guest is not None:
            place(guest, placed.x_m, placed.y_m, 0.0, placed.heading_deg)
            continue
        rng = derive_rng(seed, "pattern", number)
        objects.append(_add_prop(scene, rng, f"thing-{number:02d}", placed))
    groups = add_lights(scene, drawn.lamps, drawn.world)
    return BuiltScene(
        scene=scene,
        main_object=objects[0],
        main_name=drawn.props[0].prop.kind,
        render_camera=add_camera(scene, drawn.camera),
        camera=drawn.camera,
        groups=groups,
        wb_cct_k=drawn.wb_cct_k,
        facts=drawn.to_json(),
    )


def _add_prop(scene: Any, rng: np.random.Generator, name: str, placed: Placed) -> Any:
    materials = [
        build_material(f"{name}-{slot}", finish, rng)
        for slot, finish in enumerate(placed.prop.finishes)
    ]
    mesh_object = add_mesh(scene, name, placed.prop.shape, materials)
    place(mesh_object, placed.x_m, placed.y_m, 0.0, placed.heading_deg)
    return mesh_object


def _add_surroundings(scene: Any, seed: int, table: Table) -> None:
    rng = derive_rng(seed, "pattern", "table")
    top = build_material("table", table.finish, rng)
    if table.backdrop == "paper":
        mesh_object = add_mesh(scene, "paper", _paper_sweep(table.depth_m), [top])
        place(mesh_object, 0.0, 0.0, 0.0, table.turn_deg)
        return
    slab = rounded_box((_TABLE_WIDTH_M, _TABLE_FRONT_M + table.depth_m, _TABLE_THICK_M), 0.004)
    slab = slab.moved(y_m=(table.depth_m - _TABLE_FRONT_M) / 2, z_m=-_TABLE_THICK_M)
    place(add_mesh(scene, "table", slab, [top]), 0.0, 0.0, 0.0, table.turn_deg)
    if table.backdrop in ("wall", "tiles"):
        wall = rounded_box((2.0 * _TABLE_WIDTH_M, 0.1, _WALL_HEIGHT_M + 1.0), 0.001)
        mesh_object = add_mesh(scene, "wall", wall, [build_material("wall", table.wall, rng)])
        turn = math.radians(table.turn_deg)
        away_m = table.wall_m + 0.0501
        place(mesh_object, -away_m * math.sin(turn), away_m * math.cos(turn), -1.0, table.turn_deg)


def _paper_sweep(depth_m: float) -> Shape:
    """Return background paper: level, then bent up into a wall."""
    bend = np.linspace(0.0, np.pi / 2, 24)
    y = np.concatenate(
        [
            [-_TABLE_FRONT_M],
            depth_m + _SWEEP_RADIUS_M * np.sin(bend),
        ]
    )
    z = np.concatenate([[0.0], _SWEEP_RADIUS_M * (1.0 - np.cos(bend))])
    y, z = np.append(y, y[-1]), np.append(z, _WALL_HEIGHT_M)
    half = _TABLE_WIDTH_M / 2
    left = np.column_stack([np.full(len(y), -half), y, z])
    right = left * np.array([-1.0, 1.0, 1.0])
    row = np.arange(len(y) - 1)
    faces = np.stack([row, row + len(y), row + len(y) + 1, row + 1], axis=1)
    return Shape(np.concatenate([left, right]), faces, np.zeros(len(faces), np.int64))
