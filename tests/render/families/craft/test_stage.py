"""From description to Blender: lamps, world, meshes, materials as they should be."""

import math

import numpy as np
import pytest

from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import blackbody_rgb
from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Finish, palette_rand
from render.families.tabletop.catalogue import MAKERS, make_prop
from tests.render.built_scene import build_scene

pytestmark = pytest.mark.bpy


def test_lamps_are_rendered_white_and_unseen() -> None:
    """Colour is a matter of numpy: every lamp is (1, 1, 1), untinted, hidden from the camera."""
    built, _ = build_scene()

    lamps = [obj for obj in built.scene.objects if obj.type == "LIGHT"]
    assert len(lamps) == 2
    for lamp in lamps:
        assert tuple(lamp.data.color) == (1.0, 1.0, 1.0)
        assert not lamp.data.use_temperature
        assert not lamp.visible_camera
        assert lamp.lightgroup == lamp.name
    assert built.scene.world.lightgroup == "ambient"


@pytest.mark.parametrize("cct_k", [2000.0, 2700.0, 4000.0, 6500.0, 10000.0])
def test_our_black_body_is_blenders(cct_k: float) -> None:
    """A lamp coloured by us and by Blender at one temperature differ by less than 0.5 %."""
    import bpy

    lamp = bpy.data.lights.new("lamp", "AREA")
    lamp.use_temperature = True
    lamp.temperature = cct_k

    theirs = np.array(lamp.temperature_color)

    assert np.abs(blackbody_rgb(cct_k) - theirs).max() < 0.005 * theirs.max()


def test_the_key_light_gives_the_irradiance_it_was_set_for() -> None:
    """A white card at the main object's place sees about power / (pi d**2) from the key light."""
    from render.basis import render_groups
    from render.families.tabletop.drawing import KEY_IRRADIANCE_W_M2, tabletop_rand

    built, settings = build_scene(seed=12, size_px=16, samples_per_pixel=64)
    key = built.scene.objects["key"]
    aim = np.array(tabletop_rand(12, 16, 16).lamps[0].aim_m)
    towards = np.array(key.location) - aim
    _add_card(built.scene, aim, towards)
    built.render_camera.matrix_world = _look_down(aim, towards, away_m=0.3)
    built.render_camera.data.dof.use_dof = False
    for obj in built.scene.objects:
        if obj.type == "MESH" and obj.name != "card":
            obj.hide_render = True

    light = render_groups(built, settings).images_GHW3[0, 6:10, 6:10].mean()

    irradiance = float(light) * math.pi / 0.5  # a card of albedo 0.5
    assert irradiance == pytest.approx(KEY_IRRADIANCE_W_M2, rel=0.12)  # the box is not a point


def _add_card(scene: object, centre: object, normal: object) -> None:
    import bpy
    from mathutils import Vector

    from render.blender.versions import enable_nodes

    mesh = bpy.data.meshes.new("card")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("card")
    enable_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    diffuse = tree.nodes.new("ShaderNodeBsdfDiffuse")
    diffuse.inputs["Color"].default_value = (0.5, 0.5, 0.5, 1.0)
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(diffuse.outputs["BSDF"], output.inputs["Surface"])
    mesh.materials.append(material)
    card = bpy.data.objects.new("card", mesh)
    card.location = Vector(centre)
    card.rotation_euler = Vector(normal).to_track_quat("Z", "Y").to_euler()
    card.scale = (0.02, 0.02, 0.02)
    scene.collection.objects.link(card)  # type: ignore[attr-defined]  # a Blender scene


def _look_down(centre: object, normal: object, away_m: float) -> object:
    from mathutils import Matrix, Vector

    direction = Vector(normal).normalized()
    turned = direction.to_track_quat("Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation(Vector(centre) + direction * away_m) @ turned


def test_a_missing_hdri_is_named() -> None:
    """An installation without the file gets its name and the remedy."""
    from render.blender.session import fresh_scene
    from render.families.craft.stage import World, add_world

    with pytest.raises(SceneError, match=r"HDRI nowhere\.exr.*reinstall"):
        add_world(fresh_scene(), World("nowhere.exr", 0.0, 1.0, 10.0))


def test_every_finish_that_things_wear_has_a_material() -> None:
    """All kinds can be built, and every kind of material is worn by something."""
    from render.families.craft.materials import BUILDERS, build_material

    worn: set[str] = set()
    for kind in MAKERS:
        for number in range(8):
            rng = derive_rng(number, "test-finishes", kind)
            worn |= {finish.kind for finish in make_prop(kind, rng, palette_rand(rng)).finishes}

    assert worn <= set(BUILDERS)
    for kind in BUILDERS:
        material = build_material(kind, Finish(kind), derive_rng(0, "test-finish", kind))
        output = material.node_tree.nodes["Material Output"]
        assert output.inputs["Surface"].is_linked


def test_a_mesh_arrives_as_it_was_drawn() -> None:
    """Vertices, faces and slots of a prop are those of its mesh, and the mesh is valid."""
    from render.blender.meshes import add_mesh
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    rng = derive_rng(0, "test-mesh")
    shape = make_prop("teapot", rng, palette_rand(rng)).shape

    mesh = add_mesh(scene, "teapot", shape, []).data

    assert len(mesh.vertices) == len(shape.vertices_V3)
    assert len(mesh.polygons) == len(shape.faces_F4)
    assert not mesh.validate()  # True where Blender had to repair something
