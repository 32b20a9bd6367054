"""The score of several numbers at once, each beside the same number alone on the same source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.scoring.statistics.bootstrap import Interval, bootstrap_interval, bootstrap_ratio
from cat_dataset.scoring.statistics.results import (
    EditResult,
    ReadoutName,
    known_values,
    mean_or_none,
    reference_gaps,
)
from cat_dataset.scoring.statistics.scores import absolute_error, floor_mae

AloneResults = Mapping[tuple[str, float], EditResult]  # by key of the pair and number asked


@dataclass(frozen=True)
class CombinationScore:
    """One attribute where several were asked for at once; values in its unit.

    All errors are over the same sources and numbers, so that the ratio compares like with like.
    """

    editor: str
    combination: str
    attribute: str
    unit: str
    producer: str
    readout: ReadoutName
    num_pairs: int
    num_unreadable: int  # combined or alone, where the editor is not to blame
    num_scenes: int
    mae: float
    mae_interval: Interval | None  # 95 %, bootstrap over scenes; None: one scene
    floor_mae: float | None
    alone_mae: float  # of the same numbers, each asked for by itself
    alone_interval: Interval | None
    ratio: float | None  # combined over alone; None: alone is without error
    ratio_interval: Interval | None  # paired
    ignoring_mae: float  # of an editor that ignores this attribute: what was asked
    order_codes: float | None  # largest code difference between both orders, of 255
    order_mae: float | None  # reading of one order minus that of the other


def alone_results(results: Sequence[EditResult]) -> AloneResults:
    """Return the results of one editor and attribute where nothing else was asked."""
    return {(r.pair_key, r.asked): r for r in results if r.role in ("pair", "alone")}


def score_combination(
    results: Sequence[EditResult], alone_of: AloneResults, readout: ReadoutName
) -> CombinationScore | None:
    """Return the score of one attribute in one combination; None: fewer than two readable."""
    combined = [result for result in results if result.role == "combined"]
    pairs = []
    for result in combined:
        together, by_itself = (
            absolute_error(result, readout),
            _alone_error(result, alone_of, readout),
        )
        if together is not None and by_itself is not None:
            pairs.append((result, together, by_itself))
    if len(pairs) < 2:
        return None
    readable = [result for result, _, _ in pairs]
    errors, alone_errors = (np.array([pair[n] for pair in pairs]) for n in (1, 2))
    swapped = [result for result in results if result.role == "swapped"]
    scenes = [result.scene for result in readable]
    first = readable[0]
    alone_mae = float(alone_errors.mean())
    return CombinationScore(
        editor=first.editor,
        combination=first.combination,
        attribute=first.attribute,
        unit=attribute_of_task(first.attribute).unit,
        producer=first.producer,
        readout=readout,
        num_pairs=len(pairs),
        num_unreadable=len(combined) - len(pairs),
        num_scenes=len(set(scenes)),
        mae=float(errors.mean()),
        mae_interval=bootstrap_interval(errors, scenes),
        floor_mae=floor_mae(readable, readout),
        alone_mae=alone_mae,
        alone_interval=bootstrap_interval(alone_errors, scenes),
        ratio=float(errors.mean()) / alone_mae if alone_mae > 0.0 else None,
        ratio_interval=bootstrap_ratio(errors, alone_errors, scenes),
        ignoring_mae=float(np.abs([result.asked for result in readable]).mean()),
        order_codes=max(known_values(swapped, "to_reference_codes"), default=None),
        order_mae=mean_or_none(reference_gaps(swapped, readout)),
    )


def _alone_error(result: EditResult, alone_of: AloneResults, readout: ReadoutName) -> float | None:
    """Return how far off the same number alone is, over the same pixels where light is read."""
    if readout == "physical":
        return None if result.alone_physical is None else abs(result.alone_physical - result.asked)
    alone = alone_of.get((result.pair_key, result.asked))
    return None if alone is None else absolute_error(alone, readout)
