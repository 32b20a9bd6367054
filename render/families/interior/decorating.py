"""Decorate a furnished room: rug, pictures, curtains, ornaments on tops and on the sill."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Palette
from render.blender.shapes import Floats
from render.families.craft.props import Prop
from render.families.interior import decor
from render.families.interior.floor_plan import FloorPlan, Piece, footprints_meet, piece_points
from render.families.interior.furnishing import TOPS_M
from render.families.interior.room import along_sign, wall_frames
from render.families.tabletop.catalogue import make_prop

# Small objects that a person would put there.
_TOPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sideboard": ("vase", "books", "plant", "bowl", "candle", "jar", "clock", "jug"),
        "nightstand": ("books", "clock", "mug", "plant", "candle"),
        "chest": ("vase", "books", "plant", "bowl", "candle"),
        "desk": ("books", "mug", "plant", "clock"),
        "dining table": ("bowl", "vase", "jug", "candle", "bottle", "tumbler"),
        "coffee table": ("books", "bowl", "mug", "plant"),
    }
)
_SILL_THINGS = ("cactus", "plant", "vase", "candle")
_CASING_M, _CURTAIN_REACH_M = 0.12, 0.5  # beside the window's opening


def rug_rand(plan: FloorPlan, seed: int, palette: Palette) -> Piece | None:
    """Draw a rug around the main object, or none on a fitted carpet."""
    rng = derive_rng(seed, "rug")
    if plan.room.floor.kind == "carpet" or rng.random() < 0.15:
        return None
    width_m, depth_m = float(rng.uniform(1.7, 2.5)), float(rng.uniform(1.3, 1.8))
    room = plan.room
    x_m = float(rng.uniform(-0.25, 0.25))
    x_m = float(np.clip(x_m, -room.left_m + width_m / 2 + 0.1, room.right_m - width_m / 2 - 0.1))
    y_m = min(float(rng.uniform(-0.1, 0.4)), room.back_m - depth_m / 2 - 0.3)
    return Piece(decor.rug(rng, palette, (width_m, depth_m)), x_m, y_m, 0.0, 0.0)


def pictures_rand(plan: FloorPlan, seed: int, palette: Palette) -> list[Piece]:
    """Draw pictures for free wall that the camera sees, at eye level, one to three in a row."""
    rng = derive_rng(seed, "pictures")
    pieces: list[Piece] = []
    for wall in ("back", "left", "right"):
        if rng.random() < 0.2:
            continue
        count = int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
        for _ in range(12):
            row = _row_rand(plan, rng, palette, wall, count)
            if all(_is_free_wall(plan, piece, wall) for piece in row):
                pieces += row
                break
            count = max(1, count - 1)
    return pieces


def _row_rand(
    plan: FloorPlan, rng: np.random.Generator, palette: Palette, wall: str, count: int
) -> list[Piece]:
    height_m = float(rng.uniform(0.35, 0.8 if count == 1 else 0.6))
    width_m = height_m * float(rng.choice([0.72, 0.8, 1.0, 1.35] if count == 1 else [0.72, 0.8]))
    z_m = max(1.5 - height_m / 2, plan.room.rail_m + 0.1)
    axis = 0 if wall == "back" else 1
    anchors = [
        (piece.x_m, piece.y_m)[axis]
        for piece in plan.pieces
        if piece.prop.kind in ("sofa", "bed", "sideboard", "chest", "desk")
        and abs(_off_wall(plan, piece, wall)) < 1.2
    ]
    low, high = (-plan.room.left_m, plan.room.right_m) if axis == 0 else (-0.3, plan.room.back_m)
    middle = anchors[0] if anchors and rng.random() < 0.7 else float(rng.uniform(low, high))
    step_m = width_m + 0.09
    first = middle - (count - 1) * step_m / 2
    return [
        _hung(plan, decor.picture(rng, palette, width_m, height_m), wall, first + n * step_m, z_m)
        for n in range(count)
    ]


def _hung(plan: FloorPlan, prop: Prop, wall: str, along_m: float, z_m: float) -> Piece:
    (x_m, y_m), turn_deg, _ = wall_frames(plan.room)[wall]
    own = along_sign(wall) * along_m
    turn = math.radians(turn_deg)
    return Piece(prop, x_m + own * math.cos(turn), y_m + own * math.sin(turn), z_m, turn_deg)


def _off_wall(plan: FloorPlan, piece: Piece, wall: str) -> float:
    """Return how far the middle of a piece is from a wall."""
    room = plan.room
    return {
        "back": room.back_m - piece.y_m,
        "left": piece.x_m + room.left_m,
        "right": room.right_m - piece.x_m,
    }[wall]


def _is_free_wall(plan: FloorPlan, picture: Piece, wall: str) -> bool:
    """Whether a picture hangs in the frame, beside the window, above what stands there."""
    if not plan.view.shows(piece_points(picture), 0.02):
        return False
    axis = 0 if wall == "back" else 1
    room, span = plan.room, picture.corners_42[:, axis]
    low, high = float(span.min()) - 0.06, float(span.max()) + 0.06
    ends = (-room.left_m, room.right_m) if axis == 0 else (-3.0, room.back_m)
    if low < ends[0] or high > ends[1]:
        return False
    if room.window.wall == wall and room.window.overlaps(
        low - _CURTAIN_REACH_M, high + _CURTAIN_REACH_M
    ):
        return False
    for piece in plan.pieces:
        own = piece.corners_42[:, axis]
        is_beside = own.min() > high or own.max() < low
        is_low = piece.prop.shape.height_m < picture.z_m - 0.03
        if not is_beside and not is_low and _off_wall(plan, piece, wall) < 0.6:
            return False
    return True


def curtains_rand(plan: FloorPlan, seed: int, palette: Palette) -> Piece | None:
    """Draw curtains: to the floor where it is free, else to below the sill, else none."""
    rng = derive_rng(seed, "curtains")
    room, window = plan.room, plan.room.window
    if rng.random() < 0.15:
        return None
    axis = 0 if window.wall == "back" else 1
    tallest_m = 0.0
    for piece in plan.pieces:
        span, off_m = piece.corners_42[:, axis], _off_wall(plan, piece, window.wall)
        half_m = float(np.ptp(piece.corners_42[:, 1 - axis])) / 2
        low, high = float(span.min()) - _CURTAIN_REACH_M, float(span.max()) + _CURTAIN_REACH_M
        if window.overlaps(low, high) and off_m - half_m < 0.18:
            tallest_m = max(tallest_m, piece.prop.shape.height_m)
    rod_m = min(window.head_m + 0.12, room.height_m - 0.08)
    end_m = 0.02 if tallest_m == 0.0 else window.sill_m - 0.14
    if tallest_m > end_m + 0.001 and tallest_m > 0.0:
        return None
    prop = decor.curtains(rng, palette, window.width_m, rod_m - end_m)
    return _hung(plan, prop, window.wall, window.along_m, rod_m)


def small_things_rand(
    plan: FloorPlan, seed: int, palette: Palette, lamp_spot: Piece
) -> list[Piece]:
    """Draw what stands on the tops of the furniture and on the window's sill."""
    ornaments: list[Piece] = []
    for number, piece in enumerate(plan.pieces):
        kinds = _TOPS.get(piece.prop.kind)
        if kinds is None:
            continue
        rng = derive_rng(seed, "top", number)
        taken = [lamp_spot.corners_42] if lamp_spot.z_m > 0.0 else []
        count = (
            int(rng.integers(1, 3)) if piece.prop.kind == "nightstand" else int(rng.integers(2, 5))
        )
        for kind in rng.permutation(kinds)[:count]:
            ornament = _on_top_rand(rng, palette, piece, str(kind), taken)
            if ornament is not None:
                ornaments.append(ornament)
                taken.append(ornament.corners_42)
    return ornaments + _on_sill_rand(plan, derive_rng(seed, "sill"), palette)


