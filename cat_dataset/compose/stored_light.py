"""Pairs from stored linear light, without Blender: whole data sets, or one pair at a time.

A data set is made of units like any other, one per scene; a loader draws a pair where it reads the
light, with other numbers in every epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cat_dataset.compose.basis_pairs import (
    belongs_to,
    compose_light,
    light_candidates,
    why_not,
)
from cat_dataset.compose.check_and_encode import ValidPair, validate
from cat_dataset.compose.pair_candidate import AreHeldOut, none_held_out
from cat_dataset.compose.quality_checks import PairRejectedError
from cat_dataset.compose.resampling import composed_size, resized
from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.generate import WorkUnit
from cat_dataset.imaging.display import TONE_CURVE, ToneCurve
from cat_dataset.jobs.datasets import ComposeJob
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import (
    Develop,
    EditScale,
    LightBasis,
    Sweep,
    UnitResult,
)
from cat_dataset.store.linear_dataset import LinearRow, read_linear
from cat_dataset.store.linear_files import linear_key
from cat_dataset.system.seeding import derive_rng, derive_seed

_ALL_HELD_OUT = "every number drawn is held out"
MAX_DRAWS = 16  # of one pair, before a sample counts as unable to give one


def compose_units(
    dataset: DatasetJob, compose: ComposeJob, rows: Sequence[LinearRow]
) -> list[WorkUnit]:
    """Return one unit of work per scene, in the order of their names.

    Raises:
        JobError: no stored light can give a planned attribute, or it is smaller than asked for.
    """
    for name in compose.attributes:
        if not any(row.can_give(name) for row in rows):
            stored = sorted({row.attribute or "light bases" for row in rows})
            msg = f"[compose] {name}: the stored light has only {', '.join(stored)}; remove it"
            raise JobError(msg)
    for row in rows:
        composed_size(compose, row.width_px, row.height_px)
    wanted = [row for row in rows if any(row.can_give(name) for name in compose.attributes)]
    wanted.sort(key=lambda row: (row.scene, row.key))
    units = []
    for scene, group in groupby(wanted, key=lambda row: row.scene):
        of_scene = tuple(group)
        call = partial(compose_unit, dataset, compose, of_scene)
        made_of = " ".join(f"{row.key} {row.content}" for row in of_scene)
        units.append(WorkUnit(scene, of_scene[0].producer, call, made_of))
    return units


def compose_unit(dataset: DatasetJob, compose: ComposeJob, rows: Sequence[LinearRow]) -> UnitResult:
    """Return the planned pairs of one scene's stored light.

    Raises:
        ShardError: the light cannot be read.
    """
    return _together([_compose_row(dataset, compose, row) for row in rows])


def _compose_row(dataset: DatasetJob, compose: ComposeJob, row: LinearRow) -> UnitResult:
    light = resized(read_linear(row), *composed_size(compose, row.width_px, row.height_px))
    stored = {
        "key": row.key,
        "exr_sha256": row.content,
        "manifest_sha256": light.origin.get("manifest_sha256"),
    }
    light = replace(light, origin={**light.origin, "composed_from": stored})
    return compose_light(light, compose.attributes, dataset)


def _together(results: Sequence[UnitResult]) -> UnitResult:
    return UnitResult(
        tuple(pair for result in results for pair in result.pairs),
        tuple(rejection for result in results for rejection in result.rejections),
    )


@dataclass(frozen=True)
class DrawnPair:
    """A pair drawn where its light was read, ready to train on."""

    key: str
    source_HW3: NDArray[np.uint8]  # display sRGB
    target_HW3: NDArray[np.uint8]
    edits: tuple[EditScale, ...]
    valid: ValidPair  # and its pictures before they were developed

    @property
    def light(self) -> NDArray[np.float32]:
        """Scene-linear light of both, 1 = the display's white, beyond it as well, (2, H, W, 3)."""
        pictures = (self.valid.candidate.source, self.valid.candidate.target)
        return np.stack([p.linear_HW3 * np.float32(p.anchor) for p in pictures])

    @property
    def instruction(self) -> str:
        """The edits in English."""
        return self.valid.instruction

    @property
    def develop(self) -> Develop:
        """How the light became pictures."""
        return self.valid.develop


def draw_pair(
    light: LightBasis | Sweep,
    plans: Mapping[str, PairPlan],
    *,
    seed: int,
    epoch: int,
    tone_curve: ToneCurve = TONE_CURVE,
    is_measured: bool = True,
    is_held_out: AreHeldOut = none_held_out,
) -> DrawnPair:
    """Return one pair of one of the plans; each is drawn as often as its `num_pairs` says.

    Edits for which `is_held_out` is true are drawn anew.

    A pure function of its arguments: the same seed, epoch and light give the same pair, whoever
    reads it and in whatever order. Shrink large light before, with `resampling.resized`: the time
    goes with the pixels. Without `is_measured` the edits are not measured again wherever that could
    not change which pair is drawn: a third of the time.

    Raises:
        PairRejectedError: the light has none of the attributes, or every draw failed a check or is
            held out.
    """
    key = linear_key(light)
    reasons = {name: why_not(light, name) for name in sorted(plans) if belongs_to(light, name)}
    names = [name for name, refused in reasons.items() if refused is None]
    others = f"its light has none of {', '.join(plans)}"
    reason = "; ".join(dict.fromkeys(filter(None, reasons.values()))) or others
    ends = np.cumsum([plans[name].num_pairs for name in names])
    for number in range(MAX_DRAWS if names else 0):
        drawn_seed = derive_seed(seed, "epoch", epoch, key, number)
        place = derive_rng(drawn_seed, "attribute").integers(ends[-1])
        name = names[np.searchsorted(ends, place, side="right")]
        once = {name: plans[name].model_copy(update={"num_pairs": 1})}
        dataset = DatasetJob(name="drawn", seed=drawn_seed, tone_curve=tone_curve)
        candidate = next(light_candidates(light, once, plans, dataset, is_held_out), None)
        if candidate is None:
            reason = _ALL_HELD_OUT
            continue
        try:
            valid = validate(candidate, dataset, is_measured=is_measured)
        except EditScaleError as error:
            reason = str(error)
            continue
        if is_held_out(valid.edits):  # a capture's number is what was measured
            reason = _ALL_HELD_OUT
            continue
        codes = (candidate.source.codes, candidate.target.codes)
        return DrawnPair(candidate.key, *codes, valid.edits, valid)
    msg = f"sample {key}: gives no pair in epoch {epoch}: {reason}"
    raise PairRejectedError(msg)
