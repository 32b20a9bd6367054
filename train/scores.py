"""The score of one attribute: error in its unit, response line, sign, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes import find_attribute
from cat_dataset.seeding import derive_rng

_NUM_RESAMPLES = 1000
_INTERVAL_PERCENT = (2.5, 97.5)
_SIGNED_TOLERANCES = 10.0  # |asked| above this many has a sign: 0.02 stop is about one 8-bit code


@dataclass(frozen=True)
class PairResult:
    """What an editor made of one held-out pair."""

    key: str
    scene: str
    attribute: str
    asked: float  # in the attribute's unit
    achieved: float | None  # None: cannot be read, too little is unclipped
    floor: float | None  # the same readout on the true target; None where it is true by design
    identity_db: float  # PSNR of the source against its edit by zero


@dataclass(frozen=True)
class AttributeScore:
    """How well one attribute obeys its number; values in its unit."""

    attribute: str
    unit: str
    num_pairs: int
    num_unreadable: int  # too little unclipped to read; not in the numbers below
    num_scenes: int
    mae: float
    mae_interval: tuple[float, float]  # 95 %, bootstrap over scenes
    p90: float  # of the absolute error
    bias: float  # mean of achieved - asked
    slope: float  # of achieved over asked; 1 is right
    intercept: float
    sign_accuracy: float  # share of pairs changed in the right direction
    floor_mae: float | None  # error of the instrument on the true pairs
    copy_mae: float  # error of an editor that returns its source
    identity_mean_db: float
    identity_min_db: float


def score_attribute(attribute: str, results: Sequence[PairResult]) -> AttributeScore:
    """Return the score of one attribute from its pairs; at least two must be readable."""
    readable = [result for result in results if result.achieved is not None]
    asked = np.array([result.asked for result in readable])
    achieved = np.array([result.achieved for result in readable], dtype=np.float64)
    floors = [abs(result.floor - result.asked) for result in readable if result.floor is not None]
    error = np.abs(achieved - asked)
    slope, intercept = np.polyfit(asked, achieved, 1)
    is_signed = np.abs(asked) > _SIGNED_TOLERANCES * find_attribute(attribute).tolerance
    identity_db = np.array([result.identity_db for result in results])
    return AttributeScore(
        attribute=attribute,
        unit=find_attribute(attribute).unit,
        num_pairs=len(readable),
        num_unreadable=len(results) - len(readable),
        num_scenes=len({result.scene for result in readable}),
        mae=float(error.mean()),
        mae_interval=bootstrap_interval(error, [result.scene for result in readable]),
        p90=float(np.percentile(error, 90.0)),
        bias=float((achieved - asked).mean()),
        slope=float(slope),
        intercept=float(intercept),
        sign_accuracy=float((np.sign(achieved) == np.sign(asked))[is_signed].mean()),
        floor_mae=float(np.mean(floors)) if floors else None,
        copy_mae=float(np.abs(asked).mean()),
        identity_mean_db=float(identity_db.mean()),
        identity_min_db=float(identity_db.min()),
    )


def bootstrap_interval(errors: NDArray[np.float64], scenes: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of the mean error, resampling whole scenes: pairs share them."""
    names = sorted(set(scenes))
    of_scene = np.array([names.index(scene) for scene in scenes])
    sums = np.bincount(of_scene, weights=errors, minlength=len(names))
    counts = np.bincount(of_scene, minlength=len(names))
    drawn = derive_rng(0, "bootstrap").integers(len(names), size=(_NUM_RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, _INTERVAL_PERCENT)
    return float(low), float(high)
