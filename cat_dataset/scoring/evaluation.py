"""What a run of the protocol found, from rows to scores: everything that a report shows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.scoring.protocol import Findings
from cat_dataset.scoring.questions.value_ranges import Ranges
from cat_dataset.scoring.statistics.behaviour import (
    BehaviourScore,
    CrossTalk,
    cross_talk,
    score_behaviour,
)
from cat_dataset.scoring.statistics.combinations import (
    CombinationScore,
    alone_results,
    score_combination,
)
from cat_dataset.scoring.statistics.results import READOUTS, EditResult, ReadoutName
from cat_dataset.scoring.statistics.scores import (
    AttributeScore,
    Comparison,
    compare,
    score_attribute,
)

RESULTS_NAME = "edits.parquet"  # every row that the scores come from
_MAX_FAILURES = 20  # in the report


@dataclass(frozen=True)
class ResponseCurve:
    """One picture under rising numbers."""

    editor: str
    key: str
    scene: str
    attribute: str
    readout: ReadoutName
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
    editors: tuple[str, ...]  # the first is the one under test, the others are baselines
    num_edits: int  # per editor
    scores: tuple[AttributeScore, ...]
    comparisons: tuple[Comparison, ...]
    behaviour: tuple[BehaviourScore, ...]
    combinations: tuple[CombinationScore, ...]
    cross_talk: tuple[CrossTalk, ...]
    curves: tuple[ResponseCurve, ...]
    samples: tuple[SamplePictures, ...]
    num_failures: int  # edits of the editor under test that did not come about
    failures: tuple[str, ...]  # which and why, at most 20; all of them are in the Parquet table
    unmeasured: tuple[str, ...]  # attributes of the editor without held-out pairs
    notes: tuple[str, ...]  # what a reader must know, such as a baseline that is missing

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)

    def main_scores(self) -> list[AttributeScore]:
        """Return what the first table shows: the editor under test, by its leading readout."""
        return [
            score
            for score in self.scores
            if score.editor == self.editors[0]
            and score.readout == leading_readout(score.attribute)
            and score.values == "within"
        ]


def leading_readout(attribute: str) -> ReadoutName:
    """Return the readout that tables lead with: light is measured, all else is compared."""
    return "physical" if attribute in BASIS_ATTRIBUTES else "matching"


def make_report(
    findings: Findings,
    ranges: Ranges,
    split: str,
    *,
    unmeasured: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> EvaluationReport:
    """Return all scores of a run of the protocol; the first editor is the one under test."""
    editors = tuple(dict.fromkeys(result.editor for result in findings.results))
    rows: dict[tuple[str, str], list[EditResult]] = defaultdict(list)
    for result in findings.results:
        rows[result.editor, result.attribute].append(result)
    scores = [s for (_, name), group in rows.items() for s in _scores(group, ranges[name])]
    failures = [
        f"{result.key}: {result.failure}"
        for result in findings.results
        if result.failure is not None and result.editor == editors[0]
    ]
    return EvaluationReport(
        split=split,
        editors=editors,
        num_edits=len({result.key for result in findings.results}),
        scores=tuple(scores),
        comparisons=tuple(_comparisons(rows, editors)),
        behaviour=tuple(b for group in rows.values() for b in _behaviour(group, scores)),
        combinations=tuple(c for group in rows.values() for c in _combinations(group)),
        cross_talk=tuple(
            entry
            for editor in editors
            for entry in cross_talk([c for c in findings.crossings if c.editor == editor], ranges)
        ),
        curves=tuple(_curves(findings.results)),
        samples=tuple(_samples(findings)),
        num_failures=len(failures),
        failures=tuple(failures[:_MAX_FAILURES]),
        unmeasured=tuple(unmeasured),
        notes=tuple(notes),
    )


def _scores(results: Sequence[EditResult], span: tuple[float, float]) -> list[AttributeScore]:
    groups = _by_class(results)
    found = [score_attribute(g, r, span) for _, g in sorted(groups.items()) for r in READOUTS]
    return [score for score in found if score is not None]


def _comparisons(
    rows: dict[tuple[str, str], list[EditResult]], editors: Sequence[str]
) -> list[Comparison]:
    found = []
    for (editor, name), group in rows.items():
        if editor != editors[0]:
            continue
        theirs = {other: _by_class(rows.get((other, name), [])) for other in editors[1:]}
        for kind, mine in sorted(_by_class(group).items()):
            others = [of_other[kind] for of_other in theirs.values() if kind in of_other]
            found += [compare(mine, other, r) for other in others for r in READOUTS]
    return [comparison for comparison in found if comparison is not None]


def _by_class(results: Sequence[EditResult]) -> dict[tuple[str, str], list[EditResult]]:
    """Return edits that are scored together, by producer and by what was trained."""
    groups: dict[tuple[str, str], list[EditResult]] = defaultdict(list)
    for result in results:
        if result.role in ("pair", "beyond"):
            groups[result.producer, result.values].append(result)
    return groups


def _behaviour(
    results: Sequence[EditResult], scores: Sequence[AttributeScore]
) -> list[BehaviourScore]:
    found = []
    for producer in sorted({result.producer for result in results}):
        own = [result for result in results if result.producer == producer]
        for readout in READOUTS:
            score = _score_of(own[0], readout, scores)
            if score is not None:
                floor = max(score.floor_mae or 0.0, attribute_of_task(score.attribute).tolerance)
                found.append(score_behaviour(own, readout, floor))
    return found


def _combinations(results: Sequence[EditResult]) -> list[CombinationScore]:
    groups: dict[tuple[str, str], list[EditResult]] = defaultdict(list)
    for result in results:
        if "+" in result.combination:
            groups[result.combination, result.producer].append(result)
    alone = alone_results(results)
    found = [score_combination(g, alone, r) for _, g in sorted(groups.items()) for r in READOUTS]
    return [score for score in found if score is not None]


def _score_of(
    result: EditResult, readout: ReadoutName, scores: Sequence[AttributeScore]
) -> AttributeScore | None:
    """Return the score of an editor's attribute alone, within what was trained."""
    wanted = (result.editor, result.attribute, result.producer, readout, "within")
    own = [s for s in scores if (s.editor, s.attribute, s.producer, s.readout, s.values) == wanted]
    return own[0] if own else None


def _curves(results: Sequence[EditResult]) -> list[ResponseCurve]:
    sweeps: dict[tuple[str, str, str], list[EditResult]] = defaultdict(list)
    for result in results:
        if result.role == "sweep":
            sweeps[result.editor, result.attribute, result.pair_key].append(result)
    curves = []
    for (editor, attribute, key), sweep in sweeps.items():
        ordered = sorted(sweep, key=lambda result: result.asked)
        asked = tuple(result.asked for result in ordered)
        for readout in READOUTS:
            achieved = tuple(getattr(result, readout) for result in ordered)
            scene = ordered[0].scene
            curves.append(ResponseCurve(editor, key, scene, attribute, readout, asked, achieved))
    return curves


def _samples(findings: Findings) -> list[SamplePictures]:
    samples = []
    first = findings.results[0].editor
    for result in findings.results:
        if result.editor == first and result.key in findings.pictures:
            achieved = getattr(result, leading_readout(result.attribute))
            names = [f"{result.key}.{role}.png" for role in ("source", "target", "ours")]
            found = (result.key, result.attribute, result.asked, achieved)
            samples.append(SamplePictures(*found, *names))
    return samples
