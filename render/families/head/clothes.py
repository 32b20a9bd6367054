"""A jersey over shoulders and chest, with one of several collars; bare neck above it."""

from dataclasses import dataclass

import numpy as np

from render.blender.finishes import Rgb
from render.blender.shapes import Floats, Ints, Shape, join
from render.families.head.face_field import ellipsoid, rod, soft_min
from render.families.head.face_traits import PIT_Z_M, FaceTraits

COLLARS = ("crew", "turtle", "hood")
_CENTRE = np.array([0.0, 0.022, PIT_Z_M - 0.173])  # rays to the torso start here
_NUM_COLUMNS, _NUM_ROWS = 120, 72
_STEPS = 60


@dataclass(frozen=True)
class Jersey:
    """What a character wears."""

    collar: str  # one of COLLARS
    colour: Rgb
    gauge_per_m: float  # stitches
    shoulder_m: float  # from the middle to the shoulder's joint


@dataclass(frozen=True)
class Cloth:
    """A jersey's mesh with the place of each vertex in the knitting, metres around and down."""

    shape: Shape
    strand_V3: Floats


def jersey_cloth(jersey: Jersey, traits: FaceTraits) -> Cloth:
    """Return the jersey in the head's frame."""
    azimuth = np.linspace(0.0, 2 * np.pi, _NUM_COLUMNS, endpoint=False)
    rim = _rim(jersey, traits, azimuth)
    away = rim - _CENTRE
    highest = np.arctan2(away[:, 2], np.hypot(away[:, 0], away[:, 1]))
    share = np.linspace(0.0, 1.0, _NUM_ROWS)[:, None] ** 1.25
    elevation = highest + (np.radians(-42.0) - highest) * share
    heading = np.arctan2(away[:, 0], -away[:, 1])
    level = np.cos(elevation)
    directions = np.stack(
        [np.sin(heading) * level, -np.cos(heading) * level, np.sin(elevation)], axis=-1
    )
    reach = np.full(elevation.shape, 0.05)
    for _ in range(_STEPS):
        reach -= 0.8 * _torso(jersey, traits, _CENTRE + reach[..., None] * directions)
    body = _CENTRE + reach[..., None] * directions
    body = body + _folds_m(body)[..., None] * directions
    body_cloth = _cloth(body, azimuth)
    pieces = [body_cloth, *_collar(jersey, traits, azimuth, rim)]
    return Cloth(
        join([piece.shape for piece in pieces]),
        np.concatenate([piece.strand_V3 for piece in pieces]),
    )


def _torso(jersey: Jersey, traits: FaceTraits, points: Floats) -> Floats:
    place = points + np.array([0.0, 0.0, -0.192 - PIT_Z_M])
    place[..., 0] = np.abs(place[..., 0])
    wide = jersey.shoulder_m
    chest = ellipsoid(place, (0.0, 0.020, -0.37), (0.155 + 0.2 * (wide - 0.165), 0.098, 0.19))
    shoulder = rod(place, (0.03, 0.032, -0.250), (wide, 0.030, -0.272), 0.050, 0.052)
    field = soft_min(chest, shoulder, 0.06)
    arm = rod(place, (wide, 0.030, -0.272), (wide + 0.045, 0.030, -0.52), 0.052, 0.05)
    field = soft_min(field, arm, 0.03)
    slope = rod(place, (0.012, 0.034, -0.190), (0.120, 0.036, -0.262), 0.034, 0.036)
    return soft_min(field, slope, 0.04)


def _folds_m(points: Floats) -> Floats:
    """Return the drape: soft folds that run from the shoulders to the chest."""
    slant = points[..., 2] * 38.0 + np.abs(points[..., 0]) * 55.0
    low = np.clip((PIT_Z_M - 0.043 - points[..., 2]) / 0.06, 0.0, 1.0)
    waves = 0.0022 * np.sin(slant) + 0.0013 * np.sin(1.9 * slant + 40.0 * points[..., 1])
    folds: Floats = low * waves
    return folds


