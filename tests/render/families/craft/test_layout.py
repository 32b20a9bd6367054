"""Scenes as drawn, before Blender: nothing touches, nothing hides the main object."""

import math
from itertools import combinations

import pytest

from render.families.craft.layout import F_NUMBERS, f_number_for_depth
from render.scene import SENSOR_LONG_SIDE_MM

pytest.importorskip("bpy", reason="the family imports Blender")

from render.families.tabletop.drawing import BACKDROPS, Tabletop, tabletop_rand  # after the skip

pytestmark = pytest.mark.bpy
SEEDS = range(40)


@pytest.fixture(scope="module")
def scenes() -> list[Tabletop]:
    """Return many drawn scenes; drawing them is what takes the time."""
    return [tabletop_rand(seed, 96, 72) for seed in SEEDS]


def test_things_never_touch_however_they_turn(scenes: list[Tabletop]) -> None:
    """The circles that objects turn in stay apart, and in front of the table's back edge."""
    for scene in scenes:
        for one, other in combinations(scene.props, 2):
            apart_m = math.hypot(one.x_m - other.x_m, one.y_m - other.y_m)
            assert apart_m > one.prop.shape.radius_m + other.prop.shape.radius_m
        for placed in scene.props:
            assert scene.table.edge.clearance_m(placed) > 0.0


def test_scenes_have_company_for_the_main_object(scenes: list[Tabletop]) -> None:
    """A few objects find their place in nearly every scene."""
    counts = [len(scene.props) for scene in scenes]

    assert sum(count >= 3 for count in counts) >= 0.9 * len(counts)


def test_the_main_object_fills_a_good_part_of_the_frame(scenes: list[Tabletop]) -> None:
    """Its height takes a tenth to two thirds of the frame's shorter side."""
    for scene in scenes:
        short_side_mm = SENSOR_LONG_SIDE_MM * 0.75
        frame_m = scene.camera.distance_m * short_side_mm / scene.camera.focal_length_mm

        share = scene.props[0].prop.shape.height_m / frame_m

        assert 0.1 < share < 0.67


def test_lamps_stand_on_the_room_side_of_the_wall(scenes: list[Tabletop]) -> None:
    """No soft box is behind the wall or below the table."""
    for scene in scenes:
        for lamp in scene.lamps:
            assert lamp.position_m[2] > 0.2
            if scene.table.backdrop != "room":
                assert lamp.position_m[1] < scene.table.wall_m


def test_every_backdrop_occurs(scenes: list[Tabletop]) -> None:
    """Variety comes from the seed."""
    assert {scene.table.backdrop for scene in scenes} == set(BACKDROPS)


def test_a_draw_is_a_pure_function_of_its_arguments() -> None:
    """The same seed draws the same scene, another one another."""
    assert tabletop_rand(1, 96, 96).to_json() == tabletop_rand(1, 96, 96).to_json()
    assert tabletop_rand(1, 96, 96).to_json() != tabletop_rand(2, 96, 96).to_json()


@pytest.mark.parametrize(("sharp_m", "expected"), [(0.0001, 2.0), (0.1, 4.0), (5.0, 11.0)])
def test_the_f_number_follows_the_depth_that_must_be_sharp(sharp_m: float, expected: float) -> None:
    """10 cm at 1 m with 50 mm needs f/4 (4.17); the camera's own range limits it."""
    assert f_number_for_depth(sharp_m, 1.0, 50.0) == expected
    assert expected in F_NUMBERS
