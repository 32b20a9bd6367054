"""What stands around a paved square: facades, planters, a fountain, bollards."""

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb, shaded
from render.blender.shapes import (
    Shape,
    join,
    lathe,
    rounded_box,
    smooth_curve,
    vessel_profile,
)
from render.families.craft.props import Prop
from render.families.outdoor.flora import shrub
from render.families.outdoor.stone import stone_rand

_WALL, _TRIM, _GLASS, _ROOF = 0, 1, 2, 3
_PLASTERS = ("d9c9a8", "c9a98a", "d8d2c4", "b98f78", "c4b7a0", "9fa8a6", "d2b48c")


def facade(rng: np.random.Generator) -> Prop:
    """A town house that looks towards -y, its front in the plane y = 0."""
    floors, bays = int(rng.integers(2, 5)), int(rng.integers(3, 7))
    storey, bay = float(rng.uniform(2.9, 3.4)), float(rng.uniform(2.0, 2.7))
    width, tall, deep = bays * bay, floors * storey + 0.5, 9.0
    body = rounded_box((width, deep, tall + 1.0), 0.02, _WALL, num_steps=1)
    parts = [body.moved(y_m=deep / 2, z_m=-1.0)]
    opening = (bay * 0.46, storey * 0.56)
    for floor in range(floors):
        for number in range(bays):
            x = (number - (bays - 1) / 2) * bay
            is_door = floor == 0 and number == bays // 2
            z = 0.0 if is_door else 0.9 + floor * storey
            high = 2.3 if is_door else opening[1]
            parts += _window(x, z, opening[0], high)
    cornice = rounded_box((width + 0.4, 0.5, 0.32), 0.05, _TRIM, num_steps=1)
    plinth = rounded_box((width + 0.06, 0.2, 0.6), 0.02, _TRIM, num_steps=1)
    parts += [cornice.moved(y_m=0.1, z_m=tall - 0.32), plinth.moved(y_m=0.08)]
    parts.append(_roof(width + 0.5, deep + 0.5, float(rng.uniform(2.0, 3.2)), tall))
    wall = linear_rgb(str(rng.choice(_PLASTERS)))
    finishes = (
        Finish("plaster", shaded(wall, 0.85), shaded(wall, 0.85), 0.85),
        Finish("plaster", linear_rgb("c8c0b0"), linear_rgb("c8c0b0"), 0.8),
        Finish("plastic", linear_rgb("20282e"), roughness=0.08),
        Finish("terracotta", linear_rgb(str(rng.choice(["9a5a42", "6d6a68", "84503c"])))),
    )
    return Prop("facade", join(parts), finishes)


def _window(x_m: float, z_m: float, width_m: float, height_m: float) -> list[Shape]:
    """Return a frame that stands out from the wall, and dark glass set back in it."""
    bar = 0.11
    pane = rounded_box((width_m, 0.04, height_m), 0.005, _GLASS, num_steps=1)
    upright = rounded_box((bar, 0.16, height_m + bar), 0.01, _TRIM, num_steps=1)
    sill = rounded_box((width_m + 0.35, 0.24, 0.09), 0.01, _TRIM, num_steps=1)
    lintel = rounded_box((width_m + 2 * bar, 0.16, bar), 0.01, _TRIM, num_steps=1)
    mullion = rounded_box((0.05, 0.07, height_m), 0.005, _TRIM, num_steps=1)
    parts = [pane.moved(y_m=-0.015), mullion.moved(y_m=-0.03), sill.moved(z_m=-0.09)]
    parts += [upright.moved(x_m=side * (width_m + bar) / 2) for side in (-1.0, 1.0)]
    parts.append(lintel.moved(z_m=height_m))
    return [part.moved(x_m, 0.0, z_m) for part in parts]


