"""The few soft curves that faces, hair and paint are modelled with."""

import numpy as np

from render.blender.shapes import Floats


def smooth_step(share: Floats) -> Floats:
    """Return 0 up to 0, 1 from 1 on, without a corner between.

    >>> smooth_step(np.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    clipped = np.clip(share, 0.0, 1.0)
    step: Floats = clipped * clipped * (3.0 - 2.0 * clipped)
    return step


def bump(value: Floats, centre: Floats | float, width: float) -> Floats:
    """Return a bell over numbers: 1 at the centre, 1/e a width away."""
    bell: Floats = np.exp(-(((value - centre) / width) ** 2))
    return bell


def ball_bump(points_V3: Floats, centre: tuple[float, float, float], radius_m: float) -> Floats:
    """Return a bell over space: 1 at the centre, 1/e a radius away, (V,)."""
    away = ((points_V3 - np.array(centre)) ** 2).sum(axis=-1) / radius_m**2
    bell: Floats = np.exp(-away)
    return bell
