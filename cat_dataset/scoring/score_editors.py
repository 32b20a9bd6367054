"""Score editors on a data set's held-out pairs, with the baselines of every run beside them."""

from collections.abc import Sequence
from pathlib import Path

from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.scoring.editors import BlendEditor, CopyEditor, OracleEditor, ScoredEditor
from cat_dataset.scoring.evaluation import EvaluationReport, make_report
from cat_dataset.scoring.protocol import Findings, run_protocol
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.questions.request_plan import Plan, plan_requests, ranges_of_rows
from cat_dataset.scoring.questions.value_ranges import Ranges, evenly_spaced
from cat_dataset.scoring.report import write_report_files
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.system.progress import Progress

_NUM_SAMPLES = 6  # pictures to look at, per attribute


def plan_benchmark(
    dataset: PairDataset, job: EvaluateJob, attributes: Sequence[str] | None = None
) -> Plan:
    """Return what any editor is asked on a data set; ranges are those of its pairs.

    Raises:
        JobError: the split holds no pair to measure on.
    """
    rows = tuple(dataset.rows)  # of one split, and asked for again and again
    return plan_requests(rows, ranges_of_rows(rows, attributes), job)


def score_editors(
    dataset: PairDataset,
    plan: Plan,
    editors: Sequence[ScoredEditor],
    job: EvaluateJob,
    out_folder: Path,
    progress: Progress,
    *,
    unmeasured: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> EvaluationReport:
    """Run the protocol and write the report; the first editor is the one under test.

    Copy, blend and oracle are added. Writes evaluation.json, edits.parquet, scores.md, curves and
    sample pictures.

    Raises:
        ShardError: a shard is broken.
    """
    findings = run_protocol(
        CaseReader(dataset),
        plan,
        [*editors, *baselines(plan.ranges)],
        job,
        progress,
        shown=_shown(plan),
    )
    return _finished(findings, plan.ranges, job, out_folder, unmeasured, notes)


def baselines(ranges: Ranges) -> list[ScoredEditor]:
    """Return the editors that need no model."""
    return [CopyEditor(), BlendEditor(ranges), OracleEditor()]


def _finished(
    findings: Findings,
    ranges: Ranges,
    job: EvaluateJob,
    out_folder: Path,
    unmeasured: Sequence[str],
    notes: Sequence[str],
) -> EvaluationReport:
    report = make_report(findings, ranges, job.split, unmeasured=unmeasured, notes=notes)
    write_report_files(out_folder, report, findings)
    return report


def _shown(plan: Plan) -> frozenset[str]:
    """Return requests of which pictures are kept: a few pairs of each attribute."""
    shown: set[str] = set()
    for name in plan.ranges:
        pairs = [r for r in plan.requests() if r.role == "pair" and r.attributes == (name,)]
        shown |= {pairs[number].key for number in evenly_spaced(len(pairs), _NUM_SAMPLES)}
    return frozenset(shown)
