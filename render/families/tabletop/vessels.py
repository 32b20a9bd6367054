"""Pottery and glass: mug, teapot, jug, vase, bottle, tumbler, bowl of fruit."""

import numpy as np

from render.blender.finishes import Finish, Palette, ceramic_rand, glass_rand, linear_rgb
from render.blender.shapes import (
    Shape,
    ball,
    join,
    lathe,
    smooth_curve,
    tube,
    vessel_profile,
)
from render.families.craft.props import Prop
from render.families.tabletop.nature import fruit_skin_rand


def mug(rng: np.random.Generator, palette: Palette) -> Prop:
    """A mug with a handle and coffee or tea in it."""
    radius, height = float(rng.uniform(0.036, 0.045)), float(rng.uniform(0.08, 0.105))
    waist = float(rng.uniform(0.9, 1.08))
    outer = smooth_curve(
        [
            (radius * 0.82, 0.0),
            (radius * 0.97, 0.006),
            (radius * waist, height * 0.5),
            (radius, height),
        ],
        24,
    )
    body = lathe(vessel_profile(outer, 0.0042, 0.006))
    reach = float(rng.uniform(0.026, 0.034))
    grip = smooth_curve(
        [
            (radius * waist - 0.003, 0.0, height * 0.8),
            (radius + reach, 0.0, height * 0.8),
            (radius + reach, 0.0, height * 0.32),
            (radius * waist - 0.004, 0.0, height * 0.22),
        ],
        28,
    )
    handle = tube(grip, np.full(28, 0.0052)).stretched(y=1.3)
    drink = _disc(radius * waist - 0.003, height * 0.8, slot=1)
    brew = linear_rgb(str(rng.choice(["2a1408", "5a2c0c", "8a5a34"])))
    finishes = (ceramic_rand(rng, palette, height), Finish("liquid", brew))
    return Prop("mug", join([body, handle, drink]), finishes)


def teapot(rng: np.random.Generator, palette: Palette) -> Prop:
    """A round teapot with spout, handle and lid."""
    radius, height = float(rng.uniform(0.065, 0.08)), float(rng.uniform(0.085, 0.115))
    outer = smooth_curve(
        [
            (radius * 0.6, 0.0),
            (radius * 0.9, height * 0.18),
            (radius, height * 0.48),
            (radius * 0.78, height * 0.85),
            (radius * 0.48, height),
        ],
        40,
    )
    body = lathe(vessel_profile(outer, 0.005, 0.006))
    rim = radius * 0.5
    lid = lathe(
        np.concatenate(
            [
                [[0.0, height - 0.004], [rim, height - 0.004]],
                smooth_curve(
                    [(rim, height), (rim * 0.6, height + 0.010), (0.007, height + 0.014)], 14
                ),
                smooth_curve(
                    [
                        (0.006, height + 0.017),
                        (0.012, height + 0.025),
                        (0.008, height + 0.034),
                        (0.0, height + 0.036),
                    ],
                    12,
                ),
            ]
        )
    )
    spout_path = smooth_curve(
        [
            (radius * 0.85, 0.0, height * 0.35),
            (radius * 1.3, 0.0, height * 0.5),
            (radius * 1.45, 0.0, height * 0.85),
            (radius * 1.75, 0.0, height * 1.05),
        ],
        24,
    )
    spout = tube(spout_path, np.linspace(0.019, 0.0085, 24))
    grip = smooth_curve(
        [
            (-radius * 0.75, 0.0, height * 0.86),
            (-radius * 1.35, 0.0, height * 1.02),
            (-radius * 1.6, 0.0, height * 0.6),
            (-radius * 0.93, 0.0, height * 0.26),
        ],
        30,
    )
    handle = tube(grip, np.full(30, 0.0062))
    return Prop("teapot", join([body, lid, spout, handle]), (ceramic_rand(rng, palette, height),))


def jug(rng: np.random.Generator, palette: Palette) -> Prop:
    """A tall jug with a handle and a lip that is drawn out to pour."""
    radius, height = float(rng.uniform(0.05, 0.062)), float(rng.uniform(0.16, 0.21))
    neck = float(rng.uniform(0.55, 0.7))
    outer = smooth_curve(
        [
            (radius * 0.75, 0.0),
            (radius * 1.0, height * 0.28),
            (radius * 0.9, height * 0.5),
            (radius * neck, height * 0.75),
            (radius * neck * 1.22, height),
        ],
        48,
    )
    body = _with_lip(lathe(vessel_profile(outer, 0.005, 0.006)), height)
    grip = smooth_curve(
        [
            (-radius * neck * 1.08, 0.0, height * 0.92),
            (-radius * 1.35, 0.0, height * 0.97),
            (-radius * 1.65, 0.0, height * 0.68),
            (-radius * 0.92, 0.0, height * 0.42),
        ],
        32,
    )
    handle = tube(grip, np.full(32, 0.0068)).stretched(y=1.25)
    return Prop("jug", join([body, handle]), (ceramic_rand(rng, palette, height),))


