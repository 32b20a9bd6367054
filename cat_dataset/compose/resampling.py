"""Shrink linear light: the middle of the picture in other proportions, averaged over areas.

Averages of linear light are what a coarser sensor would have recorded, so every scale stays true.
"""

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import JobError
from cat_dataset.jobs.datasets import ComposeJob
from cat_dataset.records import Annotation, LightBasis, Sweep


def composed_size(compose: ComposeJob, width_px: int, height_px: int) -> tuple[int, int]:
    """Return the (width, height) that a job makes of stored pictures of a size.

    Raises:
        JobError: they are smaller than what is asked for.
    """
    if compose.width_px is not None and compose.height_px is not None:
        if compose.width_px > width_px or compose.height_px > height_px:
            msg = (
                f"[compose] asks for {compose.width_px}x{compose.height_px} px, but light is "
                f"stored at {width_px}x{height_px} px; enlarging adds nothing: ask for less"
            )
            raise JobError(msg)
        return compose.width_px, compose.height_px
    share = min(1.0, (compose.max_side_px or math.inf) / max(width_px, height_px))
    return max(1, round(width_px * share)), max(1, round(height_px * share))


def resized(light: LightBasis | Sweep, width_px: int, height_px: int) -> LightBasis | Sweep:
    """Return light at a size that is at most its own."""
    if isinstance(light, LightBasis):
        return _resized_basis(light, width_px, height_px)
    return _resized_sweep(light, width_px, height_px)


def _resized_basis(basis: LightBasis, width_px: int, height_px: int) -> LightBasis:
    if basis.images_GHW3.shape[1:3] == (height_px, width_px):
        return basis
    return replace(
        basis,
        images_GHW3=np.stack([_area(i, width_px, height_px) for i in basis.images_GHW3]),
        clipped_HW=_any(basis.clipped_HW, width_px, height_px),
        annotation=_annotation(basis.annotation, width_px, height_px),
    )


def _resized_sweep(sweep: Sweep, width_px: int, height_px: int) -> Sweep:
    if sweep.frames[0].linear_HW3.shape[:2] == (height_px, width_px):
        return sweep
    frames = tuple(
        replace(
            frame,
            linear_HW3=_area(frame.linear_HW3, width_px, height_px),
            clipped_HW=_any(frame.clipped_HW, width_px, height_px),
            moving_HW=_any(frame.moving_HW, width_px, height_px),
            annotation=_annotation(frame.annotation, width_px, height_px),
        )
        for frame in sweep.frames
    )
    noise_HW3 = sweep.noise_HW3
    if noise_HW3 is not None:
        noise_HW3 = _area(noise_HW3, width_px, height_px)
    return replace(sweep, frames=frames, noise_HW3=noise_HW3)


def _middle(picture: NDArray[Any], width_px: int, height_px: int) -> NDArray[Any]:
    """Return the largest window in the proportions of a size, about the picture's centre."""
    height, width = picture.shape[:2]
    share = min(width / width_px, height / height_px)
    window_w, window_h = round(width_px * share), round(height_px * share)
    top, left = (height - window_h) // 2, (width - window_w) // 2
    return picture[top : top + window_h, left : left + window_w]


def _area(picture: NDArray[np.float32], width_px: int, height_px: int) -> NDArray[np.float32]:
    window = _middle(picture, width_px, height_px)
    shrunk = cv2.resize(window, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.float32, copy=False)


def _any(
    mask_HW: NDArray[np.bool_] | None, width_px: int, height_px: int
) -> NDArray[np.bool_] | None:
    """Return where any pixel of the area is set: one clipped sample spoils the average."""
    if mask_HW is None:
        return None
    clipped: NDArray[np.bool_] = _area(mask_HW.astype(np.float32), width_px, height_px) > 0.0
    return clipped


def _annotation(annotation: Annotation | None, width_px: int, height_px: int) -> Annotation | None:
    """Return geometry at a size; depth is taken, not averaged: nothing lies between two things."""
    if annotation is None:
        return None
    size = (width_px, height_px)
    depth_HW = cv2.resize(
        _middle(annotation.depth_HW, *size), size, interpolation=cv2.INTER_NEAREST_EXACT
    )
    normal_HW3 = _area(annotation.normal_HW3, *size)
    length_HW1 = np.linalg.norm(normal_HW3, axis=-1, keepdims=True)
    unit_HW3 = np.divide(normal_HW3, length_HW1, where=length_HW1 > 0.0, out=normal_HW3.copy())
    return replace(
        annotation,
        mask_HW=_area(annotation.mask_HW.astype(np.float32), *size) >= 0.5,
        depth_HW=depth_HW.astype(np.float32, copy=False),
        normal_HW3=unit_HW3.astype(np.float32, copy=False),
    )
