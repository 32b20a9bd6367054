"""How large the numbers of a data set are, apart from its rarest ones."""

from collections.abc import Iterable

import numpy as np

from cat_dataset.records import EditScale

_COVERED_PERCENT = 98.0  # of the edits lie within the range that a data set is said to have


def largest_covered(edits: Iterable[EditScale]) -> dict[str, float]:
    """Return the magnitude that nearly all edits of each attribute keep to, sorted by name.

    The rarest large numbers are left out: a handful of pairs neither teaches nor measures them.
    An attribute of which every edit is zero has no range and is missing.

    >>> largest_covered([EditScale("exposure", -1.5), EditScale("exposure", 0.5)])
    {'exposure': 1.5}
    """
    sizes: dict[str, list[float]] = {}
    for edit in edits:
        sizes.setdefault(edit.attribute, []).append(abs(edit.value))
    largest = {
        name: float(np.percentile(values, _COVERED_PERCENT, method="higher"))
        for name, values in sorted(sizes.items())
    }
    return {name: value for name, value in largest.items() if value > 0.0}
