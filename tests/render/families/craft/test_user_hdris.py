"""HDRIs that users bring: read, refused with the reason, and lighting a scene as asked."""

import math
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import JobError, SceneError
from tests.render.asset_files import make_hdri, sky_pixels

pytestmark = pytest.mark.bpy


@pytest.mark.parametrize("name", ["sky.hdr", "sky.exr"])
def test_an_hdri_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    """Both formats give scene-linear pixels; RGBE keeps 8 bits of each."""
    from render.families.craft.user_hdris import hdri_pixels, load_user_hdri

    image = load_user_hdri(make_hdri(tmp_path / name))

    assert np.allclose(hdri_pixels(image), sky_pixels(), rtol=0.012, atol=0.004)


def test_a_sun_does_not_decide_the_usual_radiance(tmp_path: Path) -> None:
    """One pixel of 4000 among ordinary ones leaves the scale of the light alone."""
    from render.families.craft.user_hdris import hdri_pixels, load_user_hdri, usual_radiance

    image = load_user_hdri(make_hdri(tmp_path / "sky.exr"))

    assert 0.1 < usual_radiance(image) < 0.6
    assert hdri_pixels(image).mean() > 5.0


def _with_pixel(value: float) -> np.ndarray:
    pixels = sky_pixels()
    pixels[3, 5, 1] = value
    return pixels


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.ones((16, 16, 3), np.float32), "16 x 16 px.*twice as wide"),
        (np.zeros((8, 16, 3), np.float32), "is black"),
        (_with_pixel(math.nan), r"1 pixel\(s\) are not finite"),
        (_with_pixel(math.inf), r"1 pixel\(s\) are not finite"),
        (_with_pixel(-3e3), "of its light is negative, at most 1 %"),
    ],
)
def test_an_hdri_that_would_light_wrongly_is_refused(
    tmp_path: Path, pixels: np.ndarray, reason: str
) -> None:
    """Aspect, darkness and impossible pixels are named, with the file."""
    from render.families.craft.user_hdris import load_user_hdri

    path = make_hdri(tmp_path / "odd.exr", pixels)

    with pytest.raises(SceneError, match=rf"odd\.exr: .*{reason}"):
        load_user_hdri(path)


def test_a_trace_of_negative_light_is_taken_for_none(tmp_path: Path) -> None:
    """Scaling leaves a little in good HDRIs, Blender's own among them."""
    from render.families.craft.user_hdris import hdri_pixels, load_user_hdri

    image = load_user_hdri(make_hdri(tmp_path / "scaled.exr", _with_pixel(-0.01)))

    assert hdri_pixels(image).min() < 0.0


def test_an_hdri_that_is_a_text_file_is_refused(tmp_path: Path) -> None:
    """The message names the file and the formats that work."""
    from render.families.craft.user_hdris import load_user_hdri

    path = tmp_path / "notes.hdr"
    path.write_text("buy milk\n")

    with pytest.raises(SceneError, match=r"notes\.hdr: .*cannot read.*\.hdr or \.exr"):
        load_user_hdri(path)
    with pytest.raises(SceneError, match=r"nowhere\.exr: no such file"):
        load_user_hdri(tmp_path / "nowhere.exr")


def test_the_hdris_of_a_folder_are_sorted_and_nothing_else(tmp_path: Path) -> None:
    """Folders below count, hidden files and other kinds do not; an empty folder is an error."""
    from render.families.craft.user_hdris import list_hdris

    for name in ("b.hdr", "a.EXR", "inner/c.exr", ".hidden.exr", "readme.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    empty = tmp_path / "empty"
    empty.mkdir()

    names = [path.relative_to(tmp_path).as_posix() for path in list_hdris(tmp_path)]

    assert names == ["a.EXR", "b.hdr", "inner/c.exr"]
    with pytest.raises(JobError, match=r"empty: holds no HDRIs.*\.exr, \.hdr"):
        list_hdris(empty)
    with pytest.raises(JobError, match=r"nowhere: does not exist"):
        list_hdris(tmp_path / "nowhere")


@pytest.mark.parametrize("brightness", [0.02, 50.0])
def test_a_world_gives_the_asked_irradiance_whatever_the_files_scale(
    tmp_path: Path, brightness: float
) -> None:
    """A level grey surface shows the irradiance, from a dim file as from a bright one."""
    from cat_dataset.imaging.photometry import luminance
    from render.blender.renderer import RenderSettings, apply_settings, render_passes
    from render.blender.session import fresh_scene
    from render.families.craft.stage import World, add_camera, add_world
    from render.scene import CameraPose
    from tests.render.asset_files import add_box, new_material

    path = make_hdri(tmp_path / "sky.exr", sky_pixels(128) * np.float32(brightness))
    scene = fresh_scene()
    floor = add_box(scene, "Floor", (50.0, 50.0, 0.1), (0.0, 0.0, -0.05))
    grey = new_material("grey", (0.5, 0.5, 0.5))
    grey.node_tree.nodes["Principled BSDF"].inputs["Specular IOR Level"].default_value = 0.0
    floor.data.materials.append(grey)
    add_camera(scene, CameraPose((0.0, 0.0, 1.0), (0.0, 0.01, 0.0), 200.0, 16.0, 1.0))

    add_world(scene, World("unused", 30.0, 3.0, 12.0, file=path))
    apply_settings(scene, RenderSettings(8, 8, 256, seed=1))
    picture = render_passes(scene)["Combined"][..., :3]

    irradiance = float(luminance(picture).mean()) * math.pi / 0.5
    assert irradiance == pytest.approx(3.0, rel=0.05)
