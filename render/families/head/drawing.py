"""The family `head`: a portrait of a character; here it is drawn as plain data.

Everything comes from generators derived from the scene's seed, each with its own name, so that a
new draw in one place shifts nothing elsewhere.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Finish, Rgb, linear_rgb, palette_rand, shaded
from render.families.craft.lamp_colours import balance_k, cct_rand
from render.families.craft.layout import f_number_for_depth
from render.families.craft.stage import AreaLamp, World, soft_box
from render.families.head.clothes import COLLARS, Jersey
from render.families.head.face_paint import FaceColours
from render.families.head.face_traits import PIT_Z_M, FaceTraits, face_traits_rand
from render.families.head.hair_styles import HairStyle, hair_style_rand
from render.scene import SENSOR_LONG_SIDE_MM, CameraPose

KEY_IRRADIANCE_W_M2 = 6.6  # of the key light on the face; the exposure anchor takes care
ROOM_HDRIS = ("interior.exr", "courtyard.exr", "forest.exr", "sunset.exr", "city.exr")
LIGHT_HDRIS = ("interior.exr", "studio.exr", "city.exr", "courtyard.exr", "sunrise.exr")
HDRI_PEAK = 12.0  # bulbs and suns in the HDRIs reach 30,000 times the mean
EYE_Z_M = -PIT_Z_M  # of the eyes above the bust's origin
FACE_Y_M = -0.080  # of the eyes' front
_CROWN_M = {
    "bald": 0.117,
    "buzz": 0.117,
    "swept": 0.138,
    "bun": 0.158,
    "curly": 0.155,
}  # above the eyes

_LEAST_CONTRAST = 0.15  # of jersey and skin, in one channel
_SKINS = ("edcdb8", "e8bfa3", "ddb08d", "d39d78", "bd8259", "a06a47", "7f5036", "5f3a28", "47291d")
_HAIRS = ("17110e", "241812", "3b2416", "5a381f", "7c5230", "a87a45", "cda468", "8a3b1c", "b0552a")
_GREYS = ("6f6a66", "a5a09b", "cfcac4")
_IRISES = ("3a2112", "5b3a1c", "7a5a2c", "5d6b3f", "4c6f5f", "45708f", "6d8a9c")
_PAPERS = ("c9c2b6", "8c9aa3", "a8b0a0", "b98f78", "5c6670", "d8cfc4", "73585a", "3d4248", "9c8f6f")


@dataclass(frozen=True)
class HeadScene:
    """One portrait, complete."""

    traits: FaceTraits
    colours: FaceColours
    style: HairStyle
    jersey: Jersey
    skin_roughness: float
    turn_deg: float  # of the whole bust about z, positive = to the character's left
    gaze_deg: float  # of the eyes against the head
    backdrop: str  # "paper" or "room"
    paper: Finish
    paper_m: float  # behind the head
    camera: CameraPose
    lamps: tuple[AreaLamp, ...]  # the first one is the key light
    world: World
    wb_cct_k: float

    def to_json(self) -> dict[str, Any]:
        """Return what was drawn as plain JSON values."""
        return {
            "hair": self.style.kind,
            "collar": self.jersey.collar,
            "youth": self.traits.youth,
            "age": self.traits.age,
            "turn_deg": self.turn_deg,
            "backdrop": self.backdrop,
            "hdri": self.world.hdri,
            "ambient_irradiance_w_m2": self.world.irradiance_w_m2,
            "focal_length_mm": self.camera.focal_length_mm,
            "f_number": self.camera.f_number,
            "focus_distance_m": self.camera.focus_distance_m,
            "wb_cct_k": self.wb_cct_k,
        }


def head_scene_rand(seed: int, width_px: int, height_px: int) -> HeadScene:
    """Draw a portrait; the frame's shape decides how much of the shoulders is seen."""
    traits = face_traits_rand(derive_rng(seed, "face"))
    style = hair_style_rand(derive_rng(seed, "hair"), traits.age)
    rng = derive_rng(seed, "pose")
    turn_deg = float(np.clip(rng.normal(0.0, 13.0), -28.0, 28.0))
    gaze_deg = -turn_deg * float(rng.uniform(0.5, 0.9))
    camera = _camera_rand(derive_rng(seed, "camera"), style, width_px, height_px)
    rng = derive_rng(seed, "backdrop")
    backdrop = "paper" if rng.random() < 0.6 else "room"
    paper = Finish(
        "paper", shaded(linear_rgb(str(rng.choice(_PAPERS))), float(rng.uniform(0.7, 1)))
    )
    paper_m = float(rng.uniform(1.0, 1.6))  # behind the rim light
    lamps = _lamps_rand(derive_rng(seed, "lamps"))
    colours = _colours_rand(derive_rng(seed, "colours"), traits, style)
    return HeadScene(
        traits=traits,
        colours=colours,
        style=style,
        jersey=_jersey_rand(derive_rng(seed, "jersey"), seed, traits, colours.skin),
        skin_roughness=float(derive_rng(seed, "shine").uniform(0.38, 0.52)),
        turn_deg=turn_deg,
        gaze_deg=gaze_deg,
        backdrop=backdrop,
        paper=paper,
        paper_m=paper_m,
        camera=camera,
        lamps=lamps,
        world=_world_rand(derive_rng(seed, "world"), backdrop),
        wb_cct_k=balance_k(lamps[0].cct_k),
    )


