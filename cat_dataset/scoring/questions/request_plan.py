"""Which edits are asked for, of which held-out pairs: decided by the data set and the job alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.attributes.task_key import intervals_of, selects
from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.requests.covered_ranges import largest_covered
from cat_dataset.scoring.questions.combination_requests import combination_requests
from cat_dataset.scoring.questions.requests import (
    EditRequest,
    changed_edit,
    make_request,
    unit_request,
)
from cat_dataset.scoring.questions.value_ranges import (
    Range,
    Ranges,
    class_of_value,
    evenly_spaced,
    feasible_range,
)
from cat_dataset.store.pair_rows import PairRow

_FIRST_SHARE = 0.4  # of a number that is split in two


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
    asked = (edit for edit in alone if names is None or selects(names, edit.task_key))
    return {name: (-value, value) for name, value in largest_covered(asked).items()}


def plan_requests(rows: Sequence[PairRow], ranges: Ranges, job: EvaluateJob) -> Plan:
    """Return what is asked on the pairs of a split.

    Raises:
        JobError: there is no single-edit pair of any of the attributes, or the job names a
            combination that cannot be measured.
    """
    requests_of: dict[str, list[EditRequest]] = {}
    chosen: dict[str, PairRow] = {}
    picked_of: dict[str, list[PairRow]] = {}
    for name in ranges:
        own = [row for row in rows if len(row.edits) == 1 and row.edits[0].task_key == name]
        picked = _picked(own, name, ranges[name], job)
        for row in picked:
            chosen[row.key] = row
            edit = row.edits[0]
            asked = changed_edit(edit, edit.value)
            requests_of[row.key] = [make_request(row, "pair", (asked,), instruction=None)]
        for number in evenly_spaced(len(picked), job.num_behaviour_pairs):
            requests_of[picked[number].key] += _behaviour(picked[number])
        for row in _one_per_scene(picked, job.num_sweep_scenes):
            requests_of[row.key] += _sweep(row, rows, ranges[name], job)
        picked_of[name] = picked
    for row, request in combination_requests(picked_of, rows, ranges, job):
        chosen[row.key] = row
        requests_of.setdefault(row.key, []).append(request)
    if not requests_of:
        msg = (
            f"split '{job.split}': holds no single-edit pair on {', '.join(ranges) or 'anything'}; "
            f"raise {job.split}_share or num_scenes in the data set's manifest, and make pairs of "
            f"stored light with `cat-dataset compose`"
        )
        raise JobError(msg)
    return Plan(ranges, {key: tuple(group) for key, group in requests_of.items()}, chosen)


def _picked(own: Sequence[PairRow], name: str, trained: Range, job: EvaluateJob) -> list[PairRow]:
    """Return the pairs of an attribute that are asked for, in the order of the data.

    Values that were never trained first: they are few, and what a score is about.
    """
    gaps = intervals_of(job.held_out_values, name)
    never: list[int] = []
    others: list[int] = []
    for place, row in enumerate(own):
        is_trained = class_of_value(row.edits[0].value, trained, gaps) == "within"
        (others if is_trained else never).append(place)
    most = job.max_pairs_per_attribute
    places = [never[number] for number in evenly_spaced(len(never), most)]
    places += [others[number] for number in evenly_spaced(len(others), most - len(places))]
    return [own[place] for place in sorted(places)]


def frame_positions(row: PairRow, rows: Sequence[PairRow]) -> dict[int, float]:
    """Return how far each frame of a pair's sweep lies from its source, by frame number."""
    steps: dict[int, dict[int, float]] = {}
    for other in rows:
        first, second = other.source_frame, other.target_frame
        if first is not None and second is not None and _same_sweep(row, other):
            steps.setdefault(first, {})[second] = other.edits[0].value
            steps.setdefault(second, {})[first] = -other.edits[0].value
    start = row.source_frame
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


def _same_sweep(row: PairRow, other: PairRow) -> bool:
    if len(other.edits) != 1 or len(row.edits) != 1:
        return False
    mine, theirs = row.edits[0], other.edits[0]
    is_same = (mine.attribute, mine.subject) == (theirs.attribute, theirs.subject)
    return is_same and row.scene == other.scene and row.tar_path.parent == other.tar_path.parent


def _one_per_scene(rows: Sequence[PairRow], num_scenes: int) -> list[PairRow]:
    first = list({row.scene: row for row in rows}.values())
    return [first[number] for number in evenly_spaced(len(first), num_scenes)]


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
        values = np.linspace(*feasible_range(*span, edit), job.num_sweep_steps).tolist()
    else:
        positions = frame_positions(row, rows).values()
        values = sorted({round(p, 9) for p in positions if span[0] <= p <= span[1]})
    for number, value in enumerate(values):
        yield make_request(row, "sweep", (changed_edit(edit, value),), number)
    if edit.attribute not in BASIS_ATTRIBUTES:
        return
    for number, end in enumerate(span):
        value = end * (1.0 + job.beyond_share)
        low, high = feasible_range(-math.inf, math.inf, edit)
        if low <= value <= high:
            yield make_request(row, "beyond", (changed_edit(edit, value),), number)


def combination_name(attributes: Sequence[str]) -> str:
    """Return the name of several attributes edited at once.

    >>> combination_name(["white_balance", "exposure"])
    'exposure+white_balance'
    """
    return "+".join(sorted(attributes))
