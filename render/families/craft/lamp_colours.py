"""Colour temperatures of lamps, and the camera setting that suits them."""

import numpy as np

from cat_dataset.imaging.photometry import kelvin, mired


def cct_rand(rng: np.random.Generator, low_k: float, high_k: float) -> float:
    """Draw a colour temperature evenly in mired, a multiple of 50 K."""
    return round(kelvin(float(rng.uniform(mired(high_k), mired(low_k)))) / 50.0) * 50.0


def balance_k(key_cct_k: float) -> float:
    """Return the camera's setting: two thirds of the way from daylight to the key light."""
    daylight = mired(6500.0)
    return round(kelvin(daylight + 0.65 * (mired(key_cct_k) - daylight)) / 10.0) * 10.0
