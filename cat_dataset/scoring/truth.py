"""What the edited picture ought to be: from the light in the source, or from frames of a sweep.

Light adds up, so a source that is split into layers (main lamp, ambient, rest) gives the true
picture under any exposure, balance or lamp edit. What had to be rendered or photographed anew is
known at the frames of its sweep and nowhere else.

Pictures are uint8 display sRGB, (H, W, 3); light is float32, 1 = the display's white.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import LIGHT_TEMPERATURE, WHITE_BALANCE
from cat_dataset.attributes.table import CAMERA_ATTRIBUTES, LIGHT_OF
from cat_dataset.imaging.display import (
    TONE_CURVE,
    ToneCurve,
    apply_tone_curve,
    decode_display,
    encode_display,
)
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K, kelvin, mired, srgb_encode
from cat_dataset.light.light_ratio import LightRatio, light_ratio_rgb
from cat_dataset.light.relighting import BLACK_BODIES_MIRED, changes_gain_rgb

Display = NDArray[np.uint8]
Linear = NDArray[np.float32]
Mask = NDArray[np.bool_]
Values = Mapping[str, float]  # total change by attribute, in its unit, from the source

REST = "rest"  # the layer of all light that nothing edits
_SAME_POSITION = 1e-6  # frames closer than this on an axis are one


@dataclass(frozen=True)
class LightTruth:
    """The true picture under any photometric edit, by the linearity of light.

    Args:
        source_HW3: the source as stored.
        layers: its light by layer, which sum to it; `REST` alone is the whole source.
        known_HW: pixels where the layers are known: nowhere clipped, nowhere black.
        wb_cct_k: the camera setting of the source.
        lamp_cct_k: colour of the main lamp in the source; None: it cannot be changed truly.
        is_from_pair: the layers come from the true pair itself, so reading its target returns the
            truth by construction and is no floor.
    """

    source_HW3: Display
    layers: Mapping[str, Linear]
    known_HW: Mask
    wb_cct_k: float = DAYLIGHT_CCT_K
    lamp_cct_k: float | None = None
    tone_curve: ToneCurve = TONE_CURVE
    is_from_pair: bool = False
    _cache: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def source_light(self) -> Linear:
        """The light of the source as its codes give it, clipped at white."""
        return decode_display(self.source_HW3, self.tone_curve)

    def can_make(self, attribute: str) -> bool:
        """Return whether the true picture of an edit of this attribute can be made."""
        if attribute in CAMERA_ATTRIBUTES:
            return True
        has_layer = LIGHT_OF.get(attribute) in self.layers
        return has_layer and (attribute != LIGHT_TEMPERATURE.name or self.lamp_cct_k is not None)

    def light(self, values: Values) -> Linear:
        """Return the light of the whole picture after changes, before the display clips it."""
        parts = [
            layer * self.gain_rgb(name, values).astype(np.float32)
            for name, layer in self.layers.items()
        ]
        total: Linear = np.sum(parts, axis=0, dtype=np.float32)
        return total

    @property
    def _colours_k(self) -> dict[str, float | None]:
        """Where changes of colour start, by attribute; None: not known."""
        return {WHITE_BALANCE.name: self.wb_cct_k, LIGHT_TEMPERATURE.name: self.lamp_cct_k}

    def gain_rgb(self, layer: str, values: Values) -> NDArray[np.float64]:
        """Return the linear gain (3,) of one layer."""
        return changes_gain_rgb(layer, values, self._colours_k)

    def light_ratio(self, attribute: str, before: Values) -> LightRatio | None:
        """Return the ratio of the light that an attribute edits to all other light of the picture.

        `before` are the changes that the picture has been through. None: not known, or no light of
        the scene is edited.
        """
        name = LIGHT_OF.get(attribute)
        if name is None or name not in self.layers:
            return None
        light = self.layers[name] * self.gain_rgb(name, before).astype(np.float32)
        return light_ratio_rgb(light, self.light(before))

    def feasible(self, attribute: str) -> tuple[float, float]:
        """Return the changes between which colours exist; unlimited where none is involved."""
        source_k = self._colours_k.get(attribute)
        if source_k is None:
            return -math.inf, math.inf
        lowest, highest = BLACK_BODIES_MIRED
        return lowest - mired(source_k), highest - mired(source_k)

    def picture(self, values: Values) -> Display | None:
        """Return the picture after these changes; None where a layer or a colour is not known."""
        for name, value in values.items():
            lowest, highest = self.feasible(name)
            if value and not (self.can_make(name) and lowest <= value <= highest):
                return None
        if not any(values.values()):
            return self.source_HW3
        return encode_display(self.light(values), 1.0, self.tone_curve)

    def after(self, values: Values) -> "LightTruth | None":
        """Return what is true of the picture after these changes; None where it is not known."""
        picture = self.picture(values)
        if picture is None:
            return None
        lamp_k = self.lamp_cct_k
        if lamp_k is not None:
            lamp_k = kelvin(mired(lamp_k) + values.get(LIGHT_TEMPERATURE.name, 0.0))
        return replace(
            self,
            source_HW3=picture,
            layers={
                name: layer * self.gain_rgb(name, values).astype(np.float32)
                for name, layer in self.layers.items()
            },
            wb_cct_k=kelvin(mired(self.wb_cct_k) + values.get(WHITE_BALANCE.name, 0.0)),
            lamp_cct_k=lamp_k,
            _cache={},
        )

    @cached_property
    def probe(self) -> NDArray[np.int64]:
        """Flat numbers of at most 2048 known pixels, evenly spread."""
        known = np.flatnonzero(self.known_HW)
        return known[:: max(1, -(-len(known) // 2048))]

    def probe_codes(self, values: Values) -> NDArray[np.float32]:
        """Return display codes 0..255 at the probe after changes, not rounded, (N, 3)."""
        light = np.zeros((len(self.probe), 3), np.float32)
        for name, layer in self.layers.items():
            if name not in self._cache:
                self._cache[name] = layer.reshape(-1, 3)[self.probe]
            light += self._cache[name] * self.gain_rgb(name, values).astype(np.float32)
        return _codes(light, self.tone_curve)


def _codes(light: Linear, tone_curve: ToneCurve) -> NDArray[np.float32]:
    return srgb_encode(apply_tone_curve(light, tone_curve)) * np.float32(255.0)


@dataclass(frozen=True)
class FrameTruth:
    """The true picture at the frames of a sweep, by how far each is from the source."""

    source_HW3: Display
    attribute: str  # key of the task that the sweep edits
    frames: Mapping[float, Display]  # the source itself at 0

    def picture(self, values: Values) -> Display | None:
        """Return the frame at exactly this change; None where there is none."""
        if any(value for name, value in values.items() if name != self.attribute):
            return None
        value = values.get(self.attribute, 0.0)
        nearest = min(self.frames, key=lambda position: abs(position - value))
        return self.frames[nearest] if abs(nearest - value) < _SAME_POSITION else None


Truth = LightTruth | FrameTruth
