"""The light of an interior: a household lamp, daylight through the window, a weak fill."""

import math
from dataclasses import dataclass

import numpy as np

from cat_dataset.imaging.photometry import kelvin, luminance, mired
from render.blender.finishes import Rgb
from render.families.craft.lamp_colours import cct_rand
from render.families.interior.floor_plan import Piece
from render.families.interior.lamps import Lamp
from render.families.interior.room import FRONT_M, WALL_M, Room

Point = tuple[float, float, float]

MOODS = ("day", "dusk", "evening")
_MOOD_SHARES = (0.4, 0.3, 0.3)
_SHADE_SHARES = {"day": 0.3, "dusk": 0.45, "evening": 0.55}  # of the brightest shade
# A lamp nearer to the main object is not dimmed further, nor one farther away made stronger.
# The walls close to it would outshine the room.
_MIN_REACH_M = 1.0
_MAX_REACH_M = {"floor lamp": 2.0, "table lamp": 1.5, "pendant": 1.9}
_PALE_WALL = 0.6  # luminance; where walls are darker, window and shade must not outshine them
_FILL_FOR_TABLE_LAMP = 1.9  # low and close to walls, it leaves the room dark
_FILL_FOR_FAR_LAMP = 1.4  # the rest of the room then gets more of the other light
_UNSEEN_SHARE = 0.55  # of the daylight that comes through a window beside the camera


@dataclass(frozen=True)
class Sunlight:
    """A patch of sun on the floor."""

    towards: Point  # where the light travels, in the room's frame
    irradiance_w_m2: float


@dataclass(frozen=True)
class InteriorLight:
    """Everything that gives light; positions in the room's frame, powers in radiant watts."""

    mood: str
    lamp_cct_k: float
    lamp_power_w: float
    shade_radiance: float  # of the shade as the camera sees it
    window_cct_k: float
    window_power_w: float  # of both windows
    unseen_power_w: float  # of the window beside the camera, out of the frame
    view_hdri: str
    view_turn_deg: float
    view_radiance: float
    sun: Sunlight | None
    ambient_power_w: float
    wb_cct_k: float


@dataclass(frozen=True)
class _Mood:
    """Irradiance at the main object, W/m2, and what daylight is like."""

    lamp: tuple[float, float]
    window: tuple[float, float]
    ambient: tuple[float, float]
    window_cct_k: tuple[float, float]
    view: tuple[float, float]  # radiance of what is outside
    hdris: tuple[str, ...]
    lamp_share_of_balance: float  # 0 = camera set to daylight, 1 = to the lamp


_MOODS = {
    "day": _Mood(
        lamp=(0.3, 0.5),
        window=(0.8, 1.2),
        ambient=(0.24, 0.36),
        window_cct_k=(5200.0, 6800.0),
        view=(0.38, 0.58),
        hdris=("forest.exr", "city.exr", "sunrise.exr", "sunset.exr"),
        lamp_share_of_balance=0.25,
    ),
    "dusk": _Mood(
        lamp=(0.6, 0.9),
        window=(0.35, 0.55),
        ambient=(0.2, 0.3),
        window_cct_k=(6200.0, 8500.0),
        view=(0.18, 0.32),
        hdris=("sunrise.exr", "sunset.exr", "forest.exr", "city.exr"),
        lamp_share_of_balance=0.5,
    ),
    "evening": _Mood(
        lamp=(0.9, 1.2),
        window=(0.1, 0.22),
        ambient=(0.15, 0.24),
        window_cct_k=(8000.0, 12000.0),
        view=(0.03, 0.09),
        hdris=("sunrise.exr", "sunset.exr", "city.exr"),
        lamp_share_of_balance=0.7,
    ),
}


