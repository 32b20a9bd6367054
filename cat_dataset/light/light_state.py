"""Any photometric frame of a light basis: one weighted sum of its images, by linearity of light."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import CAMERA_ATTRIBUTES, find_attribute
from cat_dataset.light.relighting import RELIGHTING, Gain, lamp_gain_rgb
from cat_dataset.records import LightBasis


@dataclass(frozen=True)
class LampState:
    """How one light group is set."""

    power_stops: float  # relative to the base picture
    cct_k: float | None  # None: the group's image has its own colour


@dataclass(frozen=True)
class LightState:
    """Every photometric setting of one frame; those of the camera by the names of `RELIGHTING`."""

    exposure_stops: float  # relative to the base picture
    wb_cct_k: float  # camera setting
    lamps: Mapping[str, LampState]
    tint_duv_x1000: float = 0.0  # from the base picture; a state of before has none

    @property
    def camera_settings(self) -> dict[str, float]:
        """The camera's settings by attribute, for edits that start from them."""
        return {name: getattr(self, RELIGHTING[name].setting) for name in CAMERA_ATTRIBUTES}

    def with_lamp(self, name: str, lamp: LampState) -> "LightState":
        """Return the state with one lamp set anew."""
        return replace(self, lamps={**self.lamps, name: lamp})

    def moved(self, attribute: str, setting: float, groups: Iterable[str]) -> "LightState":
        """Return the state with the setting of one attribute anew.

        `groups` names the lights that it edits; none: it is the camera's.
        """
        lamps = {group: _moved(self.lamps[group], attribute, setting) for group in groups}
        if not lamps:
            return _moved(self, attribute, setting)
        return replace(self, lamps={**self.lamps, **lamps})

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "LightState":
        """Return the state that `to_json` wrote."""
        lamps = {name: LampState(**lamp) for name, lamp in record["lamps"].items()}
        return cls(**{**record, "lamps": lamps})

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {**vars(self), "lamps": {name: vars(lamp) for name, lamp in self.lamps.items()}}


StateT = TypeVar("StateT", LampState, LightState)


def _moved(state: StateT, attribute: str, setting: float) -> StateT:
    """Return a state whose stops add to those of another edit, or whose colour is another."""
    name = RELIGHTING[attribute].setting
    is_difference = find_attribute(attribute).absolute_unit is None
    changes: dict[str, Any] = {name: getattr(state, name) + setting if is_difference else setting}
    return replace(state, **changes)


def base_state(basis: LightBasis) -> LightState:
    """Return the state in which the basis was rendered or captured."""
    lamps = {group.name: LampState(0.0, group.cct_k) for group in basis.groups}
    return LightState(0.0, basis.wb_cct_k, lamps)


def camera_gain_rgb(base: LightState, state: LightState) -> Gain:
    """Return the linear gain of the camera's settings over those of the base picture, (3,)."""
    gain = np.ones(3)
    for model in (RELIGHTING[name] for name in CAMERA_ATTRIBUTES):
        gain = gain * model.gain_rgb(getattr(base, model.setting), getattr(state, model.setting))
    return gain


def light_gains_rgb(basis: LightBasis, state: LightState) -> Gain:
    """Return the linear gain of every group's image, camera and lamp together, (G, 3)."""
    camera = camera_gain_rgb(base_state(basis), state)
    lamps = [state.lamps[group.name] for group in basis.groups]
    gains = [camera * lamp_gain_rgb(lamp.power_stops, lamp.cct_k) for lamp in lamps]
    return np.stack(gains) if gains else np.empty((0, 3))


def light_frame(
    basis: LightBasis, state: LightState, only: frozenset[str] | None = None
) -> NDArray[np.float32]:
    """Return the frame of a state, float32 (H, W, 3), scene-linear sRGB.

    `only` names the groups to sum; None means all.
    """
    gains_G3 = light_gains_rgb(basis, state).astype(np.float32)
    num_groups, height, width = basis.images_GHW3.shape[:3]
    rows_GHR = basis.images_GHW3.reshape(num_groups, height, 3 * width)  # long rows: five times
    frame_HR = np.zeros((height, 3 * width), np.float32)  # as fast as three channels at a time
    lit_HR = np.empty_like(frame_HR)
    for group, rows_HR, gain_3 in zip(basis.groups, rows_GHR, gains_G3, strict=True):
        if only is None or group.name in only:
            gain_R = np.repeat(gain_3[None], width, axis=0).ravel()
            frame_HR += np.multiply(rows_HR, gain_R, out=lit_HR)
    return frame_HR.reshape(height, width, 3)
