"""Scenes that users bring: opened without their scripts, made linear, looking as they did."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import SceneError
from tests.render import asset_files
from tests.render.asset_files import (
    add_box,
    add_camera,
    add_lamp,
    make_blend,
    make_scripted_blend,
    make_simple_blend,
    new_material,
    save_blend,
)

pytestmark = pytest.mark.bpy

_OPEN_WITH_SCRIPTS = """
import os, sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1], load_ui=False, use_scripts=True)
bpy.context.scene.frame_set(2)
os._exit(0)  # Blender 4.5 may hang at exit after it ran a driver of Python
"""


def test_a_file_is_opened_without_running_its_scripts(tmp_path: Path) -> None:
    """A registered text and a driver that write files do so in Blender with scripts, not here."""
    from render.assets.user_blend import build_user_blend

    marker = tmp_path / "ran"
    path = make_scripted_blend(tmp_path / "scripted.blend", marker)

    built = build_user_blend(path, 1, 32, 32)

    assert not list(tmp_path.glob("ran.*"))
    assert {"scripts: 1 not run", "drivers: 1 removed"} <= set(built.facts["overridden"])
    command = [sys.executable, "-c", _OPEN_WITH_SCRIPTS, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert {p.name for p in tmp_path.glob("ran.*")} == {"ran.text", "ran.driver"}


def test_scripts_stay_off_where_the_user_allows_them(tmp_path: Path) -> None:
    """A preference that runs scripts by itself is switched off before a file is opened."""
    import bpy

    from render.assets.user_blend import build_user_blend

    marker = tmp_path / "ran"
    path = make_scripted_blend(tmp_path / "scripted.blend", marker)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True

    build_user_blend(path, 1, 32, 32)

    assert not list(tmp_path.glob("ran.*"))
    assert not bpy.context.preferences.filepaths.use_scripts_auto_execute


def test_blender_exits_after_it_refused_a_driver(tmp_path: Path) -> None:
    """A worker that built such a file ends when it is told to; Blender 4.5 alone would hang."""
    path = make_scripted_blend(tmp_path / "scripted.blend", tmp_path / "ran")
    code = (
        "import sys; from pathlib import Path; "
        "from render.assets.user_blend import build_user_blend; "
        "build_user_blend(Path(sys.argv[1]), 1, 16, 16)"
    )

    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, timeout=60, check=False
    )

    assert run.returncode == 0


@pytest.mark.parametrize("compress", [False, True])
def test_a_scene_looks_as_it_does_in_blender(tmp_path: Path, compress: bool) -> None:
    """Sensor, focus, constraint, parent, modifier and pattern: the same picture within 1 %."""
    import bpy

    from render.assets.user_blend import build_user_blend
    from render.basis import base_frame, render_groups
    from render.blender.renderer import RenderSettings, apply_settings, render_passes

    path = make_blend(tmp_path / "still.blend", compress=compress)
    settings = RenderSettings(48, 32, 64, seed=3)
    apply_settings(bpy.context.scene, settings)
    theirs = render_passes(bpy.context.scene)["Combined"][..., :3]

    built = build_user_blend(path, 1, 48, 32)
    ours = base_frame(built, render_groups(built, settings), denoise=False)

    assert np.abs(ours - theirs).mean() < 0.01 * theirs.mean()


def test_every_emitter_is_in_a_group_and_the_strongest_lamp_comes_first(tmp_path: Path) -> None:
    """Warm lamps are rendered white, tinted ones as they are; hidden ones give nothing."""
    from render.assets.user_blend import build_user_blend
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    built = build_user_blend(make_blend(tmp_path / "still.blend"), 1, 48, 32)

    groups = [
        (g.name, g.kind, g.cct_k, None if g.power_w is None else round(g.power_w, 3))
        for g in built.groups
    ]
    assert groups[0] == ("key_light", "lamp", 3200.0, 120.0)
    assert set(groups[1:]) == {
        ("sun", "lamp", 6500.0, None),
        ("rim", "lamp", None, 40.0),
        ("ambient", "ambient", None, None),
        ("emission", "lamp", None, None),
    }
    images = render_groups(built, RenderSettings(32, 32, 16, seed=3)).images_GHW3
    assert (images.mean(axis=(1, 2, 3)) > 0.0).all()
    key, rim = (images[[g.name for g in built.groups].index(name)] for name in ("key_light", "rim"))
    floor = (slice(28, 32), slice(0, 8))  # a corner that only shows the floor
    assert key[floor].mean(axis=(0, 1)).min() > 0.5 * key[floor].mean(axis=(0, 1)).max()
    assert rim[floor][..., 0].mean() > 2.0 * rim[floor][..., 1].mean()


def test_a_lamp_that_nothing_sees_is_not_the_main_one(tmp_path: Path) -> None:
    """A lamp of 5000 W in a closed crate lights less than one of 100 W, and comes last."""
    import bpy

    from render.assets.user_blend import build_user_blend

    make_simple_blend(tmp_path / "crate.blend")
    scene = bpy.context.scene
    add_box(scene, "Crate", (0.5, 0.5, 0.5), (0.0, 0.5, 0.8))
    add_lamp(scene, "Trapped", "POINT", 5000.0, (0.0, 0.5, 0.8))
    path = save_blend(tmp_path / "crate.blend")

    built = build_user_blend(path, 1, 32, 32, main_object="Box")

    assert [group.name for group in built.groups] == ["lamp", "trapped"]


def test_the_main_object_is_found_and_stands_on_its_base(tmp_path: Path) -> None:
    """The floor is larger, but touches three sides; a parent, a scale and a twist are gone."""
    from render.assets.user_blend import build_user_blend

    built = build_user_blend(make_blend(tmp_path / "still.blend"), 1, 48, 32)

    obj = built.main_object
    assert built.main_name == "toy robot"
    assert (obj.parent, len(obj.modifiers), tuple(obj.scale)) == (None, 0, (1.0, 1.0, 1.0))
    corners = np.array([tuple(corner) for corner in obj.bound_box])
    assert corners[:, 2].min() == pytest.approx(0.0, abs=1e-5)
    assert np.allclose(corners.min(axis=0)[:2], -corners.max(axis=0)[:2], atol=1e-5)
    assert built.shape_keys == ("wide",)
    assert built.edited_shape_key == "wide"
    assert obj.data.shape_keys.key_blocks["wide"].value == pytest.approx(0.4)


def test_the_camera_is_the_files_own_as_full_frame(tmp_path: Path) -> None:
    """30 mm on a 24 mm sensor are 45 mm on 36; f/2 is f/3; the focus object gives a distance."""
    from render.assets.user_blend import build_user_blend

    built = build_user_blend(make_blend(tmp_path / "still.blend"), 1, 48, 32)

    camera = built.camera
    assert camera.focal_length_mm == pytest.approx(45.0)
    assert camera.f_number == pytest.approx(3.0)
    assert camera.position_m == pytest.approx((0.6, -2.6, 1.3), abs=1e-4)
    assert camera.focus_distance_m == pytest.approx(3.07, abs=0.01)
    assert built.render_camera.data.dof.focus_object is None
    assert "camera: sensor of 24 mm as full frame" in built.facts["overridden"]


@pytest.mark.parametrize(
    ("fit", "size", "picture", "long_side"),
    [
        ("AUTO", (32.0, 18.0), (1200, 800), 32.0),
        ("HORIZONTAL", (32.0, 18.0), (800, 1200), 48.0),
        ("VERTICAL", (32.0, 18.0), (1200, 800), 27.0),
        ("VERTICAL", (32.0, 18.0), (800, 1200), 18.0),
    ],
)
def test_the_field_of_view_is_blenders(
    fit: str, size: tuple[float, float], picture: tuple[int, int], long_side: float
) -> None:
    """The long side of the sensor, for each way of fitting it, is what Blender's projection has."""
    import bpy

    from render.assets.user_camera import FileView, long_side_mm
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    camera = add_camera(scene, (0.0, -3.0, 1.0))
    camera.data.lens, camera.data.sensor_fit = 40.0, fit
    camera.data.sensor_width, camera.data.sensor_height = size

    found_mm = long_side_mm(camera.data, FileView(*picture))

    projection = camera.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(), x=picture[0], y=picture[1]
    )
    axis = 0 if picture[0] > picture[1] else 1
    assert found_mm == pytest.approx(long_side)
    assert 2.0 * 40.0 / projection[axis][axis] == pytest.approx(long_side)


