"""Models that users bring: one object each, of a size that stands on a table."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import JobError, SceneError
from tests.render.asset_files import (
    add_box,
    make_glb,
    make_hdri,
    make_obj,
    make_rigged_glb,
    new_material,
)

pytestmark = pytest.mark.bpy


def _loaded(path: Path) -> object:
    from render.assets.user_models import load_model
    from render.blender.session import fresh_scene

    fresh_scene()
    return load_model(path)


def _bounds(obj: object) -> np.ndarray:
    """Return the least and the largest vertex coordinates in the world, (2, 3)."""
    from render.assets.solid import vertices

    mesh, pose = obj.data, np.array(obj.matrix_world)  # type: ignore[attr-defined]  # an object
    places = vertices(mesh) @ pose[:3, :3].T + pose[:3, 3]
    return np.stack([places.min(axis=0), places.max(axis=0)])


def test_a_glb_becomes_one_object_on_the_table(tmp_path: Path) -> None:
    """Two meshes are joined with both materials, in place; its lamp and camera are left out."""
    import bpy

    model = _loaded(make_glb(tmp_path / "Red_Pot.glb"))

    low, high = _bounds(model.obj)
    assert [obj.type for obj in bpy.context.scene.objects] == ["MESH"]
    assert low == pytest.approx([-0.12, -0.12, 0.0], abs=1e-5)
    assert high == pytest.approx([0.12, 0.12, 0.3], abs=1e-5)  # the lid is on top
    assert {slot.material.name.split(".")[0] for slot in model.obj.material_slots} == {
        "paint",
        "lid",
    }
    assert (model.name, model.resized) == ("red pot", 1.0)
    assert model.notes == ("cameras: 1 removed", "lamps: 1 removed")


def test_an_obj_in_millimetres_becomes_20_cm_large(tmp_path: Path) -> None:
    """120 by 120 by 90 stands upright, scaled by the recorded factor, in its own texture."""
    model = _loaded(make_obj(tmp_path / "pyramid.obj"))

    low, high = _bounds(model.obj)
    assert model.resized == pytest.approx(0.2 / 120.0)
    assert low == pytest.approx([-0.1, -0.1, 0.0], abs=1e-5)
    assert high == pytest.approx([0.1, 0.1, 0.15], abs=1e-5)
    image = next(
        node.image
        for node in model.obj.material_slots[0].material.node_tree.nodes
        if node.type == "TEX_IMAGE"
    )
    assert tuple(image.size) == (32, 32)


@pytest.mark.parametrize(
    ("size_m", "resized"), [(0.04, 0.2 / 0.05), (0.05, 1.0), (0.39, 1.0), (4.0, 0.2 / 5.0)]
)
def test_only_what_does_not_fit_on_a_table_is_resized(
    tmp_path: Path, size_m: float, resized: float
) -> None:
    """5 to 50 cm stay as they are; the lid makes the pot a quarter higher than wide."""
    model = _loaded(make_glb(tmp_path / "pot.glb", size_m=size_m))

    assert model.resized == pytest.approx(resized, rel=1e-4)


def test_a_rigged_model_keeps_its_pose_and_its_shape_keys(tmp_path: Path) -> None:
    """The armature is applied and gone; a shape key stands for the same move as before."""
    from render.assets.solid import vertices

    model = _loaded(make_rigged_glb(tmp_path / "flag.glb"))

    obj = model.obj
    assert model.shape_keys == ("wave",)
    assert (len(obj.modifiers), obj.parent) == (0, None)
    low, high = _bounds(obj)
    assert (high - low)[2] == pytest.approx(0.3, abs=1e-3)  # the bone lies on its side: so it does
    blocks = obj.data.shape_keys.key_blocks
    moved = np.array([tuple(point.co) for point in blocks["wave"].data]) - vertices(obj.data)
    assert np.abs(moved).max() == pytest.approx(0.05, abs=1e-4)


def test_a_scene_of_users_models_and_hdris_renders_and_adds_up(tmp_path: Path) -> None:
    """The model is the main object in the user's light, its glow a light group of its own."""
    from render.assets.user_models import build_user_models_scene
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    models, hdris = tmp_path / "models", tmp_path / "hdris"
    models.mkdir()
    hdris.mkdir()
    make_glb(models / "Red_Pot.glb", glow=3.0)
    make_hdri(hdris / "sky.exr")

    built = build_user_models_scene(models, hdris, 3, 32, 32)

    pictures = render_groups(built, RenderSettings(32, 32, 8, seed=1))
    assert [group.name for group in built.groups] == ["key", "fill", "emission", "ambient"]
    assert (pictures.images_GHW3.mean(axis=(1, 2, 3)) > 0.0).all()
    assert built.main_name == "red pot"
    assert (built.facts["model"], built.facts["hdri"]) == ("Red_Pot.glb", "sky.exr")
    assert built.facts["things"][0] == "red pot"


