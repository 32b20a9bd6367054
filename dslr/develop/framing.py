"""Decide from pixels whether two captures show the same framing: settings alone cannot tell.

A tripod's frames correlate and do not move; a hand-held pair moves; another subject does not
correlate.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dslr.develop.registration import MIN_SHARED, PLAIN_BLUR_PX, register
from dslr.develop.white_balance import known_multipliers
from dslr.files.raw_file import Mosaic, block_maxima, block_means, open_raw, read_mosaic

PREVIEW_PX = 512  # longer side
PICTURE_PX = 1024  # longer side of the picture in whose pixels movement is given
MIN_CORRELATION = 0.9  # measured: 0.97 and more for brackets, below 0.65 for other framings
MAX_SHIFT_PX = 8.0  # of the picture; more is parallax rather than a shaking hand
LENS_BLUR_PX = 21  # of what is registered: another aperture or focus blurs other objects


@dataclass(frozen=True)
class Preview:
    """A small picture of a capture's framing, and the balance that its camera chose."""

    light_HW: NDArray[np.float32]  # linear, of full scale, all colours together
    is_clipped_HW: NDArray[np.bool_]
    sensor_shape: tuple[int, int]  # (H, W) in pixels
    multipliers_rgb: tuple[float, float, float] | None = None  # as shot; None: unknown

    @property
    def px_scale(self) -> float:
        """Picture pixels per preview pixel."""
        longest_px = max(self.sensor_shape)
        return min(longest_px, PICTURE_PX) / max(self.light_HW.shape)


@dataclass(frozen=True)
class FramingMatch:
    """How well two framings agree."""

    correlation: float  # 1 = the same picture
    shift_px: float  # largest movement of a corner, in pixels of a picture of PICTURE_PX
    shared_share: float  # clipped in neither; comparable from MIN_SHARED

    @property
    def is_same(self) -> bool:
        """Whether the two may stand in one series, aligned where the camera moved."""
        return self.correlation >= MIN_CORRELATION and self.shift_px <= MAX_SHIFT_PX

    def describe(self) -> str:
        """Return the finding in words, for the reason of a grouping."""
        if self.shared_share < MIN_SHARED:
            return f"no light in common ({self.shared_share:.0%} of it unclipped in both)"
        if self.correlation < MIN_CORRELATION:
            return f"other framing, or moved far (correlation {self.correlation:.2f})"
        if self.shift_px > MAX_SHIFT_PX:
            return f"camera moved ({self.shift_px:.1f} px, at most {MAX_SHIFT_PX:g})"
        return f"same framing (correlation {self.correlation:.3f}, {self.shift_px:.2f} px)"


def preview_of_file(path: Path) -> Preview:
    """Return the preview of a RAW file.

    Raises:
        RawError: the file cannot be read.
    """
    with open_raw(path) as raw:
        multipliers = known_multipliers(raw.camera_whitebalance)
        return preview_of(read_mosaic(raw, path), PREVIEW_PX, multipliers)


def preview_of(
    mosaic: Mosaic, side_px: int, multipliers_rgb: tuple[float, float, float] | None = None
) -> Preview:
    """Average a mosaic over blocks of whole filter patterns, at most `side_px` blocks a side."""
    planes = mosaic.planes_PHW
    side = -(-max(planes.shape[1:]) // side_px)
    range_P = mosaic.white_P - mosaic.black_P
    mean_PHW = block_means(planes, side) - mosaic.black_P[:, None, None]
    light_HW = (mean_PHW / range_P[:, None, None]).mean(axis=0)
    brightest_PHW = block_maxima(planes, side)
    clipped_HW = (brightest_PHW >= mosaic.clip_levels_dn[:, None, None]).any(axis=0)
    return Preview(
        light_HW=light_HW.astype(np.float32),
        is_clipped_HW=clipped_HW,
        sensor_shape=sensor_shape_of(mosaic),
        multipliers_rgb=multipliers_rgb,
    )


def sensor_shape_of(mosaic: Mosaic) -> tuple[int, int]:
    """Return (H, W) in sensor pixels, as recorded."""
    height, width = mosaic.planes_PHW.shape[1:]
    return height * mosaic.period, width * mosaic.period


def match_framing(first: Preview, second: Preview, *, has_other_blur: bool = False) -> FramingMatch:
    """Register the second framing on the first; correlation 0 where that is hopeless.

    `has_other_blur`: aperture or focus differ, so that only coarse structures agree.
    """
    if first.sensor_shape != second.sensor_shape:
        return FramingMatch(0.0, float("inf"), 1.0)
    shared_HW = ~(first.is_clipped_HW | second.is_clipped_HW)
    blur_px = LENS_BLUR_PX if has_other_blur else PLAIN_BLUR_PX
    found = register(first.light_HW, second.light_HW, (shared_HW, shared_HW), blur_px=blur_px)
    return FramingMatch(found.correlation, found.shift_px * first.px_scale, found.shared_share)
