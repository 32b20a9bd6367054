"""What the sweeps of all kinds of series share: names of rows, printed values, what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from cat_dataset.errors import BracketError
from cat_dataset.records import Rejection, Split, Sweep
from dslr.grouping.series import ATTRIBUTE_OF_KIND, SeriesKind
from dslr.measure.residual import MAX_BAND_STOPS, MAX_DRIFT_STOPS, MAX_MOVING_SHARE
from dslr.sweeps.develop_bursts import ReadCapture, ReadGroup

SweepAndRejections = tuple[Sweep | None, tuple[Rejection, ...]]  # None: fewer than two frames left


@dataclass(frozen=True)
class SeriesName:
    """What the rows of a series are called."""

    unit_id: str
    split: Split


def absolute_values(captures: Sequence[ReadCapture], kind: SeriesKind) -> tuple[float, ...]:
    """Return what each frame was set to, as the camera prints it, in the attribute's unit.

    Raises:
        BracketError: neither the file nor captures.toml says.
    """
    values = []
    for read in captures:
        metadata = read.capture.metadata
        printed = {
            "aperture": metadata.f_number,
            "iso": metadata.iso,
            "shutter": metadata.exposure_time_s,
            "focus_distance": metadata.focus_distance_m,
            "focal_length": metadata.focal_length_mm,
        }[kind]
        value = printed if read.capture.stated is None else read.capture.stated
        if value is None:
            msg = (
                f"{read.capture.name}: its {ATTRIBUTE_OF_KIND[kind]} is unknown; state it in "
                f"captures.toml, values = [...]"
            )
            raise BracketError(msg)
        values.append(value)
    return tuple(values)


def split_by_residual(
    group: ReadGroup, kind: SeriesKind, name: SeriesName
) -> tuple[tuple[int, ...], tuple[Rejection, ...]]:
    """Return the frames in which little else changed, and why the others are left out."""
    kept, rejections = [], []
    for index, read in enumerate(group.captures):
        why = _too_different(read, kind)
        if why is None:
            kept.append(index)
        else:
            rejections.append(frame_rejection(name, group, index, kind, why))
    return tuple(kept), tuple(rejections)


def _too_different(read: ReadCapture, kind: SeriesKind) -> str | None:
    residual = read.residual
    if residual is None:
        return None
    if kind != "shutter" and residual.moving_share > MAX_MOVING_SHARE:
        return (
            f"{residual.moving_share:.0%} of the picture moved, at most {MAX_MOVING_SHARE:.0%} "
            f"may; shoot still scenes"
        )
    if residual.drift_stops > MAX_DRIFT_STOPS:
        return (
            f"the light drifted by {residual.drift_stops:.2f} stops across the picture, at most "
            f"{MAX_DRIFT_STOPS:g} may; wait for steady light"
        )
    if residual.band_stops > MAX_BAND_STOPS:
        return (
            f"the light flickered: stripes of {residual.band_stops:.2f} stops, at most "
            f"{MAX_BAND_STOPS:g}; use exposures longer than 1/50 s under mains light"
        )
    return None


def frame_rejection(
    name: SeriesName, group: ReadGroup, index: int, kind: SeriesKind, why: str
) -> Rejection:
    """Return the row of a frame that is left out of its series, named by its file's number."""
    key = f"{name.unit_id}-frame-{group.numbers[index]:02d}"
    return Rejection(key, name.unit_id, "rejected", why, ATTRIBUTE_OF_KIND[kind])
