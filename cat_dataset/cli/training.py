"""Commands around the adapter: train, edit, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import DryRun, Manifest, OutFolder, prepare_torch, shown_progress
from cat_dataset.errors import CatError, JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cat_dataset.manifest import Job
    from cat_dataset.records import EditScale

DataFolders = Annotated[
    list[Path], typer.Option("--data", "-d", help="Data set folder; may be given several times.")
]
AdapterFolder = Annotated[
    Path, typer.Option("--adapter", "-a", help="Adapter folder, the one with config.json.")
]


def train(manifest: Manifest, data: DataFolders, out: OutFolder, dry_run: DryRun = False) -> None:
    """Train the base and the numeric adapter. Run the same command again to resume.

    Example: cat-dataset train manifests/demo.toml --data out/demo/dataset --out out/training
    """
    from cat_dataset.extras import require_extras
    from cat_dataset.manifest import dump_job, load_job

    job = load_job(manifest)
    if job.train is None:
        msg = f"manifest {manifest}: declares no [train]; nothing to train"
        raise JobError(msg)
    if dry_run:
        typer.echo(dump_job(job.train))
        return
    require_extras("train", "train")
    prepare_torch()
    from train.loop import run_training

    with shown_progress() as progress:
        adapter = run_training(job.train, data, out, progress=progress)
    typer.echo(f"adapter in {adapter}")


def edit(
    image: Annotated[Path, typer.Argument(help="Picture to edit: PNG, JPEG, ...")],
    adapter: AdapterFolder,
    edits: Annotated[
        list[str],
        typer.Option("--edit", "-e", help="ATTRIBUTE=VALUE with its unit; may be given again."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.")],
) -> None:
    """Edit a picture by numbers.

    Example: cat-dataset edit photo.jpg --adapter out/demo/training/adapter
    --edit exposure=+1.5EV --edit white_balance=3200K -o edited.png
    """
    from cat_dataset.atomic import write_bytes_atomic
    from cat_dataset.display import encode_png
    from cat_dataset.extras import require_extras
    from cat_dataset.typed_edits import parse_edit

    typed = [parse_edit(text) for text in edits]
    if out.suffix.lower() != ".png":
        msg = f"{out}: the edited picture is written as PNG; name it {out.with_suffix('.png').name}"
        raise CatError(msg)
    source = _read_picture(image)
    require_extras("edit", "train")
    prepare_torch()
    from train.editing import load_editor

    editor = load_editor(adapter)
    own_values = {name: task.default_source for name, task in editor.tasks.items()}
    scales = [item.resolve(own_values.get(item.attribute)) for item in typed]
    edited = editor.edit(source, scales)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(out, encode_png(edited))
    typer.echo(f"{out}: {_describe(scales)}")


def _read_picture(path: Path) -> "NDArray[np.uint8]":
    from cat_dataset.display import decode_png

    try:
        return decode_png(path.read_bytes())
    except OSError as error:
        msg = f"picture {path}: cannot be read ({error.strerror})"
        raise CatError(msg) from None
    except ValueError as error:
        msg = f"picture {path}: {error}; give a PNG, JPEG or TIFF file"
        raise CatError(msg) from None


def _describe(scales: "Sequence[EditScale]") -> str:
    from cat_dataset.attributes import find_attribute

    parts = []
    for scale in scales:
        attribute = find_attribute(scale.attribute)
        text = f"{scale.attribute} {scale.value:+.4g} {attribute.unit}"
        if scale.source_value is not None and scale.target_value is not None:
            unit = attribute.absolute_unit
            text += f" ({scale.source_value:.4g} to {scale.target_value:.4g} {unit})"
        parts.append(text)
    return ", ".join(parts)


def evaluate(
    manifest: Manifest,
    adapter: AdapterFolder,
    data: DataFolders,
    out: OutFolder,
    dry_run: DryRun = False,
) -> None:
    """Measure the adapter's error in each attribute's unit on held-out scenes.

    Example: cat-dataset evaluate manifests/demo.toml --adapter out/demo/training/adapter
    --data out/demo/dataset --out out/demo/evaluation
    """
    from cat_dataset.extras import require_extras
    from cat_dataset.manifest import load_job

    job = load_job(manifest)
    if dry_run:
        typer.echo(_held_out_text(job, data))
        return
    require_extras("evaluate", "train")
    run_evaluation(job, adapter, data, out)


def _held_out_text(job: "Job", data: "Sequence[Path]") -> str:
    """Return how many held-out pairs there are of each attribute, and the most that is measured."""
    from collections import Counter

    from cat_dataset.reading import PairDataset

    rows = PairDataset(data, splits=(job.evaluate.split,)).rows
    counts = Counter(row.edits[0].attribute for row in rows)
    found = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "no pairs"
    most = job.evaluate.max_pairs_per_attribute
    return f"split {job.evaluate.split}: {found}; at most {most} of each trained one are measured"


def run_evaluation(job: "Job", adapter: Path, data: "Sequence[Path]", out: Path) -> None:
    """Evaluate with progress and print the table."""
    prepare_torch()
    from train.evaluation import evaluate as measure

    with shown_progress() as progress:
        report = measure(adapter, data, job.evaluate, out, progress=progress)
    typer.echo(f"split {report.split}, errors in each attribute's unit:")
    for score in report.scores:
        typer.echo(
            f"  {score.attribute}: MAE {score.mae:.3g} {score.unit} (copy {score.copy_mae:.3g}), "
            f"slope {score.slope:.3f}, sign right {score.sign_accuracy:.1%}, "
            f"identity at 0 {score.identity_mean_db:.1f} dB, {score.num_pairs} pairs"
        )
