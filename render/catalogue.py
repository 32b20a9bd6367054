"""All kinds of props by name, and which of them show a turn about their vertical axis."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from render import crafted, nature, vessels
from render.finishes import Palette
from render.props import Prop

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
            crafted.clock,
            crafted.camera,
            crafted.gift,
            crafted.candle,
            crafted.jar,
            crafted.mill,
        )
    }
)

# A turned vase looks the same from everywhere; these do not.
MAIN_KINDS = ("mug", "teapot", "jug", "books", "blocks", "clock", "camera", "gift", "stone")


def make_prop(kind: str, rng: np.random.Generator, palette: Palette) -> Prop:
    """Return one thing of a kind in the scene's colours, standing on z = 0."""
    prop = MAKERS[kind](rng, palette)
    sunk_m = float(prop.shape.vertices_V3[:, 2].min())
    return replace(prop, shape=prop.shape.moved(z_m=-sunk_m))
