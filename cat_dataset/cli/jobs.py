"""The main job, from manifest to report; and the report alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli import cameras, captures, datasets, training
from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    Manifest,
    RetryFailed,
    Workers,
    prepare_torch,
    shown_progress,
)
from cat_dataset.errors import CatError

if TYPE_CHECKING:
    from cat_dataset.generate import WorkUnit
    from cat_dataset.jobs.manifest import Job

JobFolder = Annotated[
    Path, typer.Option("--out", "-o", help="Job folder to write; resumed if begun.")
]


def run(
    manifest: Manifest,
    out: JobFolder,
    workers: Workers = DEFAULT_WORKERS,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
) -> None:
    """Do the whole job of MANIFEST: data set, training, evaluation, report.html.

    Run the same command again to resume; finished work is never repeated.

    Example: cat-dataset run manifests/demo.toml --out out/demo
    """
    from cat_dataset.generate import check_summary
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.system.extras import require_extras

    job = load_job(manifest)
    if job.render or job.simulate_camera:
        require_extras("run", "render")
    if job.capture or job.simulate_camera:
        require_extras("run", "dslr")
    if job.train:
        require_extras("run", "train")
    require_extras("run", "report")
    if dry_run:
        from cat_dataset.cli.planning import plan_text

        units = datasets.render_units(job, manifest.parent, workers) if job.render else []
        for batch in job.capture:
            folder = manifest.parent / batch.folder
            units += captures.capture_units(job.dataset, batch, folder, workers=workers, show=True)
        typer.echo(plan_text(job, units))
        return
    units, failures = _all_units(job, manifest.parent, out, workers)
    summary = datasets.make_dataset(job, units, out / "dataset", workers, retry_failed)
    _train_and_evaluate(job, manifest.parent, out)
    _write_report(out)
    if failures:
        raise CatError("; ".join(failures))
    check_summary(summary)


def _all_units(
    job: "Job", base: Path, out: Path, workers: int
) -> "tuple[list[WorkUnit], list[str]]":
    """Return render and capture units; simulated brackets are photographed first.

    Also returns a line for each bracket that could not be photographed.
    """
    from cat_dataset.jobs.datasets import CaptureBatch
    from cat_dataset.jobs.manifest import validated

    units = datasets.render_units(job, base, workers) if job.render else []
    failures: list[str] = []
    for batch in job.capture:
        units += captures.capture_units(job.dataset, batch, base / batch.folder, workers=workers)
    if job.simulate_camera is not None:
        photographed = out / "captures"
        with shown_progress() as progress:
            failures = cameras.write_brackets(job, photographed, workers, progress)
        camera = job.simulate_camera
        batch = validated(
            CaptureBatch,
            {"name": camera.name, "folder": photographed, "attributes": camera.attributes},
            "simulate_camera",
        )
        units += captures.capture_units(job.dataset, batch, photographed, workers=workers)
    return units, failures


def _train_and_evaluate(job: "Job", base: Path, out: Path) -> None:
    """Train, then evaluate unless this very adapter was evaluated on this very data before."""
    from cat_dataset.system.atomic import write_text_atomic

    if job.train is None:
        return
    prepare_torch()
    from train.evaluate.baselines import train_with_baselines

    dataset, evaluation = out / "dataset", out / "evaluation"
    trained = job.train.beside(base)
    with shown_progress() as progress:
        adapter = train_with_baselines(trained, [dataset], out / "training", progress=progress)
    made_from = _evaluation_inputs(job, adapter, out)
    note = evaluation / "made_from.json"
    is_there = note.is_file() and (evaluation / "evaluation.json").is_file()
    if is_there and note.read_text(encoding="utf-8") == made_from:
        typer.echo(f"{evaluation} was complete before")
        return
    training.run_evaluation(job, adapter, [dataset], evaluation)
    write_text_atomic(note, made_from)


def _evaluation_inputs(job: "Job", adapter: Path, out: Path) -> str:
    """Return what an evaluation depends on, as JSON with a hash of each file."""
    import json

    from cat_dataset.store.shards import sha256_of_file
    from train.evaluate.baselines import baselines_beside

    trained = [adapter, *baselines_beside(adapter).values()]
    files = [path for folder in trained for path in sorted(folder.rglob("*.*"))]
    files.append(out / "dataset" / "index.parquet")
    hashes = {str(path.relative_to(out)): sha256_of_file(path) for path in files}
    return json.dumps({"evaluate": job.evaluate.model_dump(mode="json"), **hashes}, indent=1)


def report(
    folder: Annotated[Path, typer.Argument(help="Job folder, the one that `run` wrote.")],
) -> None:
    """Write report.html anew from what a job folder holds.

    Example: cat-dataset report out/demo
    """
    from cat_dataset.system.extras import require_extras

    require_extras("report", "report")
    _write_report(folder)


def _write_report(folder: Path) -> None:
    from cat_dataset.reporting.html_report import write_report

    typer.echo(f"report: {write_report(folder)}")
