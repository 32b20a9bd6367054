"""The lighting ratio: how a lamp's light compares with all other light, where the lamp falls.

Photographers meter a lamp alone and the rest alone at the place that the lamp lights, and call it
2:1 where the lamp gives twice as much. One picture shows this badly, and an edit of the lamp needs
it: what becomes of 2:1 at twice the power is not what becomes of 1:2.

Here both are means over the picture, weighted by the lamp's own light L: sum(L L) / sum(L R), R
being all other light. Whatever is done to the exposure, the ratio stays.

Shapes: H height, W width; light is linear sRGB, (..., 3).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cat_dataset.light.readout import MIN_READOUT_PX, readable_mask

Linear = NDArray[np.float32]
LightRatio = tuple[float, ...]  # one number, of luminance, or three, of red, green and blue
RATIO_RANGE = (2.0**-10, 2.0**10)  # beyond, a lamp is off or alone as far as 8 bits can tell


def light_ratio_rgb(light_HW3: Linear, source_HW3: Linear) -> LightRatio | None:
    """Return the ratio of a light to the rest of a source, per channel.

    `light_HW3` is that light's part of the source; pixels of the source that are clipped or black
    do not count. None: too few are left, or the light is nowhere.
    """
    known_HW = readable_mask(source_HW3, source_HW3)
    if np.count_nonzero(known_HW) < MIN_READOUT_PX:
        return None
    light, source = (p[known_HW].astype(np.float64) for p in (light_HW3, source_HW3))
    own_3, all_3 = (light * light).sum(axis=0), (light * source).sum(axis=0)
    if (own_3 <= 0.0).any():
        return None
    rest_3 = np.maximum(all_3 - own_3, 1e-12 * own_3)
    return tuple(np.clip(own_3 / rest_3, *RATIO_RANGE).tolist())


def part_of_light(ratio: Sequence[float]) -> NDArray[np.float64]:
    """Return which part of the light a ratio gives to the lamp, where it falls; same length.

    >>> part_of_light([1.0]).tolist()
    [0.5]
    """
    ratios = np.asarray(ratio, np.float64)
    return np.asarray(ratios / (1.0 + ratios))
