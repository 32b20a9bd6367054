"""The ground outdoors: relief by fractal noise, as a polar mesh that is fine near the camera.

Everything is numpy; lengths are metres, z points up. The place of the main object, at the origin,
is level, so that objects stand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats, Shape

Mask = Callable[[Floats, Floats], Floats]  # x and y in metres to a number in [0, 1]

_OUTER_M = 1400.0
_NUM_RINGS, _NUM_SPOKES = 230, 300
_NEAREST_M = 0.4  # radius of the first ring around the camera's foot
_VIEW_SHARE = 0.72  # of the spokes that lie in front of the camera
_VIEW_DEG = 130.0  # what counts as in front
SEA_DEPTH_M = 3.0
_TABLE_SIZE = 256  # period of the noise, in its cells


@dataclass(frozen=True)
class Noise:
    """Smooth value noise on the plane, its lattice drawn once."""

    lattice_NN: Floats  # in [-1, 1]

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Return the noise, cells of size 1, with continuous slope."""
        column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        u, v = x - column, y - row
        u, v = u * u * u * (u * (6 * u - 15) + 10), v * v * v * (v * (6 * v - 15) + 10)
        near = [
            self.lattice_NN[(row + dy) % _TABLE_SIZE, (column + dx) % _TABLE_SIZE]
            for dy in (0, 1)
            for dx in (0, 1)
        ]
        low, high = near[0] + u * (near[1] - near[0]), near[2] + u * (near[3] - near[2])
        smooth: Floats = low + v * (high - low)
        return smooth

    def fractal(self, x: Floats, y: Floats, size_m: float, num_octaves: int) -> Floats:
        """Return a sum of octaves, the largest of them `size_m` wide; about [-1, 1]."""
        total = np.zeros(np.broadcast(x, y).shape)
        for octave in range(num_octaves):
            cell = size_m / 2.0**octave
            total += self(x / cell + 17.3 * octave, y / cell - 9.1 * octave) / 2.0**octave
        scaled: Floats = total / 1.6
        return scaled


def noise_rand(rng: np.random.Generator) -> Noise:
    """Draw the lattice of a noise."""
    return Noise(rng.uniform(-1.0, 1.0, (_TABLE_SIZE, _TABLE_SIZE)))


@dataclass(frozen=True)
class Relief:
    """Heights of the ground."""

    noise: Noise
    swell_m: float  # height of the waves of about 25 m
    bump_m: float  # height of the unevenness of about 1 m
    hill_m: float  # height of the far hills
    hill_from_m: float  # distance at which they rise
    level_radius_m: float = 1.5  # around the origin, flat
    shore_y_m: float | None = None  # behind this line the ground falls below the water
    track: Mask | None = None  # sunken here

    def height_m(self, x: Floats, y: Floats) -> Floats:
        """Return z at places on the plane, any shape."""
        away = np.hypot(x, y)
        near = _smooth((away - self.level_radius_m) / (2.0 + self.level_radius_m))
        far = _smooth((away - 4.0) / 30.0)
        z: Floats = self.bump_m * near * self.noise.fractal(x, y, 1.7, 3)
        z = z + self.swell_m * far * self.noise.fractal(x + 40.0, y, 26.0, 3)
        if self.track is not None:
            z = z - 0.05 * near * self.track(x, y)
        rise = _smooth((away - self.hill_from_m) / 500.0)
        ridge = 0.75 + 0.6 * self.noise.fractal(x - 900.0, y + 300.0, 330.0, 5)
        z = z + self.hill_m * rise * np.maximum(ridge, 0.0)
        if self.shore_y_m is not None:
            bay_m = 1.2 * self.noise.fractal(x, y * 0.0 + 5.0, 14.0, 2)
            beyond = y - self.shore_y_m - bay_m
            z = np.where(beyond > -6.0, z * _smooth(-beyond / 6.0), z)
            z = z - np.minimum(0.05 * np.maximum(beyond + 3.0, 0.0), SEA_DEPTH_M)
        return z


def ground_mesh(relief: Relief, foot_m: tuple[float, float]) -> Shape:
    """Return the ground as rings around the camera's foot, closest where the camera looks, +y."""
    growth = (_OUTER_M / _NEAREST_M) ** (np.arange(_NUM_RINGS) / (_NUM_RINGS - 1.0))
    radius = np.concatenate([[0.0], _NEAREST_M * growth])
    angle = _spokes()
    x = foot_m[0] + radius[:, None] * np.cos(angle)
    y = foot_m[1] + radius[:, None] * np.sin(angle)
    z = relief.height_m(x, y)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    index = np.arange(x.size).reshape(x.shape)
    turned = np.roll(index, -1, axis=1)
    corners = (index[:-1], index[1:], turned[1:], turned[:-1])
    faces = np.stack([corner.ravel() for corner in corners], axis=1)
    return Shape(vertices, faces, np.zeros(len(faces), np.int64))


def _spokes() -> Floats:
    """Return directions around the foot, most of them in front."""
    half = np.radians(_VIEW_DEG / 2)
    num_front = round(_NUM_SPOKES * _VIEW_SHARE)
    front = np.linspace(np.pi / 2 - half, np.pi / 2 + half, num_front, endpoint=False)
    back = np.linspace(
        np.pi / 2 + half, 2.5 * np.pi - half, _NUM_SPOKES - num_front, endpoint=False
    )
    return np.concatenate([front, back])


def _smooth(t: Floats) -> Floats:
    """Return 0 below 0, 1 above 1, smooth between."""
    inside = np.clip(t, 0.0, 1.0)
    return inside * inside * (3.0 - 2.0 * inside)


def track_mask(noise: Noise, x_m: float, heading_deg: float, width_m: float) -> Mask:
    """Return a lane that winds past the origin: 1 in its middle, 0 beside it.

    `x_m` is where it passes the origin, `heading_deg` its turn from +y.
    """
    cosine, sine = np.cos(np.radians(heading_deg)), np.sin(np.radians(heading_deg))

    def mask(x: Floats, y: Floats) -> Floats:
        along, across = cosine * y - sine * x, cosine * (x - x_m) + sine * y
        winding = 1.6 * noise(along / 11.0, along * 0.0) - 1.6 * noise(np.zeros(1), np.zeros(1))
        ragged = 0.35 * noise.fractal(x, y, 0.8, 3)
        return 1.0 - _smooth((np.abs(across - winding) - width_m / 2 + ragged) / 0.45 + 0.5)

    return mask
