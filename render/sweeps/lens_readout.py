"""Measure what a lens and a shutter did, from pixels alone; no Blender in here.

None of these is given what was set. Legend: H, W picture rows and columns.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import ReadoutError
from cat_dataset.imaging.photometry import luminance
from cat_dataset.records import Reading

Linear = NDArray[np.float32]

_MAX_LOG2_ZOOM, _LOG2_ZOOM_STEP = 3.0, 0.02  # the attribute's range; finer than a feature
_SMOOTH_PX = 0.8  # standard deviation of the smoothing before comparison
_PX_PER_SAMPLE = 4.0 * math.pi * _SMOOTH_PX**2  # smoothed pixels repeat their neighbours
_MIN_CORRELATION = 0.5  # below, the two pictures do not show the same object
_NUM_REFINEMENTS = 12
_VARIANCE_STDERR_PX2 = 0.01  # of the variance of a streak's light
_EDGE_PX = 3  # pixels at the border that interpolation spoils


def zoom_log2(source_HW3: Linear, target_HW3: Linear) -> Reading:
    """Return the log2 magnification about the picture's centre; positive = target larger.

    The wider picture is enlarged until it fits the narrower one: best correlation on a grid of
    zooms first, then least squares over zoom, gain and offset (Gauss-Newton).

    Raises:
        ReadoutError: no zoom makes the pictures match.
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
        raise ReadoutError(msg)
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


def aperture_stops_read(source_HW: Linear, target_HW: Linear, pinhole_HW: Linear) -> Reading:
    """Return the change of aperture in stops from pictures of one small bright dot.

    Out of focus the dot becomes the image of the aperture; the second moment of that blur circle
    goes with the aperture's area, 1 / N**2, so its log2 ratio is the change in stops. The moment
    of the dot itself, taken without depth of field, is subtracted. Positive = target darker lens,
    deeper focus. The two picture axes give two readings, whose spread is the standard error.

    Raises:
        ReadoutError: a picture does not show a blurred dot.
    """
    own = _second_moments(pinhole_HW)
    blur_2 = [_second_moments(picture) - own for picture in (source_HW, target_HW)]
    if min(float(blur.min()) for blur in blur_2) <= 0.0:
        msg = "aperture: the test dot is not blurred; its blur circle cannot be measured"
        raise ReadoutError(msg)
    stops = np.log2(blur_2[0] / blur_2[1])
    return Reading(float(stops.mean()), float(abs(stops[0] - stops[1]) / 2.0), source_HW.size)


def _second_moments(picture_HW: Linear) -> NDArray[np.float64]:
    """Return the variance of light along x and y in square pixels, shape (2,)."""
    light = picture_HW.astype(np.float64)
    total = light.sum()
    if total <= 0.0:
        msg = "test dot: it is not in the picture, so its blur cannot be measured"
        raise ReadoutError(msg)
    moments = []
    for axis in (0, 1):
        profile = light.sum(axis=axis) / total
        position = np.arange(profile.size)
        mean = float(profile @ position)
        moments.append(float(profile @ (position - mean) ** 2))
    return np.array(moments)


def focus_dioptres_read(
    nearer_HW: Linear,
    nearest_HW: Linear,
    pinhole_HW: tuple[Linear, Linear],
    dot_dioptres: tuple[float, float],
) -> tuple[float, float]:
    """Return (focus, standard error) in dioptres from two dots, both nearer than the focus.

    Source: thin lens, the blur circle of a dot at distance d is A * |1/d - 1/focus| wide, so the
    ratio of two blurs gives the focus, whatever the aperture A. Second moments go with the square.
    The two picture axes give two readings, whose spread is the standard error.

    Raises:
        ReadoutError: a picture does not show a blurred dot.
    """
    blur = [
        _second_moments(picture) - _second_moments(sharp)
        for picture, sharp in zip((nearer_HW, nearest_HW), pinhole_HW, strict=True)
    ]
    if min(float(b.min()) for b in blur) <= 0.0:
        msg = "focus: a test dot is not blurred; the focus distance cannot be measured"
        raise ReadoutError(msg)
    ratio = np.sqrt(blur[1] / blur[0])
    focus = (ratio * dot_dioptres[0] - dot_dioptres[1]) / (ratio - 1.0)
    return float(focus.mean()), float(abs(focus[0] - focus[1]) / 2.0)


def streak_log2_read(source_HW: Linear, target_HW: Linear, still_HW: Linear) -> Reading:
    """Return the log2 ratio of exposure times from the streaks of one dot that moves evenly.

    The variance of a streak's light along its path goes with the square of the exposure time; that
    of the dot standing still is subtracted. Positive = target exposed longer. The standard error
    assumes a hundredth of a square pixel on every variance.

    Raises:
        ReadoutError: a picture shows no streak.
    """
    own = _path_variance(still_HW)
    lengths = [_path_variance(picture) - own for picture in (source_HW, target_HW)]
    if min(lengths) <= 0.0:
        msg = "shutter: the test dot leaves no streak; the exposure time cannot be measured"
        raise ReadoutError(msg)
    value = 0.5 * math.log2(lengths[1] / lengths[0])
    stderr = (
        0.5 / math.log(2.0) * math.hypot(*(_VARIANCE_STDERR_PX2 / length for length in lengths))
    )
    return Reading(value, stderr, source_HW.size)


def _path_variance(picture_HW: Linear) -> float:
    """Return the variance of light along the longer of its principal directions, square pixels."""
    light = picture_HW.astype(np.float64)
    if light.sum() <= 0.0:
        msg = "shutter: the test dot is not in the picture; its streak cannot be measured"
        raise ReadoutError(msg)
    light /= light.sum()
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float64)
    row, column = float((light * rows).sum()), float((light * columns).sum())
    across = float((light * (columns - column) ** 2).sum())
    down = float((light * (rows - row) ** 2).sum())
    both = float((light * (rows - row) * (columns - column)).sum())
    return 0.5 * (across + down + math.hypot(across - down, 2.0 * both))
