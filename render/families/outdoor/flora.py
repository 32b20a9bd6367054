"""Trees, shrubs and hedges as plain arrays: branching tubes and single leaves, no Blender."""

from dataclasses import dataclass

import numpy as np

from render.blender.finishes import Finish, linear_rgb, shaded
from render.blender.shapes import Floats, Shape, join, tube

_GOLDEN_DEG = 137.5
_LEAF_SLOT, _BARK_SLOT = 0, 1


@dataclass(frozen=True)
class Plant:
    """A plant on z = 0; `shade` is random by leaf, `tip` grows from foot or inside to outside."""

    shape: Shape
    shade_V: Floats  # in [0, 1]
    tip_V: Floats  # in [0, 1]
    finishes: tuple[Finish, ...]  # by material slot

    @property
    def height_m(self) -> float:
        """Largest z."""
        return self.shape.height_m

    @property
    def radius_m(self) -> float:
        """Largest distance from the axis."""
        return self.shape.radius_m


@dataclass(frozen=True)
class _Twig:
    path_P3: Floats
    radius_m: float
    level: int


def broadleaf(rng: np.random.Generator, height_m: float, *, slender: float = 1.0) -> Plant:
    """A tree with a round crown; `slender` below 1 narrows it towards a poplar."""
    twigs: list[_Twig] = []
    _grow(rng, twigs, np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.62 * height_m, 0)
    sites = np.concatenate([twig.path_P3[2 if twig.level else 5 :] for twig in twigs])
    sites = sites[rng.integers(len(sites), size=8500)]
    centres = sites + rng.normal(0.0, 0.058 * height_m, sites.shape)
    middle = centres.mean(axis=0)
    depth = np.linalg.norm((centres - middle) / centres.std(axis=0), axis=1)
    outward = (centres - middle) / np.maximum(depth, 1e-6)[:, None]
    normals = outward / height_m + rng.normal(0.0, 0.6, centres.shape) + [0.0, 0.0, 0.5]
    sizes = height_m * rng.uniform(0.015, 0.029, len(centres))
    crown, shade = _leaves(rng, centres, normals, sizes, 0.62)
    inside = np.clip((depth - 0.6) / 2.0, 0.0, 1.0)
    green, other = _leaf_colours(rng)
    finishes = (Finish("leaves", green, other, 0.45), _bark_rand(rng))
    plant = _plant(crown, shade, np.repeat(inside, 4), _tubes(twigs), finishes)
    narrow = plant.shape.stretched(slender, slender, 1.0)
    return Plant(narrow, plant.shade_V, plant.tip_V, finishes)


def _grow(
    rng: np.random.Generator,
    twigs: list[_Twig],
    start: Floats,
    direction: Floats,
    length_m: float,
    level: int,
) -> None:
    """Add a branch and its children to `twigs` (mutated)."""
    num_points = 6
    bend = rng.normal(0.0, 0.12, (num_points, 3)).cumsum(axis=0) * (0.5 + 0.5 * level)
    steps = direction + bend * 0.35 + np.array([0.0, 0.0, 0.06 * level])
    path = start + np.concatenate([np.zeros((1, 3)), steps.cumsum(axis=0)[:-1]]) * (
        length_m / (num_points - 1)
    )
    twigs.append(_Twig(path, length_m * (0.042, 0.024, 0.018)[level], level))
    if level == 2:
        return
    num_children = int(rng.integers(7, 10)) if level == 0 else int(rng.integers(4, 6))
    for number in range(num_children):
        share = 0.42 + 0.58 * (number + 0.5) / num_children
        at = min(int(share * (num_points - 1)), num_points - 2)
        root = path[at] + (path[at + 1] - path[at]) * (share * (num_points - 1) - at)
        lean = np.radians(rng.uniform(30.0, 72.0) * (1.35 - share))
        turn = np.radians(_GOLDEN_DEG * number + rng.normal(0.0, 20.0))
        side = np.array([np.cos(turn), np.sin(turn), 0.0])
        towards = direction * np.cos(lean) + side * np.sin(lean)
        towards /= np.linalg.norm(towards)
        shrink = float(rng.uniform(0.48, 0.68)) if level == 0 else float(rng.uniform(0.4, 0.6))
        _grow(rng, twigs, root, towards, length_m * shrink, level + 1)


