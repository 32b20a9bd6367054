"""Solids: closed, facing outwards, of the volume that geometry books give."""

import numpy as np
import pytest
from numpy.typing import NDArray

from render.blender.shapes import (
    Shape,
    ball,
    cylinder,
    join,
    lathe,
    rounded_box,
    smooth_curve,
    tube,
    vessel_profile,
)


def _volume(shape: Shape) -> float:
    """Return the enclosed volume by the divergence theorem; negative = faces look inwards."""
    faces = shape.faces_F4
    halves = [faces[:, :3], faces[faces[:, 3] >= 0][:, [0, 2, 3]]]
    a, b, c = (shape.vertices_V3[np.concatenate([h[:, i] for h in halves])] for i in range(3))
    return float((a * np.cross(b, c)).sum() / 6.0)


def _open_edges(shape: Shape) -> int:
    """Return how many edges lack their partner of the opposite direction."""
    edges: set[tuple[int, int]] = set()
    for face in shape.faces_F4:
        corners = [int(i) for i in face if i >= 0]
        edges |= set(zip(corners, corners[1:] + corners[:1], strict=True))
    return sum((b, a) not in edges for a, b in edges)


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (ball(32), 4.0 / 3.0 * np.pi),
        (cylinder(1.0, 2.0), 2.0 * np.pi),
        (rounded_box((1.0, 2.0, 3.0), 1e-4), 6.0),
        (tube(np.array([[0.0, 0.0, z] for z in range(5)]), np.ones(5), 64), 4.0 * np.pi),
        (lathe(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]]), 96), np.pi),
    ],
)
def test_solids_are_closed_and_have_their_volume(shape: Shape, volume: float) -> None:
    """Ball, cylinder, box, tube and cone, within one per cent."""
    assert _open_edges(shape) == 0
    assert _volume(shape) == pytest.approx(volume, rel=0.01)


def test_a_vessel_holds_its_wall_only() -> None:
    """A cup's volume is that of its wall and floor, not of what it could hold."""
    outer = smooth_curve([(0.04, 0.0), (0.04, 0.1)], 20)

    cup = lathe(vessel_profile(outer, 0.004, 0.006), 96)

    wall = np.pi * (0.04**2 - 0.036**2) * 0.1 + np.pi * 0.036**2 * 0.006
    assert _open_edges(cup) == 0
    assert _volume(cup) == pytest.approx(wall, rel=0.03)


def test_a_smooth_curve_passes_through_its_points() -> None:
    """Four points, three spans of ten steps: the points are at 0, 10, 20 and 30."""
    points: NDArray[np.float64] = np.array([[0.0, 0.0], [0.01, 0.002], [0.02, 0.3], [0.05, 0.3]])

    curve = smooth_curve([tuple(point) for point in points], 31)

    assert curve[[0, 10, 20, 30]] == pytest.approx(points)


def test_a_smooth_curve_does_not_dip_below_uneven_points() -> None:
    """A short span before a long one does not swing out: a bottle's foot stays on the table."""
    curve = smooth_curve([(0.03, 0.0), (0.035, 0.006), (0.035, 0.17)], 40)

    assert curve[:, 1].min() >= -1e-6


def test_joined_shapes_keep_their_faces_and_slots() -> None:
    """Indices are shifted, triangles stay triangles."""
    cone = lathe(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]]), 12, slot=2)

    both = join([ball(4), cone.moved(x_m=5.0)])

    assert _open_edges(both) == 0
    assert set(both.slots_F) == {0, 2}
    assert _volume(both) == pytest.approx(_volume(ball(4)) + _volume(cone))
