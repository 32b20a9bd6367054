"""Where objects stand and where the camera is: rules a photographer would accept.

The camera stands on the -y side of the main object, which is at the origin, and looks towards +y.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from render.families.craft.props import Prop
from render.scene import CIRCLE_OF_CONFUSION_MM, SENSOR_LONG_SIDE_MM, CameraPose

F_NUMBERS = (2.0, 2.2, 2.5, 2.8, 3.2, 3.5, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0, 10.0, 11.0)
_GAP_M = 0.008  # between two objects
_MAX_TRIES = 60


@dataclass(frozen=True)
class Placed:
    """A prop on the table."""

    prop: Prop
    x_m: float
    y_m: float
    heading_deg: float  # turn about its own axis, counter-clockwise seen from above


@dataclass(frozen=True)
class TableEdge:
    """The back edge of the table, or the wall it stands at: a line across the view."""

    depth_m: float  # from the main object
    turn_deg: float  # about z

    def clearance_m(self, spot: Placed) -> float:
        """Return how far an object stays in front of the edge; negative = beyond."""
        turn = math.radians(self.turn_deg)
        depth_m = spot.y_m * math.cos(turn) - spot.x_m * math.sin(turn)
        return self.depth_m - depth_m - spot.prop.shape.radius_m


def camera_rand(
    rng: np.random.Generator, main: Prop, tallest_m: float, width_px: int, height_px: int
) -> CameraPose:
    """Draw a camera that frames the main object and focuses on its front; the far side softens."""
    short_side_mm = SENSOR_LONG_SIDE_MM * min(width_px, height_px) / max(width_px, height_px)
    focal_length_mm = round(float(np.exp(rng.uniform(math.log(42.0), math.log(80.0)))))
    extent_m = max(main.shape.height_m, 1.5 * main.shape.radius_m)
    frame_m = max(extent_m / float(rng.uniform(0.4, 0.56)), 0.75 * tallest_m, 0.18)
    distance_m = frame_m * focal_length_mm / short_side_mm
    elevation = math.radians(float(rng.uniform(9.0, 31.0)))
    look_at = (
        float(rng.uniform(-0.12, 0.12)) * frame_m,
        0.0,
        main.shape.height_m * 0.45 + frame_m * float(rng.uniform(-0.02, 0.08)),
    )
    position = (
        look_at[0],
        -distance_m * math.cos(elevation),
        look_at[2] + distance_m * math.sin(elevation),
    )
    axis = np.subtract(look_at, position) / distance_m
    centre = np.array([0.0, 0.0, main.shape.height_m * 0.5])
    focus_m = float(axis @ (centre - position)) - 0.35 * main.shape.radius_m
    sharp_m = main.shape.radius_m * float(rng.uniform(0.3, 0.9))
    return CameraPose(
        position,
        look_at,
        float(focal_length_mm),
        f_number_for_depth(sharp_m, focus_m, focal_length_mm),
        focus_m,
    )


def f_number_for_depth(sharp_m: float, focus_m: float, focal_length_mm: float) -> float:
    """Return the camera's f-number whose depth of field comes closest to `sharp_m`.

    Source: depth of field = 2 N c d**2 / f**2, far below the hyperfocal distance.

    >>> f_number_for_depth(0.1, 1.0, 50.0)
    4.0
    """
    wanted = sharp_m * 1e3 * focal_length_mm**2
    wanted /= 2.0 * CIRCLE_OF_CONFUSION_MM * (focus_m * 1e3) ** 2
    return min(F_NUMBERS, key=lambda f_number: abs(math.log(f_number / wanted)))


def arrange_rand(
    rng: np.random.Generator,
    main: Prop,
    extras: Sequence[Prop],
    camera: CameraPose,
    aspect: float,
    edge: TableEdge,
) -> tuple[Placed, ...]:
    """Draw places: the main object at the origin, the others around it, none touching or hiding it.

    `aspect` is width over height of the frame. A prop that finds no place in some tries is left
    out.
    """
    placed = [Placed(main, 0.0, 0.0, float(rng.uniform(-50.0, 50.0)))]
    for extra in extras:
        for _ in range(_MAX_TRIES):
            spot = _spot_rand(rng, extra, camera, aspect, edge.depth_m)
            is_on_table = edge.clearance_m(spot) > _GAP_M
            if is_on_table and _is_free(spot, placed) and not _hides(spot, placed[0], camera):
                placed.append(spot)
                break
    return tuple(placed)


def _spot_rand(
    rng: np.random.Generator, prop: Prop, camera: CameraPose, aspect: float, depth_m: float
) -> Placed:
    """Draw a place inside the field of view, most of them behind the main object."""
    half_angle = SENSOR_LONG_SIDE_MM / 2.0 / camera.focal_length_mm * min(aspect, 1.0)
    reach_m = camera.distance_m
    far_m = min(0.9 * reach_m, depth_m - prop.shape.radius_m)
    y_m = float(rng.triangular(-0.28 * reach_m, 0.25 * far_m, far_m))
    half_width_m = half_angle * (reach_m + y_m)
    x_m = float(rng.uniform(-0.95, 0.95)) * half_width_m + camera.look_at_m[0]
    return Placed(prop, x_m, y_m, float(rng.uniform(-65.0, 65.0)))


def _is_free(spot: Placed, placed: Sequence[Placed]) -> bool:
    return all(
        math.hypot(spot.x_m - other.x_m, spot.y_m - other.y_m)
        > spot.prop.shape.radius_m + other.prop.shape.radius_m + _GAP_M
        for other in placed
    )


def _hides(spot: Placed, main: Placed, camera: CameraPose) -> bool:
    """Whether an object stands between the camera and the main object, and is not low."""
    if spot.y_m > 0.0:
        return False
    nearer = camera.distance_m / max(camera.distance_m + spot.y_m, 0.05)
    beside = abs(spot.x_m) * nearer
    is_low = spot.prop.shape.height_m * nearer < 0.3 * main.prop.shape.height_m
    return not is_low and beside < spot.prop.shape.radius_m * nearer + main.prop.shape.radius_m
