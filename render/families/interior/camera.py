"""The camera of an interior: at chest height, nearly level, the main object off the centre."""

import numpy as np

from render.families.craft.layout import f_number_for_depth
from render.families.craft.props import Prop
from render.families.interior.floor_plan import View
from render.families.interior.room import Room
from render.scene import SENSOR_LONG_SIDE_MM, CameraPose

_FOCAL_MM = (24.0, 50.0)
_FRAME_M = (1.95, 2.6)  # shorter side of the frame, measured at the main object


def view_rand(
    rng: np.random.Generator, main: Prop, room: Room, width_px: int, height_px: int
) -> View:
    """Draw camera and turn of the room so that main object, window side and corner are in view."""
    side = -1.0 if room.left_m < room.right_m else 1.0  # of the nearer wall
    is_beside = room.window.wall != "back"
    turn_deg = side * float(rng.uniform(10.0, 27.0) if is_beside else rng.uniform(-4.0, 17.0))
    short_side_mm = SENSOR_LONG_SIDE_MM * min(width_px, height_px) / max(width_px, height_px)
    wanted_m = main.shape.height_m / float(rng.uniform(0.32, 0.44))
    frame_m = float(np.clip(wanted_m, *_FRAME_M))
    away_m = float(rng.uniform(2.3, 3.3))
    focal_length_mm = float(round(float(np.clip(away_m * short_side_mm / frame_m, *_FOCAL_MM))))
    away_m = frame_m * focal_length_mm / short_side_mm
    aim_z = frame_m * float(rng.uniform(0.345, 0.39))  # leaves a strip of floor in front
    eye_z = float(np.clip(aim_z + rng.uniform(0.12, 0.36), 1.05, 1.5))
    aim = (side * frame_m * float(rng.uniform(0.08, 0.19)), 0.0, aim_z)
    eye = (aim[0], -away_m, eye_z)
    camera = _focused(rng, main, eye, aim, focal_length_mm)
    return View(camera, turn_deg, width_px / height_px)


def _focused(
    rng: np.random.Generator,
    main: Prop,
    eye: tuple[float, float, float],
    aim: tuple[float, float, float],
    focal_length_mm: float,
) -> CameraPose:
    """Return the camera focused on the near half of the main object."""
    axis = np.subtract(aim, eye) / float(np.linalg.norm(np.subtract(aim, eye)))
    centre = np.array([0.0, 0.0, 0.5 * main.shape.height_m])
    focus_m = float(axis @ (centre - eye)) - 0.3 * main.shape.radius_m
    sharp_m = float(rng.uniform(0.9, 2.4))
    f_number = f_number_for_depth(sharp_m, focus_m, focal_length_mm)
    return CameraPose(eye, aim, focal_length_mm, min(max(f_number, 2.8), 8.0), focus_m)
