"""A small data set of object edits: a named object turned, and two shapes of one face."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Split, Sweep, SweepFrame
from tests.train.conftest import write_dataset

SIZE_PX = 64
OBJECT_ATTRIBUTES = ("object_rotation", "shape_key")
TASKS = ("object_rotation", "shape_key:blink", "shape_key:smile")
_SUBJECTS = (("object_rotation", "tea_pot"), ("shape_key", "smile"), ("shape_key", "blink"))
_LARGEST = {"tea_pot": 60.0, "smile": 100.0, "blink": 40.0}  # two shapes, two ranges
_SPLITS: tuple[Split, ...] = ("train", "train", "val", "test")


def write_object_pairs(folder: Path) -> Path:
    """Write pairs of every subject, of two scenes to train on, one to validate and one to test."""
    dataset, results = DatasetJob(name="objects", seed=2), []
    for number, split in enumerate(_SPLITS):
        for attribute, subject in _SUBJECTS:
            sweep = object_sweep(number, split, attribute, subject)
            results.append(compose_light(sweep, {attribute: PairPlan(num_pairs=6)}, dataset))
    return write_dataset(folder, results)


def object_sweep(number: int, split: Split, attribute: str, subject: str) -> Sweep:
    """Return four frames of one edit, from zero to the subject's largest value."""
    scene = f"scene-{number}-{subject.replace('_', '-')}"
    values = np.linspace(0.0, _LARGEST[subject], 4).tolist()
    frames = tuple(SweepFrame(v, v, _picture(number, subject, v)) for v in values)
    return Sweep(scene, split, attribute, frames, subject=subject, origin={"producer": "test"})


def _picture(number: int, subject: str, value: float) -> NDArray[np.float32]:
    """Return light in which a bar turns, or a spot at the subject's own place grows."""
    row, column = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX - 0.5
    if subject == "tea_pot":
        angle = np.deg2rad(value)
        across = np.abs(row * np.cos(angle) - column * np.sin(angle))
        shape = np.exp(-((across / 0.08) ** 2))
    else:
        place = 0.2 if subject == "smile" else -0.2
        distance2 = (row - place) ** 2 + column**2
        shape = np.exp(-distance2 / (0.08 + 0.002 * value) ** 2)
    tint = np.array([0.6, 0.4, 0.3]) + 0.05 * number
    return np.asarray(0.15 + shape[..., None] * tint, np.float32)
