"""Read from the training pairs which numbers an adapter is going to know."""

import math
from collections.abc import Sequence

import numpy as np

from cat_dataset.attributes import find_attribute
from cat_dataset.photometry import DAYLIGHT_CCT_K
from cat_dataset.reading import PairRow
from train.adapter import Task

_COVERED_PERCENT = 98.0  # of the pairs lie within the range that is offered
# Attributes of which equal steps act slightly differently at different absolute values.
_DEFAULT_SOURCES = {"white_balance": DAYLIGHT_CCT_K}


def tasks_of_pairs(rows: Sequence[PairRow], attributes: Sequence[str]) -> list[Task]:
    """Return the task of each attribute that occurs, with the range that is trained.

    Pairs are also trained backwards, so ranges are symmetric; they are rounded to two digits. The
    rarest large numbers are left out: a handful of pairs teaches nobody.
    """
    sizes: dict[str, list[float]] = {name: [] for name in attributes}
    for edit in (edit for row in rows for edit in row.edits):
        sizes[edit.attribute].append(abs(edit.value))
    largest = {
        name: float(np.percentile(values, _COVERED_PERCENT, method="higher"))
        for name, values in sizes.items()
        if values
    }
    return [_task(name, value) for name, value in largest.items() if value > 0.0]


def _task(name: str, largest_value: float) -> Task:
    attribute = find_attribute(name)
    largest = min(round_up(largest_value), max(map(abs, attribute.value_range)))
    return Task(
        attribute=name,
        label=attribute.label,
        unit=attribute.unit,
        low=-largest,
        high=largest,
        default_source=_DEFAULT_SOURCES.get(name),
        absolute_unit=attribute.absolute_unit,
    )


def round_up(value: float) -> float:
    """Return the next number of two significant digits, or the one at most 1 % below; value > 0.

    >>> round_up(1.97), round_up(118.2), round_up(120.6)
    (2.0, 120.0, 120.0)
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.ceil(round(0.99 * value / step, 9)) * step, 9)
