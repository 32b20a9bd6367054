"""How sure a mean is: resampled over whole scenes, because edits of one scene are alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cat_dataset.seeding import derive_rng

Interval = tuple[float, float]
_NUM_RESAMPLES = 1000
_INTERVAL_PERCENT = (2.5, 97.5)


def bootstrap_interval(values: NDArray[np.float64], scenes: Sequence[str]) -> Interval | None:
    """Return the 95 % interval of a mean; None: a single scene says nothing of others."""
    return bootstrap_ratio(values, np.ones(len(values)), scenes)


def bootstrap_ratio(
    above: NDArray[np.float64], below: NDArray[np.float64], scenes: Sequence[str]
) -> Interval | None:
    """Return the 95 % interval of sum(above) / sum(below), of the same edits.

    None: there is a single scene, or some resample has nothing below the line.
    """
    _, of_scene = np.unique(np.asarray(scenes), return_inverse=True)
    num_scenes = int(of_scene.max()) + 1
    if num_scenes < 2:
        return None
    drawn = derive_rng(0, "bootstrap").integers(num_scenes, size=(_NUM_RESAMPLES, num_scenes))
    sums = [
        np.bincount(of_scene, weights=values, minlength=num_scenes)[drawn].sum(axis=1)
        for values in (above, below)
    ]
    if (sums[1] <= 0.0).any():
        return None
    low, high = np.percentile(sums[0] / sums[1], _INTERVAL_PERCENT)
    return float(low), float(high)
