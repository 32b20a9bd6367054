"""The family `tabletop`: a handful of objects on a table, lit from a window side, photographed.

Everything is drawn here from generators derived from the scene's seed, each with its own name, so
that a new draw in one place shifts nothing elsewhere; `render.families.craft.stage` builds it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import (
    WOODS,
    Finish,
    Palette,
    linear_rgb,
    palette_rand,
    shaded,
)
from render.families.craft.lamp_colours import balance_k, cct_rand
from render.families.craft.layout import Placed, TableEdge, arrange_rand, camera_rand
from render.families.craft.props import Prop
from render.families.craft.stage import AreaLamp, World, soft_box
from render.families.tabletop.catalogue import MAIN_KINDS, MAIN_SHARES, MAKERS, make_prop
from render.scene import CameraPose

KEY_IRRADIANCE_W_M2 = 6.6  # of the key light on the main object; the exposure anchor takes care
ROOM_HDRIS = ("interior.exr", "courtyard.exr", "forest.exr", "sunset.exr")  # seen blurred
LIGHT_HDRIS = ("interior.exr", "studio.exr", "city.exr", "courtyard.exr", "sunrise.exr")
BACKDROPS = ("wall", "tiles", "paper", "room")
HDRI_PEAK = 12.0  # the HDRIs' radiance is about 1 on average; bulbs and suns reach 30,000


@dataclass(frozen=True)
class Table:
    """A table top and what is behind it."""

    finish: Finish
    turn_deg: float  # of the grain and of the wall, about z
    depth_m: float  # from the main object to the back edge
    backdrop: str  # one of BACKDROPS
    wall: Finish
    wall_m: float  # from the main object to the wall

    @property
    def edge(self) -> TableEdge:
        """Where the space for objects ends."""
        return TableEdge(self.depth_m, self.turn_deg)


@dataclass(frozen=True)
class Tabletop:
    """One scene of the family, complete; the first of `props` is the main object."""

    table: Table
    props: tuple[Placed, ...]
    camera: CameraPose
    lamps: tuple[AreaLamp, ...]  # the first one is the key light
    world: World
    wb_cct_k: float  # what the camera is set to

    def to_json(self) -> dict[str, Any]:
        """Return what was drawn as plain JSON values."""
        return {
            "things": [placed.prop.kind for placed in self.props],
            "table": self.table.finish.kind,
            "backdrop": self.table.backdrop,
            "hdri": self.world.name,
            "ambient_irradiance_w_m2": self.world.irradiance_w_m2,
            "focal_length_mm": self.camera.focal_length_mm,
            "f_number": self.camera.f_number,
            "focus_distance_m": self.camera.focus_distance_m,
            "wb_cct_k": self.wb_cct_k,
        }


def tabletop_rand(
    seed: int,
    width_px: int,
    height_px: int,
    *,
    guest: Prop | None = None,
    hdri_file: Path | None = None,
) -> Tabletop:
    """Draw a scene; the frame's shape decides what fits into it.

    `guest` takes the place of the main object that is drawn, `hdri_file` that of the HDRI.
    """
    palette = palette_rand(derive_rng(seed, "palette"))
    rng = derive_rng(seed, "things")
    main_kind = str(rng.choice(MAIN_KINDS, p=MAIN_SHARES))
    main = guest or make_prop(main_kind, derive_rng(seed, "main"), palette)
    others = sorted(set(MAKERS) - {main_kind})
    kinds = [str(kind) for kind in rng.choice(others, int(rng.integers(4, 8)), replace=False)]
    extras = [
        make_prop(kind, derive_rng(seed, "extra", number), palette)
        for number, kind in enumerate(kinds)
    ]
    tallest_m = max(prop.shape.height_m for prop in extras)
    camera = camera_rand(derive_rng(seed, "camera"), main, tallest_m, width_px, height_px)
    table = _table_rand(derive_rng(seed, "table"), palette, camera)
    props = arrange_rand(
        derive_rng(seed, "places"), main, extras, camera, width_px / height_px, table.edge
    )
    lamps = _lamps_rand(derive_rng(seed, "lamps"), main.shape.height_m, table)
    world = replace(_world_rand(derive_rng(seed, "world"), table), file=hdri_file)
    return Tabletop(table, props, camera, lamps, world, balance_k(lamps[0].cct_k))


def _table_rand(rng: np.random.Generator, palette: Palette, camera: CameraPose) -> Table:
    depth_m = camera.distance_m * float(rng.uniform(0.6, 1.1))
    backdrop = str(rng.choice(BACKDROPS, p=[0.35, 0.15, 0.15, 0.35]))
    gap_m = 0.0 if backdrop == "paper" else float(rng.uniform(0.0, 0.5))
    if backdrop == "tiles":
        gap_m = 0.0  # a kitchen worktop ends at the wall
    colour = shaded(palette.light if rng.random() < 0.45 else palette.neutral, 0.85)
    if rng.random() < 0.3:
        colour = shaded(palette.other, 0.8)
    walls = {
        "wall": Finish("plaster", colour, colour, 0.8),
        "tiles": Finish("tiles", shaded(palette.light, 0.85), linear_rgb("8f8a82"), 0.12),
        "paper": Finish("paper", colour),
        "room": Finish("plaster", colour),
    }
    turn_deg = float(rng.normal(0.0, 5.0))
    finish = walls["paper"] if backdrop == "paper" else _top_rand(rng, palette)
    return Table(finish, turn_deg, depth_m, backdrop, walls[backdrop], depth_m + gap_m)


def _top_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    kind = str(
        rng.choice(["planks", "wood", "marble", "granite", "linen"], p=[0.4, 0.15, 0.15, 0.1, 0.2])
    )
    if kind in ("planks", "wood"):
        light, dark = WOODS[int(rng.integers(len(WOODS)))]
        return Finish(
            kind, light, dark, float(rng.uniform(0.35, 0.55)), float(rng.uniform(0.85, 1.3))
        )
    if kind == "marble":
        white = rng.random() < 0.7
        pair = ("e6e3dd", "8d8a88") if white else ("3a3d40", "8a8c8c")
        return Finish(
            kind, linear_rgb(pair[0]), linear_rgb(pair[1]), 0.12, float(rng.uniform(0.8, 1.5))
        )
    if kind == "granite":
        light = linear_rgb(str(rng.choice(["b4aea4", "7c7f82", "8a7d70"])))
        return Finish(kind, light, shaded(light, 0.6), float(rng.uniform(0.5, 0.8)), 0.8)
    return Finish(kind, shaded(palette.light if rng.random() < 0.6 else palette.other, 0.85))


def _lamps_rand(
    rng: np.random.Generator, height_m: float, table: Table
) -> tuple[AreaLamp, AreaLamp]:
    """Draw a key light from one side and a weak, large fill from the other."""
    side = float(rng.choice([-1.0, 1.0]))
    azimuth_deg = float(rng.uniform(35.0, 125.0))  # 0 = from the camera, 180 = from behind
    key = _lamp(
        "key",
        side * azimuth_deg,
        float(rng.uniform(28.0, 58.0)),
        float(rng.uniform(1.1, 1.6)),
        (float(rng.uniform(0.15, 0.55)), float(rng.uniform(0.2, 0.7))),
        KEY_IRRADIANCE_W_M2,
        _key_cct_rand(rng),
        height_m,
        table,
    )
    fill = _lamp(
        "fill",
        -side * float(rng.uniform(25.0, 80.0)),
        float(rng.uniform(20.0, 50.0)),
        1.7,
        (1.2, 1.2),
        KEY_IRRADIANCE_W_M2 / float(rng.uniform(7.0, 16.0)),
        cct_rand(rng, 3200.0, 6500.0),
        height_m,
        table,
    )
    return key, fill


def _lamp(
    name: str,
    azimuth_deg: float,
    elevation_deg: float,
    distance_m: float,
    size_m: tuple[float, float],
    irradiance_w_m2: float,
    cct_k: float,
    height_m: float,
    table: Table,
) -> AreaLamp:
    """Return a soft box aimed at the main object, see `stage.soft_box`, in front of the wall."""
    aim_m = (0.0, 0.0, height_m / 2)
    lamp = soft_box(
        name, azimuth_deg, elevation_deg, distance_m, size_m, irradiance_w_m2, cct_k, aim_m
    )
    if table.backdrop == "room":
        return lamp
    x_m, y_m, z_m = lamp.position_m
    return replace(lamp, position_m=(x_m, min(y_m, table.wall_m - 0.25), z_m))


def _key_cct_rand(rng: np.random.Generator) -> float:
    """Draw a window (most of the time) or a warm lamp."""
    if rng.random() < 0.6:
        return cct_rand(rng, 4300.0, 6500.0)
    return cct_rand(rng, 2700.0, 4300.0)


def _world_rand(rng: np.random.Generator, table: Table) -> World:
    is_room = table.backdrop == "room"
    hdri = str(rng.choice(ROOM_HDRIS if is_room else LIGHT_HDRIS))
    share = float(rng.uniform(0.3, 0.65) if is_room else rng.uniform(0.12, 0.4))
    return World(hdri, float(rng.uniform(0.0, 360.0)), KEY_IRRADIANCE_W_M2 * share, HDRI_PEAK)
