"""Split a burst of captures into series and single captures.

Frames of one framing whose settings differ along a clean axis are a series, in whatever order and
with duplicates. Everything else stays single, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dslr.develop.exposure import exposure_axis
from dslr.develop.framing import FramingMatch, Preview, match_framing
from dslr.files.metadata import CaptureMetadata
from dslr.grouping.added_light import find_lamp
from dslr.grouping.bursts import MAX_PAUSE_BY_HAND_S, MAX_PAUSE_S, Capture
from dslr.grouping.series import AxisFound, SeriesKind, find_axis
from dslr.grouping.zoom import match_zoom_series

MAX_EQUAL_CAPTURES = 12  # in a row that are looked at for a lamp or another balance
MAX_LAMP_SHIFT_PX = 0.5  # of the picture: a difference of two frames shows every edge that moved
MIN_BALANCE_RATIO = 1.02  # multipliers nearer than this are one balance

Kind = SeriesKind | Literal["single", "unreadable"]


@dataclass(frozen=True)
class Grouped:
    """Captures that belong together, and why; not named yet."""

    captures: tuple[Capture, ...]
    kind: Kind
    reason: str


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
    runs = list(_clean_runs(burst))
    if not any(axis.kind == "focal_length" for _, axis in runs):
        yield from _group_framings(burst, previews)
        return
    for run, axis in runs:  # every focal length is a framing of its own
        if axis.kind == "focal_length":
            yield from _group_zoom(run, axis, previews)
        else:
            yield from _group_framings(run, previews)


def _group_framings(
    burst: Sequence[Capture], previews: Mapping[Path, Preview]
) -> Iterator[Grouped]:
    """Yield the series and singles of captures, framing by framing."""
    remaining = list(burst)
    nearest: dict[Path, FramingMatch] = {}
    while remaining:
        cluster, matches = _same_framing(remaining, previews)
        remaining = [capture for capture in remaining if capture not in cluster]
        yield from _group_cluster(cluster, matches, nearest, previews)
        nearest |= {path: match for path, match in matches.items() if not match.is_same}


def _group_zoom(
    burst: Sequence[Capture], axis: AxisFound, previews: Mapping[Path, Preview]
) -> Iterator[Grouped]:
    remaining, outsiders = list(burst), dict[Capture, str]()
    while remaining:
        members, others = match_zoom_series(remaining, previews)
        remaining = [] if len(members) > 1 else list(others)
        if len(members) > 1:
            yield Grouped(tuple(members), "focal_length", f"{len(members)} frames, {axis.reason}")
            outsiders |= others
        else:  # the longest shows something else: the next one is what the others lie around
            outsiders[members[0]] = "no other view of its scene"
    for capture, why in outsiders.items():
        yield Grouped((capture,), "single", f"{axis.reason}, but {why}")


def _group_cluster(
    cluster: Sequence[Capture],
    matches: Mapping[Path, FramingMatch],
    nearest: Mapping[Path, FramingMatch],
    previews: Mapping[Path, Preview],
) -> Iterator[Grouped]:
    """Yield the series of captures of one framing; singles where they do not differ cleanly.

    `matches` are those of this cluster, `nearest` what its captures had against earlier ones.
    """
    if len(cluster) == 1:
        own = nearest.get(cluster[0].path)
        others = [own] if own is not None else list(matches.values())
        said = max(others, key=lambda m: m.correlation).describe() if others else "none there"
        reason = f"no other capture of its framing; nearest in time: {said}"
        yield Grouped(tuple(cluster), "single", reason)
        return
    same = [match for match in matches.values() if match.is_same]
    loosest = min(same, key=lambda m: m.correlation).describe()
    farthest_px = max(match.shift_px for match in same)
    for run, axis in _clean_runs(cluster):
        kind, why = axis.kind, axis.reason
        if axis.is_all_equal and len(run) > 1:
            kind, why = _differ_in_light(run, previews, farthest_px)
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
    captures: Sequence[Capture], previews: Mapping[Path, Preview], farthest_px: float
) -> tuple[SeriesKind | None, str]:
    """Return what captures of equal settings are a series of: a lamp, balance, or nothing.

    A lamp comes first: automatic balance follows it, and the light of a RAW file does not care.
    """
    framings = [previews[capture.path] for capture in captures]
    lamp = find_lamp(framings)
    if lamp is not None and farthest_px > MAX_LAMP_SHIFT_PX:
        moved = f"the camera moved ({farthest_px:.1f} px, at most {MAX_LAMP_SHIFT_PX:g})"
        return None, f"{lamp}, but {moved}: use a tripod"
    if lamp is not None:
        return "lamp", lamp
    balances = [p.multipliers_rgb for p in framings if p.multipliers_rgb is not None]
    if len(balances) == len(framings):
        spread = max(
            max(b[channel] for b in balances) / min(b[channel] for b in balances)
            for channel in (0, 2)
        )
        if spread >= MIN_BALANCE_RATIO:
            return "white_balance", f"balance varies by {100.0 * (spread - 1.0):.0f} %"
    return None, "all settings are equal, and so is the light"


def _same_framing(
    captures: Sequence[Capture], previews: Mapping[Path, Preview]
) -> tuple[list[Capture], dict[Path, FramingMatch]]:
    """Return the captures framed like the middle exposure, and how every other one matches it.

    The cluster grows outward from the middle: each capture is held against the member of the
    cluster nearest in exposure, with which it shares the most unclipped light.
    """
    stops = _exposures(captures)
    ranked = sorted(range(len(captures)), key=lambda index: (stops[index], index))
    middle = ranked[len(ranked) // 2]
    members, matches = [middle], dict[Path, FramingMatch]()
    for index in sorted(ranked, key=lambda i: (abs(stops[i] - stops[middle]), i)):
        if index == middle:
            continue
        nearest = min(members, key=lambda i: (abs(stops[i] - stops[index]), i))
        pair = [captures[i] for i in (nearest, index)]
        match = match_framing(
            *(previews[capture.path] for capture in pair),
            has_other_blur=_differ_in_lens([capture.metadata for capture in pair]),
        )
        matches[captures[index].path] = match
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
