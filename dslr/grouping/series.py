"""What kind of series captures form: one setting varies, or two that make up for each other.

Exposure, aperture, ISO, focal length and focus show in the settings; white balance in the
multipliers, a lamp in the light alone. Where several settings vary without such an axis, a
difference could not be separated from another, and the captures are no series.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from cat_dataset.attributes.lens import (
    APERTURE,
    FOCAL_LENGTH,
    FOCUS_DISTANCE,
    ISO_NOISE,
    SHUTTER_BLUR,
)
from cat_dataset.attributes.photometric import EXPOSURE, LIGHT_POWER, WHITE_BALANCE
from dslr.develop.exposure import snap_series
from dslr.files.metadata import CaptureMetadata

SeriesKind = Literal[
    "exposure",
    "aperture",
    "iso",
    "shutter",
    "focal_length",
    "focus_distance",
    "white_balance",
    "lamp",
]
SERIES_KINDS: tuple[SeriesKind, ...] = get_args(SeriesKind)

# The attribute that a kind of series gives pairs of; kinds are named after a camera's setting.
ATTRIBUTE_OF_KIND: Mapping[SeriesKind, str] = MappingProxyType(
    {
        "exposure": EXPOSURE.name,
        "aperture": APERTURE.name,
        "iso": ISO_NOISE.name,
        "shutter": SHUTTER_BLUR.name,
        "focal_length": FOCAL_LENGTH.name,
        "focus_distance": FOCUS_DISTANCE.name,
        "white_balance": WHITE_BALANCE.name,
        "lamp": LIGHT_POWER.name,
    }
)

MIN_STEP_STOPS = 0.2  # smaller differences are rounding and repeatability, not a series
EQUAL_STOPS = 0.01  # settings this near are the same
# A step of the shutter that makes up for one of the aperture or of ISO: both run in third stops,
# and a camera that meters anew may be one such step off.
EQUAL_EXPOSURE_STOPS = 0.35
_MIN_FOCAL_LOG2 = 0.04  # 3 % of magnification
_MIN_DIOPTRES = 0.02

Setting = Literal["time", "f_number", "iso", "focal_length", "focus_distance"]
# Zooms and autofocus report what they do in coarse steps.
_EQUAL: Mapping[Setting, float] = MappingProxyType(
    {"focal_length": _MIN_FOCAL_LOG2, "focus_distance": _MIN_DIOPTRES}
)
_SPOKEN: Mapping[Setting, str] = MappingProxyType(
    {
        "time": "exposure time",
        "f_number": "f-number",
        "iso": "ISO",
        "focal_length": "focal length",
        "focus_distance": "focus distance",
    }
)
# Which settings vary, to what the series is of.
_CLEAN: Mapping[frozenset[Setting], SeriesKind] = MappingProxyType(
    {
        frozenset({"time"}): "exposure",
        frozenset({"iso"}): "exposure",
        frozenset({"f_number"}): "aperture",
        frozenset({"f_number", "time"}): "aperture",
        frozenset({"iso", "time"}): "iso",
        frozenset({"focal_length"}): "focal_length",
        frozenset({"focus_distance"}): "focus_distance",
    }
)
_ARE_EQUALLY_EXPOSED = (frozenset({"f_number", "time"}), frozenset({"iso", "time"}))


@dataclass(frozen=True)
class SettingAxes:
    """Where each capture stands on the axis of every setting; only differences mean anything.

    A setting that no capture states is the same in all of them; it is missing here.
    """

    positions: Mapping[Setting, tuple[float, ...]]
    half_known: tuple[Setting, ...]  # some captures state it, others do not

    def spread(self, setting: Setting) -> float:
        """Return largest minus smallest position; 0 where none is stated."""
        values = self.positions.get(setting, (0.0,))
        return max(values) - min(values)

    def exposure_spread_stops(self) -> float:
        """Return the stops between the captures that gather least and most signal."""
        columns = [self.positions[s] for s in ("time", "f_number", "iso") if s in self.positions]
        totals = [sum(row) for row in zip(*columns, strict=True)]
        return max(totals) - min(totals) if totals else 0.0


def setting_axes(series: Sequence[CaptureMetadata]) -> SettingAxes:
    """Return time, f-number and ISO in stops of signal, focal length in log2, focus in dioptres."""
    values: dict[Setting, list[float | None]] = {
        "time": [m.exposure_time_s for m in series],
        "f_number": [m.f_number for m in series],
        "iso": [m.iso for m in series],
        "focal_length": [m.focal_length_mm for m in series],
        "focus_distance": [m.focus_distance_m for m in series],
    }
    known = {name: [v for v in column if v is not None] for name, column in values.items()}
    half_known = tuple(name for name, found in known.items() if 0 < len(found) < len(series))
    positions = {
        name: _positions(name, found) for name, found in known.items() if len(found) == len(series)
    }
    return SettingAxes(positions, half_known)


def _positions(setting: Setting, values: Sequence[float]) -> tuple[float, ...]:
    match setting:
        case "time":
            return tuple(math.log2(v) for v in snap_series(values))
        case "f_number":
            return tuple(-math.log2(v) for v in snap_series([v * v for v in values]))
        case "iso":
            return tuple(math.log2(v) for v in snap_series([v / 100.0 for v in values]))
        case "focal_length":
            return tuple(math.log2(v) for v in values)
        case "focus_distance":
            return tuple(1.0 / v for v in values)  # infinity is 0 dioptres


@dataclass(frozen=True)
class AxisFound:
    """What varies among captures: a series of one kind, or the reason why it is none."""

    kind: SeriesKind | None
    reason: str  # "exposure time varies by 4.00 stops"

    @property
    def is_all_equal(self) -> bool:
        """Whether no setting varies: what differs, if anything, is light or balance."""
        return self.kind is None and self.reason == _ALL_EQUAL


_ALL_EQUAL = "all settings are equal"


def find_axis(series: Sequence[CaptureMetadata]) -> AxisFound:
    """Return which kind of series the settings of captures of one framing make."""
    axes = setting_axes(series)
    # A distance that only some captures state is a guess of the autofocus; the others matter.
    unknown = [setting for setting in axes.half_known if setting != "focus_distance"]
    if "time" not in axes.positions and "time" not in unknown:
        unknown = ["time", *unknown]  # it is never the same by itself
    if unknown:
        words = " and ".join(_SPOKEN[setting] for setting in unknown)
        return AxisFound(None, f"the {words} of some captures is unknown")
    varying = frozenset(s for s in axes.positions if axes.spread(s) > _EQUAL.get(s, EQUAL_STOPS))
    if not varying:
        return AxisFound(None, _ALL_EQUAL)
    said = " and ".join(_describe(axes, s) for s in _SPOKEN if s in varying)
    kind = _CLEAN.get(varying)
    if kind is None:
        return AxisFound(None, f"{said} vary together; only one setting may")
    gap = axes.exposure_spread_stops()
    if varying in _ARE_EQUALLY_EXPOSED and gap > EQUAL_EXPOSURE_STOPS:
        reason = (
            f"{said} vary together and do not make up for each other (exposure differs by "
            f"{gap:.2f} stops)"
        )
        return AxisFound(None, reason)
    if not _is_wide_enough(axes, varying):
        return AxisFound(None, f"{said}: too little for a series")
    return AxisFound(kind, f"{said} varies" if len(varying) == 1 else f"{said}, equal exposure")


def _is_wide_enough(axes: SettingAxes, varying: frozenset[Setting]) -> bool:
    return all(axes.spread(s) >= _EQUAL.get(s, MIN_STEP_STOPS) for s in varying)


def _describe(axes: SettingAxes, setting: Setting) -> str:
    spread = axes.spread(setting)
    match setting:
        case "focal_length":
            amount = f"by a factor of {2.0**spread:.2f}"
        case "focus_distance":
            amount = f"by {spread:.2f} dioptres"
        case _:
            amount = f"by {spread:.2f} stops"
    return f"{_SPOKEN[setting]} ({amount})"
