"""Objects of nature: fruit, a cactus in its pot, stones."""

import numpy as np

from render.blender.finishes import Finish, Palette, ceramic_rand, linear_rgb, shaded
from render.blender.shapes import (
    Shape,
    ball,
    join,
    lathe,
    pebble,
    smooth_curve,
    tube,
    vessel_profile,
)
from render.families.craft.props import Prop

_FRUITS = (  # two colours, roughness, pores
    ("e8801a", "f09a2c", 0.42, 1.0),  # orange
    ("eac52c", "f2d64a", 0.38, 1.2),  # lemon
    ("8fb03a", "b4c24c", 0.25, 2.0),  # green apple
    ("a81e1e", "d8792c", 0.22, 2.0),  # red apple
)


def fruit_skin_rand(rng: np.random.Generator) -> Finish:
    """Draw the peel of an orange, a lemon or an apple."""
    first, second, roughness, pores = _FRUITS[int(rng.integers(len(_FRUITS)))]
    return Finish("skin", linear_rgb(first), linear_rgb(second), roughness, pores)


def apple(rng: np.random.Generator, palette: Palette) -> Prop:
    """An apple with its hollow and stem."""
    radius = float(rng.uniform(0.034, 0.042))
    profile = radius * smooth_curve(
        [
            (0.0, 0.16),
            (0.3, 0.02),
            (0.62, 0.12),
            (0.98, 0.85),
            (0.9, 1.35),
            (0.5, 1.72),
            (0.18, 1.64),
            (0.0, 1.45),
        ],
        48,
    )
    profile[[0, -1], 0] = 0.0
    profile[:, 1] -= profile[:, 1].min()
    lean = radius * float(rng.uniform(-0.2, 0.2))
    stem = tube(
        smooth_curve(
            [(0.0, 0.0, radius * 1.4), (0.0, 0.0, radius * 1.8), (lean, 0.0, radius * 2.1)], 8
        ),
        np.linspace(0.0012, 0.0018, 8),
        num_sides=8,
        slot=1,
    )
    red = linear_rgb(str(rng.choice(["a81e1e", "b5342a", "9cb23c"])))
    skin = Finish("skin", red, linear_rgb("d8a03c"), 0.22, 2.0)
    shape = join([lathe(np.maximum(profile, 0.0), 48), stem])
    return Prop("apple", shape, (skin, Finish("plastic", linear_rgb("4a3620"), roughness=0.8)))


def pear(rng: np.random.Generator, palette: Palette) -> Prop:
    """A pear."""
    radius = float(rng.uniform(0.028, 0.034))
    profile = radius * smooth_curve(
        [
            (0.0, 0.06),
            (0.35, 0.0),
            (0.8, 0.3),
            (1.0, 0.95),
            (0.78, 1.65),
            (0.46, 2.2),
            (0.34, 2.6),
            (0.12, 2.82),
            (0.0, 2.8),
        ],
        52,
    )
    profile[[0, -1], 0] = 0.0
    profile[:, 1] -= profile[:, 1].min()
    stem = tube(
        smooth_curve(
            [(0.0, 0.0, radius * 2.75), (0.002, 0.0, radius * 3.0), (0.008, 0.0, radius * 3.3)], 8
        ),
        np.linspace(0.0016, 0.0013, 8),
        num_sides=8,
        slot=1,
    )
    skin = Finish("skin", linear_rgb("a8a83c"), linear_rgb("c9b95a"), 0.35, 1.6)
    shape = join([lathe(np.maximum(profile, 0.0), 48), stem])
    return Prop("pear", shape, (skin, Finish("plastic", linear_rgb("4a3620"), roughness=0.8)))


def citrus(rng: np.random.Generator, palette: Palette) -> Prop:
    """A lemon or orange that lies on the table."""
    radius = float(rng.uniform(0.029, 0.038))
    first, second, roughness, pores = _FRUITS[int(rng.integers(2))]
    stretch = 1.3 if roughness < 0.4 else 1.0
    peel = ball(28)
    x = peel.vertices_V3[:, :1]
    nub = 1.0 + 0.1 * np.abs(x) ** 12 * (stretch - 1.0) / 0.3
    shape = Shape(
        peel.vertices_V3 * np.array([stretch, 1.0, 1.0]) * nub, peel.faces_F4, peel.slots_F
    )
    shape = shape.stretched(radius, radius, radius).moved(z_m=radius)
    skin = Finish("skin", linear_rgb(first), linear_rgb(second), roughness, pores)
    return Prop("citrus", shape.turned("z", float(rng.uniform(0.0, 360.0))), (skin,))


def stone(rng: np.random.Generator, palette: Palette) -> Prop:
    """A broken stone with soft edges, flat enough to lie still."""
    count, size = int(rng.integers(11, 19)), float(rng.uniform(0.03, 0.055))
    # Spread evenly (a Fibonacci spiral), then jittered: a gap would let the stone bulge out.
    height = 1.0 - 2.0 * np.arange(count) / (count - 1)
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    width = np.sqrt(1.0 - height**2)
    normals = np.stack([width * np.cos(turn), width * np.sin(turn), height], axis=1)
    normals[:-1] += rng.normal(0.0, 0.22, (count - 1, 3))  # the last one is what it lies on
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    distances = rng.uniform(0.75, 1.1, count)
    rough = pebble(normals, distances, sharpness=float(rng.uniform(14.0, 30.0)))
    shape = rough.stretched(size * 1.25, size, size * float(rng.uniform(0.7, 0.95)))
    light = linear_rgb(str(rng.choice(["b9b2a6", "8d9092", "a7927c", "6f6a68"])))
    finish = Finish("granite", light, shaded(light, 0.45), 0.8, float(rng.uniform(0.8, 1.6)))
    return Prop("stone", shape.moved(z_m=-float(shape.vertices_V3[:, 2].min())), (finish,))


