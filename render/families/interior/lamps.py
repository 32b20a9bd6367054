"""Household lamps: a stand or a cord, a shade, and where the bulb is."""

from dataclasses import dataclass

import numpy as np

from render.blender.finishes import Finish, Palette, Rgb, ceramic_rand, linear_rgb, shaded
from render.blender.shapes import Floats, Shape, ball, cylinder, join, lathe, smooth_curve
from render.families.craft.props import Prop
from render.families.craft.room_finishes import frame_rand, knob_rand, painted
from render.families.interior.upholstery import rod

_RIM_M = 0.003  # thickness of the rings that hold a shade


@dataclass(frozen=True)
class Shade:
    """What surrounds the bulb; its shape is centred on the bulb."""

    shape: Shape
    colour: Rgb  # of its cloth or paper, or of its outside where it is opaque
    transmission: float  # share of the bulb's light that comes through; 0 = metal
    radius_m: float
    height_m: float

    @property
    def area_m2(self) -> float:
        """Of its outside, as if it were a cylinder."""
        return 2.0 * np.pi * self.radius_m * self.height_m


@dataclass(frozen=True)
class Lamp:
    """A lamp that stands on z = 0, or hangs with its bulb at z = 0."""

    kind: str  # "floor lamp", "table lamp" or "pendant"
    stand: Prop
    shade: Shade
    bulb_at_m: tuple[float, float, float]
    bulb_radius_m: float

    @property
    def outline(self) -> Prop:
        """All of it as one prop, for the room that it takes."""
        shape = join([self.stand.shape, self.shade.shape.moved(*self.bulb_at_m).dressed(0)])
        return Prop(self.kind, shape, self.stand.finishes)


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Lamp:
    """A lamp with a shade at the height of a sitting head, on a disc or a tripod."""
    bulb_m = float(rng.uniform(1.25, 1.5))
    shade = _cloth_shade(rng, palette, float(rng.uniform(0.16, 0.23)), float(rng.uniform(0.2, 0.3)))
    if rng.random() < 0.5:
        parts = [cylinder(0.14, 0.022), rod((0, 0, 0.02), (0, 0, bulb_m), (0.011, 0.011))]
        finish = knob_rand(rng) if rng.random() < 0.6 else painted(rng, palette)
    else:
        hub = (0.0, 0.0, bulb_m - 0.2)
        parts = [rod((0, 0, bulb_m - 0.26), (0, 0, bulb_m), (0.013, 0.011))]
        for angle in np.radians([90.0, 210.0, 330.0]):
            foot = (0.27 * float(np.cos(angle)), 0.27 * float(np.sin(angle)), 0.0)
            parts.append(rod(foot, hub, (0.011, 0.015)))
        finish = frame_rand(rng, palette)
    stand = Prop("floor lamp", join(parts), (finish,))
    return Lamp("floor lamp", stand, shade, (0.0, 0.0, bulb_m), 0.045)


def table_lamp(rng: np.random.Generator, palette: Palette) -> Lamp:
    """A turned ceramic, wooden or metal base with a shade."""
    foot_m, body_m = float(rng.uniform(0.055, 0.075)), float(rng.uniform(0.2, 0.3))
    belly = float(rng.uniform(0.055, 0.1)) if rng.random() < 0.6 else 0.022
    outline = smooth_curve(
        [
            (foot_m, 0.004),
            (foot_m, 0.014),
            (min(foot_m, belly) * 0.9, 0.03),
            (belly, body_m * 0.42),
            (belly * 0.6, body_m * 0.8),
            (0.014, body_m),
        ],
        48,
    )
    base = lathe(np.concatenate([[[0.0, 0.0], [foot_m - 0.003, 0.0]], outline, [[0.0, body_m]]]))
    bulb_m = body_m + 0.12
    neck = rod((0.0, 0.0, body_m - 0.01), (0.0, 0.0, bulb_m), (0.008, 0.008), slot=1)
    chance = float(rng.random())
    finish = ceramic_rand(rng, palette, body_m) if chance < 0.6 else frame_rand(rng, palette)
    stand = Prop("table lamp", join([base, neck]), (finish, knob_rand(rng)))
    shade = _cloth_shade(
        rng, palette, float(rng.uniform(0.12, 0.16)), float(rng.uniform(0.16, 0.21))
    )
    return Lamp("table lamp", stand, shade, (0.0, 0.0, bulb_m), 0.035)


