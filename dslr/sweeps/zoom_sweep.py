"""A zoom series as a sweep: printed focal lengths are rounded, so each frame is measured.

The view of every focal length is registered on that of the longest one, which lies within it.
Brightness may change with the zoom (a lens that stops down); it is measured and taken out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.lens import FOCAL_LENGTH
from cat_dataset.records import Reading, Sweep, SweepFrame
from dslr.develop.develop import Developed
from dslr.develop.registration import Warp
from dslr.grouping.series import SeriesKind
from dslr.grouping.zoom import lies_around, match_zoom
from dslr.sweeps.constant_exposure_sweep import MAX_BRIGHTNESS_GAP_STOPS
from dslr.sweeps.develop_bursts import ReadCapture, ReadGroup, file_origin
from dslr.sweeps.series_frames import (
    SeriesName,
    SweepAndRejections,
    absolute_values,
    frame_rejection,
)


@dataclass(frozen=True)
class Magnified:
    """How a frame compares with that of the longest focal length."""

    log2: Reading  # of the magnification; 0 for the longest, negative for shorter ones
    brighter_stops: float


def zoom_sweep(
    group: ReadGroup, kind: SeriesKind, name: SeriesName, origin: Mapping[str, Any]
) -> SweepAndRejections:
    """Return frames of a zoom, each where its magnification against the longest puts it."""
    printed = absolute_values(group.captures, kind)
    found, refused = measure_magnifications(group.captures, printed)
    longest = max(found, key=lambda index: printed[index])
    frames = {
        index: SweepFrame(
            absolute_value=printed[index],
            axis_value=math.log2(printed[longest]) + found[index].log2.value,
            linear_HW3=group.captures[index].developed.linear_HW3
            * np.float32(2.0 ** -found[index].brighter_stops),
            clipped_HW=group.captures[index].developed.clipped_HW,
            origin={
                **file_origin(group.captures[index]),
                "magnification_log2": found[index].log2.value,
                "brightness": {"taken_out_stops": found[index].brighter_stops},
            },
        )
        for index in sorted(found)
    }
    indices = tuple(frames)
    readings = {
        (i, j): Reading(
            found[b].log2.value - found[a].log2.value,
            math.hypot(found[a].log2.stderr, found[b].log2.stderr),
            min(found[a].log2.num_px, found[b].log2.num_px),
        )
        for (i, a), (j, b) in permutations(enumerate(indices), 2)
    }
    sweep = Sweep(
        scene=name.unit_id,
        split=name.split,
        attribute=FOCAL_LENGTH.name,
        frames=tuple(frames.values()),
        readings=readings,
        is_measured_the_scale=True,
        origin=origin,
    )
    rejections = tuple(
        frame_rejection(name, group, i, kind, why) for i, why in sorted(refused.items())
    )
    return (sweep if len(frames) > 1 else None), rejections


def measure_magnifications(
    captures: Sequence[ReadCapture], printed_mm: Sequence[float]
) -> tuple[dict[int, Magnified], dict[int, str]]:
    """Return the magnification of each frame, by index, and why some could not be measured."""
    longest = max(range(len(captures)), key=lambda index: printed_mm[index])
    found = {longest: Magnified(Reading(0.0, 0.0, 0), 0.0)}
    refused = {}
    for index, read in enumerate(captures):
        if index == longest:
            continue
        nominal = printed_mm[longest] / printed_mm[index]
        magnified = _magnified(captures[longest].developed, read.developed, nominal)
        if isinstance(magnified, str):
            refused[index] = magnified
        else:
            found[index] = magnified
    return found, refused


def _magnified(long: Developed, short: Developed, nominal: float) -> Magnified | str:
    """Return how the shorter focal length compares with the longer, or why that is unknown."""
    usable = (~long.clipped_HW, ~short.clipped_HW)
    found = match_zoom(_green(long), _green(short), usable, nominal)
    if not lies_around(found, nominal):
        return (
            f"its view does not lie around that of the longest focal length (correlation "
            f"{found.correlation:.2f}, magnified {1.0 / found.magnification:.2f}x where its "
            f"settings say {nominal:.2f}x)"
        )
    # across and along are measured independently: what they differ by is the error
    across, along = (float(np.hypot(*found.warp[:, axis])) for axis in (0, 1))
    stderr = abs(math.log2(across / along)) / 2.0
    log2 = Reading(math.log2(found.magnification), stderr, long.clipped_HW.size)
    brighter_stops = _brighter_stops(long, short, found.warp)
    if brighter_stops is None or abs(brighter_stops) > MAX_BRIGHTNESS_GAP_STOPS:
        said = "unknown" if brighter_stops is None else f"{brighter_stops:+.2f} stops"
        return (
            f"its brightness against the longest focal length is {said}, at most "
            f"{MAX_BRIGHTNESS_GAP_STOPS:g} stops are taken out; set the exposure by hand"
        )
    return Magnified(log2, brighter_stops)


def _brighter_stops(long: Developed, short: Developed, warp: Warp) -> float | None:
    """Return by how much the shorter focal length shows the common view brighter.

    None where the two share no unclipped light.
    """
    size = long.clipped_HW.shape[::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    lit = cv2.warpAffine(_green(short), warp, size, flags=flags)
    lost = cv2.warpAffine(short.clipped_HW.astype(np.float32), warp, size, flags=flags)
    usable = (lost == 0.0) & ~long.clipped_HW
    sums = [float(np.asarray(light)[usable].sum()) for light in (lit, _green(long))]
    return math.log2(sums[0] / sums[1]) if min(sums) > 0.0 else None


def _green(developed: Developed) -> NDArray[np.float32]:
    return np.ascontiguousarray(developed.linear_HW3[..., 1])
