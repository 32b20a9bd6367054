"""Tables, cases, shelves and beds; each stands on z = 0, centred, and faces -y."""

from dataclasses import replace

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb, shaded
from render.blender.shapes import Shape, ball, join, rounded_box
from render.families.craft.props import Prop
from render.families.craft.room_finishes import (
    case_rand,
    frame_rand,
    knob_rand,
    painted,
    timber_rand,
    upholstery_rand,
)
from render.families.interior.upholstery import board, cushion, four_legs, pillow, square_legs
from render.families.tabletop.crafted import books
from render.families.tabletop.vessels import vase

_GAP_M = 0.004  # between drawer fronts


def side_table(rng: np.random.Generator, palette: Palette) -> Prop:
    """A small table with a drawer or a shelf, a book and a vase on it."""
    width_m, depth_m = float(rng.uniform(0.42, 0.52)), float(rng.uniform(0.34, 0.4))
    height_m = float(rng.uniform(0.46, 0.58))
    parts = [board((width_m, depth_m, 0.026), (0.0, 0.0, height_m - 0.026), 0, 0.006)]
    if rng.random() < 0.6:
        box = (width_m - 0.03, depth_m - 0.03, 0.13)
        parts.append(board(box, (0.0, 0.0, height_m - 0.156)))
        parts.append(_fronts(box, (0.0, 0.0, height_m - 0.156), 1, 1))
    else:
        shelf = (width_m - 0.05, depth_m - 0.05, 0.018)
        parts.append(board(shelf, (0.0, 0.0, 0.14)))
    if rng.random() < 0.5:
        parts.append(square_legs(width_m - 0.03, depth_m - 0.03, height_m - 0.03, 0.032, 0))
    else:
        parts.append(
            four_legs(
                width_m - 0.08,
                depth_m - 0.08,
                height_m - 0.03,
                splay_m=0.02,
                radii_m=(0.018, 0.012),
                slot=0,
            )
        )
    finishes = [case_rand(rng, palette), knob_rand(rng)]
    table = Prop("side table", join(parts), tuple(finishes))
    return _with_things_on_top(rng, palette, table, height_m, width_m)


def _with_things_on_top(
    rng: np.random.Generator, palette: Palette, table: Prop, top_m: float, width_m: float
) -> Prop:
    """Return the table with a book and a vase that belong to it, and so move with it."""
    chance = float(rng.random())
    if chance < 0.25:
        return table
    shapes, finishes = [table.shape], list(table.finishes)
    for prop, x_m in ((books(rng, palette), -0.22 * width_m), (vase(rng, palette), 0.24 * width_m)):
        if chance < 0.5 and prop.kind == "vase":
            continue
        own = prop.shape.moved(z_m=-float(prop.shape.vertices_V3[:, 2].min()))
        own = replace(own, slots_F=own.slots_F + len(finishes))
        shapes.append(own.turned("z", float(rng.normal(0.0, 15.0))).moved(x_m, 0.0, top_m))
        finishes += [replace(f, level_m=f.level_m + top_m) for f in prop.finishes]
    return Prop(table.kind, join(shapes), tuple(finishes))


def _fronts(
    box_m: tuple[float, float, float], at_m: tuple[float, float, float], columns: int, rows: int
) -> Shape:
    """Return drawer fronts (slot 0) and knobs (slot 1) on the -y face of a box."""
    width, height = box_m[0] / columns, box_m[2] / rows
    parts = []
    for column in range(columns):
        for row in range(rows):
            x_m = at_m[0] + (column - (columns - 1) / 2.0) * width
            y_m, z_m = at_m[1] - box_m[1] / 2.0, at_m[2] + row * height
            front = (width - 2.0 * _GAP_M - 0.01, 0.018, height - 2.0 * _GAP_M - 0.01)
            parts.append(board(front, (x_m, y_m - 0.006, z_m + _GAP_M + 0.005), 0, 0.003))
            knob = ball(6, slot=1).stretched(0.014, 0.014, 0.014)
            parts.append(knob.moved(x_m, y_m - 0.027, z_m + height / 2.0))
    return join(parts)


def chest(rng: np.random.Generator, palette: Palette) -> Prop:
    """A low chest of two or three drawers on short legs."""
    width_m, depth_m = float(rng.uniform(0.5, 0.66)), float(rng.uniform(0.36, 0.42))
    height_m, leg_m = float(rng.uniform(0.52, 0.68)), float(rng.uniform(0.08, 0.14))
    case = (width_m, depth_m, height_m - leg_m)
    parts = [
        board(case, (0.0, 0.0, leg_m), 0, 0.004),
        board((width_m + 0.02, depth_m + 0.02, 0.022), (0.0, 0.0, height_m), 2, 0.005),
        _fronts((width_m, depth_m, case[2]), (0.0, 0.0, leg_m), 1, int(rng.integers(2, 4))),
        square_legs(width_m - 0.02, depth_m - 0.02, leg_m, 0.036, 2),
    ]
    body = case_rand(rng, palette)
    top = body if rng.random() < 0.5 else timber_rand(rng)
    return Prop("chest", join(parts), (body, knob_rand(rng), top))


