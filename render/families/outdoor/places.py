"""Kinds of places outdoors: their ground, their relief, and which objects are at home there."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from render.blender.finishes import Finish, Rgb, linear_rgb, shaded
from render.families.outdoor import furniture as outdoor_furniture
from render.families.outdoor import objects as outdoor_objects
from render.families.outdoor import stone as outdoor_stone
from render.families.outdoor.terrain import Relief, noise_rand, track_mask
from render.families.tabletop.catalogue import Maker

MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        maker.__name__: maker
        for maker in (
            outdoor_furniture.bench,
            outdoor_furniture.picnic_table,
            outdoor_furniture.garden_chair,
            outdoor_furniture.crates,
            outdoor_furniture.signpost,
            outdoor_stone.boulder,
            outdoor_objects.barrel,
            outdoor_stone.urn,
            outdoor_objects.mailbox,
            outdoor_objects.wheelbarrow,
            outdoor_objects.milk_churn,
            outdoor_objects.watering_can,
            outdoor_objects.log_seat,
        )
    }
)

# Shares of the scenes, and the main objects one may meet there.
_PLACES = {
    "meadow": (
        0.24,
        "bench picnic_table boulder garden_chair wheelbarrow watering_can urn milk_churn log_seat",
    ),
    "track": (0.2, "signpost mailbox boulder milk_churn wheelbarrow crates barrel bench"),
    "plaza": (0.2, "bench urn barrel crates watering_can garden_chair"),
    "gravel": (0.14, "boulder crates barrel signpost wheelbarrow milk_churn log_seat"),
    "dunes": (0.1, "barrel boulder crates signpost garden_chair milk_churn"),
    "shore": (0.12, "barrel crates boulder signpost garden_chair bench"),
}
PLACES = tuple(_PLACES)
PLACE_SHARES = tuple(share for share, _ in _PLACES.values())
MAINS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {place: tuple(kinds.split()) for place, (_, kinds) in _PLACES.items()}
)

GRASSES: tuple[tuple[Rgb, Rgb], ...] = tuple(  # green and its dry shade
    (linear_rgb(green), linear_rgb(dry))
    for green, dry in (
        ("7f9a48", "bdb26c"),
        ("8da24e", "b6b068"),
        ("6f8f4a", "a0a668"),
        ("9ba562", "c9ba80"),
    )
)
_GRAVELS = (("aaa196", "79736b"), ("b5a88f", "87775f"), ("989a9b", "696b6d"))
_SANDS = (("d2b78f", "b3936a"), ("c9b494", "a68d6c"), ("dcc7a1", "bda27a"), ("c9ac85", "a3865f"))
_PAVINGS = (("b5ada1", "6d665d"), ("a39e98", "5f5b57"), ("b8977c", "77685a"), ("c2b8a6", "847b6d"))


@dataclass(frozen=True)
class Ground:
    """The ground of a place."""

    finish: Finish
    relief: Relief


def ground_rand(rng: np.random.Generator, place: str, main_radius_m: float) -> Ground:
    """Draw the ground of a place; it is level under the main object."""
    level_m = 1.15 * main_radius_m + 0.15
    return Ground(_finish_rand(rng, place), _relief_rand(rng, place, main_radius_m, level_m))


def _finish_rand(rng: np.random.Generator, place: str) -> Finish:
    def pick(pairs: tuple[tuple[str, str], ...]) -> tuple[Rgb, Rgb]:
        light, dark = pairs[int(rng.integers(len(pairs)))]
        return linear_rgb(light), linear_rgb(dark)

    if place in ("meadow", "track"):
        return Finish("lawn", *GRASSES[int(rng.integers(len(GRASSES)))])
    if place == "plaza":
        size = float(rng.choice([0.35, 0.7, 1.0, 1.3]))
        return Finish("paving", *pick(_PAVINGS), roughness=0.65, scale=size)
    if place == "gravel":
        return Finish("gravel", *pick(_GRAVELS), scale=float(rng.uniform(0.8, 1.4)))
    ripples = float(rng.uniform(1.0, 4.0)) if place == "dunes" else 0.4
    return Finish("sand", *pick(_SANDS), level_m=ripples)


def _relief_rand(
    rng: np.random.Generator, place: str, main_radius_m: float, level_m: float
) -> Relief:
    noise = noise_rand(rng)
    hill_m = float(rng.uniform(15.0, 55.0))
    hill_from_m = float(rng.uniform(150.0, 330.0))
    swell_m = float(rng.uniform(0.3, 1.0))
    if place == "plaza":
        return Relief(noise, 0.0, 0.0, hill_m, hill_from_m, level_radius_m=level_m)
    if place == "gravel":
        return Relief(noise, swell_m, 0.07, 2.6 * hill_m, hill_from_m, level_radius_m=level_m)
    if place == "dunes":
        return Relief(noise, 2.0 * swell_m, 0.05, hill_m, hill_from_m, level_m)
    if place == "shore":
        shore_y_m = float(rng.uniform(7.0, 22.0))
        return Relief(noise, 0.4 * swell_m, 0.05, 1.5 * hill_m, 500.0, level_m, shore_y_m)
    if place == "track":
        width_m = float(rng.uniform(1.5, 2.4))
        side = float(rng.choice([-1.0, 1.0]))
        x_m = side * (main_radius_m + 0.55 + width_m / 2)
        mask = track_mask(noise, x_m, side * float(rng.uniform(-4.0, 14.0)), width_m)
        return Relief(noise, swell_m, 0.05, hill_m, hill_from_m, level_radius_m=level_m, track=mask)
    return Relief(noise, swell_m, 0.05, hill_m, hill_from_m, level_radius_m=level_m)


def water_finish_rand(rng: np.random.Generator) -> Finish:
    """Draw the sea or a lake."""
    deep = linear_rgb(str(rng.choice(["1f3a44", "24403f", "2a3f4f"])))
    return Finish("water", shaded(deep, 0.8), roughness=float(rng.uniform(0.06, 0.14)))
