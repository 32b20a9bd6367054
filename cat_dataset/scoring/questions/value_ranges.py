"""Which numbers may be asked of a picture, and which of many pairs are taken."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from cat_dataset.attributes.table import find_attribute
from cat_dataset.records import EditScale

Range = tuple[float, float]  # of edit values
Ranges = Mapping[str, Range]  # by attribute
# inside the trained range, in an interval of it that was held out, or outside
ValuesClass = Literal["within", "interpolation", "extrapolation"]


def evenly_spaced(num_rows: int, num_chosen: int) -> list[int]:
    """Return at most `num_chosen` row numbers, evenly spread, first and last among them.

    >>> evenly_spaced(10, 3)
    [0, 4, 9]
    """
    places = np.linspace(0, num_rows - 1, min(num_rows, num_chosen))
    return [round(place) for place in places]


def feasible_range(low: float, high: float, edit: EditScale) -> tuple[float, float]:
    """Return a range of values, cut to where the target's absolute value still exists."""
    attribute = find_attribute(edit.attribute)
    low = max(low, attribute.value_range[0])
    high = min(high, attribute.value_range[1])
    source_value = source_value_of(edit)
    if attribute.absolute_range is None or source_value is None or attribute.is_circular:
        return low, high
    ends = sorted(attribute.difference(source_value, end) for end in attribute.absolute_range)
    return max(low, ends[0]), min(high, ends[1])


def source_value_of(edit: EditScale) -> float | None:
    """Return the absolute value of an edit's source; where it is not known, the attribute's own."""
    if edit.source_value is None:
        return find_attribute(edit.attribute).default_source
    return edit.source_value


def class_of_value(
    value: float, trained: tuple[float, float], held_out: Sequence[tuple[float, float]]
) -> ValuesClass:
    """Return where a number lies in what was trained.

    Pairs are trained in both directions, so an interval is held out on both sides of zero. One that
    reaches the end of the range leaves nothing trained beyond it: numbers there are extrapolated.

    >>> [class_of_value(v, (-2.0, 2.0), [(0.5, 1.0)]) for v in (0.2, 0.7, -0.7, 1.5, 2.5)]
    ['within', 'interpolation', 'interpolation', 'within', 'extrapolation']
    >>> class_of_value(1.9, (-2.0, 2.0), [(1.8, 2.0)])
    'extrapolation'
    """
    gaps = [*held_out, *((-high, -low) for low, high in held_out)]
    lowest, highest = trained
    for low, high in sorted(gaps):
        if low <= lowest <= high:
            lowest = high
    for low, high in sorted(gaps, reverse=True):
        if low <= highest <= high:
            highest = low
    is_held_out = any(low <= value <= high for low, high in gaps)
    if not lowest <= value <= highest or (is_held_out and value in (lowest, highest)):
        return "extrapolation"
    return "interpolation" if is_held_out else "within"
