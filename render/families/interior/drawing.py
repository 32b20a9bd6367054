"""The family `interior`: a corner of a furnished room with a window and a lamp, as drawn.

Everything is drawn from generators derived from the scene's seed, each with its own name, before
Blender has anything to do; `render.families.interior.building` makes the objects.
"""

from dataclasses import dataclass
from typing import Any

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Palette, palette_rand
from render.families.interior.camera import view_rand
from render.families.interior.decorating import (
    curtains_rand,
    pictures_rand,
    rug_rand,
    small_things_rand,
)
from render.families.interior.floor_plan import FloorPlan, Piece, View
from render.families.interior.furnishing import MAIN_MAKERS, MAIN_SHARES, ROOM_KINDS, furnish
from render.families.interior.lamps import Lamp
from render.families.interior.light import InteriorLight, light_rand
from render.families.interior.room import Room, room_rand


@dataclass(frozen=True)
class Interior:
    """One scene of the family, complete; positions are in the room's own frame."""

    kind: str  # one of ROOM_KINDS
    room: Room
    view: View
    main: Piece  # at the origin
    furniture: tuple[Piece, ...]  # what stands on the floor besides
    decor: tuple[Piece, ...]  # rug, pictures, curtains, ornaments
    lamp: Lamp
    lamp_spot: Piece
    light: InteriorLight

    def to_json(self) -> dict[str, Any]:
        """Return what was drawn as plain JSON values."""
        camera = self.view.camera
        return {
            "room": self.kind,
            "main_object": self.main.prop.kind,
            "furniture": [piece.prop.kind for piece in self.furniture],
            "decor": [piece.prop.kind for piece in self.decor],
            "floor": self.room.floor.kind,
            "wall": self.room.wall.kind,
            "window_wall": self.room.window.wall,
            "lamp": self.lamp.kind,
            "lamp_cct_k": self.light.lamp_cct_k,
            "window_cct_k": self.light.window_cct_k,
            "mood": self.light.mood,
            "has_sunlight": self.light.sun is not None,
            "view": self.light.view_hdri,
            "room_turn_deg": self.view.turn_deg,
            "camera_height_m": camera.position_m[2],
            "focal_length_mm": camera.focal_length_mm,
            "f_number": camera.f_number,
            "focus_distance_m": camera.focus_distance_m,
            "wb_cct_k": self.light.wb_cct_k,
        }


def interior_rand(seed: int, width_px: int, height_px: int) -> Interior:
    """Draw a scene; the frame's shape decides how far the camera stands back."""
    palette = palette_rand(derive_rng(seed, "palette"))
    kind = str(derive_rng(seed, "room-kind").choice(ROOM_KINDS))
    room = room_rand(derive_rng(seed, "room"), palette, kind)
    main = _main_rand(seed, palette, kind)
    view = view_rand(derive_rng(seed, "camera"), main.prop, room, width_px, height_px)
    plan = FloorPlan(room, view, main, [])
    lamp, lamp_spot = furnish(plan, seed, palette, kind)
    decor = [rug_rand(plan, seed, palette), curtains_rand(plan, seed, palette)]
    decor += pictures_rand(plan, seed, palette)
    decor += small_things_rand(plan, seed, palette, lamp_spot)
    return Interior(
        kind=kind,
        room=room,
        view=view,
        main=main,
        furniture=tuple(piece for piece in plan.pieces if piece is not lamp_spot),
        decor=tuple(piece for piece in decor if piece is not None),
        lamp=lamp,
        lamp_spot=lamp_spot,
        light=light_rand(derive_rng(seed, "light"), room, lamp, lamp_spot),
    )


def _main_rand(seed: int, palette: Palette, kind: str) -> Piece:
    rng = derive_rng(seed, "main")
    shares = MAIN_SHARES[kind]
    name = str(rng.choice(tuple(shares), p=tuple(shares.values())))
    prop = MAIN_MAKERS[name](rng, palette)
    # Its front or a side of it is towards the camera, never its back.
    return Piece(prop, 0.0, 0.0, 0.0, float(rng.uniform(-58.0, 58.0)))
