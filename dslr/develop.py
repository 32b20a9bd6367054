"""Develop RAW files comparably: no step looks at the content, all frames are treated alike.

LibRaw's defaults rescale each file by its own brightest pixel (0.32 stop in a bracket), balance
it by guess, or clip after balancing; here one `DevelopPlan`, made from the group's anchor frame,
rules all of its frames. Balanced highlights are kept (LibRaw's "ignore" mode, which scales by the
largest multiplier, undone below) instead of clipped at the smallest channel: a red that the
sensor still resolves stays resolved, and the scale does not depend on the balance.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dslr.metadata import DngColour
from dslr.raw_file import Mosaic
from dslr.white_balance import WhiteBalance, camera_to_srgb, xyz_to_camera

Linear = NDArray[np.float32]
Mask = NDArray[np.bool_]

_UINT16_MAX = 65535.0
_DEMOSAIC_REACH = (3, 3)  # demosaicing spreads a clipped value to its neighbours
_NEAR_NEUTRAL = 0.25  # darkest channel over brightest; lamps of a pure colour lie below


@dataclass(frozen=True)
class DevelopPlan:
    """What all frames of a capture group share."""

    balance: WhiteBalance
    camera_to_srgb: NDArray[np.float64]  # 3x3, from balanced camera RGB
    full_scale_dn: int  # white above black of the anchor frame; developed green = 1
    flip: int  # LibRaw's orientation bits of the anchor: 1 mirror x, 2 mirror y, 4 transpose
    max_side_px: int

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values for the origin of a pair."""
        return {
            "wb_multipliers": list(self.balance.multipliers_rgb),
            "wb_source": self.balance.source,
            "wb_cct_k": self.balance.cct_k,
            "wb_duv": self.balance.duv,
            "camera_to_srgb": self.camera_to_srgb.tolist(),
            "full_scale_dn": self.full_scale_dn,
            "flip": self.flip,
        }


@dataclass(frozen=True)
class Developed:
    """One frame in linear light."""

    linear_HW3: Linear  # scene-linear sRGB; green 1 = white level of the anchor frame
    clipped_HW: Mask  # burnt out: the sensor clipped, the light is unknown


def plan_develop(
    raw: Any,
    mosaic: Mosaic,
    balance: WhiteBalance,
    dng_colour: DngColour | None,
    max_side_px: int,
) -> DevelopPlan:
    """Return the plan of a group from its open anchor file."""
    return DevelopPlan(
        balance=balance,
        camera_to_srgb=camera_to_srgb(xyz_to_camera(raw, dng_colour)),
        full_scale_dn=round(mosaic.full_scale_dn),
        flip=raw.sizes.flip,
        max_side_px=max_side_px,
    )


def develop(raw: Any, mosaic: Mosaic, plan: DevelopPlan) -> Developed:
    """Develop an open file without any decision that depends on its content.

    Two frames of one group differ only by exposure and noise. Values may exceed 1 (red and blue
    clip later than green) and fall below 0 (noise, colours outside sRGB).
    """
    camera_HW3 = _balanced_camera_rgb(raw, plan, is_halved=_fits_halved(mosaic, plan))
    camera_HW3, clipped_HW = _mend_highlights(camera_HW3, mosaic)
    size = _output_size(camera_HW3, plan.max_side_px)
    camera_HW3 = _shrink(camera_HW3, size)
    clipped_HW = _shrink(clipped_HW.astype(np.float32), size) >= 0.5
    linear_HW3 = camera_HW3 @ plan.camera_to_srgb.T.astype(np.float32)
    return Developed(turned(linear_HW3, plan.flip), turned(clipped_HW, plan.flip))


