"""How fast the trainer is, against the bare loop of the same model and batch in the same run.

    python benchmarks/trainer_speed.py --rounds 4

The bare loop is what training cannot do without: noise, forward pass, loss, backward pass,
clipping, AdamW, on one batch that lies ready. The trainer draws every batch, averages weights,
checks and logs: all that `train_stage` does between two steps. Both take turns, so that a busy
machine slows both; a ratio above 1 says that the trainer is the faster one. Waiting is the share of
the trainer's time in which it had no batch. The loader is timed alone, against what the trainer
eats. Data are scenes of the size that the demo trains on, made on the spot: stored pairs and
pairs composed from light.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands have it
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402  # after its environment

from cat_dataset.compose.basis_pairs import compose_basis  # noqa: E402
from cat_dataset.jobs.manifest import DatasetJob  # noqa: E402
from cat_dataset.jobs.plans import PairPlan  # noqa: E402
from cat_dataset.jobs.train_job import TrainJob  # noqa: E402
from cat_dataset.jobs.train_settings import ComposedData  # noqa: E402
from cat_dataset.records import LightBasis, LightGroup, UnitResult  # noqa: E402
from cat_dataset.store.linear_files import encode_linear  # noqa: E402
from cat_dataset.store.shards import shard_path, write_index, write_shard  # noqa: E402
from cat_dataset.store.tables import staged_table  # noqa: E402
from cat_dataset.system.progress import SilentProgress  # noqa: E402
from cat_dataset.system.seeding import derive_rng  # noqa: E402
from train.adapter.fresh_adapter import fresh_adapter  # noqa: E402
from train.data.batches import Batch, draw_batch  # noqa: E402
from train.data.task_ids import tasks_of_pairs  # noqa: E402
from train.loop.dataloader import BatchStream, open_pairs  # noqa: E402
from train.loop.trainer import Run, train_stage  # noqa: E402
from train.model.compact import build_compact  # noqa: E402
from train.objective.train_step import TrainStage, adapter_stage, base_stage, flow_loss  # noqa: E402
from train.runs.device import deterministic_torch  # noqa: E402
from train.runs.distributed import World  # noqa: E402
from train.runs.metrics_log import read_log  # noqa: E402
from train.runs.run_folder import claim_run_folder  # noqa: E402

SIDE_PX = 72  # of the demo's scenes to learn from
WARM_UP_STEPS = 3
FIRST_LOG_STEP = 10  # its entry holds the start of the workers, once in a run


class Clock:
    """A progress that notes wall and processor time at the end of every step."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.cpu_s: list[float] = []

    def start(self, name: str, total: int) -> None:
        """Begin to count."""

    def advance(self, parts: int) -> None:
        """Note the time."""
        if parts:
            self.wall_s.append(perf_counter())
            self.cpu_s.append(process_time())

    def per_step_s(self) -> tuple[float, float]:
        """Return (wall, processor) seconds of a step, without the first ones."""
        num_steps = len(self.wall_s) - 1 - WARM_UP_STEPS
        times = (self.wall_s, self.cpu_s)
        wall_s, cpu_s = ((t[-1] - t[WARM_UP_STEPS]) / num_steps for t in times)
        return wall_s, cpu_s


@dataclass(frozen=True)
class Setting:
    """One way to train."""

    job: TrainJob
    stage: TrainStage
    run: Run


def light_basis(number: int) -> LightBasis:
    """Return a scene of coloured noise at several scales under a lamp and ambient light."""
    rng = derive_rng(0, "trainer-speed", number)
    surface_HW3 = np.zeros((SIDE_PX, SIDE_PX, 3), np.float32)
    for cells in (3, 6, 12, 24):
        coarse = rng.uniform(0.02, 0.25, (cells, cells, 3)).astype(np.float32)
        repeat = SIDE_PX // cells
        surface_HW3 += coarse.repeat(repeat, axis=0).repeat(repeat, axis=1)
    lamp_W1 = np.linspace(0.1, 1.0, SIDE_PX, dtype=np.float32)[:, None]
    images = np.stack([surface_HW3 * lamp_W1, np.float32(0.4) * surface_HW3])
    groups = (LightGroup("key", "lamp", 3200.0), LightGroup("world", "ambient", None))
    origin = {"producer": "benchmark"}
    return LightBasis(f"s-{number}", "train", groups, images, main_lamp="key", origin=origin)


def write_data(folder: Path, num_scenes: int, job: TrainJob) -> Path:
    """Write stored pairs, or light to compose from, as the job wants it; return the folder."""
    dataset = DatasetJob(name="speed", seed=0)
    plans = {name: PairPlan(num_pairs=4) for name in job.attributes}
    staged = []
    for number in range(num_scenes):
        light = light_basis(number)
        result = (
            UnitResult(linear=(encode_linear(light),))
            if isinstance(job.data, ComposedData)
            else compose_basis(light, plans, dataset)
        )
        staged.append(staged_table(result, producer="benchmark", unit_id=light.scene, origin={}))
    write_shard(shard_path(folder, 0), staged)
    write_index(folder, [shard_path(folder, 0)])
    return folder


