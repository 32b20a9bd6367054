"""Furnish a room: which pieces a kind of room has, and where its lamp stands or hangs."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Palette
from render.families.craft.props import Prop
from render.families.interior import decor, furniture, lamps, seating
from render.families.interior.floor_plan import FloorPlan, Piece, piece_points
from render.families.interior.lamps import Lamp

Maker = Callable[[np.random.Generator, Palette], Prop]

MAIN_MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        "armchair": seating.armchair,
        "lounge chair": seating.lounge_chair,
        "chair": seating.chair,
        "stool": seating.stool,
        "bench": seating.bench,
        "side table": furniture.side_table,
        "chest": furniture.chest,
    }
)

# What may be the main object of a kind of room, and how often.
MAIN_SHARES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "living room": {"armchair": 0.32, "lounge chair": 0.24, "side table": 0.34, "bench": 0.1},
        "reading corner": {"armchair": 0.4, "lounge chair": 0.35, "stool": 0.15, "side table": 0.1},
        "dining corner": {"chair": 0.7, "stool": 0.2, "bench": 0.1},
        "bedroom": {"armchair": 0.25, "bench": 0.15, "chair": 0.15, "chest": 0.25, "stool": 0.2},
        "home office": {"chair": 0.35, "armchair": 0.25, "lounge chair": 0.2, "chest": 0.2},
    }
)
ROOM_KINDS = tuple(MAIN_SHARES)

# Pieces against the walls in order of importance; what finds no place is left out.
_WALL_PIECES: Mapping[str, tuple[tuple[Maker, ...], ...]] = MappingProxyType(
    {
        "living room": (
            (seating.sofa,),
            (furniture.nightstand, furniture.sideboard),
            (furniture.bookshelf, decor.floor_plant),
        ),
        "reading corner": (
            (furniture.bookshelf,),
            (furniture.nightstand, furniture.chest, furniture.sideboard),
            (furniture.bookshelf, decor.floor_plant),
        ),
        "dining corner": ((furniture.sideboard, furniture.bookshelf), (decor.floor_plant,)),
        "bedroom": (
            (furniture.bed,),
            (furniture.nightstand,),
            (furniture.chest, furniture.bookshelf),
        ),
        "home office": (
            (furniture.desk,),
            (furniture.bookshelf,),
            (furniture.nightstand, furniture.chest),
        ),
    }
)
_LAMP_SHARES: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {  # floor lamp, table lamp, pendant
        "living room": (0.55, 0.35, 0.1),
        "reading corner": (0.7, 0.2, 0.1),
        "dining corner": (0.1, 0.15, 0.75),
        "bedroom": (0.25, 0.6, 0.15),
        "home office": (0.35, 0.55, 0.1),
    }
)
TOPS_M: Mapping[str, float] = MappingProxyType({"desk": 0.745})  # where the shape itself is higher
_SURFACES = ("nightstand", "sideboard", "chest", "desk")
_NUM_SPOTS = 8  # for a floor lamp, of which the best is taken
_FARTHEST_TOP_M = 2.2  # a table lamp farther from the main object hardly lights it
_FRAME_MARGIN = 0.04  # of the lamp's shade from the frame's border


def furnish(plan: FloorPlan, seed: int, palette: Palette, kind: str) -> tuple[Lamp, Piece]:
    """Fill a plan (mutated) with the furniture of a kind of room; returns its lamp and place."""
    if kind == "dining corner":
        _lay_table(plan, seed, palette)
    first, second, *others = _WALL_PIECES[kind]
    _place_one(plan, seed, palette, 0, first)
    _place_one(plan, seed, palette, 1, second)
    lamp, spot = _place_lamp(plan, seed, palette, kind)
    for number, makers in enumerate(others, start=2):
        _place_one(plan, seed, palette, number, makers)
    if not any(piece.prop.kind == "plant" for piece in plan.pieces):
        _place_one(plan, seed, palette, 9, (decor.floor_plant,))
    return lamp, spot


def _place_one(
    plan: FloorPlan, seed: int, palette: Palette, number: int, makers: tuple[Maker, ...]
) -> Piece | None:
    rng = derive_rng(seed, "piece", number)
    prop = makers[int(rng.integers(len(makers)))](rng, palette)
    near = "left" if plan.room.left_m < plan.room.right_m else "right"
    far = "right" if near == "left" else "left"
    walls = ("back", "back", near, far) if number else ("back", "back", "back", near, far)
    return plan.place_against(rng, prop, walls, num_tries=100)


def _lay_table(plan: FloorPlan, seed: int, palette: Palette) -> None:
    """Put a dining table behind the main object, and two or three chairs of one kind at it."""
    rng = derive_rng(seed, "dining-table")
    table = furniture.dining_table(rng, palette)
    room = plan.room
    spot = plan.place_free(
        rng, table, (-room.left_m + 0.6, 0.8), (room.right_m - 0.6, room.back_m - 0.6), 0.0
    )
    if spot is None:
        return
    (x0, y0), (x1, y1) = spot.corners_42.min(axis=0), spot.corners_42.max(axis=0)
    if plan.main.prop.kind == "chair":
        prop = plan.main.prop
    else:
        prop = seating.chair(derive_rng(seed, "dining-chair"), palette)
    third = (x1 - x0) / 4.0
    middle = (x0 + x1) / 2.0
    places = [
        (middle - third, y1 + 0.1, 0.0),
        (middle + third, y1 + 0.1, 0.0),
        (x0 - 0.12, (y0 + y1) / 2.0, 90.0),
        (x1 + 0.12, (y0 + y1) / 2.0, -90.0),
        (middle - third, y0 - 0.12, 180.0),
        (middle + third, y0 - 0.12, 180.0),
    ]
    for x_m, y_m, heading_deg in places:
        turn_deg = heading_deg + float(rng.normal(0.0, 5.0))
        chair = Piece(prop, x_m, y_m, 0.0, turn_deg)
        others = [piece for piece in plan.pieces if piece is not spot]
        clear = FloorPlan(plan.room, plan.view, plan.main, others)
        if clear.admits(chair):  # its seat is under the table top, so the table itself is no hurdle
            plan.pieces.append(chair)


def _place_lamp(plan: FloorPlan, seed: int, palette: Palette, kind: str) -> tuple[Lamp, Piece]:
    """Place the main lamp inside the frame: the kind that was drawn, else one that fits."""
    rng = derive_rng(seed, "lamp")
    ways = [_stand_lamp, _put_lamp_on_top, _hang_lamp]
    first = int(rng.choice(3, p=_LAMP_SHARES[kind]))
    for way in [ways[first], _stand_lamp, _hang_lamp, _hang_anywhere]:
        placed = way(plan, derive_rng(seed, "lamp", way.__name__), palette)
        if placed is not None:
            return placed
    msg = f"seed {seed}: no place for a lamp in a room of {plan.room.height_m:.2f} m"
    raise AssertionError(msg)  # the last way always succeeds


def _is_in_frame(plan: FloorPlan, lamp: Lamp, spot: Piece) -> bool:
    shade = Prop("shade", lamp.shade.shape.moved(*lamp.bulb_at_m), ())
    return plan.view.shows(
        piece_points(Piece(shade, spot.x_m, spot.y_m, spot.z_m, spot.heading_deg)), _FRAME_MARGIN
    )


def _is_behind_main(plan: FloorPlan, spot: Piece) -> bool:
    """Whether the main object would hide the lamp's shade."""
    own = plan.view.project(piece_points(plan.main))
    seen = plan.view.project(np.array([[spot.x_m, spot.y_m, spot.z_m]]))[0]
    is_aside = seen[0] < own[:, 0].min() - 0.05 or seen[0] > own[:, 0].max() + 0.05
    return not is_aside and seen[1] < own[:, 1].max()


