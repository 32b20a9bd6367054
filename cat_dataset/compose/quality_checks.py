"""What keeps a pair out: an edit that nobody can see, or a scale that the pixels contradict."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.channels import brightest_channel
from cat_dataset.records import Annotation, EditScale

MIN_READABLE_SHARE = 0.1  # of pixels neither clipped nor black in both pictures
MIN_MEAN_DIFFERENCE = 0.35  # display codes of 255; rounding alone stays below 0.33
MIN_OBJECT_SHARE = 0.003  # of the picture that the edited object must cover
MIN_VISIBLE_SHARE = 0.3  # of the edited object inside the frame that nothing may hide
CHANGED_CODES = 3  # a pixel that differs by as much counts as changed
MIN_CHANGED_SHARE = 5e-4  # of the picture
MAX_UNMARKED_SHARE = 0.001  # of a picture that moved, without a mask that says where
MIN_OVER_NOISE = 1.0  # mean change over mean noise, in the changed pixels


class PairRejectedError(EditScaleError):
    """A pair that must not be written; the message is the reason in the index."""


def check_readable(mask_HW: NDArray[np.bool_]) -> None:
    """Raise PairRejectedError where clipping or darkness hides the edit."""
    share = np.count_nonzero(mask_HW) / mask_HW.size
    if share < MIN_READABLE_SHARE:
        msg = (
            f"clipped away: {share:.1%} of the pixels are neither clipped nor black in both "
            f"pictures, at least {MIN_READABLE_SHARE:.0%} are needed"
        )
        raise PairRejectedError(msg)


def check_in_view(annotation: Annotation, subject: str) -> None:
    """Raise PairRejectedError where the edited object is out of the frame or hidden."""
    share = float(annotation.mask_HW.mean())
    if share < MIN_OBJECT_SHARE:
        msg = (
            f"out of view: the {subject} covers {share:.2%} of the picture, "
            f"at least {MIN_OBJECT_SHARE:.1%} is needed"
        )
        raise PairRejectedError(msg)
    if annotation.visible_share < MIN_VISIBLE_SHARE:
        msg = (
            f"occluded: {annotation.visible_share:.0%} of the {subject} can be seen, "
            f"at least {MIN_VISIBLE_SHARE:.0%} is needed"
        )
        raise PairRejectedError(msg)


def check_visible(
    source_HW3: NDArray[np.uint8],
    target_HW3: NDArray[np.uint8],
    edited_HW: NDArray[np.bool_] | None = None,
) -> None:
    """Raise PairRejectedError where the 8-bit pictures hardly differ.

    `edited_HW` is where the edit acts; None means all over.
    """
    if edited_HW is None:
        difference = cv2.norm(source_HW3, target_HW3, cv2.NORM_L1) / source_HW3.size
    else:
        inside = cv2.absdiff(source_HW3, target_HW3)[edited_HW]
        difference = float(inside.mean()) if inside.size else 0.0
    if difference < MIN_MEAN_DIFFERENCE:
        where = "" if edited_HW is None else " where the edit acts"
        msg = (
            f"invisible: the pictures differ by {difference:.2f} of 255 on average{where}, "
            f"at least {MIN_MEAN_DIFFERENCE} is needed"
        )
        raise PairRejectedError(msg)


def check_above_noise(
    source_HW3: NDArray[np.uint8], target_HW3: NDArray[np.uint8], noise_HW: NDArray[np.float32]
) -> None:
    """Raise PairRejectedError where the change is no larger than the render's own noise.

    `noise_HW` is what two halves of the samples of one frame differ by, halved, in display codes.
    """
    gap = brightest_channel(np.asarray(cv2.absdiff(source_HW3, target_HW3), np.uint8))
    changed = gap >= CHANGED_CODES
    share = float(changed.mean())
    if share < MIN_CHANGED_SHARE:
        msg = (
            f"invisible: {share:.2%} of the pixels change by {CHANGED_CODES} of 255 or more, "
            f"at least {MIN_CHANGED_SHARE:.2%} must"
        )
        raise PairRejectedError(msg)
    change, noise = float(gap[changed].mean()), float(noise_HW[changed].mean())
    if change < MIN_OVER_NOISE * noise:
        msg = (
            f"below the noise: changed pixels differ by {change:.1f} of 255, the render's noise "
            f"there is {noise:.1f}; the change must be at least as large, "
            f"use more samples per pixel"
        )
        raise PairRejectedError(msg)


def check_moving(moving_HW: NDArray[np.bool_], annotations: Sequence[str]) -> None:
    """Raise PairRejectedError where something moved between two captures and no mask says so."""
    share = np.count_nonzero(moving_HW) / moving_HW.size
    if share > MAX_UNMARKED_SHARE and "moving" not in annotations:
        msg = (
            f"something moved: {share:.1%} of the picture, at most {MAX_UNMARKED_SHARE:.1%} "
            f'without a mask; set annotations = ["moving"] to keep such pairs with one'
        )
        raise PairRejectedError(msg)


def check_edits(edits: Sequence[EditScale]) -> None:
    """Raise EditScaleError where an edit is out of range, or was measured otherwise than recorded.

    Raises:
        EditScaleError: it leaves its attribute's range.
        PairRejectedError: the measured scale leaves the recorded one's tolerance.
    """
    for edit in edits:
        attribute = ATTRIBUTES[edit.attribute]
        attribute.check_value(edit.value)
        if edit.measured is None:
            continue
        gap = attribute.axis_difference(edit.value, edit.measured)
        if not abs(gap) <= attribute.tolerance:  # also catches NaN
            msg = (
                f"measured {edit.measured:+.4f} {attribute.unit} but {edit.value:+.4f} was set: "
                f"they differ by {gap:+.4f}, more than {attribute.tolerance:g} {attribute.unit}"
            )
            raise PairRejectedError(msg)
