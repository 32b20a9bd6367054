"""Blender's own output is kept out of ours, and read for trouble."""

import os
from pathlib import Path

import pytest

from cat_dataset.errors import SceneError
from tests.command_line import cat

pytestmark = pytest.mark.bpy


def test_output_of_c_code_is_collected(capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes written to the descriptors end in the log and not on the terminal."""
    from render.blender.session import captured_output

    with captured_output() as log:
        os.write(1, b"Fra:1 Mem:20M\n")
        os.write(2, b"a warning\n")

    assert log.text == "Fra:1 Mem:20M\na warning\n"
    assert capfd.readouterr() == ("", "")


def test_output_is_given_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """The descriptors work again even where the code inside failed."""
    from render.blender.session import captured_output

    with pytest.raises(ValueError, match="inside"), captured_output():
        raise ValueError("inside")  # noqa: EM101  # not an error of CAT
    os.write(1, b"back\n")

    assert capfd.readouterr().out == "back\n"


@pytest.mark.slow
def test_a_workers_log_holds_what_blender_printed(tmp_path: Path) -> None:
    """Scene by scene, under the unit's name; the run's own output stays clean."""
    manifest = Path(__file__).parents[3] / "manifests" / "tiny.toml"

    run = cat("render", str(manifest), "--out", str(tmp_path), "--workers", "1")

    log = (tmp_path / "logs" / "worker-0.log").read_text()
    assert run.returncode == 0, run.stderr
    assert log.index("== tiny-0000") < log.index("== tiny-0001")
    ours = ("== ", "rendered ", "holds ")
    assert [line for line in log.splitlines() if line and not line.startswith(ours)]
    assert "Fra:" not in run.stdout + run.stderr


def test_trouble_in_the_log_becomes_an_error() -> None:
    """A missing texture stops the scene, and the message quotes Blender."""
    from render.blender.session import BlenderLog

    with pytest.raises(SceneError, match=r"Missing texture: wood\.png"):
        BlenderLog("Fra:1\nMissing texture: wood.png\n").check("scene a-0001")


def test_a_quiet_log_passes() -> None:
    """Ordinary chatter is no error."""
    from render.blender.session import BlenderLog

    BlenderLog("Fra:1 Mem:20M | Sample 4/4\nSaved nothing\n").check("scene a-0001")


def test_a_fresh_scene_is_empty() -> None:
    """Nothing of an earlier scene is left after a reset."""
    import bpy

    from render.blender.session import fresh_scene

    bpy.data.meshes.new("left over")

    scene = fresh_scene()

    assert len(scene.objects) == 0
    assert len(bpy.data.meshes) == 0
