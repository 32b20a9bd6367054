"""The noise of one RAW frame, from itself: how its variance grows with the signal.

Flat parts of the picture show the sensor's noise alone: read noise, the same everywhere, and shot
noise, whose variance is proportional to the signal. Textured parts only add; so at every
brightness the quietest blocks count.
Source: Janesick, Photon Transfer, SPIE 2007; Foi et al. 2008 for a single frame.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dslr.files.raw_file import Mosaic
from dslr.measure.noise import BLOCK_PX, block_rows, green_plane, high_pass

_QUIET_QUANTILE = 0.2  # of the blocks of one brightness
_LOWEST, _HIGHEST = 0.005, 0.85  # of full scale
_NUM_LEVELS = 12
_MIN_BLOCKS = 20  # of one brightness


@dataclass(frozen=True)
class FrameNoise:
    """Variance of a green sensor value over full scale: read**2 + shot * signal."""

    read_share: float  # one standard deviation in the dark, of full scale
    shot_share: float  # variance per signal, both of full scale: 1 / electrons at full scale

    def share_at(self, signal_share: float) -> float:
        """Return one standard deviation over the signal, at a signal that is a share of white."""
        return math.sqrt(self.read_share**2 + self.shot_share * signal_share) / signal_share

    def to_json(self) -> dict[str, Any]:
        """Return what the origin of a pair says."""
        return {
            "read_share": round(self.read_share, 7),
            "shot_share": round(self.shot_share, 9),
            "share_at_18_percent": round(self.share_at(0.18), 6),
        }


def frame_noise(mosaic: Mosaic) -> FrameNoise | None:
    """Return the noise of a frame; None where its picture has too few flat parts to tell."""
    plane = green_plane(mosaic)
    height, width = (side // BLOCK_PX for side in plane.shape)
    signal = block_rows(plane, height, width)
    level, peak = signal.mean(axis=1), signal.max(axis=1)
    usable = (level > _LOWEST) & (peak < _HIGHEST)
    variance = (block_rows(high_pass(plane), height, width)[usable] ** 2).mean(axis=1)
    points = _quiet_points(level[usable], variance)
    if len(points) < 2:
        return None
    levels, quiet = np.array(points).T
    # relative errors count: the darkest level would not weigh anything otherwise
    terms = np.stack([np.ones_like(levels), levels], axis=1) / quiet[:, None]
    (read, shot), *_ = np.linalg.lstsq(terms, np.ones_like(levels), rcond=None)
    if shot <= 0.0:
        return None
    return FrameNoise(math.sqrt(max(float(read), 0.0)), float(shot))


def _quiet_points(
    level_N: NDArray[np.float64], variance_N: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Return (signal, variance) of the quietest blocks at several brightnesses."""
    if level_N.size < 2 * _MIN_BLOCKS:
        return []
    num_levels = min(_NUM_LEVELS, level_N.size // _MIN_BLOCKS)
    borders = np.quantile(level_N, np.linspace(0.0, 1.0, num_levels + 1))
    points = []
    for low, high in pairwise(borders):
        inside = (level_N >= low) & (level_N <= high)
        if high > low:
            quiet = float(np.quantile(variance_N[inside], _QUIET_QUANTILE)) / _quantile_share()
            points.append((float(level_N[inside].mean()), quiet))
    return points


def _quantile_share() -> float:
    """Return that quantile of a variance estimated from one block, over the true variance.

    Source: Wilson and Hilferty 1931, chi-square by the cube of a normal. The mixed difference
    makes neighbours correlate, which leaves 4/9 of the degrees of freedom.
    """
    degrees = BLOCK_PX**2 * 4.0 / 9.0
    z = -0.8416  # normal deviate of the quantile 0.2
    share: float = (1.0 - 2.0 / (9.0 * degrees) + z * math.sqrt(2.0 / (9.0 * degrees))) ** 3
    return share
