"""The axes along which a built scene is rendered anew: how each is set, and put back.

An axis opens as a context manager that yields a function of the absolute value; on leaving, the
scene is as it was built. Directions: azimuths and turns are counter-clockwise seen from above.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy
from mathutils import Matrix, Vector

from cat_dataset.imaging.photometry import extinction_per_m
from render.scene import BuiltScene

Put = Callable[[float], BuiltScene]  # takes an absolute value; returns the scene as it then is
SHUTTER_FPS = 24
_BLUR_SHARE_PER_S = 1.2  # of the frame's width that the moving object crosses in a second
_CHANNELS = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")
_KEY_FRAMES = 24.0  # before and after the exposure; one second at SHUTTER_FPS


@contextmanager
def f_number(built: BuiltScene) -> Iterator[Put]:
    """Blender holds the brightness when the aperture changes, as a camera does by its shutter."""
    with _setting(built.render_camera.data.dof, "aperture_fstop") as put:
        yield lambda value: put(value, built)


@contextmanager
def focal_length(built: BuiltScene) -> Iterator[Put]:
    """The camera stays where it is, and so does the f-number."""
    with _setting(built.render_camera.data, "lens") as put:
        yield lambda value: put(value, built)


@contextmanager
def focus_distance(built: BuiltScene) -> Iterator[Put]:
    """Along the view axis."""
    with _setting(built.render_camera.data.dof, "focus_distance") as put:
        yield lambda value: put(value, built)


@contextmanager
def _setting(owner: Any, name: str) -> Iterator[Callable[[float, BuiltScene], BuiltScene]]:
    before = getattr(owner, name)

    def put(value: float, built: BuiltScene) -> BuiltScene:
        setattr(owner, name, value)
        return built

    try:
        yield put
    finally:
        setattr(owner, name, before)


@contextmanager
def _pose(obj: Any) -> Iterator[Callable[[Matrix], None]]:
    """Yield a function that puts an object into the world by a motion applied to its own pose."""
    bpy.context.view_layer.update()
    before = obj.matrix_world.copy()
    channels = {name: tuple(getattr(obj, name)) for name in _CHANNELS}

    def move(motion: Matrix) -> None:
        obj.matrix_world = motion @ before

    try:
        yield move
    finally:
        for name, value in channels.items():  # a matrix would be taken apart and rounded anew
            setattr(obj, name, value)


def _about(point: Vector, motion: Matrix) -> Matrix:
    return Matrix.Translation(point) @ motion @ Matrix.Translation(-point)


def base_point(obj: Any) -> Vector:
    """Return where an object stands: its origin, at the height of its lowest point."""
    bpy.context.view_layer.update()
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    origin = obj.matrix_world.translation
    return Vector((origin.x, origin.y, min(corner.z for corner in corners)))


@contextmanager
def object_rotation(built: BuiltScene) -> Iterator[Put]:
    """Turn about the vertical through the object's own origin."""
    with _pose(built.main_object) as move:
        pivot = base_point(built.main_object)

        def put(angle_deg: float) -> BuiltScene:
            move(_about(pivot, Matrix.Rotation(math.radians(angle_deg), 4, "Z")))
            return built

        yield put


@contextmanager
def object_translation(built: BuiltScene) -> Iterator[Put]:
    """Move level, along the picture; centimetres from the drawn place, right is positive."""
    right = camera_right(built)
    with _pose(built.main_object) as move:

        def put(offset_cm: float) -> BuiltScene:
            move(Matrix.Translation(right * (offset_cm / 100.0)))
            return built

        yield put


@contextmanager
def object_scale(built: BuiltScene) -> Iterator[Put]:
    """Grow from the base; 100 % is the drawn size."""
    with _pose(built.main_object) as move:
        pivot = base_point(built.main_object)

        def put(percent: float) -> BuiltScene:
            move(_about(pivot, Matrix.Scale(percent / 100.0, 4)))
            return built

        yield put


def camera_right(built: BuiltScene) -> Vector:
    """Return the level unit vector to the right of the camera as drawn."""
    view = Vector(built.camera.look_at_m) - Vector(built.camera.position_m)
    return Vector((view.y, -view.x, 0.0)).normalized()


@contextmanager
def _orbit(built: BuiltScene) -> Iterator[Callable[[float, float, float], BuiltScene]]:
    """Yield a function of azimuth and elevation differences in degrees, and a distance in metres.

    The camera keeps looking at its point, and its focus follows the distance.
    """
    camera, dof = built.render_camera, built.render_camera.data.dof
    pivot = Vector(built.camera.look_at_m)
    focus_m, right = dof.focus_distance, camera_right(built)
    with _pose(camera) as move:

        def put(azimuth_deg: float, elevation_deg: float, distance_m: float) -> BuiltScene:
            tilt = Matrix.Rotation(-math.radians(elevation_deg), 4, right)
            turn = Matrix.Rotation(math.radians(azimuth_deg), 4, "Z")
            away_m = distance_m - built.camera.distance_m
            outward = (Vector(built.camera.position_m) - pivot).normalized()
            move(_about(pivot, turn @ tilt) @ Matrix.Translation(outward * away_m))
            dof.focus_distance = max(focus_m + away_m, 0.01)
            return built

        try:
            yield put
        finally:
            dof.focus_distance = focus_m


