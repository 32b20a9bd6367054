"""What covers the ground near the camera: blades of grass, flowers, pebbles; each kind one mesh.

Density falls with the square of the distance, and sizes grow with it, so that the picture is
covered evenly and far grass costs nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from render.blender.finishes import Finish
from render.blender.shapes import Floats, Shape, ball
from render.families.outdoor.flora import Plant
from render.families.outdoor.terrain import Relief

_NUM_MODELS = 7  # different pebbles


@dataclass(frozen=True)
class View:
    """What the camera sees of the ground: a sector around its foot, towards +y."""

    foot_m: tuple[float, float]
    near_m: float
    half_angle_deg: float

    def spots_rand(
        self, rng: np.random.Generator, num: int, far_m: float
    ) -> tuple[Floats, Floats, Floats]:
        """Draw x, y and the distance from the foot, as dense in the picture far and near."""
        away = np.exp(rng.uniform(np.log(self.near_m), np.log(far_m), num))
        angle = np.pi / 2 + np.radians(rng.uniform(-1.0, 1.0, num) * self.half_angle_deg)
        return (
            self.foot_m[0] + away * np.cos(angle),
            self.foot_m[1] + away * np.sin(angle),
            away,
        )


@dataclass(frozen=True)
class Grass:
    """How grass grows."""

    num_blades: int
    height_m: float  # of the tallest ones
    tuft_m: float  # spread of a tuft; blades of one tuft share height and lean
    blades_per_tuft: int
    far_m: float
    finish: Finish


def grass(rng: np.random.Generator, kind: Grass, view: View, relief: Relief) -> Plant:
    """Return blades of grass on the ground in view, none on a lane or under water."""
    num_tufts = kind.num_blades // kind.blades_per_tuft
    x, y, away = view.spots_rand(rng, num_tufts, kind.far_m)
    is_grown = rng.random(num_tufts) > _bareness(relief, x, y)
    x, y, away = x[is_grown], y[is_grown], away[is_grown]
    patch = 0.62 + 0.38 * relief.noise.fractal(x + 5.0, y, 1.9, 3)
    tall = kind.height_m * np.clip(patch, 0.25, 1.0) * rng.uniform(0.6, 1.0, len(x))
    lean = rng.normal(0.0, 0.3, (len(x), 2)) + np.array([0.22, 0.05])
    each = np.repeat(np.arange(len(x)), kind.blades_per_tuft)
    spread = kind.tuft_m * np.maximum(1.0, away[each] / 8.0)
    x = x[each] + rng.normal(0.0, 1.0, len(each)) * spread
    y = y[each] + rng.normal(0.0, 1.0, len(each)) * spread
    height = tall[each] * rng.uniform(0.45, 1.0, len(each))
    bow = (lean[each] + rng.normal(0.0, 0.35, (len(each), 2))) * height[:, None]
    width = np.maximum(0.0028, 0.0009 * away[each]) * rng.uniform(0.7, 1.3, len(each))
    foot = np.stack([x, y, relief.height_m(x, y) - 0.004], axis=1)
    shape, tip = _blades(rng, foot, height, bow, width)
    hue = 0.5 + 0.45 * relief.noise.fractal(x, y + 3.0, 4.0, 2) + rng.normal(0.0, 0.2, len(each))
    shade = np.repeat(np.clip(hue, 0.0, 1.0), 5)
    return Plant(shape, shade, tip, (kind.finish,))


def _bareness(relief: Relief, x: Floats, y: Floats) -> Floats:
    """Return how unlikely grass is, 1 = none."""
    bare = np.zeros(len(x)) if relief.track is None else relief.track(x, y)
    if relief.shore_y_m is not None:
        bare = np.maximum(bare, (y > relief.shore_y_m - 4.0).astype(np.float64))
    return bare


def _blades(
    rng: np.random.Generator, foot_N3: Floats, height_N: Floats, bow_N2: Floats, width_N: Floats
) -> tuple[Shape, Floats]:
    """Return blades of five corners: broad at the foot, bent, pointed; and how far up they are."""
    num = len(foot_N3)
    turn = rng.uniform(0.0, 2 * np.pi, num)
    side = np.stack([np.cos(turn), np.sin(turn), np.zeros(num)], axis=1) * width_N[:, None] / 2
    up = np.array([0.0, 0.0, 1.0]) * height_N[:, None]
    bow = np.concatenate([bow_N2, np.zeros((num, 1))], axis=1)
    middle = foot_N3 + 0.58 * up + 0.3 * bow
    top = foot_N3 + up * (1.0 - 0.25 * (bow_N2**2).sum(axis=1) / height_N**2)[:, None] + bow
    corners = [foot_N3 - side, foot_N3 + side, middle + 0.75 * side, middle - 0.75 * side, top]
    vertices = np.stack(corners, axis=1).reshape(-1, 3)
    first = 5 * np.arange(num)[:, None]
    quads = first + np.array([[0, 1, 2, 3]])
    ends = np.concatenate([first + np.array([[3, 2, 4]]), np.full((num, 1), -1)], axis=1)
    faces = np.concatenate([quads, ends])
    shape = Shape(vertices, faces, np.zeros(len(faces), np.int64))
    return shape, np.tile([0.0, 0.0, 0.65, 0.65, 1.0], num)


def flowers(
    rng: np.random.Generator, num: int, height_m: float, finish: Finish, view: View, relief: Relief
) -> Plant:
    """Return small flowers on thin stems: five petals each, in patches."""
    x, y, away = view.spots_rand(rng, num, 14.0)
    is_patch = relief.noise.fractal(x - 30.0, y + 8.0, 2.6, 2) > 0.05
    is_grown = is_patch & (rng.random(num) > _bareness(relief, x, y))
    x, y, away = x[is_grown], y[is_grown], away[is_grown]
    tall = height_m * rng.uniform(0.6, 1.1, len(x))
    head = np.stack([x, y, relief.height_m(x, y) + tall], axis=1)
    radius = rng.uniform(0.008, 0.014, len(x)) * np.maximum(1.0, away / 9.0)
    lean = rng.normal(0.0, 0.3, (len(x), 2))
    turn = np.radians(72.0 * np.arange(5)) + rng.uniform(0.0, 2 * np.pi, len(x))[:, None]
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * radius[:, None, None]
    lift = (ring * lean[:, None, :]).sum(axis=-1)
    petals = head[:, None, :] + np.concatenate([ring, lift[..., None]], axis=-1)
    centre = head[:, None, :] + np.array([0.0, 0.0, -0.002])
    vertices = np.concatenate([centre, petals], axis=1).reshape(-1, 3)
    first = 6 * np.arange(len(x))[:, None, None]
    fan = np.array([[0, 1 + i, 1 + (i + 1) % 5, -1] for i in range(5)])
    faces = np.where(fan < 0, -1, first + fan).reshape(-1, 4)
    shape = Shape(vertices, faces, np.zeros(len(faces), np.int64))
    tip = np.tile([0.4, 1.0, 1.0, 1.0, 1.0, 1.0], len(x))
    return Plant(shape, np.repeat(rng.random(len(x)), 6), tip, (finish,))


def pebbles(
    rng: np.random.Generator,
    num: int,
    size_m: tuple[float, float],
    far_m: float,
    view: View,
    relief: Relief,
    keep_out_m: float,
) -> Shape:
    """Return loose stones half sunk into the ground, none within `keep_out_m` of the origin."""
    x, y, away = view.spots_rand(rng, num, far_m)
    clumps = 0.5 + 0.6 * relief.noise.fractal(x + 11.0, y - 4.0, 1.4, 3)
    keep = (np.hypot(x, y) > keep_out_m) & (rng.random(num) < np.clip(clumps, 0.05, 1.0))
    if relief.shore_y_m is not None:
        keep &= y < relief.shore_y_m - 1.0
    x, y, away = x[keep], y[keep], away[keep]
    size = size_m[0] * (size_m[1] / size_m[0]) ** (rng.random(len(x)) ** 2.2)
    size *= np.maximum(1.0, away / 10.0)
    z = relief.height_m(x, y) + 0.12 * size
    models = [_pebble_model(rng) for _ in range(_NUM_MODELS)]
    which = rng.integers(_NUM_MODELS, size=len(x))
    turn = rng.uniform(0.0, 2 * np.pi, len(x))
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    vertices, faces, count = [], [], 0
    for number, model in enumerate(models):
        own = which == number
        px, py, pz = (model.vertices_V3[None, :, axis] * size[own, None] for axis in range(3))
        turned = [px * cosine[own] - py * sine[own], px * sine[own] + py * cosine[own], pz]
        spot = np.stack([x[own], y[own], z[own]], axis=1)
        vertices.append((np.stack(turned, axis=-1) + spot[:, None, :]).reshape(-1, 3))
        first = count + len(model.vertices_V3) * np.arange(int(own.sum()))
        faces.append((model.faces_F4[None] + first[:, None, None]).reshape(-1, 4))
        count += len(vertices[-1])
    every = np.concatenate(faces)
    return Shape(np.concatenate(vertices), every, np.zeros(len(every), np.int64))


def _pebble_model(rng: np.random.Generator) -> Shape:
    """Return a rounded stone about 1 m long: a sphere cut by planes."""
    sphere = ball(num_steps=4)
    normals = rng.normal(0.0, 1.0, (9, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    cut = (sphere.vertices_V3 @ normals.T / rng.uniform(0.7, 0.95, 9)).max(axis=1)
    stone = replace(sphere, vertices_V3=sphere.vertices_V3 / np.maximum(cut, 1.0)[:, None])
    return stone.stretched(0.5, float(rng.uniform(0.32, 0.45)), float(rng.uniform(0.2, 0.34)))
