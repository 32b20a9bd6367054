"""Draw the settings of a photometric pair: a value for the edit, and a source to start from.

The value is uniform over the planned range; the source is uniform over what leaves both pictures
plausible, so that the value cannot be guessed from the source alone. Settings are rounded to what
people type (0.01 stop, 10 K) before they are used: the recorded number is exactly what was done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from cat_dataset.attributes.photometric import (
    AMBIENT_LEVEL,
    EXPOSURE,
    LIGHT_POWER,
    LIGHT_TEMPERATURE,
    WHITE_BALANCE,
)
from cat_dataset.attributes.table import AMBIENT, ATTRIBUTES, CAMERA_ATTRIBUTES, LAMP, LIGHT_OF
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.photometry import kelvin, mired
from cat_dataset.light.light_state import LampState, LightState, base_state
from cat_dataset.records import EditScale, LightBasis

# Windows that keep a picture plausible, relative to the base picture.
_EXPOSURE_STOPS = (-2.25, 1.75)
_SOURCE_EXPOSURE_STOPS = (-1.5, 1.0)
_LAMP_STOPS = (-2.5, 2.5)
_SOURCE_LAMP_STOPS = (-1.5, 1.5)
_SOURCE_BALANCE_MIRED = (-90.0, 90.0)
_SOURCE_LAMP_MIRED = (-60.0, 60.0)
_STEP_K = 10.0


@dataclass(frozen=True)
class PhotometricDraw:
    """Two states of one light basis that differ in one attribute, or in several at once."""

    source: LightState
    target: LightState
    edits: tuple[EditScale, ...]  # not measured yet
    edited_groups: frozenset[str]  # light groups that differ; empty: the camera differs


Range = tuple[float, float]
Drawer = Callable[[np.random.Generator, LightBasis, Range], PhotometricDraw]


def draw_photometric(
    rng: np.random.Generator, basis: LightBasis, attribute: str, value_range: Range
) -> PhotometricDraw:
    """Return one draw; `attribute` must be one of `basis.drawable_attributes`."""
    return _DRAWERS[attribute](rng, basis, value_range)


def draw_together(
    rng: np.random.Generator, basis: LightBasis, ranges: Mapping[str, Range]
) -> PhotometricDraw:
    """Return one draw of several attributes at once, in the order of `ranges`.

    Raises:
        EditScaleError: what is edited could not be told apart again, see `check_readable_together`.
    """
    check_readable_together(basis, tuple(ranges))
    draws = [draw_photometric(rng, basis, name, span) for name, span in ranges.items()]
    return PhotometricDraw(
        _merged(basis, [draw.source for draw in draws]),
        _merged(basis, [draw.target for draw in draws]),
        tuple(edit for draw in draws for edit in draw.edits),
        frozenset().union(*(draw.edited_groups for draw in draws)),
    )


def check_readable_together(basis: LightBasis, names: Sequence[str]) -> None:
    """Raise EditScaleError where camera and all lights change: only their product could be read.

    Raises:
        EditScaleError: names the attributes.
    """
    edited = {LIGHT_OF[name] for name in names if name in LIGHT_OF}
    is_camera_edited = any(name in CAMERA_ATTRIBUTES for name in names)
    left = [
        group
        for group in basis.groups
        if not (group.name == basis.main_lamp and LAMP in edited)
        and not (group.kind == AMBIENT and AMBIENT in edited)
    ]
    if is_camera_edited and edited and not left:
        msg = (
            f"scene {basis.scene}: {', '.join(names)} change the camera and every light at once, "
            f"which cannot be told apart in the pictures; leave one light alone"
        )
        raise EditScaleError(msg)


def _merged(basis: LightBasis, states: Sequence[LightState]) -> LightState:
    """Return the state in which each of several states' changes from the base hold together."""
    base = base_state(basis)
    lamps = {}
    for name, lamp in base.lamps.items():
        changed = [state.lamps[name] for state in states]
        cct_k = next((c.cct_k for c in changed if c.cct_k != lamp.cct_k), lamp.cct_k)
        lamps[name] = LampState(sum(c.power_stops for c in changed), cct_k)
    balances = (state.wb_cct_k for state in states if state.wb_cct_k != base.wb_cct_k)
    exposure = sum(state.exposure_stops for state in states)
    return LightState(exposure, next(balances, base.wb_cct_k), lamps)


def groups_of(basis: LightBasis, attribute: str) -> frozenset[str]:
    """Return the light groups that an attribute of the scene's light edits."""
    if LIGHT_OF[attribute] == AMBIENT:
        return frozenset(group.name for group in basis.groups if group.kind == AMBIENT)
    return frozenset({basis.main_lamp or ""})


