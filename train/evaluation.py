"""Measure an adapter on held-out scenes: what was asked against what the picture shows.

Errors are in the unit of the attribute, read from light (`train.achieved`), beside the floor of the
instrument (the same readout on the true pair) and the score of an editor that copies its source.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cat_dataset.atomic import write_bytes_atomic, write_text_atomic
from cat_dataset.attributes import find_attribute
from cat_dataset.display import encode_png
from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.manifest import EvaluateJob
from cat_dataset.progress import Progress, SilentProgress
from cat_dataset.reading import PairDataset, PairRow
from cat_dataset.records import EditScale
from train.achieved import FLOORLESS, READOUTS, Display, TruePair, psnr_db
from train.adapter import Task
from train.editing import load_editor
from train.scores import AttributeScore, PairResult, score_attribute

REPORT_NAME = "evaluation.json"
_BATCH_SIZE = 16
_NUM_SAMPLES = 6  # pictures to look at, per attribute


class EditsPictures(Protocol):
    """What is evaluated: anything that edits pictures of one size by numbers."""

    @property
    def tasks(self) -> dict[str, Task]:
        """What it can edit, by attribute."""

    def edit_batch(
        self, sources: Sequence[Display], edits: Sequence[Sequence[EditScale]]
    ) -> list[Display]:
        """Return edited pictures."""


@dataclass(frozen=True)
class ResponseCurve:
    """One picture under rising numbers."""

    key: str
    scene: str
    attribute: str
    asked: tuple[float, ...]  # in the attribute's unit
    achieved: tuple[float | None, ...]  # None: cannot be read


@dataclass(frozen=True)
class SamplePictures:
    """Pictures to look at, PNG files beside the report."""

    key: str
    attribute: str
    asked: float
    achieved: float | None
    source_png: str
    target_png: str
    ours_png: str


@dataclass(frozen=True)
class EvaluationReport:
    """All that was measured."""

    split: str
    scores: tuple[AttributeScore, ...]
    curves: tuple[ResponseCurve, ...]
    samples: tuple[SamplePictures, ...]
    pairs: tuple[PairResult, ...]
    unmeasured: tuple[str, ...]  # attributes of the editor without readout or held-out pairs

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)


def evaluate(
    adapter_folder: Path,
    data_folders: Sequence[Path],
    job: EvaluateJob,
    out_folder: Path,
    *,
    progress: Progress | None = None,
) -> EvaluationReport:
    """Evaluate an adapter on the held-out split; write evaluation.json and sample PNGs.

    Raises:
        JobError: the adapter is missing, or the split has no pair that it can be measured on.
        ShardError: a data set is missing or broken.
    """
    editor = load_editor(adapter_folder)
    dataset = PairDataset(data_folders, splits=(job.split,), attributes=tuple(editor.tasks))
    return evaluate_editor(editor, dataset, job, out_folder, progress or SilentProgress())


def evaluate_editor(
    editor: EditsPictures,
    dataset: PairDataset,
    job: EvaluateJob,
    out_folder: Path,
    progress: Progress,
) -> EvaluationReport:
    """Evaluate any editor on the pairs of a data set; see `evaluate`."""
    out_folder.mkdir(parents=True, exist_ok=True)
    rows_of = _rows_to_measure(editor, dataset, job)
    progress.start("evaluating pairs", sum(map(len, rows_of.values())))
    pairs: list[PairResult] = []
    samples: list[SamplePictures] = []
    for name, rows in rows_of.items():
        shown = {rows[number].key for number in _spread(len(rows), _NUM_SAMPLES)}
        for result, pictures in _edited(editor, dataset, name, rows):
            pairs.append(result)
            if result.key in shown:
                samples.append(_write_sample(out_folder, result, pictures))
            progress.advance(1)
    curves = _response_curves(editor, dataset, rows_of, job, progress)
    scores = [_score(name, pairs) for name in rows_of]
    report = EvaluationReport(
        split=job.split,
        scores=tuple(score for score in scores if score is not None),
        curves=tuple(curves),
        samples=tuple(samples),
        pairs=tuple(pairs),
        unmeasured=tuple(name for name in editor.tasks if name not in rows_of),
    )
    write_text_atomic(out_folder / REPORT_NAME, json.dumps(report.to_json(), indent=1) + "\n")
    return report


def _rows_to_measure(
    editor: EditsPictures, dataset: PairDataset, job: EvaluateJob
) -> dict[str, list[PairRow]]:
    """Return single-edit pairs of each attribute with a readout, spread evenly over the keys.

    Raises:
        JobError: there is none.
    """
    rows_of: dict[str, list[PairRow]] = {}
    for name in (name for name in editor.tasks if name in READOUTS):
        task = editor.tasks[name]
        rows = [
            row
            for row in dataset.rows
            if len(row.edits) == 1
            and row.edits[0].attribute == name
            and task.low <= row.edits[0].value <= task.high
        ]
        if rows:
            chosen = _spread(len(rows), job.max_pairs_per_attribute)
            rows_of[name] = [rows[number] for number in chosen]
    if not rows_of:
        msg = (
            f"split '{job.split}': holds no single-edit pair on {', '.join(editor.tasks)}; "
            f"raise {job.split}_share or num_scenes in the data set's manifest"
        )
        raise JobError(msg)
    return rows_of


def _spread(num_rows: int, num_chosen: int) -> list[int]:
    """Return at most `num_chosen` row numbers, evenly spread, first and last among them."""
    places = np.linspace(0, num_rows - 1, min(num_rows, num_chosen))
    return [round(place) for place in places]


def _edited(
    editor: EditsPictures, dataset: PairDataset, attribute: str, rows: Sequence[PairRow]
) -> Iterator[tuple[PairResult, tuple[Display, Display, Display]]]:
    """Yield the result of each pair with its source, target and edited picture."""
    for chunk in _chunks_of_one_size(rows):
        true_pairs = [_true_pair(dataset, row) for row in chunk]
        sources = [pair.source_HW3 for pair in true_pairs]
        edited = editor.edit_batch(sources, [(pair.edit,) for pair in true_pairs])
        zero = (EditScale(attribute, 0.0),)
        kept = editor.edit_batch(sources, [zero] * len(sources))
        for row, pair, ours, same in zip(chunk, true_pairs, edited, kept, strict=True):
            result = PairResult(
                key=row.key,
                scene=row.scene,
                attribute=attribute,
                asked=pair.edit.value,
                achieved=_read(attribute, pair, ours),
                floor=None if attribute in FLOORLESS else _read(attribute, pair, pair.target_HW3),
                identity_db=psnr_db(pair.source_HW3, same),
            )
            yield result, (pair.source_HW3, pair.target_HW3, ours)


def _response_curves(
    editor: EditsPictures,
    dataset: PairDataset,
    rows_of: Mapping[str, Sequence[PairRow]],
    job: EvaluateJob,
    progress: Progress,
) -> Iterator[ResponseCurve]:
    """Yield curves over the trained range, each from the source of a pair of another scene."""
    chosen_of = {
        name: list({row.scene: row for row in rows}.values())[: job.num_sweep_scenes]
        for name, rows in rows_of.items()
    }
    progress.start("evaluating curves", sum(map(len, chosen_of.values())))
    for name, rows in chosen_of.items():
        task = editor.tasks[name]
        for row in rows:
            pair = _true_pair(dataset, row)
            low, high = askable_range(task, pair.edit)
            asked = np.linspace(low, high, job.num_sweep_steps).tolist()
            edits = [(replace(pair.edit, value=value, target_value=None),) for value in asked]
            pictures = editor.edit_batch([pair.source_HW3] * len(asked), edits)
            achieved = tuple(_read(name, pair, picture) for picture in pictures)
            yield ResponseCurve(row.key, row.scene, name, tuple(asked), achieved)
            progress.advance(1)


def askable_range(task: Task, edit: EditScale) -> tuple[float, float]:
    """Return the trained range, cut to where the target's absolute value still exists."""
    attribute = find_attribute(task.attribute)
    source_value = task.default_source if edit.source_value is None else edit.source_value
    if attribute.absolute_range is None or source_value is None or attribute.is_circular:
        return task.low, task.high
    ends = sorted(attribute.difference(source_value, end) for end in attribute.absolute_range)
    return max(task.low, ends[0]), min(task.high, ends[1])


