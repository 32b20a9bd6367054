"""Measure by how many stops two frames of a bracket differ, from sensor values alone.

The estimate is log2 of the ratio of sums over sensor cells that are unclipped in both frames and
well above black: sums of black-subtracted values are unbiased under shot and read noise, ratios
and medians of single pixels are not. Which cells count is decided by averages over a cell of the
*brighter* frame, whose noise is too small to bias the choice.

The standard error comes from a jackknife over tiles of the picture: it needs no model of the
camera's noise, and it grows as it should when something other than exposure differs between
frames (a cloud's edge, flicker bands, a moving person), which a noise model cannot see.
Source: Cochran, Sampling Techniques, 3rd ed., eq. 6.13 (variance of a ratio estimate).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from cat_dataset.records import Reading
from dslr.files.raw_file import Mosaic, block_maxima, block_means

_CELL_PX = 8  # sensor pixels per side of a cell, about: whole filter patterns only
_NUM_TILES = 12  # along each side of the picture
_MIN_TILES = 8  # fewer give no standard error worth its name
_HIGHEST_SIGNAL = 0.9  # of full scale in the brighter frame: clear of clipping noise
_LOWEST_SIGNAL = 2.0**-8  # of full scale in the darker frame: clear of black-level error
_CHANNEL_NAMES = ("red", "green", "blue")


@dataclass(frozen=True)
class CellGrid:
    """A frame's sensor values averaged over small cells, per colour: all that measuring needs."""

    mean_3HW: NDArray[np.float32]  # DN above black
    is_clipped_3HW: NDArray[np.bool_]  # any value of the cell clips
    full_scale_dn: float
    period: int


@dataclass(frozen=True)
class StopsMeasured:
    """By how many stops the target frame is recorded brighter than the source."""

    reading: Reading  # all colours together
    per_channel: dict[str, Reading]  # colours in which enough of the picture can be compared


def cell_grid(mosaic: Mosaic) -> CellGrid:
    """Average a mosaic over cells of about 8 x 8 pixels."""
    side = max(1, round(_CELL_PX / mosaic.period))  # in filter patterns
    mean_PHW = block_means(mosaic.planes_PHW, side) - mosaic.black_P[:, None, None]
    brightest_PHW = block_maxima(mosaic.planes_PHW, side)
    clipped_PHW = brightest_PHW >= mosaic.clip_levels_dn[:, None, None]
    channel_P = np.array(mosaic.channel_P)
    return CellGrid(
        mean_3HW=np.stack([mean_PHW[channel_P == c].mean(axis=0) for c in range(3)]).astype(
            np.float32
        ),
        is_clipped_3HW=np.stack([clipped_PHW[channel_P == c].any(axis=0) for c in range(3)]),
        full_scale_dn=mosaic.full_scale_dn,
        period=mosaic.period,
    )


def central_cells(cells: CellGrid) -> CellGrid:
    """Return the middle of a picture, a quarter of its area: vignetting hardly reaches it."""
    height, width = cells.mean_3HW.shape[1:]
    middle = (slice(None), slice(height // 4, -(height // 4)), slice(width // 4, -(width // 4)))
    return replace(
        cells, mean_3HW=cells.mean_3HW[middle], is_clipped_3HW=cells.is_clipped_3HW[middle]
    )


def measure_stops(source: CellGrid, target: CellGrid) -> StopsMeasured:
    """Return how much brighter the target is recorded; positive = target brighter.

    Raises:
        BracketError: the frames differ in size, or share too few cells that are neither clipped
            nor near black.
    """
    if source.mean_3HW.shape != target.mean_3HW.shape:
        msg = (
            f"frames of {source.mean_3HW.shape[1:]} and {target.mean_3HW.shape[1:]} cells: sizes "
            f"must be equal to compare them; do not mix crop modes in a bracket"
        )
        raise BracketError(msg)
    usable_3HW = _usable_cells(source, target)
    sums = [_tile_sums(grid.mean_3HW, usable_3HW) for grid in (source, target)]
    num_px = usable_3HW.reshape(3, -1).sum(axis=1) * _CELL_PX**2
    reading = _log2_ratio(sums[0].sum(axis=0), sums[1].sum(axis=0), int(num_px.sum()))
    if reading is None:
        msg = (
            f"only {usable_3HW.mean():.1%} of the cells are neither clipped nor near black in "
            f"both frames: too few to measure their exposure; shoot brackets in smaller steps"
        )
        raise BracketError(msg)
    channels = {
        name: _log2_ratio(sums[0][c], sums[1][c], int(num_px[c]))
        for c, name in enumerate(_CHANNEL_NAMES)
    }
    return StopsMeasured(reading, {name: r for name, r in channels.items() if r is not None})


def _usable_cells(source: CellGrid, target: CellGrid) -> NDArray[np.bool_]:
    """Return the cells that are unclipped in both frames and bright enough in the darker one."""
    unclipped = ~(source.is_clipped_3HW | target.is_clipped_3HW)
    light = [float(grid.mean_3HW[unclipped].sum()) for grid in (source, target)]
    if min(light) <= 0.0:
        return np.zeros_like(unclipped)
    dark, bright = (source, target) if light[0] < light[1] else (target, source)
    rough_ratio = max(light) / min(light)
    lowest = _LOWEST_SIGNAL * dark.full_scale_dn * rough_ratio
    highest = _HIGHEST_SIGNAL * bright.full_scale_dn
    usable: NDArray[np.bool_] = unclipped & (bright.mean_3HW > lowest) & (bright.mean_3HW < highest)
    return usable


def _tile_sums(mean_3HW: NDArray[np.float32], usable_3HW: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the light of the usable cells of every tile, float64 (3, tiles)."""
    _, height, width = mean_3HW.shape
    rows = np.arange(height) * _NUM_TILES // height
    columns = np.arange(width) * _NUM_TILES // width
    tile_HW = rows[:, None] * _NUM_TILES + columns
    light = np.where(usable_3HW, mean_3HW, 0.0).astype(np.float64)
    return np.stack(
        [np.bincount(tile_HW.ravel(), c.ravel(), minlength=_NUM_TILES**2) for c in light]
    )


def _log2_ratio(
    source_T: NDArray[np.float64], target_T: NDArray[np.float64], num_px: int
) -> Reading | None:
    """Return log2 of the ratio of sums and its jackknife error; None with too few tiles."""
    filled = (source_T > 0.0) & (target_T > 0.0)
    num_tiles = int(filled.sum())
    if num_tiles < _MIN_TILES:
        return None
    source, target = source_T[filled], target_T[filled]
    ratio = float(target.sum() / source.sum())
    residual = target - ratio * source
    variance = num_tiles / (num_tiles - 1) * float((residual**2).sum()) / float(source.sum()) ** 2
    return Reading(math.log2(ratio), math.sqrt(variance) / ratio / math.log(2.0), num_px)
