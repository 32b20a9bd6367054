"""Interiors as drawn and as built: nothing collides, the main object is seen, light adds up."""

import math
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the family imports Blender")

from render.families.interior.drawing import Interior, interior_rand
from render.families.interior.floor_plan import (  # after the skip
    MOVE_M,
    Piece,
    footprints_meet,
    is_in_circle,
)
from render.families.interior.furnishing import MAIN_MAKERS, ROOM_KINDS
from render.families.interior.light import MOODS

if TYPE_CHECKING:
    from render.blender.renderer import RenderSettings
    from render.scene import BuiltScene

pytestmark = pytest.mark.bpy
SEEDS = range(24)
FRAMES = ((96, 96), (96, 72), (64, 96))


@pytest.fixture(scope="module")
def scenes() -> list[Interior]:
    """Return many drawn scenes in frames of several shapes."""
    return [interior_rand(seed, *FRAMES[seed % len(FRAMES)]) for seed in SEEDS]


def _built(
    seed: int, size_px: int = 32, samples_per_pixel: int = 4
) -> "tuple[BuiltScene, RenderSettings]":
    from render.blender.renderer import RenderSettings
    from render.families.interior.building import build_interior

    settings = RenderSettings(size_px, size_px, samples_per_pixel, seed=seed)
    return build_interior(seed, size_px, size_px), settings


def _standing(scene: Interior) -> list[Piece]:
    lamp = [scene.lamp_spot] if scene.lamp.kind == "floor lamp" else []
    return [*scene.furniture, *lamp]


def test_furniture_never_stands_in_furniture(scenes: list[Interior]) -> None:
    """Footprints stay apart; only the seats of chairs reach under the table they belong to."""
    for scene in scenes:
        for one, other in combinations([scene.main, *_standing(scene)], 2):
            if {one.prop.kind, other.prop.kind} == {"chair", "dining table"}:
                continue
            assert not footprints_meet(one.corners_42, other.corners_42), (
                one.prop.kind,
                other.prop.kind,
            )


def test_chairs_stand_at_the_table_with_their_backs_beside_it(scenes: list[Interior]) -> None:
    """What is higher than the table's apron is outside the table top."""
    num_chairs = 0
    for scene in scenes:
        for table in (piece for piece in scene.furniture if piece.prop.kind == "dining table"):
            low, high = table.corners_42.min(axis=0), table.corners_42.max(axis=0)
            for chair in (piece for piece in scene.furniture if piece.prop.kind == "chair"):
                num_chairs += 1
                points = chair.prop.shape.turned("z", chair.heading_deg).vertices_V3
                points = points[points[:, 2] > 0.62][:, :2] + [chair.x_m, chair.y_m]
                is_inside = ((points > low) & (points < high)).all(axis=1)
                assert not is_inside.any()
    assert num_chairs > 5


def test_the_main_object_has_room_to_turn_and_to_move(scenes: list[Interior]) -> None:
    """Moved 20 cm anywhere and turned in full, it touches no piece, and no wall."""
    for scene in scenes:
        need_m = scene.main.prop.shape.radius_m + MOVE_M
        for piece in _standing(scene):
            assert not is_in_circle(piece.corners_42, need_m)
        assert need_m < min(scene.room.left_m, scene.room.right_m, scene.room.back_m)


def test_everything_is_inside_the_room(scenes: list[Interior]) -> None:
    """No piece reaches through a wall, and no lamp through the ceiling."""
    for scene in scenes:
        room = scene.room
        for piece in [*_standing(scene), scene.lamp_spot]:
            x, y = piece.corners_42.T
            assert x.min() >= -room.left_m - 1e-9
            assert x.max() <= room.right_m + 1e-9
            assert y.max() <= room.back_m + 1e-9
            assert piece.z_m + piece.prop.shape.height_m <= room.height_m + 1e-6


def test_nothing_tall_stands_before_the_window(scenes: list[Interior]) -> None:
    """The opening stays free: what stands against its wall is lower than its sill."""
    for scene in scenes:
        window, room = scene.room.window, scene.room
        for piece in scene.furniture:
            if piece.prop.kind in ("chair", "dining table"):
                continue  # these stand free in the room
            x, y = piece.corners_42.T
            off_m, along = {
                "back": (room.back_m - y.max(), x),
                "left": (x.min() + room.left_m, y),
                "right": (room.right_m - x.max(), y),
            }[window.wall]
            if off_m < 0.06 and window.overlaps(float(along.min()), float(along.max())):
                assert piece.prop.shape.height_m < window.sill_m


