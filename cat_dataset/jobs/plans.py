"""What a manifest may ask of a scene: which attributes, how many pairs, how far apart."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from cat_dataset.attributes.table import (
    BASIS_ATTRIBUTES,
    CAMERA_ATTRIBUTES,
    CAPTURE_ATTRIBUTES,
    FAMILY_ATTRIBUTES,
    SWEEP_ATTRIBUTES,
    find_attribute,
)
from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.errors import EditScaleError

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Family = Literal["tabletop", "interior", "outdoor", "head"]  # see render/families/registry.py


class StrictModel(BaseModel):
    """A part of a manifest: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PairPlan(StrictModel):
    """How pairs of one attribute, or of several at once, are drawn from one unit of work."""

    num_pairs: PositiveInt = 4  # per unit; of a sweep at most all ordered pairs
    # of the edit value; None: the attribute's default_range
    value_range: tuple[float, float] | None = None
    # What is rendered anew: absolute values, or how many to draw around the scene's own value.
    sweep: tuple[float, ...] | None = None
    num_frames: Annotated[int, Field(ge=2, le=64)] | None = None


def attributes_of_plan(name: str) -> tuple[str, ...]:
    """Return the attributes that a plan edits at once: its name's parts, joined by plus signs.

    >>> attributes_of_plan("object_rotation+exposure")
    ('object_rotation', 'exposure')
    """
    return tuple(name.split("+"))


def checked_plans(plans: dict[str, PairPlan]) -> dict[str, PairPlan]:
    """Return plans as they are; raise ValueError where one does not fit its attributes."""
    for name, plan in plans.items():
        check_plan(name, plan)
        swept = attributes_of_plan(name)[0]
        if "+" in name and swept in SWEEP_ATTRIBUTES and swept not in plans:
            msg = f"{name}: uses the frames of {swept}, which is not planned; plan {swept} as well"
            raise ValueError(msg)
    return plans


def checked_capture_plans(plans: dict[str, PairPlan]) -> dict[str, PairPlan]:
    """Return plans for captures as they are; raise ValueError where one does not fit.

    What was photographed has its own values: of a series only the number of pairs is planned.
    """
    for name, plan in plans.items():
        if name not in CAPTURE_ATTRIBUTES:
            msg = f"{name}: captures do not give it; use {', '.join(CAPTURE_ATTRIBUTES)}"
            raise ValueError(msg)
        if name in BASIS_ATTRIBUTES:
            check_plan(name, plan)
        elif plan.sweep or plan.value_range or plan.num_frames:
            msg = f"{name}: pairs are those of the frames photographed; give num_pairs alone"
            raise ValueError(msg)
    return plans


def checked_intervals(
    intervals: dict[str, tuple[tuple[float, float], ...]],
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return intervals of values by attribute as they are; raise ValueError where one is wrong."""
    for name, spans in intervals.items():
        try:
            attribute_of_task(name)
        except EditScaleError as error:
            raise ValueError(str(error)) from None
        if any(low >= high for low, high in spans):
            msg = f"{name}: interval {[list(span) for span in spans]} must rise; swap its ends"
            raise ValueError(msg)
    return intervals


def checked_stored_plans(plans: dict[str, PairPlan]) -> dict[str, PairPlan]:
    """Return plans for stored light as they are; raise ValueError where one does not fit."""
    for name, plan in plans.items():
        if attributes_of_plan(name)[0] not in SWEEP_ATTRIBUTES:
            check_plan(name, plan)
        elif plan.sweep or plan.value_range or plan.num_frames:
            msg = f"{name}: pairs are those of the stored frames; give num_pairs alone"
            raise ValueError(msg)
        elif "+" in name:
            check_plan(name, plan)
    return plans


def check_family(family: str, plans: Mapping[str, PairPlan]) -> None:
    """Raise ValueError where scenes of a family cannot give a planned attribute."""
    offered = FAMILY_ATTRIBUTES[family]
    for name in plans:
        for attribute in attributes_of_plan(name):
            if attribute not in offered:
                who = [f for f, names in FAMILY_ATTRIBUTES.items() if attribute in names]
                msg = f"{attribute}: scenes of family {family} have none; use {' or '.join(who)}"
                raise ValueError(msg)


def check_plan(name: str, plan: PairPlan) -> None:
    """Raise ValueError where a plan asks what its attributes cannot give."""
    names = attributes_of_plan(name)
    try:
        attributes = [find_attribute(part) for part in names]
        if len(names) > 1:
            _check_together(name, names, plan)
        else:
            _check_alone(name, plan)
        for value in plan.value_range or ():
            attributes[0].check_value(value)
        for value in plan.sweep or ():
            attributes[0].check_absolute(value)
    except EditScaleError as error:
        raise ValueError(str(error)) from None
    if plan.value_range is not None and plan.value_range[0] >= plan.value_range[1]:
        msg = f"{name}: value_range {list(plan.value_range)} must rise; swap the two numbers"
        raise ValueError(msg)


def _check_alone(name: str, plan: PairPlan) -> None:
    """Raise ValueError where a rendered attribute has no frames, or a composed one has some."""
    if name in BASIS_ATTRIBUTES:
        if plan.sweep is not None or plan.num_frames is not None:
            msg = f"{name} is composed at any value: give value_range instead of sweep"
            raise ValueError(msg)
        return
    if (plan.sweep is None) == (plan.num_frames is None):
        msg = f"{name} is rendered anew for each value: give sweep = [...], or num_frames"
        raise ValueError(msg)
    if plan.sweep is not None and len(set(plan.sweep)) < 2:
        msg = f"{name} is rendered anew for each value: give sweep = [...] two different ones"
        raise ValueError(msg)
    if plan.value_range is not None and plan.value_range[0] != -plan.value_range[1]:
        msg = (
            f"{name}: all ordered pairs of its frames are used, so value_range must reach as far "
            f"below zero as above, not {list(plan.value_range)}"
        )
        raise ValueError(msg)
    if plan.sweep is not None and plan.value_range is not None:
        msg = f"{name}: value_range has no effect beside sweep; use it with num_frames"
        raise ValueError(msg)


def _check_together(name: str, names: tuple[str, ...], plan: PairPlan) -> None:
    """Raise ValueError where attributes cannot be edited at once, or a plan says too much."""
    if len(set(names)) < len(names):
        msg = f"{name}: names an attribute twice; remove one"
        raise ValueError(msg)
    if plan.sweep is not None or plan.num_frames is not None or plan.value_range is not None:
        msg = f"{name}: values are those of the single attributes' plans; give num_pairs alone"
        raise ValueError(msg)
    swept = [part for part in names if part in SWEEP_ATTRIBUTES]
    rest = set(names) - set(swept)
    if swept and (names[0] not in swept or len(swept) > 1 or not rest <= set(CAMERA_ATTRIBUTES)):
        msg = (
            f"{name}: a rendered attribute comes first, and goes together with "
            f"{' and '.join(CAMERA_ATTRIBUTES)} only"
        )
        raise ValueError(msg)
