"""Measure poses again: an object's from its own coordinates, a camera's from what it sees.

Nothing here is given what was set, and no Blender is in here. Legend: N pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import ReadoutError
from cat_dataset.records import Reading

Points = NDArray[np.float64]

_MIN_OBJECT_PX = 12
_MIN_CAMERA_PX = 60


@dataclass(frozen=True)
class PosePoints:
    """Where an object's visible surface is, in its own space and in the world, metres."""

    own_N3: Points
    world_N3: Points


@dataclass(frozen=True)
class Similarity:
    """world = scale * rotation @ own + shift, with the standard error of one coordinate."""

    rotation: Points  # (3, 3)
    shift_m: Points  # (3,): where the object's origin is
    scale: float
    residual_m: float  # root mean square
    spread_m: float  # of the own points about their mean, root mean square, world size
    num_px: int


def similarity(points: PosePoints) -> Similarity:
    """Return the pose that maps an object's own space to the world.

    Source: Umeyama 1991, least squares over rotation, uniform scale and shift.

    Raises:
        ReadoutError: too few pixels show the object.
    """
    if len(points.own_N3) < _MIN_OBJECT_PX:
        msg = (
            f"pose: the object covers {len(points.own_N3)} pixels, at least {_MIN_OBJECT_PX} "
            f"are needed to measure it; render larger or bring it into the frame"
        )
        raise ReadoutError(msg)
    own_mean, world_mean = points.own_N3.mean(axis=0), points.world_N3.mean(axis=0)
    own, world = points.own_N3 - own_mean, points.world_N3 - world_mean
    left, singular, right = np.linalg.svd(world.T @ own)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = left @ np.diag(signs) @ right
    own_2 = float((own**2).sum())
    scale = float((singular * signs).sum()) / own_2
    residual = world - scale * own @ rotation.T
    return Similarity(
        rotation,
        world_mean - scale * rotation @ own_mean,
        scale,
        math.sqrt(float((residual**2).sum()) / residual.size),
        scale * math.sqrt(own_2 / len(own)),
        len(own),
    )


def turn_deg(source: PosePoints, target: PosePoints) -> Reading:
    """Return by how much an object was turned about the vertical, counter-clockwise from above.

    Raises:
        ReadoutError: too few pixels show the object.
    """
    poses = [similarity(points) for points in (source, target)]
    motion = poses[1].rotation @ poses[0].rotation.T
    angle_rad = math.atan2(motion[1, 0] - motion[0, 1], motion[0, 0] + motion[1, 1])
    return Reading(math.degrees(angle_rad), math.degrees(_relative_error(poses)), _num_px(poses))


def growth_log2(source: PosePoints, target: PosePoints) -> Reading:
    """Return the log2 ratio of an object's sizes; positive = target larger.

    Raises:
        ReadoutError: too few pixels show the object.
    """
    poses = [similarity(points) for points in (source, target)]
    value = math.log2(poses[1].scale / poses[0].scale)
    return Reading(value, _relative_error(poses) / math.log(2.0), _num_px(poses))


def shift_cm(source: PosePoints, target: PosePoints, direction: Points) -> Reading:
    """Return how far an object's origin moved along a unit direction, in centimetres.

    Raises:
        ReadoutError: too few pixels show the object.
    """
    poses = [similarity(points) for points in (source, target)]
    value = 100.0 * float((poses[1].shift_m - poses[0].shift_m) @ direction)
    error_m = math.hypot(*(p.residual_m / math.sqrt(p.num_px) for p in poses))
    return Reading(value, 100.0 * error_m, _num_px(poses))


def _relative_error(poses: list[Similarity]) -> float:
    """Return the standard error of an angle in radians, or of a ratio."""
    return math.hypot(*(p.residual_m / p.spread_m / math.sqrt(p.num_px) for p in poses))


def _num_px(poses: list[Similarity]) -> int:
    return sum(pose.num_px for pose in poses)


