"""The relighting model: what an edit of light multiplies light by, and which edit a gain was.

Every attribute of light moves one setting, of the camera or of one light. A setting is a number of
stops from the base picture, or the kelvin of a black body. A gain of the camera multiplies all
light, that of a lamp or of the surroundings multiplies that light alone; gains multiply each other
in any order. Composer, readouts, scores, trainer and renderer take every gain from here.

Gains are linear, float64, (3,) for red, green and blue, and act on scene-linear sRGB.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import (
    AMBIENT_LEVEL,
    EXPOSURE,
    LIGHT_POWER,
    LIGHT_TEMPERATURE,
    TINT,
    WHITE_BALANCE,
)
from cat_dataset.attributes.table import LIGHT_OF, find_attribute
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.photometry import MAX_CCT_K, blackbody_rgb, kelvin, mired
from cat_dataset.records import EditScale

Gain = NDArray[np.float64]

# Colours that an edit may give a light or a camera, and that can still be read from it. Bluer
# black bodies hardly differ; of redder ones sRGB keeps next to no blue.
BLACK_BODIES_MIRED = (41.0, 512.0)  # 24390 K to 1953 K


def stops_gain(stops: float) -> float:
    """Return the gain of power or exposure: one stop doubles the light.

    >>> stops_gain(-1.0)
    0.5
    """
    return float(2.0**stops)


def stops_gain_rgb(source_stops: float, target_stops: float) -> Gain:
    """Return the gain of a change of power or exposure, the same for every colour."""
    return np.full(3, stops_gain(target_stops - source_stops))


def colour_rgb(cct_k: float | None) -> Gain:
    """Return the colour of a light, its luminance 1; None: its picture has its own colour."""
    return np.ones(3) if cct_k is None else blackbody_rgb(cct_k)


def colour_gain_rgb(source_cct_k: float, target_cct_k: float) -> Gain:
    """Return the gain of a lamp's change of colour, which leaves its luminance."""
    return blackbody_rgb(target_cct_k) / blackbody_rgb(source_cct_k)


def balance_gain_rgb(source_wb_cct_k: float, target_wb_cct_k: float) -> Gain:
    """Return the gain that moves the camera's white balance from source to target.

    A setting of T renders a black body of T neutral, so a *lower* target setting cools the
    picture. Green is 1, so gains of two steps multiply to the gain of both, and an exposure can
    still be read from green.

    >>> balance_gain_rgb(5600, 3200).round(2).tolist()
    [0.6, 1.0, 2.41]
    """
    ratio = blackbody_rgb(source_wb_cct_k) / blackbody_rgb(target_wb_cct_k)
    gain: Gain = ratio / ratio[1]
    return gain


def lamp_gain_rgb(power_stops: float, cct_k: float | None) -> Gain:
    """Return the gain of a light's picture, which was rendered white, at a power and a colour."""
    return colour_rgb(cct_k) * stops_gain(power_stops)


# Green over red and blue, in stops, that moves a neutral of sRGB (D65) by 0.001 Duv at first.
# Source: slope of Duv, the distance from the Planckian locus in CIE 1960 (u, v), positive above it
# (ANSI C78.377; Ohno, "Practical use and calculation of CCT and Duv", LEUKOS 10, 2014).
STOPS_PER_TINT = 0.02528


def tint_gain_rgb(source_tint: float, target_tint: float) -> Gain:
    """Return the gain that moves the camera's tint, in Duv x 1000; positive is greener.

    Red and blue change alike and green is 1: tint leaves exposure and white balance as they are
    read, and gains of two steps multiply to the gain of both. The Duv of a neutral differs from
    the tint by 2 % at 10 and by 3 % at 15: a Duv is no logarithm.

    >>> tint_gain_rgb(0.0, 10.0).round(3).tolist()
    [0.839, 1.0, 0.839]
    """
    others = stops_gain(-STOPS_PER_TINT * (target_tint - source_tint))
    return np.array([others, 1.0, others])


@dataclass(frozen=True)
class CameraReading:
    """How an attribute of the camera is read back from the gain of every channel."""

    # Weights of log2 of the red, green and blue gains; their sum is the shift, in stops.
    weights_rgb: tuple[float, float, float]
    change: Callable[[float, float], float]  # edit value of a shift and the source's setting
    per_stop: Callable[[float, float], float]  # of the shift, at an edit value and source's setting
    # Attributes whose own effect on the shift is read first and taken away.
    apart_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relighting:
    """How one attribute multiplies the light that it edits, and how that is read back."""

    setting: str  # what it moves: a field of `LightState` or of `LampState`
    gain_rgb: Callable[[float, float], Gain]  # from the source's setting to the target's
    reading: CameraReading | None = None  # None: edits a light, whose gain is read on its own


_READ_STOPS = CameraReading(
    (0.0, 1.0, 0.0),  # green, which a white balance leaves alone
    change=lambda shift, _source: shift,
    per_stop=lambda _value, _source: 1.0,
)
_READ_BALANCE = CameraReading(
    (-1.0, 0.0, 1.0),
    change=lambda shift, source_k: balance_of_log2(shift, source_k) - mired(source_k),
    per_stop=lambda value, source_k: abs(mired_per_stop(mired(source_k) + value)),
)
_READ_TINT = CameraReading(
    (-0.5, 1.0, -0.5),
    change=lambda shift, _source: shift / STOPS_PER_TINT,
    per_stop=lambda _value, _source: 1.0 / STOPS_PER_TINT,
    apart_from=(WHITE_BALANCE.name,),  # along a curved locus: it moves green against the others
)