def test_what_bends_light_is_switched_off_and_named(tmp_path: Path) -> None:
    """Each override is one line of the facts, sorted."""
    import bpy

    from render.assets.user_blend import build_user_blend

    make_simple_blend(tmp_path / "plain.blend")
    scene = bpy.context.scene
    scene.render.use_motion_blur = scene.render.film_transparent = True
    scene.render.use_border = scene.render.use_simplify = scene.render.use_multiview = True
    scene.cycles.shading_system, scene.cycles.use_fast_gi = True, True
    scene.cycles.film_exposure = 2.0
    layer = scene.view_layers[0]
    layer.samples = 3
    layer.material_override = new_material("clay", (0.5, 0.5, 0.5))
    layer.lightgroups.add(name="theirs")
    scene.view_layers.new("second")
    box = scene.objects["Box"]
    box.pass_index = 1
    box.light_linking.receiver_collection = bpy.data.collections.new("lit")
    box.keyframe_insert("location", frame=1)
    path = save_blend(tmp_path / "busy.blend")

    built = build_user_blend(path, 1, 32, 32)

    assert built.facts["overridden"] == [
        "animation: 1 held at frame 1",
        "depth_of_field: off -> f/16 at 3.1 m",
        "film_exposure: 2 -> 1",
        "film_transparent: on -> off",
        "light_groups: 1 replaced",
        "light_linking: 1 removed",
        "material_override: clay -> none",
        "samples: 3 -> 0",
        "shading_system: on -> off",
        "use_border: on -> off",
        "use_fast_gi: on -> off",
        "use_motion_blur: on -> off",
        "use_multiview: on -> off",
        "use_simplify: on -> off",
        "view_layers: 1 removed",
    ]
    assert [group.name for group in built.groups] == ["lamp"]
    assert built.main_object.pass_index == 0
    assert built.main_object.animation_data is None


