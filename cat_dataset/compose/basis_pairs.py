"""The composer: draws pairs from light bases and sweeps, measures them again, encodes them once.

Both producers use it, and so does whoever composes anew from stored linear light. A pair that
fails a gate becomes a `Rejection` with the reason; it never stops the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, LIGHT_OF, find_attribute
from cat_dataset.compose.edit_sampling import (
    PhotometricDraw,
    Range,
    check_readable_together,
    draw_photometric,
    draw_together,
    groups_of,
)
from cat_dataset.compose.pair_candidate import Draft, Picture, finish, pair_key, saturate
from cat_dataset.compose.photometric_readout import is_surely_read, read_draw
from cat_dataset.compose.sweep_pairs import sweep_drafts
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import exposure_anchor
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan, attributes_of_plan
from cat_dataset.light.light_ratio import LightRatio, light_ratio_rgb
from cat_dataset.light.light_state import light_frame
from cat_dataset.light.relighting import stops_gain
from cat_dataset.records import EditScale, LightBasis, Rejection, Sweep, UnitResult
from cat_dataset.system.seeding import derive_rng

Linear = NDArray[np.float32]
AreHeldOut = Callable[[Sequence[EditScale]], bool]


def none_held_out(_edits: Sequence[EditScale]) -> bool:
    """Say that no edits are held out."""
    return False


def compose_light(
    light: LightBasis | Sweep, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return all the planned pairs that a light basis or a sweep gives.

    Plans for other light are left out; one that this light should give and cannot is a rejection.
    """
    own = {name: plan for name, plan in plans.items() if belongs_to(light, name)}
    reasons = {name: why_not(light, name) for name in own}
    possible = {name: plan for name, plan in own.items() if reasons[name] is None}
    refused = tuple(
        Rejection(
            pair_key(light.scene, name, "none"),
            light.scene,
            "rejected",
            reason,
            attributes_of_plan(name)[0],
        )
        for name, reason in reasons.items()
        if reason is not None
    )
    result = finish(light_drafts(light, possible, plans, dataset), dataset)
    return UnitResult(result.pairs, (*result.rejections, *refused))


def light_drafts(
    light: LightBasis | Sweep,
    plans: Mapping[str, PairPlan],
    ranges_from: Mapping[str, PairPlan],
    dataset: DatasetJob,
    is_held_out: AreHeldOut = none_held_out,
) -> Iterator[Draft]:
    """Yield the planned pairs of a light basis or a sweep, which can give them; not gated yet.

    Attributes that are edited together take their ranges from their single plans in `ranges_from`.
    Pairs whose edits are held out are left out, before any picture of theirs is composed.
    """
    if isinstance(light, LightBasis):
        yield from _basis_drafts(light, plans, ranges_from, dataset, is_held_out)
        return
    for name, plan in plans.items():
        others = attributes_of_plan(name)[1:]
        together_with = {other: _value_range(ranges_from, other) for other in others}
        drafts = sweep_drafts(light, plan, dataset, together_with)
        yield from (draft for draft in drafts if not is_held_out(draft.edits))


def belongs_to(light: LightBasis | Sweep, plan_name: str) -> bool:
    """Return whether a plan is one for this kind of light."""
    first = attributes_of_plan(plan_name)[0]
    return first in BASIS_ATTRIBUTES if isinstance(light, LightBasis) else first == light.attribute


def why_not(light: LightBasis | Sweep, plan_name: str) -> str | None:
    """Return why light cannot give pairs of a plan; None: it can."""
    names = attributes_of_plan(plan_name)
    if isinstance(light, Sweep):
        return None if light.attribute == names[0] else f"its frames differ in {light.attribute}"
    missing = [name for name in names if name not in light.drawable_attributes]
    if missing:
        return f"scene {light.scene}: its light has no {' and no '.join(missing)} to edit"
    if len(names) == 1:
        return None
    try:
        check_readable_together(light, names)
    except EditScaleError as error:
        return str(error)
    return None