def _balanced_camera_rgb(raw: Any, plan: DevelopPlan, *, is_halved: bool) -> Linear:
    """Return balanced camera RGB, float32 (H, W, 3); green 1 = the plan's full scale."""
    import rawpy

    red, green, blue = plan.balance.multipliers_rgb
    codes_HW3 = raw.postprocess(
        gamma=(1, 1),
        no_auto_bright=True,
        output_bps=16,
        adjust_maximum_thr=0.0,  # user_sat overrules it too: two locks on the worst trap
        use_camera_wb=False,
        use_auto_wb=False,
        user_wb=[red, green, blue, green],
        user_sat=plan.full_scale_dn,  # counts above black
        user_flip=0,
        highlight_mode=rawpy.HighlightMode.Ignore,
        output_color=rawpy.ColorSpace.raw,
        half_size=is_halved,
    )
    largest = max(red, green, blue)  # what "ignore" divides the multipliers by
    camera_HW3: Linear = codes_HW3.astype(np.float32) * np.float32(largest / _UINT16_MAX)
    return camera_HW3


def _fits_halved(mosaic: Mosaic, plan: DevelopPlan) -> bool:
    """Return whether one pixel per Bayer cell is enough: no demosaicing, no artefacts, fast."""
    return mosaic.period == 2 and max(mosaic.planes_PHW.shape[1:]) >= plan.max_side_px


def _output_size(picture_HW3: Linear, max_side_px: int) -> tuple[int, int]:
    """Return (width, height) after shrinking the longer side to the limit; never larger."""
    height, width = picture_HW3.shape[:2]
    ratio = min(1.0, max_side_px / max(height, width))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _shrink(picture: Linear, size: tuple[int, int]) -> Linear:
    """Return the picture at (width, height), averaged over areas of linear light."""
    if picture.shape[1::-1] == size:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _mend_highlights(camera_HW3: Linear, mosaic: Mosaic) -> tuple[Linear, Mask]:
    """Return balanced camera RGB without false colours, and where its light is unknown.

    A clipped channel is at least as bright as the brightest one: green, which clips first, would
    otherwise turn white into magenta. Where the result is near neutral, the pixel is a burnt-out
    white and its light unknown; a lamp of one pure colour keeps that colour, as a lower bound.
    """
    clipped_HW3 = _clip_masks(mosaic, camera_HW3.shape[:2])
    brightest_HW1 = camera_HW3.max(axis=-1, keepdims=True)
    mended_HW3 = np.where(clipped_HW3, brightest_HW1, camera_HW3)
    is_white_HW = mended_HW3.min(axis=-1) >= _NEAR_NEUTRAL * brightest_HW1[..., 0]
    unknown_HW = clipped_HW3.any(axis=-1) & is_white_HW
    mended_HW3[unknown_HW] = np.maximum(brightest_HW1[unknown_HW], np.float32(1.0))
    return mended_HW3, unknown_HW


def _clip_masks(mosaic: Mosaic, shape: tuple[int, ...]) -> Mask:
    """Return which colours clipped where, bool (H, W, 3) of a developed picture of `shape`."""
    period = mosaic.period
    height, width = (side * period for side in mosaic.planes_PHW.shape[1:])
    full_HW3 = np.zeros((height, width, 3), np.uint8)
    planes = zip(mosaic.channel_P, mosaic.clipped_values(), strict=True)
    for index, (channel, clipped) in enumerate(planes):
        y, x = divmod(index, period) if period > 1 else (0, 0)  # linear: planes of full size
        full_HW3[y::period, x::period, channel] = np.where(clipped, 255, 0)
    if period > 1:
        full_HW3 = np.asarray(cv2.dilate(full_HW3, np.ones(_DEMOSAIC_REACH, np.uint8)))
    if full_HW3.shape[:2] != shape:  # halved, or stretched to square pixels
        size = shape[1], shape[0]
        full_HW3 = np.asarray(cv2.resize(full_HW3, size, interpolation=cv2.INTER_AREA))
    is_clipped: Mask = full_HW3 > 0
    return is_clipped


def turned(picture: NDArray[Any], flip: int) -> NDArray[Any]:
    """Return a picture turned upright by LibRaw's orientation bits, as `flip_index` of LibRaw.

    >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()  # Exif 6: turn clockwise
    [[3, 1], [4, 2]]
    """
    if flip & 2:
        picture = picture[::-1]
    if flip & 1:
        picture = picture[:, ::-1]
    if flip & 4:
        picture = picture.swapaxes(0, 1)
    return np.ascontiguousarray(picture)
