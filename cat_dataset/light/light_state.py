"""Any photometric frame of a light basis: one weighted sum of its images, by linearity of light."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import blackbody_rgb, white_balance_gains
from cat_dataset.records import LightBasis, LightGroup


@dataclass(frozen=True)
class LampState:
    """How one light group is set."""

    power_stops: float  # relative to the base picture
    cct_k: float | None  # None: the group's image has its own colour


@dataclass(frozen=True)
class LightState:
    """Every photometric setting of one frame."""

    exposure_stops: float  # relative to the base picture
    wb_cct_k: float  # camera setting
    lamps: Mapping[str, LampState]

    def with_lamp(self, name: str, lamp: LampState) -> "LightState":
        """Return the state with one lamp set anew."""
        return replace(self, lamps={**self.lamps, name: lamp})

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        lamps = {name: vars(lamp) for name, lamp in self.lamps.items()}
        return {
            "exposure_stops": self.exposure_stops,
            "wb_cct_k": self.wb_cct_k,
            "lamps": lamps,
        }


def base_state(basis: LightBasis) -> LightState:
    """Return the state in which the basis was rendered or captured."""
    lamps = {group.name: LampState(0.0, group.cct_k) for group in basis.groups}
    return LightState(0.0, basis.wb_cct_k, lamps)


def camera_gain_rgb(basis: LightBasis, state: LightState) -> NDArray[np.float64]:
    """Return the linear gain of exposure and white balance, shape (3,)."""
    balance = white_balance_gains(basis.wb_cct_k, state.wb_cct_k)
    gain: NDArray[np.float64] = balance * 2.0**state.exposure_stops
    return gain


def lamp_gain_rgb(group: LightGroup, lamp: LampState) -> NDArray[np.float64]:
    """Return the linear gain of one group's image, shape (3,)."""
    colour = np.ones(3) if lamp.cct_k is None else blackbody_rgb(lamp.cct_k)
    gain: NDArray[np.float64] = colour * 2.0**lamp.power_stops
    return gain


def light_frame(
    basis: LightBasis, state: LightState, only: frozenset[str] | None = None
) -> NDArray[np.float32]:
    """Return the frame of a state, float32 (H, W, 3), scene-linear sRGB.

    `only` names the groups to sum; None means all.
    """
    camera = camera_gain_rgb(basis, state)
    num_groups, height, width = basis.images_GHW3.shape[:3]
    rows_GHR = basis.images_GHW3.reshape(num_groups, height, 3 * width)  # long rows: five times
    frame_HR = np.zeros((height, 3 * width), np.float32)  # as fast as three channels at a time
    lit_HR = np.empty_like(frame_HR)
    for group, rows_HR in zip(basis.groups, rows_GHR, strict=True):
        if only is None or group.name in only:
            gain = camera * lamp_gain_rgb(group, state.lamps[group.name])
            gain_R = np.repeat(gain.astype(np.float32)[None], width, axis=0).ravel()
            frame_HR += np.multiply(rows_HR, gain_R, out=lit_HR)
    return frame_HR.reshape(height, width, 3)
