"""Ask every editor the same, read every answer with the same readouts, keep one row per number.

Pairs are taken a few at a time, so that an editor can work in batches and memory stays small.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.task_key import intervals_of
from cat_dataset.imaging.colour_difference import ciede2000, lab_of_srgb
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.scoring.editors import Answer, Asked, EditFailure, ScoredEditor
from cat_dataset.scoring.questions.cases import Case, CaseReader
from cat_dataset.scoring.questions.request_plan import Plan, combination_name
from cat_dataset.scoring.questions.requests import EditRequest, Role
from cat_dataset.scoring.questions.value_ranges import ValuesClass, class_of_value
from cat_dataset.scoring.readings.joint import ReferenceEdits
from cat_dataset.scoring.readings.physical import psnr_db
from cat_dataset.scoring.readings.readouts import NOTHING, Readings, Readout
from cat_dataset.scoring.statistics.results import CrossReading, EditResult
from cat_dataset.scoring.truth import Display
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.system.progress import Progress

MAX_CHUNK_BYTES = 2**27  # of answers of one editor held at once
_HAS_FLOOR: tuple[Role, ...] = ("pair", "beyond", "alone", "combined")
# the role whose answer should equal this one's; "" is the pair's source
_REFERENCES: Mapping[str, str] = {
    "zero": "",
    "back": "",
    "second": "pair",
    "unit": "pair",
    "swapped": "combined",
}


@dataclass
class Findings:
    """Everything that was read."""

    results: list[EditResult] = field(default_factory=list)
    crossings: list[CrossReading] = field(default_factory=list)
    pictures: dict[str, tuple[Display, Display, Display]] = field(default_factory=dict)
    # by request key: source, true target, what the first editor made of it


@dataclass(frozen=True)
class _Bench:
    """One case on the bench: its readout and the true picture of each request."""

    case: Case
    readout: Readout
    requests: tuple[EditRequest, ...]
    truths: Mapping[str, Display | None]
    floors: Mapping[str, Mapping[str, Readings]]


def run_protocol(
    reader: CaseReader,
    plan: Plan,
    editors: Sequence[ScoredEditor],
    job: EvaluateJob,
    progress: Progress,
    shown: frozenset[str] = frozenset(),
) -> Findings:
    """Return what every editor made of every request; `shown` are requests to keep pictures of.

    Raises:
        ShardError: a shard is broken.
    """
    findings = Findings()
    progress.start("evaluating edits", len(plan) * len(editors))
    for chunk in _chunks(plan):
        benches = [_bench(reader.read(row), plan) for row in chunk]
        for number, editor in enumerate(editors):
            answers = _answers(editor, benches)
            for bench in benches:
                for request in bench.requests:
                    _measure(findings, editor.name, bench, request, answers, plan, job)
                    if number == 0 and request.key in shown:
                        _keep_pictures(findings, bench, request, answers[request.key])
            progress.advance(len(answers))
    return findings


def _chunks(plan: Plan) -> Iterator[list[PairRow]]:
    chunk: list[PairRow] = []
    size = 0
    for key, requests in plan.requests_of.items():
        row = plan.rows[key]
        needed = 3 * row.width_px * row.height_px * len(requests)
        if chunk and size + needed > MAX_CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += needed
    yield chunk


def _bench(case: Case, plan: Plan) -> _Bench:
    readout = Readout(case, plan.ranges)
    requests = plan.requests_of[case.row.key]
    truths = {request.key: _true_picture(case, request) for request in requests}
    floors = {
        request.key: readout.floor(picture, request.totals())
        for request in requests
        if request.role in _HAS_FLOOR and (picture := truths[request.key]) is not None
    }
    return _Bench(case, readout, requests, truths, floors)


def _true_picture(case: Case, request: EditRequest) -> Display | None:
    if request.role == "pair" or (len(case.row.edits) > 1 and request.role != "zero"):
        return case.target_HW3
    return None if case.truth is None else case.truth.picture(request.totals())


def _answers(editor: ScoredEditor, benches: Sequence[_Bench]) -> dict[str, Answer]:
    """Return an editor's answers by request key; what follows another edit comes second."""
    answers: dict[str, Answer] = {}
    for is_second in (False, True):
        asked = []
        for bench in benches:
            for request in bench.requests:
                if (request.after is not None) != is_second:
                    continue
                source = bench.case.source_HW3 if request.after is None else answers[request.after]
                if isinstance(source, EditFailure):
                    answers[request.key] = source
                else:
                    asked.append(Asked(request, source, bench.case.truth))
        found = editor.answer(asked)
        answers |= {item.request.key: a for item, a in zip(asked, found, strict=True)}
    return answers


