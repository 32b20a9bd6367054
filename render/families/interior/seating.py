"""Seats: armchair, lounge chair, chair, stool, bench, sofa; each faces -y."""

import numpy as np

from render.blender.finishes import Finish, Palette
from render.blender.shapes import Shape, join, rounded_box
from render.families.craft.props import Prop
from render.families.craft.room_finishes import frame_rand, painted, upholstery_rand, wooden_rand
from render.families.interior.upholstery import (
    beam,
    board,
    cushion,
    four_legs,
    grounded,
    pillow,
    rod,
    square_legs,
)

_FABRIC, _FRAME, _PILLOW = 0, 1, 2


def armchair(rng: np.random.Generator, palette: Palette) -> Prop:
    """An upholstered armchair, with a scatter cushion in half of the cases."""
    shape = _upholstered(rng, num_seats=1)
    finishes = [upholstery_rand(rng, palette), frame_rand(rng, palette)]
    if rng.random() < 0.5:
        lean = pillow(0.4, 0.36, 0.15, _PILLOW).turned("x", -18.0)
        shape = join([shape, lean.turned("z", 8.0).moved(0.04, -0.06, 0.46)])
        finishes.append(_contrast(rng, palette, finishes[0]))
    return Prop("armchair", grounded(shape), tuple(finishes))


def sofa(rng: np.random.Generator, palette: Palette) -> Prop:
    """A sofa of two or three seats with a few scatter cushions."""
    num_seats = int(rng.integers(2, 4))
    parts = [_upholstered(rng, num_seats)]
    fabric = upholstery_rand(rng, palette)
    finishes = [fabric, frame_rand(rng, palette)]
    half_m = num_seats * 0.31 - 0.2
    spots = [-half_m, half_m, half_m - 0.36][: int(rng.integers(1, 4))]
    for number, x_m in enumerate(spots):
        tilt = pillow(0.44, 0.42, 0.15, _PILLOW + number).turned("x", -20.0)
        tilt = tilt.turned("z", float(rng.normal(0.0, 7.0)))
        parts.append(tilt.moved(x_m, -0.05 - 0.09 * (number == 2), 0.46))
        finishes.append(_contrast(rng, palette, fabric))
    return Prop("sofa", grounded(join(parts)), tuple(finishes))


def _upholstered(rng: np.random.Generator, num_seats: int) -> Shape:
    """Return base, arms, seat and back cushions of one suite, on legs."""
    seat_m, depth_m = float(rng.uniform(0.56, 0.64)), float(rng.uniform(0.74, 0.82))
    arm_m, leg_m = float(rng.uniform(0.09, 0.19)), float(rng.uniform(0.07, 0.16))
    arm_top_m, back_top_m = float(rng.uniform(0.56, 0.66)), float(rng.uniform(0.76, 0.9))
    inner_m = seat_m * num_seats
    width_m, round_m = inner_m + 2.0 * arm_m, float(rng.uniform(0.025, 0.075))
    parts = [
        _block((inner_m + 0.02, depth_m - 0.05, 0.3 - leg_m), (0.0, 0.0, leg_m), 0.02),
        _block((inner_m + arm_m, 0.17, back_top_m - leg_m), (0.0, 0.0, 0.0), round_m)
        .turned("x", -8.0)
        .moved(0.0, depth_m / 2.0 - 0.16, leg_m),
    ]
    for side in (-1.0, 1.0):
        x_m = side * (inner_m + arm_m) / 2.0
        arm = _block((arm_m, depth_m, arm_top_m - leg_m), (x_m, 0.0, leg_m), round_m)
        parts.append(arm)
    for number in range(num_seats):
        x_m = (number - (num_seats - 1) / 2.0) * seat_m
        seat = cushion((seat_m - 0.008, depth_m - 0.14, 0.19), _FABRIC, 0.27)
        parts.append(seat.moved(x_m, -0.09, 0.28))
        back = cushion((seat_m - 0.015, 0.2, back_top_m - 0.4), _FABRIC, 0.4)
        parts.append(back.turned("x", -14.0).moved(x_m, depth_m / 2.0 - 0.27, 0.44))
    radii = (0.022, 0.013) if rng.random() < 0.6 else (0.028, 0.026)
    legs = four_legs(
        width_m - 0.1, depth_m - 0.12, leg_m + 0.02, splay_m=0.015, radii_m=radii, slot=_FRAME
    )
    return join([*parts, legs])


def _block(
    size_m: tuple[float, float, float], at_m: tuple[float, float, float], edge_m: float
) -> Shape:
    return rounded_box(size_m, edge_m, _FABRIC, num_steps=4).moved(*at_m)


