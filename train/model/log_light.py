"""Log light, the space in which the compact base works.

z = (log2(light) - middle) / half, from -1 (as dark as 8 bits show) to 1 (white). An exposure is a
constant offset here, a white balance one offset per channel, and single edits compose by
addition. Light below the floor counts as the floor: added to the light instead, a floor would bend
the offset in the shadows, and a small network cannot undo that pixel by pixel.

Shapes: B batch, C = 3 channels, H height, W width.
"""

import math

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.imaging.photometry import srgb_decode

LIGHT_FLOOR = 2.0**-9  # display code 6; below it one code is more than a sixth of a stop
HALF_RANGE_STOPS = 4.5  # one unit of log light: half of the nine stops from -1 to 1
_MIDDLE = -4.5

SRGB_TO_LINEAR = srgb_decode(np.arange(256) / 255.0).astype(np.float32)  # of each 8-bit code
# Half a code below white is white, in log light.
_WHITE = (np.log2(float(srgb_decode(np.array(254.5 / 255.0)))) - _MIDDLE) / HALF_RANGE_STOPS
_GUESS_WEIGHT = 0.1
_BRIGHTEST = 1.5  # in log light: a prediction may pass white, but not without end
BRIGHTEST_LIGHT = 2.0 ** (_BRIGHTEST * HALF_RANGE_STOPS + _MIDDLE)  # 4.8 times the display's white
_CLEAR_CHANGE = 0.02  # of a channel's light: with less, its ratio is not seen in 8 bits
_LARGEST_SCALE = 4.0
_DARKEST = 0.25  # of the light asked of a lamp: below, its error goes on in a straight line
_SMALLEST_CHANGE = 2.0**-12  # of light, far below an 8-bit code: where nothing changes, all counts


def encode_log_light(linear_BCHW: Tensor) -> Tensor:
    """Return log light, at least -1, of scene-linear light, 1 = the display's white; any shape.

    >>> encode_log_light(torch.tensor([0.0, 2.0**-4.5, 1.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    return (torch.log2(linear_BCHW.clamp(min=LIGHT_FLOOR)) - _MIDDLE) / HALF_RANGE_STOPS


def decode_log_light(log_light_BCHW: Tensor) -> Tensor:
    """Return scene-linear light, clipped to the display's white; any shape."""
    return torch.exp2(log_light_BCHW * HALF_RANGE_STOPS + _MIDDLE).clamp(max=1.0)


