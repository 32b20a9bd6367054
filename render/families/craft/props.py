"""What stands on a table: a shape and its finishes."""

from dataclasses import dataclass

from render.blender.finishes import Finish
from render.blender.shapes import Shape


@dataclass(frozen=True)
class Prop:
    """An object on z = 0 around its own vertical axis, in metres; it faces -y."""

    kind: str  # key of `render.families.tabletop.catalogue.MAKERS`
    shape: Shape
    finishes: tuple[Finish, ...]  # by material slot