def _roof(width_m: float, deep_m: float, high_m: float, foot_m: float) -> Shape:
    """Return a saddle roof whose ridge runs along x."""
    half = width_m / 2
    front, back = -0.3, deep_m - 0.3
    corners = [(-half, front, 0.0), (half, front, 0.0), (half, back, 0.0), (-half, back, 0.0)]
    ridge = [(-half, deep_m / 2, high_m), (half, deep_m / 2, high_m)]
    faces = np.array(
        [[0, 1, 5, 4], [2, 3, 4, 5], [0, 4, 3, -1], [1, 2, 5, -1], [0, 3, 2, 1]], dtype=np.int64
    )
    return Shape(np.array(corners + ridge), faces, np.full(len(faces), _ROOF)).moved(z_m=foot_m)


def planter(rng: np.random.Generator, palette: Palette) -> Prop:
    """A square planter with a clipped bush."""
    side, tall = float(rng.uniform(0.7, 0.95)), float(rng.uniform(0.5, 0.7))
    parts = [
        rounded_box((side, side, tall), 0.02, num_steps=2),
        rounded_box((side + 0.07, side + 0.07, 0.09), 0.02, num_steps=2).moved(z_m=tall - 0.09),
        rounded_box((side - 0.1, side - 0.1, 0.04), 0.02, 1, num_steps=1).moved(z_m=tall - 0.02),
    ]
    bush = shrub(rng, side * float(rng.uniform(0.95, 1.3)))
    leaf = bush.finishes[0]
    parts.append(bush.shape.moved(z_m=tall - 0.08).dressed(2))
    box = stone_rand(rng) if rng.random() < 0.5 else Finish("paint", palette.dark, roughness=0.5)
    soil = Finish("granite", linear_rgb("4a3a2e"), linear_rgb("2a2019"), 0.95, 2.0)
    return Prop("planter", join(parts), (box, soil, Finish("foliage", leaf.colour, leaf.second)))


def fountain(rng: np.random.Generator) -> Prop:
    """A round basin with two bowls on a shaft, filled."""
    radius = float(rng.uniform(1.6, 2.3))
    rim = smooth_curve(
        [(radius * 0.96, 0.0), (radius, 0.06), (radius * 0.95, 0.3), (radius, 0.5), (radius, 0.56)],
        24,
    )
    parts = [lathe(vessel_profile(rim, 0.22, 0.2), 72)]
    parts.append(lathe(np.array([[radius - 0.2, 0.46], [0.0, 0.46]]), 72, 1))
    shaft = smooth_curve(
        [(0.3, 0.1), (0.18, 0.5), (0.14, 0.9), (0.2, 1.2), (0.85, 1.42), (0.9, 1.48)], 40
    )
    parts.append(lathe(np.concatenate([shaft, [[0.84, 1.47], [0.12, 1.3]]]), 60))
    parts.append(lathe(np.array([[0.84, 1.455], [0.0, 1.455]]), 60, 1))
    top = smooth_curve(
        [
            (0.12, 1.3),
            (0.09, 1.6),
            (0.08, 1.8),
            (0.36, 2.0),
            (0.38, 2.04),
            (0.3, 2.02),
            (0.0, 1.95),
        ],
        36,
    )
    top[-1, 0] = 0.0
    parts.append(lathe(top, 48))
    water = Finish("water", (0.02, 0.035, 0.035), roughness=0.03)
    return Prop("fountain", join(parts), (stone_rand(rng), water))


def bollard(rng: np.random.Generator) -> Prop:
    """A cast bollard."""
    outline = smooth_curve(
        [
            (0.1, 0.0),
            (0.1, 0.1),
            (0.07, 0.16),
            (0.062, 0.62),
            (0.085, 0.68),
            (0.08, 0.76),
            (0.0, 0.83),
        ],
        40,
    )
    outline[-1, 0] = 0.0
    iron = Finish("paint", linear_rgb("2c3032"), roughness=0.4)
    return Prop("bollard", lathe(outline, 32), (iron,))