def linear_of_codes(display_HWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return scene-linear light of 8-bit sRGB by table, float32, same shape."""
    codes_HR = np.ascontiguousarray(display_HWC).reshape(len(display_HWC), -1)
    linear = cv2.LUT(codes_HR, SRGB_TO_LINEAR)  # three times as fast as numpy's indexing
    return np.asarray(linear, np.float32).reshape(display_HWC.shape)


def known_weights(source_BCHW: Tensor) -> Tensor:
    """Return how much each pixel counts in a loss: little where the source is white or black.

    There the true light is lost, and guessing it must not bend the gain of the pixels beside.
    """
    is_known = (source_BCHW < _WHITE) & (source_BCHW > -1.0)
    return torch.where(is_known, 1.0, _GUESS_WEIGHT)


def displayed_error(predicted_BCHW: Tensor, target_BCHW: Tensor) -> Tensor:
    """Return prediction minus target in log light, zero where the target does not know it.

    Where the target is white a prediction may be as bright as it likes, below the floor as dark:
    8 bits do not know how much brighter or darker the scene was. Light above white is known.
    """
    error = predicted_BCHW - target_BCHW
    error = torch.where(_is_clipped(target_BCHW), error.clamp(max=0.0), error)
    return torch.where(target_BCHW <= -1.0, error.clamp(min=0.0), error)


def _is_clipped(target_BCHW: Tensor) -> Tensor:
    """Return where 8 bits cut a target off; light that is known beyond white is above 1."""
    is_clipped: Tensor = (target_BCHW >= _WHITE) & (target_BCHW <= 1.0)
    return is_clipped


def light_error(
    predicted_BCHW: Tensor, target_BCHW: Tensor, source_BCHW: Tensor, counted_B1HW: Tensor | float
) -> Tensor:
    """Return by how much too bright an edit came out, per channel, in log light (B, C).

    The light of prediction and target is summed with the weight that the edit itself has in each
    channel of a pixel, so a lamp is judged by what it lights, an exposure by the whole picture.
    Errors of single pixels that cancel do not count: this is the error of the number, not of the
    picture.
    """
    source, target = decode_log_light(source_BCHW), decode_log_light(target_BCHW)
    change_BCHW = (target - source).abs() + _SMALLEST_CHANGE
    weights = change_BCHW * _are_known(source_BCHW, target_BCHW) * counted_B1HW
    predicted = torch.exp2(predicted_BCHW.clamp(max=_BRIGHTEST) * HALF_RANGE_STOPS + _MIDDLE)
    sums = [(weights * light).sum(dim=(2, 3)) + LIGHT_FLOOR**2 for light in (predicted, target)]
    return torch.log2(sums[0] / sums[1]) / HALF_RANGE_STOPS


def camera_error(
    predicted_BCHW: Tensor, target_BCHW: Tensor, source_BCHW: Tensor, counted_B1HW: Tensor | float
) -> Tensor:
    """Return by how much too bright a camera edit came out, per channel, in log light (B, C).

    The mean over all pixels that are neither white nor black, each alike, as an exposure is read.
    Summed as light, bright pixels speak for all: shadows that are 0.01 stop short go unseen.
    """
    known_B1HW = _are_known(source_BCHW, target_BCHW) * counted_B1HW
    error = known_B1HW * (predicted_BCHW - target_BCHW)
    num_B1 = known_B1HW.sum(dim=(2, 3))
    mean_BC: Tensor = error.sum(dim=(2, 3)) / num_B1.clamp(min=1.0)
    return mean_BC


def _beyond_white(log_light_BCHW: Tensor) -> Tensor:
    """Return scene-linear light that may pass the display's white."""
    return torch.exp2(log_light_BCHW.clamp(-1.0, _BRIGHTEST) * HALF_RANGE_STOPS + _MIDDLE)


def _are_known(source_BCHW: Tensor, target_BCHW: Tensor) -> Tensor:
    """Return the pixels that are neither white nor black in a pair (B, 1, H, W)."""
    is_known = (source_BCHW < _WHITE) & (source_BCHW > -1.0)
    is_known = is_known & (target_BCHW < _WHITE) & (target_BCHW > -1.0)
    known_B1HW: Tensor = is_known.all(dim=1, keepdim=True)
    return known_B1HW


def rescaled_to_ratio(
    predicted_BCHW: Tensor, target_BCHW: Tensor, source_BCHW: Tensor, counted_B1HW: Tensor | float
) -> Tensor:
    """Return a prediction whose change of light is scaled to what the lamp of the pair allows.

    As `relighting.scaled_shares` does it to a picture whose lighting ratio is known: with D the
    change of light and S the source, <D, S> / <D, D> is made the pair's own, per channel, over all
    that the source shows, as far as the target's light is known. What is left to be wrong is where
    the lamp shines. Channels that hardly change stay as they are.
    """
    is_clipped = _is_clipped(target_BCHW).any(dim=1, keepdim=True)
    is_known = _are_known(source_BCHW, source_BCHW) & ~is_clipped
    is_known = is_known * counted_B1HW
    source = decode_log_light(source_BCHW)
    predicted, target = (_beyond_white(picture) for picture in (predicted_BCHW, target_BCHW))
    part_BC11, true_BC11 = (
        _over(is_known * (light - source), source) for light in (predicted, target)
    )
    scale = (part_BC11 / true_BC11).clamp(0.0, _LARGEST_SCALE)
    change = (is_known * (target - source)).square().mean(dim=(2, 3), keepdim=True).sqrt()
    light = (is_known * source).square().mean(dim=(2, 3), keepdim=True).sqrt()
    scale = torch.where(change > _CLEAR_CHANGE * light, scale, 1.0)
    scaled: Tensor = source + scale * (predicted - source)
    return encode_log_light(scaled)


def lamp_error(
    predicted_BCHW: Tensor,
    target_BCHW: Tensor,
    source_BCHW: Tensor,
    counted_B1HW: Tensor | float,
    gain_BC: Tensor,
) -> Tensor:
    """Return by how much too bright an edited lamp came out, per channel, in log light (B, C).

    `gain_BC` is the linear gain that the edit asks of its lamp. As the score reads it: the gain of
    the lamp's own light in the picture, by projection, over the gain asked, whatever else lights
    the scene. So a lamp turned down to a quarter is judged by that quarter, though all other light
    hides it. Channels that hardly change have no error.
    """
    is_known = _are_known(source_BCHW, target_BCHW) * counted_B1HW
    source, target = decode_log_light(source_BCHW), decode_log_light(target_BCHW)
    predicted = _beyond_white(predicted_BCHW)
    change = is_known * (target - source)
    of_change_BC = change.square().sum(dim=(2, 3))
    along_BC = (change * (predicted - source)).sum(dim=(2, 3)) / (of_change_BC + LIGHT_FLOOR**2)
    made_BC = (1.0 + (gain_BC - 1.0) * along_BC) / gain_BC
    is_clear_BC = of_change_BC > _CLEAR_CHANGE**2 * (is_known * source).square().sum(dim=(2, 3))
    error_BC = _log2_of_any(made_BC) / HALF_RANGE_STOPS
    return torch.where(is_clear_BC, error_BC, 0.0)


def _log2_of_any(gain: Tensor) -> Tensor:
    """Return the binary logarithm, continued below `_DARKEST` by its tangent."""
    straight = math.log2(_DARKEST) + (gain - _DARKEST) / (_DARKEST * math.log(2.0))
    return torch.where(gain > _DARKEST, torch.log2(gain.clamp(min=_DARKEST)), straight)


def _over(change: Tensor, source: Tensor) -> Tensor:
    """Return <D, S> / <D, D>, never zero (B, C, 1, 1)."""
    of_source = (change * source).sum(dim=(2, 3), keepdim=True)
    of_itself = change.square().sum(dim=(2, 3), keepdim=True)
    sign = torch.where(of_source < 0.0, -1.0, 1.0)
    return sign * of_source.abs().clamp(min=LIGHT_FLOOR**2) / (of_itself + LIGHT_FLOOR**2)


def change_error(
    predicted_BCHW: Tensor, target_BCHW: Tensor, source_BCHW: Tensor, weights_BCHW: Tensor
) -> Tensor:
    """Return the part of a prediction's error that lies along the true change, in log light (B, 1).

    What is left where a blur is too weak or an object has turned too little, while details that
    cannot be known are left aside: the root mean square of the error after projection.
    """
    change = weights_BCHW.sqrt() * (target_BCHW - source_BCHW)
    error = weights_BCHW.sqrt() * displayed_error(predicted_BCHW, target_BCHW)
    size_B = change.square().mean(dim=(1, 2, 3)).sqrt().clamp(min=_SMALLEST_CHANGE)
    return ((error * change).mean(dim=(1, 2, 3)) / size_B).unsqueeze(1)