def cactus(rng: np.random.Generator, palette: Palette) -> Prop:
    """A ribbed cactus in a clay pot."""
    rim, height = float(rng.uniform(0.036, 0.045)), float(rng.uniform(0.06, 0.075))
    outer = np.array(
        [
            [rim * 0.68, 0.0],
            [rim * 0.9, height * 0.74],
            [rim, height * 0.75],
            [rim * 1.04, height * 0.78],
            [rim * 1.06, height],
        ]
    )
    pot = lathe(vessel_profile(outer, 0.005, 0.006))
    soil = lathe(np.array([[rim * 0.96, height * 0.86], [0.0, height * 0.9]]), slot=1)
    parts = [pot, soil, _ribbed_stem(rng, rim * 0.72, height * 0.86)]
    finishes = (
        Finish("terracotta", linear_rgb("b5653f")),
        Finish("granite", linear_rgb("4a3a2e"), linear_rgb("2a2019"), 0.95, 2.0),
        Finish("skin", linear_rgb("47703f"), linear_rgb("5f8a4a"), 0.5, 1.0),
    )
    return Prop("cactus", join(parts), finishes)


def _ribbed_stem(rng: np.random.Generator, radius_m: float, foot_m: float) -> Shape:
    tall = radius_m * float(rng.uniform(1.6, 3.6))
    outline = smooth_curve(
        [
            (radius_m * 0.75, 0.0),
            (radius_m, tall * 0.35),
            (radius_m * 0.92, tall * 0.72),
            (radius_m * 0.45, tall * 0.96),
            (0.0, tall),
        ],
        40,
    )
    outline[-1, 0] = 0.0
    stem = lathe(np.maximum(outline, 0.0), num_sides=120, slot=2)
    x, y, z = stem.vertices_V3.T
    num_ribs = int(rng.integers(9, 15))
    rib = 1.0 - 0.14 * np.abs(np.sin(np.arctan2(y, x) * num_ribs / 2.0)) ** 0.7
    ribbed = np.column_stack([x * rib, y * rib, z + foot_m])
    return Shape(ribbed, stem.faces_F4, stem.slots_F)


def plant(rng: np.random.Generator, palette: Palette) -> Prop:
    """A leafy plant in a glazed pot; its leaves arch outwards in two rings."""
    rim, height = float(rng.uniform(0.038, 0.05)), float(rng.uniform(0.06, 0.085))
    outer = smooth_curve([(rim * 0.75, 0.0), (rim * 0.92, height * 0.4), (rim, height)], 20)
    parts = [lathe(vessel_profile(outer, 0.0045, 0.006))]
    parts.append(lathe(np.array([[rim * 0.93, height * 0.88], [0.0, height * 0.9]]), slot=1))
    num_leaves = int(rng.integers(14, 24))
    for number in range(num_leaves):
        reach = rim * float(rng.uniform(0.9, 2.0)) * (0.55 if number % 3 == 0 else 1.0)
        rise = rim * float(rng.uniform(1.6, 3.2))
        leaf = _leaf(reach, rise, width_m=rim * float(rng.uniform(0.22, 0.36)))
        turn_deg = 137.5 * number + float(rng.normal(0.0, 12.0))  # golden angle, as plants grow
        parts.append(leaf.turned("z", turn_deg).moved(z_m=height * 0.88))
    green = linear_rgb(str(rng.choice(["3f6b35", "5a7d3a", "2f5a40"])))
    finishes = (
        ceramic_rand(rng, palette, height),
        Finish("granite", linear_rgb("4a3a2e"), linear_rgb("2a2019"), 0.95, 2.0),
        Finish("skin", green, shaded(green, 1.5), 0.4, 1.0),
    )
    return Prop("plant", join(parts), finishes)


def _leaf(reach_m: float, rise_m: float, width_m: float) -> Shape:
    """Return a pointed leaf that rises from the origin and bends towards +x."""
    spine = smooth_curve(
        [
            (0.0, 0.0, 0.0),
            (reach_m * 0.25, 0.0, rise_m * 0.6),
            (reach_m * 0.65, 0.0, rise_m * 0.95),
            (reach_m, 0.0, rise_m * 0.85),
        ],
        14,
    )
    t = np.linspace(0.0, 1.0, 14)
    half = width_m * np.sin(np.pi * t**0.75) ** 0.9 + 0.0008
    side = np.array([0.0, 1.0, 0.0])
    edges = np.stack(
        [
            spine + np.outer(half, side) + np.outer(0.35 * half, [0.0, 0.0, 1.0]),
            spine,
            spine - np.outer(half, side) + np.outer(0.35 * half, [0.0, 0.0, 1.0]),
        ],
        axis=1,
    )  # a shallow fold along the middle
    index = np.arange(42).reshape(14, 3)
    corners = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    faces = np.stack([corner.ravel() for corner in corners], axis=1)
    return Shape(edges.reshape(-1, 3), faces, np.full(len(faces), 2))
