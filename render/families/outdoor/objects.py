"""Smaller outdoor objects: barrel, mailbox, wheelbarrow, churn, can, log seat."""

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb, shaded
from render.blender.shapes import (
    Floats,
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
from render.families.craft.props import Prop
from render.families.outdoor.furniture import bar

_RUST = Finish("paint", linear_rgb("4a3a30"), roughness=0.7)
LOGS = (("8d7558", "54422f"), ("9a8a74", "5e5244"), ("a5835a", "6b4e31"))


def barrel(rng: np.random.Generator, palette: Palette) -> Prop:
    """A wooden barrel that lies on two chocks, bung up."""
    length, radius = float(rng.uniform(0.75, 0.95)), float(rng.uniform(0.27, 0.33))
    z = np.linspace(-0.5, 0.5, 25)
    belly = radius * (1.0 - 0.75 * z**2)
    outline = np.column_stack([belly, z * length])
    inner = belly[0] - 0.022
    ends = [[0.0, -0.46 * length], [inner, -0.46 * length], [inner, -0.5 * length]]
    tops = [[inner, 0.5 * length], [inner, 0.46 * length], [0.0, 0.46 * length]]
    cask = lathe(np.concatenate([ends, outline, tops]), 60)
    parts = [cask.dressed(0)]
    for at in (-0.46, -0.33, -0.16, 0.16, 0.33, 0.46):
        edge = [at - 0.022, at + 0.022]
        around = [radius * (1.0 - 0.75 * v**2) + 0.003 for v in edge]
        hoop = np.array([[around[0], edge[0] * length], [around[1], edge[1] * length]])
        rim = np.array([[around[0] - 0.004, edge[0] * length], *hoop])
        parts.append(lathe(np.array([*rim, [around[1] - 0.004, edge[1] * length]]), 60, 1))
    parts.append(cylinder(0.03, 0.03, 2).turned("x", 90.0).moved(y_m=-radius + 0.012))
    lying = join(parts).turned("x", -90.0).turned("z", 90.0)
    foot = radius * (1.0 - 0.75 * 0.3**2)
    lift = radius + 0.03
    chocks = []
    for x in (-0.3 * length, 0.3 * length):
        for side in (-1.0, 1.0):
            wedge = rounded_box((0.09, 0.16, 0.12), 0.01, 2, num_steps=1)
            chocks.append(wedge.moved(x, side * foot * 0.72))
    light, dark = LOGS[int(rng.integers(len(LOGS)))]
    staves = Finish("timber", linear_rgb(light), linear_rgb(dark), 0.6)
    wedges = Finish("timber", shaded(staves.colour, 0.75), staves.second, 0.8)
    return Prop("barrel", join([lying.moved(z_m=lift), *chocks]), (staves, _RUST, wedges))


def mailbox(rng: np.random.Generator, palette: Palette) -> Prop:
    """A rural mailbox on its post, flag up or down."""
    height, length, width = float(rng.uniform(0.95, 1.15)), 0.5, 0.2
    arc = np.linspace(0.0, np.pi, 17)
    outline = np.column_stack([np.cos(arc) * width / 2, 0.13 + np.sin(arc) * width / 2])
    outline = np.concatenate([[[width / 2, 0.0]], outline, [[-width / 2, 0.0]]])
    parts = [_extruded(outline, length, 0).moved(z_m=height)]
    door = _extruded(outline * 1.04, 0.012, 0).moved(y_m=-length / 2 - 0.007, z_m=height - 0.004)
    parts.append(door)
    parts.append(
        ball(6, 2).stretched(0.014, 0.014, 0.014).moved(0, -length / 2 - 0.02, height + 0.17)
    )
    flag = bar((0.11, -0.1, height + 0.08), (0.11, -0.1, height + 0.28), 0.012, 2)
    parts += [flag, rounded_box((0.008, 0.11, 0.06), 0.002, 2).moved(0.11, -0.05, height + 0.22)]
    parts.append(rounded_box((0.18, 0.44, 0.025), 0.004, 1).moved(z_m=height - 0.025))
    parts.append(rounded_box((0.095, 0.095, height + 0.175), 0.006, 1).moved(z_m=-0.2))
    parts.append(bar((0.0, 0.03, height - 0.28), (0.0, 0.2, height - 0.03), 0.05, 1))
    body = shaded(palette.pick(rng), 0.95) if rng.random() < 0.6 else linear_rgb("c9ccd0")
    finish = Finish("paint", body, roughness=float(rng.uniform(0.2, 0.45)))
    timber = Finish("post", linear_rgb("9a8c78"), linear_rgb("63584a"), 0.8)
    return Prop(
        "mailbox",
        join(parts),
        (finish, timber, Finish("paint", linear_rgb("b0281e"), roughness=0.4)),
    )


def _extruded(outline_P2: Floats, length_m: float, slot: int) -> Shape:
    """Return a closed outline (x, z), counter-clockwise seen from -y, drawn out along y."""
    num = len(outline_P2)
    ends = [
        np.column_stack([outline_P2[:, 0], np.full(num, y), outline_P2[:, 1]])
        for y in (-length_m / 2, length_m / 2)
    ]
    middle = outline_P2.mean(axis=0)
    caps = np.array([[middle[0], y, middle[1]] for y in (-length_m / 2, length_m / 2)])
    here = np.arange(num)
    following = (here + 1) % num
    walls = np.stack([here, here + num, following + num, following], axis=1)
    none = np.full(num, -1)
    front = np.stack([here, following, np.full(num, 2 * num), none], axis=1)
    back = np.stack([following + num, here + num, np.full(num, 2 * num + 1), none], axis=1)
    faces = np.concatenate([walls, front, back])
    return Shape(np.concatenate([*ends, caps]), faces, np.full(len(faces), slot))


def wheelbarrow(rng: np.random.Generator, palette: Palette) -> Prop:
    """A steel tray on a tube frame with one wheel; it faces -y."""
    rim = np.array([[-0.32, -0.42], [0.32, -0.42], [0.3, 0.36], [-0.3, 0.36]])
    low = np.array([[-0.19, -0.16], [0.19, -0.16], [0.2, 0.24], [-0.2, 0.24]])
    parts = [_tray(rim, low, 0.6, 0.32)]
    for side in (-1.0, 1.0):
        shaft = smooth_curve(
            [
                (side * 0.05, -0.52, 0.19),
                (side * 0.17, -0.1, 0.3),
                (side * 0.25, 0.4, 0.44),
                (side * 0.28, 0.95, 0.6),
            ],
            26,
        )
        parts.append(tube(shaft, np.full(26, 0.017), 10, 1))
        parts.append(tube(shaft[-5:], np.full(5, 0.023), 10, 2))
        leg = smooth_curve(
            [
                (side * 0.21, 0.12, 0.36),
                (side * 0.25, 0.3, 0.0),
                (side * 0.25, 0.38, 0.0),
                (side * 0.24, 0.42, 0.44),
            ],
            26,
        )
        parts.append(tube(leg + np.array([0.0, 0.0, 0.015]), np.full(26, 0.014), 8, 1))
    turn = np.linspace(0.0, 2 * np.pi, 41)
    ring = np.column_stack([np.zeros(41), 0.155 * np.cos(turn), 0.155 * np.sin(turn)])
    tyre = tube(ring, np.full(41, 0.04), 12, 2).moved(0.0, -0.52, 0.195)
    hub = cylinder(0.1, 0.05, 1).moved(z_m=-0.025).turned("y", 90.0).moved(0.0, -0.52, 0.195)
    parts += [tyre, hub]
    paint = Finish("paint", shaded(palette.pick(rng), 0.9), roughness=0.4)
    if rng.random() < 0.35:
        paint = Finish("zinc", (0.62, 0.63, 0.64), roughness=0.3)
    frame = Finish("paint", linear_rgb("3b4044"), roughness=0.45)
    rubber = Finish("paint", linear_rgb("26262a"), roughness=0.85)
    turned = join(parts).turned("z", float(rng.choice([-1.0, 1.0]) * rng.uniform(35.0, 75.0)))
    return Prop("wheelbarrow", turned, (paint, frame, rubber))


def _tray(rim_42: Floats, low_42: Floats, rim_m: float, low_m: float) -> Shape:
    """Return an open tray, its rim and floor given by four corners, walls of 6 mm."""
    middle = rim_42.mean(axis=0)
    rings = []
    for grow, corners, z in (
        (1.0, low_42, low_m),
        (1.0, rim_42, rim_m),
        (1.04, rim_42, rim_m + 0.004),
        (1.04, rim_42, rim_m - 0.012),
        (1.015, rim_42, rim_m - 0.014),
        (1.02, low_42, low_m - 0.008),
    ):
        spread = middle + (corners - middle) * grow
        rings.append(np.column_stack([spread, np.full(4, z)]))
    faces = [[0, 3, 2, 1], [20, 21, 22, 23]]
    for level in range(5):
        for corner in range(4):
            a, b = 4 * level + corner, 4 * level + (corner + 1) % 4
            faces.append([a, b, b + 4, a + 4][::-1])
    return Shape(np.concatenate(rings), np.array(faces), np.zeros(len(faces), np.int64))


def milk_churn(rng: np.random.Generator, palette: Palette) -> Prop:
    """A milk churn with two handles and a lid."""
    size = float(rng.uniform(0.9, 1.1))
    outer = smooth_curve(
        [
            (0.165, 0.0),
            (0.172, 0.02),
            (0.17, 0.3),
            (0.165, 0.42),
            (0.105, 0.52),
            (0.1, 0.58),
            (0.125, 0.63),
        ],
        60,
    )
    parts = [lathe(np.concatenate([[[0.0, 0.0]], outer, [[0.0, 0.64]]]), 56)]
    parts.append(lathe(np.array([[0.168, 0.04], [0.176, 0.04], [0.176, 0.07], [0.168, 0.07]]), 56))
    lid = np.array(
        [[0.0, 0.62], [0.128, 0.62], [0.13, 0.65], [0.09, 0.665], [0.03, 0.69], [0.0, 0.69]]
    )
    parts.append(lathe(lid, 48))
    for side in (-1.0, 1.0):
        loop = smooth_curve(
            [(0.155, 0.0, 0.44), (0.215, 0.0, 0.47), (0.2, 0.0, 0.56), (0.11, 0.0, 0.57)], 18
        )
        parts.append(tube(loop * [side, 1.0, 1.0], np.full(18, 0.011), 10))
    zinc = Finish("zinc", (0.66, 0.67, 0.68), roughness=float(rng.uniform(0.2, 0.35)))
    paint = Finish("paint", shaded(palette.pick(rng), 0.9), roughness=0.4)
    finish = zinc if rng.random() < 0.65 else paint
    return Prop("milk churn", join(parts).stretched(size, size, size), (finish,))


def watering_can(rng: np.random.Generator, palette: Palette) -> Prop:
    """A watering can with its rose and two handles."""
    size, side = float(rng.uniform(1.0, 1.25)), float(rng.choice([-90.0, 90.0]))
    outer = np.array([[0.12, 0.0], [0.125, 0.006], [0.115, 0.27], [0.118, 0.275]])
    parts = [lathe(vessel_profile(outer, 0.004, 0.01), 48)]
    spout = smooth_curve(
        [(0.0, -0.1, 0.05), (0.0, -0.2, 0.12), (0.0, -0.34, 0.3), (0.0, -0.38, 0.34)], 24
    )
    parts.append(tube(spout, np.linspace(0.024, 0.013, 24), 14))
    rose = lathe(
        np.array([[0.0, 0.0], [0.014, 0.0], [0.042, 0.05], [0.042, 0.06], [0.0, 0.068]]), 28
    )
    parts.append(rose.turned("x", 48.0).moved(0.0, -0.37, 0.33))
    top = smooth_curve(
        [(0.0, -0.1, 0.26), (0.0, -0.04, 0.38), (0.0, 0.06, 0.38), (0.0, 0.11, 0.27)], 24
    )
    back = smooth_curve(
        [(0.0, 0.112, 0.24), (0.0, 0.21, 0.22), (0.0, 0.2, 0.08), (0.0, 0.118, 0.05)], 24
    )
    parts += [tube(path, np.full(24, 0.009), 10) for path in (top, back)]
    cover = lathe(np.array([[0.0, 0.22], [0.113, 0.22], [0.113, 0.225], [0.0, 0.225]]), 40)
    half = cover.vertices_V3 * [1.0, 1.0, 1.0]
    half[:, 1] = np.minimum(half[:, 1], 0.0)
    parts.append(Shape(half, cover.faces_F4, cover.slots_F).moved(z_m=0.045))
    zinc = Finish("zinc", (0.64, 0.66, 0.67), roughness=float(rng.uniform(0.2, 0.35)))
    paint = Finish("paint", shaded(palette.pick(rng), 0.9), roughness=0.3)
    finish = zinc if rng.random() < 0.5 else paint
    return Prop(
        "watering can", join(parts).stretched(size, size, size).turned("z", side), (finish,)
    )


def log_seat(rng: np.random.Generator, palette: Palette) -> Prop:
    """A thick log cut into a seat, on two short rounds."""
    light, dark = LOGS[int(rng.integers(len(LOGS)))]
    timber = Finish("timber", linear_rgb(light), linear_rgb(dark), 0.75)
    slab = rounded_box((1.5, 0.34, 0.12), 0.02, num_steps=2).moved(z_m=0.36)
    feet = [
        lathe(np.array([[0.0, 0.0], [0.17, 0.0], [0.16, 0.36], [0.0, 0.36]]), 32, 1).moved(x_m=x)
        for x in (-0.48, 0.48)
    ]
    foot = Finish("post", shaded(timber.colour, 0.8), shaded(timber.colour, 0.45), 0.85)
    return Prop("log seat", join([slab, *feet]), (timber, foot))