@contextmanager
def camera_azimuth(built: BuiltScene) -> Iterator[Put]:
    """Orbit about the vertical through the point the camera looks at; 0 = as drawn."""
    with _orbit(built) as put:
        yield lambda angle_deg: put(angle_deg, 0.0, built.camera.distance_m)


@contextmanager
def camera_elevation(built: BuiltScene) -> Iterator[Put]:
    """Orbit up and down; degrees above the point the camera looks at."""
    own_deg = built.camera.elevation_deg
    with _orbit(built) as put:
        yield lambda angle_deg: put(0.0, angle_deg - own_deg, built.camera.distance_m)


@contextmanager
def camera_distance(built: BuiltScene) -> Iterator[Put]:
    """Come closer or step back along the view axis, in metres."""
    with _orbit(built) as put:
        yield lambda distance_m: put(0.0, 0.0, distance_m)


def passing_speed_m_per_s(built: BuiltScene) -> float:
    """Return how fast the main object passes through its place in a sweep of exposure times."""
    return _BLUR_SHARE_PER_S * built.camera.distance_m * built.camera.frame_width_rad


@contextmanager
def shutter(built: BuiltScene) -> Iterator[Put]:
    """The main object passes through its place from left to right while the shutter is open."""
    scene, obj = built.scene, built.main_object
    reach = camera_right(built) * (passing_speed_m_per_s(built) * _KEY_FRAMES / SHUTTER_FPS)
    before = obj.location.copy()
    to_parent = obj.matrix_parent_inverse.inverted() if obj.parent else Matrix()
    step = to_parent.to_3x3() @ reach
    centre = scene.frame_current
    edit = bpy.context.preferences.edit
    edit.keyframe_new_interpolation_type = "LINEAR"
    for sign in (-1.0, 1.0):
        obj.location = before + sign * step
        obj.keyframe_insert("location", frame=centre + sign * _KEY_FRAMES)
    scene.render.fps, scene.render.motion_blur_position = SHUTTER_FPS, "CENTER"
    scene.render.use_motion_blur = True
    scene.cycles.rolling_shutter_type = "NONE"
    obj.cycles.use_motion_blur = True
    for point in scene.render.motion_blur_shutter_curve.curves[0].points:
        point.location = (point.location[0], 1.0)  # open all the time, as the streak is read
    scene.render.motion_blur_shutter_curve.update()
    scene.frame_set(centre)

    def put(exposure_time_s: float) -> BuiltScene:
        scene.render.motion_blur_shutter = exposure_time_s * SHUTTER_FPS
        return built

    try:
        yield put
    finally:
        scene.render.use_motion_blur = False
        obj.animation_data_clear()
        obj.location = before


@contextmanager
def _sun(built: BuiltScene) -> Iterator[Callable[[float, float], BuiltScene]]:
    """Yield a function of elevation and azimuth; the sunlight's colour follows its height."""
    sun = built.sun
    assert sun is not None, "the axis is opened only where there is a sun"
    name = sun.lamp.lightgroup

    def put(elevation_deg: float, azimuth_deg: float) -> BuiltScene:
        return built.with_lamp_cct(name, sun.move(elevation_deg, azimuth_deg))

    own = (sun.elevation_deg, sun.azimuth_deg)
    try:
        yield put
    finally:
        sun.move(*own)


@contextmanager
def sun_elevation(built: BuiltScene) -> Iterator[Put]:
    """Degrees above the horizon."""
    with _sun(built) as put:
        yield lambda angle_deg: put(angle_deg, built.sun.azimuth_deg if built.sun else 0.0)


@contextmanager
def sun_azimuth(built: BuiltScene) -> Iterator[Put]:
    """Degrees counter-clockwise from +x."""
    with _sun(built) as put:
        yield lambda angle_deg: put(built.sun.elevation_deg if built.sun else 0.0, angle_deg)


@contextmanager
def shape_key(built: BuiltScene) -> Iterator[Put]:
    """Per cent of the edited shape key; the others stay."""
    name = built.edited_shape_key
    assert name is not None, "the axis is opened only where there is a shape key"
    block = built.main_object.data.shape_keys.key_blocks[name]
    before = block.value

    def put(percent: float) -> BuiltScene:
        block.value = percent / 100.0
        return built

    try:
        yield put
    finally:
        block.value = before


@contextmanager
def fog_density(built: BuiltScene) -> Iterator[Put]:
    """Visibility in metres, after Koschmieder."""
    fog = built.fog
    assert fog is not None, "the axis is opened only where there is fog"

    def put(visibility_m: float) -> BuiltScene:
        fog.set(extinction_per_m(visibility_m))
        return built

    try:
        yield put
    finally:
        fog.reset()
