"""A user's own scenes, models and HDRIs, by manifest and command: good ones and broken ones."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from render.scene_files import list_scenes
from tests.command_line import cat

pytestmark = [pytest.mark.bpy, pytest.mark.slow]

HEAD = '[dataset]\nname = "mine"\nseed = 2\nannotations = ["mask"]\n'
BATCH = """
[[render]]
name = "{name}"
{files}
width_px = 48
height_px = 36
samples_per_pixel = 8

[render.attributes]
{plans}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of scenes, models and HDRIs as a user may have it."""
    from tests.render import asset_files as make

    folder = tmp_path_factory.mktemp("files")
    for name in ("scenes", "models", "hdris"):
        (folder / name).mkdir()
    scenes = folder / "scenes"
    make.make_blend(scenes / "a_good.blend")
    make.make_blend_without_texture(scenes / "b_texture.blend")
    make.make_simple_blend(scenes / "c_empty.blend", has_mesh=False)
    make.make_simple_blend(scenes / "d_camera.blend", has_camera=False)
    make.make_newer_blend(scenes / "e_newer.blend")
    make.make_truncated_blend(scenes / "f_cut.blend")
    make.make_glb(folder / "models" / "jar.glb")
    make.make_hdri(folder / "hdris" / "sky.exr")
    return folder


def _run(folder: Path, name: str, lines: str, plans: str) -> tuple[int, str, list[dict[str, Any]]]:
    manifest = folder / f"{name}.toml"
    manifest.write_text(HEAD + BATCH.format(name=name, files=lines, plans=plans))
    out = folder / f"out-{name}"
    run = cat("render", str(manifest), "--out", str(out), "--workers", "1")
    rows = pq.read_table(out / "index.parquet").to_pylist()
    return run.returncode, run.stderr, rows


def test_broken_scenes_cost_themselves_and_nothing_else(files: Path) -> None:
    """Five broken .blend files are five rows with their reasons; the good one gives its pairs."""
    plans = "exposure = { num_pairs = 2 }\nlight_power = { num_pairs = 2 }\n"
    plans += "object_rotation = { sweep = [0.0, 30.0], num_pairs = 2 }"

    code, said, rows = _run(files, "scenes", 'blends = "scenes"', plans)

    assert code == 1
    failed = {row["origin"]["unit_id"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert list(failed) == [f"scenes-000{number}" for number in range(1, 6)]
    for reason, words in zip(
        failed.values(), ("texture", "mesh", "camera", "Blender 9", "blend"), strict=True
    ):
        assert words in reason
        assert ".blend" in reason
        assert str(files) not in said.split("scenes-0001")[0]
    ok = [row for row in rows if row["status"] == "ok"]
    assert {row["attribute"] for row in ok} == {"exposure", "light_power", "object_rotation"}
    assert {row["scene"] for row in ok} == {"scenes-0000"}


def test_models_and_hdris_make_scenes_on_a_table(files: Path) -> None:
    """The main object is the user's, the light all around as well; material edits work on it."""
    lines = 'models = "models"\nhdris = "hdris"\nnum_scenes = 1'
    plans = "exposure = { num_pairs = 1 }\nbase_hue = { sweep = [0.0, 90.0], num_pairs = 2 }"

    code, said, rows = _run(files, "models", lines, plans)

    assert code == 0, said
    assert {row["attribute"] for row in rows if row["status"] == "ok"} == {"exposure", "base_hue"}


def test_other_files_are_another_data_set(files: Path) -> None:
    """A folder whose scenes changed does not pass as a resumed run."""
    lines = 'models = "models"\nnum_scenes = 1'
    _run(files, "changed", lines, "exposure = { num_pairs = 1 }")
    model = files / "models" / "jar.glb"
    data = model.read_bytes()
    try:
        model.write_bytes(data + b"    ")
        run = cat("render", str(files / "changed.toml"), "--out", str(files / "out-changed"))
    finally:
        model.write_bytes(data)

    assert run.returncode == 1
    assert "holds a data set of another manifest" in run.stderr


def test_every_scene_draws_its_own_files(files: Path) -> None:
    """One model and one HDRI a scene, by name and seed; an empty folder is an error at once."""
    job = DatasetJob(name="mine", seed=2)
    render_source = RenderSource(
        name="b",
        models=Path("models"),
        hdris=Path("hdris"),
        num_scenes=3,
        width_px=16,
        height_px=16,
        attributes={"exposure": PairPlan()},
    )

    scenes = list_scenes(job, render_source.located(files))

    assert list(scenes) == ["b-0000", "b-0001", "b-0002"]
    assert {found.model for found in scenes.values()} == {files / "models" / "jar.glb"}
    assert "jar.glb" in next(iter(scenes.values())).content()
    with pytest.raises(JobError, match="holds no models"):
        list_scenes(
            job, render_source.located(files).model_copy(update={"models": files / "hdris"})
        )
