"""What makes a room lived in: rugs, pictures, curtains, a plant in a pot."""

import numpy as np

from render.blender.finishes import Finish, Palette, ceramic_rand, linear_rgb, shaded
from render.blender.shapes import (
    Floats,
    Shape,
    join,
    lathe,
    rounded_box,
    smooth_curve,
    tube,
    vessel_profile,
)
from render.families.craft.props import Prop
from render.families.craft.room_finishes import drape_rand, frame_rand, knob_rand, rug_finishes_rand
from render.families.interior.upholstery import board, rod


def rug(rng: np.random.Generator, palette: Palette, size_m: tuple[float, float]) -> Prop:
    """A rug with a border; 6 mm thick, so that furniture may stand on it."""
    width_m, depth_m = size_m
    parts = []
    for slot, inset_m in enumerate((0.0, 0.16, 0.19)):
        size = (width_m - 2.0 * inset_m, depth_m - 2.0 * inset_m, 0.004 + 0.001 * slot)
        parts.append(rounded_box(size, 0.002, slot, num_steps=1))
    return Prop("rug", join(parts), rug_finishes_rand(rng, palette))


def picture(rng: np.random.Generator, palette: Palette, width_m: float, height_m: float) -> Prop:
    """A framed picture behind a mount; stands on z = 0, its back at y = 0."""
    bar_m, mount_m = float(rng.uniform(0.014, 0.03)), float(rng.choice([0.0, 0.04, 0.06]))
    parts = [
        board((width_m, 0.012, height_m), (0.0, -0.007, 0.0), 1, 0.001),
        board(
            (width_m - 2.0 * (bar_m + mount_m), 0.004, height_m - 2.0 * (bar_m + mount_m)),
            (0.0, -0.014, bar_m + mount_m),
            2,
            0.001,
        ),
    ]
    for z_m in (0.0, height_m - bar_m):
        parts.append(board((width_m, 0.026, bar_m), (0.0, -0.014, z_m), 0, 0.002))
    for side in (-1.0, 1.0):
        x_m = side * (width_m - bar_m) / 2.0
        parts.append(board((bar_m, 0.026, height_m), (x_m, -0.014, 0.0), 0, 0.002))
    pair = (palette.strong, palette.other) if rng.random() < 0.5 else (palette.dark, palette.strong)
    art = Finish("artwork", pair[0], pair[1], 0.7, float(rng.uniform(0.7, 1.5)))
    mount = Finish("plastic", linear_rgb("efece4"), roughness=0.8)
    return Prop("picture", join(parts), (frame_rand(rng, palette), mount, art))


def curtains(rng: np.random.Generator, palette: Palette, opening_m: float, drop_m: float) -> Prop:
    """A pair of drawn-back curtains on a rod; the rod is at z = 0, the wall at y = 0."""
    spread_m = float(rng.uniform(0.26, 0.42))
    reach_m = opening_m / 2.0 + spread_m * 0.7
    parts = []
    for side in (-1.0, 1.0):
        sheet = _drape(rng, spread_m, drop_m)
        parts.append(sheet.moved(x_m=side * (reach_m - spread_m / 2.0 + 0.02), y_m=-0.09))
    bar = reach_m + 0.12
    parts.append(rod((-bar, -0.09, 0.0), (bar, -0.09, 0.0), (0.012, 0.012), 1))
    for side in (-1.0, 1.0):
        parts.append(
            rod((side * bar * 0.94, 0.0, 0.0), (side * bar * 0.94, -0.09, 0.0), (0.008, 0.008), 1)
        )
    return Prop("curtains", join(parts), (drape_rand(rng, palette), knob_rand(rng)))


