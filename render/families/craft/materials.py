"""Finishes as Cycles materials, all procedural; patterns live in object space, in metres."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import bpy
import numpy as np

from render.blender.finishes import Finish, shaded
from render.blender.nodes import NodeGraph, Vector
from render.blender.versions import enable_nodes
from render.families.craft import surfaces
from render.families.craft.ground_surfaces import OUTDOOR_BUILDERS
from render.families.craft.room_surfaces import ROOM_BUILDERS

Builder = Callable[[NodeGraph, Finish, Vector], Any]


def build_material(name: str, finish: Finish, rng: np.random.Generator) -> Any:
    """Return a new material; `rng` only shifts its pattern."""
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    graph = NodeGraph(material.node_tree)
    x, y, z = (float(v) for v in rng.uniform(-5.0, 5.0, 3))
    graph.surface(BUILDERS[finish.kind](graph, finish, (x, y, z)))
    return material


def _glazed(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    place = graph.object_coordinates(offset)
    pooled = graph.noise(place, 14.0, detail=3.0)  # glaze runs thinner and thicker
    colour = graph.ramp(pooled, [(0.3, shaded(finish.colour, 0.82)), (0.7, finish.colour)])
    wobble = graph.bump(graph.noise(place, 22.0, detail=1.0), 0.0012)
    return graph.principled(
        {"Base Color": colour, "Roughness": finish.roughness, "Normal": wobble, "IOR": 1.52}
    )


def _speckled(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    place = graph.object_coordinates(offset)
    specks = graph.step(graph.noise(place, 420.0, detail=1.5), 0.66, 0.70)
    cloud = graph.noise(place, 18.0, detail=3.0)
    base = graph.ramp(cloud, [(0.3, shaded(finish.colour, 0.86)), (0.7, finish.colour)])
    colour = _blend(graph, specks, base, finish.second)
    wobble = graph.bump(graph.noise(place, 30.0, detail=2.0), 0.001)
    return graph.principled(
        {"Base Color": colour, "Roughness": finish.roughness + 0.2, "Normal": wobble}
    )


def _dipped(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Glaze above a wavering line, bare clay below."""
    height = graph.axis(graph.object_coordinates(), "Z")
    place = graph.object_coordinates(offset)
    line = graph.math("MULTIPLY", graph.noise(place, 25.0), 0.012)
    is_glaze = graph.step(
        graph.math("SUBTRACT", height, line), finish.level_m - 0.007, finish.level_m - 0.005
    )
    clay = graph.ramp(
        graph.noise(place, 160.0, detail=3.0),
        [(0.35, shaded(finish.second, 0.8)), (0.65, finish.second)],
    )
    colour = _blend(graph, is_glaze, clay, finish.colour)
    roughness = graph.math("MULTIPLY_ADD", is_glaze, finish.roughness - 0.85, 0.85)
    grit = graph.bump(graph.noise(place, 350.0, detail=2.0), 0.0004, strength=0.5)
    return graph.principled({"Base Color": colour, "Roughness": roughness, "Normal": grit})


