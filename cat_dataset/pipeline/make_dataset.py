"""Units of work become a data set: what rendering, ingesting and whole jobs share."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cat_dataset.errors import CatError
from cat_dataset.generate import RunSummary, WorkUnit, run_units
from cat_dataset.jobs.manifest import Job
from cat_dataset.system.progress import Progress
from cat_dataset.system.supervise import supervise

_DEVICE_TIMEOUT_S = 120.0


def make_dataset(
    job: Job,
    units: Sequence[WorkUnit],
    out: Path,
    *,
    num_workers: int,
    progress: Progress,
    retry_failed: bool = False,
    keep_linear: bool = False,
) -> RunSummary:
    """Run the units of a data set, or those that are missing; failed units are in the summary.

    Raises:
        CatError: a device that the job names is not there.
        JobError: the folder holds another data set.
    """
    require_devices(job)
    return run_units(
        job.dataset_manifest(),
        units,
        out,
        num_workers=num_workers,
        progress=progress,
        retry_failed=retry_failed,
        keep_linear=keep_linear,
    )


def require_devices(job: Job) -> None:
    """Raise CatError where a source names a device that is not there; asked of a worker, once."""
    sources = [source for source in job.render if source.device != "CPU"]
    if not sources:
        return
    from render.units import check_devices

    calls = [partial(check_devices, sources)]
    for outcome in supervise(calls, num_workers=1, timeout_s=_DEVICE_TIMEOUT_S):
        if outcome.failure is not None:
            raise CatError(outcome.failure)
