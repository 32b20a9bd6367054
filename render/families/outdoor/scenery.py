"""Where objects stand around the main object outdoors.

Nothing stands between camera and main object, and no tree throws its shadow on it as drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from render.blender.finishes import Palette
from render.families.craft.props import Prop
from render.families.outdoor.flora import Plant
from render.families.outdoor.terrain import Relief
from render.scene import CameraPose

Model = Plant | Prop

_TRIES = 12
_CLOSE_BEHIND_M = 18.0


@dataclass(frozen=True)
class Spot:
    """Where a model stands; many spots may share one."""

    model: int  # index of `Scenery.models`
    x_m: float
    y_m: float
    z_m: float
    heading_deg: float
    object_scale: float = 1.0


@dataclass(frozen=True)
class Setting:
    """What decides where objects may stand."""

    camera: CameraPose
    half_angle_deg: float  # of the view, horizontally
    relief: Relief
    sun_elevation_deg: float
    sun_azimuth_deg: float
    main_radius_m: float
    palette: Palette

    def is_shading(self, x_m: float, y_m: float, height_m: float, radius_m: float) -> bool:
        """Whether an object would throw its shadow on the main object."""
        azimuth = math.radians(self.sun_azimuth_deg)
        along = x_m * math.cos(azimuth) + y_m * math.sin(azimuth)
        across = abs(y_m * math.cos(azimuth) - x_m * math.sin(azimuth))
        reach_m = height_m / math.tan(math.radians(self.sun_elevation_deg))
        beside = radius_m + self.main_radius_m
        return across < beside and -beside < along < reach_m + beside

    def is_behind_main(self, x_m: float, y_m: float) -> bool:
        """Whether an object would seem to grow out of the main object, not far behind it."""
        camera_x_m, camera_y_m, _ = self.camera.position_m
        nearer = -camera_y_m / max(y_m - camera_y_m, 0.1)
        beside = abs(camera_x_m + (x_m - camera_x_m) * nearer)
        return y_m < _CLOSE_BEHIND_M and beside < 0.6 * self.main_radius_m


@dataclass
class Scenery:
    """Models and the spots where they stand; grows while a place is furnished."""

    setting: Setting
    models: list[Model] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    taken: list[tuple[float, float, float]] = field(default_factory=list)  # x, y, radius

    def add(self, model: Model) -> int:
        """Add a model; returns its number."""
        self.models.append(model)
        return len(self.models) - 1

    def put(
        self, model: int, x_m: float, y_m: float, heading_deg: float, object_scale: float = 1.0
    ) -> None:
        """Stand a model on the ground, its foot a little below it."""
        z_m = float(self.setting.relief.height_m(np.array([x_m]), np.array([y_m]))[0])
        self.spots.append(Spot(model, x_m, y_m, z_m - 0.01, heading_deg, object_scale))
        self.taken.append((x_m, y_m, self.models[model].shape.radius_m * object_scale))

    def scatter(
        self,
        rng: np.random.Generator,
        models: Sequence[int],
        num: int,
        depth_m: tuple[float, float],
        *,
        object_scale: tuple[float, float] = (0.8, 1.25),
        spread: float = 1.15,
        gap_share: float = 0.9,
    ) -> None:
        """Stand models at random in view, `depth_m` behind the main object, at most `num`."""
        for _ in range(num):
            model = models[int(rng.integers(len(models)))]
            factor = float(rng.uniform(*object_scale))
            for _ in range(_TRIES):
                x_m, y_m = self._place_rand(rng, depth_m, spread)
                if self._is_free(model, x_m, y_m, factor, gap_share):
                    self.put(model, x_m, y_m, float(rng.uniform(0.0, 360.0)), factor)
                    break

    def _place_rand(
        self, rng: np.random.Generator, depth_m: tuple[float, float], spread: float
    ) -> tuple[float, float]:
        low, high = depth_m
        y_m = float(np.sqrt(rng.uniform(low**2, high**2)))
        away_m = y_m - self.setting.camera.position_m[1]
        half_m = away_m * math.tan(math.radians(self.setting.half_angle_deg)) * spread
        return self.setting.camera.position_m[0] + float(rng.uniform(-half_m, half_m)), y_m

    def _is_free(self, model: int, x_m: float, y_m: float, factor: float, gap_share: float) -> bool:
        shape, setting = self.models[model].shape, self.setting
        radius_m = shape.radius_m * factor
        if setting.is_shading(x_m, y_m, shape.height_m * factor, radius_m):
            return False
        if setting.relief.track is not None:
            at = setting.relief.track(np.array([x_m]), np.array([y_m]))
            if float(at[0]) > 0.02:
                return False
        if setting.relief.shore_y_m is not None and y_m > setting.relief.shore_y_m - 2.0:
            return False
        if setting.is_behind_main(x_m, y_m):
            return False
        own_m = setting.main_radius_m + radius_m * 0.8 + 0.4
        if math.hypot(x_m, y_m) < own_m:
            return False
        return all(
            math.hypot(x_m - x, y_m - y) > gap_share * (radius_m + r) for x, y, r in self.taken
        )
