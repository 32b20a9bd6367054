"""Run the units of a job into shards: staged one by one, assembled in order, resumable anywhere.

Which units a shard holds is decided by the manifest alone. A unit's result is staged on disk by
its worker as soon as it exists, so a kill costs at most what was in flight; the second run makes
the same bytes, whatever the number of workers.
"""

import hashlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from cat_dataset.errors import CatError, JobError
from cat_dataset.jobs.manifest import DatasetManifest, dump_job
from cat_dataset.records import Rejection, UnitResult
from cat_dataset.reporting.card import write_card
from cat_dataset.store.linear_files import LINEAR_FOLDER, write_linear_files
from cat_dataset.store.schema import STAGED_SCHEMA
from cat_dataset.store.shards import (
    has_failures,
    is_shard_done,
    shard_path,
    write_index,
    write_shard,
    write_table,
)
from cat_dataset.store.tables import read_table, staged_table
from cat_dataset.system.atomic import write_text_atomic
from cat_dataset.system.progress import Progress
from cat_dataset.system.supervise import Outcome, supervise


@dataclass(frozen=True)
class WorkUnit:
    """One scene or capture group: a pure function of the manifest and the unit's name."""

    unit_id: str
    producer: str  # "render" or "dslr"
    call: Callable[[], UnitResult]  # picklable; runs in a worker
    made_of: str = ""  # what the manifest does not say, such as the files of a capture group


@dataclass(frozen=True)
class RunSummary:
    """What a data set holds after a run."""

    num_ok: int
    num_rejected: int
    num_failed: int
    num_units_run: int  # in this run; 0 = it was complete before
    failures: tuple[str, ...]  # "unit: reason" of each failed row


def run_units(
    job: DatasetManifest,
    units: Sequence[WorkUnit],
    folder: Path,
    *,
    num_workers: int,
    progress: Progress,
    retry_failed: bool = False,
    keep_linear: bool = False,
) -> RunSummary:
    """Make or finish the data set of `job` in `folder`; finished work is never repeated.

    `retry_failed` makes shards that hold failed rows anew. `keep_linear` writes the linear samples
    that units give as files beside the shards instead of into them.

    Raises:
        JobError: the folder holds another data set, or was begun with another `keep_linear`.
        DiskFullError: run again when there is room.
    """
    _check_names([unit.unit_id for unit in units])
    linear = folder / LINEAR_FOLDER if keep_linear else None
    if linear is not None and not (folder / "manifest.toml").exists():
        linear.mkdir(parents=True, exist_ok=True)  # first, as the claim stands for both
    claim_folder(folder, job, [f"{unit.unit_id} {unit.made_of}" for unit in units])
    _check_keep_linear(folder, keep_linear)
    size = job.dataset.units_per_shard
    shards = [units[start : start + size] for start in range(0, len(units), size)]
    open_shards = {
        number: shard
        for number, shard in enumerate(shards)
        if not is_shard_done(shard_path(folder, number))
        or (retry_failed and has_failures(shard_path(folder, number)))
    }
    staging = folder / "staging"
    num_run = 0
    if open_shards:
        staging.mkdir(exist_ok=True)
        progress.start("making pairs", total=len(units))
        progress.advance(sum(len(s) for n, s in enumerate(shards) if n not in open_shards))
        manifest_sha256 = hashlib.sha256(dump_job(job).encode()).hexdigest()
        origin = {"manifest_sha256": manifest_sha256, "seed": job.dataset.seed}
        work = partial(_work, staging=staging, origin=origin, linear=linear)
        num_run = _run_shards(job, open_shards, folder, staging, work, num_workers, progress)
        shutil.rmtree(staging)
    elif staging.exists():
        shutil.rmtree(staging)  # killed between the last shard and the clean-up
    index = write_index(folder, [shard_path(folder, number) for number in range(len(shards))])
    write_card(folder, job, index)
    return _summary(index, num_run)


def _run_shards(
    job: DatasetManifest,
    open_shards: Mapping[int, Sequence[WorkUnit]],
    folder: Path,
    staging: Path,
    work: Callable[[WorkUnit], None],
    num_workers: int,
    progress: Progress,
) -> int:
    """Run what is not staged yet; assemble every shard as soon as its units are there."""
    missing_of_shard: Counter[int] = Counter()
    todo: list[tuple[int, WorkUnit]] = []
    for number, shard in open_shards.items():
        for unit in shard:
            if _staged_path(staging, unit).is_file():
                progress.advance(1)
            else:
                missing_of_shard[number] += 1
                todo.append((number, unit))
        if not missing_of_shard[number]:
            _assemble(shard, staging, shard_path(folder, number))
    calls = [partial(work, unit) for _, unit in todo]
    outcomes = supervise(
        calls,
        num_workers=num_workers,
        timeout_s=job.dataset.unit_timeout_s,
        max_tries=job.dataset.max_tries,
        log_folder=_log_folder(folder),
    )
    for outcome in outcomes:
        number, unit = todo[outcome.index]
        if outcome.failure is not None:
            _stage_failure(unit, outcome, folder, staging)
        progress.advance(1)
        missing_of_shard[number] -= 1
        if not missing_of_shard[number]:
            _assemble(open_shards[number], staging, shard_path(folder, number))
    return len(todo)


