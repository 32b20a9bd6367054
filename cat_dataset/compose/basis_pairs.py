"""The composer: pairs from light bases and sweeps. Sample, build, check, measure, encode.

Both producers use it, and so does whoever composes anew from stored linear light. A pair that
fails a check becomes a `Rejection` with the reason; it never stops the others.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.compose.check_and_encode import check_and_encode
from cat_dataset.compose.edit_sampling import (
    Range,
    check_readable_together,
    planned_ranges,
    sample_edits,
)
from cat_dataset.compose.pair_candidate import (
    AreHeldOut,
    BasisCandidate,
    PairCandidate,
    none_held_out,
    pair_key,
)
from cat_dataset.compose.sweep_pairs import sweep_candidates
from cat_dataset.errors import EditScaleError
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan, attributes_of_plan
from cat_dataset.records import LightBasis, Rejection, Sweep, UnitResult
from cat_dataset.system.seeding import derive_rng


def compose_light(
    light: LightBasis | Sweep, plans: Mapping[str, PairPlan], dataset: DatasetJob
) -> UnitResult:
    """Return all the planned pairs that a light basis or a sweep gives.

    Plans for other light are left out; one that this light should give and cannot is a rejection.
    """
    reasons = {name: why_not(light, name) for name in plans if belongs_to(light, name)}
    possible = {name: plans[name] for name, reason in reasons.items() if reason is None}
    result = _composed(light_candidates(light, possible, plans, dataset), dataset)
    refused = (
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
    return UnitResult(result.pairs, (*result.rejections, *refused))


def _composed(candidates: Iterable[PairCandidate], dataset: DatasetJob) -> UnitResult:
    """Return the pairs of candidates, made one at a time, and a rejected row of each other one."""
    pairs, rejections = [], []
    for candidate in candidates:
        try:
            pairs.append(check_and_encode(candidate, dataset))
        except EditScaleError as error:
            key, scene, first = candidate.key, candidate.light.scene, candidate.edits[0]
            rejections.append(
                Rejection(key, scene, "rejected", str(error), first.attribute, first.value)
            )
    return UnitResult(tuple(pairs), tuple(rejections))


def light_candidates(
    light: LightBasis | Sweep,
    plans: Mapping[str, PairPlan],
    ranges_from: Mapping[str, PairPlan],
    dataset: DatasetJob,
    is_held_out: AreHeldOut = none_held_out,
) -> Iterator[PairCandidate]:
    """Yield the planned pairs of a light basis or a sweep, which can give them; not checked yet.

    Attributes that are edited together take their ranges from their single plans in `ranges_from`.
    Pairs whose edits are held out are left out, before any picture of theirs is composed.
    """
    for name, plan in plans.items():
        ranges = planned_ranges(name, ranges_from)
        if isinstance(light, Sweep):
            ranges.pop(light.attribute)
            yield from sweep_candidates(light, plan.num_pairs, dataset, ranges, is_held_out)
            continue
        for number in range(plan.num_pairs):
            rng = derive_rng(dataset.seed, "draw", light.scene, name, number)
            sampled = sample_edits(rng, light, ranges)
            if not is_held_out(sampled.edits):
                key = pair_key(light.scene, name, f"{number:02d}")
                yield BasisCandidate.build(key, light, sampled, dataset.tone_curve)


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
    return _composed(light_candidates(basis, plans, plans, dataset), dataset)


def compose_sweep(
    sweep: Sweep,
    plan: PairPlan,
    dataset: DatasetJob,
    together_with: Mapping[str, Range] = MappingProxyType({}),
) -> UnitResult:
    """Return pairs of a sweep's frames: all ordered pairs, or as many of them as planned.

    `together_with` says what the camera changes as well, and how far: exposure, white_balance.
    """
    return _composed(sweep_candidates(sweep, plan.num_pairs, dataset, together_with), dataset)
