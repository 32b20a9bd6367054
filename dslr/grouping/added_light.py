"""Tell a lamp that was switched from light that changed as a whole: a lamp only adds, and unevenly.

Between two frames of equal settings a cloud multiplies everything by about the same factor. A
lamp brightens what it reaches and leaves the rest, and nowhere does switching it on take light.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dslr.develop.framing import Preview

MIN_ADDED_STOPS = 0.1  # of the whole picture
MIN_UNEVEN_STOPS = 0.5  # between what the lamp reaches most and least
MAX_LOST_SHARE = 0.02  # of the picture, darker with the lamp on: something moved
MIN_TEXTURE_CORRELATION = 0.25  # of what got brighter: a lamp lights objects, it brings none
_TILE_PX = 16
_BRIGHTER = np.float32(2.0**0.3)
_LOST_STOPS = -0.15
_DARKEST = 0.002  # of full scale: noise below


def find_lamp(framings: Sequence[Preview]) -> str | None:
    """Return in words how a lamp differs among frames of equal settings; None: none does."""
    ranked = sorted(framings, key=lambda p: float(p.light_HW.mean()))
    off, on = ranked[0], ranked[-1]
    gain = _tile_stops(off, on)
    if gain.size < 16:
        return None
    whole = float(np.log2(on.light_HW.mean() / max(float(off.light_HW.mean()), 1e-9)))
    uneven = float(np.percentile(gain, 95.0) - np.percentile(gain, 5.0))
    lost = float((gain < _LOST_STOPS).mean())
    if whole < MIN_ADDED_STOPS or uneven < MIN_UNEVEN_STOPS or lost > MAX_LOST_SHARE:
        return None
    if _texture_correlation(off, on) < MIN_TEXTURE_CORRELATION:
        return None  # something else stands there now
    return f"a lamp adds {whole:.2f} stops, between {gain.min():.2f} and {gain.max():.2f}"


def _texture_correlation(off: Preview, on: Preview) -> float:
    """Return how well fine structure agrees where the picture got brighter.

    Measured: 0.98 for a lamp, 0.41 for one in a dark and noisy scene, 0.05 for a new object.
    """
    levels = [cv2.blur(p.light_HW, (_TILE_PX, _TILE_PX)) for p in (off, on)]
    lit = np.asarray(levels[1]) > np.asarray(levels[0]) * _BRIGHTER
    lit &= ~(off.is_clipped_HW | on.is_clipped_HW)
    if lit.sum() < _TILE_PX**2:
        return 1.0
    fine = []
    for preview in (off, on):
        light_HW = np.maximum(preview.light_HW, 0.0)
        log_HW = np.log2(light_HW + np.float32(0.02 * light_HW.mean() + 1e-9))
        fine.append((log_HW - cv2.GaussianBlur(log_HW, (0, 0), 4.0))[lit])
    return float(np.corrcoef(*fine)[0, 1])


def _tile_stops(off: Preview, on: Preview) -> NDArray[np.float64]:
    """Return by how many stops each tile is brighter, where it is neither clipped nor black."""
    usable = ~(off.is_clipped_HW | on.is_clipped_HW)
    size = (max(1, usable.shape[1] // _TILE_PX), max(1, usable.shape[0] // _TILE_PX))
    weight = usable.astype(np.float32)
    share, dark, bright = (
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        for picture in (weight, off.light_HW * weight, on.light_HW * weight)
    )
    lit = (share > 0.5) & (dark > _DARKEST * share)
    gain: NDArray[np.float64] = np.log2(
        np.maximum(bright[lit], 1e-9).astype(np.float64) / dark[lit]
    )
    return gain
