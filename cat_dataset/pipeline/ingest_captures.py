"""A folder of RAW captures becomes a data set of pairs."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cat_dataset.generate import RunSummary, WorkUnit
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob, Job, validated
from cat_dataset.pipeline.make_dataset import make_dataset
from cat_dataset.system.cores import available_cores
from cat_dataset.system.extras import require_extras
from cat_dataset.system.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from dslr.units import CaptureGroup

_HEAD_BYTES = 1 << 16


def ingest_captures(
    folder: Path | str,
    out: Path | str,
    *,
    name: str = "captures",
    seed: int = 0,
    num_workers: int | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
) -> RunSummary:
    """Turn a folder of RAW files, searched to its depths, into pairs whose scale was measured.

    `name` begins every sample key; `num_workers` None: as many as there are cores. Files that
    cannot be read are failed rows of the summary.

    Raises:
        JobError: the name breaks a rule, or `out` holds another data set.
        RawError: there is no such folder, or it holds no RAW file.
        MissingExtraError: rawpy or exifread is not installed.
    """
    require_extras("ingest", "dslr")
    job = capture_job(name, seed)
    workers = num_workers or available_cores()
    groups = capture_groups(job.capture[0], Path(folder), num_workers=workers)
    return make_dataset(
        job,
        capture_units(job.dataset, job.capture[0], Path(folder), groups),
        Path(out),
        num_workers=workers,
        progress=progress or SilentProgress(),
        retry_failed=retry_failed,
    )


def capture_job(name: str, seed: int) -> Job:
    """Return the job of a folder of captures without a manifest: everything it can give."""
    dataset = {"name": name, "seed": seed, "annotations": ["moving"]}
    capture = {"name": name, "folder": Path()}
    return validated(
        Job,
        {
            "dataset": validated(DatasetJob, dataset, "ingest"),
            "capture": (validated(CaptureSource, capture, "ingest"),),
        },
        "ingest",
    )


def capture_groups(
    source: CaptureSource, folder: Path, *, num_workers: int
) -> "tuple[CaptureGroup, ...]":
    """Return the series and single files of a folder of captures."""
    from dslr.units import scan_folder

    return scan_folder(_located(source, folder), num_workers=num_workers)


def capture_units(
    dataset: DatasetJob, source: CaptureSource, folder: Path, groups: "Sequence[CaptureGroup]"
) -> list[WorkUnit]:
    """Return a unit of work for each group of a folder of captures."""
    from dslr.units import ingest_unit

    unit_of = partial(ingest_unit, dataset, _located(source, folder))
    return [
        WorkUnit(group.unit_id, "dslr", partial(unit_of, group), made_of=_contents(group, folder))
        for group in groups
    ]


def _located(source: CaptureSource, folder: Path) -> CaptureSource:
    return source.model_copy(update={"folder": folder})


def _contents(group: "CaptureGroup", folder: Path) -> str:
    """Return what tells one capture group from another: names, sizes and heads of its files."""
    lines: list[str] = [group.kind]
    for path in group.paths:
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            lines.append(f"{name} no file")
            continue
        try:
            with path.open("rb") as file:
                head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()  # time and settings
        except OSError as error:
            lines.append(f"{name} {error.strerror}")
            continue
        lines.append(f"{name} {path.stat().st_size} {head}")
    lines += [f"{c.name} = {c.stated!r}" for c in group.captures if c.stated is not None]
    return "; ".join(lines)