def light_rand(rng: np.random.Generator, room: Room, lamp: Lamp, spot: Piece) -> InteriorLight:
    """Draw the light of a room whose lamp stands or hangs at `spot`."""
    name = str(rng.choice(MOODS, p=_MOOD_SHARES))
    mood = _MOODS[name]
    lamp_cct_k = cct_rand(rng, 2400.0, 3500.0)
    tone = min(max(luminance_of(room.wall.colour) / _PALE_WALL, 0.45), 1.0)
    farthest_m = _MAX_REACH_M[lamp.kind]
    reach_m = min(max(_reach(bulb_point(lamp, spot)), _MIN_REACH_M), farthest_m)
    fill = _FILL_FOR_FAR_LAMP if reach_m == farthest_m else 1.0
    if lamp.kind == "table lamp":
        fill = _FILL_FOR_TABLE_LAMP
    passed = lamp.shade.transmission or 1.0  # a metal dome is open below
    lamp_w = float(rng.uniform(*mood.lamp)) * 4.0 * math.pi * reach_m**2 / passed
    daylight = fill * float(rng.uniform(*mood.window))
    window_cct_k = cct_rand(rng, *mood.window_cct_k)
    centre = window_centre(room, WALL_M)
    seen_w = (1.0 - _UNSEEN_SHARE) * daylight * _unit_power_w(centre, window_normal(room))
    spot_2, normal_2 = unseen_window(room)
    unseen_w = _UNSEEN_SHARE * daylight * _unit_power_w(spot_2, normal_2)
    ambient_w = fill * float(rng.uniform(*mood.ambient)) * math.pi * FRONT_M**2
    has_sun = name == "day" and room.window.wall != "back" and rng.random() < 0.5
    return InteriorLight(
        mood=name,
        lamp_cct_k=lamp_cct_k,
        lamp_power_w=round(lamp_w, 2),
        shade_radiance=tone * float(rng.uniform(0.8, 1.1)) * _SHADE_SHARES[name],
        window_cct_k=window_cct_k,
        window_power_w=round(seen_w + unseen_w, 2),
        unseen_power_w=round(unseen_w, 2),
        view_hdri=str(rng.choice(mood.hdris)),
        view_turn_deg=float(rng.uniform(0.0, 360.0)),
        view_radiance=tone * float(rng.uniform(*mood.view)),
        sun=_sun_rand(rng, room, daylight) if has_sun else None,
        ambient_power_w=round(ambient_w, 2),
        wb_cct_k=_balance_k(lamp_cct_k, window_cct_k, mood.lamp_share_of_balance),
    )


def luminance_of(colour: Rgb) -> float:
    """Return the relative luminance of one scene-linear colour.

    >>> luminance_of((1.0, 1.0, 1.0))
    1.0
    """
    return round(float(luminance(np.array(colour))), 6)


def bulb_point(lamp: Lamp, spot: Piece) -> Point:
    """Return where the bulb is, in the room's frame."""
    x_m, y_m, z_m = lamp.bulb_at_m  # lamps are round: their heading does not move the bulb
    return (spot.x_m + x_m, spot.y_m + y_m, spot.z_m + z_m)


def window_centre(room: Room, outwards_m: float) -> Point:
    """Return the middle of the opening, so far outside the wall's inner face."""
    window = room.window
    z_m = (window.sill_m + window.head_m) / 2
    if window.wall == "back":
        return (window.along_m, room.back_m + outwards_m, z_m)
    if window.wall == "left":
        return (-room.left_m - outwards_m, window.along_m, z_m)
    return (room.right_m + outwards_m, window.along_m, z_m)


def window_normal(room: Room) -> Point:
    """Return the direction from the window into the room."""
    return {"back": (0.0, -1.0, 0.0), "left": (1.0, 0.0, 0.0), "right": (-1.0, 0.0, 0.0)}[
        room.window.wall
    ]


def unseen_window(room: Room) -> tuple[Point, Point]:
    """Return middle and direction of a second window, in the nearer side wall, out of view."""
    side = -1.0 if room.left_m < room.right_m else 1.0
    wall_m = side * min(room.left_m, room.right_m)
    return (wall_m - side * 0.02, -1.5, 1.5), (-side, 0.0, 0.0)


def _unit_power_w(centre: Point, normal: Point) -> float:
    """Return the power of an area lamp that gives 1 W/m2 at the main object.

    Source: a diffuse source of power P gives P cos / (pi d**2) at an angle from its axis.
    """
    towards = np.array([0.0, 0.0, 0.4]) - np.array(centre)
    distance = float(np.linalg.norm(towards))
    cosine = float(towards @ np.array(normal)) / distance
    return math.pi * distance**2 / max(cosine, 0.3)


def _reach(point: Point) -> float:
    return math.dist(point, (0.0, 0.0, 0.4))


def _sun_rand(rng: np.random.Generator, room: Room, daylight: float) -> Sunlight:
    """Draw sunlight that comes in at a slant, from behind rather than from the camera's side."""
    elevation = math.radians(float(rng.uniform(28.0, 46.0)))
    x, _, _ = window_normal(room)
    slant = math.radians(float(rng.uniform(-5.0, 32.0)))
    level = (x * math.cos(slant), -math.sin(slant))
    towards = (
        level[0] * math.cos(elevation),
        level[1] * math.cos(elevation),
        -math.sin(elevation),
    )
    return Sunlight(towards, daylight * float(rng.uniform(1.6, 2.6)))


def _balance_k(lamp_k: float, window_k: float, lamp_share: float) -> float:
    """Return the camera's setting between daylight and the lamp, a multiple of 10 K."""
    day = mired(min(window_k, 6500.0))
    return round(kelvin(day + lamp_share * (mired(lamp_k) - day)) / 10.0) * 10.0
