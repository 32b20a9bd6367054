"""The composer: draws pairs from light bases and sweeps, measures them again, encodes them once.

Both producers use it, and so does whoever composes anew from stored linear light. A pair that
fails a gate becomes a `Rejection` with the reason; it never stops the others.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes import find_attribute
from cat_dataset.display import exposure_anchor
from cat_dataset.drafts import Draft, Picture, finish, pair_key, saturate
from cat_dataset.draws import PhotometricDraw, draw_photometric, draw_together, drawable_attributes
from cat_dataset.errors import EditScaleError
from cat_dataset.light import light_frame
from cat_dataset.manifest import DatasetJob
from cat_dataset.photometric_readout import read_draw
from cat_dataset.plans import BASIS_ATTRIBUTES, PairPlan, attributes_of_plan
from cat_dataset.records import LightBasis, Sweep, UnitResult
from cat_dataset.seeding import derive_rng
from cat_dataset.sweep_drafts import sweep_drafts

Linear = NDArray[np.float32]


def compose_light(
    light: LightBasis | Sweep, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return all the planned pairs that a light basis or a sweep can give.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    return finish(light_drafts(light, plans, dataset), dataset)


def light_drafts(
    light: LightBasis | Sweep, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> Iterator[Draft]:
    """Yield all the planned pairs that a light basis or a sweep can give, not gated yet.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    if isinstance(light, LightBasis):
        photometric = {
            name: plan
            for name, plan in plans.items()
            if attributes_of_plan(name)[0] in BASIS_ATTRIBUTES
        }
        _check_light(light, photometric)
        yield from _basis_drafts(light, photometric, dataset)
        return
    for name, plan in plans.items():
        first, *together_with = attributes_of_plan(name)
        if first == light.attribute:
            yield from sweep_drafts(light, plan, dataset, together_with)


def compose_basis(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return the planned photometric pairs of one light basis.

    A plan named after several attributes, "exposure+light_power", edits them all at once.

    Raises:
        EditScaleError: a plan asks for an attribute the basis has no light for.
    """
    _check_light(basis, plans)
    return finish(_basis_drafts(basis, plans, dataset), dataset)


def _check_light(basis: LightBasis, plans: Mapping[str, PairPlan]) -> None:
    for name in plans:
        for attribute in attributes_of_plan(name):
            if attribute not in drawable_attributes(basis):
                msg = f"scene {basis.scene}: has no light for {attribute}; remove {name}"
                raise EditScaleError(msg)


def _basis_drafts(
    basis: LightBasis, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> Iterator[Draft]:
    for name, plan in plans.items():
        ranges = {
            attribute: _value_range(plans, attribute) for attribute in attributes_of_plan(name)
        }
        for number in range(plan.num_pairs):
            rng = derive_rng(dataset.seed, "draw", basis.scene, name, number)
            draw = (
                draw_together(rng, basis, ranges)
                if len(ranges) > 1
                else draw_photometric(rng, basis, name, ranges[name])
            )
            yield _draft_of_draw(basis, draw, pair_key(basis.scene, name, f"{number:02d}"), dataset)


def _value_range(plans: Mapping[str, PairPlan], attribute: str) -> tuple[float, float]:
    plan = plans.get(attribute)
    own = None if plan is None else plan.value_range
    return own or find_attribute(attribute).default_range


def _draft_of_draw(
    basis: LightBasis, draw: PhotometricDraw, key: str, dataset: DatasetJob
) -> Draft:
    source, target = light_frame(basis, draw.source), light_frame(basis, draw.target)
    anchor = exposure_anchor(source) * 2.0**draw.source.exposure_stops
    if draw.edited_groups:  # a lamp that is turned up must not wash out the picture
        middle = [2.0**-state.exposure_stops for state in (draw.source, draw.target)]
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
    )


def compose_sweep(
    sweep: Sweep, plan: PairPlan, dataset: DatasetJob, together_with: Sequence[str] = ()
) -> UnitResult:
    """Return pairs of a sweep's frames: all ordered pairs, or as many of them as planned.

    `together_with` names what the camera changes as well: exposure, white_balance, or both.
    """
    return finish(sweep_drafts(sweep, plan, dataset, together_with), dataset)
