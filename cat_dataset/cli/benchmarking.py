"""The command that scores any editor, ours or not, by the protocol of `evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import shown_progress
from cat_dataset.cli.printing import print_report
from cat_dataset.errors import CatError

if TYPE_CHECKING:
    from cat_dataset.jobs.manifest import EvaluateJob
    from cat_dataset.scoring.editors import ScoredEditor
    from cat_dataset.scoring.questions.request_plan import Plan
    from cat_dataset.store.pair_dataset import PairDataset


def benchmark(
    dataset: Annotated[Path, typer.Argument(help="Data set folder with held-out pairs.")],
    editor: Annotated[
        str | None,
        typer.Option(
            help="MODULE:FUNCTION, (source, edits, instruction) -> edited; see docs/scoring.md."
        ),
    ] = None,
    edited: Annotated[
        Path | None, typer.Option(help="Folder with KEY.png for each row of the request list.")
    ] = None,
    write_requests: Annotated[
        Path | None, typer.Option(help="Write the request list (JSON lines) here and stop.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the report; needed to score.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="TOML manifest whose [evaluate] counts, else defaults.")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="Only this attribute; may be given several times.")
    ] = None,
) -> None:
    """Score any editor in the units of the attributes, beside copy, blend and oracle.

    Example: cat-dataset benchmark out/demo/dataset --editor my_editor:edit --out out/my_editor
    """
    given = [name for name in (editor, edited, write_requests) if name is not None]
    if len(given) != 1:
        msg = f"{len(given)} of --editor, --edited, --write-requests given: give exactly one"
        raise typer.BadParameter(msg)
    from cat_dataset.scoring.questions.cases import CaseReader
    from cat_dataset.scoring.questions.request_list import write_requests as write_list
    from cat_dataset.scoring.score_editors import plan_benchmark
    from cat_dataset.store.pair_dataset import PairDataset

    job = _evaluate_job(manifest)
    pairs = PairDataset([dataset], splits=(job.split,))
    plan = plan_benchmark(pairs, job, attribute)
    if write_requests is not None:
        write_list(write_requests, plan, CaseReader(pairs))
        typer.echo(f"{write_requests}: {len(plan)} requests on split {job.split} of {dataset}")
        return
    if out is None:
        msg = "give --out, the folder for the report"
        raise typer.BadParameter(msg)
    _score(pairs, plan, job, out, editor, edited)


def _score(
    pairs: "PairDataset",
    plan: "Plan",
    job: "EvaluateJob",
    out: Path,
    editor: str | None,
    edited: Path | None,
) -> None:
    """Score one editor and print what came out.

    Raises:
        CatError: an edit did not come about; the report is written all the same.
    """
    from cat_dataset.scoring.score_editors import score_editors
    from cat_dataset.system.extras import require_extras

    require_extras("benchmark", "report")
    with shown_progress() as progress:
        contestant = _contestant(editor, edited, plan)
        report = score_editors(pairs, plan, [contestant], job, out, progress)
    print_report(report, out)
    if report.failures:
        msg = f"{report.num_failures} edits did not come about; the first: {report.failures[0]}"
        raise CatError(msg)


def _evaluate_job(manifest: Path | None) -> "EvaluateJob":
    from cat_dataset.jobs.manifest import EvaluateJob, load_job

    return EvaluateJob() if manifest is None else load_job(manifest).evaluation()


def _contestant(editor: str | None, edited: Path | None, plan: "Plan") -> "ScoredEditor":
    """Return the editor under test.

    Raises:
        CatError: there is no such function, or the folder answers nothing.
    """
    import sys

    from cat_dataset.scoring.editors import load_function, open_folder

    if editor is not None:
        sys.path.append(str(Path.cwd()))  # last: a file here must not shadow what is installed
        return load_function(editor)
    if edited is not None:
        return open_folder(edited, plan.requests())
    msg = "no editor given: give --editor MODULE:FUNCTION or --edited FOLDER"
    raise CatError(msg)
