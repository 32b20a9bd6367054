"""Pairs become an adapter, an adapter edits pictures, and its error is measured."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import Job
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.pipeline.job_source import JobSource, open_job
from cat_dataset.requests.edited_picture import (
    EditedPicture,
    Method,
    check_png_name,
    read_picture,
)
from cat_dataset.requests.typed_edits import parse_edit
from cat_dataset.system.extras import require_extras
from cat_dataset.system.progress import Progress

if TYPE_CHECKING:
    from cat_dataset.scoring.evaluation import EvaluationReport


def train_adapter(
    manifest: JobSource,
    data: Sequence[Path | str],
    out: Path | str,
    *,
    base_from: Path | str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train the base and the numeric adapter on data set folders; resume a run that was begun.

    The baselines that [train] names are trained after it, on the same pairs and steps.
    `base_from` is a run folder whose frozen base is taken: the adapter alone is trained. Returns
    the adapter's folder.

    Raises:
        JobError: the manifest breaks a rule or has no [train], or `out` holds another run.
        ShardError: a data set is missing or broken.
        MissingExtraError: torch or another package of training is not installed.
    """
    job, folder, subject = open_job(manifest)
    trained = require_training(job, subject)
    require_extras("train", "train")
    prepare_torch()
    from train.evaluate.baselines import train_with_baselines

    return train_with_baselines(
        trained.beside(folder),
        [Path(path) for path in data],
        Path(out),
        progress=progress,
        base_from=None if base_from is None else Path(base_from),
    )


def require_training(job: Job, subject: str) -> TrainJob:
    """Return the training run of a job; raise JobError where it has none."""
    if job.train is None:
        msg = f"{subject}: declares no [train]; nothing to train"
        raise JobError(msg)
    return job.train


def edit_picture(
    image: Path | str,
    adapter: Path | str,
    edits: Sequence[str],
    out: Path | str | None = None,
    *,
    method: Method = "scaled",
) -> EditedPicture:
    """Edit a picture file by typed edits such as "exposure=+1.5EV"; write it to `out`, if given.

    Raises:
        CatError: the file is no picture, or `out` is no name of a PNG.
        EditScaleError: an edit cannot be read, is out of range, or was not trained.
        JobError: the adapter is missing, or its run is not finished.
        MissingExtraError: torch or another package of training is not installed.
    """
    for text in edits:  # a slip is said at once, before torch is loaded
        parse_edit(text)
    if out is not None:
        check_png_name(Path(out))
    read_picture(Path(image))
    require_extras("edit", "train")
    prepare_torch()
    from train.edit.editing import load_editor

    edited = load_editor(Path(adapter)).edit_file(Path(image), edits, method)
    if out is not None:
        edited.save(out)
    return edited


def evaluate_adapter(
    manifest: JobSource,
    adapter: Path | str,
    data: Sequence[Path | str],
    out: Path | str,
    *,
    others: Mapping[str, Path] | None = None,
    progress: Progress | None = None,
) -> "EvaluationReport":
    """Measure an adapter's error in each attribute's unit on held-out scenes.

    `others` are folders of other adapters by name, measured beside it. The report's files are
    written into `out`.

    Raises:
        JobError: the manifest breaks a rule, an adapter is missing, or nothing is held out.
        ShardError: a data set is missing or broken.
        MissingExtraError: a package of training or of reports is not installed.
    """
    job = open_job(manifest).job
    require_extras("evaluate", "train", "report")
    prepare_torch()
    from train.evaluate.evaluation import evaluate

    return evaluate(
        Path(adapter),
        [Path(path) for path in data],
        job.evaluation(),
        Path(out),
        others=others,
        trained=job.train,
        progress=progress,
    )


def prepare_torch() -> None:
    """Let waiting OpenMP threads sleep; works where torch is not imported yet.

    Spinning threads slow a training step 3 to 30 times as soon as anything else runs on the
    machine. What the user set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
