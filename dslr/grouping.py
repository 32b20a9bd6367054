"""Split a folder of captures into series and single captures.

Captures of one body and lens that follow each other without a pause form a burst; so do single
ones that were set by hand within half a minute. Within a burst, frames of one framing whose
settings differ along a clean axis are a series, in whatever order and with duplicates. Everything
else stays single, with the reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from dslr.added_light import find_lamp
from dslr.exposure import exposure_axis
from dslr.framing import FramingMatch, Preview, match_framing
from dslr.metadata import CaptureMetadata
from dslr.series import AxisFound, SeriesKind, find_axis
from dslr.zoom import match_zoom_series

MAX_PAUSE_S = 2.0  # between the end of one exposure and the start of the next
MAX_PAUSE_SHARE = 0.1  # of the exposure time, where that is longer
MAX_PAUSE_BY_HAND_S = 30.0  # to turn a ring or a dial between two single captures
MAX_EQUAL_CAPTURES = 12  # in a row that are looked at for a lamp or another balance
MIN_BALANCE_RATIO = 1.02  # multipliers nearer than this are one balance

Kind = SeriesKind | Literal["single", "unreadable"]


@dataclass(frozen=True)
class Capture:
    """One RAW file and its settings."""

    path: Path
    name: str  # path relative to the batch's folder, with slashes
    metadata: CaptureMetadata
    stated: float | None = None  # its value in captures.toml


@dataclass(frozen=True)
class Grouped:
    """Captures that belong together, and why; not named yet."""

    captures: tuple[Capture, ...]
    kind: Kind
    reason: str


def split_into_bursts(captures: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    """Yield runs of captures of one body and lens, without a pause between them.

    Single captures set by hand within half a minute of each other are one run.
    """
    for _, members in groupby(sorted(captures, key=_sort_key), key=_camera):
        by_hand: list[Capture] = []
        for run in _runs(members):
            if len(run) == 1 and (not by_hand or _is_set_by_hand(by_hand[-1], run[0])):
                by_hand.append(run[0])
                continue
            if by_hand:
                yield tuple(by_hand)
            by_hand = list(run) if len(run) == 1 else []
            if len(run) > 1:
                yield run
        if by_hand:
            yield tuple(by_hand)


def _runs(captures: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    run: list[Capture] = []
    for capture in captures:
        if run and _is_pause(run[-1].metadata, capture.metadata):
            yield tuple(run)
            run = []
        run.append(capture)
    yield tuple(run)


def may_be_series(captures: Sequence[Capture]) -> bool:
    """Return whether settings alone allow a series: then the pixels are worth looking at.

    Many captures of equal settings are a time lapse or sport, no series of light or balance.
    """
    if len(captures) <= MAX_EQUAL_CAPTURES:
        return len(captures) > 1
    return not find_axis([capture.metadata for capture in captures]).is_all_equal


def group_burst(burst: Sequence[Capture], previews: Mapping[Path, Preview]) -> Iterator[Grouped]:
    """Yield the series and singles of one burst.

    `previews` holds every framing of a burst that `may_be_series`; otherwise it is not read.
    """
    if not may_be_series(burst):
        for capture in burst:
            yield Grouped((capture,), "single", _why_alone(burst))
        return
    whole = find_axis([capture.metadata for capture in burst])
    if whole.kind == "focal_length":
        yield from _group_zoom(burst, whole, previews)
        return
    remaining, before = list(burst), list[FramingMatch]()
    while remaining:
        cluster, matches = _same_framing(remaining, previews)
        remaining = [capture for capture in remaining if capture not in cluster]
        yield from _group_cluster(cluster, matches or before, previews)
        before = matches


def _group_zoom(
    burst: Sequence[Capture], axis: AxisFound, previews: Mapping[Path, Preview]
) -> Iterator[Grouped]:
    members, outsiders = match_zoom_series(burst, previews)
    if len(members) > 1:
        yield Grouped(tuple(members), "focal_length", f"{len(members)} frames, {axis.reason}")
    else:
        outsiders = {members[0]: "no other view of its scene", **outsiders}
    for capture, why in outsiders.items():
        yield Grouped((capture,), "single", f"{axis.reason}, but {why}")


def _group_cluster(
    cluster: Sequence[Capture], matches: Sequence[FramingMatch], previews: Mapping[Path, Preview]
) -> Iterator[Grouped]:
    """Yield the series of captures of one framing; singles where they do not differ cleanly."""
    if len(cluster) == 1:
        others = [m for m in matches if not m.is_same]
        nearest = max(others, key=lambda m: m.correlation).describe() if others else "none there"
        reason = f"no other capture of its framing; nearest in time: {nearest}"
        yield Grouped(tuple(cluster), "single", reason)
        return
    loosest = min((m for m in matches if m.is_same), key=lambda m: m.correlation).describe()
    for run, axis in _clean_runs(cluster):
        kind, why = axis.kind, axis.reason
        if axis.is_all_equal and len(run) > 1:
            kind, why = _differ_in_light(run, previews)
        if kind is not None:
            yield Grouped(tuple(run), kind, f"{len(run)} frames, {why}, {loosest}")
            continue
        for capture in run:
            yield Grouped((capture,), "single", f"one of {len(run)} captures in a row: {why}")


def _clean_runs(cluster: Sequence[Capture]) -> Iterator[tuple[list[Capture], AxisFound]]:
    """Yield runs with a clean axis, as long as they can be, in the order of time.

    One folder may hold an exposure bracket and, of the same framing, an aperture series.
    """
    whole = find_axis([capture.metadata for capture in cluster])
    if whole.kind is not None or whole.is_all_equal:
        yield list(cluster), whole
        return
    start = 0
    while start < len(cluster):
        end, axis = start + 1, AxisFound(None, whole.reason)
        for stop in range(start + 2, len(cluster) + 1):
            found = find_axis([capture.metadata for capture in cluster[start:stop]])
            if found.kind is None and not found.is_all_equal:
                break
            end, axis = stop, found
        yield list(cluster[start:end]), axis
        start = end


def _differ_in_light(
    captures: Sequence[Capture], previews: Mapping[Path, Preview]
) -> tuple[SeriesKind | None, str]:
    """Return what captures of equal settings are a series of: balance, a lamp, or nothing."""
    framings = [previews[capture.path] for capture in captures]
    balances = [p.multipliers_rgb for p in framings if p.multipliers_rgb is not None]
    if len(balances) == len(framings):
        spread = max(
            max(b[channel] for b in balances) / min(b[channel] for b in balances)
            for channel in (0, 2)
        )
        if spread >= MIN_BALANCE_RATIO:
            return "white_balance", f"balance varies by {100.0 * (spread - 1.0):.0f} %"
    lamp = find_lamp(framings)
    if lamp is not None:
        return "lamp", lamp
    return None, "all settings are equal, and so is the light"


def _same_framing(
    captures: Sequence[Capture], previews: Mapping[Path, Preview]
) -> tuple[list[Capture], list[FramingMatch]]:
    """Return the captures framed like the middle exposure, and the best match of every other one.

    The cluster grows outward from the middle: each capture is held against the member of the
    cluster nearest in exposure, with which it shares the most unclipped light.
    """
    stops = _exposures(captures)
    ranked = sorted(range(len(captures)), key=lambda index: (stops[index], index))
    middle = ranked[len(ranked) // 2]
    members, matches = [middle], []
    for index in sorted(ranked, key=lambda i: (abs(stops[i] - stops[middle]), i)):
        if index == middle:
            continue
        nearest = min(members, key=lambda i: (abs(stops[i] - stops[index]), i))
        pair = [captures[i] for i in (nearest, index)]
        match = match_framing(
            *(previews[capture.path] for capture in pair),
            has_other_blur=_differ_in_lens([capture.metadata for capture in pair]),
        )
        matches.append(match)
        if match.is_same:
            members.append(index)
    return [captures[index] for index in sorted(members)], matches


def _exposures(captures: Sequence[Capture]) -> tuple[float, ...]:
    """Return the exposure of each capture in stops; 0 for all where times are unknown."""
    if any(capture.metadata.exposure_time_s is None for capture in captures):
        return (0.0,) * len(captures)
    return exposure_axis([capture.metadata for capture in captures]).snapped_stops


def _differ_in_lens(pair: Sequence[CaptureMetadata]) -> bool:
    first, second = pair
    return (first.f_number, first.focus_distance_m) != (second.f_number, second.focus_distance_m)


def _why_alone(burst: Sequence[Capture]) -> str:
    if len(burst) > 1:
        return f"one of {len(burst)} captures in a row with equal settings"
    return (
        f"no other capture of its body and lens within {MAX_PAUSE_S:g} s, "
        f"or {MAX_PAUSE_BY_HAND_S:g} s of another single one"
    )


def _camera(capture: Capture) -> tuple[str, ...]:
    """Return what all frames of a series have in common."""
    metadata = capture.metadata
    return str(capture.path.parent), metadata.body, metadata.serial, metadata.lens


def _sort_key(capture: Capture) -> tuple[object, ...]:
    time = capture.metadata.captured_at
    return (*_camera(capture), time.isoformat() if time else "", capture.path.name)


def _is_pause(before: CaptureMetadata, after: CaptureMetadata) -> bool:
    """Return whether one bracket ended and another began; no clock, no pause.

    The camera's own number of the shot tells where it is there. The time written is an exposure's
    start or its end, depending on the maker: the longer of the two exposures is granted.
    """
    numbers = before.bracket_shot, after.bracket_shot
    if numbers[0] and numbers[1] and numbers[1] <= numbers[0]:
        return True
    pause_s = _pause_s(before, after)
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
