"""What an adapter is compared with, trained on the same pairs for as many steps.

number_in_prompt  the base alone, with the number spelled in its words
no_task_id        an adapter on the very same base, with one encoder for all tasks and units
with_lora         the adapter with a LoRA beside it, on the very same base
joint             an adapter and a base that learn together: nothing is frozen

An adapter on a frozen base is judged by what its numbers change, with task ids or without. The
others change what is predicted without numbers too, so whole pictures are judged. Camera edits are
calibrated where a task has an encoder of its own: not in a prompt, nor without task ids.

They are runs of their own in the folder `baselines` of the adapter's run, resumed as it is.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cat_dataset.jobs.train_job import Baseline, TrainJob
from cat_dataset.system.progress import Progress
from train.loop.loop import run_training
from train.runs.processes import joined_processes
from train.runs.run_folder import finished_editor

_LORA_RANK = 16


def train_with_baselines(
    job: TrainJob,
    data_folders: Sequence[Path],
    run_folder: Path,
    *,
    progress: Progress | None = None,
    num_threads: int | None = None,
    base_from: Path | None = None,
) -> Path:
    """Train the job, then its baselines; return the folder of the job's own adapter.

    All are trained by the job's `num_processes`, which are started here.

    Raises:
        CatError: as `run_training`; or another process failed or was killed.
    """
    same_run = partial(
        train_with_baselines,
        job,
        data_folders,
        run_folder,
        num_threads=num_threads,
        base_from=base_from,
    )
    with joined_processes(job.num_processes, job.device, same_run):
        adapter = run_training(
            job,
            data_folders,
            run_folder,
            progress=progress,
            num_threads=num_threads,
            base_from=base_from,
        )
        for name in job.baselines:
            run_training(
                baseline_job(job, name, run_folder),
                data_folders,
                run_folder / "baselines" / name,
                progress=progress,
                num_threads=num_threads,
                base_from=run_folder if _takes_base(job, name) else None,
            )
    return adapter


def baseline_job(job: TrainJob, name: Baseline, run_folder: Path) -> TrainJob:
    """Return the job of a baseline: the same data, budget and schedule, and the run's caches."""
    changes: dict[Baseline, dict[str, object]] = {
        "number_in_prompt": {"method": "prompt", "adapter.lora": None},
        "no_task_id": {"method": "no_task_id"},
        "with_lora": {"adapter.lora.rank": _LORA_RANK},
        "joint": {"method": "joint", "adapter.lora": None},
    }
    settings = {**changes[name], "baselines": ()}
    if name == "number_in_prompt":
        settings["base.prompt_hint_attributes"] = ()  # the whole number stands there
    if not job.is_compact and job.pretrained.cache_folder is None:
        settings["base.cache_folder"] = str(run_folder / "cache")
    return job.with_settings(settings)


def _takes_base(job: TrainJob, name: Baseline) -> bool:
    """Return whether a baseline needs the run's base; a pretrained one lies where it lay."""
    return name in ("no_task_id", "with_lora") and job.is_compact


def baselines_beside(folder: Path) -> dict[str, Path]:
    """Return the finished baselines of an adapter or of its run folder, by name."""
    run_folder = folder if (folder / "run.json").is_file() else folder.parent
    runs = sorted(path for path in (run_folder / "baselines").glob("*") if path.is_dir())
    found = {path.name: finished_editor(path) for path in runs}
    return {name: path for name, path in found.items() if path is not None}
