"""Which edits are asked for, of which held-out pairs: decided by the data set and the job alone."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cat_dataset.attributes import find_attribute
from cat_dataset.covered_ranges import largest_covered
from cat_dataset.errors import JobError
from cat_dataset.manifest import EvaluateJob
from cat_dataset.photometry import DAYLIGHT_CCT_K
from cat_dataset.plans import BASIS_ATTRIBUTES, CAMERA_ATTRIBUTES
from cat_dataset.reading import PairRow
from cat_dataset.records import EditScale
from cat_dataset.scoring.requests import (
    EditRequest,
    changed_edit,
    make_request,
    unit_request,
)
from cat_dataset.seeding import derive_rng

Ranges = Mapping[str, tuple[float, float]]  # of edit values, by attribute
_FIRST_SHARE = 0.4  # of a number that is split in two
_PARTNER_SHARES = (0.1, 0.5)  # of its range: how far the second attribute of a combination goes
_FRAMES = re.compile(r"-(\d\d)-(\d\d)$")  # of a sweep, at the end of a pair's key


@dataclass(frozen=True)
class Plan:
    """All that is asked, pair by pair."""

    ranges: Ranges
    requests_of: Mapping[str, tuple[EditRequest, ...]]  # by key of the pair, in order of work
    rows: Mapping[str, PairRow]

    def __len__(self) -> int:
        return sum(map(len, self.requests_of.values()))

    def requests(self) -> list[EditRequest]:
        """Return everything that is asked, in order of work."""
        return [request for group in self.requests_of.values() for request in group]


def ranges_of_rows(rows: Sequence[PairRow], names: Sequence[str] | None = None) -> Ranges:
    """Return symmetric ranges that cover nearly all single-edit pairs of each attribute."""
    alone = [row.edits[0] for row in rows if len(row.edits) == 1]
    asked = (edit for edit in alone if names is None or edit.attribute in names)
    return {name: (-value, value) for name, value in largest_covered(asked).items()}


def plan_requests(rows: Sequence[PairRow], ranges: Ranges, job: EvaluateJob) -> Plan:
    """Return what is asked on the pairs of a split.

    Raises:
        JobError: there is no single-edit pair of any of the attributes.
    """
    requests_of: dict[str, list[EditRequest]] = {}
    chosen: dict[str, PairRow] = {}
    for name in ranges:
        own = [row for row in rows if len(row.edits) == 1 and row.edits[0].attribute == name]
        picked = [own[number] for number in spread(len(own), job.max_pairs_per_attribute)]
        for row in picked:
            chosen[row.key] = row
            edit = row.edits[0]
            asked = changed_edit(edit, edit.value)
            requests_of[row.key] = [make_request(row, "pair", (asked,), instruction=None)]
        for number in spread(len(picked), job.num_behaviour_pairs):
            requests_of[picked[number].key] += _behaviour(picked[number])
        for row in _one_per_scene(picked, job.num_sweep_scenes):
            requests_of[row.key] += _sweep(row, rows, ranges[name], job)
        if name in BASIS_ATTRIBUTES:
            for number in spread(len(picked), job.num_combination_pairs):
                requests_of[picked[number].key] += _combinations(picked[number], ranges)
    for row in _multi_edit_rows(rows, ranges, job):
        chosen[row.key] = row
        edits = [changed_edit(edit, edit.value) for edit in row.edits]
        requests_of[row.key] = list(_both_orders(row, edits, 0))
    if not requests_of:
        msg = (
            f"split '{job.split}': holds no single-edit pair on {', '.join(ranges) or 'anything'}; "
            f"raise {job.split}_share or num_scenes in the data set's manifest, and make pairs of "
            f"stored light with `cat-dataset compose`"
        )
        raise JobError(msg)
    return Plan(ranges, {key: tuple(group) for key, group in requests_of.items()}, chosen)


def spread(num_rows: int, num_chosen: int) -> list[int]:
    """Return at most `num_chosen` row numbers, evenly spread, first and last among them.

    >>> spread(10, 3)
    [0, 4, 9]
    """
    places = np.linspace(0, num_rows - 1, min(num_rows, num_chosen))
    return [round(place) for place in places]


def askable_range(low: float, high: float, edit: EditScale) -> tuple[float, float]:
    """Return a range of values, cut to where the target's absolute value still exists."""
    attribute = find_attribute(edit.attribute)
    low = max(low, attribute.value_range[0])
    high = min(high, attribute.value_range[1])
    source_value = own_value(edit)
    if attribute.absolute_range is None or source_value is None or attribute.is_circular:
        return low, high
    ends = sorted(attribute.difference(source_value, end) for end in attribute.absolute_range)
    return max(low, ends[0]), min(high, ends[1])


def own_value(edit: EditScale) -> float | None:
    """Return the absolute value of an edit's source; a camera not told of stands at daylight."""
    if edit.source_value is None and edit.attribute == "white_balance":
        return DAYLIGHT_CCT_K
    return edit.source_value


