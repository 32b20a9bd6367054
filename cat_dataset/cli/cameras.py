"""The command that photographs rendered scenes with a simulated camera: simulate-camera."""

import typer

from cat_dataset.cli.options import (
    DEFAULT_WORKERS,
    DryRun,
    Manifest,
    OutFolder,
    Workers,
    shown_progress,
)
from cat_dataset.errors import CatError


def simulate_camera(
    manifest: Manifest,
    out: OutFolder,
    workers: Workers = DEFAULT_WORKERS,
    dry_run: DryRun = False,
) -> None:
    """Photograph rendered scenes with a simulated camera: DNG series with a known truth.

    Example: cat-dataset simulate-camera manifests/demo.toml --out out/captures
    """
    from cat_dataset.pipeline.job_source import open_job
    from cat_dataset.pipeline.simulate_captures import require_camera, simulate_captures

    job, _, subject = open_job(manifest)
    camera = require_camera(job, subject)
    kind = "brackets" if camera.series == "exposure" else f"series of {camera.series}"
    if dry_run:
        size = f"{camera.width_px}x{camera.height_px} px"
        typer.echo(f"{camera.num_brackets} {kind} of {len(camera.shots)} frames, {size}")
        return
    with shown_progress() as progress:
        failures = simulate_captures(manifest, out, num_workers=workers, progress=progress)
    if failures:
        raise CatError("; ".join(failures))
    typer.echo(f"{camera.num_brackets} simulated {kind} in {out}")
