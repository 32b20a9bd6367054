"""Rendered sweeps, photographed and ingested, agree with what the renderer made of them."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.pipeline.simulate_captures import photograph_light
from cat_dataset.records import Pair, Sweep
from dslr.simulator.camera_settings import series_values, true_f_numbers
from dslr.units import ingest_unit, scan_folder
from render.units import render_camera_sweep

DATASET = DatasetJob(name="both", seed=4)
SIZE = {"num_brackets": 1, "width_px": 128, "height_px": 96, "samples_per_pixel": 16}

pytestmark = [pytest.mark.bpy, pytest.mark.slow]


def both(folder: Path, attribute: str, camera: SimulatedCamera) -> tuple[Sweep, list[Pair]]:
    """Return what was rendered, and the pairs of its photographs."""
    (f_number,) = true_f_numbers([camera.f_number])
    sweep = render_camera_sweep(DATASET, camera, 0, series_values(camera), f_number=f_number)
    photograph_light(folder, sweep, DATASET, camera, 0)
    capture_source = CaptureSource(
        name="shots", folder=folder, attributes={attribute: PairPlan(num_pairs=12)}
    )
    (group,) = scan_folder(capture_source, num_workers=1)
    result = ingest_unit(DATASET, capture_source, group)
    return sweep, [pair for pair in result.pairs if pair.edits[0].attribute == attribute]


def test_a_zoom_is_measured_as_the_lens_was_set(tmp_path: Path) -> None:
    """The magnification of all pairs, from pixels, within half a percent."""
    camera = SimulatedCamera(series="focal_length", focal_lengths_mm=(40.0, 55.0, 75.0), **SIZE)

    sweep, pairs = both(tmp_path, "focal_length", camera)

    assert len(pairs) == 6
    set_mm = [frame.absolute_value for frame in sweep.frames]
    for pair in pairs:
        (edit,) = pair.edits
        assert {edit.source_value, edit.target_value} < set(set_mm)
        true = math.log2((edit.target_value or 0.0) / (edit.source_value or 1.0))
        assert edit.value == pytest.approx(true, abs=math.log2(1.005))


def test_photographs_of_an_aperture_series_look_like_the_renders(tmp_path: Path) -> None:
    """Frame by frame the developed light is the rendered light, but for one gain and noise."""
    camera = SimulatedCamera(series="aperture", f_numbers=(2.0, 5.6, 16.0), **SIZE)

    sweep, pairs = both(tmp_path, "aperture", camera)

    assert len(pairs) >= 4
    stops = {frame.absolute_value: frame.axis_value for frame in sweep.frames}
    rendered = {f"{number:g}": frame.linear_HW3 for number, frame in enumerate(sweep.frames)}
    for pair in pairs:
        (edit,) = pair.edits
        assert min(abs(edit.value - (b - a)) for a in stops.values() for b in stops.values()) < 1e-6
        for which, png in (("source", pair.source_png), ("target", pair.target_png)):
            number = Path(pair.origin[which]["file"]).stem.rsplit("-", 1)[1]
            assert relative_error(decode_display(decode_png(png)), rendered[number]) < 0.03


def relative_error(shown_HW3: NDArray[np.float32], light_HW3: NDArray[np.float32]) -> float:
    """Return by how much two pictures differ where neither clips, after one common gain.

    Compared in areas of two filter cells a side: finer detail the sensor's filters do not resolve.
    """
    green, light = (
        picture[..., 1].astype(np.float64).reshape(24, 4, 32, 4).mean(axis=(1, 3))
        for picture in (shown_HW3, light_HW3)
    )
    brightest = shown_HW3[..., 1].reshape(24, 4, 32, 4).max(axis=(1, 3))
    clear = (green > 0.05) & (brightest < 0.95)
    gain = float(np.median(green[clear] / light[clear]))
    return float(np.sqrt(np.mean((green[clear] / (gain * light[clear]) - 1.0) ** 2)))
