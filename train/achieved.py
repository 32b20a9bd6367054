"""Read from an edited picture by how much it was really changed, in the unit of the attribute.

Camera attributes are read from source and result alone. Lamp attributes are read along the light
that the true pair shows: the part of that change which the result contains, as a gain of the lamp.

Pictures are uint8 display sRGB, (H, W, 3).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cat_dataset import readout
from cat_dataset.display import decode_display
from cat_dataset.errors import EditScaleError
from cat_dataset.photometry import DAYLIGHT_CCT_K
from cat_dataset.records import EditScale

Display = NDArray[np.uint8]
_SMALLEST_LAMP_GAIN = 2.0**-6  # a lamp that seems to be off or negative counts as this
_SMALLEST_TRUE_STOPS = 0.1  # a smaller true change does not show where the lamp shines


@dataclass(frozen=True)
class TruePair:
    """What a readout may know of a pair: both true pictures and the true edit."""

    source_HW3: Display
    target_HW3: Display
    edit: EditScale


def achieved_exposure(pair: TruePair, result_HW3: Display) -> float:
    """Return stops by which the result is brighter than the source."""
    source, result = decode_display(pair.source_HW3), decode_display(result_HW3)
    mask_HW = readout.readable_mask(source, result)
    return readout.exposure_stops(source, result, mask_HW).value


def achieved_white_balance(pair: TruePair, result_HW3: Display) -> float:
    """Return mired by which the result is cooler than the source, from the source's setting."""
    source, result = decode_display(pair.source_HW3), decode_display(result_HW3)
    mask_HW = readout.readable_mask(source, result)
    setting_k = pair.edit.source_value or DAYLIGHT_CCT_K
    return readout.white_balance_mired(source, result, mask_HW, setting_k).value


def achieved_lamp_stops(pair: TruePair, result_HW3: Display) -> float:
    """Return stops by which the lamps of the true pair are brighter in the result.

    The true change is (2**value - 1) times the lamp's light; how much of it the result contains is
    its projection, <result - source, change> / <change, change>.

    Raises:
        EditScaleError: the true change is too small, or too few pixels are unclipped.
    """
    if abs(pair.edit.value) < _SMALLEST_TRUE_STOPS:
        msg = (
            f"true change of {pair.edit.value:+.3f} stops: at least {_SMALLEST_TRUE_STOPS:g} are "
            f"needed to see where the lamp shines"
        )
        raise EditScaleError(msg)
    source, target, result = map(decode_display, (pair.source_HW3, pair.target_HW3, result_HW3))
    mask_HW = readout.readable_mask(source, target) & readout.readable_mask(source, result)
    if mask_HW.sum() < readout.MIN_READOUT_PX:
        msg = f"{mask_HW.sum()} unclipped pixels; at least {readout.MIN_READOUT_PX} are needed"
        raise EditScaleError(msg)
    change = (target - source)[mask_HW].astype(np.float64)
    share = float(((result - source)[mask_HW] * change).sum() / (change * change).sum())
    gain = 1.0 + share * (2.0**pair.edit.value - 1.0)
    return math.log2(max(gain, _SMALLEST_LAMP_GAIN))


Readout = Callable[[TruePair, Display], float]
READOUTS: Mapping[str, Readout] = MappingProxyType(
    {
        "exposure": achieved_exposure,
        "white_balance": achieved_white_balance,
        "light_power": achieved_lamp_stops,
        "ambient_level": achieved_lamp_stops,
    }
)
FLOORLESS = frozenset({"light_power", "ambient_level"})
# there the true pair defines the instrument, so reading it returns the truth by construction


def psnr_db(source_HW3: Display, result_HW3: Display) -> float:
    """Return the peak signal-to-noise ratio of 8-bit pictures in dB; 99 for equal ones."""
    error = float(np.mean((source_HW3.astype(np.float64) - result_HW3) ** 2))
    return min(10.0 * math.log10(255.0**2 / error), 99.0) if error > 0.0 else 99.0