def _measure(
    findings: Findings,
    editor: str,
    bench: _Bench,
    request: EditRequest,
    answers: Mapping[str, Answer],
    plan: Plan,
    job: EvaluateJob,
) -> None:
    """Append the rows of one answer."""
    answer, case = answers[request.key], bench.case
    truth = bench.truths[request.key]
    failure = answer.reason if isinstance(answer, EditFailure) else None
    readings: Mapping[str, Readings] = {}
    reference, referred = _reference(bench, request, answers)
    at_zero = _delta_e(case.source_HW3, answer) if request.role == "zero" else None
    outside = case.outside_HW if request.role == "pair" else None
    if not isinstance(answer, EditFailure):
        references = _reference_edits(bench, request, answers)
        readings = bench.readout.read(answer, request.totals(), references)
        if request.role == "sweep" and truth is not None:
            _measure_crossing(findings, editor, bench, request, answer, truth)
    for name in request.attributes:
        asked = request.totals()[name]
        read, floor = readings.get(name, NOTHING), bench.floors.get(request.key, {}).get(name)
        findings.results.append(
            EditResult(
                editor=editor,
                key=request.key,
                pair_key=case.row.key,
                role=request.role,
                scene=case.row.scene,
                producer=case.producer,
                attribute=name,
                combination=combination_name(request.attributes),
                values=values_class(request, name, plan, job),
                asked=asked,
                physical=read.physical,
                matching=_inside(read),
                is_outside=read.match is not None and read.match.is_outside,
                off_path_codes=None if read.match is None else read.match.distance_codes,
                physical_floor=None if floor is None else floor.physical,
                matching_floor=None if floor is None else _inside(floor),
                to_source_db=_psnr(case.source_HW3, answer),
                to_truth_db=_psnr(truth, answer),
                to_reference_db=_psnr(reference, answer),
                to_reference_codes=_largest_gap(reference, answer),
                zero_delta_e=None if at_zero is None else float(at_zero.mean()),
                zero_p95_delta_e=None if at_zero is None else float(np.percentile(at_zero, 95.0)),
                outside_delta_e=_outside(case.source_HW3, answer, outside),
                outside_true_delta_e=_outside(case.source_HW3, case.target_HW3, outside),
                reference_physical=referred.get(name, NOTHING).physical,
                alone_physical=read.alone,
                reference_matching=_inside(referred.get(name, NOTHING)),
                failure=failure,
            )
        )


def values_class(request: EditRequest, name: str, plan: Plan, job: EvaluateJob) -> ValuesClass:
    """Return whether a number lies within what was trained, in a gap of it, or beyond it."""
    value = sum(edit.value for edit in request.edits if edit.task_key == name)
    return class_of_value(value, plan.ranges[name], intervals_of(job.held_out_values, name))


def _reference(
    bench: _Bench, request: EditRequest, answers: Mapping[str, Answer]
) -> tuple[Display | None, Mapping[str, Readings]]:
    """Return the picture that an answer should equal, and how that one reads."""
    role = _REFERENCES.get(request.role)
    if role is None:
        return None, {}
    if role == "":
        return bench.case.source_HW3, {}
    number = request.key[-2:] if role == "combined" else "00"
    answer = answers[f"{request.pair_key}--{role}-{number}"]
    if isinstance(answer, EditFailure):
        return None, {}
    references = _reference_edits(bench, request, answers)
    return answer, bench.readout.read(answer, request.totals(), references)


def _reference_edits(
    bench: _Bench, request: EditRequest, answers: Mapping[str, Answer]
) -> dict[str, ReferenceEdits]:
    """Return, by attribute, what the editor made of each number of a request and of all others."""
    totals = request.totals()
    if len(totals) < 2:
        return {}
    by_edits = {
        tuple(sorted(other.totals().items())): answers[other.key]
        for other in bench.requests
        if other.role in ("pair", "alone", "combined")
    }
    references = {}
    for name, value in totals.items():
        others = tuple(sorted((n, v) for n, v in totals.items() if n != name))
        with_others, alone = by_edits.get(others), by_edits.get(((name, value),))
        if isinstance(with_others, np.ndarray) and isinstance(alone, np.ndarray):
            references[name] = ReferenceEdits(with_others, alone)
    return references


def _measure_crossing(
    findings: Findings,
    editor: str,
    bench: _Bench,
    request: EditRequest,
    answer: Display,
    truth: Display,
) -> None:
    (swept,) = request.attributes
    for name, excess in bench.readout.cross(answer, truth, swept).items():
        scene, asked = bench.case.row.scene, request.edits[0].value
        findings.crossings.append(CrossReading(editor, scene, swept, name, asked, excess))


def _keep_pictures(findings: Findings, bench: _Bench, request: EditRequest, answer: Answer) -> None:
    if not isinstance(answer, EditFailure):
        pictures = (bench.case.source_HW3, bench.case.target_HW3, answer)
        findings.pictures[request.key] = pictures


def _inside(read: Readings) -> float | None:
    """Return the value that matches; None outside the reference grid: nothing is extrapolated."""
    if read.match is None or read.match.is_outside:
        return None
    return read.match.value


def _psnr(reference_HW3: Display | None, answer: Answer) -> float | None:
    if reference_HW3 is None or isinstance(answer, EditFailure):
        return None
    return psnr_db(reference_HW3, answer)


def _largest_gap(reference_HW3: Display | None, answer: Answer) -> float | None:
    if reference_HW3 is None or isinstance(answer, EditFailure):
        return None
    return float(np.abs(reference_HW3.astype(np.int16) - answer).max())


def _delta_e(source_HW3: Display, answer: Answer) -> NDArray[np.float64] | None:
    if isinstance(answer, EditFailure):
        return None
    return ciede2000(lab_of_srgb(source_HW3), lab_of_srgb(answer))


def _outside(
    source_HW3: Display, answer: Answer, outside_HW: NDArray[np.bool_] | None
) -> float | None:
    """Return how much changed where nothing was to be edited; None without such a place."""
    difference = None if outside_HW is None else _delta_e(source_HW3, answer)
    return None if difference is None else float(difference[outside_HW].mean())
