"""Made objects: books, toy blocks, a gift, a candle, a jar, a pepper mill."""

import numpy as np

from render.blender.finishes import (
    Finish,
    Palette,
    ceramic_rand,
    glass_rand,
    linear_rgb,
    metal_rand,
    shaded,
    wood_rand,
)
from render.blender.shapes import (
    Shape,
    ball,
    cylinder,
    join,
    lathe,
    rounded_box,
    smooth_curve,
    tube,
    vessel_profile,
)
from render.families.craft.props import Prop


def books(rng: np.random.Generator, palette: Palette) -> Prop:
    """A stack of two to four books, each turned a little."""
    parts, finishes, height = [], [Finish("pages", linear_rgb("efe6d2"))], 0.0
    width, depth = float(rng.uniform(0.17, 0.2)), float(rng.uniform(0.12, 0.14))
    for number in range(int(rng.integers(2, 5))):
        thick = float(rng.uniform(0.018, 0.038))
        volume = _book(width, depth, thick, slot=number + 1)
        parts.append(volume.turned("z", float(rng.normal(0.0, 7.0))).moved(z_m=height))
        finishes.append(Finish("cloth", shaded(palette.pick(rng), 0.9), roughness=0.65))
        height += thick + 0.0002
        width, depth = width * float(rng.uniform(0.86, 0.98)), depth * float(rng.uniform(0.9, 1.0))
    return Prop("books", join(parts), tuple(finishes))


def _book(width_m: float, depth_m: float, thick_m: float, slot: int) -> Shape:
    """Return a bound book, spine at -y, pages (slot 0) set back between its covers."""
    board = 0.0026
    cover = rounded_box((width_m, depth_m, board), 0.0009, slot)
    spine = rounded_box((width_m, 0.004, thick_m), 0.0018, slot)
    pages = rounded_box((width_m - 0.008, depth_m - 0.006, thick_m - 2.0 * board), 0.0005, 0)
    return join(
        [
            cover,
            cover.moved(z_m=thick_m - board),
            spine.moved(y_m=-depth_m / 2 + 0.002),
            pages.moved(y_m=-0.001, z_m=board),
        ]
    )


def blocks(rng: np.random.Generator, palette: Palette) -> Prop:
    """A tower of wooden toy blocks: cubes, a cylinder, a roof."""
    side = float(rng.uniform(0.036, 0.044))
    cube = rounded_box((side, side, side), 0.0025)
    wide = rounded_box((side * 2.0, side, side), 0.0025)
    parts = [
        wide.turned("z", float(rng.normal(0.0, 4.0))).dressed(0),
        cube.turned("z", float(rng.uniform(-18.0, 18.0))).moved(-side * 0.42, 0.0, side).dressed(1),
        cylinder(side * 0.46, side).moved(side * 0.52, 0.0, side).dressed(2),
        _roof(side)
        .turned("z", float(rng.uniform(-15, 15)))
        .moved(-side * 0.42, 0.0, 2 * side)
        .dressed(3),
    ]
    paints = [
        Finish("plastic", shaded(c, 0.9), roughness=0.35)
        for c in (palette.strong, palette.other, palette.light)
    ]
    order = rng.permutation(3)
    finishes = (wood_rand(rng), *(paints[int(i)] for i in order))
    return Prop("blocks", join(parts), finishes)


def _roof(side_m: float) -> Shape:
    """Return a block with a ridge along y."""
    block = rounded_box((side_m * 1.15, side_m, side_m * 0.62), 0.002)
    x, y, z = block.vertices_V3.T
    narrowed = x * (1.0 - 0.93 * z / (side_m * 0.62))
    return Shape(np.column_stack([narrowed, y, z]), block.faces_F4, block.slots_F)


