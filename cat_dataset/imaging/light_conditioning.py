"""How surely a light's changes are read from a picture: its size, and how far it is from others.

A composed picture is a sum of lights with known gains, so a readout that projects the picture onto
them must find those gains: only rounding stands between. How much rounding can do follows from the
lights alone, without reading any picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.reading_grid import reading_grid

_ROUNDING = 2.0**-24  # relative, of one float32 operation


@dataclass(frozen=True)
class LightConditioning:
    """The lights of a basis over the pixels that are read; G groups, 3 channels."""

    sizes_G3: NDArray[np.float64]  # norm of each light
    apart_3: NDArray[np.float64]  # smallest singular value of the lights, each of norm 1; 0: alike
    is_positive: bool  # no light takes light away, so that no sum cancels

    def gain_error(
        self, gains_G3: NDArray[np.float64], alone_G: NDArray[np.bool_] | None = None
    ) -> float:
        """Return the largest relative error that rounding can leave in a gain that is read.

        A sum p of G positive lights is off by at most G + 2 roundings u of itself, and no larger
        than the sum of gain * size. Read all at once, least squares turn an error |d| into at most
        |d| / (smallest singular value * size) of a gain. The lights of `alone_G` are read without
        the others, which were subtracted before with errors of their own: twice as much, but the
        others do not matter. Infinite where the argument does not hold.
        """
        shares_G3 = gains_G3 * self.sizes_G3
        if not self.is_positive or not shares_G3.all():
            return math.inf
        rounding_3 = (len(gains_G3) + 2) * _ROUNDING * shares_G3.sum(axis=0)
        if alone_G is None:
            errors_3 = rounding_3 / np.maximum(self.apart_3, 1e-12) / shares_G3.min(axis=0)
        else:
            errors_3 = 2.0 * rounding_3 / shares_G3[alone_G].min(axis=0)
        return float(errors_3.max())


def light_conditioning(
    images_GHW3: NDArray[np.float32], clipped_HW: NDArray[np.bool_] | None
) -> LightConditioning:
    """Return how large and how different the lights are, where the sensor clipped nothing."""
    grid = reading_grid(images_GHW3.shape[1:3])
    lights_GHW3 = images_GHW3[(slice(None), *grid)]
    if clipped_HW is not None:
        lights_GHW3 = lights_GHW3[:, ~clipped_HW[grid]]
    lights_3GN = np.moveaxis(lights_GHW3.reshape(len(lights_GHW3), -1, 3), -1, 0).astype(np.float64)
    sizes_3G = np.linalg.norm(lights_3GN, axis=-1)
    units_3GN = lights_3GN / np.maximum(sizes_3G, 1e-300)[..., None]
    squares_3G = np.linalg.eigvalsh(units_3GN @ units_3GN.transpose(0, 2, 1))
    # 1e-14: what eigenvalues of float64 products cannot tell from zero
    apart_3 = np.sqrt(np.maximum(squares_3G.min(axis=-1, initial=1.0) - 1e-14, 0.0))
    is_positive = bool((lights_GHW3 >= 0.0).all())
    return LightConditioning(sizes_3G.T, apart_3, is_positive)
