"""Measure the scale of a rendered edit again from pixels; no Blender in here.

None of these is told what was set. Legend: H, W picture rows and columns; N pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from cat_dataset.photometry import luminance
from cat_dataset.records import Reading

Linear = NDArray[np.float32]
Points = NDArray[np.float64]

_MAX_LOG2_ZOOM, _LOG2_ZOOM_STEP = 3.0, 0.02  # the attribute's range; finer than a feature
_SMOOTH_PX = 0.8  # standard deviation of the smoothing before comparison
_PX_PER_SAMPLE = 4.0 * math.pi * _SMOOTH_PX**2  # smoothed pixels repeat their neighbours
_MIN_CORRELATION = 0.5  # below, the two pictures do not show the same thing
_NUM_REFINEMENTS = 12
_EDGE_PX = 3  # pixels at the border that interpolation spoils
_MIN_OBJECT_PX = 12


def zoom_log2(source_HW3: Linear, target_HW3: Linear) -> Reading:
    """Return the log2 magnification about the picture's centre; positive = target larger.

    The wider picture is enlarged until it fits the narrower one: best correlation on a grid of
    zooms first, then least squares over zoom, gain and offset (Gauss-Newton).

    Raises:
        SceneError: no zoom makes the pictures match.
    """
    source, target = (_flat_tones(picture) for picture in (source_HW3, target_HW3))
    grid = np.arange(-_MAX_LOG2_ZOOM, _MAX_LOG2_ZOOM + 1e-9, _LOG2_ZOOM_STEP)
    scores = [_zoom_score(source, target, float(zoom)) for zoom in grid]
    best = int(np.argmax(scores))
    if scores[best] < _MIN_CORRELATION:
        msg = (
            f"magnification: the pictures correlate by {scores[best]:.2f} at best, at least "
            f"{_MIN_CORRELATION} is needed to measure it; the scene has too little texture"
        )
        raise SceneError(msg)
    if grid[best] >= 0.0:
        return _refined_zoom(source, target, float(grid[best]))
    reading = _refined_zoom(target, source, -float(grid[best]))
    return Reading(-reading.value, reading.stderr, reading.num_px)


def _flat_tones(picture_HW3: Linear) -> NDArray[np.float64]:
    """Return log luminance, a little smoothed: highlights do not outweigh the rest."""
    light = luminance(picture_HW3).astype(np.float64)
    tones = np.log2(np.maximum(light, 0.0) + 0.05 * float(light.mean()) + 1e-9)
    return np.asarray(cv2.GaussianBlur(tones, (0, 0), _SMOOTH_PX), np.float64)


def _enlarged(picture_HW: NDArray[np.float64], log2_zoom: float) -> NDArray[np.float64]:
    """Return the picture magnified about its centre, same size."""
    height, width = picture_HW.shape
    factor = 2.0**log2_zoom
    shift_x, shift_y = (1.0 - factor) * (width - 1) / 2.0, (1.0 - factor) * (height - 1) / 2.0
    matrix = np.array([[factor, 0.0, shift_x], [0.0, factor, shift_y]])
    enlarged = cv2.warpAffine(
        picture_HW, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(enlarged, np.float64)


def _zoom_score(
    source_HW: NDArray[np.float64], target_HW: NDArray[np.float64], log2_zoom: float
) -> float:
    """Return the correlation where the wider picture is enlarged to the narrower one."""
    wide, narrow = (source_HW, target_HW) if log2_zoom >= 0.0 else (target_HW, source_HW)
    enlarged = _enlarged(wide, abs(log2_zoom))
    inner = (slice(_EDGE_PX, -_EDGE_PX),) * 2
    return float(np.corrcoef(enlarged[inner].ravel(), narrow[inner].ravel())[0, 1])


def _refined_zoom(
    wide_HW: NDArray[np.float64], narrow_HW: NDArray[np.float64], log2_zoom: float
) -> Reading:
    """Return the least-squares zoom near a first guess, with its standard error."""
    inner, step = (slice(_EDGE_PX, -_EDGE_PX),) * 2, 1e-3
    observed = narrow_HW[inner].ravel()
    for _ in range(_NUM_REFINEMENTS):
        here = _enlarged(wide_HW, log2_zoom)[inner].ravel()
        slope = (
            _enlarged(wide_HW, log2_zoom + step) - _enlarged(wide_HW, max(log2_zoom - step, 0.0))
        )[inner].ravel() / (step + min(step, log2_zoom))
        design = np.stack([slope, here, np.ones_like(here)], axis=1)
        solution, _, _, _ = np.linalg.lstsq(design, observed, rcond=None)
        log2_zoom = max(log2_zoom + float(np.clip(solution[0] / solution[1], -0.02, 0.02)), 0.0)
    residual = observed - design @ solution
    variance = _PX_PER_SAMPLE * float((residual**2).mean()) * np.linalg.inv(design.T @ design)[0, 0]
    return Reading(log2_zoom, math.sqrt(variance) / abs(float(solution[1])), observed.size)


@dataclass(frozen=True)
class PosePoints:
    """Where an object's visible surface is, in its own space and in the world, metres."""

    own_N3: Points
    world_N3: Points


