"""Outdoor objects of stone: boulder and urn."""

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb
from render.blender.shapes import (
    Shape,
    join,
    lathe,
    pebble,
    rounded_box,
    smooth_curve,
    tube,
    vessel_profile,
)
from render.families.craft.props import Prop
from render.families.outdoor.flora import shrub
from render.families.outdoor.terrain import noise_rand

_STONES = (("a59e90", "746c60"), ("949593", "5e5f5f"), ("a6937b", "705c46"), ("85817f", "4e4c4c"))


def stone_rand(rng: np.random.Generator, moss: float = 0.0) -> Finish:
    """Draw a natural stone."""
    light, dark = _STONES[int(rng.integers(len(_STONES)))]
    return Finish("rock", linear_rgb(light), linear_rgb(dark), 0.85, level_m=moss)


def boulder(rng: np.random.Generator, palette: Palette) -> Prop:
    """A boulder, its foot in the ground."""
    size = float(rng.uniform(0.45, 0.95))
    return Prop("boulder", rock_shape(rng, size, 36), (stone_rand(rng, float(rng.uniform(0, 1))),))


def rock_shape(rng: np.random.Generator, size_m: float, num_steps: int) -> Shape:
    """Return a weathered rock about 1.3 `size_m` wide whose base is below z = 0."""
    count = int(rng.integers(12, 20))
    height = 1.0 - 2.0 * np.arange(count) / (count - 1)
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    width = np.sqrt(1.0 - height**2)
    normals = np.stack([width * np.cos(turn), width * np.sin(turn), height], axis=1)
    normals += rng.normal(0.0, 0.25, normals.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    rock = pebble(
        normals, rng.uniform(0.72, 1.1, count), float(rng.uniform(12.0, 26.0)), 0, num_steps
    )
    x, y, z = rock.vertices_V3.T
    noise = noise_rand(rng)
    rough = (
        noise.fractal(x, y + 3.0, 0.7, 4)
        + noise.fractal(y, z, 0.7, 4)
        + noise.fractal(z, x, 0.7, 4)
    )
    swollen = rock.vertices_V3 * (1.0 + 0.045 * rough)[:, None]
    shape = Shape(swollen, rock.faces_F4, rock.slots_F)
    shape = shape.stretched(
        size_m * float(rng.uniform(0.6, 0.78)),
        size_m * float(rng.uniform(0.5, 0.6)),
        size_m * float(rng.uniform(0.42, 0.6)),
    )
    low, high = float(shape.vertices_V3[:, 2].min()), shape.height_m
    return shape.moved(z_m=-low - 0.27 * (high - low))


def urn(rng: np.random.Generator, palette: Palette) -> Prop:
    """A stone urn with two handles on a square plinth, planted."""
    plinth = float(rng.uniform(0.3, 0.55))
    parts = [
        rounded_box((0.5, 0.5, 0.08), 0.012, num_steps=2),
        rounded_box((0.4, 0.4, plinth - 0.14), 0.008, num_steps=2).moved(z_m=0.08),
        rounded_box((0.48, 0.48, 0.06), 0.012, num_steps=2).moved(z_m=plinth - 0.06),
    ]
    outer = smooth_curve(
        [
            (0.15, 0.0),
            (0.14, 0.03),
            (0.055, 0.07),
            (0.06, 0.11),
            (0.17, 0.2),
            (0.215, 0.34),
            (0.2, 0.42),
            (0.25, 0.47),
            (0.26, 0.49),
        ],
        40,
    )
    parts.append(lathe(vessel_profile(outer, 0.03, 0.13), 56).moved(z_m=plinth))
    for side in (-1.0, 1.0):
        loop = smooth_curve(
            [(0.16, 0.0, 0.19), (0.27, 0.0, 0.22), (0.29, 0.0, 0.34), (0.2, 0.0, 0.4)], 18
        )
        handle = tube(loop * [side, 1.0, 1.0], np.full(18, 0.019), 12)
        parts.append(handle.moved(z_m=plinth))
    bush = shrub(rng, 0.34)
    parts.append(bush.shape.moved(z_m=plinth + 0.4).dressed(1))
    leaf = Finish("foliage", bush.finishes[0].colour, bush.finishes[0].second, 0.5)
    return Prop("urn", join(parts), (stone_rand(rng), leaf))
