"""How tests photograph and ingest one series: the ingester's own steps, without its workers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.records import Pair, UnitResult
from cat_dataset.system.seeding import derive_rng
from dslr.develop.develop import Linear
from dslr.files.metadata import read_metadata
from dslr.files.raw_file import Mosaic, open_raw, read_mosaic
from dslr.grouping.bursts import Capture
from dslr.grouping.series import ATTRIBUTE_OF_KIND, SeriesKind
from dslr.ingest import ingest_captures
from dslr.simulator.sensor import SENSOR, bayer_mosaic, camera_rgb, expose
from dslr.simulator.simulated_camera import write_series
from dslr.sweeps.develop_bursts import ReadGroup, read_group
from dslr.sweeps.series_frames import SeriesName

NAME = SeriesName("shots-0000", "train")
DATASET = DatasetJob(name="bench", seed=2, annotations=("moving",))


def photograph_pictures(
    folder: Path, pictures: Sequence[Linear], name: str = "set", **settings: object
) -> tuple[Path, ...]:
    """Write a simulated series, one picture for each value; they leave even frames."""
    height_px, width_px = pictures[0].shape[:2]
    camera = SimulatedCamera.model_validate(
        {"width_px": width_px, "height_px": height_px, **settings}
    )
    rng = derive_rng(0, "bench-sensor", name)
    return write_series(folder, list(pictures), camera, rng, name=name, number=0)


def captures_of(
    paths: Sequence[Path], stated: Sequence[float] | None = None
) -> tuple[Capture, ...]:
    """Return captures with what their files say, and what captures.toml would say of them."""
    values = [None] * len(paths) if stated is None else stated
    return tuple(
        Capture(path, path.name, read_metadata(path), value)
        for path, value in zip(paths, values, strict=True)
    )


def read_series(captures: Sequence[Capture], kind: SeriesKind, side_px: int = 1024) -> ReadGroup:
    """Return the frames of a series, read as the ingester reads them."""
    return read_group(captures, kind, side_px, NAME.unit_id)


def ingest_series(
    captures: Sequence[Capture], kind: SeriesKind, num_pairs: int = 60, **dataset: Any
) -> UnitResult:
    """Return everything that a series yields: its own pairs only, none computed of one frame."""
    attributes = {ATTRIBUTE_OF_KIND[kind]: {"num_pairs": num_pairs}}
    if kind == "lamp":
        attributes["ambient_level"] = {"num_pairs": num_pairs}
    capture_source = CaptureSource.model_validate(
        {"name": "shots", "folder": captures[0].path.parent, "attributes": attributes}
    )
    job = DATASET.model_copy(update=dataset)
    return ingest_captures(job, capture_source, NAME.unit_id, NAME.unit_id, kind, captures)


def series_pairs(result: UnitResult) -> list[Pair]:
    """Return the pairs of real frames, not those computed of one."""
    return [pair for pair in result.pairs if "-single-" not in pair.key]


def reasons_of(result: UnitResult) -> str:
    """Return why frames and pairs were left out, a line each."""
    return "\n".join(row.reason for row in result.rejections)


def mosaic_of(path: Path) -> Mosaic:
    """Return the sensor values of a file."""
    with open_raw(path) as raw:
        return read_mosaic(raw, path)


def mosaic_from(values_HW: NDArray[np.uint16]) -> Mosaic:
    """Return RGGB sensor values as if they had been read from a file."""
    return Mosaic(
        planes_PHW=np.stack([values_HW[y::2, x::2] for y in range(2) for x in range(2)]),
        channel_P=(0, 1, 1, 2),
        black_P=np.full(4, float(SENSOR.black_level)),
        white_P=np.full(4, float(SENSOR.white_level)),
        period=2,
    )


def exposed(
    light_HW3: Linear, rng: np.random.Generator, *, iso: int = 100, full_scale: float = 0.5
) -> Mosaic:
    """Return what the simulated sensor records of light; 1 = `full_scale` of white in green."""
    mean_e_HW = bayer_mosaic(camera_rgb(light_HW3)) * full_scale * SENSOR.white_e(iso)
    return mosaic_from(expose(mean_e_HW, iso, rng))
