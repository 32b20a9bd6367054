"""What an editor does besides one number: nothing at zero, back again, two steps, two numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.scoring.questions.value_ranges import Ranges
from cat_dataset.scoring.statistics.results import (
    CrossReading,
    EditResult,
    ReadoutName,
    known_values,
    mean_or_none,
    reference_gaps,
)
from cat_dataset.scoring.statistics.scores import response_line


@dataclass(frozen=True)
class BehaviourScore:
    """One attribute's behaviour; values in its unit, None where it was not measured."""

    editor: str
    attribute: str
    unit: str
    producer: str
    readout: ReadoutName
    identity_mean_db: float | None  # PSNR of the edit by zero against its source
    identity_min_db: float | None
    identity_delta_e: float | None  # CIEDE2000 of the same: mean over pixels
    identity_p95_delta_e: float | None  # and of the pixel that 95 % stay below
    zero_mae: float | None  # reading of the edit by zero
    num_steps: int  # of sweeps, between neighbouring numbers
    monotonicity_violations: float | None  # share that falls by more than the floor
    standing_steps: float | None  # share that neither rises nor falls by more than the floor
    largest_step_ratio: float | None  # largest achieved step over the asked one
    return_mae: float | None  # reading after the number and its opposite
    return_db: float | None  # PSNR of that against the source
    additivity_mae: float | None  # reading of two steps minus that of one
    additivity_db: float | None
    unit_mae: float | None  # reading where the unit differs, minus that of the pair
    unit_codes: float | None  # largest difference of any code, of 255


def score_behaviour(
    results: Sequence[EditResult], readout: ReadoutName, floor: float
) -> BehaviourScore:
    """Return the behaviour of one editor on one attribute."""
    by_role: dict[str, list[EditResult]] = defaultdict(list)
    for result in results:
        if "+" not in result.combination:
            by_role[result.role].append(result)
    first = results[0]
    zero_db = known_values(by_role["zero"], "to_reference_db")
    rises_S, asked_S = _steps(by_role["sweep"], readout)
    return BehaviourScore(
        editor=first.editor,
        attribute=first.attribute,
        unit=attribute_of_task(first.attribute).unit,
        producer=first.producer,
        readout=readout,
        identity_mean_db=mean_or_none(zero_db),
        identity_min_db=min(zero_db, default=None),
        identity_delta_e=mean_or_none(known_values(by_role["zero"], "zero_delta_e")),
        identity_p95_delta_e=mean_or_none(known_values(by_role["zero"], "zero_p95_delta_e")),
        zero_mae=mean_or_none([abs(value) for value in known_values(by_role["zero"], readout)]),
        num_steps=len(rises_S),
        monotonicity_violations=mean_or_none(rises_S < -floor),
        standing_steps=mean_or_none(np.abs(rises_S[asked_S > floor]) <= floor),
        largest_step_ratio=max((rises_S / asked_S).tolist(), default=None),
        return_mae=mean_or_none([abs(value) for value in known_values(by_role["back"], readout)]),
        return_db=mean_or_none(known_values(by_role["back"], "to_reference_db")),
        additivity_mae=mean_or_none(reference_gaps(by_role["second"], readout)),
        additivity_db=mean_or_none(known_values(by_role["second"], "to_reference_db")),
        unit_mae=mean_or_none(reference_gaps(by_role["unit"], readout)),
        unit_codes=max(known_values(by_role["unit"], "to_reference_codes"), default=None),
    )


def _steps(
    results: Sequence[EditResult], readout: ReadoutName
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much each step of each sweep rises, and by how much it was to rise."""
    sweeps: dict[str, list[EditResult]] = defaultdict(list)
    for result in results:
        if getattr(result, readout) is not None:
            sweeps[result.pair_key].append(result)
    rises, asked = [], []
    for sweep in sweeps.values():
        ordered = sorted(sweep, key=lambda result: result.asked)
        for before, after in pairwise(ordered):
            difference = attribute_of_task(before.attribute).axis_difference
            rises.append(difference(getattr(before, readout), getattr(after, readout)))
            asked.append(after.asked - before.asked)
    return np.array(rises, dtype=np.float64), np.array(asked, dtype=np.float64)


@dataclass(frozen=True)
class CrossTalk:
    """How much one attribute moves per step of another; ideal is 1 on the diagonal, else 0."""

    editor: str
    swept: str
    read: str
    slope: float  # of the read one over the swept one, each divided by its range
    num_scenes: int


def cross_talk(crossings: Sequence[CrossReading], ranges: Ranges) -> list[CrossTalk]:
    """Return the matrix of one editor: d(read / its range) / d(swept / its range).

    Only what exceeds the true pictures counts, so a lamp that brightens the whole picture is no
    cross-talk with exposure.
    """
    groups: Mapping[tuple[str, str], list[CrossReading]] = defaultdict(list)
    for crossing in crossings:
        groups[crossing.swept, crossing.read].append(crossing)
    matrix = []
    for (swept, read), found in sorted(groups.items()):
        if read not in ranges or len(found) < 2:
            continue
        asked = np.array([crossing.asked for crossing in found])
        slope, _, _ = response_line(asked, np.array([crossing.excess for crossing in found]))
        if slope is None:
            continue
        scaled = slope * _span(ranges[swept]) / _span(ranges[read])
        own = 1.0 if swept == read else 0.0
        num_scenes = len({crossing.scene for crossing in found})
        matrix.append(CrossTalk(found[0].editor, swept, read, own + scaled, num_scenes))
    return matrix


def _span(value_range: tuple[float, float]) -> float:
    return value_range[1] - value_range[0]
