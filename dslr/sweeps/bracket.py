"""Place the frames of a bracket on the axis of exposure by measuring, and judge what they claim.

Three numbers per frame, all in stops against the anchor frame: nominal (as printed), snapped (the
power of two that was meant), measured (from sensor values). The measured one is the scale.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from cat_dataset.errors import BracketError
from cat_dataset.records import Reading
from dslr.develop.exposure import ExposureAxis
from dslr.grouping.series import MIN_STEP_STOPS
from dslr.measure.regions import CellGrid, measure_stops

FLAGGED_STOPS = 0.10  # measured against snapped: more than printed numbers are rounded by
REJECTED_STOPS = 0.30  # auto ISO, flicker, a cloud: not the exposure that was set


@dataclass(frozen=True)
class BracketFrame:
    """Where one frame stands, in stops relative to the anchor; positive = brighter."""

    index: int  # of the capture in its group
    nominal: float
    snapped: float
    measured: Reading
    per_channel: dict[str, float]  # the measured value by colour, where it was read directly

    @property
    def is_flagged(self) -> bool:
        """Whether the sensor contradicts the settings by more than rounding explains."""
        return abs(self.measured.value - self.snapped) > FLAGGED_STOPS

    def to_json(self) -> dict[str, Any]:
        """Return the three numbers as plain JSON values for the origin of a pair."""
        return {
            "nominal": self.nominal,
            "snapped": self.snapped,
            "measured": self.measured.value,
            "measured_stderr": self.measured.stderr,
            "per_channel": self.per_channel,
            "is_flagged": self.is_flagged,
        }


def place_frames(
    axis: ExposureAxis, cells: Sequence[CellGrid], anchor: int, candidates: Sequence[int]
) -> tuple[tuple[BracketFrame, ...], dict[int, str]]:
    """Return the frames that form a bracket, and why the others were dropped, by index.

    Only `candidates` are placed. Frames are measured outward from the anchor; one too far from it
    to share unclipped light is measured against the frame before it.
    """
    placed = {anchor: BracketFrame(anchor, 0.0, 0.0, Reading(0.0, 0.0, 0), {})}
    dropped: dict[int, str] = {}
    by_distance = sorted(
        (index for index in candidates if index != anchor),
        key=lambda index: (abs(axis.snapped_stops[index] - axis.snapped_stops[anchor]), index),
    )
    for index in by_distance:
        try:
            frame = _place(axis, cells, anchor, index, placed)
            _check_frame(frame, placed)
        except BracketError as error:
            dropped[index] = str(error)
        else:
            placed[index] = frame
    return tuple(placed[index] for index in sorted(placed)), dropped


def pair_readings(
    frames: Sequence[BracketFrame], cells: Sequence[CellGrid]
) -> dict[tuple[int, int], Reading]:
    """Return the measured stops of all ordered pairs, keyed by positions in `frames`.

    Measured directly where two frames share light, else as the difference of their places.
    """
    readings = {}
    for (i, source), (j, target) in permutations(enumerate(frames), 2):
        try:
            readings[i, j] = measure_stops(cells[source.index], cells[target.index]).reading
        except BracketError:  # clipped against black: only their places connect them
            readings[i, j] = Reading(
                target.measured.value - source.measured.value,
                math.hypot(source.measured.stderr, target.measured.stderr),
                min(source.measured.num_px, target.measured.num_px),
            )
    return readings


def _place(
    axis: ExposureAxis,
    cells: Sequence[CellGrid],
    anchor: int,
    index: int,
    placed: dict[int, BracketFrame],
) -> BracketFrame:
    """Return a frame's place, measured against the anchor or its nearest placed neighbour."""
    per_channel: dict[str, float] = {}
    try:
        direct = measure_stops(cells[anchor], cells[index])
        reading = direct.reading
        per_channel = {name: r.value for name, r in direct.per_channel.items()}
    except BracketError:
        nearest = min(placed, key=lambda i: abs(axis.snapped_stops[i] - axis.snapped_stops[index]))
        if nearest == anchor:
            raise
        step = measure_stops(cells[nearest], cells[index]).reading
        base = placed[nearest].measured
        reading = Reading(
            base.value + step.value, math.hypot(base.stderr, step.stderr), step.num_px
        )
    return BracketFrame(
        index=index,
        nominal=axis.nominal_stops[index] - axis.nominal_stops[anchor],
        snapped=axis.snapped_stops[index] - axis.snapped_stops[anchor],
        measured=reading,
        per_channel=per_channel,
    )


def _check_frame(frame: BracketFrame, placed: dict[int, BracketFrame]) -> None:
    """Raise BracketError where a frame's light contradicts its settings, or adds nothing new."""
    gap = frame.measured.value - frame.snapped
    if abs(gap) > REJECTED_STOPS:
        msg = (
            f"measured {frame.measured.value:+.3f} stops against the anchor, but its settings say "
            f"{frame.snapped:+.3f}: the light or the gain changed (auto ISO, flicker, a cloud); "
            f"set ISO by hand and shoot again"
        )
        raise BracketError(msg)
    for other in placed.values():
        difference = frame.measured.value - other.measured.value
        if abs(difference) < MIN_STEP_STOPS:
            msg = (
                f"repeats an exposure of its bracket ({difference:+.4f} stops measured); one frame "
                f"per exposure is used, at least {MIN_STEP_STOPS:g} stops apart"
            )
            raise BracketError(msg)
