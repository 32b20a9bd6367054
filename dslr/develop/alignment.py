"""Bring the frames of a series to the anchor's framing, in linear light; or leave them untouched.

What moves less than a quarter pixel of the picture is not resampled: that would only blur it.
Sensor values are moved plane by plane, each plane's place in the filter pattern accounted for, so
that a scale can still be measured from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from dslr.develop.develop import Developed, turned
from dslr.develop.framing import (
    LENS_BLUR_PX,
    MAX_SHIFT_PX,
    MIN_CORRELATION,
    PICTURE_PX,
    Preview,
    preview_of,
)
from dslr.develop.registration import PLAIN_BLUR_PX, Motion, Warp, largest_shift_px, register
from dslr.files.raw_file import Mosaic

STILL_PX = 0.25  # of the picture: less is left as it is


@dataclass(frozen=True)
class Alignment:
    """How a frame lies on the anchor of its series."""

    warp: Warp  # sensor pixels, as recorded: position in the anchor to position in the frame
    shift_px: float  # largest movement of a corner, in pixels of a picture of PICTURE_PX
    correlation: float
    is_applied: bool  # moved back; False: it stood still

    def to_json(self) -> dict[str, Any]:
        """Return what the origin of a pair says."""
        return {
            "shift_px": round(self.shift_px, 3),
            "correlation": round(self.correlation, 4),
            "is_applied": self.is_applied,
            "sensor_warp": [[float(value) for value in row] for row in self.warp],
        }


STANDS_STILL = Alignment(np.eye(2, 3), 0.0, 1.0, is_applied=False)


def alignment_view(mosaic: Mosaic) -> Preview:
    """Return the light of a frame at the size it is aligned at."""
    return preview_of(mosaic, PICTURE_PX)


def align(anchor: Preview, frame: Preview, *, has_other_blur: bool, may_breathe: bool) -> Alignment:
    """Return how a frame lies on the anchor.

    `has_other_blur`: aperture or focus differ. `may_breathe`: focus changes the magnification.

    Raises:
        BracketError: it shows something else, or the camera moved too far.
    """
    shared_HW = ~(anchor.is_clipped_HW | frame.is_clipped_HW)
    motion: Motion = "affine" if may_breathe else "euclidean"
    blur_px = LENS_BLUR_PX if has_other_blur else PLAIN_BLUR_PX
    found = register(
        anchor.light_HW, frame.light_HW, (shared_HW, shared_HW), motion=motion, blur_px=blur_px
    )
    shift_px = found.shift_px * anchor.px_scale
    if found.correlation < MIN_CORRELATION:
        msg = (
            f"shows something else than the anchor frame, or parallax (correlation "
            f"{found.correlation:.2f}, at least {MIN_CORRELATION:g} is needed)"
        )
        raise BracketError(msg)
    if shift_px > MAX_SHIFT_PX and not may_breathe:
        msg = f"the camera moved by {shift_px:.1f} px, at most {MAX_SHIFT_PX:g}; use a tripod"
        raise BracketError(msg)
    to_sensor = max(anchor.sensor_shape) / max(anchor.light_HW.shape)
    warp = rescaled(found.warp, 1.0 / to_sensor, 1.0 / to_sensor)
    return Alignment(warp, shift_px, found.correlation, is_applied=shift_px >= STILL_PX)


def rescaled(warp: Warp, x_scale: float, y_scale: float) -> Warp:
    """Return a warp between pictures in other pixels: `scale` old pixels make a new one.

    Pixel centres count: position p of the new picture is (p + 1/2) * scale - 1/2 of the old.
    """
    to_old = np.array([[x_scale, 0.0, (x_scale - 1) / 2], [0.0, y_scale, (y_scale - 1) / 2]])
    return conjugated(warp, to_old)


def conjugated(warp: Warp, to_old: Warp) -> Warp:
    """Return a warp in other coordinates, `to_old` of which leads to the present ones."""
    full, change = (np.vstack([w, [0.0, 0.0, 1.0]]) for w in (warp, to_old))
    moved: Warp = (np.linalg.inv(change) @ full @ change)[:2]
    return moved


def aligned_mosaic(mosaic: Mosaic, alignment: Alignment) -> Mosaic:
    """Return sensor values as the anchor's framing would have recorded them; no value: white.

    Whatever falls outside of the frame, or beside a clipped value, counts as clipped.
    """
    if not alignment.is_applied:
        return mosaic
    planes = []
    for index, plane in enumerate(mosaic.planes_PHW):
        y, x = divmod(index, mosaic.period) if mosaic.period > 1 else (0, 0)
        period = float(mosaic.period)
        to_sensor = np.array([[period, 0.0, x], [0.0, period, y]])
        warp = conjugated(alignment.warp, to_sensor)
        white = float(mosaic.white_P[index])
        clipped = plane >= mosaic.clip_levels_dn[index]
        moved = _moved(plane.astype(np.float32), warp, white)
        moved[_moved(clipped.astype(np.float32), warp, 1.0) > 0.0] = white
        planes.append(np.rint(moved).astype(np.uint16))
    return replace(mosaic, planes_PHW=np.stack(planes))


def aligned_picture(
    developed: Developed, alignment: Alignment, flip: int, sensor_shape: tuple[int, int]
) -> Developed:
    """Return a developed frame moved onto the anchor; what was outside of it counts as burnt out.

    `sensor_shape` is (H, W) in sensor pixels, before turning upright.
    """
    if not alignment.is_applied:
        return developed
    linear_HW3 = _turned_back(developed.linear_HW3, flip)
    clipped_HW = _turned_back(developed.clipped_HW, flip).astype(np.float32)
    height, width = clipped_HW.shape
    warp = rescaled(alignment.warp, sensor_shape[1] / width, sensor_shape[0] / height)
    moved_HW3 = cv2.warpAffine(
        linear_HW3,
        warp,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    lost_HW = _moved(clipped_HW, warp, 1.0) > 0.5
    return Developed(turned(np.asarray(moved_HW3), flip), turned(lost_HW, flip))


def common_margin_px(
    alignments: Sequence[Alignment], sensor_shape: tuple[int, int], picture_side_px: int
) -> int:
    """Return how wide a border of the pictures some frame of the series does not fill."""
    applied = [a for a in alignments if a.is_applied]
    if not applied:
        return 0
    farthest = max(largest_shift_px(a.warp, sensor_shape) for a in applied)
    return int(np.ceil(farthest * picture_side_px / max(sensor_shape))) + 1


def cropped(developed: Developed, margin_px: int) -> Developed:
    """Return a picture without its border."""
    return Developed(
        without_border(developed.linear_HW3, margin_px),
        without_border(developed.clipped_HW, margin_px),
    )


def without_border(picture: NDArray[Any], margin_px: int) -> NDArray[Any]:
    """Return a picture without so many pixels on every side."""
    if margin_px == 0:
        return picture
    return np.ascontiguousarray(picture[margin_px:-margin_px, margin_px:-margin_px])


def _moved(plane_HW: NDArray[np.float32], warp: Warp, outside: float) -> NDArray[np.float32]:
    """Return one plane moved onto the anchor, between its values in straight lines."""
    moved = cv2.warpAffine(
        plane_HW,
        warp,
        (plane_HW.shape[1], plane_HW.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside,),
    )
    return np.asarray(moved, np.float32)


def _turned_back(picture: NDArray[Any], flip: int) -> NDArray[Any]:
    """Return a picture as the sensor recorded it; undoes `develop.turned`."""
    if flip & 4:
        picture = picture.swapaxes(0, 1)
    if flip & 1:
        picture = picture[:, ::-1]
    if flip & 2:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
