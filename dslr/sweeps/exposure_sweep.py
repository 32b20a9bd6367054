"""An exposure bracket as a sweep: each frame stands where the sensor says, not where EXIF does."""

from collections.abc import Mapping, Sequence
from typing import Any

from cat_dataset.attributes.photometric import EXPOSURE
from cat_dataset.errors import BracketError
from cat_dataset.records import Sweep, SweepFrame
from dslr.develop.exposure import ExposureAxis, exposure_axis
from dslr.grouping.series import SeriesKind
from dslr.sweeps.bracket import BracketFrame, pair_readings, place_frames
from dslr.sweeps.develop_bursts import ReadCapture, ReadGroup, file_origin
from dslr.sweeps.series_frames import (
    SeriesName,
    SweepAndRejections,
    frame_rejection,
    split_by_residual,
)


def exposure_sweep(
    group: ReadGroup, kind: SeriesKind, name: SeriesName, origin: Mapping[str, Any]
) -> SweepAndRejections:
    """Return frames of a bracket, each where the sensor says it stands."""
    kept, refused = split_by_residual(group, kind, name)
    cells = [read.cells for read in group.captures]
    # what moved or drifted must neither stand for an exposure nor carry another frame's scale
    frames, dropped = place_frames(_stated_axis(group.captures), cells, group.anchor, kept)
    rejections = refused + tuple(
        frame_rejection(name, group, index, kind, why) for index, why in sorted(dropped.items())
    )
    sweep = Sweep(
        scene=name.unit_id,
        split=name.split,
        attribute=EXPOSURE.name,
        frames=tuple(_bracket_frame(group.captures[frame.index], frame) for frame in frames),
        readings=pair_readings(frames, cells),
        is_measured_the_scale=True,
        origin=origin,
    )
    return (sweep if len(frames) > 1 else None), rejections


def _stated_axis(captures: Sequence[ReadCapture]) -> ExposureAxis:
    """Return where the settings, or captures.toml, say that the frames stand."""
    stated = [read.capture.stated for read in captures]
    if None not in stated:
        stops = tuple(float(value) for value in stated if value is not None)
        return ExposureAxis(stops, stops)
    unknown = [r.capture.name for r in captures if r.capture.metadata.exposure_time_s is None]
    if unknown:
        msg = (
            f"exposure time of {', '.join(unknown)} is unknown; state the stops of all files in "
            f"captures.toml, values = [...]"
        )
        raise BracketError(msg)
    return exposure_axis([read.capture.metadata for read in captures])


def _bracket_frame(read: ReadCapture, frame: BracketFrame) -> SweepFrame:
    return SweepFrame(
        absolute_value=None,
        axis_value=frame.measured.value,
        linear_HW3=read.developed.linear_HW3,
        clipped_HW=read.developed.clipped_HW,
        moving_HW=read.moving_HW,
        origin={**file_origin(read), "stops": frame.to_json()},
    )
