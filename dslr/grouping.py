"""Split a folder of captures into exposure brackets and single captures.

Captures of one body, lens, aperture and focal length that follow each other without a pause form
a burst; within a burst, frames of the same framing whose exposures differ are a bracket, in
whatever order and with duplicates. Everything else stays single, with the reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from dslr.exposure import exposure_axis
from dslr.framing import FramingMatch, Preview, match_framing
from dslr.metadata import CaptureMetadata

MAX_PAUSE_S = 2.0  # between the end of one exposure and the start of the next
MAX_PAUSE_SHARE = 0.1  # of the exposure time, where that is longer
MIN_STEP_STOPS = 0.2  # smaller differences are rounding and repeatability, not a bracket

Kind = Literal["bracket", "single", "unreadable"]


@dataclass(frozen=True)
class Capture:
    """One RAW file and its settings."""

    path: Path
    name: str  # path relative to the batch's folder, with slashes
    metadata: CaptureMetadata


@dataclass(frozen=True)
class Grouped:
    """Captures that belong together, and why; not named yet."""

    captures: tuple[Capture, ...]
    kind: Kind
    reason: str


def split_into_bursts(captures: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    """Yield runs of captures with equal body and optics, without a pause between them."""
    for _, members in groupby(sorted(captures, key=_sort_key), key=_optics):
        run: list[Capture] = []
        for capture in members:
            if run and _is_pause(run[-1].metadata, capture.metadata):
                yield tuple(run)
                run = []
            run.append(capture)
        yield tuple(run)


def may_be_bracket(captures: Sequence[Capture]) -> bool:
    """Return whether settings alone allow a bracket: then the pixels are worth looking at."""
    return spread_stops(captures) >= MIN_STEP_STOPS


def spread_stops(captures: Sequence[Capture]) -> float:
    """Return the stops between the darkest and brightest exposure; 0 where times are unknown."""
    if any(capture.metadata.exposure_time_s is None for capture in captures):
        return 0.0
    stops = exposure_axis([capture.metadata for capture in captures]).snapped_stops
    return max(stops) - min(stops)


def group_burst(burst: Sequence[Capture], previews: Mapping[Path, Preview]) -> Iterator[Grouped]:
    """Yield the brackets and singles of one burst.

    `previews` holds every framing of a burst that `may_be_bracket`; otherwise it is not read.
    """
    if not may_be_bracket(burst):
        for capture in burst:
            yield Grouped((capture,), "single", _why_single(burst))
        return
    remaining = list(burst)
    while remaining:
        cluster, matches = _same_framing(remaining, previews)
        remaining = [capture for capture in remaining if capture not in cluster]
        yield from _group_cluster(cluster, matches)


def _group_cluster(
    cluster: Sequence[Capture], matches: Sequence[FramingMatch]
) -> Iterator[Grouped]:
    """Yield one bracket, or singles where frames of one framing do not differ in exposure."""
    if may_be_bracket(cluster):
        loosest = min((m for m in matches if m.is_same), key=lambda m: m.correlation)
        reason = (
            f"{len(cluster)} frames over {spread_stops(cluster):.2f} stops, {loosest.describe()}"
        )
        yield Grouped(tuple(cluster), "bracket", reason)
        return
    others = [m for m in matches if not m.is_same]
    nearest = max(others, key=lambda m: m.correlation).describe() if others else "no other frame"
    reason = f"no frame of its framing has another exposure; nearest in time: {nearest}"
    for capture in cluster:
        yield Grouped((capture,), "single", reason)


def _same_framing(
    captures: Sequence[Capture], previews: Mapping[Path, Preview]
) -> tuple[list[Capture], list[FramingMatch]]:
    """Return the captures framed like the middle exposure, and the best match of every other one.

    The cluster grows outward from the middle: each capture is held against the member of the
    cluster nearest in exposure, with which it shares the most unclipped light.
    """
    stops = exposure_axis([capture.metadata for capture in captures]).snapped_stops
    ranked = sorted(range(len(captures)), key=lambda index: (stops[index], index))
    middle = ranked[len(ranked) // 2]
    members, matches = [middle], []
    for index in sorted(ranked, key=lambda i: (abs(stops[i] - stops[middle]), i)):
        if index == middle:
            continue
        nearest = min(members, key=lambda i: (abs(stops[i] - stops[index]), i))
        match = match_framing(previews[captures[nearest].path], previews[captures[index].path])
        matches.append(match)
        if match.is_same:
            members.append(index)
    return [captures[index] for index in sorted(members)], matches


def _why_single(burst: Sequence[Capture]) -> str:
    if burst[0].metadata.exposure_time_s is None:
        return "its exposure time is unknown"
    if len(burst) == 1:
        return f"no other capture of its body and optics within {MAX_PAUSE_S:g} s"
    return f"one of {len(burst)} captures in a row with equal exposure"


def _optics(capture: Capture) -> tuple[str | float | bool, ...]:
    """Return what all frames of a bracket have in common; unknown sorts as 0."""
    metadata = capture.metadata
    return (
        str(capture.path.parent),
        metadata.body,
        metadata.lens,
        metadata.f_number or 0.0,
        metadata.focal_length_mm or 0.0,
        metadata.exposure_time_s is None,
        metadata.iso is None,
    )


def _sort_key(capture: Capture) -> tuple[object, ...]:
    time = capture.metadata.captured_at
    return (*_optics(capture), time.isoformat() if time else "", capture.path.name)


def _is_pause(before: CaptureMetadata, after: CaptureMetadata) -> bool:
    """Return whether the photographer paused between two captures; no clock, no pause.

    The time written is an exposure's start or its end, depending on the maker: the longer of the
    two exposures is granted.
    """
    if before.captured_at is None or after.captured_at is None:
        return False
    longest_s = max(before.exposure_time_s or 0.0, after.exposure_time_s or 0.0)
    pause_s = (after.captured_at - before.captured_at).total_seconds() - longest_s
    return pause_s > max(MAX_PAUSE_S, MAX_PAUSE_SHARE * longest_s)
