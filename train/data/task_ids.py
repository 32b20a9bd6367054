"""Read from the training pairs which numbers an adapter is going to know."""

import math
from collections.abc import Sequence

from cat_dataset.attributes.table import find_attribute
from cat_dataset.requests.covered_ranges import largest_covered
from train.adapter.adapter import Task
from train.data.pairs import HasEdits


def tasks_of_pairs(rows: Sequence[HasEdits], attributes: Sequence[str]) -> list[Task]:
    """Return the task of each attribute that occurs, with the range that is trained.

    Pairs are also trained backwards, so ranges are symmetric; they are rounded to two digits.
    """
    largest = largest_covered(edit for row in rows for edit in row.edits)
    return [_task(name, largest[name]) for name in attributes if name in largest]


def _task(name: str, largest_value: float) -> Task:
    attribute = find_attribute(name)
    largest = min(round_up(largest_value), max(map(abs, attribute.value_range)))
    return Task(
        attribute=name,
        label=attribute.label,
        unit=attribute.unit,
        low=-largest,
        high=largest,
        default_source=attribute.default_source,
        absolute_unit=attribute.absolute_unit,
    )


def round_up(value: float) -> float:
    """Return the next number of two significant digits, or the one at most 1 % below; value > 0.

    >>> round_up(1.97), round_up(118.2), round_up(120.6)
    (2.0, 120.0, 120.0)
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.ceil(round(0.99 * value / step, 9)) * step, 9)
