"""Rendered scenes are photographed by a simulated camera: DNG series with a known truth."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cat_dataset.errors import JobError
from cat_dataset.generate import claim_folder
from cat_dataset.jobs.camera import RENDERED_SERIES, SimulatedCamera
from cat_dataset.jobs.manifest import DatasetJob, Job
from cat_dataset.light.light_state import base_state, light_frame
from cat_dataset.pipeline.job_source import JobSource, open_job
from cat_dataset.records import LightBasis, Sweep
from cat_dataset.system.cores import available_cores
from cat_dataset.system.extras import require_extras
from cat_dataset.system.progress import Progress, SilentProgress
from cat_dataset.system.seeding import derive_rng
from cat_dataset.system.supervise import supervise


def simulate_captures(
    manifest: JobSource,
    out: Path | str,
    *,
    num_workers: int | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Render the scenes of a job's [simulate_camera] and write their DNG series into `out`.

    `num_workers` None: as many as there are cores. Finished series are skipped. Returns a line for
    each series whose scene could not be rendered.

    Raises:
        JobError: the manifest breaks a rule or has no camera, or `out` holds another job's series.
        MissingExtraError: Blender is not installed.
    """
    job, _, subject = open_job(manifest)
    require_camera(job, subject)
    require_extras("simulate-camera", "render")
    workers = num_workers or available_cores()
    return write_brackets(job, Path(out), num_workers=workers, progress=progress)


def require_camera(job: Job, subject: str) -> SimulatedCamera:
    """Return the camera of a job; raise JobError where it has none."""
    if job.simulate_camera is None:
        msg = f"{subject}: declares no [simulate_camera]; nothing to photograph"
        raise JobError(msg)
    return job.simulate_camera


def write_brackets(
    job: Job, out: Path, *, num_workers: int, progress: Progress | None = None
) -> list[str]:
    """Render the scenes of [simulate_camera] and write their DNG series; skip finished ones.

    Returns a line for each series whose scene could not be rendered; the others are written.

    Raises:
        JobError: the folder holds series of another manifest.
    """
    dataset, camera = job.dataset, job.simulate_camera
    if camera is None:
        return []
    progress = progress or SilentProgress()
    names = [f"{camera.name}-{number:04d}" for number in range(camera.num_brackets)]
    claim_folder(out, job.dataset_manifest(), names)
    open_numbers = [n for n, name in enumerate(names) if not (out / f"{name}.truth.json").is_file()]
    calls = [_scene_call(dataset, camera, number) for number in open_numbers]
    progress.start("photographing", total=len(names))
    progress.advance(len(names) - len(open_numbers))
    failures = []
    for outcome in supervise(calls, num_workers=num_workers, timeout_s=dataset.unit_timeout_s):
        number = open_numbers[outcome.index]
        if outcome.result is None:
            failures.append(f"{names[number]}: {outcome.failure}")
        else:
            photograph_light(out, outcome.result, dataset, camera, number)
        progress.advance(1)
    return failures


def _scene_call(
    dataset: DatasetJob, camera: SimulatedCamera, number: int
) -> Callable[[], LightBasis | Sweep]:
    """Return the call that renders what one series photographs, for a worker."""
    from dslr.simulator.camera_settings import series_values, true_f_numbers
    from render.units import render_camera_scene, render_camera_sweep

    if camera.series not in RENDERED_SERIES:
        return partial(render_camera_scene, dataset, camera, number)
    (f_number,) = true_f_numbers([camera.f_number])
    values = series_values(camera)
    return partial(render_camera_sweep, dataset, camera, number, values, f_number=f_number)


def photograph_light(
    out: Path,
    light: LightBasis | Sweep,
    dataset: DatasetJob,
    camera: SimulatedCamera,
    number: int,
) -> None:
    """Write one series of the light that was rendered for it."""
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
