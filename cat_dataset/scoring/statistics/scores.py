"""The score of one attribute: error in its unit, response line, sign, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.scoring.questions.value_ranges import ValuesClass
from cat_dataset.scoring.statistics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_ratio,
    bootstrap_slope,
)
from cat_dataset.scoring.statistics.results import (
    EditResult,
    ReadoutName,
    known_values,
    mean_or_none,
)

_SIGNED_TOLERANCES = 10.0  # |asked| above this many has a sign: 0.02 stop is about one 8-bit code
_MAX_FLOOR_SHARE = 0.1  # of the range: a readout that errs more measures no editor
_HIT_SHARE = 0.05  # of what is drawn by default, where an attribute names no hit tolerance


@dataclass(frozen=True)
class AttributeScore:
    """How well one attribute obeys its number, by one readout; values in its unit."""

    editor: str
    attribute: str
    unit: str
    producer: str  # rendered and captured pairs are scored apart
    values: ValuesClass  # of what was trained
    readout: ReadoutName
    num_pairs: int
    num_unreadable: int  # counted as not edited, where the editor is to blame
    num_scenes: int
    mae: float
    mae_interval: Interval | None  # 95 %, bootstrap over scenes; None: one scene
    floor_mae: float | None  # the same readout on true pictures; None: right by construction
    above_floor: float | None  # mae - floor_mae
    is_too_coarse: bool  # the floor exceeds a tenth of the range: do not believe this row
    p90: float  # of the absolute error
    bias: float  # mean of achieved - asked
    slope: float | None  # of achieved over asked; 1 is right; None: all asked the same
    slope_interval: Interval | None  # 95 %, bootstrap over scenes; None: one scene, or no slope
    intercept: float | None
    r2: float | None
    sign_accuracy: float | None  # share changed in the right direction; None: all were tiny
    hit_rate: float  # share within `hit_tolerance`
    hit_tolerance: float
    nmae: float  # mae / range, the only number that may be averaged over attributes
    off_path_codes: float | None  # mean rms distance to the nearest true picture, of 255
    to_truth_db: float | None  # mean PSNR against the true picture of what was asked
    outside_delta_e: float | None  # mean CIEDE2000 outside the edit mask; None: no masks
    outside_true_delta_e: float | None  # the same of the true targets


def score_attribute(
    results: Sequence[EditResult], readout: ReadoutName, value_range: tuple[float, float]
) -> AttributeScore | None:
    """Return the score of results of one editor and attribute; None: fewer than two readable."""
    readable = [result for result in results if getattr(result, readout) is not None]
    if len(readable) < 2:
        return None
    first = results[0]
    asked = np.array([result.asked for result in readable])
    achieved = np.array([getattr(result, readout) for result in readable], dtype=np.float64)
    error = signed_errors(first.attribute, asked, achieved)
    lost = [result for result in results if is_lost(result, readout)]
    lost_asked = np.array([result.asked for result in lost], dtype=np.float64)
    size = np.concatenate([np.abs(error), np.abs(lost_asked)])  # no better than doing nothing
    scenes = [result.scene for result in (*readable, *lost)]
    floor = floor_mae(readable, readout)
    span = value_range[1] - value_range[0]
    slope, intercept, r2 = response_line(asked, asked + error)
    tolerance = hit_tolerance(first.attribute)
    return AttributeScore(
        editor=first.editor,
        attribute=first.attribute,
        unit=attribute_of_task(first.attribute).unit,
        producer=first.producer,
        values=first.values,
        readout=readout,
        num_pairs=len(readable),
        num_unreadable=len(results) - len(readable),
        num_scenes=len(set(scenes)),
        mae=float(size.mean()),
        mae_interval=bootstrap_interval(size, scenes),
        floor_mae=floor,
        above_floor=None if floor is None else float(size.mean()) - floor,
        is_too_coarse=floor is not None and floor > _MAX_FLOOR_SHARE * span,
        p90=float(np.percentile(size, 90.0)),
        bias=float(error.mean()),
        slope=slope,
        slope_interval=bootstrap_slope(asked, asked + error, [r.scene for r in readable]),
        intercept=intercept,
        r2=r2,
        sign_accuracy=sign_accuracy(
            first.attribute,
            np.concatenate([asked, lost_asked]),
            np.concatenate([asked + error, np.zeros(len(lost))]),
            floor or 0.0,
        ),
        hit_rate=float((np.abs(error) <= tolerance).sum() / len(size)),
        hit_tolerance=tolerance,
        nmae=float(size.mean()) / span,
        off_path_codes=mean_or_none(known_values(results, "off_path_codes")),
        to_truth_db=mean_or_none(known_values(results, "to_truth_db")),
        outside_delta_e=mean_or_none(known_values(results, "outside_delta_e")),
        outside_true_delta_e=mean_or_none(known_values(results, "outside_true_delta_e")),
    )


def is_lost(result: EditResult, readout: ReadoutName) -> bool:
    """Return whether the editor is to blame that nothing is read: the truth was readable.

    Else failing would beat trying: an editor could refuse what it cannot do.
    """
    is_truth_readable = getattr(result, f"{readout}_floor") is not None
    return is_truth_readable and getattr(result, readout) is None


def absolute_error(result: EditResult, readout: ReadoutName) -> float | None:
    """Return how far a reading is from what was asked; all of it where the editor is to blame.

    None: it cannot be read.
    """
    achieved = getattr(result, readout)
    if achieved is None:
        return abs(result.asked) if is_lost(result, readout) else None
    return abs(attribute_of_task(result.attribute).axis_difference(result.asked, achieved))


def signed_errors(
    attribute: str, asked: NDArray[np.float64], achieved: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return achieved minus asked; the short way round where the attribute is circular."""
    difference = attribute_of_task(attribute).axis_difference
    pairs = zip(asked.tolist(), achieved.tolist(), strict=True)
    return np.array([difference(one, other) for one, other in pairs])