def settle(job: TrainJob, data: Path, run_folder: Path, stage_name: str) -> Setting:
    """Return everything that a stage needs to train."""
    pairs = open_pairs(job, [data], "train")
    pairs.load(SilentProgress(), "reading")
    tasks = tasks_of_pairs(pairs.rows, job.attributes)  # type: ignore[arg-type]  # reads edits
    torch.manual_seed(0)
    base = build_compact(job.compact.hidden_size, job.attributes, num_places=1)
    if stage_name == "base":
        stage = base_stage(job, base, tasks)
    else:
        stage = adapter_stage(job, base, fresh_adapter(base.transformer, tasks, job))
    folder = claim_run_folder(run_folder, job, pairs.fingerprint(), torch.get_num_threads())
    device = torch.device("cpu")
    run = Run(job, folder, pairs, None, tasks, SilentProgress(), device, World())
    return Setting(job, stage, run)


def bare_step_s(setting: Setting, batch: Batch, num_steps: int) -> tuple[float, float]:
    """Return (wall, processor) seconds of a step of the plainest loop on one batch."""
    clock = Clock()
    parameters = list(setting.stage.parameters().values())
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)
    for step in range(num_steps):
        with ExitStack() as contexts:
            loss = flow_loss(setting.stage, setting.job, batch, step, "train", contexts)
            loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        clock.advance(1)
    return clock.per_step_s()


def trainer_step_s(setting: Setting, round_number: int, num_steps: int) -> tuple[float, float]:
    """Return (wall, processor) seconds of a step of the trainer, in a run of its own."""
    clock = Clock()
    name = f"{setting.stage.name}-{round_number}"  # no checkpoint of the round before
    stage = replace(setting.stage, num_steps=num_steps, learning_rate=1e-5, name=name)
    train_stage(replace(setting.run, progress=clock), stage)
    return clock.per_step_s()


def loader_samples_per_s(setting: Setting, num_steps: int) -> float:
    """Return the samples that one process draws a second, with nothing else to do."""
    began_s = perf_counter()
    for step in range(num_steps):
        draw_batch(setting.run.pairs, setting.job, "loader", step, 0.0)
    return num_steps * setting.job.optimizer.batch_size / (perf_counter() - began_s)


def streamed_samples_per_s(setting: Setting, num_steps: int) -> float:
    """Return the samples that the job's workers draw a second, after their start."""
    stage = replace(setting.stage, num_steps=num_steps)
    times_s = [
        perf_counter() for _ in BatchStream(setting.run.pairs, setting.job, stage, World(), 0)
    ]
    return (num_steps - 1) * setting.job.optimizer.batch_size / (times_s[-1] - times_s[0])


def measure(setting: Setting, rounds: int, num_steps: int) -> dict[str, float]:
    """Return the figures of one setting."""
    job = setting.job
    batch = draw_batch(setting.run.pairs, job, setting.stage.name, 0, 0.0)
    bare_step_s(setting, batch, WARM_UP_STEPS + 2)
    bare, ours = [], []
    for number in range(rounds):
        bare.append(bare_step_s(setting, batch, num_steps))
        ours.append(trainer_step_s(setting, number, num_steps))
    bare_s, ours_s = (statistics.median(wall for wall, _ in times) for times in (bare, ours))
    ratios = [b[0] / o[0] for b, o in zip(bare, ours, strict=True)]
    cpu_ratios = [b[1] / o[1] for b, o in zip(bare, ours, strict=True)]
    log = [entry for entry in read_log(setting.run.folder.path) if entry["step"] > FIRST_LOG_STEP]
    waiting = [entry["waiting_share"] for entry in log]
    eaten = job.optimizer.batch_size / ours_s
    drawn = loader_samples_per_s(setting, 12)
    figures = {
        "bare_step_ms": 1e3 * bare_s,
        "trainer_step_ms": 1e3 * ours_s,
        "bare_over_trainer": statistics.median(ratios),
        "bare_over_trainer_cpu": statistics.median(cpu_ratios),
        "waiting_share": statistics.median(waiting),
        "eaten_samples_per_s": eaten,
        "loader_samples_per_s": drawn,
        "loader_over_eaten": drawn / eaten,
    }
    if job.num_loader_workers:
        figures["streamed_over_eaten"] = streamed_samples_per_s(setting, 60) / eaten
    return figures


def settings(args: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Setting]]:
    """Yield each way to train by its name."""
    for kind in args.pairs:
        data: Path | None = None
        for workers in args.workers:
            job = TrainJob.model_validate({"data": {"pairs": kind}, "num_loader_workers": workers})
            if data is None:
                data = write_data(folder / kind, args.scenes, job)
            run_folder = folder / f"run-{kind}-{workers}"
            yield f"{kind}, {workers} workers", settle(job, data, run_folder, args.stage)


def main() -> None:
    """Parse the options, measure, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=33, help="a round of each loop")
    parser.add_argument("--scenes", type=int, default=120)
    parser.add_argument("--stage", choices=("base", "adapter"), default="adapter")
    parser.add_argument("--pairs", nargs="+", default=["stored", "composed"])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, deterministic_torch(args.threads):
        found = {
            title: measure(setting, args.rounds, args.steps)
            for title, setting in settings(args, Path(name))
        }
    if args.json:
        print(json.dumps(found, indent=1))  # noqa: T201  # its output
        return
    for title, figures in found.items():
        shown = ", ".join(f"{key} {value:.3g}" for key, value in figures.items())
        print(f"{title}: {shown}")  # noqa: T201  # its output


if __name__ == "__main__":
    main()