def test_the_lamp_is_in_the_picture(scenes: list[Interior]) -> None:
    """The shade, which shows what the edits of the main lamp do, is inside the frame."""
    for scene in scenes:
        spot, lamp = scene.lamp_spot, scene.lamp
        centre = np.array([[spot.x_m, spot.y_m, spot.z_m + lamp.bulb_at_m[2]]])
        seen = scene.view.project(centre)[0]
        assert np.abs(seen[:2]).max() < 1.0
        assert seen[2] > 0.0


def test_the_camera_is_held_as_a_photographer_would(scenes: list[Interior]) -> None:
    """Chest height, at most ten degrees down, 24 to 50 mm, f/2.8 to f/8, inside the room."""
    for scene in scenes:
        camera = scene.view.camera
        down_m = camera.position_m[2] - camera.look_at_m[2]
        assert 1.05 <= camera.position_m[2] <= 1.5
        assert 0.0 < math.degrees(math.asin(down_m / camera.distance_m)) < 10.0
        assert 24.0 <= camera.focal_length_mm <= 50.0
        assert 2.8 <= camera.f_number <= 8.0
        assert camera.position_m[1] > -5.0


def test_rooms_differ() -> None:
    """Every kind of room, mood and main object occurs among sixty scenes."""
    facts = [interior_rand(seed, 64, 64).to_json() for seed in range(60)]

    assert {fact["room"] for fact in facts} == set(ROOM_KINDS)
    assert {fact["mood"] for fact in facts} == set(MOODS)
    assert {fact["main_object"] for fact in facts} == set(MAIN_MAKERS)
    assert len(MAIN_MAKERS) >= 5
    assert len({fact["lamp"] for fact in facts}) == 3
    assert max(Counter(fact["main_object"] for fact in facts).values()) < 0.5 * len(facts)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5])
def test_light_groups_add_up_and_each_gives_light(seed: int) -> None:
    """Every emitter is in a group: lamp, window and ambient."""
    from render.basis import render_groups

    built, settings = _built(seed)

    pictures = render_groups(built, settings)  # raises where they do not add up

    assert [group.name for group in built.groups] == ["lamp", "window", "ambient"]
    assert [group.name for group in built.scene.view_layers[0].lightgroups].count("window") == 1
    means = pictures.images_GHW3.mean(axis=(1, 2, 3))
    assert (means > 0.01 * means.max()).all()


@pytest.mark.parametrize("seed", [0, 3, 7])
def test_whatever_gives_light_is_white(seed: int) -> None:
    """Colour is a matter of numpy: lamps are (1, 1, 1), and so is what glows."""
    built, _ = _built(seed)

    lamps = [obj for obj in built.scene.objects if obj.type == "LIGHT"]
    assert len(lamps) >= 4  # bulb, two windows, fill
    for lamp in lamps:
        assert tuple(lamp.data.color) == (1.0, 1.0, 1.0)
        assert not lamp.data.use_temperature
        assert lamp.lightgroup in {"lamp", "window", "ambient"}
    for obj in built.scene.objects:
        if obj.type == "MESH" and obj.lightgroup == "lamp":
            _assert_glows_white(obj.material_slots[0].material)


def _assert_glows_white(material: Any) -> None:
    for node in material.node_tree.nodes:
        socket = node.inputs.get("Emission Color")
        if node.type == "EMISSION":
            socket = node.inputs["Color"]
        if socket is not None:
            assert tuple(socket.default_value)[:3] == (1.0, 1.0, 1.0)
            assert not socket.is_linked


@pytest.mark.parametrize("seed", [0, 1, 2, 6, 9, 11])
def test_the_main_object_stands_in_the_frame_on_the_floor(seed: int) -> None:
    """Its base is at z = 0 at its origin, and its box projects into the picture."""
    import bpy
    from bpy_extras.object_utils import (  # type: ignore[import-not-found]  # ships no types
        world_to_camera_view,
    )
    from mathutils import Vector

    built, settings = _built(seed)
    built.scene.render.resolution_x = built.scene.render.resolution_y = settings.width_px
    bpy.context.view_layer.update()
    obj = built.main_object

    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    seen = [world_to_camera_view(built.scene, built.render_camera, corner) for corner in corners]

    assert min(corner.z for corner in corners) == pytest.approx(0.0, abs=1e-3)
    assert tuple(obj.matrix_world.translation) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    for point in seen:
        assert 0.0 < point.x < 1.0
        assert 0.0 < point.y < 1.0
        assert point.z > 0.0


