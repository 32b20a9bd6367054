"""The matching readout: to which of the true pictures is a result nearest?

True pictures are made on a grid of values, the reference grid. A result is compared with each, and
the value between them follows from the distances to the nearest ones. No estimator is involved, and
nothing that made the labels. What lies beyond the last one is outside the reference grid and is not
extrapolated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import EditScaleError
from cat_dataset.light.readout import MIN_READOUT_PX
from cat_dataset.scoring.truth import Display, FrameTruth, LightTruth

Codes = NDArray[np.float32]
_NUM_REFERENCES = 65
_MARGIN = 1.25  # the grid reaches this far beyond what may be asked
_OUTSIDE_SHARE = 0.1  # of the last step: a reading farther out than this is outside
_NUM_STEPS = 6  # of Gauss-Newton, for several values at once
_PROBE_STEP_SHARE = 0.01  # of a range, to differentiate
_MAX_FRAME_PX = 2**16


@dataclass(frozen=True)
class MatchReading:
    """Where a result stands among the true pictures."""

    value: float  # in the attribute's unit
    is_outside: bool  # the reference grid: less than its lowest value or more than its highest
    distance_codes: float  # rms to the nearest reference: how far off the true path it is


@dataclass(frozen=True)
class ReferenceGrid:
    """True pictures at rising values, as display codes of the pixels that are compared."""

    values_S: NDArray[np.float64]
    references_SN: Codes

    def read(self, result_N: Codes) -> MatchReading:
        """Return the reading of a result, of the same pixels as the references."""
        error_S = np.array(
            [float(np.mean((reference - result_N) ** 2)) for reference in self.references_SN]
        )
        best = int(error_S.argmin())
        distance = float(np.sqrt(error_S[best]))
        if best in (0, len(error_S) - 1):
            return self._at_an_end(error_S, best, distance)
        return MatchReading(self._between(error_S, best), False, distance)

    def _between(self, error_S: NDArray[np.float64], best: int) -> float:
        """Return the value near an inner reference, by the parabola through its distances."""
        around = slice(best - 1, best + 2)
        return parabola_minimum(self.values_S[around].tolist(), error_S[around].tolist())

    def _at_an_end(self, error_S: NDArray[np.float64], best: int, distance: float) -> MatchReading:
        inner = 1 if best == 0 else best - 1
        share = self._share_towards(error_S, best, inner)
        step = self.values_S[inner] - self.values_S[best]
        value = float(self.values_S[best] + max(share, 0.0) * step)
        return MatchReading(value, share < -_OUTSIDE_SHARE, distance)

    def _share_towards(self, error_S: NDArray[np.float64], best: int, other: int) -> float:
        """Return where the result lies on the line from one reference (0) to another (1)."""
        gap = float(np.mean((self.references_SN[best] - self.references_SN[other]) ** 2))
        return 0.5 * (error_S[best] - error_S[other] + gap) / gap if gap > 0.0 else 0.0


@dataclass(frozen=True)
class FrameGrid(ReferenceGrid):
    """A grid of few references far apart: between two of them the straight line counts.

    A parabola through three distances would miss even a result that equals a reference, because
    distances between far frames do not grow with the square of the value.
    """

    def _between(self, error_S: NDArray[np.float64], best: int) -> float:
        """Return the value near an inner reference, on the line to its nearer neighbour."""
        other = best - 1 if error_S[best - 1] < error_S[best + 1] else best + 1
        share = max(self._share_towards(error_S, best, other), 0.0)
        step = self.values_S[other] - self.values_S[best]
        return float(self.values_S[best] + share * step)

    def without(self, value: float) -> "FrameGrid | None":
        """Return the grid without one of its inner references; None where that is an end."""
        left_out = int(np.abs(self.values_S - value).argmin())
        if left_out in (0, len(self.values_S) - 1):
            return None
        kept = np.arange(len(self.values_S)) != left_out
        return FrameGrid(self.values_S[kept], self.references_SN[kept])


def parabola_minimum(x_3: Sequence[float], y_3: Sequence[float]) -> float:
    """Return where the parabola through three points is smallest; the middle one if it is flat.

    For even steps h: x + (h / 2) (y_before - y_after) / (y_before - 2 y + y_after).

    >>> parabola_minimum([0.0, 1.0, 2.0], [1.44, 0.04, 0.64])
    1.2
    """
    (x0, x1, x2), (y0, y1, y2) = (map(float, x_3), map(float, y_3))
    left, right = (x1 - x0) * (y1 - y2), (x1 - x2) * (y1 - y0)
    if left == right:
        return x1
    return round(x1 - 0.5 * ((x1 - x0) * left - (x1 - x2) * right) / (left - right), 12)


def light_grid(truth: LightTruth, attribute: str, low: float, high: float) -> ReferenceGrid:
    """Return the reference grid of one photometric attribute.

    Raises:
        EditScaleError: too few pixels of the source are neither clipped nor black.
    """
    check_probe(truth)
    (lowest,), (highest,) = _limits(truth, {attribute: (low, high)})
    values_S = np.linspace(lowest, highest, _NUM_REFERENCES, dtype=np.float64)
    references = [truth.probe_codes({attribute: float(value)}).ravel() for value in values_S]
    return ReferenceGrid(values_S, np.stack(references))


def frame_grid(truth: FrameTruth) -> FrameGrid:
    """Return the reference grid of the frames of a sweep.

    Raises:
        EditScaleError: there are fewer than two frames.
    """
    if len(truth.frames) < 2:
        msg = f"{truth.attribute}: {len(truth.frames)} frame; a reference grid needs at least two"
        raise EditScaleError(msg)
    values = sorted(truth.frames)
    references = np.stack([frame_codes(truth.frames[value]) for value in values])
    return FrameGrid(np.array(values), references)


def frame_codes(picture_HW3: Display) -> Codes:
    """Return the codes of a picture that a grid of frames compares; large ones on a grid."""
    step = max(1, int(np.sqrt(picture_HW3.shape[0] * picture_HW3.shape[1] / _MAX_FRAME_PX)))
    return picture_HW3[::step, ::step].astype(np.float32).ravel()


def probe_of(truth: LightTruth, result_HW3: Display) -> Codes:
    """Return the codes of a result that a grid of light compares."""
    return result_HW3.reshape(-1, 3)[truth.probe].astype(np.float32).ravel()


def check_probe(truth: LightTruth) -> None:
    """Raise EditScaleError where too little of the source is known."""
    if len(truth.probe) < MIN_READOUT_PX:
        msg = (
            f"{len(truth.probe)} pixels of the source are neither clipped nor black; at least "
            f"{MIN_READOUT_PX} are needed to compare it with what it should become"
        )
        raise EditScaleError(msg)


def match_together(
    truth: LightTruth, result_HW3: Display, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, MatchReading]:
    """Return the values at which the true picture comes closest to a result, all at once.

    Gauss-Newton from no change, at most a quarter of a range per step: the changes of several
    lights and of the camera are nearly independent, so that a few steps arrive.

    Raises:
        EditScaleError: too little of the source is known.
    """
    check_probe(truth)
    goal_N = probe_of(truth, result_HW3)
    names = list(ranges)
    lows, highs = _limits(truth, ranges)
    spans = highs - lows
    x = np.zeros(len(names))
    for _ in range(_NUM_STEPS):
        now_N = truth.probe_codes(dict(zip(names, x.tolist(), strict=True))).ravel()
        slopes = []
        for number, span in enumerate(spans):
            moved = x.copy()
            moved[number] += _PROBE_STEP_SHARE * span
            codes = truth.probe_codes(dict(zip(names, moved.tolist(), strict=True))).ravel()
            slopes.append((codes - now_N) / (_PROBE_STEP_SHARE * span))
        step, *_ = np.linalg.lstsq(np.stack(slopes, axis=1), goal_N - now_N, rcond=1e-6)
        x = np.clip(x + np.clip(step, -0.25 * spans, 0.25 * spans), lows, highs)
    rest_N = truth.probe_codes(dict(zip(names, x.tolist(), strict=True))).ravel() - goal_N
    distance = float(np.sqrt(np.mean(rest_N**2)))
    is_out = (x <= lows) | (x >= highs)
    return {
        name: MatchReading(float(x[n]), bool(is_out[n]), distance) for n, name in enumerate(names)
    }


def _limits(
    truth: LightTruth, ranges: Mapping[str, tuple[float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest values that are tried."""
    possible = [truth.feasible(name) for name in ranges]
    asked = [(_MARGIN * low, _MARGIN * high) for low, high in ranges.values()]
    lows = [max(a[0], p[0]) for a, p in zip(asked, possible, strict=True)]
    highs = [min(a[1], p[1]) for a, p in zip(asked, possible, strict=True)]
    return np.array(lows), np.array(highs)
