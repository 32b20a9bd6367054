"""Brackets of the simulated camera, and the real files where they are at hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rawpy
from numpy.typing import NDArray

from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.system.seeding import derive_rng
from dslr.develop.develop import Linear
from dslr.simulator.simulated_camera import write_series

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
    """Write a simulated series of the scene `name`; `settings` are fields of the camera.

    Frames are 128x96 px unless they say otherwise. A rendered series (f-numbers, focal lengths,
    focus distances) gets the same picture for each value: its settings and its light are true, its
    depth of field and its sizes are not.
    """
    camera = SimulatedCamera.model_validate({"width_px": 128, "height_px": 96, **settings})
    margins = 2 * camera.margin_px
    light_HW3 = scene_light(name, camera.height_px + margins, camera.width_px + margins)
    pictures = [light_HW3] * len(camera.values)
    rng = derive_rng(0, "test-sensor", name)
    return write_series(folder, pictures, camera, rng, name=name, number=number)


def read_truth(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what is written down of each frame of one simulated series."""
    name = paths[0].stem.rsplit("-", 1)[0]
    frames: list[dict[str, Any]] = json.loads(paths[0].with_name(f"{name}.truth.json").read_text())[
        "frames"
    ]
    return frames


def read_signal(path: Path) -> NDArray[np.float64]:
    """Return a file's mosaic in DN above black, float64 (H, W)."""
    with rawpy.imread(str(path)) as raw:
        return raw.raw_image_visible.astype(np.float64) - raw.black_level_per_channel[0]


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
