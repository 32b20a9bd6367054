"""Several numbers at once: which attributes together, on which pairs, and each number alone.

A combination is asked of a pair only where the true light separates its attributes: from
light that was kept beside the pairs, or from the one lamp that the pair itself edits.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, CAMERA_ATTRIBUTES, LIGHT_OF
from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.records import EditScale
from cat_dataset.scoring.questions.requests import EditRequest, changed_edit, make_request
from cat_dataset.scoring.questions.value_ranges import Ranges, evenly_spaced, feasible_range
from cat_dataset.store.linear_dataset import kept_bases
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.system.seeding import derive_rng

_PARTNER_SHARES = (0.1, 0.5)  # of its range: how far the other attributes of a combination go
RowRequests = Iterator[tuple[PairRow, EditRequest]]


def combination_requests(
    picked: Mapping[str, Sequence[PairRow]],
    rows: Sequence[PairRow],
    ranges: Ranges,
    job: EvaluateJob,
) -> RowRequests:
    """Yield requests of several numbers at once, with the pair whose source they edit.

    `picked` are pairs of one edit by attribute, which are asked alone as well; pairs of several
    edits among `rows` are asked for their own numbers.

    Raises:
        JobError: the job names a combination of which no pair shows the true light.
    """
    numbers: dict[str, int] = {}  # of combinations so far, by pair
    for names in asked_combinations(rows, ranges, job):
        able = [row for name in names for row in picked.get(name, ()) if separates(row, names)]
        several = [row for row in rows if _edited(row) == sorted(names)]
        if job.combinations and not able and not several:
            msg = (
                f"[evaluate] combinations: no pair of split '{job.split}' separates "
                f"{' and '.join(names)}; keep the light beside the pairs "
                f"(render --keep-linear), or remove the combination"
            )
            raise JobError(msg)
        for place in evenly_spaced(len(able), job.num_combination_pairs):
            row = able[place]
            number = numbers[row.key] = numbers.get(row.key, -1) + 1
            yield from _with_partners(row, names, ranges, number)
        for place in evenly_spaced(len(several), job.num_combination_pairs):
            row = several[place]
            edits = [changed_edit(edit, edit.value) for edit in row.edits]
            yield from _together_and_alone(row, edits, edits, 0)


def asked_combinations(
    rows: Sequence[PairRow], ranges: Ranges, job: EvaluateJob
) -> list[tuple[str, ...]]:
    """Return the combinations of a job; without any, every two attributes of light.

    And more at once where pairs edit more.

    Raises:
        JobError: there is no pair of an attribute of one of them.
    """
    known = [name for name in BASIS_ATTRIBUTES if name in ranges]
    for name in job.combinations:
        missing = sorted(set(attributes_of_plan(name)) - set(known))
        if missing:
            msg = (
                f"[evaluate] combinations: {name} names {', '.join(missing)}, which is not "
                f"measured; {', '.join(known) or 'no attribute of light'} can be combined"
            )
            raise JobError(msg)
    if job.combinations:
        return [attributes_of_plan(name) for name in job.combinations]
    more = {tuple(_edited(row)) for row in rows if len(row.edits) > 2}
    return [*combinations(known, 2), *sorted(names for names in more if set(names) <= set(known))]


def separates(row: PairRow, names: Sequence[str]) -> bool:
    """Return whether a pair's light separates attributes, by its row of the index.

    The lamp of a pair shows in its two pictures, all else is the rest, which shows the camera.
    """
    if row.scene in kept_bases(row.tar_path.parents[1]):
        return True
    own = LIGHT_OF.get(row.edits[0].attribute)
    return all(name in CAMERA_ATTRIBUTES or LIGHT_OF[name] == own for name in names)


def _edited(row: PairRow) -> list[str]:
    return sorted(edit.task_key for edit in row.edits)


def _with_partners(row: PairRow, names: Sequence[str], ranges: Ranges, number: int) -> RowRequests:
    """Yield a pair's own number together with one drawn for each other attribute."""
    own = changed_edit(row.edits[0], row.edits[0].value)
    rng = derive_rng(0, "combination", row.key, *names)
    partners = []
    for name in names:
        if name == own.attribute:
            continue
        low, high = feasible_range(*ranges[name], EditScale(name, 0.0))
        share = float(rng.uniform(*_PARTNER_SHARES))
        value = round(share * (high if rng.random() < 0.5 else low), 2)
        partners.append(EditScale(name, value))
    yield from _together_and_alone(row, (own, *partners), partners, number)


def _together_and_alone(
    row: PairRow, edits: Sequence[EditScale], alone: Sequence[EditScale], number: int
) -> RowRequests:
    """Yield edits at once in both orders, and those alone that are not asked alone anyhow."""
    yield row, make_request(row, "combined", edits, number)
    yield row, make_request(row, "swapped", edits[::-1], number)
    for place, edit in enumerate(alone):
        yield row, make_request(row, "alone", (edit,), 10 * number + place)
