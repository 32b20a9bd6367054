"""The brightest and the darkest channel of every pixel, without numpy's slow walk along them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

NumberT = TypeVar("NumberT", np.float32, np.uint8)


def brightest_channel(picture_HW3: NDArray[NumberT]) -> NDArray[NumberT]:
    """Return the largest of three channels, (H, W); equals `max(axis=-1)`, ten times as fast."""
    brightest: NDArray[NumberT] = np.maximum(picture_HW3[..., 0], picture_HW3[..., 1])
    return np.maximum(brightest, picture_HW3[..., 2], out=brightest)


def darkest_channel(picture_HW3: NDArray[NumberT]) -> NDArray[NumberT]:
    """Return the smallest of three channels, (H, W); equals `min(axis=-1)`."""
    darkest: NDArray[NumberT] = np.minimum(picture_HW3[..., 0], picture_HW3[..., 1])
    return np.minimum(darkest, picture_HW3[..., 2], out=darkest)
