"""Series that hold the brightness: aperture, focus, ISO and shutter.

What the frames differ by in brightness all the same is measured and taken out in linear light.
The scale is the setting, snapped to what was meant; of an ISO series the noise is measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import BracketError
from cat_dataset.imaging.photometry import aperture_stops
from cat_dataset.records import Reading, Sweep, SweepFrame
from dslr.develop.exposure import exposure_axis, snap_series
from dslr.files.metadata import CaptureMetadata
from dslr.grouping.bursts import Capture
from dslr.grouping.series import ATTRIBUTE_OF_KIND, SeriesKind
from dslr.measure.regions import central_cells, measure_stops
from dslr.sweeps.develop_bursts import ReadCapture, ReadGroup, file_origin
from dslr.sweeps.series_frames import (
    SeriesName,
    SweepAndRejections,
    absolute_values,
    frame_rejection,
    split_by_residual,
)

MAX_BRIGHTNESS_GAP_STOPS = 0.3  # measured against what the settings say
FARTHEST_M = 1000.0  # the end of what focus_distance may say
MIN_SHUTTER_MOVING_SHARE = 0.003  # of the picture: motion blur needs something that moves


def constant_exposure_sweep(
    group: ReadGroup, kind: SeriesKind, name: SeriesName, origin: Mapping[str, Any]
) -> SweepAndRejections:
    """Return frames of equal brightness that differ in aperture, focus, ISO or shutter."""
    kept, refused = split_by_residual(group, kind, name)
    values = absolute_values(group.captures, kind)
    positions = _positions(kind, values)
    rejections = list(refused)
    frames: dict[int, SweepFrame] = {}
    expected = _stated_or_zero(group, kind)
    # light that one frame lost would tell the frames apart by itself
    lost_HW = np.logical_or.reduce([group.captures[i].developed.clipped_HW for i in kept])
    for index in kept:
        read = group.captures[index]
        try:
            if kind == "iso":
                _check_noise_is_known(read, is_anchor=index == group.anchor)
            gain = _brightness_stops(group, index)
            _check_brightness(gain, expected[index] - expected[group.anchor])
        except BracketError as error:
            rejections.append(frame_rejection(name, group, index, kind, str(error)))
            continue
        frames[index] = SweepFrame(
            absolute_value=_finite_distance(kind, values[index]),
            axis_value=positions[index],
            linear_HW3=read.developed.linear_HW3 * np.float32(2.0**-gain.value),
            clipped_HW=lost_HW,
            moving_HW=None if kind == "shutter" else read.moving_HW,
            origin={**file_origin(read), "brightness": _brightness_origin(gain)},
        )
    if kind == "shutter" and len(frames) > 1:
        _check_something_moves([group.captures[index] for index in frames])
    sweep = Sweep(
        scene=name.unit_id,
        split=name.split,
        attribute=ATTRIBUTE_OF_KIND[kind],
        frames=tuple(frames.values()),
        readings=_noise_readings(group, tuple(frames)) if kind == "iso" else {},
        origin=origin,
    )
    return (sweep if len(frames) > 1 else None), tuple(rejections)


def _finite_distance(kind: SeriesKind, value: float) -> float:
    """Return infinity as the farthest distance that an edit may say, 0.001 dioptres away."""
    return FARTHEST_M if kind == "focus_distance" and math.isinf(value) else value


def _check_noise_is_known(read: ReadCapture, *, is_anchor: bool) -> None:
    """Raise BracketError where a frame of an ISO series has no noise to measure, or lost it."""
    if read.alignment.is_applied:
        msg = (
            f"the camera moved by {read.alignment.shift_px:.1f} px: moving the frame back would "
            f"smooth the noise that the series is about; use a tripod"
        )
        raise BracketError(msg)
    if read.noise is None and not is_anchor:
        msg = (
            "its noise cannot be measured: too little of the picture is neither clipped nor dark; "
            "expose a scene with more middle tones"
        )
        raise BracketError(msg)


def _positions(kind: SeriesKind, values: Sequence[float]) -> tuple[float, ...]:
    """Return places on the attribute's axis of what was meant, not of what was printed."""
    match kind:
        case "aperture":
            areas = snap_series([value * value for value in values])
            return tuple(aperture_stops(math.sqrt(area)) for area in areas)
        case "iso":
            return tuple(math.log2(v) for v in snap_series([v / 100.0 for v in values]))
        case "shutter":
            return tuple(math.log2(v) for v in snap_series(values))
        case _:
            attribute = find_attribute(ATTRIBUTE_OF_KIND[kind])
            return tuple(attribute.to_axis(value) for value in values)


def _as_stated(capture: Capture, kind: SeriesKind) -> CaptureMetadata:
    """Return the settings of a frame, with what captures.toml says of the aperture or of ISO."""
    match kind:
        case "aperture" if capture.stated is not None:
            return replace(capture.metadata, f_number=capture.stated)
        case "iso" if capture.stated is not None:
            return replace(capture.metadata, iso=capture.stated)
        case _:
            return capture.metadata


def _stated_or_zero(group: ReadGroup, kind: SeriesKind) -> tuple[float, ...]:
    """Return the exposure that the settings give each frame, in stops; a filter holds it at 0."""
    metadata = [_as_stated(read.capture, kind) for read in group.captures]
    if kind == "shutter" or any(m.exposure_time_s is None for m in metadata):
        return (0.0,) * len(metadata)
    return exposure_axis(metadata).snapped_stops


def _brightness_stops(group: ReadGroup, index: int) -> Reading:
    """Return by how much a frame is brighter than the anchor in the middle of the picture."""
    if index == group.anchor:
        return Reading(0.0, 0.0, 0)
    anchor, cells = (central_cells(c) for c in (group.anchor_cells, group.captures[index].cells))
    return measure_stops(anchor, cells).reading


def _check_brightness(gain: Reading, expected_stops: float) -> None:
    if abs(gain.value - expected_stops) > MAX_BRIGHTNESS_GAP_STOPS:
        msg = (
            f"measured {gain.value:+.3f} stops against the anchor, but the settings say "
            f"{expected_stops:+.3f}: the light or the gain changed; at most "
            f"{MAX_BRIGHTNESS_GAP_STOPS:g} stops are taken out"
        )
        raise BracketError(msg)


def _brightness_origin(gain: Reading) -> dict[str, float]:
    return {"taken_out_stops": gain.value, "stderr_stops": gain.stderr}


def _check_something_moves(captures: Sequence[ReadCapture]) -> None:
    shares = [read.residual.moving_share for read in captures if read.residual is not None]
    if max(shares, default=0.0) < MIN_SHUTTER_MOVING_SHARE:
        msg = (
            f"nothing moves ({max(shares, default=0.0):.2%} of the picture, at least "
            f"{MIN_SHUTTER_MOVING_SHARE:.1%} must): exposure times make no difference"
        )
        raise BracketError(msg)


def _noise_readings(group: ReadGroup, indices: Sequence[int]) -> Mapping[tuple[int, int], Reading]:
    """Return the measured stops of noise between frames, keyed by positions in `indices`."""
    place: dict[int, Reading] = {group.anchor: Reading(0.0, 0.0, 0)}
    place |= {
        index: noise.stops
        for index in indices
        if (noise := group.captures[index].noise) is not None
    }
    return {
        (i, j): Reading(
            place[b].value - place[a].value,
            math.hypot(place[a].stderr, place[b].stderr),
            max(place[a].num_px, place[b].num_px),
        )
        for (i, a), (j, b) in permutations(enumerate(indices), 2)
        if a in place and b in place
    }
