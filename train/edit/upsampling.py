"""Lay what was predicted for a small view over the full picture, and develop it.

Arrays are (H, W, 3): light is float32 linear sRGB, gains are in stops, pictures uint8 display sRGB.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.imaging.display import encode_display, encode_dithered
from cat_dataset.records import EditScale
from train.edit.guided_gain import apply_gain, apply_gain_to_black, enlarged_gain, resized_gain
from train.model.relighting import PartGain, composed_gain

Linear = NDArray[np.float32]


def finished_picture(
    linear_HW3: Linear, small_HW3: Linear, parts: Sequence[PartGain]
) -> NDArray[np.uint8]:
    """Return the full picture after the gains of its small view.

    The gain of a photometric edit follows the edges of the full picture. What else an edit moves or
    blurs is known no finer than the view, so there the gain is enlarged as it is.
    """
    edits = [edit for part in parts for edit in part.edits]
    if _is_photometric(edits):
        gains = [enlarged_gain(small_HW3, part.gain_HW3, linear_HW3) for part in parts]
        enlarged = [PartGain(p.edits, gain) for p, gain in zip(parts, gains, strict=True)]
        return developed(linear_HW3, composed_gain(linear_HW3, enlarged), edits)
    gain_HW3 = np.sum([part.gain_HW3 for part in parts], axis=0)
    return developed(linear_HW3, resized_gain(gain_HW3, *linear_HW3.shape[:2]), edits)


def developed(
    linear_HW3: Linear,
    gain_HW3: NDArray[np.float32],
    edits: Sequence[EditScale],
    first_row: int = 0,
) -> NDArray[np.uint8]:
    """Return light after a gain as display sRGB; `first_row` is where it begins in its picture.

    A change of light is dithered, so that a smooth area changes by the number and not by the code
    next to it. Where an object moves or blurs, all that stays keeps its bytes.
    """
    if _is_photometric(edits):
        return encode_dithered(apply_gain(linear_HW3, gain_HW3), first_row)
    return encode_display(apply_gain_to_black(linear_HW3, gain_HW3), 1.0)


def _is_photometric(edits: Sequence[EditScale]) -> bool:
    return all(edit.attribute in BASIS_ATTRIBUTES for edit in edits)