def _plastic(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    return graph.principled({"Base Color": finish.colour, "Roughness": finish.roughness})


def _polished(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Metal whose roughness varies as if it had been touched."""
    smudge = graph.noise(graph.object_coordinates(offset), 28.0, detail=4.0)
    roughness = graph.math("MULTIPLY", smudge, 2.0 * finish.roughness)
    return graph.principled({"Base Color": finish.colour, "Metallic": 1.0, "Roughness": roughness})


def _brushed(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Metal with fine strokes around the axis."""
    strokes = graph.vector("MULTIPLY", graph.object_coordinates(offset), (6.0, 6.0, 700.0))
    line = graph.noise(strokes, 1.0, detail=2.0)
    roughness = graph.math("MULTIPLY", line, 2.0 * finish.roughness)
    return graph.principled(
        {
            "Base Color": finish.colour,
            "Metallic": 1.0,
            "Roughness": roughness,
            "Normal": graph.bump(line, 0.0002, strength=0.15),
        }
    )


def _glass(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Glass that lets light through to what stands behind it.

    Caustics are off (noise), so for shadow rays it is a tinted filter instead of a black wall.
    """
    glass = graph.node(
        "ShaderNodeBsdfGlass", {"Color": finish.colour, "Roughness": 0.0, "IOR": 1.45}
    )
    filtered = graph.node("ShaderNodeBsdfTransparent", {"Color": shaded(finish.colour, 0.92)})
    is_shadow = graph.node("ShaderNodeLightPath", {}).outputs["Is Shadow Ray"]
    return graph.mixed(is_shadow, glass.outputs["BSDF"], filtered.outputs["BSDF"])


def _liquid(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    return graph.principled({"Base Color": finish.colour, "Roughness": 0.02, "IOR": 1.33})


def _terracotta(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 30.0, detail=5.0)
    colour = graph.ramp(cloud, [(0.3, shaded(finish.colour, 0.75)), (0.7, finish.colour)])
    grit = graph.bump(graph.noise(place, 300.0, detail=2.0), 0.0006, strength=0.6)
    return graph.principled({"Base Color": colour, "Roughness": 0.9, "Normal": grit})


def _skin(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Fruit: two colours that run into each other, fine pores, a waxy shine."""
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 26.0, detail=4.0)
    colour = graph.ramp(cloud, [(0.35, finish.colour), (0.65, finish.second)])
    pores = graph.bump(graph.cells(place, 420.0 * finish.scale), 0.0006, strength=0.5)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": finish.roughness,
            "Normal": pores,
            "Subsurface Weight": 0.15,
            "Subsurface Scale": 0.004,
        }
    )


def _cloth(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Book cloth: fine even grain."""
    grain = graph.noise(graph.object_coordinates(offset), 900.0, detail=1.0)
    colour = graph.ramp(grain, [(0.3, shaded(finish.colour, 0.85)), (0.7, finish.colour)])
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": finish.roughness,
            "Normal": graph.bump(grain, 0.0004, strength=0.5),
        }
    )


def _leather(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    cells = graph.cells(graph.object_coordinates(offset), 700.0)
    return graph.principled(
        {
            "Base Color": finish.colour,
            "Roughness": finish.roughness,
            "Normal": graph.bump(cells, 0.0008, strength=0.7),
        }
    )


def _pages(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """The cut edge of a book: thin lines along the pages."""
    sheets = graph.vector("MULTIPLY", graph.object_coordinates(offset), (8.0, 8.0, 1800.0))
    line = graph.noise(sheets, 1.0, detail=1.0)
    colour = graph.ramp(line, [(0.3, shaded(finish.colour, 0.72)), (0.6, finish.colour)])
    return graph.principled({"Base Color": colour, "Roughness": 0.9})


def _blend(graph: NodeGraph, factor: Any, first: Any, second: Any) -> Any:
    """The colours first to second by a factor in [0, 1]."""
    rest = graph.math("SUBTRACT", 1.0, factor)
    return graph.vector("ADD", graph.scaled(first, rest), graph.scaled(second, factor))


BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        "glazed": _glazed,
        "speckled": _speckled,
        "dipped": _dipped,
        "plastic": _plastic,
        "polished": _polished,
        "brushed": _brushed,
        "glass": _glass,
        "liquid": _liquid,
        "terracotta": _terracotta,
        "skin": _skin,
        "pages": _pages,
        "cloth": _cloth,
        "leather": _leather,
        "wood": surfaces.wood,
        "planks": surfaces.planks,
        "marble": surfaces.marble,
        "granite": surfaces.granite,
        "linen": surfaces.linen,
        "plaster": surfaces.plaster,
        "tiles": surfaces.tiles,
        "paper": surfaces.paper,
        **ROOM_BUILDERS,
        **OUTDOOR_BUILDERS,
    }
)
