"""What keeps a pair out: an edit that nobody can see, or a scale that the pixels contradict."""

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes import Attribute
from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale

MIN_READABLE_SHARE = 0.1  # of pixels neither clipped nor black in both pictures
MIN_MEAN_DIFFERENCE = 0.35  # display codes of 255; rounding alone stays below 0.33


class PairRejectedError(EditScaleError):
    """A pair that must not be written; the message is the reason in the index."""


def check_readable(mask_HW: NDArray[np.bool_]) -> None:
    """Raise PairRejectedError where clipping or darkness hides the edit."""
    share = float(mask_HW.mean())
    if share < MIN_READABLE_SHARE:
        msg = (
            f"clipped away: {share:.1%} of the pixels are neither clipped nor black in both "
            f"pictures, at least {MIN_READABLE_SHARE:.0%} are needed"
        )
        raise PairRejectedError(msg)


def check_visible(source_HW3: NDArray[np.uint8], target_HW3: NDArray[np.uint8]) -> None:
    """Raise PairRejectedError where the 8-bit pictures hardly differ."""
    difference = float(np.abs(source_HW3.astype(np.int16) - target_HW3).mean())
    if difference < MIN_MEAN_DIFFERENCE:
        msg = (
            f"invisible: the pictures differ by {difference:.2f} of 255 on average, "
            f"at least {MIN_MEAN_DIFFERENCE} is needed"
        )
        raise PairRejectedError(msg)


def check_measured(attribute: Attribute, edit: EditScale) -> None:
    """Raise PairRejectedError where the measured scale leaves the recorded one's tolerance."""
    if edit.measured is None:
        return
    gap = attribute.axis_difference(edit.value, edit.measured)
    if not abs(gap) <= attribute.tolerance:  # also catches NaN
        msg = (
            f"measured {edit.measured:+.4f} {attribute.unit} but {edit.value:+.4f} was set: "
            f"they differ by {gap:+.4f}, more than {attribute.tolerance:g} {attribute.unit}"
        )
        raise PairRejectedError(msg)
