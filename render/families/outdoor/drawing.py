"""The family `outdoor`, drawn: a place under the sun, one object in front, air of some clarity."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cat_dataset.imaging.photometry import kelvin, mired
from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Palette, palette_rand
from render.families.craft.props import Prop
from render.families.outdoor.camera import outdoor_camera_rand
from render.families.outdoor.places import (
    MAINS,
    MAKERS,
    PLACE_SHARES,
    PLACES,
    Ground,
    ground_rand,
)
from render.families.outdoor.sky import SkyDraw, sun_cct_k
from render.scene import CameraPose

DAYLIGHT_SETTING_K = 5700.0  # of the camera; it leans a little towards a low sun


@dataclass(frozen=True)
class Outdoor:
    """One scene of the family, without what stands around (see `outdoor.scenery`)."""

    place: str  # one of `PLACES`
    palette: Palette
    ground: Ground
    main: Prop
    heading_deg: float  # of the main object
    camera: CameraPose
    sky: SkyDraw
    visibility_m: float
    wb_cct_k: float

    def to_json(self) -> dict[str, Any]:
        """Return what was drawn as plain JSON values."""
        return {
            "place": self.place,
            "ground": self.ground.finish.kind,
            "main_object": self.main.kind,
            "main_size_m": [2.0 * self.main.shape.radius_m, self.main.shape.height_m],
            "heading_deg": self.heading_deg,
            "sun_elevation_deg": self.sky.elevation_deg,
            "sun_azimuth_deg": self.sky.azimuth_deg,
            "turbidity": self.sky.turbidity,
            "cloud_cover": self.sky.cloud_cover,
            "visibility_m": self.visibility_m,
            "camera_height_m": self.camera.position_m[2],
            "camera_distance_m": self.camera.distance_m,
            "focal_length_mm": self.camera.focal_length_mm,
            "f_number": self.camera.f_number,
            "focus_distance_m": self.camera.focus_distance_m,
            "wb_cct_k": self.wb_cct_k,
        }


def outdoor_rand(seed: int, width_px: int, height_px: int) -> Outdoor:
    """Draw a scene; the frame's shape decides what fits into it."""
    rng = derive_rng(seed, "place")
    place = str(rng.choice(PLACES, p=PLACE_SHARES))
    palette = palette_rand(derive_rng(seed, "palette"))
    kind = str(rng.choice(MAINS[place]))
    main = MAKERS[kind](derive_rng(seed, "main"), palette)
    heading_deg = float(rng.uniform(-40.0, 40.0))
    ground = ground_rand(derive_rng(seed, "ground"), place, main.shape.radius_m)
    camera = outdoor_camera_rand(derive_rng(seed, "camera"), main, width_px, height_px)
    visibility_m = _visibility_rand(derive_rng(seed, "air"))
    sky = _sky_rand(derive_rng(seed, "sky"), place, visibility_m)
    sun_mired = mired(sun_cct_k(sky.elevation_deg, sky.turbidity))
    daylight = mired(DAYLIGHT_SETTING_K)
    wb_cct_k = round(kelvin(daylight + 0.3 * (sun_mired - daylight)) / 10.0) * 10.0
    lifted = _on_the_ground(camera, ground)
    return Outdoor(place, palette, ground, main, heading_deg, lifted, sky, visibility_m, wb_cct_k)


def _on_the_ground(camera: CameraPose, ground: Ground) -> CameraPose:
    """Raise a camera whose place is higher than the main object's, never lower it."""
    x, y, z = camera.position_m
    foot = float(ground.relief.height_m(np.array([x]), np.array([y]))[0])
    return replace(camera, position_m=(x, y, z + max(foot, 0.0)))


def _visibility_rand(rng: np.random.Generator) -> float:
    """Draw mist, haze or clear air."""
    low, high = ((60.0, 400.0), (400.0, 3000.0), (8000.0, 40000.0))[
        int(rng.choice(3, p=(0.2, 0.25, 0.55)))
    ]
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 1)


def _sky_rand(rng: np.random.Generator, place: str, visibility_m: float) -> SkyDraw:
    """Draw the sun from a side or three-quarter; the camera looks towards +y."""
    elevation_deg = float(rng.triangular(9.0, 28.0, 60.0))
    side = float(rng.choice([-1.0, 1.0]))
    # From the camera's back; on a square not from behind the houses, which would shade it.
    furthest_deg = 80.0 if place == "plaza" else 125.0
    azimuth_deg = (-90.0 + side * float(rng.uniform(35.0, furthest_deg))) % 360.0
    is_clear = visibility_m > 3000.0
    turbidity = float(rng.uniform(2.0, 3.0) if is_clear else rng.uniform(2.5, 3.5))
    has_clouds = not is_clear or rng.random() < 0.65
    cover = float(rng.uniform(0.15, 0.7) if is_clear else rng.uniform(0.5, 0.9))
    cover = cover if has_clouds else 0.0
    x, y, z = (float(v) for v in rng.uniform(-50.0, 50.0, 3))
    return SkyDraw(elevation_deg, azimuth_deg, turbidity, cover, (x, y, z))
