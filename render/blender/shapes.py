"""Solid shapes as plain arrays: lathe, tube, rounded box, pebble; no Blender in here.

Lengths are metres, z points up. Legend: V vertices, F faces, P points of a curve, S sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MERGE_DISTANCE_M = 1e-7  # closer vertices of a box grid are the same vertex


@dataclass(frozen=True)
class Shape:
    """A surface of quads and triangles; each face has the material of its slot."""

    vertices_V3: Floats
    faces_F4: Ints  # a triangle has -1 as its fourth index
    slots_F: Ints

    def moved(self, x_m: float = 0.0, y_m: float = 0.0, z_m: float = 0.0) -> "Shape":
        """Return the shape shifted."""
        return replace(self, vertices_V3=self.vertices_V3 + np.array([x_m, y_m, z_m]))

    def turned(self, axis: str, angle_deg: float) -> "Shape":
        """Return the shape turned about the x, y or z axis; positive = right-hand rule."""
        return replace(self, vertices_V3=self.vertices_V3 @ rotation(axis, angle_deg).T)

    def stretched(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> "Shape":
        """Return the shape multiplied along the axes; factors must be positive."""
        return replace(self, vertices_V3=self.vertices_V3 * np.array([x, y, z]))

    def dressed(self, slot: int) -> "Shape":
        """Return the shape with one material slot all over."""
        return replace(self, slots_F=np.full(len(self.faces_F4), slot))

    @property
    def radius_m(self) -> float:
        """Largest distance from the z axis: the circle it needs to turn in."""
        return float(np.hypot(self.vertices_V3[:, 0], self.vertices_V3[:, 1]).max())

    @property
    def height_m(self) -> float:
        """Largest z."""
        return float(self.vertices_V3[:, 2].max())


def rotation(axis: str, angle_deg: float) -> Floats:
    """Return the (3, 3) matrix of a turn about an axis, right-hand rule.

    >>> (rotation("z", 90.0) @ [1.0, 0.0, 0.0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def join(shapes: Sequence[Shape]) -> Shape:
    """Return several shapes as one; slots stay as they are."""
    offsets = np.cumsum([0] + [len(shape.vertices_V3) for shape in shapes[:-1]])
    faces = [
        np.where(shape.faces_F4 < 0, -1, shape.faces_F4 + offset)
        for shape, offset in zip(shapes, offsets, strict=True)
    ]
    return Shape(
        np.concatenate([shape.vertices_V3 for shape in shapes]),
        np.concatenate(faces),
        np.concatenate([shape.slots_F for shape in shapes]),
    )


def smooth_curve(points: Sequence[tuple[float, ...]], num_points: int) -> Floats:
    """Return a centripetal Catmull-Rom curve through the points, (P, D), without overshoot loops.

    Source: Yuksel et al. 2011, alpha = 0.5; end points mirrored; as many steps in every span.
    """
    knots = np.asarray(points, dtype=np.float64)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    step = np.sqrt(np.maximum(np.linalg.norm(np.diff(padded, axis=0), axis=1), 1e-9))[:, None]
    slope = np.diff(padded, axis=0) / step
    tangent = (slope[:-1] * step[1:] + slope[1:] * step[:-1]) / (step[:-1] + step[1:])
    position = np.linspace(0.0, len(knots) - 1.0, num_points)
    span = np.minimum(position.astype(np.int64), len(knots) - 2)
    t, width = (position - span)[:, None], step[1:-1][span]
    hermite: Floats = (
        (2 * t**3 - 3 * t**2 + 1) * knots[span]
        + (t**3 - 2 * t**2 + t) * width * tangent[span]
        + (3 * t**2 - 2 * t**3) * knots[span + 1]
        + (t**3 - t**2) * width * tangent[span + 1]
    )
    return hermite


def vessel_profile(outer_P2: Floats, thickness_m: float, floor_m: float) -> Floats:
    """Return the closed profile (r, z) of a hollow vessel, from the base's centre to the floor's.

    `outer_P2` runs from the foot to the lip; the lip is rounded, the inside follows the outside.
    """
    lip_r, lip_z = outer_P2[-1]
    half = thickness_m / 2
    arc = np.radians([45.0, 90.0, 135.0])
    lip = np.stack([lip_r - half + half * np.cos(arc), lip_z + half * np.sin(arc)], axis=1)
    inner = outer_P2[::-1] - np.array([thickness_m, 0.0])
    inner = inner[(inner[:, 1] > outer_P2[0, 1] + floor_m) & (inner[:, 0] > 0.0)]
    base = np.array([[0.0, outer_P2[0, 1]]])
    floor = np.array([[inner[-1, 0], outer_P2[0, 1] + floor_m], [0.0, outer_P2[0, 1] + floor_m]])
    return np.concatenate([base, outer_P2, lip, inner, floor])


def lathe(profile_P2: Floats, num_sides: int = 64, slot: int = 0) -> Shape:
    """Return the surface of a profile (r, z) turned about z; ends on the axis are closed.

    A profile that runs upwards on the outside gives outward normals.
    """
    points = np.asarray(profile_P2, dtype=np.float64)
    angle = np.linspace(0.0, 2 * np.pi, num_sides, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    is_pole = points[:, 0] < 1e-9
    ring_sizes = np.where(is_pole, 1, num_sides)
    starts = np.cumsum(ring_sizes) - ring_sizes
    vertices = []
    for (radius, height), size in zip(points, ring_sizes, strict=True):
        around = ring[:size] * radius
        vertices.append(np.column_stack([around, np.full(size, height)]))
    side = np.arange(num_sides)
    following = (side + 1) % num_sides
    faces = []
    for row in range(len(points) - 1):
        low, high = starts[row], starts[row + 1]
        if is_pole[row] and is_pole[row + 1]:
            continue
        if is_pole[row]:
            faces.append(_quads(np.full(num_sides, low), high + following, high + side, None))
        elif is_pole[row + 1]:
            faces.append(_quads(low + side, low + following, np.full(num_sides, high), None))
        else:
            faces.append(_quads(low + side, low + following, high + following, high + side))
    return _shape(np.concatenate(vertices), np.concatenate(faces), slot)


def cylinder(radius_m: float, height_m: float, slot: int = 0) -> Shape:
    """Return an upright cylinder on z = 0 with bevelled edges."""
    edge = min(0.0016, radius_m / 4)
    return lathe(
        np.array(
            [
                [0.0, 0.0],
                [radius_m - edge, 0.0],
                [radius_m, edge],
                [radius_m, height_m - edge],
                [radius_m - edge, height_m],
                [0.0, height_m],
            ]
        ),
        slot=slot,
    )


def tube(path_P3: Floats, radii_P: Floats, num_sides: int = 20, slot: int = 0) -> Shape:
    """Return a round tube along a path, closed at both ends.

    The frame is carried along the path without twist (parallel transport).
    """
    path = np.asarray(path_P3, dtype=np.float64)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent[0], [0.0, 0.0, 1.0] if abs(tangent[0, 2]) < 0.9 else [1.0, 0.0, 0.0])
    angle = np.linspace(0.0, 2 * np.pi, num_sides, endpoint=False)
    rings = []
    for centre, direction, radius in zip(path, tangent, radii_P, strict=True):
        side = side - direction * (side @ direction)
        side /= np.linalg.norm(side)
        up = np.cross(direction, side)
        rings.append(
            centre + radius * (np.outer(np.cos(angle), side) + np.outer(np.sin(angle), up))
        )
    index = np.arange(len(path) * num_sides).reshape(len(path), num_sides)
    turned = np.roll(index, -1, axis=1)
    walls = _quads(*(i.ravel() for i in (index[:-1], turned[:-1], turned[1:], index[1:])))
    ends = np.array([len(path) * num_sides, len(path) * num_sides + 1])
    cap_0 = _quads(turned[0], index[0], np.full(num_sides, ends[0]), None)
    cap_1 = _quads(index[-1], turned[-1], np.full(num_sides, ends[1]), None)
    vertices = np.concatenate([*rings, path[:1], path[-1:]])
    return _shape(vertices, np.concatenate([walls, cap_0, cap_1]), slot)


def rounded_box(
    size_m: tuple[float, float, float], edge_radius_m: float, slot: int = 0, num_steps: int = 3
) -> Shape:
    """Return a box with rounded edges that stands on z = 0, centred on the z axis."""
    half = np.asarray(size_m) / 2
    radius = min(edge_radius_m, float(half.min()) * 0.999)
    # Each axis runs through the rounding, then straight to the other one.
    arc = np.tan(np.linspace(-np.pi / 4, 0.0, num_steps + 1))
    axes = [
        np.concatenate([arc * radius - h + radius, (h - radius) - arc[::-1] * radius]) for h in half
    ]
    grid, faces = _cube_grid(axes, half)
    inner = np.clip(grid, radius - half, half - radius)
    outward = grid - inner
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return _shape(inner + radius * outward, faces, slot).moved(z_m=float(half[2]))


def ball(num_steps: int = 24, slot: int = 0) -> Shape:
    """Return a unit sphere around the origin, of six even grids without poles."""
    axis = np.tan(np.linspace(-np.pi / 4, np.pi / 4, num_steps + 1))
    grid, faces = _cube_grid([axis] * 3, np.ones(3))
    return _shape(grid / np.linalg.norm(grid, axis=1, keepdims=True), faces, slot)


def pebble(
    normals_N3: Floats,
    distances_N: Floats,
    sharpness: float,
    slot: int = 0,
    num_steps: int = 36,
) -> Shape:
    """Return a stone cut by planes, with softened edges, around the origin.

    Source: radius = (sum max(n.d, 0) / distance)**p)**(-1/p), the p-norm of the planes; the
    larger `sharpness` p, the crisper the edges.
    """
    sphere = ball(num_steps, slot)
    facing = np.maximum(sphere.vertices_V3 @ normals_N3.T, 0.0) / distances_N
    radius = (facing**sharpness).sum(axis=1) ** (-1.0 / sharpness)
    return replace(sphere, vertices_V3=sphere.vertices_V3 * radius[:, None])


def _cube_grid(axes: Sequence[Floats], half: Floats) -> tuple[Floats, Ints]:
    """Return the surface of a box as vertices (V, 3) and quads, the grids joined at the edges."""
    vertices, faces, count = [], [], 0
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            grid_u, grid_v = np.meshgrid(axes[u], axes[v], indexing="ij")
            points = np.empty((grid_u.size, 3))
            points[:, axis] = sign * half[axis]
            points[:, u], points[:, v] = grid_u.ravel(), grid_v.ravel()
            index = np.arange(grid_u.size).reshape(grid_u.shape) + count
            corners = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
            quads = _quads(*(corner.ravel() for corner in corners))
            faces.append(quads if sign > 0 else quads[:, ::-1])
            vertices.append(points)
            count += grid_u.size
    every = np.concatenate(vertices)
    _, first, inverse = np.unique(
        np.round(every / _MERGE_DISTANCE_M).astype(np.int64),
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    return every[first], inverse.reshape(-1)[np.concatenate(faces)]


def _quads(a: Ints, b: Ints, c: Ints, d: Ints | None) -> Ints:
    last = np.full(len(a), -1) if d is None else d
    return np.stack([a, b, c, last], axis=1)


def _shape(vertices_V3: Floats, faces_F4: Ints, slot: int) -> Shape:
    return Shape(vertices_V3, faces_F4, np.full(len(faces_F4), slot))
