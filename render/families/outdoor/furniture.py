"""Large outdoor objects that face somewhere: benches, tables, chairs, crates, signs."""

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb, shaded
from render.blender.shapes import Shape, cylinder, join, rounded_box, smooth_curve, tube
from render.families.craft.props import Prop

_IRON = Finish("paint", linear_rgb("2e3133"), roughness=0.45)
_TIMBERS = (  # sun-bleached, tarred, fresh, red cedar, and their grain
    ("a39a8b", "6e655a"),
    ("8d7558", "54422f"),
    ("b99768", "856440"),
    ("8a5f43", "55351f"),
    ("8f8672", "5d5545"),
)


def timber_rand(rng: np.random.Generator, palette: Palette, kind: str = "timber") -> Finish:
    """Draw weathered timber, now and then painted."""
    if rng.random() < 0.3:
        colour = palette.strong if rng.random() < 0.6 else palette.other
        return Finish("paint", shaded(colour, 0.9), roughness=0.5)
    light, dark = _TIMBERS[int(rng.integers(len(_TIMBERS)))]
    return Finish(kind, linear_rgb(light), linear_rgb(dark), float(rng.uniform(0.6, 0.8)))


def board(
    size_m: tuple[float, float, float], middle_m: tuple[float, float, float], slot: int = 0
) -> Shape:
    """Return a board with eased edges around its middle."""
    x, y, z = middle_m
    return rounded_box(size_m, 0.006, slot, num_steps=1).moved(x, y, z - size_m[2] / 2)


def bar(start_m: tuple[float, ...], end_m: tuple[float, ...], width_m: float, slot: int) -> Shape:
    """Return a square beam from one point to another, its sides level where it leans in y-z."""
    start, end = np.array(start_m), np.array(end_m)
    along = end - start
    length = float(np.linalg.norm(along))
    beam = rounded_box((width_m, width_m, length), 0.006, slot, num_steps=1)
    lean = float(np.degrees(np.arctan2(np.hypot(along[0], along[1]), along[2])))
    turn = float(np.degrees(np.arctan2(along[1], along[0])))
    beam = beam.turned("z", -turn).turned("y", lean).turned("z", turn)
    return beam.moved(*(float(v) for v in start))


def bench(rng: np.random.Generator, palette: Palette) -> Prop:
    """A park bench: slats on two cast frames."""
    width, seat = float(rng.uniform(1.25, 1.7)), float(rng.uniform(0.42, 0.46))
    parts = [
        board((width, 0.085, 0.034), (0.0, -0.2 + 0.1 * number, seat - 0.012 * number))
        for number in range(5)
    ]
    for number in range(4):
        slat = board((width, 0.085, 0.03), (0.0, 0.0, 0.0)).turned("x", 90.0 - 14.0)
        parts.append(slat.moved(0.0, 0.27 + 0.026 * number, seat + 0.09 + 0.105 * number))
    for side in (-1.0, 1.0):
        parts += [part.moved(x_m=side * (width / 2 - 0.16)) for part in _bench_frame(seat)]
    return Prop("bench", join(parts), (timber_rand(rng, palette), _IRON))


def _bench_frame(seat_m: float) -> list[Shape]:
    """Return one cast-iron side: both legs, back, armrest, in slot 1."""
    paths = (
        [(-0.26, 0.0), (-0.22, seat_m * 0.5), (-0.24, seat_m - 0.03), (-0.25, seat_m + 0.2)],
        [(0.36, 0.0), (0.26, seat_m * 0.5), (0.25, seat_m), (0.38, seat_m + 0.48)],
        [(-0.24, seat_m - 0.035), (0.0, seat_m - 0.06), (0.25, seat_m - 0.085)],
        [(-0.27, seat_m + 0.2), (0.0, seat_m + 0.235), (0.29, seat_m + 0.2)],
    )
    parts = []
    for path in paths:
        points = smooth_curve([(0.0, y, z) for y, z in path], 16)
        parts.append(tube(points, np.full(16, 0.021), 10, 1))
    parts += [cylinder(0.045, 0.012, 1).moved(y_m=y) for y in (-0.26, 0.36)]
    return parts


def picnic_table(rng: np.random.Generator, palette: Palette) -> Prop:
    """A table with its two benches on A-frames."""
    width, top, seat, away = float(rng.uniform(1.5, 1.9)), 0.73, 0.43, 0.66
    parts = [board((width, 0.138, 0.038), (0.0, -0.29 + 0.145 * row, top)) for row in range(5)]
    for side in (-1.0, 1.0):
        for row in (-0.072, 0.072):
            parts.append(board((width, 0.138, 0.038), (0.0, side * away + row, seat)))
    for x in (-width / 2 + 0.28, width / 2 - 0.28):
        parts.append(bar((x, -0.82, seat - 0.06), (x, 0.82, seat - 0.06), 0.07, 1))
        parts.append(bar((x, -0.34, top - 0.055), (x, 0.34, top - 0.055), 0.07, 1))
        parts += [
            bar((x + 0.07, s * 0.68, 0.0), (x + 0.07, s * 0.24, top - 0.02), 0.07, 1)
            for s in (-1.0, 1.0)
        ]
    timber = timber_rand(rng, palette)
    frame = Finish("post", shaded(timber.colour, 0.8), shaded(timber.colour, 0.5), 0.75)
    return Prop("picnic table", join(parts), (timber, frame))


