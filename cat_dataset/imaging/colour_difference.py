"""How different two colours look: CIELAB under D65 and the CIEDE2000 difference; 1 is just seen.

Sources: CIE 15 (CIELAB); Sharma, Wu and Dalal 2005, The CIEDE2000 color-difference formula, Color
Research and Application 30(1), equations 2 to 22, with parametric factors of 1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import XYZ_TO_SRGB, srgb_decode

Lab = NDArray[np.float64]  # (..., 3): L* 0 to 100, a*, b*
_SRGB_TO_XYZ = np.linalg.inv(XYZ_TO_SRGB)
_WHITE_XYZ = _SRGB_TO_XYZ.sum(axis=1)  # of codes 255, 255, 255: D65
_LINEAR_BELOW = (6.0 / 29.0) ** 3
_C7 = 25.0**7
_COMPARED_PX = 2**11  # of two pictures: 3 ms, and mean and P95 come out within a few percent
_OPPOSITE_DEG = 180.0 + 1e-9  # opposite hues count as 180 degrees apart, whatever rounding says


def lab_of_srgb(codes_HW3: NDArray[np.uint8]) -> Lab:
    """Return CIELAB of 8-bit display sRGB, (..., 3).

    >>> lab_of_srgb(np.array([255, 255, 255], np.uint8)).round(2).tolist()
    [100.0, 0.0, 0.0]
    """
    linear_of_code = srgb_decode(np.arange(256) / 255.0)
    light = linear_of_code[codes_HW3]
    # no matrix product: its last bit depends on where a picture lies in memory, and equal pictures
    # must differ by nothing
    parts = [light[..., n : n + 1] * (_SRGB_TO_XYZ[:, n] / _WHITE_XYZ) for n in range(3)]
    ratio = parts[0] + parts[1] + parts[2]
    linear = ratio * (29.0 / 6.0) ** 2 / 3.0 + 4.0 / 29.0
    x, y, z = np.moveaxis(np.where(ratio > _LINEAR_BELOW, np.cbrt(ratio), linear), -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def ciede2000(one: Lab, other: Lab) -> NDArray[np.float64]:
    """Return the CIEDE2000 difference of colours, (...)."""
    # not views: numpy's arctan2 takes another path, with another last bit, where the result happens
    # to lie right behind a strided argument, and equal pictures must differ by nothing
    channels = (np.ascontiguousarray(np.moveaxis(lab, -1, 0)) for lab in (one, other))
    (l1, a1, b1), (l2, a2, b2) = channels
    stretch = 1.5 - 0.5 * _rise((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2.0)  # eq. 2 to 5
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360.0 for a, b in ((a1, b1), (a2, b2)))
    is_grey = c1 * c2 == 0.0  # no hue: the other one's counts
    turn = h2 - h1
    turn = np.where(np.abs(turn) <= _OPPOSITE_DEG, turn, turn - np.copysign(360.0, turn))  # eq. 10
    hue_step = 2.0 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2.0)
    sum_h = h1 + h2
    far = np.where(sum_h < 360.0, sum_h + 360.0, sum_h - 360.0)
    mean_h = np.where(np.abs(h1 - h2) <= _OPPOSITE_DEG, sum_h, far) / 2.0  # eq. 14
    mean_h = np.where(is_grey, sum_h, mean_h)
    mean_l, mean_c = (l1 + l2) / 2.0, (c1 + c2) / 2.0
    tint = (
        1.0
        - 0.17 * _cosine(mean_h - 30.0)
        + 0.24 * _cosine(2.0 * mean_h)
        + 0.32 * _cosine(3.0 * mean_h + 6.0)
        - 0.20 * _cosine(4.0 * mean_h - 63.0)
    )
    square = (mean_l - 50.0) ** 2
    step_l = (l2 - l1) / (1.0 + 0.015 * square / np.sqrt(20.0 + square))
    step_c = (c2 - c1) / (1.0 + 0.045 * mean_c)
    step_h = hue_step / (1.0 + 0.015 * mean_c * tint)
    blue_deg = 30.0 * np.exp(-(((mean_h - 275.0) / 25.0) ** 2))
    rotation = -2.0 * _rise(mean_c) * np.sin(np.radians(2.0 * blue_deg))
    total = step_l**2 + step_c**2 + step_h**2 + rotation * step_c * step_h
    difference: NDArray[np.float64] = np.sqrt(np.maximum(total, 0.0))
    return difference


def visible_delta_e(
    source_HW3: NDArray[np.uint8],
    target_HW3: NDArray[np.uint8],
    edited_HW: NDArray[np.bool_] | None = None,
) -> tuple[float, float]:
    """Return the CIEDE2000 difference of two display sRGB pictures: mean and 95th percentile.

    It counts where `edited_HW` is true; None means all over. Many pixels are read on a grid. Both
    numbers are rounded to 1e-4, so that they do not depend on the machine.

    >>> grey = np.full((8, 8, 3), 128, np.uint8)
    >>> visible_delta_e(grey, grey)
    (0.0, 0.0)
    """
    num_px = source_HW3[..., 0].size if edited_HW is None else np.count_nonzero(edited_HW)
    grid = (slice(None, None, max(1, math.isqrt(int(num_px) // _COMPARED_PX))),) * 2
    pixels = [picture[grid] for picture in (source_HW3, target_HW3)]
    if edited_HW is not None:
        pixels = [picture[edited_HW[grid]] for picture in pixels]
    difference = ciede2000(lab_of_srgb(pixels[0]), lab_of_srgb(pixels[1]))
    return round(float(difference.mean()), 4), round(float(np.percentile(difference, 95.0)), 4)


def _rise(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    rise: NDArray[np.float64] = np.sqrt(chroma**7 / (chroma**7 + _C7))
    return rise


def _cosine(angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    cosine: NDArray[np.float64] = np.cos(np.radians(angle_deg))
    return cosine