def _drape(rng: np.random.Generator, width_m: float, drop_m: float) -> Shape:
    """Return a hanging sheet in folds that widen and wander downwards."""
    num_folds = width_m / float(rng.uniform(0.055, 0.075))
    along, down = np.meshgrid(np.linspace(0.0, 1.0, 90), np.linspace(0.0, 1.0, 10), indexing="ij")
    phase = float(rng.uniform(0.0, 6.28))
    wander = 0.5 * np.sin(2.3 * along * 6.28 + 1.7 * down + phase)
    fold = np.sin(along * num_folds * 6.28 + wander)
    depth = 0.022 + 0.02 * down
    pull = 1.0 - 0.1 * np.sin(np.pi * down) * (1.0 if rng.random() < 0.5 else 0.3)
    x = (along - 0.5) * width_m * pull
    vertices = np.stack([x, fold * depth, -0.01 - down * drop_m], axis=-1)
    return _sheet(vertices, slot=0)


def _sheet(vertices_UV3: Floats, slot: int) -> Shape:
    num_u, num_v = vertices_UV3.shape[:2]
    index = np.arange(num_u * num_v).reshape(num_u, num_v)
    corners = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    faces = np.stack([corner.ravel() for corner in corners], axis=1)
    return Shape(vertices_UV3.reshape(-1, 3), faces, np.full(len(faces), slot))


def floor_plant(rng: np.random.Generator, palette: Palette) -> Prop:
    """A house plant as tall as a child: stems with broad leaves, in a glazed pot."""
    rim_m, pot_m = float(rng.uniform(0.13, 0.17)), float(rng.uniform(0.24, 0.34))
    outer = smooth_curve([(rim_m * 0.72, 0.0), (rim_m * 0.93, pot_m * 0.5), (rim_m, pot_m)], 20)
    soil = np.array([[rim_m * 0.93, pot_m * 0.88], [0.0, pot_m * 0.9]])
    parts = [lathe(vessel_profile(outer, 0.012, 0.02), 40), lathe(soil, 40, slot=1)]
    for number in range(int(rng.integers(3, 6))):
        parts.append(_stem(rng, 137.5 * number, rim_m).moved(z_m=pot_m * 0.85))
    green = linear_rgb(str(rng.choice(["3f6b35", "4f7438", "2f5a40"])))
    finishes = (
        ceramic_rand(rng, palette, pot_m),
        Finish("granite", linear_rgb("4a3a2e"), linear_rgb("2a2019"), 0.95, 1.0),
        Finish("foliage", green, shaded(green, 0.6), 0.38),
        Finish("plastic", linear_rgb("6b5a3c"), roughness=0.8),
    )
    return Prop("plant", join(parts), finishes)


def _stem(rng: np.random.Generator, turn_deg: float, rim_m: float) -> Shape:
    """Return one stem with leaves all the way up, leaning outwards."""
    tall_m = float(rng.uniform(0.5, 0.95))
    lean_m = rim_m * float(rng.uniform(0.6, 1.5))
    spine = smooth_curve(
        [(0.02, 0.0, 0.0), (0.35 * lean_m, 0.0, 0.5 * tall_m), (lean_m, 0.0, tall_m)], 16
    )
    parts = [tube(spine, np.linspace(0.008, 0.004, 16), 8, 3)]
    for number in range(4, 16):
        size_m = float(rng.uniform(0.14, 0.22)) * (1.15 - 0.4 * number / 16.0)
        leaf = _leaf(size_m, size_m * float(rng.uniform(0.36, 0.46)))
        leaf = leaf.turned("y", -float(rng.uniform(5.0, 55.0)))
        leaf = leaf.turned("z", 137.5 * number + float(rng.normal(0.0, 15.0)))
        parts.append(leaf.moved(*(float(v) for v in spine[number])))
    return join(parts).turned("z", turn_deg + float(rng.normal(0.0, 15.0)))


def _leaf(length_m: float, width_m: float) -> Shape:
    """Return a pointed oval leaf along +x that droops towards its tip."""
    t = np.linspace(0.0, 1.0, 9)
    half = width_m / 2.0 * np.sin(np.pi * t**0.8) ** 0.8
    spine = np.column_stack([length_m * t, 0.0 * t, -0.35 * length_m * t**2.2])
    fold = np.array([0.0, 1.0, 0.3])
    vertices = np.stack(
        [spine + np.outer(half, fold), spine, spine + np.outer(half, fold * [1.0, -1.0, 1.0])],
        axis=1,
    )
    return _sheet(vertices, slot=2)