def compose_basis(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return the planned photometric pairs of one light basis.

    A plan named after several attributes, "exposure+light_power", edits them all at once.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    for name in plans:
        reason = why_not(basis, name)
        if reason is not None:
            msg = f"{reason}; remove {name} from the manifest"
            raise EditScaleError(msg)
    return finish(_basis_drafts(basis, plans, plans, dataset, none_held_out), dataset)


def _basis_drafts(
    basis: LightBasis,
    plans: Mapping[str, PairPlan],
    ranges_from: Mapping[str, PairPlan],
    dataset: DatasetJob,
    is_held_out: AreHeldOut,
) -> Iterator[Draft]:
    for name, plan in plans.items():
        ranges = {
            attribute: _value_range(ranges_from, attribute)
            for attribute in attributes_of_plan(name)
        }
        for number in range(plan.num_pairs):
            rng = derive_rng(dataset.seed, "draw", basis.scene, name, number)
            draw = (
                draw_together(rng, basis, ranges)
                if len(ranges) > 1
                else draw_photometric(rng, basis, name, ranges[name])
            )
            if not is_held_out(draw.edits):
                key = pair_key(basis.scene, name, f"{number:02d}")
                yield _draft_of_draw(basis, draw, key, dataset)


def _value_range(plans: Mapping[str, PairPlan], attribute: str) -> tuple[float, float]:
    plan = plans.get(attribute)
    own = None if plan is None else plan.value_range
    return own or find_attribute(attribute).default_range


def _draft_of_draw(
    basis: LightBasis, draw: PhotometricDraw, key: str, dataset: DatasetJob
) -> Draft:
    source, target = light_frame(basis, draw.source), light_frame(basis, draw.target)
    if not draw.edited_groups:
        anchor = exposure_anchor(source) * stops_gain(draw.source.exposure_stops)
    else:  # a lamp that is turned up must not wash out the picture
        middle = [stops_gain(-state.exposure_stops) for state in (draw.source, draw.target)]
        both = source * np.float32(middle[0] / 2) + target * np.float32(middle[1] / 2)
        anchor = exposure_anchor(both)
    if basis.clipped_HW is not None:
        anchor = max(anchor, 1.0)  # what the sensor clipped shows as white, not as grey
        source, target = (saturate(picture, basis.clipped_HW) for picture in (source, target))
    states = {"source_state": draw.source.to_json(), "target_state": draw.target.to_json()}
    return Draft(
        key=key,
        scene=basis.scene,
        split=basis.split,
        source=Picture(source, anchor, dataset.tone_curve, basis.annotation),
        target=Picture(target, anchor, dataset.tone_curve, basis.annotation),
        edits=draw.edits,
        measure=lambda mask: read_draw(basis, draw, source, target, mask),
        origin={**basis.origin, **states},
        is_surely_measured=lambda mask: is_surely_read(basis, draw, mask),
        view=basis.view,
        light_ratios=lambda: _light_ratios(basis, draw, source * np.float32(anchor), anchor),
    )


def _light_ratios(
    basis: LightBasis, draw: PhotometricDraw, source_HW3: Linear, anchor: float
) -> list[LightRatio | None]:
    """Return the lighting ratio of each edit of a draw in its source; None: edits no light."""
    ratios: list[LightRatio | None] = []
    for edit in draw.edits:
        if edit.attribute not in LIGHT_OF:
            ratios.append(None)
            continue
        own = groups_of(basis, edit.attribute)
        light_HW3 = light_frame(basis, draw.source, only=own) * np.float32(anchor)
        ratios.append(light_ratio_rgb(light_HW3, source_HW3))
    return ratios


def compose_sweep(
    sweep: Sweep,
    plan: PairPlan,
    dataset: DatasetJob,
    together_with: Mapping[str, Range] = MappingProxyType({}),
) -> UnitResult:
    """Return pairs of a sweep's frames: all ordered pairs, or as many of them as planned.

    `together_with` says what the camera changes as well, and how far: exposure, white_balance.
    """
    return finish(sweep_drafts(sweep, plan, dataset, together_with), dataset)
