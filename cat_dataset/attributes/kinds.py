"""Kinds of attributes: what entries of the table share, and how numbers are typed.

A mapping of spellings gives, for every suffix that a number may be typed with, the function that
turns the number into an edit value. `rest` are further fields of `Attribute`.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cat_dataset.attributes.attribute import (
    EVERY_FAMILY,
    Attribute,
    Convert,
    SettingWindows,
    identity,
)
from cat_dataset.imaging.photometry import kelvin, mired

# Families of rendered scenes, by what their main object or their surroundings are made of.
WITH_MATERIALS = EVERY_FAMILY - {"head"}
WITH_SHAPES = frozenset({"head", "models"})
OUTDOORS = frozenset({"outdoor"})

LAMP_STOPS = SettingWindows(source=(-1.5, 1.5), both=(-2.5, 2.5))

STOPS: Mapping[str, Convert] = {
    "ev": identity,
    "stop": identity,
    "stops": identity,
    "x": math.log2,
}
MIRED: Mapping[str, Convert] = {"mired": identity, "mireds": identity}
DEGREES: Mapping[str, Convert] = {
    "deg": identity,
    "degree": identity,
    "degrees": identity,
    "turn": lambda turns: 360.0 * turns,
    "turns": lambda turns: 360.0 * turns,
    "rad": math.degrees,
}
POINTS: Mapping[str, Convert] = {"pp": identity, "points": identity}
RATIO: Mapping[str, Convert] = {"x": math.log2}
SIZE: Mapping[str, Convert] = {"x": math.log2, "%": lambda percent: math.log2(percent / 100.0)}
DISTANCE: Mapping[str, Convert] = {
    "x": math.log2,
    "x farther": math.log2,
    "x closer": lambda factor: -math.log2(factor),
}
LENGTH: Mapping[str, Convert] = {
    "cm": identity,
    "cm right": identity,
    "cm left": lambda cm: -cm,
    "mm": lambda mm: mm / 10.0,
    "m": lambda metres: 100.0 * metres,
}
DIOPTRES: Mapping[str, Convert] = {"dioptre": identity, "dioptres": identity, "dpt": identity}


def stops(name: str, label: str, positive: str, **rest: Any) -> Attribute:
    """Return an attribute of light: it has differences only, in stops."""
    return Attribute(
        name=name,
        label=label,
        unit="stops",
        unit_words=("stop", "stops"),
        value_range=(-6.0, 6.0),  # real brackets span more than four stops
        default_range=(-2.0, 2.0),
        tolerance=0.002,
        positive=positive,
        absolute_unit=None,
        absolute_range=None,
        spellings=MappingProxyType(dict(STOPS)),
        hit_tolerance=1 / 3,
        **rest,
    )


def colour_temperature(
    name: str, label: str, value: float, drawn: float, low_k: float, **rest: Any
) -> Attribute:
    """Return an attribute whose values are kelvin, and whose edits are mired."""
    return Attribute(
        name=name,
        label=label,
        unit="mired",
        unit_words=("mired", "mired"),
        value_range=(-value, value),
        default_range=(-drawn, drawn),
        tolerance=0.5,
        absolute_unit="K",
        absolute_range=(low_k, 12000.0),
        to_axis=mired,
        from_axis=kelvin,
        spellings=MappingProxyType(dict(MIRED)),
        hit_tolerance=25.0,
        changes_colour=True,
        **rest,
    )


def log2_ratio(
    name: str, label: str, value: float, drawn: float, spellings: Mapping[str, Convert], **rest: Any
) -> Attribute:
    """Return an attribute of ratios of an absolute value: each step doubles or halves it."""
    axes: dict[str, Any] = {"to_axis": math.log2, "from_axis": math.exp2, **rest}
    return Attribute(
        name=name,
        label=label,
        unit="log2 ratio",
        unit_words=("doubling", "doublings"),
        value_range=(-value, value),
        default_range=(-drawn, drawn),
        spellings=MappingProxyType(dict(spellings)),
        **axes,
    )


def degrees(
    name: str,
    label: str,
    drawn: float,
    positive: str,
    absolute_range: tuple[float, float],
    *,
    is_circular: bool,
    tolerance: float = 0.5,
    **rest: Any,
) -> Attribute:
    """Return an attribute of angles: edits up to half a circle or a quarter, either way."""
    value = 180.0 if is_circular else 90.0
    return Attribute(
        name=name,
        label=label,
        unit="degrees",
        unit_words=("degree", "degrees"),
        value_range=(-value, value),
        default_range=(-drawn, drawn),
        tolerance=tolerance,
        positive=positive,
        absolute_unit="degrees",
        absolute_range=absolute_range,
        is_circular=is_circular,
        spellings=MappingProxyType(dict(DEGREES)),
        **rest,
    )


def percent(
    name: str,
    label: str,
    drawn: float,
    tolerance: float,
    positive: str,
    lowest: float = 0.0,
    **rest: Any,
) -> Attribute:
    """Return an attribute from `lowest` to 100 %, whose edits are percentage points."""
    return Attribute(
        name=name,
        label=label,
        unit="percentage points",
        unit_words=("percentage point", "percentage points"),
        value_range=(-100.0, 100.0),
        default_range=(-drawn, drawn),
        tolerance=tolerance,
        positive=positive,
        absolute_unit="%",
        absolute_range=(lowest, 100.0),
        spellings=MappingProxyType(dict(POINTS)),
        **rest,
    )
