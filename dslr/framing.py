"""Decide from pixels whether two captures show the same framing: settings alone cannot tell.

Both are reduced to small pictures of their light, brought to the same exposure, compressed so that
neither highlights nor noise in the shadows rule, and registered (ECC). A tripod's frames correlate
and do not move; a hand-held pair moves; another subject does not correlate.
Source: Evangelidis and Psarakis 2008 (ECC), as cv2.findTransformECC.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dslr.raw_file import Mosaic, open_raw, read_mosaic

PREVIEW_PX = 512  # longer side
MIN_CORRELATION = 0.9  # measured: 0.97 and more for brackets, below 0.6 for other framings
MAX_SHIFT_PX = 0.5  # of the preview; one pixel of a picture 1024 pixels wide
MIN_SHARED = 0.05  # of the preview, clipped in neither
_SHADOW_OFFSET = 0.25  # of the mean light: below it the log turns linear, and noise stays small
_BLUR_PX = 5
_ROUNDS = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4


@dataclass(frozen=True)
class Preview:
    """A small picture of a capture's framing."""

    light_HW: NDArray[np.float32]  # linear, of full scale, all colours together
    is_clipped_HW: NDArray[np.bool_]
    sensor_shape: tuple[int, int]  # (H, W) in pixels


@dataclass(frozen=True)
class FramingMatch:
    """How well two framings agree."""

    correlation: float  # 1 = the same picture
    shift_px: float  # largest movement of a corner, in preview pixels
    shared_share: float  # of the preview, clipped in neither; comparable from MIN_SHARED

    @property
    def is_same(self) -> bool:
        """Whether the two may stand in one bracket without alignment."""
        return self.correlation >= MIN_CORRELATION and self.shift_px <= MAX_SHIFT_PX

    def describe(self) -> str:
        """Return the finding in words, for the reason of a grouping."""
        if self.shared_share < MIN_SHARED:
            return f"no light in common ({self.shared_share:.0%} of it unclipped in both)"
        if self.correlation < MIN_CORRELATION:
            return f"other framing, or moved far (correlation {self.correlation:.2f})"
        if self.shift_px > MAX_SHIFT_PX:
            return f"camera moved ({self.shift_px:.1f} preview pixels)"
        return f"same framing (correlation {self.correlation:.3f}, {self.shift_px:.2f} px)"


def preview_of_file(path: Path) -> Preview:
    """Return the preview of a RAW file.

    Raises:
        RawError: the file cannot be read.
    """
    with open_raw(path) as raw:
        return preview_of(read_mosaic(raw, path))


def preview_of(mosaic: Mosaic) -> Preview:
    """Average a mosaic over blocks of whole filter patterns, at most PREVIEW_PX blocks a side."""
    planes = mosaic.planes_PHW
    side = -(-max(planes.shape[1:]) // PREVIEW_PX)
    height, width = (length // side for length in planes.shape[1:])
    blocks = planes[:, : height * side, : width * side].reshape(-1, height, side, width, side)
    range_P = mosaic.white_P - mosaic.black_P
    mean_PHW = blocks.mean(axis=(2, 4), dtype=np.float64) - mosaic.black_P[:, None, None]
    light_HW = (mean_PHW / range_P[:, None, None]).mean(axis=0)
    clipped_HW = (blocks.max(axis=(2, 4)) >= mosaic.clip_levels_dn[:, None, None]).any(axis=0)
    return Preview(
        light_HW=light_HW.astype(np.float32),
        is_clipped_HW=clipped_HW,
        sensor_shape=(planes.shape[1] * mosaic.period, planes.shape[2] * mosaic.period),
    )


def match_framing(first: Preview, second: Preview) -> FramingMatch:
    """Register the second framing on the first; correlation 0 where that is hopeless."""
    if first.sensor_shape != second.sensor_shape:
        return FramingMatch(0.0, float("inf"), 1.0)
    shared_HW = ~(first.is_clipped_HW | second.is_clipped_HW)
    levels = [float(p.light_HW[shared_HW].sum()) for p in (first, second)]
    nothing = FramingMatch(0.0, float("inf"), float(shared_HW.mean()))
    if nothing.shared_share < MIN_SHARED or min(levels) <= 0.0:
        return nothing
    still = np.eye(2, 3, dtype=np.float32)
    template, moved = (_compressed(p.light_HW, shared_HW) for p in (first, second))
    mask = shared_HW.astype(np.uint8)
    try:
        correlation, warp = cv2.findTransformECC(
            template, moved, still, cv2.MOTION_EUCLIDEAN, _ROUNDS, mask, _BLUR_PX
        )
    except cv2.error:  # "did not converge": the pictures have nothing in common
        return nothing
    shift_px = _largest_shift_px(np.asarray(warp, np.float64), shared_HW.shape)
    return replace(nothing, correlation=float(correlation), shift_px=shift_px)


def _compressed(light_HW: NDArray[np.float32], shared_HW: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the log of the light over its mean; what is not shared is set to the mean.

    Unshared pixels would otherwise leak into their neighbours when ECC blurs.
    """
    mean = np.float32(light_HW[shared_HW].mean())
    relative_HW = np.where(shared_HW, np.maximum(light_HW / mean, 0.0), np.float32(1.0))
    compressed_HW: NDArray[np.float32] = np.log2(relative_HW + np.float32(_SHADOW_OFFSET))
    return compressed_HW


def _largest_shift_px(warp: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    height, width = shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    moved = corners @ warp.T - corners[:, :2]
    return float(np.hypot(moved[:, 0], moved[:, 1]).max())
