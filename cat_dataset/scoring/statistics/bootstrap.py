"""How sure a mean is: resampled over whole scenes, because edits of one scene are alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng

Interval = tuple[float, float]
_NUM_RESAMPLES = 1000
_INTERVAL_PERCENT = (2.5, 97.5)
_SMALLEST_SPREAD = 1e-9  # of what is asked, squared: less is float error


def bootstrap_interval(values: NDArray[np.float64], scenes: Sequence[str]) -> Interval | None:
    """Return the 95 % interval of a mean; None: one scene gives no spread over scenes."""
    return bootstrap_ratio(values, np.ones(len(values)), scenes)


def bootstrap_ratio(
    above: NDArray[np.float64], below: NDArray[np.float64], scenes: Sequence[str]
) -> Interval | None:
    """Return the 95 % interval of sum(above) / sum(below), of the same edits.

    None: there is a single scene, or some resample has nothing below the line.
    """
    sums = _resampled_sums(np.stack([above, below]), scenes)
    if sums is None or (sums[1] <= 0.0).any():
        return None
    return _middle(sums[0] / sums[1])


def bootstrap_slope(
    asked: NDArray[np.float64], achieved: NDArray[np.float64], scenes: Sequence[str]
) -> Interval | None:
    """Return the 95 % interval of the slope of achieved over asked, by least squares.

    None: there is a single scene, or some resample asks the same everywhere.
    """
    x = asked - asked.mean()
    sums = _resampled_sums(np.stack([np.ones(len(x)), x, achieved, x * x, x * achieved]), scenes)
    if sums is None:
        return None
    num, sum_x, sum_y, sum_xx, sum_xy = sums
    spread = num * sum_xx - sum_x**2
    if (spread <= _SMALLEST_SPREAD * num * sum_xx).any():
        return None
    return _middle((num * sum_xy - sum_x * sum_y) / spread)


def _resampled_sums(
    columns_CP: NDArray[np.float64], scenes: Sequence[str]
) -> NDArray[np.float64] | None:
    """Return the sum of each column in each resample, (C, R); None: there is a single scene."""
    _, of_scene = np.unique(np.asarray(scenes), return_inverse=True)
    num_scenes = int(of_scene.max()) + 1
    if num_scenes < 2:
        return None
    drawn = derive_rng(0, "bootstrap").integers(num_scenes, size=(_NUM_RESAMPLES, num_scenes))
    return np.array(
        [
            np.bincount(of_scene, weights=values, minlength=num_scenes)[drawn].sum(axis=1)
            for values in columns_CP
        ],
        np.float64,
    )


def _middle(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, _INTERVAL_PERCENT)
    return float(low), float(high)
