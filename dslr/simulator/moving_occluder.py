"""An object that moves through a series of simulated captures: opaque, textured, never twice alike.

It is the truth that motion masks are tested against.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Linear = NDArray[np.float32]

_ELONGATION = 1.6  # long over short axis
_STRIPES = 3.0  # from end to end
_DARK, _BRIGHT = 0.15, 1.8  # of the scene's typical light


@dataclass(frozen=True)
class MovingOccluder:
    """An ellipse with stripes, at one place of one frame."""

    centre_px: tuple[float, float]  # x right, y down; pixel centres lie on whole numbers
    half_axes_px: tuple[float, float]
    turn_deg: float  # of the long axis, clockwise from the right
    colour: tuple[float, float, float]  # scene-linear, of a bright stripe

    def covered(self, linear_HW3: Linear) -> tuple[Linear, NDArray[np.bool_]]:
        """Return a picture with the object in front, and where it changed the picture.

        The object is softened over one pixel; every pixel it touches is in the mask (H, W).
        """
        height_px, width_px = linear_HW3.shape[:2]
        right = np.arange(width_px)[None, :] - self.centre_px[0]
        down = np.arange(height_px)[:, None] - self.centre_px[1]
        angle = math.radians(self.turn_deg)
        along = (right * math.cos(angle) + down * math.sin(angle)) / self.half_axes_px[0]
        across = (down * math.cos(angle) - right * math.sin(angle)) / self.half_axes_px[1]
        inside_px = (1.0 - np.hypot(along, across)) * min(self.half_axes_px)
        cover_HW = np.clip(inside_px + 0.5, 0.0, 1.0)
        stripes = 0.5 + 0.5 * np.sin(math.pi * _STRIPES * (along + 0.5 * across))
        share = _DARK / _BRIGHT + (1.0 - _DARK / _BRIGHT) * stripes
        surface = share[..., None] * np.array(self.colour)
        covered = linear_HW3 + cover_HW[..., None] * (surface - linear_HW3)
        return covered.astype(np.float32), cover_HW > 0.0


def moving_occluders_rand(
    rng: np.random.Generator, linear_HW3: Linear, share: float, present: Sequence[bool]
) -> tuple[MovingOccluder | None, ...]:
    """Draw one object's place in each frame, wholly inside; None where it is not present.

    It covers `share` of the frame. Each frame has a strip of the picture of its own, so that no
    two places agree. `linear_HW3` shows how bright the scene is.
    """
    height_px, width_px = linear_HW3.shape[:2]
    short = math.sqrt(share * height_px * width_px / math.pi / _ELONGATION)
    # It must fit in, however it is turned.
    short = min(short, min(height_px, width_px) / 2.0 / _ELONGATION - 1.0)
    reach = short * _ELONGATION
    typical = float(np.percentile(linear_HW3.mean(axis=-1), 60.0)) * _BRIGHT
    red, green, blue = (typical * rng.uniform(0.5, 1.0, 3)).tolist()
    strips = rng.permutation(len(present))
    occluders: list[MovingOccluder | None] = []
    for strip, is_present in zip(strips, present, strict=True):
        x_share = (strip + rng.uniform(0.3, 0.7)) / len(present)
        y_share, turn_deg = rng.uniform(), rng.uniform(-40.0, 40.0)
        occluder = MovingOccluder(
            centre_px=(
                reach + x_share * (width_px - 1 - 2.0 * reach),
                reach + y_share * (height_px - 1 - 2.0 * reach),
            ),
            half_axes_px=(reach, short),
            turn_deg=turn_deg,
            colour=(red, green, blue),
        )
        occluders.append(occluder if is_present else None)
    return tuple(occluders)