def nightstand(rng: np.random.Generator, palette: Palette) -> Prop:
    """A small chest for the side of a bed or a sofa."""
    width_m, height_m = float(rng.uniform(0.38, 0.46)), float(rng.uniform(0.46, 0.54))
    parts = [
        board((width_m, 0.36, height_m - 0.12), (0.0, 0.0, 0.12), 0, 0.004),
        _fronts((width_m, 0.36, height_m - 0.12), (0.0, 0.0, 0.12), 1, 2),
        square_legs(width_m - 0.02, 0.34, 0.12, 0.03, 0),
    ]
    return Prop("nightstand", join(parts), (case_rand(rng, palette), knob_rand(rng)))


def sideboard(rng: np.random.Generator, palette: Palette) -> Prop:
    """A long low cabinet with doors or drawers."""
    width_m, depth_m = float(rng.uniform(1.2, 1.65)), float(rng.uniform(0.38, 0.44))
    height_m, leg_m = float(rng.uniform(0.66, 0.8)), float(rng.uniform(0.1, 0.2))
    columns, rows = (3, 1) if rng.random() < 0.6 else (2, 3)
    case = (width_m, depth_m, height_m - leg_m)
    parts = [
        board(case, (0.0, 0.0, leg_m), 0, 0.004),
        _fronts(case, (0.0, 0.0, leg_m), columns, rows),
        four_legs(width_m - 0.2, depth_m - 0.1, leg_m, splay_m=0.02, radii_m=(0.02, 0.014), slot=2),
    ]
    finishes = (case_rand(rng, palette), knob_rand(rng), frame_rand(rng, palette))
    return Prop("sideboard", join(parts), finishes)


def bookshelf(rng: np.random.Generator, palette: Palette) -> Prop:
    """A tall shelf of books, with gaps and a few lying ones."""
    width_m, depth_m = float(rng.uniform(0.75, 1.15)), 0.3
    height_m, num_rows = float(rng.uniform(1.7, 2.1)), int(rng.integers(5, 7))
    thick_m, plinth_m = 0.024, 0.07
    row_m = (height_m - plinth_m - thick_m) / num_rows
    parts = [board((width_m, 0.012, height_m), (0.0, depth_m / 2.0 - 0.006, 0.0))]
    for side in (-1.0, 1.0):
        x_m = side * (width_m - thick_m) / 2.0
        parts.append(board((thick_m, depth_m, height_m), (x_m, 0.0, 0.0)))
    inner_m = width_m - 2.0 * thick_m
    for row in range(num_rows + 1):
        z_m = plinth_m + row * row_m
        parts.append(board((inner_m, depth_m - 0.01, thick_m), (0.0, 0.005, z_m), 0, 0.002))
        if row < num_rows:
            clear_m = row_m - thick_m
            shelf = _book_row(rng, inner_m, clear_m, depth_m)
            parts.append(shelf.moved(0.0, 0.0, z_m + thick_m))
    parts.append(board((inner_m, 0.02, plinth_m), (0.0, -depth_m / 2.0 + 0.03, 0.0)))
    return Prop("bookshelf", join(parts), (case_rand(rng, palette), *_book_cloths(rng, palette)))


def _book_cloths(rng: np.random.Generator, palette: Palette) -> list[Finish]:
    colours = [
        palette.strong,
        palette.other,
        palette.dark,
        palette.neutral,
        linear_rgb("e8e0d0"),
        linear_rgb("7a2f2a"),
        linear_rgb("2f4a5c"),
        linear_rgb("4c5a3c"),
    ]
    return [
        Finish("plastic", shaded(c, float(rng.uniform(0.6, 0.95))), roughness=0.6) for c in colours
    ]


def _book_row(rng: np.random.Generator, width_m: float, clear_m: float, depth_m: float) -> Shape:
    """Return books side by side, spines to the front; slots 1 to 8."""
    parts: list[Shape] = []
    x_m = -width_m / 2.0 + 0.01
    end_m = width_m / 2.0 - float(rng.choice([0.02, 0.12, 0.3])) * float(rng.uniform(0.3, 1.0))
    while True:
        thick = float(rng.uniform(0.016, 0.048))
        if x_m + thick > end_m:
            return join(parts)
        tall = clear_m * float(rng.uniform(0.62, 0.93))
        deep = float(rng.uniform(0.15, 0.21))
        slot = int(rng.integers(1, 9))
        book = rounded_box((thick - 0.001, deep, tall), 0.003, slot, num_steps=1)
        front_m = -depth_m / 2.0 + 0.03 + float(rng.uniform(0.0, 0.015))
        parts.append(book.moved(x_m + thick / 2.0, front_m + deep / 2.0, 0.0))
        x_m += thick


