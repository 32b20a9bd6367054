"""Carry an edit made on a small picture over to the full one, as gains of light that follow edges.

A fast guided filter: in every window of the small picture the gain is fitted as a line in the
source's log light; the lines are enlarged, not the gain, so edges stay sharp and patch borders
vanish. Source: He and Sun, Fast Guided Filter, 1505.00996.

Arrays are float32 (H, W, 3); gains and log light in stops.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.batches import Linear, resize_area
from train.model.log_light import LIGHT_FLOOR

Stops = NDArray[np.float32]
_WINDOW_PX = 9  # a patch and a pixel of the small picture, so its borders do not show
_NUM_CORRECTIONS = 2  # of what the windows smoothed away; the first takes two thirds of it
_FLATNESS_STOPS2 = 0.02  # variance of log light below which a window counts as flat


def enlarged_gain(small_HW3: Linear, small_gain_HW3: Stops, full_HW3: Linear) -> Stops:
    """Return the gain of a full picture that gives what was made of its small version.

    The transfer keeps edges but smooths within its windows, which would weaken a lamp by a tenth
    of its change: so what the edited full picture lacks, seen at the small size, is added. At the
    small size itself the gain is the small one.
    """
    full_gain_HW3 = transfer_gain(log2_light(small_HW3), small_gain_HW3, log2_light(full_HW3))
    wanted_HW3 = log2_light(apply_gain(small_HW3, small_gain_HW3))
    for _ in range(_NUM_CORRECTIONS):
        seen_HW3 = resize_area(apply_gain(full_HW3, full_gain_HW3), *small_HW3.shape[:2])
        lack_HW3 = wanted_HW3 - log2_light(seen_HW3)
        full_gain_HW3 = full_gain_HW3 + resized_gain(lack_HW3, *full_HW3.shape[:2])
    return full_gain_HW3


def log2_light(linear_HW3: NDArray[np.float32]) -> Stops:
    """Return log2 of scene-linear light, down to the floor that log light has."""
    return np.asarray(np.log2(np.maximum(linear_HW3, np.float32(LIGHT_FLOOR))))


def transfer_gain(small_source_HW3: Stops, small_gain_HW3: Stops, full_source_HW3: Stops) -> Stops:
    """Return the gain of the full picture, from the gain of its small version."""
    mean_source, mean_gain = _window_mean(small_source_HW3), _window_mean(small_gain_HW3)
    variance = _window_mean(small_source_HW3**2) - mean_source**2
    covariance = _window_mean(small_source_HW3 * small_gain_HW3) - mean_source * mean_gain
    slope = covariance / (np.maximum(variance, 0.0) + _FLATNESS_STOPS2)
    offset = mean_gain - slope * mean_source
    height, width = full_source_HW3.shape[:2]
    slope, offset = (resized_gain(_window_mean(line), height, width) for line in (slope, offset))
    return np.asarray(slope * full_source_HW3 + offset, dtype=np.float32)


def apply_gain(linear_HW3: NDArray[np.float32], gain_HW3: Stops) -> NDArray[np.float32]:
    """Return scene-linear light after a gain in stops; black stays black."""
    return np.asarray(linear_HW3 * np.exp2(gain_HW3))


def apply_gain_to_black(linear_HW3: NDArray[np.float32], gain_HW3: Stops) -> NDArray[np.float32]:
    """Return scene-linear light after a gain that may bring light to where there was none.

    Where an object moves, black must be able to become bright: log light counts black as its floor,
    and the gain is relative to that. A gain of zero changes nothing.
    """
    factor = np.exp2(gain_HW3)
    return np.asarray(np.maximum(linear_HW3 * factor + LIGHT_FLOOR * (factor - 1.0), 0.0))


def resized_gain(values_HW3: Stops, height_px: int, width_px: int) -> Stops:
    """Return values at another size, linear between pixels."""
    if values_HW3.shape[:2] == (height_px, width_px):
        return values_HW3
    return np.asarray(cv2.resize(values_HW3, (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def _window_mean(values_HW3: Stops) -> Stops:
    window = (_WINDOW_PX, _WINDOW_PX)
    return np.asarray(cv2.blur(values_HW3, window, borderType=cv2.BORDER_REFLECT_101))
