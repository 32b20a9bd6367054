"""How noisy two frames of one scene are, separated from its texture.

Both frames see the same texture and each its own noise. So of their high-pass pictures, the
covariance is the texture, and what each one's variance has beyond it is its own noise. No model of
the camera is needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from cat_dataset.records import Reading
from dslr.files.raw_file import Mosaic

_LOWEST, _HIGHEST = 0.02, 0.8  # of full scale: neither read noise alone nor clipping
BLOCK_PX = 12  # of a plane, for the standard error
_MIN_BLOCKS = 48
_LARGEST_PX = 1536  # of a green plane, its middle: more blocks say no more
_SMOOTH_SHARE = 0.5  # of the blocks, those with least texture


@dataclass(frozen=True)
class NoisePair:
    """The noise of two frames of one scene, relative to their signal."""

    first_share: float  # one standard deviation over the signal
    second_share: float
    stops: Reading  # log2 of the ratio of variances, second over first


def measure_noise(first: Mosaic, second: Mosaic) -> NoisePair:
    """Return the noise of two aligned frames of about equal exposure, from green sensor values.

    Raises:
        BracketError: too little of the picture is neither clipped nor dark.
    """
    one, two = (green_plane(mosaic) for mosaic in (first, second))
    height, width = (side // BLOCK_PX for side in one.shape)
    blocks_one, blocks_two = (block_rows(plane, height, width) for plane in (one, two))
    level = np.minimum(blocks_one.min(axis=1), blocks_two.min(axis=1))
    peak = np.maximum(blocks_one.max(axis=1), blocks_two.max(axis=1))
    usable = (level > _LOWEST) & (peak < _HIGHEST)
    if usable.sum() < _MIN_BLOCKS:
        msg = (
            f"{int(usable.sum())} of {usable.size} blocks of the picture are neither clipped nor "
            f"dark in both frames, at least {_MIN_BLOCKS} are needed to measure noise"
        )
        raise BracketError(msg)
    high = [block_rows(high_pass(plane), height, width)[usable] for plane in (one, two)]
    shared = (high[0] * high[1]).mean(axis=1)
    # where there is little texture, its product with the noise hardly disturbs
    texture = _coarse_variance((blocks_one + blocks_two)[usable])
    smooth = texture <= np.quantile(texture, _SMOOTH_SHARE)
    signal = [float(b[usable][smooth].mean()) for b in (blocks_one, blocks_two)]
    # the brighter frame shows the same texture more strongly
    strength = signal[0] / signal[1], signal[1] / signal[0]
    own = [
        ((h**2).mean(axis=1) - gain * shared)[smooth]
        for h, gain in zip(high, strength, strict=True)
    ]
    relative = [own_N / level**2 for own_N, level in zip(own, signal, strict=True)]
    means = [float(r.mean()) for r in relative]
    if min(means) <= 0.0:
        msg = "the noise of a frame is too small to be separated from the texture"
        raise BracketError(msg)
    return NoisePair(
        math.sqrt(means[0]), math.sqrt(means[1]), _log2_ratio(relative[0], relative[1])
    )


def green_plane(mosaic: Mosaic) -> NDArray[np.float64]:
    """Return the middle of one green plane over full scale, black subtracted."""
    index = mosaic.channel_P.index(1)
    whole_HW = mosaic.planes_PHW[index]
    top, left = (max(0, (side - _LARGEST_PX) // 2) for side in whole_HW.shape)
    middle_HW = whole_HW[top : top + _LARGEST_PX, left : left + _LARGEST_PX]
    scale = mosaic.white_P[index] - mosaic.black_P[index]
    plane: NDArray[np.float64] = (middle_HW - mosaic.black_P[index]) / scale
    return plane


def block_rows(plane_HW: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Return `height` x `width` square blocks of a plane, one a row."""
    cut = plane_HW[: height * BLOCK_PX, : width * BLOCK_PX]
    blocks = cut.reshape(height, BLOCK_PX, width, BLOCK_PX).swapaxes(1, 2)
    return blocks.reshape(height * width, BLOCK_PX**2)


def _coarse_variance(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the means of nine parts of each block differ; blind to the high pass."""
    part = BLOCK_PX // 3
    parts = blocks.reshape(-1, 3, part, 3, part).mean(axis=(2, 4))
    variance: NDArray[np.float64] = parts.reshape(-1, 9).var(axis=1)
    return variance


def high_pass(plane_HW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mixed second difference, scaled so that white noise keeps its variance."""
    rolled = plane_HW - np.roll(plane_HW, 1, axis=0)
    high: NDArray[np.float64] = (rolled - np.roll(rolled, 1, axis=1)) / 2.0
    return high


def _log2_ratio(first_N: NDArray[np.float64], second_N: NDArray[np.float64]) -> Reading:
    """Return log2 of the ratio of means, its error by jackknife over blocks."""
    ratio = float(second_N.mean() / first_N.mean())
    count = len(first_N)
    residual = second_N - ratio * first_N
    variance = float((residual**2).sum()) / (count - 1) / count / float(first_N.mean()) ** 2
    return Reading(
        math.log2(ratio), math.sqrt(variance) / ratio / math.log(2.0), count * BLOCK_PX**2
    )
