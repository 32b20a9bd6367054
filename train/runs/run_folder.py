"""The folder of a training run: whose it is, what is in it, and when it is complete.

run.json      the job, what identifies its data, and the threads that its bits depend on
base/         the frozen base (a folder for each network), complete when it exists
adapter/      the numeric adapter, complete when it exists
lora/         the LoRA that was trained with it, if any
prompt/       instead of it, the tasks of a base that reads numbers as words
checkpoints/  state to resume from
cache/        latents and text codes of a pretrained base
baselines/    runs of their own: what the adapter is compared with
samples/      pictures edited on the way: source, edited, target
tensorboard/, train_log.jsonl
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cat_dataset.errors import JobError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.store.shards import sha256_of_file
from cat_dataset.system.atomic import write_text_atomic
from train.runs.distributed import World

# Settings that decide how fast a run is and what it shows, never what it learns beyond float error:
# a run may be resumed with others, for example after it ran out of memory.
FREE_SETTINGS = frozenset(
    {
        "base.path",  # the weights in it count, wherever they lie
        "base.cache_folder",
        "baselines",
        "checkpoint_every_steps",
        "gradient_checkpointing",
        "optimizer.micro_batch_size",
        "num_processes",
        "num_loader_workers",
        "sample_grid_every_steps",
    }
)
_RECORD_KEYS = frozenset({"data", "job", "num_threads", "run_hash"})  # of run.json


@dataclass(frozen=True)
class RunFolder:
    """A claimed run folder."""

    path: Path
    run_hash: str  # of job and data
    num_threads: int  # sums are split by threads, so equal bits need equal threads

    @property
    def base(self) -> Path:
        """Where the frozen base lies."""
        return self.path / "base"

    @property
    def adapter(self) -> Path:
        """Where the adapter lies."""
        return self.path / "adapter"

    @property
    def lora(self) -> Path:
        """Where the LoRA beside the adapter lies."""
        return self.path / "lora"

    @property
    def prompt(self) -> Path:
        """Where the config of a base that reads numbers as words lies."""
        return self.path / "prompt"

    @property
    def checkpoints(self) -> Path:
        """Where states to resume from lie."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Where pictures edited on the way lie."""
        return self.path / "samples"


def claim_run_folder(
    path: Path,
    job: TrainJob,
    data_fingerprint: str,
    num_threads: int,
    base_fingerprint: str | None = None,
) -> RunFolder:
    """Return the run folder of a job on its data: a new one, or the one to resume.

    A run that exists keeps the number of threads it began with; `FREE_SETTINGS` may differ.
    `base_fingerprint` is that of another run's base, where the adapter is trained on one.

    Raises:
        JobError: the folder belongs to another job or other data.
    """
    settings = job.model_dump(mode="json")
    identity = {
        "job": {key: value for key, value in _flat(settings) if key not in FREE_SETTINGS},
        "data": data_fingerprint,
    }
    if base_fingerprint is not None:
        identity["base"] = base_fingerprint
    run_hash = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    record = {
        "run_hash": run_hash,
        "num_threads": num_threads,
        "job": settings,
        "data": data_fingerprint,
        "base": base_fingerprint,
    }
    path.mkdir(parents=True, exist_ok=True)
    record_path = path / "run.json"
    if record_path.is_file():
        found = _read_record(record_path)
        if "optimizer" not in found["job"]:
            msg = (
                f"run folder {path}: was begun before [train] had tables of its own and cannot be "
                f"resumed; its adapter can be used, a new run needs a new folder"
            )
            raise JobError(msg)
        if found["run_hash"] != run_hash:
            msg = (
                f"run folder {path}: was begun with another {_first_difference(found, record)}; "
                f"give a new folder, or remove this one to train anew"
            )
            raise JobError(msg)
        for leftover in path.rglob("*.partial"):  # of a run that was killed while writing
            _remove(leftover)
        return RunFolder(path, run_hash, found["num_threads"])
    if any(found.suffix != ".partial" for found in path.iterdir()):
        msg = f"run folder {path}: holds files but no run.json; give a new or empty folder"
        raise JobError(msg)
    write_text_atomic(record_path, json.dumps(record, indent=2) + "\n")
    return RunFolder(path, run_hash, num_threads)


def finished_editor(path: Path) -> Path | None:
    """Return what a run trained, as `load_editor` reads it, if the run is complete."""
    found = (path / name for name in ("adapter", "prompt"))
    return next((folder for folder in found if folder.is_dir()), None)


def write_folder_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder aside, then rename it: it appears complete or not at all."""
    partial = folder.with_name(f"{folder.name}.partial")
    if partial.exists():
        _remove(partial)
    write(partial)
    partial.rename(folder)


def write_together(world: World, folder: Path, write: Callable[[Path], None]) -> None:
    """Let the first process write a folder that all go on with."""
    if world.is_first:
        write_folder_whole(folder, write)
    world.wait()


def _flat(settings: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by their dotted keys: "optimizer.batch_size"; empty tables as they are."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{table}{key}.")
        else:
            yield f"{table}{key}", value


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"run record {path}: is no JSON ({error}); give a new run folder"
        raise JobError(msg) from None
    missing = _RECORD_KEYS - set(record if isinstance(record, dict) else ())
    if missing:
        msg = (
            f"run record {path}: has no {', '.join(sorted(missing))}, so no training wrote it; "
            f"give a new run folder"
        )
        raise JobError(msg)
    return record


def _first_difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return which setting differs and how, for an error message."""
    before = dict(_flat(found["job"]))
    for key, value in _flat(wanted["job"]):
        if key not in FREE_SETTINGS and before.get(key) != value:
            return f"{key} ({before.get(key)}, now {value})"
    if found.get("base") != wanted["base"]:
        return "base (its weights differ)"
    return "data set (the index of its shards differs)"


def fingerprint_of_base(folder: Path) -> str:
    """Return a hash of the files of a run's base.

    Raises:
        JobError: there is none.
    """
    if not folder.is_dir():
        msg = f"base {folder}: no such folder; give the run folder of a run that has its base"
        raise JobError(msg)
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
