"""What a step accepts as its job: a manifest's path, or a job made in Python."""

from pathlib import Path
from typing import NamedTuple

from cat_dataset.jobs.manifest import Job, load_job

JobSource = Job | Path | str  # str: a path


class OpenedJob(NamedTuple):
    """A job, where its paths start, and how messages name it."""

    job: Job
    folder: Path  # of the manifest; the present folder for a job made in Python
    subject: str


def open_job(source: JobSource) -> OpenedJob:
    """Return the job of a manifest, or a job as it is.

    Raises:
        JobError: the manifest is missing or breaks a rule.
    """
    if isinstance(source, Job):
        return OpenedJob(source, Path(), f"job {source.dataset.name}")
    path = Path(source)
    return OpenedJob(load_job(path), path.parent, f"manifest {path}")
