"""All kinds of props by name, and which of them show a turn about their vertical axis."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from render.blender.finishes import Palette
from render.families.craft.props import Prop
from render.families.tabletop import crafted, devices, nature, vessels

Maker = Callable[[np.random.Generator, Palette], Prop]

MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        maker.__name__: maker
        for maker in (
            vessels.mug,
            vessels.teapot,
            vessels.jug,
            vessels.vase,
            vessels.bottle,
            vessels.tumbler,
            vessels.bowl,
            nature.apple,
            nature.pear,
            nature.citrus,
            nature.stone,
            nature.cactus,
            nature.plant,
            crafted.books,
            crafted.blocks,
            devices.clock,
            devices.camera,
            crafted.gift,
            crafted.candle,
            crafted.jar,
            crafted.mill,
        )
    }
)

# A turned vase looks the same from everywhere; these do not. Shares of the scenes.
_MAINS = {
    "mug": 0.15,
    "teapot": 0.13,
    "jug": 0.13,
    "books": 0.11,
    "blocks": 0.11,
    "clock": 0.11,
    "camera": 0.12,
    "gift": 0.09,
    "stone": 0.05,
}
MAIN_KINDS, MAIN_SHARES = tuple(_MAINS), tuple(_MAINS.values())


def make_prop(kind: str, rng: np.random.Generator, palette: Palette) -> Prop:
    """Return one prop of a kind in the scene's colours, standing on z = 0."""
    prop = MAKERS[kind](rng, palette)
    sunk_m = float(prop.shape.vertices_V3[:, 2].min())
    return replace(prop, shape=prop.shape.moved(z_m=-sunk_m))