def _tubes(twigs: list[_Twig]) -> Shape:
    parts = []
    for twig in twigs:
        taper = np.linspace(1.0, 0.35, len(twig.path_P3))
        if twig.level == 0:
            taper[0] = 1.35  # the root flare
        parts.append(tube(twig.path_P3, twig.radius_m * taper, 9 - 2 * twig.level, _BARK_SLOT))
    return join(parts)


def conifer(rng: np.random.Generator, height_m: float) -> Plant:
    """A fir or spruce: whorls of drooping branches."""
    spread = height_m * float(rng.uniform(0.17, 0.25))
    rise, reach, turn = [], [], []
    for level in np.linspace(0.1, 0.97, 24):
        num = int(rng.integers(6, 9))
        rise.append(np.full(num, level) + rng.normal(0.0, 0.012, num))
        reach.append(spread * (1.0 - level) ** 0.85 * rng.uniform(0.75, 1.1, num) + 0.02)
        turn.append(rng.uniform(0.0, 2 * np.pi) + np.arange(num) * 2 * np.pi / num)
    rise_B, reach_B, turn_B = (np.concatenate(values) for values in (rise, reach, turn))
    along = np.tile(np.linspace(0.12, 1.0, 9), len(rise_B))
    every = np.repeat(np.arange(len(rise_B)), 9)
    side = np.stack([np.cos(turn_B), np.sin(turn_B), np.zeros(len(turn_B))], axis=1)[every]
    centres = side * (along * reach_B[every])[:, None]
    droop = reach_B[every] * (0.22 * along - 0.42 * along**2)
    centres[:, 2] = rise_B[every] * height_m + droop
    centres = np.repeat(centres, 4, axis=0) + rng.normal(0.0, 0.012 * height_m, (4 * len(every), 3))
    across = np.cross(np.repeat(side, 4, axis=0), [0.0, 0.0, 1.0])
    fan = np.tile([-0.9, 0.9, 0.35, -0.35], len(every))[:, None]
    pointing = np.repeat(side, 4, axis=0) + across * fan + [0.0, 0.0, -0.25]
    normals = np.cross(pointing, across) + rng.normal(0.0, 0.35, centres.shape)
    sizes = height_m * rng.uniform(0.03, 0.055, len(centres))
    needles, shade = _leaves(rng, centres, normals, sizes, 0.26, pointing)
    inside = np.repeat(np.clip(0.25 + 0.75 * along, 0.0, 1.0), 16)
    trunk = tube(
        np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5 * height_m], [0.0, 0.0, height_m * 0.99]]),
        height_m * np.array([0.022, 0.013, 0.002]),
        8,
        _BARK_SLOT,
    )
    green = linear_rgb(str(rng.choice(["3f5a38", "46603f", "3a5548"])))
    return _plant(
        needles,
        shade,
        inside,
        trunk,
        (Finish("leaves", green, shaded(green, 1.35), 0.6), _bark_rand(rng)),
    )