def _contrast(rng: np.random.Generator, palette: Palette, beside: Finish) -> Finish:
    """Draw a cushion cover that does not vanish on the fabric beside it."""
    options = [palette.strong, palette.other, palette.light, palette.dark]
    far = sorted(
        options, key=lambda c: -sum(abs(a - b) for a, b in zip(c, beside.colour, strict=True))
    )
    colour = far[int(rng.integers(2))]
    if rng.random() < 0.35:
        return Finish("striped", colour, palette.light, 0.9, float(rng.uniform(0.25, 0.6)))
    return Finish("upholstery", colour, colour, 0.9, 1.0)


def lounge_chair(rng: np.random.Generator, palette: Palette) -> Prop:
    """A low easy chair: two cushions in an open wooden frame."""
    width_m, depth_m = float(rng.uniform(0.64, 0.7)), float(rng.uniform(0.66, 0.74))
    arm_m, side_m = float(rng.uniform(0.54, 0.6)), float(rng.uniform(0.032, 0.042))
    lean_deg = float(rng.uniform(17.0, 24.0))
    parts = []
    for side in (-1.0, 1.0):
        x_m = side * (width_m - side_m) / 2.0
        front, back = -depth_m / 2.0, depth_m / 2.0
        parts += [
            beam((x_m, front + 0.05, 0.0), (x_m, front + 0.09, arm_m), side_m, _FRAME),
            beam((x_m, back - 0.02, 0.0), (x_m, back - 0.14, arm_m), side_m, _FRAME),
            beam((x_m, front + 0.06, 0.27), (x_m, back - 0.07, 0.21), side_m, _FRAME),
            board((0.07, depth_m - 0.06, 0.026), (x_m, -0.02, arm_m), _FRAME, 0.009),
        ]
    inner_m = width_m - 2.0 * side_m
    for y_m, z_m in ((-depth_m / 2.0 + 0.09, 0.25), (depth_m / 2.0 - 0.14, 0.2)):
        parts.append(board((inner_m + 0.01, side_m, 0.05), (0.0, y_m, z_m), _FRAME))
    thick_m = float(rng.uniform(0.11, 0.15))
    seat = cushion((inner_m - 0.01, depth_m - 0.1, thick_m), _FABRIC, 0.25)
    parts.append(seat.turned("x", -5.0).moved(0.0, -0.06, 0.3))
    rest = cushion((inner_m - 0.01, thick_m, 0.56), _FABRIC, 0.28)
    parts.append(rest.turned("x", -lean_deg).moved(0.0, depth_m / 2.0 - 0.24, 0.33))
    for x_m in (-inner_m / 2.0, inner_m / 2.0):
        foot = (x_m, depth_m / 2.0 - 0.16, 0.22)
        rise = 0.62
        top_y = foot[1] + rise * float(np.tan(np.radians(lean_deg)))
        parts.append(beam(foot, (x_m, top_y, foot[2] + rise), 0.028, _FRAME))
        far_m = top_y
    parts.append(board((inner_m + 0.028, 0.03, 0.06), (0.0, far_m, 0.8), _FRAME, 0.008))
    finishes = (upholstery_rand(rng, palette), wooden_rand(rng, palette))
    return Prop("lounge chair", grounded(join(parts)), finishes)


def chair(rng: np.random.Generator, palette: Palette) -> Prop:
    """A dining chair with slats or spindles; the seat is wood or has a pad."""
    width_m, depth_m = float(rng.uniform(0.42, 0.46)), float(rng.uniform(0.41, 0.45))
    top_m, seat_m = float(rng.uniform(0.8, 0.92)), 0.455
    parts = [
        rounded_box((width_m, depth_m, 0.03), 0.012, _FRAME).moved(z_m=seat_m - 0.03),
        _front_legs(width_m, depth_m, seat_m - 0.02),
    ]
    lean = 0.09
    for side in (-1.0, 1.0):
        x_m, y_m = side * (width_m / 2.0 - 0.022), depth_m / 2.0 - 0.02
        knee = (x_m, y_m, seat_m)
        parts.append(rod((x_m, y_m + 0.05, 0.0), knee, (0.014, 0.019), _FRAME))
        parts.append(rod(knee, (x_m, y_m + lean, top_m), (0.019, 0.014), _FRAME))
        foot_y = -depth_m / 2.0 + 0.02
        parts.append(rod((x_m, foot_y, 0.2), (x_m, y_m + 0.03, 0.2), (0.01, 0.01), _FRAME))
    parts.append(_chair_back(rng, width_m, depth_m / 2.0 - 0.02, seat_m, top_m, lean))
    if rng.random() < 0.5:
        pad = cushion((width_m - 0.03, depth_m - 0.04, 0.045), _FABRIC, 0.3)
        parts.append(pad.moved(y_m=-0.005, z_m=seat_m - 0.004))
    finishes = (upholstery_rand(rng, palette), wooden_rand(rng, palette))
    return Prop("chair", grounded(join(parts)), finishes)


