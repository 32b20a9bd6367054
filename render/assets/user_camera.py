"""The camera of a scene that somebody else made, as a full-frame camera that shows the same.

A sensor of another size becomes 36 mm on the long side: lens and f-number grow with it, so that
field of view and blur stay. Where the picture's shape is not the file's, the view along its
longer side stays.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix, Vector

from cat_dataset.errors import SceneError
from render.scene import SENSOR_LONG_SIDE_MM, CameraPose

F_NUMBER_WITHOUT_DOF = 16.0  # of files that render everything sharp
_MIN_DISTANCE_M = 0.02
_DEFAULT_CLIP_M, _NEAR_CLIP_M = 0.1, 0.01  # Blender's, and what the lens probes need
_SAME = 1e-4  # relative


@dataclass(frozen=True)
class FileView:
    """How a file frames its picture, before it is rendered at our size."""

    width: float  # of the file's picture, with its pixels' shape
    height: float


def find_camera(scene: Any, path: Path) -> Any:
    """Return the active camera of a scene.

    Raises:
        SceneError: there is none, or it has no focal length.
    """
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        msg = (
            f"{path}: scene '{scene.name}' has no active camera; add one, or select it and choose "
            f"View > Cameras > Set Active Object as Camera, and save"
        )
        raise SceneError(msg)
    if camera.data.type != "PERSP":
        msg = (
            f"{path}: camera '{camera.name}' is of type {camera.data.type}, edits of the focal "
            f"length need PERSP; set Lens > Type to Perspective"
        )
        raise SceneError(msg)
    return camera


def file_view(scene: Any) -> FileView:
    """Return the shape of the picture a file asks for; call before anything is overridden."""
    render = scene.render
    return FileView(
        render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y
    )


def long_side_mm(data: Any, view: FileView) -> float:
    """Return how much of the sensor the longer side of the picture covers."""
    longer = max(view.width, view.height)
    if data.sensor_fit == "HORIZONTAL":
        return float(data.sensor_width * longer / view.width)
    if data.sensor_fit == "VERTICAL":
        return float(data.sensor_height * longer / view.height)
    return float(data.sensor_width)


def make_full_frame(camera: Any, view: FileView) -> list[str]:
    """Give a camera (mutated) a full-frame sensor and a pose of its own; returns notes."""
    data, notes = camera.data, []
    enlarge = SENSOR_LONG_SIDE_MM / long_side_mm(data, view)
    if abs(enlarge - 1.0) > _SAME:
        notes.append(f"camera: sensor of {SENSOR_LONG_SIDE_MM / enlarge:.4g} mm as full frame")
    if max(abs(data.shift_x), abs(data.shift_y)) > _SAME:
        notes.append(f"camera: shift {data.shift_x:.3g}, {data.shift_y:.3g} removed")
    data.shift_x = data.shift_y = 0.0
    lens_mm = data.lens * enlarge
    data.sensor_fit, data.sensor_width = "AUTO", SENSOR_LONG_SIDE_MM
    data.lens = lens_mm
    data.dof.aperture_fstop *= enlarge  # the same opening in metres
    if data.clip_start < 1.01 * _DEFAULT_CLIP_M:  # a larger one looks through a wall on purpose
        data.clip_start = min(data.clip_start, _NEAR_CLIP_M)
    _free_pose(camera)
    return notes


def focus_camera(camera: Any, target_m: Vector) -> tuple[CameraPose, list[str]]:
    """Turn a camera's depth of field (mutated) on; returns its pose and notes.

    It looks at the point of its axis that is as far away as `target_m`, the middle of the main
    object. Where the file renders everything sharp, that is also where it focuses.
    """
    pose, dof, notes = camera.matrix_world, camera.data.dof, []
    axis = pose.to_3x3() @ Vector((0.0, 0.0, -1.0))
    depth_m = max((target_m - pose.translation).dot(axis), _MIN_DISTANCE_M)
    if not dof.use_dof:
        dof.use_dof, dof.focus_object = True, None
        dof.focus_distance, dof.aperture_fstop = depth_m, F_NUMBER_WITHOUT_DOF
        notes.append(f"depth_of_field: off -> f/{F_NUMBER_WITHOUT_DOF:g} at {depth_m:.3g} m")
    if dof.focus_object is not None:
        away = dof.focus_object.matrix_world.translation - pose.translation
        dof.focus_distance = max(away.dot(axis), _MIN_DISTANCE_M)
        dof.focus_object = None
    return _pose(camera, axis, depth_m), notes


def _pose(camera: Any, axis: Vector, depth_m: float) -> CameraPose:
    x, y, z = camera.matrix_world.translation
    aim_x, aim_y, aim_z = camera.matrix_world.translation + axis * depth_m
    data = camera.data
    return CameraPose(
        (x, y, z),
        (aim_x, aim_y, aim_z),
        float(data.lens),
        float(data.dof.aperture_fstop),
        float(data.dof.focus_distance),
    )


def _free_pose(camera: Any) -> None:
    """Free a camera (mutated) from parents and scale."""
    place, turn, _ = camera.matrix_world.decompose()
    camera.parent = None
    camera.delta_location = camera.delta_rotation_euler = (0.0, 0.0, 0.0)
    camera.delta_rotation_quaternion, camera.delta_scale = (1.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    camera.matrix_world = Matrix.LocRotScale(place, turn, None)
    bpy.context.view_layer.update()
