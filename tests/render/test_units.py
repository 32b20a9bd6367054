"""Units of work: pure functions of their arguments, light to list."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import render
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.splits import split_of
from cat_dataset.light.light_state import base_state, light_frame
from render.scene_files import list_scenes
from render.units import render_basis, render_camera_scene, render_camera_sweep, render_unit


def test_listing_units_does_not_load_blender() -> None:
    """The command line lists units without the render extra."""
    code = "import sys, render.units; sys.exit('bpy' in sys.modules)"

    finished = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=Path(render.__file__).parents[1]
    )

    assert finished.returncode == 0


def test_units_are_named_after_their_batch(tiny_source: RenderSource) -> None:
    """The unit id is the scene's name and sorts in order."""
    assert tuple(list_scenes(DatasetJob(name="a", seed=1), tiny_source)) == (
        "tiny-0000",
        "tiny-0001",
        "tiny-0002",
        "tiny-0003",
    )


@pytest.mark.bpy
def test_a_unit_gives_the_same_bytes_twice(
    dataset_job: DatasetJob, tiny_source: RenderSource
) -> None:
    """Another scene in between changes nothing."""
    first = render_unit(dataset_job, tiny_source, "tiny-0001")
    render_unit(dataset_job, tiny_source, "tiny-0002")
    second = render_unit(dataset_job, tiny_source, "tiny-0001")

    assert len(first.pairs) == 4
    assert first == second


@pytest.mark.bpy
def test_another_seed_gives_another_scene(
    dataset_job: DatasetJob, tiny_source: RenderSource
) -> None:
    """The data set's seed reaches the scene."""
    other = dataset_job.model_copy(update={"seed": dataset_job.seed + 1})

    first, second = (
        render_basis(job, tiny_source, "tiny-0001").images_GHW3 for job in (dataset_job, other)
    )

    assert not np.allclose(first, second, rtol=0.1)


@pytest.mark.bpy
def test_a_pair_knows_how_it_was_made(dataset_job: DatasetJob, tiny_source: RenderSource) -> None:
    """The origin names producer, seed, Blender and settings, and the split is the scene's."""
    result = render_unit(dataset_job, tiny_source, "tiny-0000")

    pair = result.pairs[0]
    assert pair.split == split_of(dataset_job, "tiny-0000")
    assert pair.origin["producer"] == "render"
    assert pair.origin["family"] == "tabletop"
    assert pair.origin["render_settings"]["samples_per_pixel"] == 4
    assert set(pair.origin["light_power_w"]) == {"key", "fill"}
    assert {"seed", "versions", "device", "denoiser", "f_number", "focal_length_mm"} <= set(
        pair.origin
    )


@pytest.mark.bpy
def test_a_simulated_camera_gets_its_scenes_in_its_size(dataset_job: DatasetJob) -> None:
    """Each bracket has a scene of its own, linear and in the sensor's proportions."""
    camera = SimulatedCamera(num_brackets=2, width_px=48, height_px=32, samples_per_pixel=2)

    first, second = (render_camera_scene(dataset_job, camera, index) for index in range(2))

    frame = light_frame(first, base_state(first))
    assert frame.shape == (32, 48, 3)
    assert (first.scene, second.scene) == ("simulated-0000", "simulated-0001")
    assert not np.array_equal(first.images_GHW3, second.images_GHW3)


@pytest.mark.bpy
def test_a_simulated_camera_gets_a_frame_for_each_focal_length_with_its_margin(
    dataset_job: DatasetJob,
) -> None:
    """The values are those asked for, the pictures differ, and the lens is said where it stays."""
    camera = SimulatedCamera(
        series="focal_length",
        focal_lengths_mm=(40.0, 65.0),
        num_brackets=1,
        width_px=64,
        height_px=48,
        samples_per_pixel=4,
        shake_px=1.0,
    )

    sweep = render_camera_sweep(dataset_job, camera, 0, camera.values, f_number=8.0)

    margins = 2 * camera.margin_px
    assert sweep.scene == "simulated-0000"
    assert [frame.absolute_value for frame in sweep.frames] == [40.0, 65.0]
    assert sweep.frames[0].linear_HW3.shape == (48 + margins, 64 + margins, 3)
    assert not np.allclose(sweep.frames[0].linear_HW3, sweep.frames[1].linear_HW3, rtol=0.1)
    assert sweep.origin["focal_length_mm"] > 0.0