def dining_table(rng: np.random.Generator, palette: Palette) -> Prop:
    """A table for four."""
    width_m, depth_m = float(rng.uniform(1.25, 1.6)), float(rng.uniform(0.78, 0.88))
    parts = [
        board((width_m, depth_m, 0.034), (0.0, 0.0, 0.716), 0, 0.008),
        board((width_m - 0.16, depth_m - 0.16, 0.08), (0.0, 0.0, 0.636), 1),
        square_legs(width_m - 0.1, depth_m - 0.1, 0.72, 0.065, 1),
    ]
    top = timber_rand(rng)
    return Prop(
        "dining table", join(parts), (top, top if rng.random() < 0.6 else painted(rng, palette))
    )


def desk(rng: np.random.Generator, palette: Palette) -> Prop:
    """A writing desk with drawers under one end, and a screen or a closed book on it."""
    width_m, depth_m = float(rng.uniform(1.1, 1.4)), float(rng.uniform(0.56, 0.64))
    side = float(rng.choice([-1.0, 1.0]))
    drawers = (0.38, depth_m - 0.08, 0.46)
    at_m = (side * (width_m / 2.0 - 0.21), 0.0, 0.24)
    parts = [
        board((width_m, depth_m, 0.03), (0.0, 0.0, 0.715), 0, 0.006),
        board(drawers, at_m, 0),
        _fronts(drawers, at_m, 1, 3),
        square_legs(width_m - 0.04, depth_m - 0.06, 0.72, 0.042, 2),
    ]
    if rng.random() < 0.6:
        parts.append(_screen().turned("z", float(rng.normal(0.0, 10.0))).moved(0.0, 0.06, 0.745))
    dark = Finish("plastic", (0.012, 0.012, 0.014), roughness=0.22)
    grey = Finish("plastic", (0.35, 0.36, 0.38), roughness=0.35)
    finishes = (case_rand(rng, palette), knob_rand(rng), frame_rand(rng, palette), dark, grey)
    return Prop("desk", join(parts), finishes)


def _screen() -> Shape:
    """Return an opened laptop that is switched off."""
    lid = board((0.33, 0.008, 0.22), (0.0, 0.0, 0.0), 4, 0.003)
    glass = board((0.312, 0.004, 0.196), (0.0, -0.004, 0.012), 3, 0.001)
    opened = join([lid, glass]).turned("x", -16.0)
    return join([board((0.33, 0.23, 0.014), (0.0, -0.12, 0.0), 4, 0.004), opened.moved(z_m=0.012)])


def bed(rng: np.random.Generator, palette: Palette) -> Prop:
    """A bed with its head at +y: frame, mattress, quilt, pillows, a throw at the foot."""
    width_m, length_m = float(rng.uniform(1.4, 1.65)), 2.02
    head_m = float(rng.uniform(0.95, 1.15))
    half_m = length_m / 2.0
    parts = [
        board((width_m, length_m, 0.2), (0.0, 0.0, 0.12), 0, 0.015),
        rounded_box((width_m + 0.06, 0.09, head_m), 0.03, 0).moved(y_m=half_m + 0.02),
        square_legs(width_m - 0.06, length_m - 0.06, 0.13, 0.06, 1),
        cushion((width_m - 0.06, length_m - 0.05, 0.24), 2, 0.16).moved(z_m=0.29),
        cushion((width_m + 0.07, 1.42, 0.3), 3, 0.2).moved(0.0, -0.27, 0.29),
        cushion((width_m + 0.09, 0.52, 0.3), 4, 0.16).moved(0.0, -0.6, 0.302),
    ]
    for side in (-1.0, 1.0):
        x_m = side * width_m * 0.24
        for number, slot in enumerate((2, 5)):
            lean = pillow(0.62 - 0.12 * number, 0.42, 0.18, slot).turned("x", -38.0 + 10.0 * number)
            parts.append(lean.moved(x_m, half_m - 0.3 - 0.17 * number, 0.47))
    white = Finish("upholstery", linear_rgb("e9e6df"), roughness=0.9)
    quilt = shaded(palette.light if rng.random() < 0.6 else palette.neutral, 0.88)
    throw, accent = (
        (palette.strong, palette.other) if rng.random() < 0.5 else (palette.other, palette.strong)
    )
    head = upholstery_rand(rng, palette) if rng.random() < 0.5 else timber_rand(rng)
    finishes = (
        head,
        timber_rand(rng),
        white,
        Finish("upholstery", quilt, roughness=0.9),
        Finish("boucle", shaded(throw, 0.85), shaded(throw, 0.6), 0.95),
        Finish("upholstery", shaded(accent, 0.9), roughness=0.9),
    )
    return Prop("bed", join(parts), finishes)
