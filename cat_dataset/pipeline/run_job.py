"""The main job, from manifest to report: data set, training, evaluation, report.html."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cat_dataset.generate import RunSummary, WorkUnit
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import Job, validated
from cat_dataset.pipeline.ingest_captures import capture_groups, capture_units
from cat_dataset.pipeline.job_source import JobSource, open_job
from cat_dataset.pipeline.make_dataset import make_dataset
from cat_dataset.pipeline.render_dataset import render_units
from cat_dataset.pipeline.simulate_captures import write_brackets
from cat_dataset.pipeline.train_adapter import evaluate_adapter, train_adapter
from cat_dataset.store.shards import sha256_of_file
from cat_dataset.system.atomic import write_text_atomic
from cat_dataset.system.cores import available_cores, threads_per_worker
from cat_dataset.system.extras import require_extras
from cat_dataset.system.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from cat_dataset.scoring.evaluation import EvaluationReport

EVALUATION = "evaluation"  # folder of the job


@dataclass(frozen=True)
class JobResult:
    """What came of a whole job."""

    dataset: RunSummary
    adapter: Path | None  # its folder; None: the manifest has no [train]
    evaluation: "EvaluationReport | None"  # None: nothing was trained, or it was measured before
    report: Path
    failures: tuple[str, ...]  # a line for each simulated series that could not be photographed


def run_job(
    manifest: JobSource,
    out: Path | str,
    *,
    num_workers: int | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
) -> JobResult:
    """Do the whole job: data set, training, evaluation, report; finished work is never repeated.

    `num_workers` None: as many as there are cores. Scenes, files and series that fail are named in
    the result, and the job goes on.

    Raises:
        JobError: the manifest breaks a rule, or `out` holds another job.
        MissingExtraError: a package that the job needs is not installed.
    """
    job, base, _ = open_job(manifest)
    require_job_extras(job)
    workers = num_workers or available_cores()
    shown, folder = progress or SilentProgress(), Path(out)
    units, failures = _all_units(job, base, folder, workers, shown)
    summary = make_dataset(
        job,
        units,
        folder / "dataset",
        num_workers=workers,
        progress=shown,
        retry_failed=retry_failed,
    )
    adapter, evaluation = _train_and_evaluate(job, base, folder, shown)
    return JobResult(summary, adapter, evaluation, write_report(folder), tuple(failures))


def write_report(folder: Path | str) -> Path:
    """Write report.html from what a job folder holds; return its path.

    Raises:
        CatError: the folder holds no data set.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    require_extras("report", "report")
    from cat_dataset.reporting.html_report import write_report as write_page

    return write_page(Path(folder))


def require_job_extras(job: Job) -> None:
    """Raise MissingExtraError before the first step where a later one could not run."""
    if job.render or job.simulate_camera:
        require_extras("run", "render")
    if job.capture or job.simulate_camera:
        require_extras("run", "dslr")
    if job.train:
        require_extras("run", "train")
    require_extras("run", "report")


def _all_units(
    job: Job, base: Path, out: Path, num_workers: int, progress: Progress
) -> tuple[list[WorkUnit], list[str]]:
    """Return render and capture units; simulated brackets are photographed first.

    Also returns a line for each bracket that could not be photographed.
    """
    units: list[WorkUnit] = []
    if job.render:
        units += render_units(job, base, num_threads=threads_per_worker(num_workers))
    for source in job.capture:
        units += _scanned(job, source, base / source.folder, num_workers)
    if job.simulate_camera is None:
        return units, []
    folder = out / "captures"
    failures = write_brackets(job, folder, num_workers=num_workers, progress=progress)
    units += _scanned(job, _simulated_source(job.simulate_camera, folder), folder, num_workers)
    return units, failures


def _scanned(job: Job, source: CaptureSource, folder: Path, num_workers: int) -> list[WorkUnit]:
    """Return the units of work of a folder of captures."""
    groups = capture_groups(source, folder, num_workers=num_workers)
    return capture_units(job.dataset, source, folder, groups)


def _simulated_source(camera: SimulatedCamera, folder: Path) -> CaptureSource:
    """Return the captures that [simulate_camera] wrote as a source to ingest."""
    fields = {"name": camera.name, "folder": folder, "attributes": camera.attributes}
    return validated(CaptureSource, fields, "simulate_camera")


def _train_and_evaluate(
    job: Job, base: Path, out: Path, progress: Progress
) -> "tuple[Path | None, EvaluationReport | None]":
    """Train, then evaluate unless this very adapter was evaluated on this very data before."""
    if job.train is None:
        return None, None
    dataset, evaluation = out / "dataset", out / EVALUATION
    here = job.model_copy(update={"train": job.train.beside(base)})
    adapter = train_adapter(here, [dataset], out / "training", progress=progress)
    made_from = _evaluation_inputs(job, adapter, out)
    note = evaluation / "made_from.json"
    is_there = note.is_file() and (evaluation / "evaluation.json").is_file()
    if is_there and note.read_text(encoding="utf-8") == made_from:
        return adapter, None
    report = evaluate_adapter(job, adapter, [dataset], evaluation, progress=progress)
    write_text_atomic(note, made_from)
    return adapter, report


def _evaluation_inputs(job: Job, adapter: Path, out: Path) -> str:
    """Return what an evaluation depends on, as JSON with a hash of each file."""
    from train.evaluate.baselines import baselines_beside

    trained = [adapter, *baselines_beside(adapter).values()]
    files = [path for folder in trained for path in sorted(folder.rglob("*.*"))]
    files.append(out / "dataset" / "index.parquet")
    hashes = {str(path.relative_to(out)): sha256_of_file(path) for path in files}
    return json.dumps({"evaluate": job.evaluation().model_dump(mode="json"), **hashes}, indent=1)
