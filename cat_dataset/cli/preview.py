"""The command that shows scenes before they are made into pairs: preview."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import DEFAULT_WORKERS, Workers, shown_progress
from cat_dataset.errors import CatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cat_dataset.system.supervise import Outcome

_SHEET_WIDTH_PX = 1600
_TIMEOUT_S = 600.0


def preview(
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.")],
    manifest: Annotated[
        Path | None, typer.Argument(help="Manifest whose scenes to show; or give --family.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Procedural family to show.")] = None,
    num: Annotated[int, typer.Option("--num", "-n", min=1, help="Scenes, of each source.")] = 12,
    first: Annotated[int, typer.Option(min=0, help="Number of the first scene.")] = 0,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Longer side, in pixels.")] = 192,
    samples: Annotated[int, typer.Option(min=1, help="Samples per pixel.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the scenes of --family.")] = 0,
    workers: Workers = DEFAULT_WORKERS,
) -> None:
    """Render scenes small and fast onto one contact sheet, as the camera is drawn.

    Example: cat-dataset preview --family outdoor --num 24 -o sheet.png
    """
    from cat_dataset.jobs.manifest import Job, load_job, validated
    from cat_dataset.system.extras import require_extras
    from cat_dataset.system.supervise import supervise

    if (manifest is None) == (family is None):
        msg = "give a MANIFEST or --family, one of the two"
        raise typer.BadParameter(msg)
    require_extras("preview", "render")
    if manifest is not None:
        job = load_job(manifest)
    else:
        source = {"name": family, "family": family, "num_scenes": first + num}
        shape = {"width_px": size, "height_px": size, "attributes": {}}
        data = {"dataset": {"name": "preview", "seed": seed}, "render": [{**source, **shape}]}
        job = validated(Job, data, "preview")
    from render.previews import preview_calls

    base = Path() if manifest is None else manifest.parent
    names, calls = preview_calls(job, base, first, num, size, samples)
    with shown_progress() as progress:
        progress.start("rendering", total=len(calls))
        outcomes = []
        for outcome in supervise(calls, num_workers=workers, timeout_s=_TIMEOUT_S):
            outcomes.append(outcome)
            progress.advance(1)
    _write_sheet(out, names, sorted(outcomes, key=lambda outcome: outcome.index))


def _write_sheet(
    out: Path, names: "Sequence[str]", outcomes: "Sequence[Outcome[NDArray[np.uint8]]]"
) -> None:
    from cat_dataset.imaging.display import encode_png
    from cat_dataset.reporting.contact_sheet import contact_sheet
    from cat_dataset.system.atomic import write_bytes_atomic

    made = [(names[o.index], o.result) for o in outcomes if o.result is not None]
    failures = [f"{names[o.index]}: {o.failure}" for o in outcomes if o.result is None]
    if made:
        columns = max(1, min(len(made), _SHEET_WIDTH_PX // max(p.shape[1] for _, p in made)))
        sheet = contact_sheet([p for _, p in made], [name for name, _ in made], columns)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(out, encode_png(sheet))
        typer.echo(f"{out}: {len(made)} scenes")
    if failures:
        raise CatError("; ".join(failures))