@pytest.mark.parametrize("seed", range(8))
def test_nothing_hides_the_main_object(seed: int) -> None:
    """More than nine tenths of what the camera would see of it alone are seen in the room."""
    built, settings = _built(seed, size_px=64, samples_per_pixel=1)

    in_room = _depth(built, settings)
    for obj in built.scene.objects:
        obj.hide_render = obj.type == "MESH" and obj is not built.main_object
    alone = _depth(built, settings)

    is_object = alone < 1e6
    is_seen = is_object & (np.abs(in_room - alone) < 1e-3)
    assert is_object.mean() > 0.02
    assert is_seen.sum() > 0.9 * is_object.sum()


def _depth(built: "BuiltScene", settings: "RenderSettings") -> Any:
    from render.blender.renderer import apply_settings, render_passes

    apply_settings(built.scene, settings)
    built.scene.view_layers[0].use_pass_z = True
    built.scene.cycles.pixel_filter_type, built.scene.cycles.filter_width = "BOX", 0.01
    built.render_camera.data.dof.use_dof = False
    return render_passes(built.scene)["Depth"][..., 0]


def test_the_main_object_has_a_material_that_can_be_edited() -> None:
    """Its largest slot is a Principled BSDF with the inputs that edits act on."""
    for number, maker in enumerate(MAIN_MAKERS.values()):
        from cat_dataset.system.seeding import derive_rng
        from render.blender.finishes import palette_rand
        from render.families.craft.materials import build_material

        rng = derive_rng(number, "test-main")
        prop = maker(rng, palette_rand(rng))
        areas = np.bincount(prop.shape.slots_F, _face_areas(prop.shape))
        material = build_material("main", prop.finishes[int(areas.argmax())], rng)
        output = material.node_tree.nodes["Material Output"]
        shader = output.inputs["Surface"].links[0].from_node
        assert shader.type == "BSDF_PRINCIPLED"
        assert {"Base Color", "Roughness", "Metallic"} <= set(shader.inputs.keys())
        assert not shader.inputs["Metallic"].is_linked
        assert prop.shape.vertices_V3[:, 2].min() == pytest.approx(0.0, abs=1e-3)


def _face_areas(shape: Any) -> Any:
    a, b, c, d = (shape.vertices_V3[shape.faces_F4[:, corner]] for corner in range(4))
    d = np.where(shape.faces_F4[:, 3:] < 0, c, d)
    return np.linalg.norm(np.cross(c - a, d - b), axis=1) / 2.0


def test_the_same_seed_gives_the_same_picture() -> None:
    """Two builds render to equal pixels; another seed to others."""
    from render.basis import render_groups

    pictures = []
    for seed in (4, 4, 5):
        built, settings = _built(seed, size_px=16)
        pictures.append((built.facts, render_groups(built, settings).images_GHW3))

    assert pictures[0][0] == pictures[1][0]
    assert np.array_equal(pictures[0][1], pictures[1][1])
    assert pictures[0][0] != pictures[2][0]
    assert not np.array_equal(pictures[0][1], pictures[2][1])


@pytest.mark.parametrize("seed", [0, 5, 14, 23])
def test_the_main_lamp_shows_when_it_is_turned_up(seed: int) -> None:
    """Two stops more brighten most of the picture by a tenth and a good part by a half."""
    from render.basis import base_frame, render_groups

    built, settings = _built(seed, size_px=48, samples_per_pixel=16)
    pictures = render_groups(built, settings)

    before = base_frame(built, pictures, denoise=True).mean(axis=2)
    brighter = pictures.images_GHW3.copy()
    brighter[0] *= 4.0
    raised = type(pictures)(brighter, pictures.albedo_HW3, pictures.normal_HW3)
    after = base_frame(built, raised, denoise=True).mean(axis=2)

    gain = after / np.maximum(before, 1e-6)
    assert (gain > 1.1).mean() > 0.6
    assert (gain > 1.5).mean() > 0.3
