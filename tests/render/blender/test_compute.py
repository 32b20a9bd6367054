"""A device is used or refused, never exchanged for another in silence."""

import pytest

from cat_dataset.errors import SceneError
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from tests.command_line import cat
from tests.render.built_scene import build_scene

pytestmark = pytest.mark.bpy

GPUS = ("CUDA", "OPTIX", "HIP", "ONEAPI", "METAL")


def _has(device: str) -> bool:
    from render.blender.compute import check_device

    try:
        check_device(device)
    except SceneError:
        return False
    return True


@pytest.mark.parametrize("device", GPUS)
def test_a_device_that_is_not_there_is_an_error(
    device: str, dataset_job: DatasetJob, tiny_source: RenderSource
) -> None:
    """The message names the device and the remedy; no picture is made on the CPU instead."""
    from render.units import render_unit

    if _has(device):
        pytest.skip(f"this machine has {device}")
    render_source = tiny_source.model_copy(update={"device": device})

    with pytest.raises(SceneError, match=rf"device {device}: .*CPU.* in the manifest"):
        render_unit(dataset_job, render_source, "tiny-0000")


def test_the_cpu_is_always_there() -> None:
    """And a scene that is set up for it renders on it."""
    from render.blender.compute import check_device
    from render.blender.renderer import apply_settings

    check_device("CPU")
    built, settings = build_scene()
    apply_settings(built.scene, settings)

    assert settings.device == "CPU"
    assert built.scene.cycles.device == "CPU"


@pytest.mark.slow
def test_a_run_says_at_once_that_its_device_is_missing(tmp_path: object) -> None:
    """One error before the first scene, not one per scene."""
    from pathlib import Path

    if _has("CUDA"):
        pytest.skip("this machine has CUDA")
    folder = Path(str(tmp_path))
    text = (Path(__file__).parents[3] / "manifests" / "tiny.toml").read_text()
    manifest = folder / "gpu.toml"
    manifest.write_text(text.replace("num_scenes = 2", 'num_scenes = 2\ndevice = "CUDA"'))

    run = cat("render", str(manifest), "--out", str(folder / "out"))

    assert run.returncode == 1
    assert "device CUDA" in run.stderr
    assert not (folder / "out" / "index.parquet").exists()