def gift(rng: np.random.Generator, palette: Palette) -> Prop:
    """A wrapped box with a crossed ribbon and a bow."""
    width, depth = float(rng.uniform(0.09, 0.13)), float(rng.uniform(0.07, 0.1))
    height, band = float(rng.uniform(0.045, 0.09)), 0.014
    over = 0.0012
    parts = [
        rounded_box((width, depth, height), 0.002, 0),
        rounded_box((band, depth + 2 * over, height + over), 0.002, 1),
        rounded_box((width + 2 * over, band, height + over), 0.002, 1),
    ]
    for turn in (35.0, 145.0, 215.0, 325.0):
        loop = smooth_curve(
            [
                (0.0, 0.0, 0.0),
                (0.018, 0.004, 0.016),
                (0.036, 0.0, 0.016),
                (0.03, -0.004, 0.004),
                (0.0, 0.0, 0.001),
            ],
            22,
        )
        bow = tube(loop, np.full(22, 0.0032), 12, 1).turned("z", turn)
        parts.append(bow.moved(z_m=height + 0.003))
    parts.append(ball(8, slot=1).stretched(0.007, 0.007, 0.005).moved(z_m=height + 0.006))
    wrap, ribbon = Finish("paper", palette.strong), Finish("plastic", palette.light, roughness=0.3)
    return Prop(
        "gift",
        join(parts),
        (wrap, ribbon)
        if rng.random() < 0.6
        else (Finish("paper", palette.light), Finish("plastic", palette.strong, roughness=0.3)),
    )


def candle(rng: np.random.Generator, palette: Palette) -> Prop:
    """A candle in a metal candlestick, not lit."""
    tall = float(rng.uniform(0.06, 0.12))
    stick = smooth_curve(
        [
            (0.048, 0.003),
            (0.044, 0.008),
            (0.014, 0.018),
            (0.008, 0.04),
            (0.013, 0.055),
            (0.008, 0.07),
            (0.009, 0.09),
            (0.022, 0.098),
            (0.022, 0.102),
        ],
        60,
    )
    foot = lathe(np.concatenate([[[0.0, 0.0], [0.047, 0.0]], stick, [[0.0, 0.102]]]))
    wax = lathe(
        smooth_curve(
            [(0.0108, 0.1), (0.0108, 0.1 + tall), (0.009, 0.103 + tall), (0.0, 0.1015 + tall)], 20
        ),
        slot=1,
    )
    wick = tube(
        np.array([[0.0, 0.0, 0.1 + tall], [0.001, 0.0, 0.111 + tall]]),
        np.array([0.0008, 0.0007]),
        8,
        2,
    )
    finishes = (
        metal_rand(rng),
        Finish("skin", linear_rgb("efe7d3"), linear_rgb("f3ecdc"), 0.4),
        Finish("plastic", (0.02, 0.02, 0.02)),
    )
    return Prop("candle", join([foot, wax, wick]), finishes)


def jar(rng: np.random.Generator, palette: Palette) -> Prop:
    """A storage jar with a wooden lid."""
    radius, height = float(rng.uniform(0.04, 0.055)), float(rng.uniform(0.08, 0.14))
    outer = smooth_curve(
        [(radius * 0.92, 0.0), (radius, 0.008), (radius, height * 0.9), (radius * 0.93, height)], 30
    )
    lid = cylinder(radius * 1.0, 0.014).moved(z_m=height + 0.002).dressed(1)
    knob = ball(14, slot=1).stretched(0.012, 0.012, 0.01).moved(z_m=height + 0.023)
    body = glass_rand(rng) if rng.random() < 0.3 else ceramic_rand(rng, palette, height)
    shape = join([lathe(vessel_profile(outer, 0.004, 0.006)), lid, knob])
    return Prop("jar", shape, (body, wood_rand(rng)))


def mill(rng: np.random.Generator, palette: Palette) -> Prop:
    """A turned pepper mill of wood or painted wood, with a metal knob."""
    height = float(rng.uniform(0.14, 0.22))
    outline = smooth_curve(
        [
            (0.026, 0.0),
            (0.028, height * 0.08),
            (0.022, height * 0.3),
            (0.017, height * 0.5),
            (0.022, height * 0.64),
            (0.0235, height * 0.68),
            (0.015, height * 0.71),
            (0.0235, height * 0.8),
            (0.02, height * 0.93),
            (0.008, height),
        ],
        72,
    )
    body = lathe(np.concatenate([[[0.0, 0.0]], outline, [[0.0, height]]]))
    knob = ball(12, slot=1).stretched(0.008, 0.008, 0.008).moved(z_m=height + 0.006)
    paint = Finish("plastic", shaded(palette.pick(rng), 0.9), roughness=0.25)
    return Prop(
        "mill",
        join([body, knob]),
        (paint if rng.random() < 0.35 else wood_rand(rng), metal_rand(rng)),
    )