def _colours_rand(rng: np.random.Generator, traits: FaceTraits, style: HairStyle) -> FaceColours:
    tone = float(rng.uniform(0.0, len(_SKINS) - 1.0))
    depth = tone / (len(_SKINS) - 1.0)  # 0 = fair, 1 = deep
    skin = _between_all(_SKINS, tone)
    dark_hair = rng.random() < 0.25 + 0.75 * min(1.0, 2.0 * depth)
    hair = linear_rgb(str(rng.choice(_HAIRS[:3] if dark_hair else _HAIRS)))
    if rng.random() < 2.0 * traits.age - 0.9:
        hair = linear_rgb(str(rng.choice(_GREYS)))
    brow = _mix(hair, linear_rgb("1d1410"), 0.5)
    has_makeup = rng.random() < 0.35 * (1.0 - traits.youth)
    lips = _mix(skin, linear_rgb("9c2f33" if depth < 0.7 else "6b2328"), 0.42 + 0.1 * depth)
    if has_makeup:
        lips = _mix(lips, linear_rgb(str(rng.choice(["a3222f", "b5485a", "8c3a3a"]))), 0.7)
    can_beard = traits.youth == 0.0 and style.kind in ("crop", "swept", "buzz", "bald", "curly")
    has_beard = can_beard and not has_makeup and rng.random() < 0.45
    light_eyes = rng.random() < 0.75 * (1.0 - min(1.0, 1.8 * depth))
    iris = linear_rgb(str(rng.choice(_IRISES if light_eyes else _IRISES[:2])))
    return FaceColours(
        skin=skin,
        blush=_mix(shaded(skin, 0.85), linear_rgb("b3403a"), 0.34 - 0.12 * depth),
        lips=lips,
        wet=_mix(skin, linear_rgb("b0605c"), 0.55),
        hair=hair,
        brow=brow,
        iris=iris,
        blush_share=float(rng.uniform(0.25, 0.8)),
        lid_share=float(rng.uniform(0.3, 0.7)) + (0.3 if has_makeup else 0.0),
        scalp_share=style.scalp_paint,
        beard_share=float(rng.uniform(0.12, 0.5)) if has_beard else 0.0,
        freckles=float(rng.uniform(0.1, 0.3)) if depth < 0.35 and rng.random() < 0.35 else 0.0,
    )


def _between_all(codes: tuple[str, ...], place: float) -> Rgb:
    index = min(int(place), len(codes) - 2)
    return _mix(linear_rgb(codes[index]), linear_rgb(codes[index + 1]), place - index)