def test_the_seed_draws_the_model_and_the_hdri(tmp_path: Path) -> None:
    """Each file of both lists is used by some seed; one seed always gives the same scene."""
    from render.assets.user_models import build_user_models_scene

    models = [make_obj(tmp_path / "one.obj"), make_obj(tmp_path / "two.obj")]
    hdris = [make_hdri(tmp_path / "day.hdr"), make_hdri(tmp_path / "dusk.hdr")]

    drawn = []
    for seed in (0, 1, 2, 3, 4, 5, 0):
        facts = build_user_models_scene(models, hdris, seed, 32, 32).facts
        drawn.append(dict(facts))

    assert {facts["model"] for facts in drawn} == {"one.obj", "two.obj"}
    assert {facts["hdri"] for facts in drawn} == {"day.hdr", "dusk.hdr"}
    assert drawn[0] == drawn[-1]


def _garbage_glb(path: Path) -> Path:
    path = path.with_suffix(".glb")
    path.write_bytes(b"glTF" + bytes(range(200)))
    return path


def _half_glb(path: Path) -> Path:
    path = make_glb(path.with_suffix(".glb"))
    path.write_bytes(path.read_bytes()[:900])
    return path


def _no_faces(path: Path) -> Path:
    return make_obj(path.with_suffix(".obj"), has_faces=False)


def _no_texture(path: Path) -> Path:
    return make_obj(path.with_suffix(".obj"), has_texture=False)


def _text_obj(path: Path) -> Path:
    path = path.with_suffix(".obj")
    path.write_text("this is no model\n")
    return path


def _other_kind(path: Path) -> Path:
    path = path.with_suffix(".fbx")
    path.write_text("Kaydara")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_garbage_glb, "Blender cannot import it"),
        (_half_glb, "Blender cannot import it"),
        (_no_faces, "holds no faces"),
        (_text_obj, "holds no faces"),
        (_no_texture, r"image\(s\) cannot be read: .*clay\.png"),
        (_other_kind, r"is no \.glb, \.gltf, \.obj"),
        (lambda path: path.with_suffix(".glb"), "no such file"),
    ],
)
def test_a_broken_model_is_named_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    """Every message names the file."""
    path = make(tmp_path / "thing.bin")

    with pytest.raises(SceneError, match=rf"{path}: .*{reason}"):
        _loaded(path)


def test_the_models_of_a_folder_are_listed(tmp_path: Path) -> None:
    """All three kinds count; an empty folder is an error that names them."""
    from render.assets.user_models import list_models

    with pytest.raises(JobError, match=r"holds no models.*\.glb, \.gltf, \.obj"):
        list_models(tmp_path)
    for name in ("b.gltf", "a.glb", "c.OBJ", "c.mtl"):
        (tmp_path / name).touch()

    assert [path.name for path in list_models(tmp_path)] == ["a.glb", "b.gltf", "c.OBJ"]


def test_a_solid_object_takes_its_children_along(tmp_path: Path) -> None:
    """What hangs on a scaled object stays where it was when the scale goes into the mesh."""
    import bpy

    from render.assets.solid import make_solid
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    obj = add_box(scene, "Box", (0.4, 0.4, 0.4), (1.0, 2.0, 3.0))
    obj.scale = (1.0, -2.0, 0.5)
    child = add_box(scene, "Child", (0.1, 0.1, 0.1), (0.0, 0.5, 0.0))
    child.parent = obj
    obj.data.materials.append(new_material("shared", (0.5, 0.5, 0.5)))
    bpy.context.view_layer.update()
    before = np.array(child.matrix_world)
    normals_before = _mean_outwardness(obj)

    make_solid(scene, obj)

    assert np.allclose(np.array(child.matrix_world), before, atol=1e-6)
    assert tuple(obj.matrix_world.translation) == pytest.approx((1.0, 2.0, 2.9), abs=1e-6)
    assert tuple(obj.dimensions) == pytest.approx((0.4, 0.8, 0.2), abs=1e-6)
    assert normals_before > 0.0
    assert _mean_outwardness(obj) > 0.0
    assert obj.material_slots[0].material.name != "shared"


def _mean_outwardness(obj: object) -> float:
    """Return how far faces look away from the middle of a convex mesh; negative = inside out."""
    mesh = obj.data  # type: ignore[attr-defined]  # a Blender object
    middle = np.mean([tuple(face.center) for face in mesh.polygons], axis=0)
    return float(np.mean([np.dot(f.normal, np.array(f.center) - middle) for f in mesh.polygons]))