def _with_lip(shape: Shape, height_m: float) -> Shape:
    """Return a vessel whose rim is pulled out towards +x."""
    x, y, z = shape.vertices_V3.T
    angle = np.arctan2(y, x)
    pull = np.exp(-((angle / 0.45) ** 2)) * np.clip((z / height_m - 0.8) / 0.2, 0.0, 1.0) ** 2
    widened = np.column_stack([x * (1.0 + 0.32 * pull), y, z + 0.006 * pull])
    return Shape(widened, shape.faces_F4, shape.slots_F)


def vase(rng: np.random.Generator, palette: Palette) -> Prop:
    """A turned vase; its outline is drawn."""
    height, belly = float(rng.uniform(0.14, 0.26)), float(rng.uniform(0.04, 0.065))
    at, neck = float(rng.uniform(0.3, 0.62)), float(rng.uniform(0.3, 0.6))
    outer = smooth_curve(
        [
            (belly * 0.6, 0.0),
            (belly, height * at),
            (belly * neck, height * min(at + 0.33, 0.9)),
            (belly * neck * float(rng.uniform(1.0, 1.5)), height),
        ],
        56,
    )
    shape = lathe(vessel_profile(outer, 0.005, 0.008), num_sides=72)
    finish = glass_rand(rng) if rng.random() < 0.2 else ceramic_rand(rng, palette, height)
    return Prop("vase", shape, (finish,))


def bottle(rng: np.random.Generator, palette: Palette) -> Prop:
    """A glass bottle with a cork."""
    radius, height = float(rng.uniform(0.032, 0.04)), float(rng.uniform(0.22, 0.29))
    shoulder = float(rng.uniform(0.5, 0.65))
    outer = np.concatenate(
        [
            smooth_curve([(radius * 0.88, 0.0), (radius, 0.006), (radius, height * shoulder)], 16),
            smooth_curve(
                [
                    (radius, height * shoulder),
                    (radius * 0.8, height * (shoulder + 0.12)),
                    (0.0145, height * (shoulder + 0.22)),
                    (0.0145, height),
                ],
                24,
            )[1:],
        ]
    )
    body = lathe(vessel_profile(outer, 0.003, 0.008))
    cork = lathe(
        np.array([[0.0, 0.0], [0.0105, 0.0], [0.0125, 0.024], [0.011, 0.027], [0.0, 0.027]]), slot=1
    ).moved(z_m=height - 0.014)
    finishes = (glass_rand(rng), Finish("terracotta", linear_rgb("b98d5f")))
    return Prop("bottle", join([body, cork]), finishes)


def tumbler(rng: np.random.Generator, palette: Palette) -> Prop:
    """A drinking glass with a thick floor."""
    radius, height = float(rng.uniform(0.032, 0.04)), float(rng.uniform(0.085, 0.125))
    foot = radius * float(rng.uniform(0.75, 1.0))
    outer = smooth_curve([(foot * 0.95, 0.0), (foot, 0.004), (radius, height)], 16)
    return Prop("tumbler", lathe(vessel_profile(outer, 0.0022, 0.01)), (glass_rand(rng),))


def bowl(rng: np.random.Generator, palette: Palette) -> Prop:
    """A bowl with three fruits that touch each other and the wall.

    Inside it is part of a sphere of radius R: spheres of radius r rest with their centres R - r
    from its centre, and three of them touch where sin(angle) = r / ((R - r) sin 60).
    """
    inside_m, wall_m, floor_m = float(rng.uniform(0.085, 0.105)), 0.0065, 0.002
    fruit_m = inside_m * float(rng.uniform(0.36, 0.41))
    rim = np.radians(float(rng.uniform(72.0, 84.0)))
    outside_m, centre_z = inside_m + wall_m, inside_m + floor_m
    angle = np.linspace(np.arccos(centre_z / outside_m), rim, 24)
    outer = np.column_stack([outside_m * np.sin(angle), centre_z - outside_m * np.cos(angle)])
    inner_angle = np.linspace(rim, 0.0, 30)
    inner = np.column_stack(
        [inside_m * np.sin(inner_angle), centre_z - inside_m * np.cos(inner_angle)]
    )
    inner[-1, 0] = 0.0
    parts = [lathe(np.concatenate([[[0.0, 0.0]], outer, inner]))]
    tilt = np.arcsin(fruit_m / ((inside_m - fruit_m) * np.sin(np.radians(60.0))))
    away_m, drop_m = (inside_m - fruit_m) * np.sin(tilt), (inside_m - fruit_m) * np.cos(tilt)
    for third in range(3):
        turn = np.radians(120.0 * third)
        fruit = ball(20, slot=1).stretched(fruit_m, fruit_m, fruit_m)
        parts.append(fruit.moved(away_m * np.cos(turn), away_m * np.sin(turn), centre_z - drop_m))
    finishes = (ceramic_rand(rng, palette, 2.0 * inside_m), fruit_skin_rand(rng))
    return Prop("bowl", join(parts), finishes)


def _disc(radius_m: float, height_m: float, slot: int) -> Shape:
    """Return the surface of a liquid, a disc that faces up."""
    return lathe(np.array([[radius_m, height_m], [0.0, height_m]]), slot=slot)
