"""Small devices: a desk clock and an old camera."""

import numpy as np

from render.blender.finishes import METALS, Finish, Palette, linear_rgb, metal_rand
from render.blender.shapes import (
    Shape,
    cylinder,
    join,
    lathe,
    rounded_box,
    smooth_curve,
    tube,
)
from render.families.craft.props import Prop


def clock(rng: np.random.Generator, palette: Palette) -> Prop:
    """A small round desk clock: case, dial, twelve marks, two hands, two feet."""
    radius, depth = float(rng.uniform(0.045, 0.06)), 0.036
    case = lathe(
        np.array(
            [
                [0.0, -depth / 2],
                [radius * 0.94, -depth / 2],
                [radius, -depth / 2 + 0.004],
                [radius, depth / 2 - 0.003],
                [radius * 0.97, depth / 2],
                [radius * 0.9, depth / 2],
                [radius * 0.88, depth / 2 - 0.006],
            ]
        ),
        num_sides=72,
    )
    dial = lathe(np.array([[radius * 0.88, depth / 2 - 0.006], [0.0, depth / 2 - 0.006]]), slot=1)
    parts = [case, dial, *_clock_marks(rng, radius, depth / 2 - 0.006)]
    upright = join(parts).turned("x", 90.0).moved(z_m=radius + 0.008)
    feet = [
        tube(
            np.array([[x, 0.0, 0.004], [x * 0.8, 0.0, 0.022]]), np.array([0.004, 0.005]), 16, 0
        ).moved(z_m=0.0)
        for x in (-radius * 0.62, radius * 0.62)
    ]
    body = (
        metal_rand(rng)
        if rng.random() < 0.4
        else Finish("plastic", palette.pick(rng), roughness=0.3)
    )
    finishes = (body, Finish("paper", linear_rgb("f3efe4")), Finish("plastic", (0.02, 0.02, 0.02)))
    return Prop("clock", join([upright, *feet]), finishes)


def _clock_marks(rng: np.random.Generator, radius_m: float, dial_m: float) -> list[Shape]:
    marks = [
        rounded_box((0.0022, 0.0075 if hour % 3 == 0 else 0.0045, 0.0006), 0.0002, 2, 1)
        .moved(y_m=radius_m * 0.74, z_m=dial_m)
        .turned("z", 30.0 * hour)
        for hour in range(12)
    ]
    minutes = float(rng.uniform(0.0, 720.0))
    for width, length, lift, degrees in (
        (0.0034, radius_m * 0.44, 0.0008, minutes / 2.0),
        (0.0022, radius_m * 0.66, 0.0016, minutes * 6.0),
    ):
        hand = rounded_box((width, length, 0.0006), 0.0002, 2, 1)
        marks.append(hand.moved(y_m=length * 0.42, z_m=dial_m + lift).turned("z", -degrees))
    marks.append(cylinder(0.0034, 0.003).moved(z_m=dial_m).dressed(2))
    return marks


def camera(rng: np.random.Generator, palette: Palette) -> Prop:
    """An old viewfinder camera: leather body, metal top, lens, knobs."""
    width, depth, height = float(rng.uniform(0.118, 0.135)), 0.036, 0.072
    body = rounded_box((width, depth, height * 0.7), 0.006, 0)
    top = rounded_box((width, depth * 0.98, height * 0.3), 0.005, 1).moved(z_m=height * 0.69)
    hump = rounded_box((0.036, depth * 0.8, 0.012), 0.003, 1).moved(z_m=height * 0.97)
    window = rounded_box((0.018, 0.003, 0.01), 0.001, 3).moved(0.034, -depth / 2, height * 0.77)
    parts = [body, top, hump, window, _lens(0.026, depth)]
    for x, size in ((-0.042, 0.009), (0.043, 0.0075), (-0.021, 0.005)):
        parts.append(cylinder(size, 0.008).moved(x, 0.0, height * 0.985).dressed(1))
    hide = str(rng.choice(["1d1b1a", "3a2418", "24303a"]))
    silver = Finish("brushed", METALS["aluminium"], METALS["aluminium"], 0.3)
    finishes = (
        Finish("leather", linear_rgb(hide), roughness=0.6),
        silver if rng.random() < 0.7 else Finish("plastic", (0.03, 0.03, 0.03), roughness=0.35),
        Finish("plastic", (0.015, 0.015, 0.016), roughness=0.3),
        Finish("liquid", linear_rgb("1a2430")),
    )
    return Prop("camera", join(parts), finishes)


def _lens(radius_m: float, depth_m: float) -> Shape:
    """Return a lens barrel that points to -y; rings of slots 1 and 2, glass of slot 3."""
    barrel = lathe(
        np.array(
            [
                [radius_m, 0.0],
                [radius_m, 0.012],
                [radius_m * 0.93, 0.0125],
                [radius_m * 0.93, 0.024],
                [radius_m * 0.85, 0.0255],
                [radius_m * 0.72, 0.0255],
                [radius_m * 0.66, 0.018],
                [0.0, 0.018],
            ]
        ),
        slot=2,
    )
    ring = lathe(
        np.array(
            [
                [radius_m * 1.02, 0.0],
                [radius_m * 1.06, 0.002],
                [radius_m * 1.06, 0.007],
                [radius_m * 1.0, 0.009],
            ]
        ),
        slot=1,
    )
    glass = lathe(
        smooth_curve([(radius_m * 0.66, 0.018), (radius_m * 0.4, 0.0215), (0.0, 0.0228)], 10)
        * np.array([1.0, 1.0]),
        slot=3,
    )
    return (
        join([barrel, ring, glass]).turned("x", 90.0).moved(y_m=-depth_m / 2, z_m=radius_m + 0.004)
    )