@dataclass(frozen=True)
class SeenPoints:
    """What a camera sees: points of the world and where they lie in the picture."""

    world_N3: Points  # metres
    pixel_N2: Points  # (column, row) of pixel centres
    focal_px: float  # focal length in pixels
    centre_px: tuple[float, float]  # (column, row) of the view axis


@dataclass(frozen=True)
class CameraPlace:
    """Where a camera is, about the point that it looks at; each with its standard error."""

    azimuth_deg: tuple[float, float]
    elevation_deg: tuple[float, float]
    log2_distance: tuple[float, float]
    num_px: int


def camera_place(seen: SeenPoints, pivot_m: Points) -> CameraPlace:
    """Return where a camera stands about `pivot_m`, from the points it sees alone.

    Source: perspective from n points, OpenCV solvePnP. The standard errors come from two halves
    of the points.

    Raises:
        ReadoutError: too few points are seen.
    """
    if len(seen.world_N3) < _MIN_CAMERA_PX:
        msg = (
            f"camera pose: {len(seen.world_N3)} pixels show a surface, at least {_MIN_CAMERA_PX} "
            f"are needed to measure where the camera stands"
        )
        raise ReadoutError(msg)
    place = _spherical(_camera_centre(seen, slice(None)) - pivot_m)
    halves = [_spherical(_camera_centre(seen, slice(n, None, 2)) - pivot_m) for n in (0, 1)]
    errors = [abs(one - other) / 2.0 for one, other in zip(*halves, strict=True)]
    azimuth, elevation, distance = zip(place, errors, strict=True)
    return CameraPlace(azimuth, elevation, distance, len(seen.world_N3))


def _camera_centre(seen: SeenPoints, chosen: slice) -> Points:
    """Return the camera's place in the world; coordinates are centred first, for conditioning."""
    world = np.ascontiguousarray(seen.world_N3[chosen])
    pixel = np.ascontiguousarray(seen.pixel_N2[chosen])
    middle = np.median(world, axis=0)
    column, row = seen.centre_px
    intrinsics = np.array([[seen.focal_px, 0.0, column], [0.0, seen.focal_px, row], [0, 0, 1.0]])
    undistorted = np.zeros(4)
    is_found, turn, shift = cv2.solvePnP(
        world - middle, pixel, intrinsics, undistorted, flags=cv2.SOLVEPNP_SQPNP
    )
    if not is_found:
        msg = "camera pose: the points that it sees admit no pose; the scene is too flat"
        raise ReadoutError(msg)
    turn, shift = cv2.solvePnPRefineLM(world - middle, pixel, intrinsics, undistorted, turn, shift)
    rotation, _ = cv2.Rodrigues(turn)
    centre: Points = (-rotation.T @ shift).ravel() + middle
    return centre


def _spherical(offset_m: Points) -> tuple[float, float, float]:
    distance_m = float(np.linalg.norm(offset_m))
    azimuth_deg = math.degrees(math.atan2(offset_m[1], offset_m[0]))
    return azimuth_deg, math.degrees(math.asin(offset_m[2] / distance_m)), math.log2(distance_m)


def shape_percent(own_N3: Points, rest_N3: Points, delta_N3: Points) -> tuple[float, float]:
    """Return (value, standard error) of a shape key in per cent from where its surface is.

    Least squares of `own - rest` on the key's full displacement, pixel by pixel.

    Raises:
        ReadoutError: the key moves nothing that is seen.
    """
    energy = float((delta_N3**2).sum())
    if len(own_N3) < _MIN_OBJECT_PX or energy <= 0.0:
        msg = "shape key: moves nothing that is seen; another key, or bring it into the frame"
        raise ReadoutError(msg)
    offset = own_N3 - rest_N3
    value = float((offset * delta_N3).sum()) / energy
    residual = offset - value * delta_N3
    error = math.sqrt(float((residual**2).mean()) / energy)
    return 100.0 * value, 100.0 * error
