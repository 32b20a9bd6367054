"""Sample the edits of a photometric pair: a value for each, and a source to start from.

The value is uniform over the planned range; the source is uniform over what leaves both pictures
plausible, so that the value cannot be guessed from the source alone. Settings are rounded to what
people type (0.01 stop, 10 K) before they are used: the recorded number is exactly what was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cat_dataset.attributes.attribute import Attribute, SettingWindows
from cat_dataset.attributes.table import (
    AMBIENT,
    ATTRIBUTES,
    CAMERA_ATTRIBUTES,
    LAMP,
    LIGHT_OF,
)
from cat_dataset.errors import EditScaleError
from cat_dataset.jobs.plans import PairPlan, attributes_of_plan
from cat_dataset.light.light_state import LightState, base_state
from cat_dataset.records import EditScale, LightBasis

Range = tuple[float, float]


@dataclass(frozen=True)
class SampledEdits:
    """Two states of one light basis that differ in one attribute, or in several at once."""

    source: LightState
    target: LightState
    edits: tuple[EditScale, ...]  # not measured yet
    edited_groups: frozenset[str]  # light groups that differ; empty: the camera differs
    states: Mapping[str, Any]  # source and target as they stand in a pair's origin


def planned_ranges(plan_name: str, plans: Mapping[str, PairPlan]) -> dict[str, Range]:
    """Return how far a plan edits each of its attributes, which their single plans say."""
    ranges = {}
    for name in attributes_of_plan(plan_name):
        own = plans[name].value_range if name in plans else None
        ranges[name] = own or ATTRIBUTES[name].default_range
    return ranges


def sample_edits(
    rng: np.random.Generator, basis: LightBasis, ranges: Mapping[str, Range]
) -> SampledEdits:
    """Return edits of one or several of `basis.drawable_attributes`, in the order of `ranges`.

    Raises:
        EditScaleError: what is edited could not be separated again, see `check_readable_together`.
    """
    check_readable_together(basis, tuple(ranges))
    groups_of_edit = {name: groups_of(basis, name) for name in ranges}
    sampled = [_sample_setting(rng, basis, name, span) for name, span in ranges.items()]
    source = target = base_state(basis)
    for before, after, edit in sampled:
        groups = groups_of_edit[edit.attribute]
        source = source.moved(edit.attribute, before, groups)
        target = target.moved(edit.attribute, after, groups)
    return SampledEdits(
        source,
        target,
        tuple(edit for *_, edit in sampled),
        frozenset().union(*groups_of_edit.values()),
        {"source_state": source.to_json(), "target_state": target.to_json()},
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


def groups_of(basis: LightBasis, attribute: str) -> frozenset[str]:
    """Return the light groups that an attribute edits; none: it edits the camera."""
    match LIGHT_OF.get(attribute):
        case None:
            return frozenset()
        case "ambient":
            return frozenset(group.name for group in basis.groups if group.kind == AMBIENT)
        case _:
            return frozenset({basis.main_lamp or ""})


def _sample_setting(
    rng: np.random.Generator, basis: LightBasis, name: str, value_range: Range
) -> tuple[float, float, EditScale]:
    """Return the settings of source and target, and the edit between them."""
    if ATTRIBUTES[name].absolute_unit is None:
        return _sample_difference(rng, ATTRIBUTES[name], value_range)
    own_k = basis.wb_cct_k
    if name not in CAMERA_ATTRIBUTES:
        own_k = next(g.cct_k for g in basis.groups if g.name == basis.main_lamp) or own_k
    return _sample_absolute(rng, ATTRIBUTES[name], value_range, own_k)


def _sample_difference(
    rng: np.random.Generator, attribute: Attribute, value_range: Range
) -> tuple[float, float, EditScale]:
    """Return source and target from the base picture's setting, and their edit."""
    windows = _windows_of(attribute)
    value = round(float(rng.uniform(*value_range)), windows.digits)
    allowed = windows.both or attribute.value_range
    source = round(_source_position(rng, value, allowed, windows.source), windows.digits)
    return source, source + value, EditScale(attribute.name, value)


def _sample_absolute(
    rng: np.random.Generator, attribute: Attribute, value_range: Range, own: float
) -> tuple[float, float, EditScale]:
    """Return the absolute values of source and target around the light's own, and their edit."""
    windows, middle = _windows_of(attribute), attribute.to_axis(own)
    allowed = sorted(attribute.to_axis(end) for end in attribute.absolute_range or ())
    widest = allowed[1] - allowed[0]
    value = float(np.clip(rng.uniform(*value_range), -widest, widest))
    preferred = (middle + windows.source[0], middle + windows.source[1])
    position = _source_position(rng, value, (allowed[0], allowed[1]), preferred)
    source = round(attribute.from_axis(position), windows.digits)
    target = round(attribute.from_axis(position + value), windows.digits)
    edit = EditScale(attribute.name, attribute.difference(source, target), source, target)
    return source, target, edit


def _windows_of(attribute: Attribute) -> SettingWindows:
    assert attribute.windows is not None, "what is composed from light has windows"
    return attribute.windows


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
