"""Which mesh of a scene that somebody else made is the main object.

The rule: of the meshes that cover at most half of the picture, the one that covers most of it,
where one that touches a side of the picture counts half. Those that touch more than one side
(floors, walls) are taken only where there is no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError

MAX_SHARE = 0.5  # of the picture: beyond, it is its surroundings
MIN_SHARE = 0.002
_MAX_SIDES = 1  # of the picture that it may touch: a bust stands on the lower one
_NAMES_SHOWN = 12


@dataclass(frozen=True)
class Coverage:
    """How a mesh shows in the picture."""

    name: str
    share: float  # of the picture's pixels
    num_sides: int  # of the picture that it touches

    @property
    def weight(self) -> float:
        """How much it looks like what the picture is of."""
        return self.share / (1.0 + self.num_sides)


def coverages(index_HW: NDArray[np.float32], names: Sequence[str]) -> list[Coverage]:
    """Return how much of an object-index picture each name covers; names count from 1."""
    found = []
    for number, name in enumerate(names, start=1):
        is_it = index_HW == number
        sides = (is_it[0], is_it[-1], is_it[:, 0], is_it[:, -1])
        found.append(Coverage(name, float(is_it.mean()), sum(bool(s.any()) for s in sides)))
    return found


def choose_main(found: Sequence[Coverage], path: Path) -> str:
    """Return the name of the main object.

    Raises:
        SceneError: every mesh is out of the picture, tiny, or fills it.
    """
    eligible = [c for c in found if MIN_SHARE <= c.share <= MAX_SHARE]
    inside = [c for c in eligible if c.num_sides <= _MAX_SIDES]
    best = max(inside or eligible, key=lambda c: (c.weight, c.name), default=None)
    if best is None:
        largest = sorted(found, key=lambda c: (-c.share, c.name))[:_NAMES_SHOWN]
        listed = ", ".join(f"{c.name} {100.0 * c.share:.1f} %" for c in largest)
        msg = (
            f"{path}: no mesh covers {100.0 * MIN_SHARE:g} to {100.0 * MAX_SHARE:g} % of the "
            f"picture ({listed}); name the main object with main_object"
        )
        raise SceneError(msg)
    return best.name


def named_main(scene: Any, meshes: Sequence[Any], name: str, path: Path) -> Any:
    """Return the rendered object of that name: a mesh, or whatever has meshes below it.

    Raises:
        SceneError: there is none.
    """
    named = scene.objects.get(name)
    below = () if named is None else named.children_recursive
    if named in meshes or any(child in meshes for child in below):
        return named
    names = [mesh.name for mesh in meshes]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    msg = (
        f"{path}: has no rendered mesh '{name}'; main_object must be one of: "
        f"{', '.join(names[:_NAMES_SHOWN])}{more}"
    )
    raise SceneError(msg)


def spoken_name(name: str) -> str:
    """Return what a person would call an object or file of that name.

    >>> spoken_name("Coffee_Mug.001")
    'coffee mug'
    """
    words = name.replace("_", " ").replace("-", " ").replace(".", " ").lower().split()
    kept = [word for word in words if not word.isdigit()]
    return " ".join(kept or words) or "object"