def _source_position(
    rng: np.random.Generator, value: float, allowed: Range, preferred: Range
) -> float:
    """Return where the source starts so that source and source + value stay allowed.

    Positions inside `preferred` are taken where the value leaves any.
    """
    low, high = max(allowed[0], allowed[0] - value), min(allowed[1], allowed[1] - value)
    low_preferred, high_preferred = max(low, preferred[0]), min(high, preferred[1])
    if low_preferred <= high_preferred:
        low, high = low_preferred, high_preferred
    return float(rng.uniform(low, max(low, high)))


def _draw_stops(
    rng: np.random.Generator, value_range: Range, allowed: Range, preferred: Range
) -> tuple[float, float, float]:
    """Return (source, target, value) in stops, each a multiple of 0.01."""
    value = round(float(rng.uniform(*value_range)), 2)
    source = round(_source_position(rng, value, allowed, preferred), 2)
    return source, source + value, value


def _draw_kelvin(
    rng: np.random.Generator, attribute: str, value_range: Range, base_k: float, around: Range
) -> tuple[float, float, float]:
    """Return (source, target) in kelvin, multiples of 10 K, and their difference in mired."""
    coolest_k, warmest_k = ATTRIBUTES[attribute].absolute_range or (0.0, 0.0)
    allowed = (mired(warmest_k), mired(coolest_k))
    widest = allowed[1] - allowed[0]
    value = float(np.clip(rng.uniform(*value_range), -widest, widest))
    preferred = (mired(base_k) + around[0], mired(base_k) + around[1])
    source_mired = _source_position(rng, value, allowed, preferred)
    source_k = round(kelvin(source_mired) / _STEP_K) * _STEP_K
    target_k = round(kelvin(source_mired + value) / _STEP_K) * _STEP_K
    return source_k, target_k, ATTRIBUTES[attribute].difference(source_k, target_k)


def _exposure(rng: np.random.Generator, basis: LightBasis, value_range: Range) -> PhotometricDraw:
    source, target, value = _draw_stops(rng, value_range, _EXPOSURE_STOPS, _SOURCE_EXPOSURE_STOPS)
    base = base_state(basis)
    return PhotometricDraw(
        replace(base, exposure_stops=source),
        replace(base, exposure_stops=target),
        (EditScale(EXPOSURE.name, value),),
        frozenset(),
    )


def _white_balance(
    rng: np.random.Generator, basis: LightBasis, value_range: Range
) -> PhotometricDraw:
    source_k, target_k, value = _draw_kelvin(
        rng, WHITE_BALANCE.name, value_range, basis.wb_cct_k, _SOURCE_BALANCE_MIRED
    )
    base = base_state(basis)
    return PhotometricDraw(
        replace(base, wb_cct_k=source_k),
        replace(base, wb_cct_k=target_k),
        (EditScale(WHITE_BALANCE.name, value, source_k, target_k),),
        frozenset(),
    )


def _light_power(
    rng: np.random.Generator, basis: LightBasis, value_range: Range
) -> PhotometricDraw:
    return _lamp_stops(rng, basis, value_range, LIGHT_POWER.name)


def _ambient_level(
    rng: np.random.Generator, basis: LightBasis, value_range: Range
) -> PhotometricDraw:
    return _lamp_stops(rng, basis, value_range, AMBIENT_LEVEL.name)


def _lamp_stops(
    rng: np.random.Generator,
    basis: LightBasis,
    value_range: Range,
    attribute: str,
) -> PhotometricDraw:
    groups = groups_of(basis, attribute)
    source, target, value = _draw_stops(rng, value_range, _LAMP_STOPS, _SOURCE_LAMP_STOPS)
    source_state = target_state = base_state(basis)
    for name in sorted(groups):
        cct_k = source_state.lamps[name].cct_k
        source_state = source_state.with_lamp(name, LampState(source, cct_k))
        target_state = target_state.with_lamp(name, LampState(target, cct_k))
    return PhotometricDraw(source_state, target_state, (EditScale(attribute, value),), groups)


def _light_temperature(
    rng: np.random.Generator, basis: LightBasis, value_range: Range
) -> PhotometricDraw:
    base, name = base_state(basis), basis.main_lamp or ""
    own_k = base.lamps[name].cct_k or basis.wb_cct_k
    source_k, target_k, value = _draw_kelvin(
        rng, LIGHT_TEMPERATURE.name, value_range, own_k, _SOURCE_LAMP_MIRED
    )
    return PhotometricDraw(
        base.with_lamp(name, LampState(0.0, source_k)),
        base.with_lamp(name, LampState(0.0, target_k)),
        (EditScale(LIGHT_TEMPERATURE.name, value, source_k, target_k),),
        frozenset({name}),
    )


_DRAWERS: Mapping[str, Drawer] = MappingProxyType(
    {
        EXPOSURE.name: _exposure,
        WHITE_BALANCE.name: _white_balance,
        LIGHT_POWER.name: _light_power,
        LIGHT_TEMPERATURE.name: _light_temperature,
        AMBIENT_LEVEL.name: _ambient_level,
    }
)