def pendant(rng: np.random.Generator, palette: Palette, cord_m: float, *, over_table: bool) -> Lamp:
    """A hanging lamp: a paper globe or a cloth drum, over a table also a metal dome."""
    domes = 0.25 if over_table else 0.0  # these light only what is below
    kind = str(rng.choice(["globe", "drum", "dome"], p=[0.5 - domes / 2, 0.5 - domes / 2, domes]))
    cord = rod((0.0, 0.0, 0.05), (0.0, 0.0, cord_m), (0.003, 0.003), slot=0)
    rose = cylinder(0.05, 0.025).moved(z_m=cord_m - 0.025)
    parts = [cord, rose]
    if kind == "globe":
        radius_m = float(rng.uniform(0.15, 0.22))
        sphere = ball(20).stretched(radius_m, radius_m, radius_m * 0.92)
        shade = Shade(sphere, linear_rgb("efe9dc"), 0.75, radius_m, 2.0 * radius_m)
    elif kind == "drum":
        radius_m = float(rng.uniform(0.2, 0.27))
        shade = _cloth_shade(rng, palette, radius_m, float(rng.uniform(0.18, 0.24)))
    else:
        radius_m = float(rng.uniform(0.16, 0.24))
        shade = _dome(rng, palette, radius_m)
    black = Finish("plastic", (0.02, 0.02, 0.02), roughness=0.5)
    stand = Prop("pendant", join(parts), (black,))
    return Lamp("pendant", stand, shade, (0.0, 0.0, 0.0), 0.05)


def _cloth_shade(
    rng: np.random.Generator, palette: Palette, radius_m: float, height_m: float
) -> Shade:
    """Return a drum or cone of cloth, open above and below."""
    taper = float(rng.choice([1.0, 0.85, 0.62]))
    half = height_m / 2.0
    wall = np.array(
        [[radius_m, -half], [radius_m * (1 + taper) / 2, 0.0], [radius_m * taper, half]]
    )
    rings = [_ring(radius_m, -half), _ring(radius_m * taper, half)]
    pale = linear_rgb(str(rng.choice(["f3ede0", "efe4cf", "e8e3da"])))
    colour = pale if rng.random() < 0.75 else shaded(palette.other, 1.0)
    return Shade(join([lathe(wall, 56), *rings]), colour, 0.55, radius_m, height_m)


def _ring(radius_m: float, z_m: float) -> Shape:
    angle = np.linspace(0.0, 2.0 * np.pi, 9)
    loop: Floats = np.column_stack(
        [radius_m + _RIM_M * np.cos(angle), z_m + _RIM_M * np.sin(angle)]
    )
    return lathe(loop, 56)


def _dome(rng: np.random.Generator, palette: Palette, radius_m: float) -> Shade:
    """Return a metal dome that is open below; the bulb sits under its top."""
    tall_m = radius_m * float(rng.uniform(0.75, 1.1))
    outer = smooth_curve(
        [
            (radius_m, -0.6 * tall_m),
            (radius_m * 0.9, -0.25 * tall_m),
            (radius_m * 0.55, 0.2 * tall_m),
            (radius_m * 0.16, 0.4 * tall_m),
            (radius_m * 0.14, 0.62 * tall_m),
        ],
        30,
    )
    lid = np.array([[0.0, 0.62 * tall_m]])
    inner = outer[::-1][8:] - np.array([0.004, 0.002])
    shell = lathe(np.concatenate([outer, lid]), 56)
    lining = lathe(np.concatenate([[[0.0, inner[0, 1]]], inner, outer[:1]]), 56, slot=1)
    return Shade(join([shell, lining]), painted(rng, palette).colour, 0.0, radius_m, tall_m)