def _stand_lamp(
    plan: FloorPlan, rng: np.random.Generator, palette: Palette
) -> tuple[Lamp, Piece] | None:
    lamp = lamps.floor_lamp(rng, palette)
    room = plan.room
    spots = []
    own_depth_m = float(plan.view.project(np.zeros((1, 3)))[0, 2])
    for _ in range(300):
        x_m = float(rng.uniform(-room.left_m + 0.35, room.right_m - 0.35))
        y_m = float(rng.uniform(-0.1, room.back_m - 0.4))
        spot = Piece(lamp.outline, x_m, y_m, 0.0, float(rng.uniform(0.0, 360.0)))
        is_behind = plan.view.project(np.array([[x_m, y_m, 0.0]]))[0, 2] > own_depth_m + 0.15
        if not is_behind or _glares(plan, spot):
            continue
        if _is_in_frame(plan, lamp, spot) and plan.admits(spot):
            spots.append(spot)
        if len(spots) == _NUM_SPOTS:
            break
    if not spots:
        return None
    # Near the main object and beside it rather than behind: it is that which the lamp is to light.
    best = min(spots, key=lambda s: math.hypot(s.x_m, s.y_m) + 0.6 * max(s.y_m - 0.5, 0.0))
    plan.pieces.append(best)
    return lamp, best


