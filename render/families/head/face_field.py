"""The head as a smooth implicit surface: soft unions of ellipsoids, balls and rods.

Negative inside, about metres of distance near the surface. Sources: Quilez, "smooth minimum"
(quadratic form), "ellipsoid SDF" (first-order bound), "normals for an SDF" (four samples).
"""

from collections.abc import Sequence

import numpy as np

from render.blender.shapes import Floats
from render.families.head.face_traits import FaceTraits

_MARCH_STEPS = 70
_FIRST_REACH_M = 0.03  # inside every head, along every ray
_MARCH_TOLERANCE_M = 2e-6
_TETRAHEDRON = np.array([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, 1.0]])
_MARCH_SHARE = 0.85  # of the distance taken as a step: the ellipsoids' bound is not exact


def face_field(traits: FaceTraits, points_V3: Floats) -> Floats:
    """Return the signed distance of points to the skin, without lips and the lids' fold, (V,)."""
    place = points_V3 * np.array([1.0 / traits.width, 1.0, 1.0])
    place[..., 0] = np.abs(place[..., 0])
    field = _skull(traits, place)
    field = _lower_face(traits, place, field)
    field = _eye_region(traits, place, field)
    return _nose(traits, place, field)


def face_normals(traits: FaceTraits, points_V3: Floats, step_m: float = 2e-4) -> Floats:
    """Return the outward unit normals of the field at points, (V, 3)."""
    normals = np.zeros_like(points_V3)
    for corner in _TETRAHEDRON:
        normals += corner * face_field(traits, points_V3 + step_m * corner)[..., None]
    unit: Floats = normals / np.maximum(_length(normals), 1e-12)[..., None]
    return unit


def surface_hits(traits: FaceTraits, origins_V3: Floats, directions_V3: Floats) -> Floats:
    """Return where rays from inside the head first leave it, (V, 3)."""
    shape = directions_V3.shape
    origins = np.broadcast_to(origins_V3, shape).reshape(-1, 3)
    directions = directions_V3.reshape(-1, 3)
    reach = np.full(len(directions), _FIRST_REACH_M)
    moving = np.arange(len(directions))
    for _ in range(_MARCH_STEPS):
        points = origins[moving] + reach[moving, None] * directions[moving]
        step = face_field(traits, points)
        reach[moving] -= _MARCH_SHARE * step
        moving = moving[np.abs(step) > _MARCH_TOLERANCE_M]
        if not len(moving):
            break
    hits: Floats = (origins + reach[:, None] * directions).reshape(shape)
    return hits


def _skull(traits: FaceTraits, place: Floats) -> Floats:
    grown = 1.0 + 0.03 * traits.youth
    cranium = ellipsoid(place, (0.0, 0.010, 0.030), (0.0775 * grown, 0.089, 0.0885 * grown))
    forehead = ellipsoid(place, (0.0, -0.036, 0.040), (0.060, 0.056, 0.052))
    field = soft_min(cranium, forehead, 0.03)
    temple = ellipsoid(place, (0.030, -0.012, -0.002), (0.0405, 0.050, 0.052))
    field = soft_min(field, temple, 0.03)
    neck = rod(
        place, (0.0, 0.022, -0.05), (0.0, 0.032, -0.30), traits.neck_m, traits.neck_m + 0.004
    )
    return soft_min(field, neck, 0.026)


def _lower_face(traits: FaceTraits, place: Floats, field: Floats) -> Floats:
    drop, wide = traits.jaw_drop, traits.jaw_width
    mass = ellipsoid(place, (0.0, -0.030, -0.030), (0.0585, 0.062, 0.072 * drop))
    field = soft_min(field, mass, 0.03)
    side = ellipsoid(place, (0.036 * wide, -0.016, -0.046 * drop), (0.0225, 0.040, 0.040))
    field = soft_min(field, side, 0.03)
    jaw = rod(
        place,
        (0.041 * wide, -0.004, -0.064 * drop),
        (0.0, -0.070 - traits.chin_m, -0.097 * drop),
        0.0150,
        0.0130,
    )
    field = soft_min(field, jaw, 0.032)
    chin_at = (0.0, -0.0765 - traits.chin_m, traits.chin_z_m)  # no x: a fold would show there
    chin = ellipsoid(place, chin_at, (0.0205, 0.0168, 0.0162))
    field = soft_min(field, chin, 0.016)
    muzzle = ellipsoid(place, (0.0, -0.066, traits.mouth_z_m + 0.004), (0.031, 0.0305, 0.027))
    field = soft_min(field, muzzle, 0.024)
    full = traits.cheek_m
    bone = ball_at(place, (0.0445, -0.0455 - 0.3 * full, -0.022), 0.0205 + 0.3 * full)
    field = soft_min(field, bone, 0.028)
    apple = ball_at(place, (0.0345, -0.0605, -0.042 * drop), 0.0185 + full)
    return soft_min(field, apple, 0.026)


