"""Commands that make data sets: render, simulate-camera, ingest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    Manifest,
    OutFolder,
    Workers,
    shown_progress,
)
from cat_dataset.errors import CatError, JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cat_dataset.manifest import CaptureBatch, DatasetJob, Job
    from cat_dataset.progress import Progress
    from cat_dataset.running import RunSummary, WorkUnit


def render(
    manifest: Manifest,
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
    dry_run: DryRun = False,
) -> None:
    """Render the scenes declared in MANIFEST into a data set of pairs.

    Example: cat-dataset render manifests/demo.toml --out out/renders
    """
    from cat_dataset.extras import require_extras
    from cat_dataset.manifest import load_job

    job = load_job(manifest)
    if not job.render:
        msg = f"manifest {manifest}: declares no [[render]] batch; nothing to render"
        raise JobError(msg)
    require_extras("render", "render")
    make_dataset(job, render_units(job), out, workers, dry_run)


def simulate_camera(
    manifest: Manifest,
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
) -> None:
    """Photograph rendered scenes with a simulated camera: DNG brackets with a known truth.

    Example: cat-dataset simulate-camera manifests/demo.toml --out out/captures
    """
    from cat_dataset.extras import require_extras
    from cat_dataset.manifest import load_job

    job = load_job(manifest)
    if job.simulate_camera is None:
        msg = f"manifest {manifest}: declares no [simulate_camera]; nothing to photograph"
        raise JobError(msg)
    require_extras("simulate-camera", "render")
    with shown_progress() as progress:
        write_brackets(job, out, workers, progress)
    typer.echo(f"{job.simulate_camera.num_brackets} simulated brackets in {out}")


def ingest(
    folder: Annotated[Path, typer.Argument(help="Folder of RAW files, searched to its depths.")],
    out: OutFolder,
    name: Annotated[
        str, typer.Option(help="Name of the data set; sample keys begin with it.")
    ] = "captures",
    seed: Annotated[int, typer.Option(min=0, help="Seed of values, phrasings and splits.")] = 0,
    workers: Workers = DEFAULT_WORKERS,
    dry_run: DryRun = False,
) -> None:
    """Turn a folder of RAW captures into a data set of pairs whose scale was measured.

    Example: cat-dataset ingest ~/photos/brackets --out out/captures --dry-run
    """
    from cat_dataset.extras import require_extras
    from cat_dataset.manifest import CaptureBatch, DatasetJob, Job, validated

    require_extras("ingest", "dslr")
    job = validated(
        Job,
        {
            "dataset": validated(DatasetJob, {"name": name, "seed": seed}, "ingest"),
            "capture": (validated(CaptureBatch, {"name": name, "folder": Path()}, "ingest"),),
        },
        "ingest",
    )
    units = capture_units(job.dataset, job.capture[0], folder, workers=workers, show=dry_run)
    make_dataset(job, units, out, workers, dry_run)


def render_units(job: "Job") -> "list[WorkUnit]":
    """Return the units of work of all [[render]] batches."""
    from functools import partial

    from cat_dataset.running import WorkUnit
    from render.units import list_units, render_unit

    return [
        WorkUnit(unit_id, "render", partial(render_unit, job.dataset, batch, unit_id))
        for batch in job.render
        for unit_id in list_units(batch)
    ]


def capture_units(
    dataset: "DatasetJob",
    batch: "CaptureBatch",
    folder: Path,
    *,
    workers: int,
    show: bool = False,
) -> "list[WorkUnit]":
    """Return the units of work of one folder of captures: its brackets and single files."""
    from functools import partial

    from cat_dataset.running import WorkUnit
    from dslr.units import ingest_unit, scan_folder

    located = batch.model_copy(update={"folder": folder})
    groups = scan_folder(located, num_workers=workers)
    if show:
        for group in groups:
            names = ", ".join(path.name for path in group.paths)
            typer.echo(f"{group.unit_id}: {group.kind}, {names} ({group.reason})")
    return [
        WorkUnit(group.unit_id, "dslr", partial(ingest_unit, dataset, located, group))
        for group in groups
    ]


def write_brackets(job: "Job", out: Path, workers: int, progress: "Progress") -> None:
    """Render the scenes of [simulate_camera] and write their DNG brackets; skip finished ones.

    Raises:
        JobError: the folder holds brackets of another manifest.
        CatError: a scene could not be rendered; the other brackets are written.
    """
    from functools import partial

    from cat_dataset.light import base_state, light_frame
    from cat_dataset.running import claim_folder
    from cat_dataset.seeding import derive_rng
    from cat_dataset.supervise import supervise
    from dslr.simulated_camera import write_bracket
    from render.units import render_camera_scene

    dataset, camera = job.dataset, job.simulate_camera
    if camera is None:
        return
    names = [f"{camera.name}-{number:04d}" for number in range(camera.num_brackets)]
    claim_folder(out, job.dataset_manifest(), names)
    open_numbers = [n for n, name in enumerate(names) if not (out / f"{name}.truth.json").is_file()]
    calls = [partial(render_camera_scene, dataset, camera, number) for number in open_numbers]
    progress.start("photographing", total=len(names))
    progress.advance(len(names) - len(open_numbers))
    failures = []
    for outcome in supervise(calls, num_workers=workers, timeout_s=dataset.unit_timeout_s):
        number = open_numbers[outcome.index]
        if outcome.result is None:
            failures.append(f"{names[number]}: {outcome.failure}")
        else:
            picture = light_frame(outcome.result, base_state(outcome.result))
            rng = derive_rng(dataset.seed, "sensor", names[number])
            write_bracket(out, picture, camera, rng, name=names[number], number=number)
        progress.advance(1)
    if failures:
        raise CatError("; ".join(failures))


def make_dataset(
    job: "Job", units: "Sequence[WorkUnit]", out: Path, workers: int, is_dry_run: bool
) -> None:
    """Run a data set's units with progress, say what came of them, and fail if a unit failed."""
    from cat_dataset.running import check_summary, run_units

    if is_dry_run:
        typer.echo(plan_text(job, units))
        return
    with shown_progress() as progress:
        summary = run_units(
            job.dataset_manifest(), units, out, num_workers=workers, progress=progress
        )
    typer.echo(summary_text(summary, out))
    check_summary(summary)


def plan_text(job: "Job", units: "Sequence[WorkUnit]") -> str:
    """Return what a run would make."""
    num_shards = -(-len(units) // job.dataset.units_per_shard)
    lines = [f"{len(units)} units of work in {num_shards} shards"]
    for batch in job.render:
        asked = {name: plan.num_pairs * batch.num_scenes for name, plan in batch.attributes.items()}
        counts = ", ".join(f"{name} {count}" for name, count in asked.items())
        lines.append(f"[render] {batch.name}: {batch.num_scenes} scenes, at most {counts} pairs")
    return "\n".join(lines)


def summary_text(summary: "RunSummary", out: Path) -> str:
    """Return one line on what a data set holds."""
    done = "was complete before" if summary.num_units_run == 0 else "is complete"
    return (
        f"{out} {done}: {summary.num_ok} pairs, {summary.num_rejected} rejected, "
        f"{summary.num_failed} failed"
    )