def _work(unit: WorkUnit, *, staging: Path, origin: Mapping[str, Any], linear: Path | None) -> None:
    """Run one unit and stage its result; runs in a worker.

    Linear samples go into the folder `linear` if there is one, before the unit counts as done.
    """
    sys.stdout.write(f"== {unit.unit_id}\n")
    sys.stdout.flush()
    result = unit.call()
    table = partial(
        staged_table,
        producer=unit.producer,
        unit_id=unit.unit_id,
        origin=origin,
    )
    if linear is not None:
        write_linear_files(linear, table(UnitResult(linear=result.linear)))
        result = replace(result, linear=())
    write_table(_staged_path(staging, unit), table(result))


def _stage_failure(unit: WorkUnit, outcome: Outcome[None], folder: Path, staging: Path) -> None:
    """Stage the failed row of a unit that gave no result; keep the traceback of a surprise."""
    if outcome.details is not None:
        write_text_atomic(_log_folder(folder) / f"{unit.unit_id}.txt", outcome.details)
    rejection = Rejection(unit.unit_id, unit.unit_id, "failed", outcome.failure or "")
    table = staged_table(
        UnitResult(rejections=(rejection,)),
        producer=unit.producer,
        unit_id=unit.unit_id,
        origin={},
    )
    write_table(_staged_path(staging, unit), table)


def _log_folder(folder: Path) -> Path:
    """Return where workers' output is kept; it says what happened and is no part of the data."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    return logs


def _staged_path(staging: Path, unit: WorkUnit) -> Path:
    return staging / f"{unit.unit_id}.parquet"


def _assemble(shard: Sequence[WorkUnit], staging: Path, tar_path: Path) -> None:
    remedy = "run the same command again"
    tables = [read_table(_staged_path(staging, u), STAGED_SCHEMA, remedy) for u in shard]
    write_shard(tar_path, tables)
    for unit in shard:
        _staged_path(staging, unit).unlink()


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        msg = f"units {', '.join(twice[:5])} occur twice: names must be unique in a data set"
        raise JobError(msg)


def claim_folder(folder: Path, job: DatasetManifest, plan: Sequence[str]) -> None:
    """Write the resolved manifest into a new folder, or check that the folder is this job's.

    `plan` says what is to be made, a line per unit of work. What killed writers left is removed.

    Raises:
        JobError: the folder belongs to another manifest, or the plan has changed.
    """
    digest = hashlib.sha256(json.dumps([*plan]).encode()).hexdigest()
    text = f"{dump_job(job)}\n# {len(plan)} units of work, sha256 of their list: {digest}\n"
    path = folder / "manifest.toml"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_text_atomic(path, text)
    elif path.read_text(encoding="utf-8") != text:
        msg = (
            f"{folder}: holds a data set of another manifest or of other captures; "
            f"give another --out, or delete the folder to make it anew"
        )
        raise JobError(msg)
    for leftover in folder.rglob("*.partial"):
        leftover.unlink()


def _check_keep_linear(folder: Path, keep_linear: bool) -> None:
    """Raise JobError where only a part of the data set would have its linear light beside it."""
    is_kept = (folder / LINEAR_FOLDER).is_dir()
    if keep_linear and not is_kept:
        msg = (
            f"{folder}: was begun without --keep-linear, so the light of its finished scenes is "
            f"gone; give another --out, or go on without --keep-linear"
        )
        raise JobError(msg)
    if is_kept and not keep_linear:
        msg = (
            f"{folder}: was begun with --keep-linear; give it again, or delete "
            f"{folder / LINEAR_FOLDER} to go on without"
        )
        raise JobError(msg)


def _summary(index: pa.Table, num_run: int) -> RunSummary:
    rows = index.select(["status", "key", "reason"]).to_pylist()
    count = Counter(row["status"] for row in rows)
    failures = tuple(f"{row['key']}: {row['reason']}" for row in rows if row["status"] == "failed")
    return RunSummary(count["ok"], count["rejected"], count["failed"], num_run, failures)


def check_summary(summary: RunSummary) -> None:
    """Raise CatError where units failed, so that the command ends non-zero and names them."""
    if summary.num_failed:
        shown = "\n  ".join(summary.failures[:20])
        msg = f"{summary.num_failed} failed, everything else is written:\n  {shown}"
        raise CatError(msg)
