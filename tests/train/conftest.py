"""A small data set in real shards, made by the core's own composer, and a job that fits it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import AdapterSettings, CompactSettings, OptimizerSettings
from cat_dataset.records import LightBasis, LightGroup, Split, UnitResult
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from cat_dataset.system.seeding import derive_rng
from train.edit.editing import Editor, load_editor
from train.loop.loop import run_training

SIZE_PX = 32
ATTRIBUTES = ("exposure", "white_balance", "light_power")


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set of 16 scenes with 3 pairs per attribute."""
    dataset = DatasetJob(name="tiny", seed=1)
    plans = {name: PairPlan(num_pairs=3) for name in ATTRIBUTES}
    results = [compose_basis(light, plans, dataset) for light in scenes()]
    return write_dataset(tmp_path_factory.mktemp("data"), results)


@pytest.fixture(scope="session")
def linear_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set of the same scenes' linear light."""
    results = [UnitResult(linear=(encode_linear(light),)) for light in scenes()]
    return write_dataset(tmp_path_factory.mktemp("linear"), results)


def scenes() -> list[LightBasis]:
    """Return the light of 16 scenes: 11 to train on, 2 to validate, 3 to test."""
    splits: list[Split] = ["train"] * 11 + ["val"] * 2 + ["test"] * 3
    return [light_basis(number, split) for number, split in enumerate(splits)]


def write_dataset(folder: Path, results: Sequence[UnitResult]) -> Path:
    """Write a data set of one shard and return its folder."""
    staged = [
        staged_table(result, producer="test", unit_id=f"scene-{number}", origin={})
        for number, result in enumerate(results)
    ]
    write_shard(shard_path(folder, 0), staged)
    write_index(folder, [shard_path(folder, 0)])
    return folder


@pytest.fixture
def job() -> TrainJob:
    """The smallest base, a few steps."""
    return tiny_job()


def tiny_job() -> TrainJob:
    """Return the smallest base, a few steps."""
    return TrainJob(
        attributes=ATTRIBUTES,
        base=CompactSettings(size_px=SIZE_PX, hidden_size=32, num_steps=6),
        adapter=AdapterSettings(num_steps=10),
        optimizer=OptimizerSettings(batch_size=4),
        checkpoint_every_steps=4,
    )


def light_basis(number: int, split: Split) -> LightBasis:
    """Return a scene of coloured blobs under a lamp from one side and ambient light."""
    rng = derive_rng(5, "scene", number)
    surface_HW3 = blobs(rng)
    lamp_W = np.linspace(0.1, 1.0, SIZE_PX)[:: 1 if rng.random() < 0.5 else -1]
    lamp_HW3 = surface_HW3 * lamp_W[None, :, None]
    images = np.stack([lamp_HW3, 0.4 * surface_HW3]).astype(np.float32)
    groups = (LightGroup("key", "lamp", 3200.0), LightGroup("world", "ambient", None))
    origin = {"producer": "test"}
    return LightBasis(f"scene-{number}", split, groups, images, main_lamp="key", origin=origin)


def blobs(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a reflectance in (0.1, 1), shape (SIZE_PX, SIZE_PX, 3), without fine detail."""
    row, column = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX
    reflectance = np.full((SIZE_PX, SIZE_PX, 3), rng.uniform(0.2, 0.6, 3))
    for _ in range(5):
        centre, radius = rng.random(2), rng.uniform(0.1, 0.3)
        distance2 = (row - centre[0]) ** 2 + (column - centre[1]) ** 2
        share = np.exp(-distance2 / radius**2)[..., None]
        reflectance = (1.0 - share) * reflectance + share * rng.uniform(0.1, 1.0, 3)
    return reflectance


@pytest.fixture(scope="session")
def run_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run long enough for numbers to do something visible."""
    folder = tmp_path_factory.mktemp("editing") / "run"
    job = tiny_job().with_settings(
        {"base.num_steps": 80, "adapter.num_steps": 120, "optimizer.batch_size": 8}
    )
    run_training(job, [data_folder], folder, num_threads=2)
    return folder


@pytest.fixture(scope="session")
def editor(run_folder: Path) -> Editor:
    """The editor of that run."""
    return load_editor(run_folder / "adapter")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny checkpoint of each pretrained base, in the diffusers layout."""
    from tests.train.tiny_pipelines import write_klein, write_kontext  # want the extra 'hub'

    root = tmp_path_factory.mktemp("checkpoints")
    return {"kontext": write_kontext(root / "kontext"), "klein": write_klein(root / "klein")}
