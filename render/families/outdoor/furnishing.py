"""What each kind of place has around the main object: trees, fences, rocks, houses."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from render.families.craft.props import Prop
from render.families.outdoor.fences import add_fence, add_groyne, fence_along_lane
from render.families.outdoor.flora import broadleaf, conifer, hedge, shrub
from render.families.outdoor.furniture import bench, crates
from render.families.outdoor.objects import barrel
from render.families.outdoor.scenery import Scenery, Setting
from render.families.outdoor.stone import rock_shape, stone_rand
from render.families.outdoor.street import bollard, facade, fountain, planter

_NUM_HOUSES, _ROW_HALF_M = 6, 75.0  # different ones; half of the row they stand in


def _tree_line(
    rng: np.random.Generator, scenery: Scenery, trees: Sequence[int], from_m: float
) -> None:
    """Stand the edge of a wood far behind, or scattered trees: the air shows its depth."""
    is_wood = rng.random() < 0.55
    scenery.scatter(
        rng,
        trees,
        130 if is_wood else 60,
        (from_m, (1.25 if is_wood else 2.6) * from_m),
        object_scale=(1.0, 1.8),
        spread=1.6,
        gap_share=0.3 if is_wood else 0.5,
    )
    if is_wood:
        bushes = [scenery.add(shrub(rng, float(rng.uniform(1.5, 2.5)))) for _ in range(2)]
        depth_m = (0.95 * from_m, 1.1 * from_m)
        scenery.scatter(
            rng, bushes, 60, depth_m, object_scale=(0.8, 1.8), spread=1.6, gap_share=0.2
        )


def _shading(rng: np.random.Generator, scenery: Scenery) -> list[int]:
    """Add two kinds of broad-leaved trees."""
    slender = 0.5 if rng.random() < 0.25 else 1.0
    return [
        scenery.add(broadleaf(rng, float(rng.uniform(5.5, 9.0)), slender=slender)) for _ in range(2)
    ]


def _rocks(
    rng: np.random.Generator, scenery: Scenery, num: int, depth_m: tuple[float, float]
) -> None:
    finish = stone_rand(rng)
    models = [scenery.add(Prop("rock", rock_shape(rng, 0.5, 16), (finish,))) for _ in range(3)]
    scenery.scatter(rng, models, num, depth_m, object_scale=(0.25, 1.5))


def _shrubs(
    rng: np.random.Generator, scenery: Scenery, num: int, depth_m: tuple[float, float]
) -> None:
    models = [scenery.add(shrub(rng, float(rng.uniform(0.6, 1.3)))) for _ in range(2)]
    scenery.scatter(rng, models, num, depth_m)


def _meadow(rng: np.random.Generator, scenery: Scenery) -> None:
    trees = _shading(rng, scenery)
    scenery.scatter(rng, trees, int(rng.integers(2, 6)), (7.0, 40.0))
    _shrubs(rng, scenery, int(rng.integers(2, 7)), (4.0, 30.0))
    if rng.random() < 0.4:
        _rocks(rng, scenery, int(rng.integers(2, 6)), (2.0, 15.0))
    if rng.random() < 0.5:
        y_m = float(rng.uniform(8.0, 18.0))
        add_fence(rng, scenery, lambda along: (along, np.full_like(along, y_m)), (-22.0, 22.0))
    _tree_line(rng, scenery, trees, float(rng.uniform(55.0, 90.0)))


def _lane(rng: np.random.Generator, scenery: Scenery) -> None:
    trees = _shading(rng, scenery)
    fence_along_lane(rng, scenery)
    scenery.scatter(rng, trees, int(rng.integers(4, 9)), (8.0, 60.0))
    _shrubs(rng, scenery, int(rng.integers(3, 9)), (4.0, 35.0))
    _tree_line(rng, scenery, trees, float(rng.uniform(60.0, 110.0)))


def _plaza(rng: np.random.Generator, scenery: Scenery) -> None:
    setting = scenery.setting
    depth_m = float(rng.uniform(18.0, 38.0))
    _houses(rng, scenery, depth_m)
    if rng.random() < 0.6:
        x_m = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(2.0, 5.0))
        scenery.put(scenery.add(fountain(rng)), x_m, float(rng.uniform(9.0, 13.0)), 0.0)
    tree = scenery.add(broadleaf(rng, float(rng.uniform(5.0, 7.0))))
    row_y_m = depth_m - float(rng.uniform(5.0, 9.0))
    for x_m in np.arange(-24.0, 25.0, float(rng.uniform(6.0, 8.5))):
        shape = scenery.models[tree].shape
        if not setting.is_shading(x_m, row_y_m, shape.height_m, shape.radius_m):
            scenery.put(tree, float(x_m), row_y_m, float(rng.uniform(0.0, 360.0)))
    box = scenery.add(planter(rng, setting.palette))
    row_y_m = setting.main_radius_m + float(rng.uniform(2.0, 4.5))
    shift_m = float(rng.uniform(0.0, 3.0))
    for number in range(-4, 5):
        x_m = 2.8 * number + shift_m
        if not setting.is_behind_main(x_m, row_y_m):
            scenery.put(box, x_m, row_y_m, 0.0)
    if rng.random() < 0.5:
        iron = scenery.add(bollard(rng))
        for number in range(-8, 9):
            scenery.put(iron, 1.9 * number, row_y_m + 3.0, 0.0)
    seat = scenery.add(bench(rng, setting.palette))
    scenery.scatter(rng, [seat], 2, (5.0, 12.0), object_scale=(1.0, 1.0))


def _houses(rng: np.random.Generator, scenery: Scenery, depth_m: float) -> None:
    """Close the square with a row of houses, or with a hedge and trees."""
    if rng.random() < 0.3:
        size = (90.0, 1.0, float(rng.uniform(1.4, 2.2)))
        scenery.put(scenery.add(hedge(rng, size)), 0.0, depth_m, 0.0)
        trees = _shading(rng, scenery)
        _tree_line(rng, scenery, trees, depth_m + 6.0)
        return
    houses = [scenery.add(facade(rng)) for _ in range(_NUM_HOUSES)]
    x_m, following = -_ROW_HALF_M, 0
    while x_m < _ROW_HALF_M:
        house = houses[following % _NUM_HOUSES]
        half_m = float(scenery.models[house].shape.vertices_V3[:, 0].max()) - 0.25
        scenery.put(house, x_m + half_m, depth_m + float(rng.uniform(-0.4, 0.4)), 0.0)
        x_m += 2.0 * half_m + float(rng.choice([0.0, 0.0, 3.0]))
        following += int(rng.integers(1, 3))


def _gravel(rng: np.random.Generator, scenery: Scenery) -> None:
    trees = [scenery.add(conifer(rng, float(rng.uniform(6.0, 11.0)))) for _ in range(2)]
    _rocks(rng, scenery, int(rng.integers(6, 14)), (1.5, 30.0))
    scenery.scatter(rng, trees, int(rng.integers(4, 12)), (10.0, 60.0))
    _tree_line(rng, scenery, trees, float(rng.uniform(60.0, 100.0)))


def _dunes(rng: np.random.Generator, scenery: Scenery) -> None:
    _rocks(rng, scenery, int(rng.integers(3, 10)), (1.5, 30.0))
    _shrubs(rng, scenery, int(rng.integers(3, 9)), (5.0, 50.0))


def _shore(rng: np.random.Generator, scenery: Scenery) -> None:
    _rocks(rng, scenery, int(rng.integers(4, 12)), (1.5, 20.0))
    add_groyne(rng, scenery)
    for make in (crates, barrel):
        if rng.random() < 0.5:
            model = scenery.add(make(rng, scenery.setting.palette))
            scenery.scatter(rng, [model], 1, (2.0, 6.0), object_scale=(1.0, 1.0))


_FURNISH: Mapping[str, Callable[[np.random.Generator, Scenery], None]] = MappingProxyType(
    {
        "meadow": _meadow,
        "track": _lane,
        "plaza": _plaza,
        "gravel": _gravel,
        "dunes": _dunes,
        "shore": _shore,
    }
)


def scenery_rand(rng: np.random.Generator, place: str, setting: Setting) -> Scenery:
    """Draw what stands around the main object."""
    scenery = Scenery(setting)
    _FURNISH[place](rng, scenery)
    return scenery
