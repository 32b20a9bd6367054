"""Log light, the space in which the compact base sees and paints pictures.

z = (log2(light + floor) - middle) / half, about -1 (black) to 1 (white). An exposure is a constant
offset here, a white balance one offset per channel, and single edits compose by addition.

Shapes: B batch, C = 3 channels, H height, W width.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.photometry import srgb_decode

LIGHT_FLOOR = 2.0**-8  # keeps black finite; below it 8-bit sRGB has too few codes to tell stops
_MIDDLE, HALF_STOPS = -4.0, 4.0  # black is log2(LIGHT_FLOOR) = -8, white is just above 0

SRGB_TO_LINEAR = srgb_decode(np.arange(256) / 255.0).astype(np.float32)  # of each 8-bit code
# White and black codes say only "at least" and "at most"; half a code either way is not an error.
_WHITE_LINEAR = float(srgb_decode(np.array(254.5 / 255.0)))
_BLACK_LINEAR = float(srgb_decode(np.array(0.5 / 255.0)))


def encode_log_light(linear_BCHW: Tensor) -> Tensor:
    """Return log light of scene-linear light in [0, 1]; any shape.

    >>> round(float(encode_log_light(torch.tensor(1.0))), 4)
    1.0014
    >>> float(encode_log_light(torch.tensor(0.0)))
    -1.0
    """
    return (torch.log2(linear_BCHW + LIGHT_FLOOR) - _MIDDLE) / HALF_STOPS


def decode_log_light(log_light_BCHW: Tensor) -> Tensor:
    """Return scene-linear light, clipped to the display's [0, 1]; any shape."""
    linear: Tensor = torch.exp2(log_light_BCHW * HALF_STOPS + _MIDDLE) - LIGHT_FLOOR
    return linear.clamp(0.0, 1.0)


def linear_of_codes(display_HWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return scene-linear light of 8-bit sRGB by table, float32, same shape."""
    return SRGB_TO_LINEAR[display_HWC]


def displayed_error(predicted_BCHW: Tensor, target_BCHW: Tensor) -> Tensor:
    """Return prediction minus target in log light, zero where the display cannot show it.

    Above white a prediction may be as bright as it likes, below black as dark: the 8-bit target
    does not know how much brighter or darker the scene was.
    """
    white = float(encode_log_light(torch.tensor(_WHITE_LINEAR)))
    black = float(encode_log_light(torch.tensor(_BLACK_LINEAR)))
    error = predicted_BCHW - target_BCHW
    error = torch.where(target_BCHW >= white, error.clamp(max=0.0), error)
    return torch.where(target_BCHW <= black, error.clamp(min=0.0), error)
