"""Develop RAW files comparably: no step looks at the content, all frames are treated alike.

LibRaw's defaults rescale each file by its own brightest pixel (0.32 stop in a bracket), balance
it by guess, or clip after balancing; here one `DevelopPlan`, made from the group's anchor frame,
rules all of its frames.

Where the picture wanted is not larger than the sensor's grid of colour cells, each cell is one
pixel: black subtracted, balanced, averaged over areas of linear light, strip by strip so that a
60-megapixel file needs little memory. Nothing is interpolated, and noise below black stays
negative, so that dark parts keep their mean; LibRaw would cut it off and lift them. Otherwise
LibRaw demosaics. Balanced highlights are kept (LibRaw's "ignore" mode, which scales by the
largest multiplier, undone below) instead of clipped at the smallest channel: a red that the
sensor still resolves stays resolved, and the scale does not depend on the balance.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dslr.develop.white_balance import WhiteBalance, camera_to_srgb, xyz_to_camera
from dslr.files.metadata import DngColour
from dslr.files.raw_file import Mosaic

Linear = NDArray[np.float32]
Mask = NDArray[np.bool_]

_UINT16_MAX = 65535.0
_DEMOSAIC_REACH = (3, 3)  # demosaicing spreads a clipped value to its neighbours
_NEAR_NEUTRAL = 0.25  # darkest channel over brightest; lamps of a pure colour lie below
_STRIP_PATTERNS = 64  # rows of filter patterns developed at a time: some 10 MB
_CELL_SIDES = {1: 1, 2: 2, 6: 3}  # by period: every 3x3 block of X-Trans has all three colours


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
    if _is_of_cells(raw, mosaic, plan):
        camera_HW3, clipped_HW = _averaged_cells(mosaic, plan)
    else:
        camera_HW3, clipped_HW = _demosaiced(raw, mosaic, plan)
    linear_HW3 = camera_HW3 @ plan.camera_to_srgb.T.astype(np.float32)
    return Developed(turned(linear_HW3, plan.flip), turned(clipped_HW, plan.flip))


def _is_of_cells(raw: Any, mosaic: Mosaic, plan: DevelopPlan) -> bool:
    """Return whether one pixel per cell is enough: no demosaicing, no artefacts, fast.

    A picture without a mosaic needs none at any size. Pixels that are not square are LibRaw's.
    """
    side = _CELL_SIDES.get(mosaic.period)
    if side is None or raw.sizes.pixel_aspect != 1.0:
        return False
    longest = max(mosaic.planes_PHW.shape[1:]) * mosaic.period // side
    return mosaic.period == 1 or longest >= plan.max_side_px


def _averaged_cells(mosaic: Mosaic, plan: DevelopPlan) -> tuple[Linear, Mask]:
    """Return balanced camera RGB (H, W, 3) of the wanted size, and where its light is unknown.

    Areas are averaged along x strip by strip, then along y.
    """
    num_rows, num_columns = mosaic.planes_PHW.shape[1:]
    per_pattern = mosaic.period // _CELL_SIDES[mosaic.period]
    height, width = num_rows * per_pattern, num_columns * per_pattern
    size = _output_size((height, width), plan.max_side_px)
    narrow_4HW = np.empty((4, height, size[0]), np.float32)  # red, green, blue, unknown
    for top in range(0, num_rows, _STRIP_PATTERNS):
        rows = slice(top, min(top + _STRIP_PATTERNS, num_rows))
        camera_3HW, clipped_3HW = _cells(mosaic, plan, rows)
        unknown_HW = _mend_highlights(camera_3HW, clipped_3HW)
        at = slice(rows.start * per_pattern, rows.stop * per_pattern)
        strip_size = size[0], at.stop - at.start
        for channel, picture in enumerate((*camera_3HW, unknown_HW.astype(np.float32))):
            narrow_4HW[channel, at] = _shrink(picture, strip_size)
    small_4HW = np.stack([_shrink(picture, size) for picture in narrow_4HW])
    return np.ascontiguousarray(small_4HW[:3].transpose(1, 2, 0)), small_4HW[3] >= 0.5


def _cells(mosaic: Mosaic, plan: DevelopPlan, rows: slice) -> tuple[Linear, Mask]:
    """Return balanced camera RGB of the cells of some rows of filter patterns, and what clipped.

    Both are (3, H, W); green 1 = the plan's full scale. A cell averages its values of each
    colour; a colour has clipped where one of them has.
    """
    side = _CELL_SIDES[mosaic.period]
    per_pattern = mosaic.period // side
    num_rows, num_columns = rows.stop - rows.start, mosaic.planes_PHW.shape[2]
    shape = 3, num_rows * per_pattern, num_columns * per_pattern
    sum_3HW, clipped_3HW = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    num_3HW = np.zeros((3, per_pattern, per_pattern, 1, 1), np.float32)
    levels = zip(mosaic.channel_P, mosaic.black_P, mosaic.clip_codes, strict=True)
    for index, (channel, black, code) in enumerate(levels):
        y, x = (place // side for place in _place(mosaic, index))
        values_HW = mosaic.planes_PHW[index, rows]
        cells = channel, slice(y, None, per_pattern), slice(x, None, per_pattern)
        sum_3HW[cells] += values_HW.astype(np.float32) - np.float32(black)
        clipped_3HW[cells] |= values_HW >= code
        num_3HW[channel, y, x] += 1.0
    for (channel, y, x), num in np.ndenumerate(num_3HW[..., 0, 0]):
        gain = plan.balance.multipliers_rgb[channel] / (plan.full_scale_dn * num)
        sum_3HW[channel, y::per_pattern, x::per_pattern] *= np.float32(gain)
    return sum_3HW, clipped_3HW


def _place(mosaic: Mosaic, index: int) -> tuple[int, int]:
    """Return row and column of a plane in the filter pattern; planes without a mosaic coincide."""
    return divmod(index, mosaic.period) if mosaic.period > 1 else (0, 0)


def _demosaiced(raw: Any, mosaic: Mosaic, plan: DevelopPlan) -> tuple[Linear, Mask]:
    """Return what `_averaged_cells` returns, every sensor pixel interpolated by LibRaw first."""
    camera_HW3 = _balanced_camera_rgb(raw, plan)
    clipped_HW3 = _clip_masks(mosaic, camera_HW3.shape[:2])
    # views with the colours first: mending writes through them
    unknown_HW = _mend_highlights(camera_HW3.transpose(2, 0, 1), clipped_HW3.transpose(2, 0, 1))
    size = _output_size(camera_HW3.shape[:2], plan.max_side_px)
    return _shrink(camera_HW3, size), _shrink(unknown_HW.astype(np.float32), size) >= 0.5


def _balanced_camera_rgb(raw: Any, plan: DevelopPlan) -> Linear:
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
    )
    largest = max(red, green, blue)  # what "ignore" divides the multipliers by
    camera_HW3: Linear = codes_HW3.astype(np.float32)
    camera_HW3 *= np.float32(largest / _UINT16_MAX)
    return camera_HW3


def _output_size(shape: tuple[int, ...], max_side_px: int) -> tuple[int, int]:
    """Return (width, height) after shrinking the longer side to the limit; never larger."""
    height, width = shape
    ratio = min(1.0, max_side_px / max(height, width))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _shrink(picture: Linear, size: tuple[int, int]) -> Linear:
    """Return the picture at (width, height), averaged over areas of linear light."""
    if picture.shape[1::-1] == size:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _mend_highlights(camera_3HW: Linear, clipped_3HW: Mask) -> Mask:
    """Take false colours out of balanced camera RGB, in place; return where light is unknown.

    A clipped channel is at least as bright as the brightest one: green, which clips first, would
    otherwise turn white into magenta. Where the result is near neutral, the pixel is a burnt-out
    white and its light unknown; a lamp of one pure colour keeps that colour, as a lower bound.
    """
    any_HW: Mask = clipped_3HW.any(axis=0)
    if not any_HW.any():
        return any_HW
    camera_3N, clipped_3N = camera_3HW[:, any_HW], clipped_3HW[:, any_HW]
    brightest_N = camera_3N.max(axis=0)
    mended_3N = np.where(clipped_3N, brightest_N, camera_3N)
    is_white_N = mended_3N.min(axis=0) >= _NEAR_NEUTRAL * brightest_N
    mended_3N[:, is_white_N] = np.maximum(brightest_N[is_white_N], np.float32(1.0))
    camera_3HW[:, any_HW] = mended_3N
    any_HW[any_HW] = is_white_N
    return any_HW


def _clip_masks(mosaic: Mosaic, shape: tuple[int, ...]) -> Mask:
    """Return which colours clipped where, bool (H, W, 3) of a demosaiced picture of `shape`."""
    period = mosaic.period
    height, width = (side * period for side in mosaic.planes_PHW.shape[1:])
    full_HW3 = np.zeros((height, width, 3), np.uint8)
    planes = zip(mosaic.channel_P, mosaic.planes_PHW, mosaic.clip_codes, strict=True)
    for index, (channel, values_HW, code) in enumerate(planes):
        y, x = _place(mosaic, index)
        full_HW3[y::period, x::period, channel] = values_HW >= code
    if period > 1:
        full_HW3 = np.asarray(cv2.dilate(full_HW3, np.ones(_DEMOSAIC_REACH, np.uint8)))
    rest = shape[0] - height, shape[1] - width
    if all(0 <= cut < period for cut in rest):  # an incomplete pattern at the far edges
        full_HW3 = np.pad(full_HW3, ((0, rest[0]), (0, rest[1]), (0, 0)), mode="edge")
    else:  # stretched to square pixels
        size = shape[1], shape[0]
        full_HW3 *= 255
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