def garden_chair(rng: np.random.Generator, palette: Palette) -> Prop:
    """A low wooden chair with a fanned back and broad arms."""
    parts = [
        board((0.52, 0.082, 0.022), (0.0, -0.28 + 0.092 * row, 0.37 - 0.022 * row))
        for row in range(6)
    ]
    for number, x in enumerate((-0.2, -0.1, 0.0, 0.1, 0.2)):
        length = 0.74 - 0.06 * abs(number - 2)
        slat = rounded_box((0.088, 0.02, length), 0.006, 0, num_steps=1)
        slat = slat.turned("y", 4.0 * (number - 2)).turned("x", -24.0)
        parts.append(slat.moved(x * 0.92, 0.2, 0.26))
    for side in (-1.0, 1.0):
        x = side * 0.29
        parts.append(board((0.12, 0.72, 0.024), (side * 0.31, -0.02, 0.57)))
        parts.append(bar((x, -0.3, 0.0), (x, -0.3, 0.56), 0.05, 0))
        parts.append(bar((x, 0.34, 0.0), (x, 0.26, 0.56), 0.05, 0))
        parts.append(bar((side * 0.25, -0.31, 0.34), (side * 0.25, 0.52, 0.03), 0.045, 0))
    parts.append(board((0.54, 0.022, 0.09), (0.0, -0.33, 0.33)))
    parts.append(board((0.5, 0.03, 0.07), (0.0, 0.44, 0.66)))
    return Prop("garden chair", join(parts), (timber_rand(rng, palette),))


def crates(rng: np.random.Generator, palette: Palette) -> Prop:
    """Two or three slatted fruit crates on each other, each turned a little."""
    wide, deep, tall = 0.5, 0.36, float(rng.uniform(0.24, 0.3))
    parts = []
    for level in range(int(rng.integers(2, 4))):
        crate = _crate(wide, deep, tall)
        turn = float(rng.normal(0.0, 8.0))
        shift = rng.normal(0.0, 0.02, 2)
        parts.append(
            crate.turned("z", turn).moved(float(shift[0]), float(shift[1]), level * (tall + 0.008))
        )
    light, dark = _TIMBERS[int(rng.integers(len(_TIMBERS)))]
    timber = Finish("timber", linear_rgb(light), linear_rgb(dark), 0.75)
    corner = Finish("post", shaded(timber.colour, 0.85), timber.second, 0.75)
    return Prop("crates", join(parts), (timber, corner))


def _crate(wide_m: float, deep_m: float, tall_m: float) -> Shape:
    thick, gap = 0.012, 0.016
    rows = 3
    slat = (tall_m - gap * (rows - 1)) / rows
    parts = [board((wide_m, deep_m, thick), (0.0, 0.0, thick))]
    for row in range(rows):
        z = slat / 2 + row * (slat + gap)
        for side in (-1.0, 1.0):
            parts.append(board((wide_m, thick, slat), (0.0, side * (deep_m - thick) / 2, z)))
            parts.append(
                board((thick, deep_m - 2.2 * thick, slat), (side * (wide_m - thick) / 2, 0.0, z))
            )
    for x in (-1.0, 1.0):
        for y in (-1.0, 1.0):
            spot = (x * (wide_m / 2 - 0.03), y * (deep_m / 2 - 0.03), tall_m / 2)
            parts.append(board((0.032, 0.032, tall_m), spot, 1))
    return join(parts)


def signpost(rng: np.random.Generator, palette: Palette) -> Prop:
    """A post with two to four pointed boards."""
    height = float(rng.uniform(1.6, 2.2))
    parts = [board((0.1, 0.1, height + 0.2), (0.0, 0.0, height / 2 - 0.1), 1)]
    for number in range(int(rng.integers(2, 5))):
        length = float(rng.uniform(0.65, 0.95))
        arm = _arrow(length, 0.19).moved(y_m=-0.063, x_m=0.14)
        turn = float(rng.uniform(-18.0, 18.0)) + 180.0 * float(rng.integers(2))
        parts.append(arm.turned("z", turn).moved(z_m=height - 0.14 - 0.225 * number))
    white = rng.random() < 0.5
    boards = (
        Finish("paint", linear_rgb("bdb8aa"), roughness=0.5) if white else timber_rand(rng, palette)
    )
    light, dark = _TIMBERS[int(rng.integers(len(_TIMBERS)))]
    foot = Finish("post", linear_rgb(light), linear_rgb(dark), 0.75)
    return Prop("signpost", join(parts), (boards, foot))


def _arrow(length_m: float, height_m: float) -> Shape:
    """Return a board along x that ends in a point."""
    plank = rounded_box((length_m, 0.024, height_m), 0.005, 0, num_steps=4)
    x, y, z = plank.moved(z_m=-height_m / 2).vertices_V3.T
    reach = np.where(x > 0.0, 0.11 * (1.0 - np.abs(z) / (height_m / 2)), 0.0)
    return Shape(np.column_stack([x + reach, y, z]), plank.faces_F4, plank.slots_F)