def turn_deg(source: PosePoints, target: PosePoints) -> Reading:
    """Return by how much an object was turned about the vertical, counter-clockwise from above.

    The best rigid motion from the object's own space to the world is its pose in a picture.

    Raises:
        SceneError: too few pixels show the object.
    """
    source_pose, source_error_rad = _rigid_rotation(source)
    target_pose, target_error_rad = _rigid_rotation(target)
    motion = target_pose @ source_pose.T
    angle_rad = math.atan2(motion[1, 0] - motion[0, 1], motion[0, 0] + motion[1, 1])
    stderr_rad = math.hypot(source_error_rad, target_error_rad)
    num_px = len(source.own_N3) + len(target.own_N3)
    return Reading(math.degrees(angle_rad), math.degrees(stderr_rad), num_px)


def _rigid_rotation(points: PosePoints) -> tuple[NDArray[np.float64], float]:
    """Return the rotation from own to world space, and its standard error in radians.

    Source: Kabsch 1976.
    """
    if len(points.own_N3) < _MIN_OBJECT_PX:
        msg = (
            f"rotation: the object covers {len(points.own_N3)} pixels, at least {_MIN_OBJECT_PX} "
            f"are needed to measure its pose; render larger"
        )
        raise SceneError(msg)
    own = points.own_N3 - points.own_N3.mean(axis=0)
    world = points.world_N3 - points.world_N3.mean(axis=0)
    left, _, right = np.linalg.svd(world.T @ own)
    sign = np.sign(np.linalg.det(left @ right))
    matrix = left @ np.diag([1.0, 1.0, sign]) @ right
    residual = world - own @ matrix.T
    error_rad = math.sqrt(float((residual**2).sum()) / float((own[:, :2] ** 2).sum()) / len(own))
    return matrix, error_rad


def aperture_stops_read(source_HW: Linear, target_HW: Linear, pinhole_HW: Linear) -> Reading:
    """Return the change of aperture in stops from pictures of one small bright dot.

    Out of focus the dot becomes the image of the aperture; the second moment of that blur circle
    goes with the aperture's area, 1 / N**2, so its log2 ratio is the change in stops. The moment
    of the dot itself, taken without depth of field, is subtracted. Positive = target darker lens,
    deeper focus. The two picture axes give two readings, whose spread is the standard error.

    Raises:
        SceneError: a picture does not show a blurred dot.
    """
    own = _second_moments(pinhole_HW)
    blur_2 = [_second_moments(picture) - own for picture in (source_HW, target_HW)]
    if min(float(blur.min()) for blur in blur_2) <= 0.0:
        msg = "aperture: the test dot is not blurred; its blur circle cannot be measured"
        raise SceneError(msg)
    stops = np.log2(blur_2[0] / blur_2[1])
    return Reading(float(stops.mean()), float(abs(stops[0] - stops[1]) / 2.0), source_HW.size)


def _second_moments(picture_HW: Linear) -> NDArray[np.float64]:
    """Return the variance of light along x and y in square pixels, shape (2,)."""
    light = picture_HW.astype(np.float64)
    total = light.sum()
    if total <= 0.0:
        msg = "aperture: the test dot is not in the picture; its blur circle cannot be measured"
        raise SceneError(msg)
    moments = []
    for axis in (0, 1):
        profile = light.sum(axis=axis) / total
        position = np.arange(profile.size)
        mean = float(profile @ position)
        moments.append(float(profile @ (position - mean) ** 2))
    return np.array(moments)
