"""Outdoor scenes: fog that obeys its number, objects that stand, light that adds up."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from render.families.outdoor.drawing import Outdoor
    from render.scene import BuiltScene

pytestmark = pytest.mark.bpy

FOGGY_SEED, CLEAR_SEED = 4, 6


def _build(seed: int, size_px: int = 32) -> "BuiltScene":
    from render.families.outdoor.building import build_outdoor

    return build_outdoor(seed, size_px, size_px)


def _standing(drawn: "Outdoor") -> np.ndarray:
    """Return the main object's vertices where they stand, (V, 3)."""
    return drawn.main.shape.turned("z", drawn.heading_deg).vertices_V3


def _emissive_card_scene(visibility_m: float, distances_m: tuple[float, ...]) -> "tuple[Any, Any]":
    """Return a black world filled with fog, with glowing cards side by side, and the fog.

    The lens is long, so that all lines of sight are equally long.
    """
    import bpy

    from render.blender.meshes import add_mesh
    from render.blender.nodes import NodeGraph
    from render.blender.session import fresh_scene
    from render.blender.shapes import rounded_box
    from render.blender.versions import enable_nodes
    from render.families.craft.stage import add_camera
    from render.families.outdoor.fog import add_fog
    from render.scene import CameraPose

    scene = fresh_scene()
    material = bpy.data.materials.new("glow")
    enable_nodes(material)
    graph = NodeGraph(material.node_tree)
    glow = graph.node("ShaderNodeEmission", {"Color": (1.0, 1.0, 1.0), "Strength": 1.0})
    graph.surface(glow.outputs["Emission"])
    material.cycles.emission_sampling = "NONE"
    for number, distance_m in enumerate(distances_m):
        width_m = 0.045 * distance_m  # covers its half of the frame at 400 mm
        card = rounded_box((width_m, 0.001, 2.0 * width_m), 0.0001)
        card = card.moved((number - 0.5) * width_m, distance_m, 1.5 - width_m)
        obj = add_mesh(scene, f"card-{number}", card, [material])
        obj.visible_volume_scatter = False  # scattered light would add to what is measured
    fog = add_fog(scene, visibility_m)
    add_camera(scene, CameraPose((0.0, 0.0, 1.5), (0.0, 10.0, 1.5), 400.0, 64.0, 10.0))
    return scene, fog


def _card_levels(scene: Any) -> tuple[float, float]:
    from render.blender.renderer import RenderSettings, apply_settings, render_passes

    apply_settings(scene, RenderSettings(24, 24, 256, seed=3, max_bounces=0))
    picture = render_passes(scene)["Combined"][..., 0]
    return float(picture[6:18, 2:10].mean()), float(picture[6:18, 14:22].mean())


def test_light_is_lost_in_fog_as_the_extinction_says() -> None:
    """Two glowing cards at known distances send exp(-extinction * distance) of their light."""
    scene, fog = _emissive_card_scene(120.0, (9.0, 22.0))
    fog.set(0.05)

    near, far = _card_levels(scene)

    assert near == pytest.approx(math.exp(-0.05 * 9.0), rel=0.02)
    assert far == pytest.approx(math.exp(-0.05 * 22.0), rel=0.02)


def test_clear_air_waits_unseen_until_it_is_set() -> None:
    """A clear scene is rendered without its medium; an edit brings it, a reset takes it away."""
    scene, fog = _emissive_card_scene(20000.0, (9.0, 22.0))

    clear = _card_levels(scene)
    fog.set(0.03)
    foggy = _card_levels(scene)
    fog.reset()

    assert fog.extinction_per_m == pytest.approx(-math.log(0.02) / 20000.0)
    assert clear == pytest.approx((1.0, 1.0), abs=1e-4)
    assert foggy == pytest.approx((math.exp(-0.27), math.exp(-0.66)), rel=0.02)
    assert _card_levels(scene) == pytest.approx((1.0, 1.0), abs=1e-4)


@pytest.mark.parametrize("seed", [FOGGY_SEED, CLEAR_SEED])
def test_sun_and_sky_add_up_to_the_combined_picture(seed: int) -> None:
    """Every emitter is in a group, with fog and without; both give light."""
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    built = _build(seed)

    pictures = render_groups(built, RenderSettings(32, 32, 4, seed=seed))  # raises otherwise

    assert built.fog is not None
    assert built.fog.is_shown == (seed == FOGGY_SEED)
    assert [(group.name, group.kind) for group in built.groups] == [
        ("sun", "lamp"),
        ("sky", "ambient"),
    ]
    assert (pictures.images_GHW3.mean(axis=(1, 2, 3)) > 0.0).all()


def test_the_sun_shines_through_the_fog() -> None:
    """In the densest mist a main object still casts a shadow: the sun's group is not dark."""
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    built = _build(FOGGY_SEED)
    assert built.fog is not None
    settings = RenderSettings(32, 32, 16, seed=1)
    built.fog.box.hide_render = True
    clear = render_groups(built, settings).images_GHW3[0, 24:].mean()  # the ground in front
    built.fog.set(3.912 / 60.0)

    foggy = render_groups(built, settings).images_GHW3[0, 24:].mean()

    assert 0.35 < foggy / clear < 1.2


def test_one_seed_gives_one_scene() -> None:
    """Built twice, a scene has the same facts and the same pixels; another seed has others."""
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings

    settings = RenderSettings(24, 24, 2, seed=1)
    first = _build(1, 24)
    picture = render_groups(first, settings).images_GHW3
    second = _build(1, 24)

    assert dict(first.facts) == dict(second.facts)
    assert np.array_equal(picture, render_groups(second, settings).images_GHW3)
    other = _build(2, 24)
    assert not np.array_equal(picture, render_groups(other, settings).images_GHW3)