def frame_positions(row: PairRow, rows: Sequence[PairRow]) -> dict[int, float]:
    """Return how far each frame of a pair's sweep lies from its source, by frame number."""
    steps: dict[int, dict[int, float]] = {}
    for other in rows:
        match = _FRAMES.search(other.key)
        if match and _same_sweep(row, other):
            first, second = int(match[1]), int(match[2])
            steps.setdefault(first, {})[second] = other.edits[0].value
            steps.setdefault(second, {})[first] = -other.edits[0].value
    start = source_frame(row)
    if start is None:
        return {}
    found, waiting = {start: 0.0}, [start]
    while waiting:
        here = waiting.pop(0)
        for there, value in sorted(steps.get(here, {}).items()):
            if there not in found:
                found[there] = found[here] + value
                waiting.append(there)
    return found


def source_frame(row: PairRow) -> int | None:
    """Return the frame number of a pair's source in its sweep; None: it comes from no sweep."""
    match = _FRAMES.search(row.key)
    return None if match is None else int(match[1])


def _same_sweep(row: PairRow, other: PairRow) -> bool:
    if len(other.edits) != 1 or len(row.edits) != 1:
        return False
    mine, theirs = row.edits[0], other.edits[0]
    is_same = (mine.attribute, mine.subject) == (theirs.attribute, theirs.subject)
    return is_same and row.scene == other.scene and row.tar_path.parent == other.tar_path.parent


def _one_per_scene(rows: Sequence[PairRow], num_scenes: int) -> list[PairRow]:
    first = list({row.scene: row for row in rows}.values())
    return [first[number] for number in spread(len(first), num_scenes)]


def _behaviour(row: PairRow) -> Iterator[EditRequest]:
    """Yield what shows identity, reversibility, additivity and units."""
    edit = row.edits[0]
    yield make_request(row, "zero", (changed_edit(edit, 0.0),))
    pair = make_request(row, "pair", (edit,))
    yield make_request(row, "back", (changed_edit(edit, -edit.value, edit.value),), follows=pair)
    part = _FIRST_SHARE * edit.value
    first = make_request(row, "first", (changed_edit(edit, part),))
    yield first
    rest = changed_edit(edit, edit.value - part, part)
    yield make_request(row, "second", (rest,), follows=first)
    in_other_unit = unit_request(row, edit)
    if in_other_unit is not None:
        yield in_other_unit


def _sweep(
    row: PairRow, rows: Sequence[PairRow], span: tuple[float, float], job: EvaluateJob
) -> Iterator[EditRequest]:
    """Yield rising numbers on one source, and numbers beyond what was trained."""
    edit = row.edits[0]
    if edit.attribute in BASIS_ATTRIBUTES:
        values = np.linspace(*askable_range(*span, edit), job.num_sweep_steps).tolist()
    else:
        positions = frame_positions(row, rows).values()
        values = sorted({round(p, 9) for p in positions if span[0] <= p <= span[1]})
    for number, value in enumerate(values):
        yield make_request(row, "sweep", (changed_edit(edit, value),), number)
    if edit.attribute not in BASIS_ATTRIBUTES:
        return
    for number, end in enumerate(span):
        value = end * (1.0 + job.beyond_share)
        low, high = askable_range(-math.inf, math.inf, edit)
        if low <= value <= high:
            yield make_request(row, "beyond", (changed_edit(edit, value),), number)


def _combinations(row: PairRow, ranges: Ranges) -> Iterator[EditRequest]:
    """Yield the pair's number together with one of each camera attribute, in both orders."""
    edit = row.edits[0]
    for number, name in enumerate(CAMERA_ATTRIBUTES):
        if name == edit.attribute or name not in ranges:
            continue
        rng = derive_rng(0, "combination", row.key, name)
        own = EditScale(name, 0.0)
        low, high = askable_range(*ranges[name], own)
        share = float(rng.uniform(*_PARTNER_SHARES))
        value = round(share * (high if rng.random() < 0.5 else low), 2)
        yield from _both_orders(row, (edit, EditScale(name, value)), number)


def _both_orders(row: PairRow, edits: Sequence[EditScale], number: int) -> Iterator[EditRequest]:
    for role, order in (("combined", edits), ("swapped", edits[::-1])):
        yield make_request(row, "combined" if role == "combined" else "swapped", order, number)


def _multi_edit_rows(
    rows: Sequence[PairRow], ranges: Ranges, job: EvaluateJob
) -> Iterator[PairRow]:
    """Yield pairs of several edits of which the true light can be known."""
    groups: dict[tuple[str, ...], list[PairRow]] = {}
    for row in rows:
        names = tuple(sorted(edit.attribute for edit in row.edits))
        if len(names) > 1 and all(n in ranges and n in BASIS_ATTRIBUTES for n in names):
            groups.setdefault(names, []).append(row)
    for _, group in sorted(groups.items()):
        for number in spread(len(group), job.num_combination_pairs):
            yield group[number]


def combination_name(attributes: Sequence[str]) -> str:
    """Return the name of several attributes edited at once.

    >>> combination_name(["white_balance", "exposure"])
    'exposure+white_balance'
    """
    return "+".join(sorted(attributes))