def _mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    red, green, blue = (a + share * (b - a) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _jersey_rand(rng: np.random.Generator, seed: int, traits: FaceTraits, skin: Rgb) -> Jersey:
    palette = palette_rand(derive_rng(seed, "palette"))
    colour = shaded(palette.pick(rng), 0.8)
    if max(abs(a - b) for a, b in zip(colour, skin, strict=True)) < _LEAST_CONTRAST:
        colour = shaded(palette.dark, 0.9)  # nobody should look bare
    return Jersey(
        collar=str(rng.choice(COLLARS)),
        colour=colour,
        gauge_per_m=float(rng.uniform(160.0, 300.0)),
        shoulder_m=float(rng.uniform(0.118, 0.142)) * (1.0 - 0.18 * traits.youth),
    )


def _camera_rand(
    rng: np.random.Generator, style: HairStyle, width_px: int, height_px: int
) -> CameraPose:
    """Draw a portrait lens and its distance: eyes on the upper third, the whole head in frame."""
    focal_length_mm = float(round(float(np.exp(rng.uniform(math.log(50.0), math.log(105.0))))))
    look_share = float(rng.uniform(0.09, 0.14))  # of the frame, from the eyes down to its centre
    crown_m = _CROWN_M.get(style.kind, 0.128) + 0.010
    frame_height_m = max(float(rng.uniform(0.31, 0.39)), crown_m / (0.5 - look_share))
    aspect = width_px / height_px
    frame_height_m = max(frame_height_m, 0.29 / aspect)  # hair and ears need their width
    long_side_m = frame_height_m * max(aspect, 1.0)
    distance_m = long_side_m * focal_length_mm / SENSOR_LONG_SIDE_MM
    elevation = math.radians(float(rng.uniform(-3.0, 9.0)))
    look_z = EYE_Z_M - frame_height_m * look_share
    look_at = (float(rng.uniform(-0.03, 0.03)) * min(1.0, aspect), FACE_Y_M, look_z)
    position = (
        look_at[0],
        FACE_Y_M - distance_m * math.cos(elevation),
        look_z + distance_m * math.sin(elevation),
    )
    eyes = np.array([0.0, FACE_Y_M, EYE_Z_M])
    axis = np.subtract(look_at, position) / distance_m
    focus_m = float(axis @ (eyes - position))
    sharp_m = float(rng.uniform(0.05, 0.16))
    f_number = f_number_for_depth(sharp_m, focus_m, focal_length_mm)
    return CameraPose(position, look_at, focal_length_mm, f_number, focus_m)


def _lamps_rand(rng: np.random.Generator) -> tuple[AreaLamp, ...]:
    """Draw portrait light: a soft key from one side, fill from the other, often a rim light."""
    side = float(rng.choice([-1.0, 1.0]))
    size_m = float(rng.uniform(0.35, 0.9))
    key = _lamp(
        "key",
        side * float(rng.uniform(22.0, 62.0)),
        float(rng.uniform(18.0, 45.0)),
        float(rng.uniform(1.1, 1.6)),
        (size_m, size_m * float(rng.uniform(0.8, 1.5))),
        KEY_IRRADIANCE_W_M2,
        _key_cct_rand(rng),
    )
    fill = _lamp(
        "fill",
        -side * float(rng.uniform(25.0, 70.0)),
        float(rng.uniform(5.0, 30.0)),
        1.6,
        (1.2, 1.2),
        KEY_IRRADIANCE_W_M2 / float(rng.uniform(3.5, 10.0)),
        cct_rand(rng, 3600.0, 6500.0),
    )
    if rng.random() < 0.4:
        return key, fill
    rim = _lamp(
        "rim",
        -side * float(rng.uniform(125.0, 155.0)),
        float(rng.uniform(20.0, 45.0)),
        1.1,
        (0.25, 0.7),
        KEY_IRRADIANCE_W_M2 * float(rng.uniform(0.5, 1.3)),
        cct_rand(rng, 3200.0, 6500.0),
    )
    return key, fill, rim


def _lamp(
    name: str,
    azimuth_deg: float,
    elevation_deg: float,
    distance_m: float,
    size_m: tuple[float, float],
    irradiance_w_m2: float,
    cct_k: float,
) -> AreaLamp:
    """Return a soft box aimed at the face, see `stage.soft_box`."""
    aim_m = (0.0, -0.02, EYE_Z_M - 0.02)
    return soft_box(
        name, azimuth_deg, elevation_deg, distance_m, size_m, irradiance_w_m2, cct_k, aim_m
    )


def _key_cct_rand(rng: np.random.Generator) -> float:
    """Draw daylight or flash (most of the time) or a warm lamp."""
    if rng.random() < 0.65:
        return cct_rand(rng, 4300.0, 6500.0)
    return cct_rand(rng, 2800.0, 4300.0)


def _world_rand(rng: np.random.Generator, backdrop: str) -> World:
    is_room = backdrop == "room"
    hdri = str(rng.choice(ROOM_HDRIS if is_room else LIGHT_HDRIS))
    share = float(rng.uniform(0.14, 0.36) if is_room else rng.uniform(0.10, 0.3))
    return World(hdri, float(rng.uniform(0.0, 360.0)), KEY_IRRADIANCE_W_M2 * share, HDRI_PEAK)