def shrub(rng: np.random.Generator, height_m: float) -> Plant:
    """A round bush of a few lobes, leafy to the ground."""
    num_lobes = int(rng.integers(5, 9))
    turn = np.radians(_GOLDEN_DEG) * np.arange(num_lobes)
    reach = height_m * rng.uniform(0.1, 0.5, num_lobes)
    lift = height_m * rng.uniform(0.3, 0.68, num_lobes)
    lobes = np.stack([reach * np.cos(turn), reach * np.sin(turn), lift], axis=1)
    which = rng.integers(num_lobes, size=3200)
    out = rng.normal(0.0, 1.0, (3200, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    depth = rng.beta(3.0, 1.0, 3200)
    centres = lobes[which] + out * (depth * 0.34 * height_m)[:, None]
    centres[:, 2] = np.maximum(centres[:, 2], 0.02)
    normals = out + rng.normal(0.0, 0.5, out.shape)
    sizes = height_m * rng.uniform(0.03, 0.06, len(centres))
    crown, shade = _leaves(rng, centres, normals, sizes, 0.55)
    stems = [
        tube(
            np.stack([np.zeros(3), 0.5 * lobe, lobe]), height_m * np.array([0.02, 0.015, 0.006]), 6
        )
        for lobe in lobes
    ]
    green, other = _leaf_colours(rng)
    finishes = (Finish("leaves", green, other, 0.45), _bark_rand(rng))
    wood = join([stem.dressed(_BARK_SLOT) for stem in stems])
    return _plant(crown, shade, np.repeat(depth, 4), wood, finishes)


def hedge(rng: np.random.Generator, size_m: tuple[float, float, float]) -> Plant:
    """A clipped hedge on z = 0."""
    width, depth, height = size_m
    num = int(min(22000, 1100 * (width * depth + 2 * (width + depth) * height)))
    spot = rng.uniform(-1.0, 1.0, (num, 3))
    face = rng.choice(3, num, p=_face_shares(size_m))
    spot[np.arange(num), face] = np.where(face == 2, 1.0, np.sign(spot[np.arange(num), face]))
    normals = np.zeros((num, 3))
    normals[np.arange(num), face] = spot[np.arange(num), face]
    centres = spot * [width / 2, depth / 2, height / 2] + [0.0, 0.0, height / 2]
    sunk = rng.beta(1.0, 2.5, num)
    centres -= normals * (sunk * 0.09)[:, None]
    normals += rng.normal(0.0, 0.6, normals.shape)
    crown, shade = _leaves(rng, centres, normals, rng.uniform(0.03, 0.055, num), 0.6)
    green, other = _leaf_colours(rng)
    core = _box(width - 0.12, depth - 0.12, height - 0.06)
    dark = Finish("leaves", shaded(green, 0.25), shaded(green, 0.25), 0.9)
    return _plant(
        crown, shade, np.repeat(1.0 - sunk, 4), core, (Finish("leaves", green, other, 0.45), dark)
    )


def _face_shares(size_m: tuple[float, float, float]) -> Floats:
    width, depth, height = size_m
    areas = np.array([2 * depth * height, 2 * width * height, width * depth])
    shares: Floats = areas / areas.sum()
    return shares


def _box(width_m: float, depth_m: float, height_m: float) -> Shape:
    corners = np.array([[x, y, z] for z in (0, 1) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
    faces = np.array(
        [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    )
    return Shape(corners * [width_m, depth_m, height_m], faces, np.full(6, _BARK_SLOT))


def _leaves(
    rng: np.random.Generator,
    centres_N3: Floats,
    normals_N3: Floats,
    lengths_N: Floats,
    width_share: float,
    pointing_N3: Floats | None = None,
) -> tuple[Shape, Floats]:
    """Return pointed leaves, four corners each, and a random shade by corner."""
    normals = normals_N3 / np.linalg.norm(normals_N3, axis=1, keepdims=True)
    along = rng.normal(0.0, 1.0, normals.shape) if pointing_N3 is None else pointing_N3
    along = along - normals * (along * normals).sum(axis=1, keepdims=True)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.cross(normals, along)
    half, wide = lengths_N[:, None] / 2, lengths_N[:, None] * width_share / 2
    corners = [
        centres_N3 - along * half,
        centres_N3 + across * wide,
        centres_N3 + along * half,
        centres_N3 - across * wide,
    ]
    vertices = np.stack(corners, axis=1).reshape(-1, 3)
    faces = np.arange(len(vertices)).reshape(-1, 4)
    shade = np.repeat(rng.random(len(centres_N3)), 4)
    return Shape(vertices, faces, np.zeros(len(faces), np.int64)), shade


def _plant(
    crown: Shape, shade_V: Floats, tip_V: Floats, wood: Shape, finishes: tuple[Finish, ...]
) -> Plant:
    rest = len(wood.vertices_V3)
    return Plant(
        join([crown, wood]),
        np.concatenate([shade_V, np.full(rest, 0.5)]),
        np.concatenate([tip_V, np.full(rest, 0.5)]),
        finishes,
    )


def _leaf_colours(rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    green, other = (
        ("5f7d35", "84974a"),
        ("4f7038", "6f8a45"),
        ("6d8a3a", "9aa552"),
        ("587540", "7d8f4e"),
        ("7c8a3c", "b39b48"),
    )[int(rng.integers(5))]
    return linear_rgb(green), linear_rgb(other)


def _bark_rand(rng: np.random.Generator) -> Finish:
    light, dark = (("7a6a5a", "3d332b"), ("8d8378", "4c443c"), ("6b5743", "33281f"))[
        int(rng.integers(3))
    ]
    return Finish("bark", linear_rgb(light), linear_rgb(dark), 0.95)
