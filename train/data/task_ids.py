"""Read from the training pairs which numbers an adapter is going to know."""

import math
from collections.abc import Sequence

from cat_dataset.attributes.table import find_attribute
from cat_dataset.attributes.task_key import selects, split_task_key
from cat_dataset.requests.covered_ranges import largest_covered
from train.adapter.adapter import Task
from train.data.pairs import HasEdits


def tasks_of_pairs(rows: Sequence[HasEdits], attributes: Sequence[str]) -> list[Task]:
    """Return the tasks that occur and that `attributes` select, with the ranges that are trained.

    They are names of attributes or keys of tasks: "shape_key" selects every shape of the data, each
    a task of its own, "shape_key:smile" one of them.
    Pairs are also trained backwards, so ranges are symmetric; they are rounded to two digits.
    """
    largest = largest_covered(edit for row in rows for edit in row.edits)
    keys = [key for name in attributes for key in largest if selects((name,), key)]
    return [_task(key, largest[key]) for key in dict.fromkeys(keys)]


def _task(key: str, largest_value: float) -> Task:
    name, subject = split_task_key(key)
    attribute = find_attribute(name)
    largest = min(round_up(largest_value), max(map(abs, attribute.value_range)))
    return Task(
        attribute=name,
        subject=subject,
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
