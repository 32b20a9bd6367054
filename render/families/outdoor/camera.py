"""Where a photographer stands outdoors: low or at eye height, the horizon on a third."""

import math

import numpy as np

from render.families.craft.layout import f_number_for_depth
from render.families.craft.props import Prop
from render.scene import SENSOR_LONG_SIDE_MM, CameraPose

_FOCAL_LENGTHS_MM = (28.0, 85.0)
_HEIGHTS_M = (0.35, 1.7)  # kneeling, standing
_LOWEST_SHARE = 0.88  # of the frame, from its top, where the object's foot may be


def outdoor_camera_rand(
    rng: np.random.Generator, main: Prop, width_px: int, height_px: int
) -> CameraPose:
    """Draw a camera on the -y side that frames the main object, which stands at the origin."""
    long_px = max(width_px, height_px)
    frame_height = SENSOR_LONG_SIDE_MM * height_px / long_px
    aspect = width_px / height_px
    low_mm, high_mm = _FOCAL_LENGTHS_MM
    focal_length_mm = float(round(low_mm * (high_mm / low_mm) ** float(rng.random())))
    tall_m = main.shape.height_m
    frame_m = max(
        tall_m / float(rng.uniform(0.34, 0.54)),
        2.0 * main.shape.radius_m / float(rng.uniform(0.42, 0.62)) / aspect,
    )
    # Not so close that the perspective of a wide lens bends the object.
    closest_m = max(1.5, 3.2 * main.shape.radius_m)
    focal_length_mm = max(focal_length_mm, float(round(closest_m * frame_height / frame_m)))
    distance_m = frame_m * focal_length_mm / frame_height
    horizon_share = float(rng.uniform(0.22, 0.36))  # from the top of the frame
    foot_share = float(rng.uniform(0.68, 0.82))
    low_m, high_m = _HEIGHTS_M
    height_m = min(max((foot_share - horizon_share) * frame_m, low_m), high_m)
    # Where the camera cannot stand high enough, it tilts down more instead.
    horizon_share = min(horizon_share, _LOWEST_SHARE - height_m / frame_m)
    top_share = horizon_share + (height_m - tall_m) / frame_m
    if top_share < 0.07:
        horizon_share += 0.07 - top_share
    look_z_m = height_m - (0.5 - horizon_share) * frame_m
    x_m = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(0.04, 0.15)) * frame_m * aspect
    position = (x_m, -distance_m, height_m)
    look_at = (x_m, 0.0, look_z_m)
    axis = np.subtract(look_at, position) / math.dist(look_at, position)
    focus_m = float(axis @ (np.array([0.0, 0.0, 0.5 * tall_m]) - position))
    focus_m -= 0.35 * main.shape.radius_m
    sharp_m = 2.0 * main.shape.radius_m * float(rng.uniform(0.6, 2.6))
    f_number = min(max(f_number_for_depth(sharp_m, focus_m, focal_length_mm), 2.8), 11.0)
    return CameraPose(position, look_at, focal_length_mm, f_number, focus_m)


def half_angle_deg(camera: CameraPose, width_px: int, height_px: int) -> float:
    """Return half of the horizontal angle of view."""
    half_mm = 0.5 * SENSOR_LONG_SIDE_MM * width_px / max(width_px, height_px)
    return math.degrees(math.atan(half_mm / camera.focal_length_mm))


def nearest_ground_m(camera: CameraPose, width_px: int, height_px: int) -> float:
    """Return how far from the camera's foot the ground enters the frame."""
    half_mm = 0.5 * SENSOR_LONG_SIDE_MM * height_px / max(width_px, height_px)
    drop = math.atan2(
        camera.position_m[2] - camera.look_at_m[2], camera.look_at_m[1] - camera.position_m[1]
    )
    below = drop + math.atan(half_mm / camera.focal_length_mm)
    return camera.position_m[2] / math.tan(below) if below > 0.02 else 50.0 * camera.position_m[2]
