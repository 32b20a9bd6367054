"""Fences and rows of piles, built where they stand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from render.blender.finishes import Finish, linear_rgb
from render.blender.shapes import Floats, join, tube
from render.families.craft.props import Prop
from render.families.outdoor.furniture import bar
from render.families.outdoor.scenery import Scenery, Spot


def fence_along_lane(rng: np.random.Generator, scenery: Scenery) -> None:
    """Run a fence beside the lane, on the main object's side of it."""
    track = scenery.setting.relief.track
    assert track is not None  # a lane has one
    depth = np.arange(-2.0, 60.0, 0.5)
    across = np.linspace(-30.0, 30.0, 601)
    worn = track(np.broadcast_to(across, (len(depth), 601)), depth[:, None])
    middle = (worn * across).sum(axis=1) / np.maximum(worn.sum(axis=1), 1e-6)
    side = -float(np.sign(middle[4]))
    away_m = abs(float(middle[4])) + scenery.setting.main_radius_m + float(rng.uniform(0.5, 1.6))

    def line(along: Floats) -> tuple[Floats, Floats]:
        return np.interp(along, depth, middle) + side * away_m, along

    add_fence(rng, scenery, line, (0.6, 45.0))


def add_fence(
    rng: np.random.Generator,
    scenery: Scenery,
    line: Callable[[Floats], tuple[Floats, Floats]],
    reach_m: tuple[float, float],
) -> None:
    """Stand posts along a line and hang two rails, or three wires, between them."""
    x, y = line(np.arange(reach_m[0], reach_m[1], 2.3))
    z = scenery.setting.relief.height_m(x, y)
    tall, is_wire = float(rng.uniform(0.95, 1.25)), rng.random() < 0.4
    parts = []
    for px, py, pz in zip(x, y, z, strict=True):
        lean = rng.normal(0.0, 0.03, 2)
        top = tall + float(rng.normal(0.0, 0.03))
        path = np.array([[px, py, pz - 0.3], [px + lean[0], py + lean[1], pz + top]])
        parts.append(tube(path, np.array([0.058, 0.05]), 9, 0))
    levels = (0.35, 0.65, 0.93) if is_wire else (0.45, 0.85)
    for level in levels:
        for i in range(len(x) - 1):
            a = np.array([x[i], y[i] - 0.05, z[i] + level * tall])
            b = np.array([x[i + 1], y[i + 1] - 0.05, z[i + 1] + level * tall])
            if is_wire:
                parts.append(tube(np.stack([a, b]), np.full(2, 0.004), 5, 1))
            else:
                parts.append(bar(tuple(a), tuple(b + rng.normal(0.0, 0.012, 3)), 0.06, 1))
    wood = Finish("post", linear_rgb("8f8578"), linear_rgb("5a5047"), 0.8)
    rail = replace(wood, kind="zinc", colour=(0.4, 0.4, 0.4)) if is_wire else wood
    number = scenery.add(Prop("fence", join(parts), (wood, rail)))
    scenery.spots.append(Spot(number, 0.0, 0.0, 0.0, 0.0))


def add_groyne(rng: np.random.Generator, scenery: Scenery) -> None:
    """Run a row of old piles into the water."""
    shore_y_m = scenery.setting.relief.shore_y_m
    assert shore_y_m is not None  # a shore has one
    x_m = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(3.0, 7.0))
    parts = []
    for number in range(18):
        x = x_m + 0.12 * number + float(rng.normal(0.0, 0.04))
        y = shore_y_m - 5.0 + 0.85 * number
        top = float(rng.uniform(0.6, 1.0)) - 0.015 * number
        path = np.array([[x, y, -1.5], [x + float(rng.normal(0.0, 0.03)), y, top]])
        parts.append(tube(path, np.array([0.13, 0.115]), 12, 0))
    pile = Finish("post", linear_rgb("6e6458"), linear_rgb("37312b"), 0.8)
    number = scenery.add(Prop("groyne", join(parts), (pile,)))
    scenery.spots.append(Spot(number, 0.0, 0.0, 0.0, 0.0))
