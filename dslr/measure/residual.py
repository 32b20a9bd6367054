"""What two frames of a series differ by beyond the scale measured between them.

Once the scale is taken out, cells of the sensor should agree within their noise. Where they do
not, something moved; a smooth slope over the picture is drifting light or vignetting; stripes are
mains light that flickers while the shutter runs.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dslr.measure.regions import CellGrid

MAX_MOVING_SHARE = 0.15  # of the picture: more leaves too little that stood still
MAX_DRIFT_STOPS = 0.3  # across the picture: light that changed
MAX_BAND_STOPS = 0.1  # between bright and dark stripes
_SIGMAS = 6.0  # of the noise, beyond which a cell moved
_LEAST_STOPS = 0.15  # and by at least so much
_EDGE_SHARE = 0.35  # of the step to a neighbour: what a rest of misalignment makes of an edge
_LEVEL_BINS = 8  # of brightness, each with its own noise
_SMALLEST_CELLS = 3  # fewer connected cells are noise
_TILES = 16  # along each side, for the smooth part
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Residual:
    """What is left between two frames when the scale between them is taken out."""

    moving_HW: NDArray[np.bool_]  # cells, of the unturned sensor
    drift_stops: float  # largest minus smallest of the smooth part
    band_stops: float  # half the height of horizontal stripes
    num_cells: int  # that could be compared

    @property
    def moving_share(self) -> float:
        """Share of the picture that moved."""
        return float(self.moving_HW.mean())

    def to_json(self) -> dict[str, Any]:
        """Return what the origin of a pair says."""
        return {
            "moving_share": round(self.moving_share, 5),
            "drift_stops": round(self.drift_stops, 4),
            "band_stops": round(self.band_stops, 4),
        }


def residual_of(anchor: CellGrid, frame: CellGrid, stops: float) -> Residual:
    """Return what differs between two aligned frames, the second `stops` brighter."""
    usable_HW = ~(anchor.is_clipped_3HW | frame.is_clipped_3HW).any(axis=0)
    first_HW = anchor.mean_3HW.mean(axis=0)
    second_HW = frame.mean_3HW.mean(axis=0) * np.float32(2.0**-stops)
    # slope and stripes first: they would look like movement at their brightest
    smooth_HW, band_H = _smooth_part(first_HW, second_HW, usable_HW)
    flat_HW = second_HW * np.exp2(-(smooth_HW + band_H[:, None])).astype(np.float32)
    moving_HW = _moving(first_HW, flat_HW, usable_HW)
    return Residual(
        moving_HW=moving_HW,
        drift_stops=float(smooth_HW.max() - smooth_HW.min()),
        band_stops=float(np.percentile(band_H, 95.0) - np.percentile(band_H, 5.0)) / 2.0,
        num_cells=int(usable_HW.sum()),
    )


def _smooth_part(
    first_HW: NDArray[np.float32], second_HW: NDArray[np.float32], usable_HW: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slope over the picture (H, W) and the stripes along it (H,), in stops.

    The slope is a quadratic surface through the medians of tiles, the stripes what the medians of
    rows have beyond it.
    """
    height, width = usable_HW.shape
    floor = 0.02 * float(np.median(first_HW[usable_HW])) if usable_HW.any() else 1.0
    lit_HW = usable_HW & (first_HW > floor) & (second_HW > floor)
    stops_HW = np.zeros((height, width))
    stops_HW[lit_HW] = np.log2(second_HW[lit_HW].astype(np.float64) / first_HW[lit_HW])
    surface_HW = _surface(stops_HW, lit_HW)
    rest_HW = np.where(lit_HW, stops_HW - surface_HW, np.nan)
    enough = lit_HW.sum(axis=1) >= max(8, width // 4)
    band_H = np.zeros(height)
    if enough.any():
        band_H[enough] = np.nanmedian(rest_HW[enough], axis=1)
    return surface_HW, band_H


def _surface(stops_HW: NDArray[np.float64], lit_HW: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the quadratic surface through the medians of tiles, iteratively without outliers."""
    height, width = lit_HW.shape
    places, medians = [], []
    for rows in np.array_split(np.arange(height), min(_TILES, height)):
        for columns in np.array_split(np.arange(width), min(_TILES, width)):
            tile = np.ix_(rows, columns)
            if lit_HW[tile].sum() >= max(1, lit_HW[tile].size // 2):
                places.append((rows.mean() / height - 0.5, columns.mean() / width - 0.5))
                medians.append(float(np.median(stops_HW[tile][lit_HW[tile]])))
    if len(medians) < 3 * 6:
        return np.zeros((height, width))
    at, value = np.array(places), np.array(medians)
    kept = np.ones(len(value), bool)
    for _ in range(4):
        weights, *_ = np.linalg.lstsq(_terms(*at[kept].T), value[kept], rcond=None)
        off = np.abs(value - _terms(*at.T) @ weights)
        kept = off <= max(3.0 * _MAD_TO_SIGMA * float(np.median(off)), 1e-4)
    y, x = np.mgrid[0:height, 0:width]
    surface: NDArray[np.float64] = (
        _terms((y.ravel() + 0.5) / height - 0.5, (x.ravel() + 0.5) / width - 0.5) @ weights
    ).reshape(height, width)
    return surface


def _terms(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(y), y, x, y * y, x * y, x * x], axis=1)


def _moving(
    first_HW: NDArray[np.float32], second_HW: NDArray[np.float32], usable_HW: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the cells whose light differs by more than noise, edges and rounding allow."""
    gap_HW = np.abs(second_HW - first_HW)
    level_HW = np.maximum((first_HW + second_HW) / 2.0, 0.0)
    noise_HW = _noise(gap_HW, level_HW, usable_HW)
    least_HW = level_HW * np.float32(2.0**_LEAST_STOPS - 1.0)
    edge_HW = np.float32(_EDGE_SHARE) * _largest_step(first_HW)
    allowed_HW = np.maximum(np.maximum(_SIGMAS * noise_HW, least_HW), edge_HW)
    moved_HW = (usable_HW & (gap_HW > allowed_HW)).astype(np.uint8)
    count, label_HW, stats, _ = cv2.connectedComponentsWithStats(moved_HW, connectivity=8)
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _SMALLEST_CELLS)
    kept_HW = np.isin(label_HW, large[large > 0]) if count > 1 else np.zeros_like(usable_HW)
    # an object's rim is half in a cell: one cell more on every side
    grown: NDArray[np.bool_] = cv2.dilate(kept_HW.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return grown


def _noise(
    gap_HW: NDArray[np.float32], level_HW: NDArray[np.float32], usable_HW: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the noise of every cell's difference, from what most cells of its brightness do."""
    levels = level_HW[usable_HW]
    if levels.size < 2 * _LEVEL_BINS:
        return np.full_like(gap_HW, np.inf)
    borders = np.quantile(levels, np.linspace(0.0, 1.0, _LEVEL_BINS + 1)[1:-1])
    bin_HW = np.searchsorted(borders, level_HW)
    sigmas = np.zeros(_LEVEL_BINS, np.float32)
    for number in range(_LEVEL_BINS):
        inside = usable_HW & (bin_HW == number)
        if inside.any():
            sigmas[number] = _MAD_TO_SIGMA * float(np.median(gap_HW[inside]))
    noise: NDArray[np.float32] = sigmas[bin_HW]
    return noise


def _largest_step(light_HW: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest difference of a cell to its neighbours."""
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(light_HW, kernel) - cv2.erode(light_HW, kernel), np.float32)
