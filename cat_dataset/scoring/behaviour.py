"""What an editor does besides one number: nothing at zero, back again, two steps, two numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cat_dataset.attributes import find_attribute
from cat_dataset.scoring.planning import Ranges
from cat_dataset.scoring.results import CrossReading, EditResult
from cat_dataset.scoring.scores import (
    ReadoutName,
    bootstrap_interval,
    floor_mae,
    response_line,
    signed_errors,
)


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
    zero_mae: float | None  # reading of the edit by zero
    num_steps: int  # of sweeps, between neighbouring numbers
    monotonicity_violations: float | None  # share that falls by more than the floor
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
    zero_db = _known(by_role["zero"], "to_reference_db")
    violations, num_steps, largest = _steps(by_role["sweep"], readout, floor)
    return BehaviourScore(
        editor=first.editor,
        attribute=first.attribute,
        unit=find_attribute(first.attribute).unit,
        producer=first.producer,
        readout=readout,
        identity_mean_db=_mean(zero_db),
        identity_min_db=min(zero_db, default=None),
        zero_mae=_mean([abs(value) for value in _known(by_role["zero"], readout)]),
        num_steps=num_steps,
        monotonicity_violations=violations,
        largest_step_ratio=largest,
        return_mae=_mean([abs(value) for value in _known(by_role["back"], readout)]),
        return_db=_mean(_known(by_role["back"], "to_reference_db")),
        additivity_mae=_mean(_gaps(by_role["second"], readout)),
        additivity_db=_mean(_known(by_role["second"], "to_reference_db")),
        unit_mae=_mean(_gaps(by_role["unit"], readout)),
        unit_codes=max(_known(by_role["unit"], "to_reference_codes"), default=None),
    )


def _known(results: Sequence[EditResult], column: str) -> list[float]:
    values = [getattr(result, column) for result in results]
    return [float(value) for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _gaps(results: Sequence[EditResult], readout: ReadoutName) -> list[float]:
    """Return how far readings lie from those of the edit that should give the same."""
    gaps = []
    for result in results:
        here, there = getattr(result, readout), getattr(result, f"reference_{readout}")
        if here is not None and there is not None:
            gaps.append(abs(find_attribute(result.attribute).axis_difference(there, here)))
    return gaps


def _steps(
    results: Sequence[EditResult], readout: ReadoutName, floor: float
) -> tuple[float | None, int, float | None]:
    """Return the share of steps that fall, their number, and the largest one over its asking."""
    sweeps: dict[str, list[EditResult]] = defaultdict(list)
    for result in results:
        if getattr(result, readout) is not None:
            sweeps[result.pair_key].append(result)
    rises, asked = [], []
    for sweep in sweeps.values():
        ordered = sorted(sweep, key=lambda result: result.asked)
        for before, after in pairwise(ordered):
            rises.append(getattr(after, readout) - getattr(before, readout))
            asked.append(after.asked - before.asked)
    if not rises:
        return None, 0, None
    share = float((np.array(rises) < -floor).mean())
    return share, len(rises), float(max(np.array(rises) / np.array(asked)))


@dataclass(frozen=True)
class CombinationScore:
    """One attribute where several were asked for at once, beside itself alone."""

    editor: str
    combination: str
    attribute: str
    unit: str
    producer: str
    readout: ReadoutName
    num_pairs: int
    num_unreadable: int
    num_scenes: int
    mae: float
    mae_interval: tuple[float, float]  # 95 %, bootstrap over scenes
    floor_mae: float | None
    alone_mae: float | None  # of the same attribute asked for by itself
    ratio: float | None  # combined over alone
    ignoring_mae: float  # of an editor that ignores this attribute
    order_codes: float | None  # largest code difference between both orders, of 255
    order_mae: float | None  # reading of one order minus that of the other


def score_combination(
    results: Sequence[EditResult], readout: ReadoutName, alone_mae: float | None
) -> CombinationScore | None:
    """Return the score of one attribute in one combination; None: fewer than two readable."""
    combined = [result for result in results if result.role == "combined"]
    readable = [result for result in combined if getattr(result, readout) is not None]
    if len(readable) < 2:
        return None
    swapped = [result for result in results if result.role == "swapped"]
    first = combined[0]
    asked = np.array([result.asked for result in readable])
    achieved = np.array([getattr(result, readout) for result in readable], dtype=np.float64)
    error = np.abs(signed_errors(first.attribute, asked, achieved))
    scenes = [result.scene for result in readable]
    return CombinationScore(
        editor=first.editor,
        combination=first.combination,
        attribute=first.attribute,
        unit=find_attribute(first.attribute).unit,
        producer=first.producer,
        readout=readout,
        num_pairs=len(readable),
        num_unreadable=len(combined) - len(readable),
        num_scenes=len(set(scenes)),
        mae=float(error.mean()),
        mae_interval=bootstrap_interval(error, scenes),
        floor_mae=floor_mae(readable, readout),
        alone_mae=alone_mae,
        ratio=float(error.mean()) / alone_mae if alone_mae else None,
        ignoring_mae=float(np.abs(asked).mean()),
        order_codes=max(_known(swapped, "to_reference_codes"), default=None),
        order_mae=_mean(_gaps(swapped, readout)),
    )


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