def _read(attribute: str, pair: TruePair, result_HW3: Display) -> float | None:
    """Return what a picture achieved, None where too little of it can be read."""
    try:
        return READOUTS[attribute](pair, result_HW3)
    except EditScaleError:
        return None  # counted as unreadable in the score


def _true_pair(dataset: PairDataset, row: PairRow) -> TruePair:
    sample = dataset.read(row)
    return TruePair(sample.source_HW3, sample.target_HW3, row.edits[0])


def _chunks_of_one_size(rows: Sequence[PairRow]) -> Iterator[list[PairRow]]:
    """Yield runs of at most _BATCH_SIZE rows that share one picture size, in order."""
    for _, same in groupby(rows, key=lambda row: (row.height_px, row.width_px)):
        run = list(same)
        for start in range(0, len(run), _BATCH_SIZE):
            yield run[start : start + _BATCH_SIZE]


def _score(attribute: str, pairs: Sequence[PairResult]) -> AttributeScore | None:
    """Return the score of an attribute, None where fewer than two pairs can be read."""
    results = [pair for pair in pairs if pair.attribute == attribute]
    if sum(result.achieved is not None for result in results) < 2:
        return None
    return score_attribute(attribute, results)


def _write_sample(
    out_folder: Path, result: PairResult, pictures: Sequence[Display]
) -> SamplePictures:
    names = [f"{result.key}.{role}.png" for role in ("source", "target", "ours")]
    for name, picture in zip(names, pictures, strict=True):
        write_bytes_atomic(out_folder / name, encode_png(picture))
    return SamplePictures(result.key, result.attribute, result.asked, result.achieved, *names)