def test_a_plain_file_is_left_alone(tmp_path: Path) -> None:
    """Nothing but the missing depth of field is overridden in a file with nothing special."""
    from render.assets.user_blend import build_user_blend

    built = build_user_blend(make_simple_blend(tmp_path / "plain.blend"), 1, 32, 32)

    assert built.facts["overridden"] == ["depth_of_field: off -> f/16 at 3.1 m"]
    assert built.facts["file"] == "plain.blend"
    assert len(built.facts["file_sha256"]) == 64


def test_a_parent_of_meshes_can_be_the_main_object(tmp_path: Path) -> None:
    """Its meshes become one object, at the places where they were."""
    import bpy

    from render.assets.user_blend import build_user_blend

    make_simple_blend(tmp_path / "parts.blend")
    scene = bpy.context.scene
    root = bpy.data.objects.new("Cart", None)
    scene.collection.objects.link(root)
    root.location = (0.3, 0.2, 0.0)
    for name, x in (("left", -0.3), ("right", 0.3)):
        add_box(scene, name, (0.2, 0.2, 0.2), (x, 0.0, 0.1)).parent = root
    path = save_blend(tmp_path / "parts.blend")

    built = build_user_blend(path, 1, 32, 32, main_object="Cart")

    assert built.main_name == "cart"
    assert tuple(built.main_object.location) == pytest.approx((0.3, 0.2, 0.0), abs=1e-5)
    assert tuple(built.main_object.dimensions) == pytest.approx((0.8, 0.2, 0.2), abs=1e-5)
    assert len({"left", "right"} & {obj.name for obj in built.scene.objects}) == 1


def test_more_lamps_than_groups_share_one(tmp_path: Path) -> None:
    """The weakest of fifteen lamps are one group, and all light is in some group."""
    import bpy

    from render.assets.user_blend import build_user_blend
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    make_simple_blend(tmp_path / "many.blend")
    for number in range(14):
        at_m = (np.cos(number), np.sin(number), 1.5)
        add_lamp(bpy.context.scene, f"Spot.{number:03d}", "SPOT", 20.0 + number, at_m)
    path = save_blend(tmp_path / "many.blend")

    built = build_user_blend(path, 1, 32, 32)

    names = [group.name for group in built.groups]
    assert len(names) == 13
    assert names[0] == "lamp"
    assert "lamps" in names
    render_groups(built, RenderSettings(32, 32, 4, seed=1))  # raises where they do not add up


