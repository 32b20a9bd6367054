"""Soft and simple parts that furniture is joined from: cushions, boards, legs."""

from collections.abc import Sequence

import numpy as np

from render.blender.shapes import Floats, Shape, ball, join, rounded_box, tube

Size = tuple[float, float, float]
Point = tuple[float, float, float]


def cushion(size_m: Size, slot: int = 0, softness: float = 0.35) -> Shape:
    """Return a stuffed block on z = 0; softness 0 is a box, 1 an ellipsoid.

    Source: the p-norm unit ball with p = 2 / softness, stretched.
    """
    sphere = ball(14, slot)
    power = 2.0 / softness
    norm = (np.abs(sphere.vertices_V3) ** power).sum(axis=1) ** (1.0 / power)
    half = np.asarray(size_m) / 2.0
    block = Shape(sphere.vertices_V3 / norm[:, None] * half, sphere.faces_F4, sphere.slots_F)
    return block.moved(z_m=float(half[2]))


def pillow(width_m: float, height_m: float, thick_m: float, slot: int = 0) -> Shape:
    """Return a scatter cushion that stands upright on z = 0, its face to -y, its seam pinched."""
    sphere = ball(16, slot)
    x, z, y = sphere.vertices_V3.T
    around, level = np.arctan2(z, x), np.hypot(x, z)
    square = (np.abs(np.cos(around)) ** 5 + np.abs(np.sin(around)) ** 5) ** (-1.0 / 5.0)
    reach = square * level**0.75
    # The corners of a filled cushion stick out, its sides draw in.
    drawn_in = 1.0 - 0.05 * np.cos(2.0 * around) ** 2
    vertices = np.column_stack(
        [
            reach * np.cos(around) * drawn_in * width_m / 2.0,
            np.sign(y) * np.abs(y) ** 1.25 * thick_m / 2.0,
            reach * np.sin(around) * drawn_in * height_m / 2.0,
        ]
    )
    faces = sphere.faces_F4[:, ::-1]  # y and z were swapped, which turns faces inside out
    return Shape(vertices, faces, sphere.slots_F).moved(z_m=height_m / 2.0)


def board(size_m: Size, at_m: Point, slot: int = 0, edge_m: float = 0.004) -> Shape:
    """Return a board whose underside is centred at a point."""
    return rounded_box(size_m, edge_m, slot, num_steps=1).moved(*at_m)


def rod(start_m: Point, end_m: Point, radii_m: tuple[float, float], slot: int = 0) -> Shape:
    """Return a round, straight leg, tapered from the first radius to the second."""
    path: Floats = np.array([start_m, end_m])
    return tube(path, np.array(radii_m), num_sides=14, slot=slot)


def beam(start_m: Point, end_m: Point, side_m: float, slot: int = 0) -> Shape:
    """Return a square timber between two points."""
    way = np.subtract(end_m, start_m)
    length = float(np.linalg.norm(way))
    lean_deg = float(np.degrees(np.arctan2(np.hypot(way[0], way[1]), way[2])))
    turn_deg = float(np.degrees(np.arctan2(way[1], way[0])))
    upright = rounded_box((side_m, side_m, length), 0.004, slot, num_steps=1)
    # Turned back about itself first, so that its sides stay parallel to the room's axes.
    leaning = upright.turned("z", -turn_deg).turned("y", lean_deg).turned("z", turn_deg)
    return leaning.moved(*start_m)


def four_legs(
    width_m: float,
    depth_m: float,
    height_m: float,
    *,
    splay_m: float,
    radii_m: tuple[float, float],
    slot: int,
) -> Shape:
    """Return round legs under the corners of a rectangle, feet `splay_m` further out."""
    legs = []
    for side in (-1.0, 1.0):
        for front in (-1.0, 1.0):
            top = (side * width_m / 2.0, front * depth_m / 2.0, height_m)
            foot = (top[0] + side * splay_m, top[1] + front * splay_m, 0.0)
            legs.append(rod(foot, top, (radii_m[1], radii_m[0]), slot))
    return join(legs)


def square_legs(width_m: float, depth_m: float, height_m: float, side_m: float, slot: int) -> Shape:
    """Return upright square legs whose outer corners are those of a rectangle."""
    x, y = (width_m - side_m) / 2.0, (depth_m - side_m) / 2.0
    spots: Sequence[tuple[float, float]] = ((-x, -y), (x, -y), (-x, y), (x, y))
    size = (side_m, side_m, height_m)
    return join([board(size, (a, b, 0.0), slot) for a, b in spots])


def grounded(shape: Shape) -> Shape:
    """Return the shape lifted or sunk so that it stands on z = 0."""
    return shape.moved(z_m=-float(shape.vertices_V3[:, 2].min()))
