"""How large the numbers of a data set are, apart from its rarest ones."""

from collections.abc import Iterable

import numpy as np

from cat_dataset.records import EditScale

_COVERED_PERCENT = 98.0  # of the edits lie within the range that a data set is said to have


def largest_covered(edits: Iterable[EditScale]) -> dict[str, float]:
    """Return the magnitude that nearly all edits of each task keep to, sorted by its key.

    The rarest large numbers are left out: a handful of pairs neither teaches nor measures them.
    A task of which every edit is zero has no range and is missing.

    >>> largest_covered([EditScale("exposure", -1.5), EditScale("exposure", 0.5)])
    {'exposure': 1.5}
    """
    sizes: dict[str, list[float]] = {}
    for edit in edits:
        sizes.setdefault(edit.task_key, []).append(abs(edit.value))
    largest = {
        key: float(np.percentile(values, _COVERED_PERCENT, method="higher"))
        for key, values in sorted(sizes.items())
    }
    return {key: value for key, value in largest.items() if value > 0.0}