def _front_legs(width_m: float, depth_m: float, height_m: float) -> Shape:
    legs = []
    for side in (-1.0, 1.0):
        x_m, y_m = side * (width_m / 2.0 - 0.03), -depth_m / 2.0 + 0.03
        foot = (x_m + side * 0.012, y_m - 0.012, 0.0)
        legs.append(rod(foot, (x_m, y_m, height_m), (0.013, 0.019), _FRAME))
    x_m, y_m = width_m / 2.0 - 0.028, -depth_m / 2.0 + 0.025
    legs.append(rod((-x_m, y_m, 0.3), (x_m, y_m, 0.3), (0.01, 0.01), _FRAME))
    return join(legs)


def _chair_back(
    rng: np.random.Generator,
    width_m: float,
    y_m: float,
    seat_m: float,
    top_m: float,
    lean_m: float,
) -> Shape:
    """Return a top rail and, under it, cross slats or upright spindles."""
    rise_m = top_m - seat_m
    parts = []

    def y_at(z_m: float) -> float:
        return y_m + lean_m * (z_m - seat_m) / rise_m

    rail = board((width_m - 0.02, 0.022, 0.085), (0.0, y_at(top_m - 0.06), top_m - 0.075), _FRAME)
    parts.append(rail)
    if rng.random() < 0.5:
        for share in (0.32, 0.58):
            z_m = seat_m + share * rise_m
            slat = (width_m - 0.04, 0.016, 0.05)
            parts.append(board(slat, (0.0, y_at(z_m), z_m), _FRAME))
    else:
        for x_m in np.linspace(-1.0, 1.0, int(rng.integers(4, 7))) * (width_m / 2.0 - 0.075):
            foot, top = (float(x_m), y_m, seat_m - 0.01), (float(x_m), y_at(top_m - 0.07), top_m)
            parts.append(rod(foot, (top[0], top[1], top_m - 0.06), (0.009, 0.007), _FRAME))
    return join(parts)


def stool(rng: np.random.Generator, palette: Palette) -> Prop:
    """An oblong stool with stretchers, its seat a padded cushion or dished wood."""
    width_m, depth_m = float(rng.uniform(0.42, 0.52)), float(rng.uniform(0.27, 0.33))
    height_m = float(rng.uniform(0.44, 0.6))
    legs = four_legs(
        width_m - 0.1,
        depth_m - 0.08,
        height_m - 0.02,
        splay_m=0.035,
        radii_m=(0.021, 0.014),
        slot=1,
    )
    parts = [legs]
    for front in (-1.0, 1.0):
        y_m = front * (depth_m / 2.0 - 0.022)
        reach = width_m / 2.0 - 0.032
        parts.append(rod((-reach, y_m, 0.17), (reach, y_m, 0.17), (0.011, 0.011), 1))
    if rng.random() < 0.6:
        parts.append(board((width_m, depth_m, 0.022), (0.0, 0.0, height_m - 0.03), 1, 0.008))
        parts.append(cushion((width_m, depth_m, 0.1), 0, 0.24).moved(z_m=height_m - 0.012))
        finishes = (upholstery_rand(rng, palette), wooden_rand(rng, palette))
    else:
        seat = rounded_box((width_m, depth_m, 0.045), 0.014, 0).moved(z_m=height_m - 0.03)
        parts.append(seat)
        finishes = (wooden_rand(rng, palette), painted(rng, palette))
    return Prop("stool", grounded(join(parts)), finishes)


def bench(rng: np.random.Generator, palette: Palette) -> Prop:
    """An upholstered bench on wooden or metal legs, with a folded blanket at times."""
    width_m, depth_m = float(rng.uniform(0.85, 1.05)), float(rng.uniform(0.36, 0.42))
    parts = [
        square_legs(width_m - 0.02, depth_m - 0.02, 0.33, 0.04, 1),
        board((width_m - 0.02, depth_m - 0.02, 0.05), (0.0, 0.0, 0.3), 1),
        cushion((width_m, depth_m, 0.14), 0, 0.2).moved(z_m=0.335),
    ]
    finishes = [upholstery_rand(rng, palette), frame_rand(rng, palette)]
    if rng.random() < 0.5:
        side = float(rng.choice([-1.0, 1.0])) * width_m * 0.26
        parts.append(cushion((0.3, depth_m + 0.02, 0.05), 2, 0.2).moved(side, 0.0, 0.462))
        parts.append(cushion((0.28, depth_m - 0.01, 0.04), 2, 0.2).moved(side, 0.01, 0.505))
        finishes.append(_contrast(rng, palette, finishes[0]))
    return Prop("bench", grounded(join(parts)), tuple(finishes))
