"""One row per edit: what was asked, what was read, and how far apart the pictures are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.scoring.questions.requests import Role
from cat_dataset.scoring.questions.value_ranges import ValuesClass
from cat_dataset.system.atomic import atomic_file

ReadoutName = Literal["physical", "matching"]
READOUTS: tuple[ReadoutName, ...] = ("physical", "matching")


@dataclass(frozen=True)
class EditResult:
    """What an editor made of one number of one request."""

    editor: str
    key: str  # of the request
    pair_key: str
    role: Role
    scene: str
    producer: str  # render, dslr
    attribute: str
    combination: str  # all attributes of the request, joined by plus signs
    values: ValuesClass  # of what was trained
    asked: float  # in the attribute's unit, from the pair's source
    physical: float | None  # read from light; None: cannot be read
    matching: float | None  # of the nearest true picture; None: outside the reference grid, or none
    is_outside: bool  # the reference grid
    off_path_codes: float | None  # rms distance to the nearest true picture
    physical_floor: float | None  # the same readouts on the true picture
    matching_floor: float | None
    to_source_db: float | None  # PSNR against the pair's source
    to_truth_db: float | None  # PSNR against the true picture
    to_reference_db: float | None  # PSNR against the edit that should give the same
    to_reference_codes: float | None  # largest difference to it, of 255
    zero_delta_e: float | None  # of an edit by zero: mean CIEDE2000 against its source
    zero_p95_delta_e: float | None  # the same, of the pixel that 95 % stay below
    outside_delta_e: float | None  # mean CIEDE2000 against the source outside the edit mask
    outside_true_delta_e: float | None  # the same of the true target: shadows, reflections
    reference_physical: float | None  # readouts of that edit
    reference_matching: float | None
    alone_physical: (
        float | None
    )  # of several: this number alone, over the pixels that can be read in both
    failure: str | None  # why there is no picture


@dataclass(frozen=True)
class CrossReading:
    """How far an attribute moved that was not asked to move, beyond what truly moves with it."""

    editor: str
    scene: str
    swept: str
    read: str
    asked: float  # of the swept attribute
    excess: float  # of the read attribute, in its unit


def known_values(results: Sequence[EditResult], column: str) -> list[float]:
    """Return a column without what was not measured."""
    values = [getattr(result, column) for result in results]
    return [float(value) for value in values if value is not None]


def mean_or_none(values: Sequence[float] | NDArray[Any]) -> float | None:
    """Return the mean; None of nothing."""
    return float(np.mean(values)) if len(values) else None


def reference_gaps(results: Sequence[EditResult], readout: ReadoutName) -> list[float]:
    """Return how far readings lie from those of the edit that should give the same."""
    gaps = []
    for result in results:
        here, there = getattr(result, readout), getattr(result, f"reference_{readout}")
        if here is not None and there is not None:
            gaps.append(abs(attribute_of_task(result.attribute).axis_difference(there, here)))
    return gaps


def write_results(path: Path, results: list[EditResult]) -> None:
    """Write a Parquet table, one row per edit and attribute."""
    fields = EditResult.__dataclass_fields__.values()
    columns = [(f.name, _column_type(f.type)) for f in fields]
    table = pa.Table.from_pylist([vars(result) for result in results], schema=pa.schema(columns))
    with atomic_file(path) as file:
        pq.write_table(table, file)


def _column_type(annotation: object) -> pa.DataType:
    name = annotation if isinstance(annotation, str) else str(annotation)
    for word, kind in (("float", pa.float64()), ("bool", pa.bool_())):
        if word in name:
            return kind
    return pa.string()
