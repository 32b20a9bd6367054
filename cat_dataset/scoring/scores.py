"""The score of one attribute: error in its unit, response line, sign, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes import find_attribute
from cat_dataset.scoring.results import EditResult
from cat_dataset.seeding import derive_rng

ReadoutName = Literal["physical", "ladder"]
READOUTS: tuple[ReadoutName, ...] = ("physical", "ladder")
_NUM_RESAMPLES = 1000
_INTERVAL_PERCENT = (2.5, 97.5)
_SIGNED_TOLERANCES = 10.0  # |asked| above this many has a sign: 0.02 stop is about one 8-bit code
_MAX_FLOOR_SHARE = 0.1  # of the range: an instrument that errs more says nothing about an editor
# How near counts as a hit, in the attribute's unit; else 5 % of what is drawn by default.
HIT_TOLERANCES = {
    "exposure": 1 / 3,
    "white_balance": 25.0,
    "light_power": 1 / 3,
    "light_temperature": 25.0,
    "ambient_level": 1 / 3,
    "aperture": 1 / 3,
    "focal_length": 0.07,  # 5 % of a ratio
    "object_scale": 0.07,
    "camera_distance": 0.07,
    "object_rotation": 5.0,
    "sun_azimuth": 5.0,
}
_HIT_SHARE = 0.05


@dataclass(frozen=True)
class AttributeScore:
    """How well one attribute obeys its number, by one readout; values in its unit."""

    editor: str
    attribute: str
    unit: str
    producer: str  # rendered and captured pairs are scored apart
    values: str  # within, interpolation or extrapolation of what was trained
    readout: ReadoutName
    num_pairs: int
    num_unreadable: int  # counted as not edited, where the editor is to blame
    num_scenes: int
    mae: float
    mae_interval: tuple[float, float]  # 95 %, bootstrap over scenes
    floor_mae: float | None  # the same readout on true pictures; None: right by construction
    above_floor: float | None  # mae - floor_mae
    is_too_coarse: bool  # the floor exceeds a tenth of the range: do not believe this row
    p90: float  # of the absolute error
    bias: float  # mean of achieved - asked
    slope: float | None  # of achieved over asked; 1 is right; None: all asked the same
    intercept: float | None
    r2: float | None
    sign_accuracy: float | None  # share changed in the right direction; None: all were tiny
    hit_rate: float  # share within `hit_tolerance`
    hit_tolerance: float
    nmae: float  # mae / range, the only number that may be averaged over attributes


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
        unit=find_attribute(first.attribute).unit,
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
    )


def is_lost(result: EditResult, readout: ReadoutName) -> bool:
    """Return whether the editor is to blame that nothing is read: the truth was readable.

    Else failing would beat trying: an editor could refuse what it cannot do.
    """
    is_truth_readable = getattr(result, f"{readout}_floor") is not None
    return is_truth_readable and getattr(result, readout) is None


def signed_errors(
    attribute: str, asked: NDArray[np.float64], achieved: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return achieved minus asked; the short way round where the attribute is circular."""
    difference = find_attribute(attribute).axis_difference
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

    A change no larger than what the instrument may err by has no direction: it counts as wrong.
    """
    tolerance = find_attribute(attribute).tolerance
    is_signed = np.abs(asked) > max(floor, _SIGNED_TOLERANCES * tolerance)
    if not is_signed.any():
        return None
    moved = np.sign(asked) * achieved
    return float((moved > max(floor, tolerance))[is_signed].mean())


def hit_tolerance(attribute: str) -> float:
    """Return how near an answer must come to count as a hit, in the attribute's unit."""
    low, high = find_attribute(attribute).default_range
    return HIT_TOLERANCES.get(attribute, _HIT_SHARE * (high - low))


def bootstrap_interval(values: NDArray[np.float64], scenes: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of a mean, resampling whole scenes: edits of one are alike."""
    _, of_scene = np.unique(np.asarray(scenes), return_inverse=True)
    num_scenes = int(of_scene.max()) + 1
    sums = np.bincount(of_scene, weights=values, minlength=num_scenes)
    counts = np.bincount(of_scene, minlength=num_scenes)
    drawn = derive_rng(0, "bootstrap").integers(num_scenes, size=(_NUM_RESAMPLES, num_scenes))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, _INTERVAL_PERCENT)
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """How much larger the error of one editor is than that of another, on the same edits."""

    attribute: str
    producer: str
    readout: ReadoutName
    editor: str
    other: str
    num_pairs: int
    num_scenes: int
    extra_mae: float  # of `other` over `editor`, in the unit; above 0: `editor` is better
    extra_interval: tuple[float, float]  # 95 %, paired bootstrap over scenes
    ratio: float | None  # MAE of `other` over MAE of `editor`


def compare(
    ours: Sequence[EditResult], theirs: Sequence[EditResult], readout: ReadoutName
) -> Comparison | None:
    """Return the paired difference of two editors on one attribute; None: too little in common."""
    other_of = {result.key: result for result in theirs}
    pairs = [(result, other_of[result.key]) for result in ours if result.key in other_of]
    both = [
        (mine, other)
        for mine, other in pairs
        if getattr(mine, readout) is not None and getattr(other, readout) is not None
    ]
    if len(both) < 2:
        return None
    name = ours[0].attribute
    asked = np.array([mine.asked for mine, _ in both])
    errors = [
        np.abs(signed_errors(name, asked, np.array([getattr(r, readout) for r in column])))
        for column in zip(*both, strict=True)
    ]
    scenes = [mine.scene for mine, _ in both]
    mine_mae = float(errors[0].mean())
    return Comparison(
        attribute=name,
        producer=ours[0].producer,
        readout=readout,
        editor=ours[0].editor,
        other=theirs[0].editor,
        num_pairs=len(both),
        num_scenes=len(set(scenes)),
        extra_mae=float((errors[1] - errors[0]).mean()),
        extra_interval=bootstrap_interval(errors[1] - errors[0], scenes),
        ratio=float(errors[1].mean()) / mine_mae if mine_mae > 0.0 else None,
    )
