"""Linear light with a known answer, small enough to compose in milliseconds."""

import numpy as np
import pytest

from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.records import LightBasis, LightGroup
from cat_dataset.scoring.evaluation import EvaluationReport
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.system.seeding import derive_rng


def make_light_basis(scene: str, size_px: int = 48) -> LightBasis:
    """Return two lamps and a sky on a textured ground; every pixel gets light from each."""
    rng = derive_rng(0, "test-basis", scene)
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px
    albedo_HW3 = rng.uniform(0.15, 0.8, (size_px, size_px, 3))
    row, column = rng.uniform(0.2, 0.8, 2)
    key = np.exp(-4.0 * ((rows - row) ** 2 + (columns - column) ** 2))[..., None]
    fill = (0.1 + 0.2 * columns)[..., None]
    sky = np.full((size_px, size_px, 1), 0.15)
    images = np.stack([albedo_HW3 * light for light in (key, fill, sky)])
    return LightBasis(
        scene=scene,
        split="train",
        groups=(
            LightGroup("key", "lamp", 3200.0, power_w=60.0),
            LightGroup("fill", "lamp", 5600.0, power_w=20.0),
            LightGroup("sky", "ambient", None),
        ),
        images_GHW3=images.astype(np.float32),
        main_lamp="key",
        origin={"seed": 0},
    )


@pytest.fixture
def light_basis() -> LightBasis:
    """Return one light basis."""
    return make_light_basis("scene-a")


@pytest.fixture
def dataset_job() -> DatasetJob:
    """Return what the units of a small data set share."""
    return DatasetJob(name="small", seed=3, units_per_shard=2, unit_timeout_s=60.0)


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> PairDataset:
    """Held-out pairs of light and of a lens, of four scenes; not to be changed."""
    from tests.cat_dataset.scored_data import write_scored_data  # which imports this module

    return write_scored_data(tmp_path_factory.mktemp("scored"))


@pytest.fixture(scope="session")
def exact_light_report(held_out: PairDataset) -> EvaluationReport:
    """What an editor without error scores on all attributes of light."""
    from tests.cat_dataset.scored_data import LIGHT, exact, report_of

    return report_of(held_out, exact, LIGHT)