def _glares(plan: FloorPlan, spot: Piece) -> bool:
    """Whether the lamp stands in front of the window."""
    window = plan.room.window
    if window.wall == "back":
        return plan.room.back_m - spot.y_m < 0.6 and window.overlaps(spot.x_m, spot.x_m)
    wall_m = -plan.room.left_m if window.wall == "left" else plan.room.right_m
    return abs(wall_m - spot.x_m) < 0.5 and window.overlaps(spot.y_m, spot.y_m)


def _put_lamp_on_top(
    plan: FloorPlan, rng: np.random.Generator, palette: Palette
) -> tuple[Lamp, Piece] | None:
    lamp = lamps.table_lamp(rng, palette)
    for piece in plan.pieces:
        if piece.prop.kind not in _SURFACES:
            continue
        top_m = TOPS_M.get(piece.prop.kind, piece.prop.shape.height_m)
        corners = piece.corners_42
        middle, along = corners.mean(axis=0), (corners[1] - corners[0]) / 2.0
        for share in (0.62, -0.62, 0.0):
            reach = max(1.0 - 0.17 / float(np.linalg.norm(along)), 0.0)
            x_m, y_m = (float(v) for v in middle + along * share * reach)
            spot = Piece(lamp.outline, x_m, y_m, top_m, 0.0)
            is_far = math.hypot(x_m, y_m) > _FARTHEST_TOP_M
            if is_far or _is_behind_main(plan, spot) or not _is_in_frame(plan, lamp, spot):
                continue
            return lamp, spot
    return None


def _hang_lamp(
    plan: FloorPlan, rng: np.random.Generator, palette: Palette
) -> tuple[Lamp, Piece] | None:
    """Hang a lamp over the dining table, or over the floor beside the main object."""
    tables = [piece for piece in plan.pieces if piece.prop.kind == "dining table"]
    for number in range(60):
        z_m = float(rng.uniform(1.45, 1.75))
        lamp = lamps.pendant(rng, palette, plan.room.height_m - z_m, over_table=bool(tables))
        if tables:
            x_m, y_m = tables[0].x_m, tables[0].y_m
        else:
            x_m = float(rng.uniform(-plan.room.left_m + 0.5, plan.room.right_m - 0.5))
            y_m = float(rng.uniform(0.3, plan.room.back_m - 0.4))
        spot = Piece(lamp.outline, x_m, y_m, z_m, 0.0)
        hits_tall = any(
            piece.prop.shape.height_m > z_m - 0.3
            and np.hypot(piece.x_m - x_m, piece.y_m - y_m) < 0.75
            for piece in plan.pieces
        )
        if not hits_tall and _is_in_frame(plan, lamp, spot) and not _glares(plan, spot):
            return lamp, spot
        if tables and number == 30:
            tables = []
    return None


def _hang_anywhere(
    plan: FloorPlan, rng: np.random.Generator, palette: Palette
) -> tuple[Lamp, Piece]:
    """Hang a lamp where the camera sees it, whatever is below."""
    best: tuple[float, Lamp, Piece] | None = None
    for _ in range(60):
        z_m = float(rng.uniform(1.35, 1.7))
        lamp = lamps.pendant(rng, palette, plan.room.height_m - z_m, over_table=False)
        x_m = float(rng.uniform(-0.8, 0.8))
        spot = Piece(lamp.outline, x_m, float(rng.uniform(0.4, plan.room.back_m - 0.5)), z_m, 0.0)
        seen = plan.view.project(np.array([[spot.x_m, spot.y_m, z_m + 0.2]]))[0]
        off = float(np.abs(seen[:2]).max())
        if best is None or off < best[0]:
            best = (off, lamp, spot)
    assert best is not None
    return best[1], best[2]