@pytest.mark.parametrize("glow", ["emission", "ambient", "colour as shader"])
def test_a_scene_without_lamps_has_no_main_lamp(tmp_path: Path, glow: str) -> None:
    """A glowing object or a sky is light enough, but neither is taken for a lamp of its own."""
    import bpy

    from render.assets.user_blend import build_user_blend
    from render.blender.versions import enable_nodes

    make_simple_blend(tmp_path / "dim.blend", has_light=False)
    scene = bpy.context.scene
    material = new_material("glowing", (0.5, 0.5, 0.5), glow=2.0 if glow == "emission" else 0.0)
    if glow == "ambient":
        scene.world = bpy.data.worlds.new("sky")
        enable_nodes(scene.world)
    if glow == "colour as shader":
        tree = material.node_tree
        colour = tree.nodes.new("ShaderNodeRGB")
        tree.links.new(colour.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    scene.objects["Box"].data.materials.append(material)
    path = save_blend(tmp_path / "dim.blend")

    built = build_user_blend(path, 1, 32, 32)

    expected = "ambient" if glow == "ambient" else "emission"
    assert [group.name for group in built.groups] == [expected]


def _without_camera(path: Path) -> Path:
    return make_simple_blend(path, has_camera=False)


def _orthographic(path: Path) -> Path:
    return make_simple_blend(path, camera_type="ORTHO")


def _empty(path: Path) -> Path:
    return make_simple_blend(path, has_mesh=False)


def _dark(path: Path) -> Path:
    return make_simple_blend(path, has_light=False)


def _garbage(path: Path) -> Path:
    path.write_bytes(b"PK\x03\x04 this is a zip archive")
    return path


def _truncated_zstd(path: Path) -> Path:
    return asset_files.make_truncated_blend(path, compress=True)


def _broken_gzip(path: Path) -> Path:
    path.write_bytes(gzip.compress(b"BLENDER-v405" + b"\0" * 50)[:15])
    return path


def _future_header(path: Path) -> Path:
    path.write_bytes(b"BLENDER24-02v0700-something-else" + b"\0" * 100)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (asset_files.make_blend_without_texture, r"image\(s\) cannot be read: wood\.png.*pack"),
        (
            asset_files.make_blend_with_missing_library,
            r"linked file\(s\) not found.*library\.blend",
        ),
        (_empty, "has no mesh that is rendered; add one"),
        (_without_camera, "has no active camera; add one"),
        (_orthographic, "camera 'Camera' is of type ORTHO.*Perspective"),
        (_dark, "no light reaches the picture; add a lamp"),
        (asset_files.make_newer_blend, r"saved by Blender 9\.9, this is \d\.\d.*save"),
        (_future_header, "newer Blender than CAT knows"),
        (asset_files.make_truncated_blend, "cannot open it.*is it complete"),
        (_truncated_zstd, "cannot open it.*is it complete"),
        (_broken_gzip, "cannot be read|begins with"),
        (_garbage, "a .blend with 'BLENDER'"),
        (lambda path: path, "no such file"),
    ],
)
def test_a_broken_file_is_named_with_reason_and_remedy(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    """Every message begins with the path."""
    from render.assets.user_blend import build_user_blend

    path = make(tmp_path / "broken.blend")

    with pytest.raises(SceneError, match=rf"^{path}: .*{reason}"):
        build_user_blend(path, 1, 32, 32)


def test_a_main_object_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    """The message lists the meshes by name."""
    from render.assets.user_blend import build_user_blend

    path = make_blend(tmp_path / "still.blend")

    with pytest.raises(SceneError, match=r"'Teapot'.*one of: Block, Floor, Toy_Robot\.001"):
        build_user_blend(path, 1, 32, 32, main_object="Teapot")
    with pytest.raises(SceneError, match="no rendered mesh 'Hidden'"):
        build_user_blend(path, 1, 32, 32, main_object="Hidden")


def test_edits_of_a_users_object_are_read_back(tmp_path: Path) -> None:
    """Turn, size, lens, aperture and shape key of a made-up file measure what was set."""
    from cat_dataset.attributes.table import ATTRIBUTES
    from render.assets.user_blend import build_user_blend
    from render.blender.renderer import RenderSettings
    from render.sweeps.sweeps import SceneContext, render_sweep

    built = build_user_blend(make_blend(tmp_path / "still.blend"), 1, 48, 32)
    settings = RenderSettings(48, 32, 4, seed=3)
    context = SceneContext("scene", "train", {}, denoise=False, annotate=False)
    for name, values in {
        "object_rotation": (0.0, 40.0),
        "object_scale": (100.0, 130.0),
        "focal_length": (45.0, 60.0),
        "aperture": (2.8, 8.0),
        "shape_key": (10.0, 70.0),
    }.items():
        sweep = render_sweep(built, settings, name, values, context)

        axis = [frame.axis_value for frame in sweep.frames]
        recorded = ATTRIBUTES[name].axis_difference(axis[0], axis[1])
        assert sweep.readings[0, 1].value == pytest.approx(recorded, abs=ATTRIBUTES[name].tolerance)
