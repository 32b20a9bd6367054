"""The command that photographs rendered scenes with a simulated camera: simulate-camera."""

from typing import TYPE_CHECKING

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
    from collections.abc import Callable
    from pathlib import Path

    from cat_dataset.jobs.camera import SimulatedCamera
    from cat_dataset.jobs.manifest import DatasetJob, Job
    from cat_dataset.records import LightBasis, Sweep
    from cat_dataset.system.progress import Progress


def simulate_camera(
    manifest: Manifest,
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
    dry_run: DryRun = False,
) -> None:
    """Photograph rendered scenes with a simulated camera: DNG series with a known truth.

    Example: cat-dataset simulate-camera manifests/demo.toml --out out/captures
    """
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.system.extras import require_extras

    job = load_job(manifest)
    camera = job.simulate_camera
    if camera is None:
        msg = f"manifest {manifest}: declares no [simulate_camera]; nothing to photograph"
        raise JobError(msg)
    kind = "brackets" if camera.series == "exposure" else f"series of {camera.series}"
    if dry_run:
        size = f"{camera.width_px}x{camera.height_px} px"
        typer.echo(f"{camera.num_brackets} {kind} of {len(camera.shots)} frames, {size}")
        return
    require_extras("simulate-camera", "render")
    with shown_progress() as progress:
        failures = write_brackets(job, out, workers, progress)
    if failures:
        raise CatError("; ".join(failures))
    typer.echo(f"{camera.num_brackets} simulated {kind} in {out}")


def write_brackets(job: "Job", out: "Path", workers: int, progress: "Progress") -> list[str]:
    """Render the scenes of [simulate_camera] and write their DNG series; skip finished ones.

    Returns a line for each series whose scene could not be rendered; the others are written.

    Raises:
        JobError: the folder holds series of another manifest.
    """
    from cat_dataset.generate import claim_folder
    from cat_dataset.system.supervise import supervise

    dataset, camera = job.dataset, job.simulate_camera
    if camera is None:
        return []
    names = [f"{camera.name}-{number:04d}" for number in range(camera.num_brackets)]
    claim_folder(out, job.dataset_manifest(), names)
    open_numbers = [n for n, name in enumerate(names) if not (out / f"{name}.truth.json").is_file()]
    calls = [_scene_call(dataset, camera, number) for number in open_numbers]
    progress.start("photographing", total=len(names))
    progress.advance(len(names) - len(open_numbers))
    failures = []
    for outcome in supervise(calls, num_workers=workers, timeout_s=dataset.unit_timeout_s):
        number = open_numbers[outcome.index]
        if outcome.result is None:
            failures.append(f"{names[number]}: {outcome.failure}")
        else:
            photograph_light(out, outcome.result, dataset, camera, number)
        progress.advance(1)
    return failures


def _scene_call(
    dataset: "DatasetJob", camera: "SimulatedCamera", number: int
) -> "Callable[[], LightBasis | Sweep]":
    """Return the call that renders what one series photographs, for a worker."""
    from functools import partial

    from cat_dataset.jobs.camera import RENDERED_SERIES
    from dslr.simulator.camera_settings import series_values, true_f_numbers
    from render.units import render_camera_scene, render_camera_sweep

    if camera.series not in RENDERED_SERIES:
        return partial(render_camera_scene, dataset, camera, number)
    (f_number,) = true_f_numbers([camera.f_number])
    values = series_values(camera)
    return partial(render_camera_sweep, dataset, camera, number, values, f_number=f_number)


def photograph_light(
    out: "Path",
    light: "LightBasis | Sweep",
    dataset: "DatasetJob",
    camera: "SimulatedCamera",
    number: int,
) -> None:
    """Write one series of the light that was rendered for it."""
    from cat_dataset.light.light_state import base_state, light_frame
    from cat_dataset.records import Sweep
    from cat_dataset.system.seeding import derive_rng
    from dslr.simulator.simulated_camera import write_series

    name = f"{camera.name}-{number:04d}"
    rng = derive_rng(dataset.seed, "sensor", name)
    if isinstance(light, Sweep):
        pictures = [frame.linear_HW3 for frame in light.frames]
        lens_mm = round(light.origin["focal_length_mm"])  # as cameras print it
        write_series(out, pictures, camera, rng, name=name, number=number, focal_length_mm=lens_mm)
    else:
        picture = light_frame(light, base_state(light))
        write_series(out, picture, camera, rng, name=name, number=number)