def _rim(jersey: Jersey, traits: FaceTraits, azimuth: Floats) -> Floats:
    """Return the neckline, a closed curve around the neck, lower in front."""
    gap_m = {"crew": 0.0065, "turtle": 0.0045, "hood": 0.012}[jersey.collar]
    front_z, back_z = {
        "crew": (-0.186, -0.146),
        "turtle": (-0.174, -0.142),
        "hood": (-0.186, -0.146),
    }[jersey.collar]
    radius = traits.neck_m + gap_m
    ahead = 0.5 + 0.5 * np.cos(azimuth)
    z = back_z + (front_z - back_z) * ahead**1.2
    centre_y = 0.0255 + (-0.165 - z) * 0.04
    return np.stack(
        [
            1.06 * radius * traits.width * np.sin(azimuth),
            centre_y - (radius + 0.003 * ahead) * np.cos(azimuth),
            z,
        ],
        axis=1,
    )


def _collar(jersey: Jersey, traits: FaceTraits, azimuth: Floats, rim: Floats) -> list[Cloth]:
    if jersey.collar == "turtle":
        return [_band(rim, azimuth, height_m=0.050, thick_m=0.0068, roll_m=0.004)]
    if jersey.collar == "hood":
        return [
            _band(rim, azimuth, height_m=0.016, thick_m=0.0045, roll_m=0.0),
            _hood(rim, azimuth),
        ]
    return [_band(rim, azimuth, height_m=0.021, thick_m=0.0050, roll_m=0.0)]


def _band(rim: Floats, azimuth: Floats, height_m: float, thick_m: float, roll_m: float) -> Cloth:
    """Return a ribbed band that stands on the neckline, with a rounded edge."""
    outward = rim - rim.mean(axis=0)
    outward[:, 2] = 0.0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])
    profile = []
    for height in np.linspace(-0.30, 0.86, 9):
        bulge = 0.5 + 0.5 * np.cos(np.pi * (height - 0.35))
        profile.append((height * height_m, 0.5 * thick_m + roll_m * bulge))
    for turn in np.linspace(0.0, np.pi, 8):
        profile.append(
            (0.88 * height_m + 0.12 * height_m * np.sin(turn), 0.5 * thick_m * np.cos(turn))
        )
    profile.append((0.2 * height_m, -0.5 * thick_m))
    rib = 0.0007 * np.cos(azimuth * 60.0)[:, None]
    lean = -0.10  # a collar leans towards the neck
    rows = [
        rim + (height * up) + (out + lean * height + (rib if out > 0 else 0.0)) * outward
        for height, out in profile
    ]
    return _cloth(np.stack(rows), azimuth)


def _hood(rim: Floats, azimuth: Floats) -> Cloth:
    """Return a hood that lies on the shoulders: a thick roll around the neck, open in front."""
    behind = np.clip(0.62 - 0.62 * np.cos(azimuth), 0.12, 1.0)[:, None]
    outward = rim - rim.mean(axis=0)
    outward[:, 2] = 0.0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    turns = np.linspace(-2.2, 3.4, 22)
    rows = []
    for turn in turns:
        reach = 0.020 * (1.0 - np.cos(turn)) * behind + 0.004
        rise = (0.026 * behind + 0.004) * np.sin(turn + 0.5) + 0.006
        rows.append(rim + reach * outward + rise * np.array([0.0, 0.0, 1.0]))
    return _cloth(np.stack(rows[::-1]), azimuth)


def _cloth(rows_RC3: Floats, azimuth: Floats) -> Cloth:
    """Return a closed band of rows; the knitting runs around and down."""
    index = np.arange(rows_RC3.shape[0] * rows_RC3.shape[1]).reshape(rows_RC3.shape[:2])
    turned: Ints = np.roll(index, -1, axis=1)
    corners = (index[:-1], index[1:], turned[1:], turned[:-1])
    faces = np.stack([corner.ravel() for corner in corners], axis=1)
    drops = np.linalg.norm(np.diff(rows_RC3, axis=0), axis=2).mean(axis=1)
    down = np.concatenate([[0.0], np.cumsum(drops)])
    folded = np.minimum(azimuth, 2 * np.pi - azimuth)  # no seam where the round closes
    across = np.broadcast_to(folded * 0.16, rows_RC3.shape[:2])
    strand = np.stack(
        [across, np.broadcast_to(down[:, None], across.shape), np.zeros_like(across)], axis=-1
    )
    shape = Shape(rows_RC3.reshape(-1, 3), faces, np.zeros(len(faces), np.int64))
    return Cloth(shape, strand.reshape(-1, 3))
