"""Shader graphs of the ground outdoors: grass, gravel, sand, paving, water.

Grounds stand in world space (their object is at the origin), patterns are in metres. The mesh
attribute `track` of a ground is 1 where a lane is worn into it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from render.blender.finishes import Finish, Rgb, linear_rgb, shaded
from render.blender.nodes import NodeGraph, Vector
from render.families.craft import weathered_surfaces

TRACK_ATTRIBUTE = "track"
_FOREST, _HEATH = linear_rgb("46552f"), linear_rgb("6f6a4e")  # what grows on far slopes
_SOIL, _SOIL_DARK = linear_rgb("8a745a"), linear_rgb("5f4d3b")


def lawn(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Grass from above: patches, dry spots, fine blades; bare soil on a lane."""
    place = graph.object_coordinates(offset)
    patches = graph.noise(place, 0.28, detail=4.0)
    tufts = graph.noise(place, 7.0, detail=3.0)
    blades = graph.noise(place, 90.0, detail=2.0)
    tone = graph.math("MULTIPLY_ADD", tufts, 0.5, graph.math("MULTIPLY", blades, 0.5))
    grass = graph.ramp(tone, [(0.3, shaded(finish.colour, 0.45)), (0.68, finish.colour)])
    dry = graph.math("MULTIPLY", graph.step(patches, 0.48, 0.72), 0.75)
    grass = graph.blend(dry, grass, finish.second)
    grass = _far_slopes(graph, grass, _FOREST)
    is_bare = graph.attribute(TRACK_ATTRIBUTE)
    crumbs = graph.noise(place, 45.0, detail=5.0)
    soil = graph.ramp(crumbs, [(0.3, _SOIL_DARK), (0.65, _SOIL)])
    height = graph.math("ADD", graph.math("MULTIPLY", tufts, 3.0), blades)
    return graph.principled(
        {
            "Base Color": graph.blend(is_bare, grass, soil),
            "Roughness": 0.9,
            "Specular IOR Level": 0.15,
            "Normal": graph.bump(height, 0.03, strength=0.8),
        }
    )


