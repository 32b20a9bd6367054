"""Captures in the order of time, and the runs among them that may be one series.

Captures of one body and lens that follow each other without a pause form a burst; so do single
ones that were set by hand within half a minute. Two brackets in a row stay two: the camera's own
numbers or a setting that comes back tell them apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from dslr.files.metadata import CaptureMetadata
from dslr.grouping.series import find_axis

MAX_PAUSE_S = 2.0  # between the end of one exposure and the start of the next
MAX_PAUSE_SHARE = 0.1  # of the exposure time, where that is longer
MAX_PAUSE_BY_HAND_S = 30.0  # to turn a ring or a dial between two single captures
MAX_SESSION_PAUSE_S = 300.0  # what follows sooner may show the same scene: one side of a split
MAX_BURST = 24  # captures that are held against each other; automatic brackets have at most 9
_ROLL_OVER = 5000  # file numbers of one second that lie farther apart went past 9999


@dataclass(frozen=True)
class Capture:
    """One RAW file and its settings."""

    path: Path
    name: str  # path relative to the source's folder, with slashes
    metadata: CaptureMetadata
    stated: float | None = None  # its value in captures.toml


def split_into_bursts(captures: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    """Yield runs of captures of one body and lens that may be series, in the order of time.

    At most MAX_BURST captures each, unless all their settings are equal.
    """
    for _, members in groupby(_in_order(captures), key=_camera):
        burst: list[Capture] = []
        are_singles = True
        for run in _runs(members):
            joins = bool(burst) and _is_set_by_hand(burst[-1], run[0])
            if burst and not (joins and ((are_singles and len(run) == 1) or _extends(burst, run))):
                yield from _cut(burst)
                burst, are_singles = [], True
            burst += run
            are_singles = are_singles and len(run) == 1
        yield from _cut(burst)


def sessions(captures: Iterable[Capture]) -> dict[Path, int]:
    """Number captures by session: one folder, no pause of five minutes; no clock, no pause.

    Whatever a session holds may show one scene, also to two bodies, and lies on one side of the
    split.
    """
    numbers: dict[Path, int] = {}
    before: Capture | None = None
    number = -1
    for capture in sorted(captures, key=_time_key):
        is_same = before is not None and before.path.parent == capture.path.parent
        pause_s = None if before is None else _pause_s(before.metadata, capture.metadata)
        number += not (is_same and (pause_s is None or pause_s <= MAX_SESSION_PAUSE_S))
        numbers[capture.path], before = number, capture
    return numbers


def _runs(captures: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    run: list[Capture] = []
    for capture in captures:
        if run and _is_pause(run[-1].metadata, capture.metadata):
            yield tuple(run)
            run = []
        run.append(capture)
    yield tuple(run)


def _extends(burst: Sequence[Capture], run: Sequence[Capture]) -> bool:
    """Return whether settings go on along one axis; a second bracket would repeat some."""
    both = [capture.metadata for capture in (*burst, *run)]
    if any(m.bracket_shot for m in both):
        return False  # the camera counted: see `_is_pause`
    settings = {
        (m.exposure_time_s, m.f_number, m.iso, m.focal_length_mm, m.focus_distance_m) for m in both
    }
    return len(settings) == len(both) and find_axis(both).kind is not None


def _cut(burst: Sequence[Capture]) -> Iterator[tuple[Capture, ...]]:
    """Yield a long burst in parts, cut at the longest pause of its middle half."""
    parts = [tuple(burst)]
    while parts:
        part = parts.pop()
        if len(part) <= MAX_BURST or find_axis([c.metadata for c in part]).is_all_equal:
            yield part
            continue
        pauses_s = [_pause_s(a.metadata, b.metadata) or 0.0 for a, b in pairwise(part)]
        quarter, middle = len(pauses_s) // 4, len(pauses_s) // 2
        inner = range(quarter, len(pauses_s) - quarter)
        at = 1 + max(inner, key=lambda n: (pauses_s[n], -abs(n - middle), -n))
        parts += [part[at:], part[:at]]


def _in_order(captures: Iterable[Capture]) -> Iterator[Capture]:
    """Yield captures by camera and time; within one second past 9999 if the numbers rolled over."""
    for key, same in groupby(sorted(captures, key=_sort_key), key=lambda c: _sort_key(c)[:-1]):
        found = list(same)
        numbers = [_file_number(capture) for capture in found]
        if key[-1] and max(numbers) - min(numbers) > _ROLL_OVER:
            # a stable sort: those before the roll-over come first, each part in its order
            found.sort(key=lambda c: _file_number(c) < _ROLL_OVER)
        yield from found


def _file_number(capture: Capture) -> int:
    digits = "".join(sign for sign in capture.path.stem if sign.isdecimal())
    return int(digits[-4:] or 0)


def _camera(capture: Capture) -> tuple[str, ...]:
    """Return what all frames of a series have in common.

    Another container has other levels: a RAW file and its converted DNG are no two exposures.
    """
    metadata = capture.metadata
    container = capture.path.suffix.lower()
    return str(capture.path.parent), metadata.body, metadata.serial, metadata.lens, container


def _sort_key(capture: Capture) -> tuple[str, ...]:
    time = capture.metadata.captured_at
    return (*_camera(capture), time.isoformat() if time else "", capture.path.name)


def _time_key(capture: Capture) -> tuple[str, ...]:
    return (str(capture.path.parent), *_sort_key(capture)[-2:])


def _is_pause(before: CaptureMetadata, after: CaptureMetadata) -> bool:
    """Return whether one bracket ended and another began; no clock, no pause.

    The camera's own number of the shot says where it is there. The time written is an exposure's
    start or its end, depending on the maker: the longer of the two exposures is granted.
    """
    numbers = before.bracket_shot, after.bracket_shot
    pause_s = _pause_s(before, after)
    if numbers[0] and numbers[1]:
        if numbers[1] <= numbers[0]:
            return True
        if numbers[1] == numbers[0] + 1:  # counted on: pressed anew, or the camera took darks
            return pause_s is not None and pause_s > MAX_PAUSE_BY_HAND_S
    longest_s = _longest_s(before, after)
    return pause_s is not None and pause_s > max(MAX_PAUSE_S, MAX_PAUSE_SHARE * longest_s)


def _is_set_by_hand(before: Capture, after: Capture) -> bool:
    pause_s = _pause_s(before.metadata, after.metadata)
    return pause_s is not None and pause_s <= MAX_PAUSE_BY_HAND_S


def _pause_s(before: CaptureMetadata, after: CaptureMetadata) -> float | None:
    """Return the seconds without light between two captures; None where a clock is missing."""
    if before.captured_at is None or after.captured_at is None:
        return None
    return (after.captured_at - before.captured_at).total_seconds() - _longest_s(before, after)


def _longest_s(before: CaptureMetadata, after: CaptureMetadata) -> float:
    return max(before.exposure_time_s or 0.0, after.exposure_time_s or 0.0)
