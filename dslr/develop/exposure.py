"""Nominal and snapped exposure: what a camera prints, and the power of two it means by it.

Shutters run in powers of two and apertures in powers of sqrt(2), but cameras print rounded
numbers: "1/60 s" is 1/64 s. Snapping undoes the rounding; the measured value still decides.
Source: ISO 12232 / APEX; https://www.scantips.com/lights/fstop2.html
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dslr.files.metadata import CaptureMetadata

GRIDS_PER_STOP = (3, 2)  # third stops, then half stops
MAX_ROUNDING_STOPS = 0.1  # printed numbers lie at most 0.093 stop beside their grid


def snap(value: float, per_stop: int) -> float:
    """Return the power of 2**(1 / per_stop) nearest to a value, on the logarithmic axis.

    >>> 1 / snap(1 / 60, 3)
    64.0
    """
    return math.exp2(round(math.log2(value) * per_stop) / per_stop)


def rounding_stops(value: float, per_stop: int) -> float:
    """Return how far a value lies beside its grid, in stops, never negative.

    >>> round(rounding_stops(1 / 60, 3), 3)
    0.093
    """
    return abs(math.log2(value / snap(value, per_stop)))


def snap_series(values: Sequence[float]) -> tuple[float, ...]:
    """Return every value of a series snapped to one grid, thirds or halves, whichever fits better.

    Printed 3 s means 3.17 s on the third-stop scale and 2.83 s on the half-stop scale, so one
    grid serves the whole series. A value that lies beside both grids by more than rounding can
    explain (an electronic shutter) stays as it is.

    >>> [round(1 / t) for t in snap_series([1 / 15, 1 / 60, 1 / 250])]
    [16, 64, 256]
    """
    errors = [sum(rounding_stops(v, per_stop) for v in values) for per_stop in GRIDS_PER_STOP]
    per_stop = GRIDS_PER_STOP[errors.index(min(errors))]
    return tuple(
        snap(v, per_stop) if rounding_stops(v, per_stop) <= MAX_ROUNDING_STOPS else v
        for v in values
    )


@dataclass(frozen=True)
class ExposureAxis:
    """Where the frames of one series stand on the axis of exposure, in stops; higher = brighter.

    Only differences within a series mean anything: f-number and ISO that no frame states are left
    out, since they are the same in all of them.
    """

    nominal_stops: tuple[float, ...]  # log2(t * ISO / N**2) of the printed numbers
    snapped_stops: tuple[float, ...]  # the same of the snapped ones


def exposure_axis(series: Sequence[CaptureMetadata]) -> ExposureAxis:
    """Return the exposure of each capture, all of which must have an exposure time."""
    times = [m.exposure_time_s or math.nan for m in series]
    speeds = [m.iso or 100.0 for m in series]
    areas = [m.f_number**2 if m.f_number else 1.0 for m in series]
    # ISO 100 is the anchor of its scale, so the grid is laid through it
    snapped_speeds = [100.0 * s for s in snap_series([speed / 100.0 for speed in speeds])]
    nominal = zip(times, speeds, areas, strict=True)
    snapped = zip(snap_series(times), snapped_speeds, snap_series(areas), strict=True)
    return ExposureAxis(
        tuple(math.log2(t * iso / area) for t, iso, area in nominal),
        tuple(math.log2(t * iso / area) for t, iso, area in snapped),
    )
