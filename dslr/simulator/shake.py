"""The hand that holds a simulated camera: a small shift and roll of each frame.

Frames are resampled in linear light from a picture with a margin, so that no border is made up.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.jobs.camera import MAX_DEVIATIONS, SimulatedCamera

Linear = NDArray[np.float32]

# cv2.warpAffine looks pixels up at such steps: on this grid a shift is exact.
SHIFT_GRID_PX = 1.0 / 32.0


@dataclass(frozen=True)
class Shake:
    """How the content of a frame lies, against the scene as a still camera sees it."""

    right_px: float = 0.0  # positive: the content moved to the right
    down_px: float = 0.0  # positive: down
    roll_deg: float = 0.0  # positive: the content turned counter-clockwise, about the centre

    def matrix(self, height_px: int, width_px: int) -> NDArray[np.float64]:
        """Return the 2x3 matrix from still to shaken pixel coordinates (x right, y down).

        Pixel centres lie on whole numbers; first the roll about the centre, then the shift.
        """
        angle = math.radians(self.roll_deg)
        # y points down, so that this turns counter-clockwise as seen
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        centre = np.array([(width_px - 1) / 2.0, (height_px - 1) / 2.0])
        shift = centre - turn @ centre + np.array([self.right_px, self.down_px])
        return np.column_stack([turn, shift])


def shakes_rand(
    rng: np.random.Generator, camera: SimulatedCamera, num_shots: int
) -> tuple[Shake, ...]:
    """Draw how the camera is held in each shot; normal, cut off where its margin ends."""
    drawn = [[_bounded_normal(rng) for _ in range(3)] for _ in range(num_shots)]
    return tuple(
        Shake(
            round(right * camera.shake_px / SHIFT_GRID_PX) * SHIFT_GRID_PX,
            round(down * camera.shake_px / SHIFT_GRID_PX) * SHIFT_GRID_PX,
            roll * camera.shake_deg,
        )
        for right, down, roll in drawn
    )


def shaken(picture_HW3: Linear, margin_px: int, shake: Shake) -> Linear:
    """Return the frame that a shaken camera sees, float32, smaller by the margin on each side.

    A picture without a margin belongs to a camera on a tripod and comes back as it is. Sharp edges
    ring a little, below zero too, as in any Lanczos resampling.
    """
    if margin_px == 0:
        return picture_HW3
    height_px, width_px = (side - 2 * margin_px for side in picture_HW3.shape[:2])
    to_still = np.array([[1.0, 0.0, -margin_px], [0.0, 1.0, -margin_px], [0.0, 0.0, 1.0]])
    matrix = shake.matrix(height_px, width_px) @ to_still
    frame = cv2.warpAffine(picture_HW3, matrix, (width_px, height_px), flags=cv2.INTER_LANCZOS4)
    return frame.astype(np.float32)


def _bounded_normal(rng: np.random.Generator) -> float:
    while abs(value := float(rng.normal())) > MAX_DEVIATIONS:
        pass
    return value
