"""How long 1,000 edits of the compact model take to make and to read; the goal is 300 s on 2 cores.

    OMP_NUM_THREADS=2 python benchmarks/evaluation_speed.py [ADAPTER DATASET]

Without arguments a data set of synthetic scenes is composed, and a model of the demo's size is
"trained" for two steps: how fast it edits does not depend on what it learned. The model alone is
timed apart from the whole run, which also asks the base's words, copy, blend and oracle.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.jobs.manifest import DatasetJob, EvaluateJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import AdapterSettings, CompactSettings
from cat_dataset.records import LightBasis, LightGroup
from cat_dataset.scoring.protocol import run_protocol
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from cat_dataset.system.progress import SilentProgress
from cat_dataset.system.seeding import derive_rng
from train.edit.editing import load_editor
from train.evaluate.evaluated_models import AdapterEditor
from train.evaluate.evaluation import evaluate_editor, plan_evaluation
from train.loop.loop import run_training

ATTRIBUTES = ("exposure", "white_balance", "light_power", "light_temperature")
NUM_SCENES, SIZE_PX = 60, 72
GOAL_S = 300.0


def main() -> None:
    """Print seconds per 1,000 edits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) == 3:
            adapter, data = map(Path, sys.argv[1:])
        else:
            data = write_data(folder / "data")
            job = TrainJob(
                attributes=ATTRIBUTES,
                base=CompactSettings(num_steps=2),
                adapter=AdapterSettings(num_steps=2),
            )
            adapter = run_training(job, [data], folder / "run", num_threads=2)
        editor = load_editor(adapter)
        dataset = PairDataset([data], splits=("test",), attributes=tuple(editor.tasks))
        job = EvaluateJob()
        plan = plan_evaluation(editor, dataset, job)
        started = time.perf_counter()
        run_protocol(
            CaseReader(dataset), plan, [AdapterEditor("adapter", editor)], job, SilentProgress()
        )
        model_s = time.perf_counter() - started
        started = time.perf_counter()
        evaluate_editor(editor, dataset, job, folder / "report", SilentProgress())
        whole_s = time.perf_counter() - started
    per_thousand = 1000.0 / len(plan)
    lines = (
        f"{len(plan)} edits of pictures of {dataset.rows[0].width_px} px",
        f"model alone, per 1,000 edits: {model_s * per_thousand:.0f} s (goal {GOAL_S:.0f} s)",
        f"with words and baselines, per 1,000 edits: {whole_s * per_thousand:.0f} s",
    )
    sys.stdout.write("\n".join(lines) + "\n")


def write_data(folder: Path) -> Path:
    """Write a data set of scenes under a lamp and a sky, a third of them for training."""
    plans = {name: PairPlan(num_pairs=4) for name in ATTRIBUTES}
    dataset = DatasetJob(name="speed", seed=1)
    staged = []
    for number in range(NUM_SCENES):
        result = compose_basis(light_basis(number), plans, dataset)
        staged.append(staged_table(result, producer="test", unit_id=f"s{number}", origin={}))
    write_shard(shard_path(folder, 0), staged)
    write_index(folder, [shard_path(folder, 0)])
    return folder


def light_basis(number: int) -> LightBasis:
    """Return a scene of smooth random colours, a lamp from one side, and a sky."""
    rng = derive_rng(0, "speed", number)
    row, column = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX
    waves = [np.sin(6 * row * a + b) * np.cos(6 * column * b - a) for a, b in rng.random((3, 2))]
    surface_HW3 = 0.45 + 0.3 * np.stack(waves, axis=-1)
    images = np.stack([surface_HW3 * (0.1 + column)[..., None], 0.4 * surface_HW3])
    groups = (LightGroup("key", "lamp", 3200.0), LightGroup("world", "ambient", None))
    split = "test" if number % 3 else "train"
    return LightBasis(f"scene-{number}", split, groups, images.astype(np.float32), main_lamp="key")


if __name__ == "__main__":
    main()
