"""Brackets of the simulated camera, and the real files where they are at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cat_dataset.batches import SimulatedCamera
from cat_dataset.seeding import derive_rng
from dslr.develop import Linear
from dslr.simulated_camera import write_bracket

RAW_FOLDER = Path(__file__).parents[3] / "shared" / "raw"


def scene_light(name: str, height_px: int = 96, width_px: int = 128) -> Linear:
    """Return a scene of coloured discs on a ground with falling light, and one lamp that clips."""
    rng = derive_rng(0, "test-scene", name)
    columns = np.linspace(0.4, 1.4, width_px, dtype=np.float32)
    light_HW3 = np.repeat(0.2 * columns[None, :, None], height_px, axis=0).repeat(3, axis=2)
    for _ in range(30):
        colour = rng.uniform(0.05, 0.8, 3).tolist()
        centre = int(rng.integers(width_px)), int(rng.integers(height_px))
        cv2.circle(light_HW3, centre, int(rng.integers(3, 15)), colour, -1)
    cv2.circle(light_HW3, (width_px // 4, height_px // 4), 4, (6.0, 6.0, 6.0), -1)
    return cv2.GaussianBlur(light_HW3, (0, 0), 0.8).astype(np.float32)


def photograph(
    folder: Path, name: str = "set", number: int = 0, **settings: object
) -> tuple[Path, ...]:
    """Write a simulated bracket of the scene `name`; `settings` are fields of the camera."""
    camera = SimulatedCamera.model_validate(settings)
    rng = derive_rng(0, "test-sensor", name)
    return write_bracket(folder, scene_light(name), camera, rng, name=name, number=number)


@pytest.fixture(scope="session")
def bracket(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Three frames, two stops apart, the brightest first."""
    return photograph(tmp_path_factory.mktemp("bracket"))


@pytest.fixture(scope="session")
def raw_folder() -> Path:
    """The folder of real RAW files."""
    if not RAW_FOLDER.is_dir():
        pytest.skip(f"real RAW files are not in {RAW_FOLDER}")
    return RAW_FOLDER
