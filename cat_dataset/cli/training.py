"""Commands around the adapter: train, edit, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cat_dataset.cli.options import DryRun, Manifest, OutFolder, shown_progress
from cat_dataset.cli.printing import print_report
from cat_dataset.errors import CatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cat_dataset.jobs.manifest import Job

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
Others = Annotated[
    list[str] | None,
    typer.Option("--other", help="NAME=FOLDER of another adapter to measure beside it."),
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
    if dry_run:
        from cat_dataset.jobs.manifest import dump_job
        from cat_dataset.pipeline.job_source import open_job
        from cat_dataset.pipeline.train_adapter import require_training

        job, _, subject = open_job(manifest)
        typer.echo(dump_job(require_training(job, subject)))
        return
    from cat_dataset.pipeline.train_adapter import train_adapter

    with shown_progress() as progress:
        adapter = train_adapter(manifest, data, out, base_from=base_from, progress=progress)
    typer.echo(f"adapter in {adapter}")


def edit(
    image: Annotated[Path, typer.Argument(help="Picture to edit: PNG, JPEG, ...")],
    adapter: AdapterFolder,
    edits: Annotated[
        list[str],
        typer.Option(
            "--edit",
            "-e",
            help="NAME=VALUE or NAME:SUBJECT=VALUE, with its unit; may be given again.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write; it names its edits.")],
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Show the model parts at full size, not the whole.")
    ] = False,
) -> None:
    """Edit a picture by numbers, of any size and in any order.

    A lamp is edited exactly where the picture's lighting ratio is known, lamp to all other light
    in red, green and blue: --edit "light_power=2x at 5,4,2.5:1". Else the model guesses it.
    An object may be named, a shape must be: --edit "object_rotation:floor lamp=30deg",
    --edit shape_key:smile=60%.

    Example: cat-dataset edit photo.jpg --adapter out/demo/training/adapter
    --edit exposure=+1.5EV --edit "white_balance=from 5600K to 3200K" -o edited.png
    """
    from cat_dataset.pipeline.train_adapter import edit_picture

    edited = edit_picture(image, adapter, edits, out, method="tiled" if tiles else "scaled")
    typer.echo(f"{out}: {edited.describe()}")


def evaluate(
    manifest: Manifest,
    adapter: AdapterFolder,
    data: DataFolders,
    out: OutFolder,
    other: Others = None,
    dry_run: DryRun = False,
) -> None:
    """Measure the adapter's error in each attribute's unit on held-out scenes.

    Copy, blend, the analytic operator, the base's own words and the baselines that were trained
    with the adapter are measured beside it.

    Example: cat-dataset evaluate manifests/demo.toml --adapter out/demo/training/adapter
    --data out/demo/dataset --out out/demo/evaluation
    """
    from cat_dataset.pipeline.train_adapter import evaluate_adapter

    if dry_run:
        from cat_dataset.jobs.manifest import load_job

        typer.echo(_held_out_text(load_job(manifest), data))
        return
    others = _named_folders(other or [])
    with shown_progress() as progress:
        measured = evaluate_adapter(manifest, adapter, data, out, others=others, progress=progress)
    print_report(measured, out)


def _named_folders(texts: "Sequence[str]") -> dict[str, Path]:
    """Return the adapters of NAME=FOLDER options."""
    named = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not name:
            msg = f"--other {text}: write NAME=FOLDER, for example no_task_id=out/other/adapter"
            raise CatError(msg)
        named[name] = Path(folder)
    return named


def _held_out_text(job: "Job", data: "Sequence[Path]") -> str:
    """Return how many held-out pairs there are of each attribute, and the most that is measured."""
    from collections import Counter

    from cat_dataset.store.pair_dataset import PairDataset

    rows = PairDataset(data, splits=(job.evaluate.split,)).rows
    counts = Counter(row.edits[0].task_key for row in rows)
    found = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "no pairs"
    most = job.evaluate.max_pairs_per_attribute
    return f"split {job.evaluate.split}: {found}; at most {most} of each trained one are measured"