def _on_top_rand(
    rng: np.random.Generator, palette: Palette, below: Piece, kind: str, taken: list[Floats]
) -> Piece | None:
    prop = make_prop(kind, rng, palette)
    top_m = TOPS_M.get(below.prop.kind, below.prop.shape.height_m)
    corners = below.corners_42
    middle = corners.mean(axis=0)
    along, across = (corners[1] - corners[0]) / 2.0, (corners[3] - corners[0]) / 2.0
    margin = prop.shape.radius_m + 0.02
    reach_u = 1.0 - margin / float(np.linalg.norm(along))
    reach_v = 1.0 - margin / float(np.linalg.norm(across))
    if min(reach_u, reach_v) < 0.0:
        return None
    for _ in range(25):
        u, v = float(rng.uniform(-reach_u, reach_u)), float(rng.uniform(-reach_v, reach_v))
        if below.prop.kind == "desk" and abs(u) < 0.45:
            continue  # there is a screen, or somebody writes
        x_m, y_m = (float(c) for c in middle + u * along + v * across)
        heading_deg = below.heading_deg + float(rng.uniform(-40.0, 40.0))
        ornament = Piece(prop, x_m, y_m, top_m, heading_deg)
        if not any(footprints_meet(ornament.corners_42, other, 0.015) for other in taken):
            return ornament
    return None


def _on_sill_rand(plan: FloorPlan, rng: np.random.Generator, palette: Palette) -> list[Piece]:
    window = plan.room.window
    if window.sill_m < 0.5 or rng.random() < 0.35:
        return []
    ornaments: list[Piece] = []
    for along in rng.choice([-0.32, 0.05, 0.3], int(rng.integers(1, 3)), replace=False):
        prop = make_prop(str(rng.choice(_SILL_THINGS)), rng, palette)
        if prop.shape.radius_m > 0.11:
            continue
        spot = window.along_m + float(along) * window.width_m
        ornament = _hung(plan, prop, window.wall, spot, window.sill_m)
        ornaments.append(ornament)
    return ornaments