def test_main_objects_stand_on_level_ground() -> None:
    """The lowest vertex is in the ground, not deep; the ground around it is level."""
    from render.families.outdoor.drawing import outdoor_rand

    for seed in range(24):
        drawn = outdoor_rand(seed, 32, 32)
        vertices = _standing(drawn)
        height_m = vertices[:, 2].max()
        assert -0.3 * height_m - 0.2 < vertices[:, 2].min() < 0.005, drawn.main.kind
        foot = vertices[vertices[:, 2] < 0.05]
        ground = drawn.ground.relief.height_m(foot[:, 0], foot[:, 1])
        assert np.abs(ground).max() < 0.01, drawn.place


@pytest.mark.parametrize(("width_px", "height_px"), [(48, 48), (64, 40), (40, 64)])
def test_main_objects_are_in_the_frame(width_px: int, height_px: int) -> None:
    """All that is above ground is seen, and the object fills a good part of the frame."""
    from render.families.outdoor.drawing import outdoor_rand

    long_px = max(width_px, height_px)
    for seed in range(24):
        drawn = outdoor_rand(seed, width_px, height_px)
        camera = drawn.camera
        axis = np.subtract(camera.look_at_m, camera.position_m)
        axis /= np.linalg.norm(axis)
        right = np.cross(axis, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        seen = _standing(drawn)
        seen = np.maximum(seen, [-np.inf, -np.inf, 0.0]) - camera.position_m
        plane = np.stack([seen @ right, seen @ np.cross(right, axis)], axis=1)
        share = plane / (seen @ axis)[:, None] * camera.focal_length_mm / 36.0 * long_px
        share /= np.array([width_px, height_px])  # of the frame, from its middle
        assert np.abs(share).max() < 0.5, (seed, drawn.main.kind)
        assert np.ptp(share, axis=0).max() > 0.2, (seed, drawn.main.kind)


@pytest.mark.parametrize("seed", [1, 3, 7, 11, 12, 13])
def test_nothing_hides_the_main_object(seed: int) -> None:
    """Nearly all lines of sight from the camera to the main object end on it."""
    import bpy
    from mathutils import Vector

    built = _build(seed)
    graph = bpy.context.evaluated_depsgraph_get()
    built.fog.box.hide_viewport = True  # type: ignore[union-attr]  # an outdoor scene has fog
    graph.update()
    matrix = np.array(built.main_object.matrix_world)
    corners = np.array([vertex.co for vertex in built.main_object.data.vertices])
    corners = corners[corners[:, 2] > 0.15 * corners[:, 2].max()][::17]
    origin = Vector(built.camera.position_m)
    hits = 0
    for corner in corners @ matrix[:3, :3].T + matrix[:3, 3]:
        towards = (Vector(corner) - origin).normalized()
        is_hit, *_, obj, _ = built.scene.ray_cast(graph, origin, towards)
        hits += is_hit and obj.name == built.main_object.name

    assert hits > 0.85 * len(corners)


def test_places_and_things_vary() -> None:
    """Sixty scenes show all kinds of places and most kinds of objects, near and far air."""
    from render.families.outdoor.drawing import outdoor_rand
    from render.families.outdoor.places import PLACES

    drawn = [outdoor_rand(seed, 32, 32) for seed in range(60)]

    assert {scene.place for scene in drawn} == set(PLACES)
    assert len({scene.main.kind for scene in drawn}) >= 10
    assert sum(scene.visibility_m < 400.0 for scene in drawn) >= 5
    assert all(8.0 <= scene.sky.elevation_deg <= 60.0 for scene in drawn)


def test_main_objects_show_a_turn_and_have_an_editable_material() -> None:
    """Their outline from above is no circle; their largest slot is a Principled BSDF."""
    from cat_dataset.system.seeding import derive_rng
    from render.blender.finishes import palette_rand
    from render.families.craft.materials import build_material
    from render.families.outdoor.places import MAKERS

    for kind, maker in MAKERS.items():
        rng = derive_rng(0, "test-outdoor", kind)
        prop = maker(rng, palette_rand(rng))
        x, y, _ = prop.shape.vertices_V3.T
        sector = ((np.arctan2(y, x) / (2 * np.pi) * 16).astype(int)) % 16
        reach = [np.hypot(x, y)[sector == n].max(initial=0.0) for n in range(16)]
        assert min(reach) < 0.92 * max(reach), kind
        largest = int(np.bincount(prop.shape.slots_F).argmax())
        material = build_material(kind, prop.finishes[largest], rng)
        shaders = [node.bl_idname for node in material.node_tree.nodes]
        assert "ShaderNodeBsdfPrincipled" in shaders, kind
        assert 0.3 <= max(prop.shape.height_m, 2.0 * prop.shape.radius_m) <= 2.6, kind


def test_the_lamp_of_the_picture_is_the_sun() -> None:
    """The main lamp's kelvin is that of the sun as drawn, and a move tells another."""
    built = _build(CLEAR_SEED)

    assert built.sun is not None
    drawn_k = built.groups[0].cct_k or 0.0
    assert built.sun.move(built.sun.elevation_deg, built.sun.azimuth_deg) == drawn_k
    assert built.sun.move(5.0, built.sun.azimuth_deg) < drawn_k - 800.0
    assert built.facts["sun_elevation_deg"] == built.sun.elevation_deg