# A new attribute of the camera is one entry here.
RELIGHTING: Mapping[str, Relighting] = MappingProxyType(
    {
        EXPOSURE.name: Relighting("exposure_stops", stops_gain_rgb, _READ_STOPS),
        WHITE_BALANCE.name: Relighting("wb_cct_k", balance_gain_rgb, _READ_BALANCE),
        TINT.name: Relighting("tint_duv_x1000", tint_gain_rgb, _READ_TINT),
        LIGHT_POWER.name: Relighting("power_stops", stops_gain_rgb),
        LIGHT_TEMPERATURE.name: Relighting("cct_k", colour_gain_rgb),
        AMBIENT_LEVEL.name: Relighting("power_stops", stops_gain_rgb),
    }
)


def edit_gain_rgb(edit: EditScale) -> Gain | None:
    """Return what an edit multiplies its light by; None: its absolute values are not known."""
    if find_attribute(edit.attribute).absolute_unit is None:
        return RELIGHTING[edit.attribute].gain_rgb(0.0, edit.value)
    if edit.source_value is None or edit.target_value is None:
        return None
    return RELIGHTING[edit.attribute].gain_rgb(edit.source_value, edit.target_value)


def edits_gain_rgb(edits: Iterable[EditScale]) -> Gain | None:
    """Return what edits of one light multiply it by; None: one of them is not known."""
    total = np.ones(3)
    for edit in edits:
        gain = edit_gain_rgb(edit)
        if gain is None:
            return None
        total = total * gain
    return total


def changes_gain_rgb(
    light: str, values: Mapping[str, float], sources: Mapping[str, float | None]
) -> Gain:
    """Return what changes of several attributes multiply one light by, the camera's among them.

    `values` are changes by attribute, in its unit; `sources` says where those start that have
    absolute values. Such a change without a source leaves the light as it is.
    """
    total = np.ones(3)
    for name, model in RELIGHTING.items():
        attribute, value = find_attribute(name), values.get(name, 0.0)
        if not value or LIGHT_OF.get(name, light) != light:
            continue
        source = 0.0 if attribute.absolute_unit is None else sources.get(name)
        if source is not None:
            total = total * model.gain_rgb(source, attribute.apply(source, value))
    return total


def balance_of_log2(log2_blue_over_red: float, source_wb_cct_k: float) -> float:
    """Return the camera setting in mired that a gain of blue over red leads to, in stops.

    Raises:
        EditScaleError: no black body gives it.
    """
    # gains are source colour / target colour: log2 B/R of the setting falls as the picture cools
    return mired_of_log2(_log2_blue_over_red(source_wb_cct_k) - log2_blue_over_red)


def mired_of_colour(rgb: Gain) -> float:
    """Return the black body in mired whose colour a light has: the inverse of `colour_rgb`.

    Raises:
        EditScaleError: it is no black body's.
    """
    return mired_of_log2(math.log2(float(rgb[2] / rgb[0])))


def _log2_blue_over_red(cct_k: float) -> float:
    rgb = blackbody_rgb(cct_k)
    return math.log2(float(rgb[2] / rgb[0]))


# It reaches beyond `BLACK_BODIES_MIRED`, so that a colour at an end is read with its error. Blue
# leaves the sRGB gamut at 1903 K. However little is left, the colour is known to a mired: between
# 1950 and 1905 K, 12 mired apart, lie five halvings of blue.
_TABLE_MIRED = np.linspace(mired(MAX_CCT_K), mired(1905.0), 4096)
_TABLE_BLUE_OVER_RED = np.array([_log2_blue_over_red(kelvin(m)) for m in _TABLE_MIRED])


def mired_of_log2(log2_blue_over_red: float) -> float:
    """Return the black body in mired whose blue over red is 2 to this power.

    It is monotonic in mired.

    Raises:
        EditScaleError: there is none.
    """
    low, high = float(_TABLE_BLUE_OVER_RED[-1]), float(_TABLE_BLUE_OVER_RED[0])
    if not low <= log2_blue_over_red <= high:
        msg = (
            f"blue / red of 2**{log2_blue_over_red:.2f} is no black body between "
            f"{kelvin(_TABLE_MIRED[-1]):.0f} K and {kelvin(_TABLE_MIRED[0]):.0f} K"
        )
        raise EditScaleError(msg)
    # np.interp wants rising abscissae: blue falls as mired rise
    return float(np.interp(-log2_blue_over_red, -_TABLE_BLUE_OVER_RED, _TABLE_MIRED))


def mired_per_stop(at_mired: float, step: float = 0.5) -> float:
    """Return mired per unit of log2(blue / red) near a black body."""
    low = max(at_mired - step, float(_TABLE_MIRED[0]))
    high = min(at_mired + step, float(_TABLE_MIRED[-1]))
    return (high - low) / (_log2_blue_over_red(kelvin(high)) - _log2_blue_over_red(kelvin(low)))