def _eye_region(traits: FaceTraits, place: Floats, field: Floats) -> Floats:
    ridge_y = -0.0775 - traits.brow_m
    ridge = rod(place, (0.012, ridge_y, 0.0215), (0.044, ridge_y + 0.016, 0.0225), 0.0105, 0.0095)
    field = soft_min(field, ridge, 0.014)
    eye = traits.eye_centre / np.array([traits.width, 1.0, 1.0])
    x, y, z = (float(v) for v in eye)
    hollow = ellipsoid(
        place, (x - 0.001, y - 0.0200 + traits.socket_m, z), (0.0215, 0.0120, 0.0165)
    )
    field = -soft_min(-field, hollow, 0.010)
    stretched = (place - eye) * np.array([traits.width, 1.0, 1.0])
    lid: Floats = _length(stretched) - traits.lid_radius_m
    return soft_min(field, lid, 0.0045)


def _nose(traits: FaceTraits, place: Floats, field: Floats) -> Floats:
    tip_y, tip_z = float(traits.nose_tip[1]), float(traits.nose_tip[2])
    wide = traits.nose_width
    root = (0.0, -0.0775 - traits.bridge_m, 0.010)
    bridge = rod(place, root, (0.0, tip_y + 0.0015, tip_z + 0.004), 0.0064, 0.0064 * wide)
    field = soft_min(field, bridge, 0.013)
    filling = rod(place, (0.0, -0.080, -0.014), (0.0, -0.089, -0.0375), 0.0085, 0.0105 * wide)
    field = soft_min(field, filling, 0.010)
    tip = ball_at(place, (0.0, tip_y, tip_z), 0.0090 * (0.5 + 0.5 * wide))
    field = soft_min(field, tip, 0.007)
    wing = ellipsoid(
        place,
        (0.0108 * wide, -0.0930 - 0.5 * traits.nose_m, tip_z - 0.0040),
        (0.0056, 0.0088, 0.0064),
    )
    field = soft_min(field, wing, 0.006)
    column = rod(place, (0.0, tip_y + 0.002, tip_z - 0.004), (0.0, -0.092, -0.048), 0.004, 0.004)
    field = soft_min(field, column, 0.006)
    nostril = ellipsoid(
        place,
        (0.0068 * wide, -0.0958 - 0.55 * traits.nose_m, tip_z - 0.0124),
        (0.0031, 0.0050, 0.0040),
    )
    return -soft_min(-field, nostril, 0.004)


def soft_min(a: Floats, b: Floats, width_m: float) -> Floats:
    """Return the smaller of two fields, rounded over where they differ by less than the width."""
    near = np.maximum(width_m - np.abs(a - b), 0.0)
    rounded: Floats = np.minimum(a, b) - near * near / (4.0 * width_m)
    return rounded


def ball_at(place: Floats, centre: Sequence[float], radius_m: float) -> Floats:
    """Return the field of a ball."""
    distance: Floats = _length(place - np.asarray(centre)) - radius_m
    return distance


def ellipsoid(place: Floats, centre: Sequence[float], radii_m: Sequence[float]) -> Floats:
    """Return the field of an ellipsoid along the axes."""
    away = (place - np.asarray(centre)) / np.asarray(radii_m)
    once = _length(away)
    twice = _length(away / np.asarray(radii_m))
    bound: Floats = once * (once - 1.0) / np.maximum(twice, 1e-6)
    return bound


def rod(
    place: Floats,
    start: Sequence[float],
    end: Sequence[float],
    start_radius_m: float,
    end_radius_m: float,
) -> Floats:
    """Return the field of a round rod whose radius runs from one to another."""
    base, along = np.asarray(start), np.asarray(end) - np.asarray(start)
    share = np.clip((place - base) @ along / (along @ along), 0.0, 1.0)
    away = _length(place - base - share[..., None] * along)
    field: Floats = away - (start_radius_m + (end_radius_m - start_radius_m) * share)
    return field


def _length(vectors: Floats) -> Floats:
    """Return the lengths of vectors; several times faster than `np.linalg.norm`."""
    lengths: Floats = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return lengths
