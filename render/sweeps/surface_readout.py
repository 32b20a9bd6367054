"""Measure what a surface and the air are like again, from passes; no Blender in here.

Nothing here is given what was set. Legend: N pixels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.attribute import wrap_deg
from cat_dataset.errors import ReadoutError
from cat_dataset.records import Reading

Colours = NDArray[np.float64]
_MIN_PX = 12
_MIN_CHROMA = 0.02  # (max - min) / max below which a colour has no hue


def hue_deg(rgb_N3: Colours) -> NDArray[np.float64]:
    """Return the HSV hue of linear colours, degrees; 0 = red, 120 = green, 240 = blue.

    Source: Smith 1978.
    """
    red, green, blue = rgb_N3.T
    most, spread = rgb_N3.max(axis=1), np.ptp(rgb_N3, axis=1)
    safe = np.where(spread > 0.0, spread, 1.0)
    sextant = np.select(
        [most == red, most == green],
        [(green - blue) / safe % 6.0, (blue - red) / safe + 2.0],
        (red - green) / safe + 4.0,
    )
    return np.asarray(60.0 * sextant, np.float64)


def saturation(rgb_N3: Colours) -> NDArray[np.float64]:
    """Return the HSV saturation of linear colours, (max - min) / max."""
    most = rgb_N3.max(axis=1)
    return np.asarray(np.ptp(rgb_N3, axis=1) / np.where(most > 0.0, most, 1.0), np.float64)


def hue_shift_deg(source_N3: Colours, target_N3: Colours) -> Reading:
    """Return the turn of hue between two pictures of the same surface, pixel by pixel.

    Raises:
        ReadoutError: the surface is hardly coloured, so that it has no hue.
    """
    chosen = np.minimum(saturation(source_N3), saturation(target_N3)) > _MIN_CHROMA
    _check_count(int(chosen.sum()), "hue: pixels of the object with a colour")
    shifts = hue_deg(target_N3[chosen]) - hue_deg(source_N3[chosen])
    middle = math.degrees(np.angle(np.exp(1j * np.radians(shifts)).mean()))
    offsets = np.array([wrap_deg(shift - middle) for shift in shifts])
    value = wrap_deg(middle + float(np.median(offsets)))
    return Reading(value, _stderr(offsets), len(offsets))


def saturation_percent(rgb_N3: Colours) -> tuple[float, float]:
    """Return (value, standard error) of a surface's saturation in per cent."""
    _check_count(len(rgb_N3), "saturation: pixels of the object")
    values = 100.0 * saturation(rgb_N3)
    return float(np.median(values)), _stderr(values)


def missing_percent(
    body_N: NDArray[np.float64], full_N: NDArray[np.float64]
) -> tuple[float, float]:
    """Return (share, standard error), in per cent, of the body colour that is gone.

    `full_N` is the diffuse colour where none of the surface is metal or glass.

    Raises:
        ReadoutError: the surface has no body colour to lose.
    """
    chosen = full_N > 0.2 * float(np.median(full_N)) if len(full_N) else np.zeros(0, bool)
    _check_count(int(chosen.sum()), "body colour: pixels of the object that have one")
    values = 100.0 * (1.0 - body_N[chosen] / full_N[chosen])
    return float(np.median(values)), _stderr(values)


def lobe_area(highlight_HW: NDArray[np.float64]) -> float:
    """Return over how many pixels a highlight spreads: (sum)**2 / sum of squares.

    Raises:
        ReadoutError: there is no highlight.
    """
    total = float(highlight_HW.sum())
    if total <= 0.0:
        msg = "roughness: the test ball shows no highlight; the roughness cannot be measured"
        raise ReadoutError(msg)
    return total**2 / float((highlight_HW**2).sum())


def light_direction(normal_N3: Colours, shading_N: NDArray[np.float64]) -> tuple[Colours, float]:
    """Return the unit direction to a distant light, and its standard error in degrees.

    Source: Lambert, shading = albedo * irradiance * max(normal . direction, 0) / pi.

    Raises:
        ReadoutError: too little of the test ball is lit.
    """
    lit = shading_N > 0.15 * float(shading_N.max()) if len(shading_N) else np.zeros(0, bool)
    _check_count(int(lit.sum()), "sun: lit pixels of the test ball")
    solution, _, _, _ = np.linalg.lstsq(normal_N3[lit], shading_N[lit], rcond=None)
    strength = float(np.linalg.norm(solution))
    residual = shading_N[lit] - normal_N3[lit] @ solution
    error_rad = float(np.sqrt((residual**2).mean() / lit.sum())) / strength * math.sqrt(3.0)
    return solution / strength, math.degrees(error_rad)


def extinction_read(
    distance_m: NDArray[np.float64], brightness: NDArray[np.float64], stderr: NDArray[np.float64]
) -> tuple[float, float]:
    """Return (extinction, standard error) per metre from equal cards at several distances.

    Source: Beer and Lambert, ln(brightness) falls by the extinction per metre.

    Raises:
        ReadoutError: fewer than two cards can be seen through the fog.
    """
    seen = brightness > np.maximum(8.0 * stderr, 1e-4)
    if int(seen.sum()) < 2:
        msg = "fog: fewer than two test cards can be seen through it; the fog is too dense to read"
        raise ReadoutError(msg)
    weight = (brightness[seen] / np.maximum(stderr[seen], 1e-9)) ** 2  # of ln(brightness)
    x, y = distance_m[seen], np.log(brightness[seen])
    mean = float((weight * x).sum() / weight.sum())
    moment = float((weight * (x - mean) ** 2).sum())
    slope = float((weight * (x - mean) * y).sum()) / moment
    return -slope, 1.0 / math.sqrt(moment)


def _check_count(found: int, subject: str) -> None:
    if found < _MIN_PX:
        msg = f"{subject}: {found} found, at least {_MIN_PX} are needed; render larger"
        raise ReadoutError(msg)


def _stderr(values: NDArray[np.float64]) -> float:
    """Return the standard error of a median from the spread (MAD) of its values."""
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    return 1.2533 * spread / math.sqrt(len(values))