def floor_mae(results: Sequence[EditResult], readout: ReadoutName) -> float | None:
    """Return the mean error of a readout on the true pictures; None where there is none."""
    pairs = [(result.asked, getattr(result, f"{readout}_floor")) for result in results]
    known = [(asked, floor) for asked, floor in pairs if floor is not None]
    if not known:
        return None
    asked, floors = np.array(known, dtype=np.float64).T
    return float(np.abs(signed_errors(results[0].attribute, asked, floors)).mean())


def response_line(
    asked: NDArray[np.float64], achieved: NDArray[np.float64]
) -> tuple[float | None, float | None, float | None]:
    """Return slope, intercept and R2 of achieved over asked, by least squares.

    R2 is 1 - residual / variance of what was achieved; 0 where nothing varied.
    """
    if np.ptp(asked) == 0.0:
        return None, None, None
    slope, intercept = np.polyfit(asked, achieved, 1)
    total = float(((achieved - achieved.mean()) ** 2).sum())
    rest = float(((achieved - slope * asked - intercept) ** 2).sum())
    return float(slope), float(intercept), 1.0 - rest / total if total > 0.0 else 0.0


def sign_accuracy(
    attribute: str, asked: NDArray[np.float64], achieved: NDArray[np.float64], floor: float
) -> float | None:
    """Return the share of numbers above the floor that were obeyed in the right direction.

    A change no larger than what the readout may err by has no direction: it counts as wrong.
    """
    tolerance = attribute_of_task(attribute).tolerance
    is_signed = np.abs(asked) > max(floor, _SIGNED_TOLERANCES * tolerance)
    if not is_signed.any():
        return None
    moved = np.sign(asked) * achieved
    return float((moved > max(floor, tolerance))[is_signed].mean())


def hit_tolerance(attribute: str) -> float:
    """Return how near an answer must come to count as a hit, in the attribute's unit."""
    found = attribute_of_task(attribute)
    if found.hit_tolerance is not None:
        return found.hit_tolerance
    low, high = found.default_range
    return _HIT_SHARE * (high - low)


@dataclass(frozen=True)
class Comparison:
    """How much larger the error of one editor is than that of another, on the same edits."""

    attribute: str
    producer: str
    values: ValuesClass  # of what was trained
    readout: ReadoutName
    editor: str
    other: str
    num_pairs: int
    num_scenes: int
    extra_mae: float  # of `other` over `editor`, in the unit; above 0: `editor` is better
    extra_interval: Interval | None  # 95 %, paired bootstrap over scenes; None: one scene
    ratio: float | None  # MAE of `other` over MAE of `editor`
    ratio_interval: Interval | None  # 95 %, paired bootstrap over scenes; None: one scene


def compare(
    ours: Sequence[EditResult], theirs: Sequence[EditResult], readout: ReadoutName
) -> Comparison | None:
    """Return how much more another editor errs, of one attribute and one class of values.

    None: fewer than two edits that both answered and that can be read.
    """
    other_of = {result.key: result for result in theirs}
    both = [(mine, other_of[mine.key]) for mine in ours if mine.key in other_of]
    errors = [tuple(absolute_error(result, readout) for result in pair) for pair in both]
    is_known = [mine is not None and other is not None for mine, other in errors]
    if sum(is_known) < 2:
        return None
    known_errors = [pair for pair, known in zip(errors, is_known, strict=True) if known]
    mine_P, theirs_P = np.array(known_errors, dtype=np.float64).T
    scenes = [mine.scene for (mine, _), known in zip(both, is_known, strict=True) if known]
    mine_mae = float(mine_P.mean())
    return Comparison(
        attribute=ours[0].attribute,
        producer=ours[0].producer,
        values=ours[0].values,
        readout=readout,
        editor=ours[0].editor,
        other=theirs[0].editor,
        num_pairs=len(scenes),
        num_scenes=len(set(scenes)),
        extra_mae=float((theirs_P - mine_P).mean()),
        extra_interval=bootstrap_interval(theirs_P - mine_P, scenes),
        ratio=float(theirs_P.mean()) / mine_mae if mine_mae > 0.0 else None,
        ratio_interval=bootstrap_ratio(theirs_P, mine_P, scenes),
    )
