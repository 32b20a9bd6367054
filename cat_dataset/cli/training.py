"""Commands around the adapter: train, edit, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import DryRun, Manifest, OutFolder, prepare_torch, shown_progress
from cat_dataset.errors import CatError, JobError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cat_dataset.jobs.manifest import Job
    from cat_dataset.scoring.report import EvaluationReport

DataFolders = Annotated[
    list[Path], typer.Option("--data", "-d", help="Data set folder; may be given several times.")
]
AdapterFolder = Annotated[
    Path, typer.Option("--adapter", "-a", help="Adapter folder, the one with config.json.")
]
BaseFrom = Annotated[
    Path | None,
    typer.Option(help="Run folder whose frozen base is taken: the adapter alone is trained."),
]
Rivals = Annotated[
    list[str] | None,
    typer.Option("--rival", help="NAME=FOLDER of another adapter to measure beside it."),
]


def train(
    manifest: Manifest,
    data: DataFolders,
    out: OutFolder,
    base_from: BaseFrom = None,
    dry_run: DryRun = False,
) -> None:
    """Train the base and the numeric adapter. Run the same command again to resume.

    The baselines that [train] names are trained after it, on the same pairs and steps.

    Example: cat-dataset train manifests/demo.toml --data out/demo/dataset --out out/training
    """
    from cat_dataset.jobs.manifest import dump_job, load_job
    from cat_dataset.system.extras import require_extras

    job = load_job(manifest)
    if job.train is None:
        msg = f"manifest {manifest}: declares no [train]; nothing to train"
        raise JobError(msg)
    if dry_run:
        typer.echo(dump_job(job.train))
        return
    require_extras("train", "train")
    prepare_torch()
    from train.evaluate.baselines import train_with_baselines

    trained = job.train.beside(manifest.parent)
    with shown_progress() as progress:
        adapter = train_with_baselines(trained, data, out, progress=progress, base_from=base_from)
    typer.echo(f"adapter in {adapter}")


def edit(
    image: Annotated[Path, typer.Argument(help="Picture to edit: PNG, JPEG, ...")],
    adapter: AdapterFolder,
    edits: Annotated[
        list[str],
        typer.Option("--edit", "-e", help="ATTRIBUTE=VALUE with its unit; may be given again."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write; it names its edits.")],
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Show the model parts at full size, not the whole.")
    ] = False,
) -> None:
    """Edit a picture by numbers, of any size and in any order.

    A lamp is edited exactly where the picture's lighting ratio is known, lamp to all other light
    in red, green and blue: --edit "light_power=2x at 5,4,2.5:1". Else the model guesses it.

    Example: cat-dataset edit photo.jpg --adapter out/demo/training/adapter
    --edit exposure=+1.5EV --edit "white_balance=from 5600K to 3200K" -o edited.png
    """
    from cat_dataset.requests.edited_picture import check_png_name, read_picture
    from cat_dataset.requests.typed_edits import parse_edit
    from cat_dataset.system.extras import require_extras

    for text in edits:  # a slip is said at once, before torch is loaded
        parse_edit(text)
    check_png_name(out)
    read_picture(image)
    require_extras("edit", "train")
    prepare_torch()
    from train.edit.editing import load_editor

    edited = load_editor(adapter).edit_file(image, edits, "tiled" if tiles else "scaled")
    edited.save(out)
    typer.echo(f"{out}: {edited.describe()}")


def evaluate(
    manifest: Manifest,
    adapter: AdapterFolder,
    data: DataFolders,
    out: OutFolder,
    rival: Rivals = None,
    dry_run: DryRun = False,
) -> None:
    """Measure the adapter's error in each attribute's unit on held-out scenes.

    Copy, blend, the analytic operator, the base's own words and the baselines that were trained
    with the adapter are measured beside it.

    Example: cat-dataset evaluate manifests/demo.toml --adapter out/demo/training/adapter
    --data out/demo/dataset --out out/demo/evaluation
    """
    from cat_dataset.jobs.manifest import load_job
    from cat_dataset.system.extras import require_extras

    job = load_job(manifest)
    if dry_run:
        typer.echo(_held_out_text(job, data))
        return
    require_extras("evaluate", "train", "report")
    run_evaluation(job, adapter, data, out, _named_folders(rival or []))


def _named_folders(texts: "Sequence[str]") -> dict[str, Path]:
    """Return the rivals of NAME=FOLDER options."""
    named = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not name:
            msg = f"--rival {text}: write NAME=FOLDER, for example no_task_id=out/other/adapter"
            raise CatError(msg)
        named[name] = Path(folder)
    return named


def _held_out_text(job: "Job", data: "Sequence[Path]") -> str:
    """Return how many held-out pairs there are of each attribute, and the most that is measured."""
    from collections import Counter

    from cat_dataset.store.pair_dataset import PairDataset

    rows = PairDataset(data, splits=(job.evaluate.split,)).rows
    counts = Counter(row.edits[0].attribute for row in rows)
    found = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "no pairs"
    most = job.evaluate.max_pairs_per_attribute
    return f"split {job.evaluate.split}: {found}; at most {most} of each trained one are measured"


def run_evaluation(
    job: "Job",
    adapter: Path,
    data: "Sequence[Path]",
    out: Path,
    rivals: "Mapping[str, Path] | None" = None,
) -> None:
    """Evaluate with progress and print the table."""
    prepare_torch()
    from train.evaluate.evaluation import evaluate as measure

    with shown_progress() as progress:
        report = measure(
            adapter,
            data,
            job.evaluate,
            out,
            rivals=rivals,
            trained=job.train,
            progress=progress,
        )
    print_report(report, out)


def print_report(report: "EvaluationReport", out: Path) -> None:
    """Print a line per attribute, and where everything else stands."""
    from cat_dataset.scoring.markdown import short_lines

    typer.echo(f"split {report.split}, {report.editors[0]}, errors in each attribute's unit:")
    for line in short_lines(report):
        typer.echo(f"  {line}")
    typer.echo(f"all scores and baselines: {out / 'scores.md'}")