def gravel(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Stones of two sizes, each in its own shade, in finer grit."""
    place = graph.object_coordinates(offset)
    large, large_tone = _stones(graph, place, 22.0 / finish.scale)
    small, small_tone = _stones(graph, place, 75.0 / finish.scale)
    is_large = graph.step(graph.noise(place, 3.0, detail=3.0), 0.42, 0.58)
    tone = graph.lerp(is_large, small_tone, large_tone)
    stone = graph.ramp(
        tone,
        [
            (0.1, finish.second),
            (0.4, finish.colour),
            (0.65, finish.second),
            (0.9, shaded(finish.colour, 1.3)),
        ],
    )
    height = graph.lerp(is_large, graph.math("MULTIPLY", small, 0.4), large)
    wide = graph.math("MULTIPLY_ADD", graph.noise(place, 0.4, detail=3.0), 0.5, 0.8)
    joint = graph.math("MULTIPLY_ADD", graph.step(height, 0.0, 0.3), 0.45, 0.55)
    colour = graph.scaled(stone, graph.math("MULTIPLY", wide, joint))
    return graph.principled(
        {
            "Base Color": _far_slopes(graph, colour, _HEATH),
            "Roughness": 0.85,
            "Normal": graph.bump(height, 0.02, strength=0.9),
        }
    )


def sand(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Sand: grains, darker where it is coarse, soft unevenness."""
    place = graph.object_coordinates(offset)
    wide = graph.noise(place, 0.35, detail=5.0)
    grains = graph.noise(place, 420.0, detail=2.0)
    colour = graph.ramp(
        graph.math("MULTIPLY_ADD", grains, 0.55, graph.math("MULTIPLY", wide, 0.45)),
        [(0.32, finish.second), (0.6, finish.colour)],
    )
    soft = graph.math("MULTIPLY_ADD", graph.noise(place, 9.0, detail=4.0), 6.0, grains)
    soft = graph.math("MULTIPLY_ADD", _ripples(graph, place), 2.2 * finish.level_m, soft)
    return graph.principled(
        {
            "Base Color": _far_slopes(graph, colour, shaded(finish.second, 0.55)),
            "Roughness": 0.9,
            "Normal": graph.bump(soft, 0.006, strength=0.7),
        }
    )


def _far_slopes(graph: NodeGraph, near: Any, far: Rgb) -> Any:
    """The colour `near`, overgrown in patches where the ground rises to hills."""
    place = graph.object_coordinates()
    rises = graph.step(graph.axis(place, "Z"), 1.5, 6.0)
    patches = graph.step(graph.noise(place, 0.02, detail=5.0), 0.4, 0.56)
    crowns = graph.math("MULTIPLY_ADD", graph.noise(place, 0.35, detail=2.0), 0.7, 0.65)
    grown = graph.math("MULTIPLY", rises, graph.math("MULTIPLY", patches, 0.9))
    return graph.blend(grown, near, graph.scaled(far, crowns))


def _ripples(graph: NodeGraph, place: Any) -> Any:
    """The ridges that wind draws in sand, a hand's width apart, winding, here and there."""
    bend = graph.math("MULTIPLY", graph.noise(place, 0.9, detail=2.0), 9.0)
    bend = graph.math("MULTIPLY_ADD", graph.noise(place, 4.0, detail=1.0), 1.6, bend)
    across = graph.math("MULTIPLY_ADD", graph.axis(place, "Y"), 9.5, bend)
    across = graph.math("MULTIPLY_ADD", graph.axis(place, "X"), 2.5, across)
    where = graph.step(graph.noise(place, 0.5, detail=2.0), 0.38, 0.6)
    return graph.math("MULTIPLY", graph.math("PINGPONG", across, 0.5), where)


def paving(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Slabs or setts in running bond, each in its own shade, worn and stained; `scale` is size."""
    place = graph.object_coordinates(offset)
    waver = graph.scaled(graph.noise(place, 6.0, detail=2.0), 0.006)
    bricks = graph.node(
        "ShaderNodeTexBrick",
        {
            "Vector": graph.vector("ADD", place, waver),
            "Color1": (0.0, 0.0, 0.0),
            "Color2": (1.0, 1.0, 1.0),
            "Mortar": (0.5, 0.5, 0.5),
            "Scale": 1.0,
            "Mortar Size": 0.006,
            "Mortar Smooth": 0.35,
            "Brick Width": 0.6 * finish.scale,
            "Row Height": 0.4 * finish.scale,
        },
    )
    joint = bricks.outputs["Fac"]
    stain = graph.noise(place, 1.3, detail=6.0)
    grains = graph.noise(place, 180.0, detail=3.0)
    tone = graph.math("MULTIPLY", graph.axis(bricks.outputs["Color"], "X"), 0.5)
    tone = graph.math("MULTIPLY_ADD", stain, 0.45, tone)
    tone = graph.math("MULTIPLY_ADD", grains, 0.3, tone)
    slab = graph.ramp(tone, [(0.25, shaded(finish.colour, 0.62)), (0.85, finish.colour)])
    height = graph.math("MULTIPLY_ADD", joint, -1.0, graph.math("MULTIPLY", grains, 0.12))
    colour = graph.blend(joint, slab, finish.second)
    wear = graph.math("MULTIPLY_ADD", stain, -0.35, finish.roughness + 0.2)
    return graph.principled(
        {
            "Base Color": _far_slopes(graph, colour, _FOREST),
            "Roughness": wear,
            "Normal": graph.bump(height, 0.008, strength=0.8),
        }
    )


def water(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Open water, seen from above it: dark, mirroring, with small waves."""
    place = graph.object_coordinates(offset)
    long = graph.noise(graph.vector("MULTIPLY", place, (0.35, 1.0, 1.0)), 1.1, detail=4.0)
    short = graph.noise(graph.vector("MULTIPLY", place, (0.6, 1.0, 1.0)), 7.0, detail=3.0)
    height = graph.math("MULTIPLY_ADD", long, 3.0, graph.math("MULTIPLY", short, 0.5))
    return graph.principled(
        {
            "Base Color": finish.colour,
            "Roughness": finish.roughness,
            "IOR": 1.33,
            "Normal": graph.bump(height, 0.09, strength=1.0),
        }
    )


def _stones(graph: NodeGraph, place: Any, per_metre: float) -> tuple[Any, Any]:
    """Return height (0 in the joints) and tone of rounded stones."""
    cells = graph.node("ShaderNodeTexVoronoi", {"Vector": place, "Scale": per_metre})
    height = graph.math("SUBTRACT", 1.0, cells.outputs["Distance"])
    return graph.math("MULTIPLY", height, height), graph.axis(cells.outputs["Color"], "X")


OUTDOOR_BUILDERS: Mapping[str, Callable[[NodeGraph, Finish, Vector], Any]] = MappingProxyType(
    {
        "lawn": lawn,
        "gravel": gravel,
        "sand": sand,
        "paving": paving,
        "water": water,
        "rock": weathered_surfaces.rock,
        "timber": weathered_surfaces.timber,
        "post": weathered_surfaces.post,
        "paint": weathered_surfaces.paint,
        "zinc": weathered_surfaces.zinc,
        "leaves": weathered_surfaces.leaves,
        "foliage": weathered_surfaces.foliage,
        "bark": weathered_surfaces.bark,
    }
)
