"""Measure an adapter on held-out scenes: what was asked against what the picture shows.

The protocol is the core's (`cat_dataset.scoring`), the same for any editor; here are our models:
the adapter, the same base steered by its words instead of by numbers, and others trained otherwise,
such as an adapter without task ids.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from cat_dataset.attributes.table import LIGHT_OF
from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import ComposedData
from cat_dataset.scoring.editors import Asked
from cat_dataset.scoring.evaluation import EvaluationReport
from cat_dataset.scoring.questions.request_plan import Plan, combination_name, plan_requests
from cat_dataset.scoring.score_editors import score_editors
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.system.progress import Progress, SilentProgress
from train.adapter.adapter import NumericAdapter
from train.edit.backends import PipelineBackend
from train.edit.editing import Editor, load_editor
from train.evaluate.baselines import baselines_beside
from train.evaluate.evaluated_models import VAE, AdapterEditor, ThroughVae, float_order_gap

NUMBERS, WORDS = "adapter", "words"
UNKNOWN_RATIO = "ratio not given"  # the same adapter that has to estimate the lamp's light
_NOT_MEASURED = MappingProxyType(
    {
        "number_in_prompt": "A base that reads the number in its prompt was not given "
        "(--other number_in_prompt=FOLDER): not measured.",
        "no_task_id": "An adapter without task ids was not given (--other no_task_id=FOLDER): not "
        "measured.",
    }
)
_MAX_ORDERS = 32  # combinations of which the order gap is taken in floats


def evaluate(
    adapter_folder: Path,
    data_folders: Sequence[Path],
    job: EvaluateJob,
    out_folder: Path,
    *,
    others: Mapping[str, Path] | None = None,
    trained: TrainJob | None = None,
    progress: Progress | None = None,
) -> EvaluationReport:
    """Evaluate an adapter on the held-out split; write the report's files into a folder.

    `others` are adapters by the name that the tables give them, each asked the same, beside the
    baselines that were trained with the adapter;
    `trained` is the job of the adapter, which says what combinations it has never seen.

    Raises:
        JobError: an adapter is missing, or the split has no pair that it can be measured on.
        ShardError: a data set is missing or broken.
    """
    editor = load_editor(adapter_folder)
    dataset = PairDataset(data_folders, splits=(job.split,), attributes=tuple(editor.tasks))
    found = {**baselines_beside(adapter_folder), **(others or {})}
    editors = {name: load_editor(folder) for name, folder in found.items()}
    progress = progress or SilentProgress()
    notes = [] if trained is None else [_zero_shot_note(trained, data_folders)]
    return evaluate_editor(editor, dataset, job, out_folder, progress, others=editors, notes=notes)


def evaluate_editor(
    editor: Editor,
    dataset: PairDataset,
    job: EvaluateJob,
    out_folder: Path,
    progress: Progress,
    *,
    others: Mapping[str, Editor] | None = None,
    notes: Sequence[str] = (),
) -> EvaluationReport:
    """Evaluate a loaded editor on the pairs of a data set; see `evaluate`.

    Raises:
        JobError: another editor has the name of an editor of every run.
    """
    compared = [
        AdapterEditor(
            _free_name(name),
            other,
            light_is_known=isinstance(other.backend.adapter, NumericAdapter),
        )
        for name, other in (others or {}).items()
    ]
    plan = plan_evaluation(editor, dataset, job)
    models = [AdapterEditor(NUMBERS, editor, light_is_known=True)]
    if any(name in LIGHT_OF for name in editor.tasks):
        models.append(AdapterEditor(UNKNOWN_RATIO, editor))
    models.append(AdapterEditor(WORDS, editor, "words"))
    floors = [ThroughVae(editor)] if isinstance(editor.backend, PipelineBackend) else []
    measured = {r.attributes[0] for r in plan.requests() if len(r.attributes) == 1}
    return score_editors(
        dataset,
        plan,
        [*models, *compared, *floors],
        job,
        out_folder,
        progress,
        unmeasured=[name for name in editor.tasks if name not in measured],
        notes=[*notes, *_notes(editor, dataset, plan, others or {})],
    )


def plan_evaluation(editor: Editor, dataset: PairDataset, job: EvaluateJob) -> Plan:
    """Return what is asked: of every task of the adapter, over its trained range.

    Raises:
        JobError: the split holds no single-edit pair of any of them.
    """
    ranges = {name: (task.low, task.high) for name, task in editor.tasks.items()}
    rows = [
        row
        for row in dataset.rows
        if all(ranges[e.task_key][0] <= e.value <= ranges[e.task_key][1] for e in row.edits)
    ]
    return plan_requests(rows, ranges, job)


def _free_name(name: str) -> str:
    taken = (NUMBERS, UNKNOWN_RATIO, WORDS, VAE, "copy", "blend", "oracle")
    if name in taken:
        msg = f"editor '{name}': that name is taken; the tables already show {', '.join(taken)}"
        raise JobError(msg)
    return name


def _zero_shot_note(trained: TrainJob, data_folders: Sequence[Path]) -> str:
    """Return which combinations were trained; every other one is a test of zero-shot."""
    held_out = {combination_name(attributes_of_plan(n)) for n in trained.data.held_out_combinations}
    if isinstance(trained.data, ComposedData):
        seen = {f"any {number} at once" for number in range(2, trained.composed.max_edits + 1)}
    else:
        rows = PairDataset(data_folders, splits=("train",), attributes=trained.attributes).rows
        names = (combination_name([e.task_key for e in row.edits]) for row in rows)
        seen = {name for name in names if "+" in name} - held_out
    but = f" but {', '.join(sorted(held_out))}" if seen and held_out else ""
    return f"Trained together: {', '.join(sorted(seen)) or 'nothing'}{but}; the rest is zero-shot."


def _notes(
    editor: Editor, dataset: PairDataset, plan: Plan, others: Mapping[str, Editor]
) -> list[str]:
    """Return what a reader of the tables must know."""
    notes = [
        f'"{WORDS}" is the same frozen base without the adapter, {editor.backend.about_words}.',
    ]
    if any(name in LIGHT_OF for name in editor.tasks):
        notes.append(
            f'"{NUMBERS}" and other adapters are given the lighting ratio of the source, per '
            f"channel, where an edit changes a light, and the colour that a lamp has; "
            f'"{UNKNOWN_RATIO}", words and numbers in the prompt are not.'
        )
    if isinstance(editor.backend, PipelineBackend):
        notes.append(
            f'"{VAE}" is the oracle through the VAE of the base: the floor under every readout.'
        )
    notes += [note for name, note in _NOT_MEASURED.items() if name not in others]
    combined = [request for request in plan.requests() if request.role == "combined"]
    asked = [
        Asked(request, dataset.read(plan.rows[request.pair_key]).source_HW3)
        for request in combined[:_MAX_ORDERS]
    ]
    gap = float_order_gap(editor, asked)
    if gap is not None:
        notes.append(
            f"Order of edits: the network's own light differs by at most {gap:.2g} of white "
            f"between both orders ({len(asked)} combinations, float32)."
        )
    return notes
