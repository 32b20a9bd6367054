"""Many pictures on one sheet, each with a line of text below it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_LABEL_PX = 18
_GAP_PX = 4
_PAPER, _INK = 245, 30


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], labels: Sequence[str], columns: int
) -> NDArray[np.uint8]:
    """Return the pictures, uint8 (H, W, 3) of any sizes, row by row on one light sheet."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    rows = -(-len(pictures) // columns)
    step_y, step_x = height + _LABEL_PX + _GAP_PX, width + _GAP_PX
    sheet = np.full((rows * step_y + _GAP_PX, columns * step_x + _GAP_PX, 3), _PAPER, np.uint8)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        top = number // columns * step_y + _GAP_PX
        left = number % columns * step_x + _GAP_PX
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        spot = (left + 2, top + height + _LABEL_PX - 5)
        cv2.putText(sheet, label, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (_INK,) * 3, 1, cv2.LINE_AA)
    return sheet
