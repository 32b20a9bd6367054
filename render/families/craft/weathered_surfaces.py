"""Shader graphs of what stands outdoors: rock, weathered timber, paint and zinc, leaves, bark.

Patterns live in object space, in metres. The mesh attributes `shade` and `tip` of plants run from
0 to 1, at random by leaf and along a blade.
"""

from typing import Any

from render.blender.finishes import Finish, linear_rgb, shaded
from render.blender.nodes import NodeGraph, Vector

SHADE_ATTRIBUTE, TIP_ATTRIBUTE = "shade", "tip"
_DIRT = linear_rgb("5f4d3b")
_LICHEN = linear_rgb("a3a48c")
_MOSS = linear_rgb("5c6a35")


def rock(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Weathered stone: layers, cracks, lichen, and moss where it faces up."""
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 2.6 / finish.scale, detail=7.0, distortion=0.4)
    grains = graph.noise(place, 70.0, detail=4.0)
    tone = graph.math("MULTIPLY_ADD", cloud, 0.7, graph.math("MULTIPLY", grains, 0.3))
    stone = graph.ramp(tone, [(0.33, finish.second), (0.62, finish.colour)])
    spots = graph.step(graph.noise(place, 11.0, detail=5.0), 0.58, 0.64)
    stone = graph.blend(graph.math("MULTIPLY", spots, 0.35), stone, _LICHEN)
    up = graph.axis(graph.node("ShaderNodeNewGeometry", {}).outputs["Normal"], "Z")
    damp = graph.math("MULTIPLY_ADD", graph.noise(place, 4.0, detail=4.0), 1.6, up)
    moss = graph.math("MULTIPLY", graph.step(damp, 1.55, 1.75), 0.8 * finish.level_m)
    height = graph.math("MULTIPLY_ADD", cloud, 4.0, grains)
    return graph.principled(
        {
            "Base Color": graph.blend(moss, stone, _MOSS),
            "Roughness": finish.roughness,
            "Normal": graph.bump(height, 0.02, strength=0.7),
        }
    )


def timber(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Sawn boards that lie: grain along x, or along y on faces that look along x."""
    place = graph.object_coordinates(offset)
    facing = graph.node("ShaderNodeTexCoord", {}).outputs["Normal"]
    is_end = graph.step(graph.math("ABSOLUTE", graph.axis(facing, "X")), 0.6, 0.8)
    x, y, z = (graph.axis(place, name) for name in "XYZ")
    along, across = graph.lerp(is_end, x, y), graph.lerp(is_end, y, x)
    return _timber_shader(graph, finish, graph.combine(along, across, z))


def post(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Timber that stands: grain along z."""
    place = graph.object_coordinates(offset)
    x, y, z = (graph.axis(place, name) for name in "XYZ")
    return _timber_shader(graph, finish, graph.combine(z, x, y))


def _timber_shader(graph: NodeGraph, finish: Finish, place: Any) -> Any:
    """Grain along x of `place`, streaks of weather, grey where the sun bleached it."""
    board = graph.noise(graph.vector("MULTIPLY", place, (0.3, 6.0, 6.0)), 1.0, detail=1.0)
    grain = graph.noise(graph.vector("MULTIPLY", place, (3.0, 130.0, 130.0)), 1.0, detail=3.0)
    cracks = graph.noise(graph.vector("MULTIPLY", place, (1.6, 60.0, 60.0)), 1.0, detail=2.0)
    tone = graph.math("MULTIPLY_ADD", grain, 0.55, graph.math("MULTIPLY", board, 0.45))
    wood = graph.ramp(tone, [(0.3, finish.second), (0.62, finish.colour)])
    split = graph.step(cracks, 0.26, 0.36)
    colour = graph.scaled(wood, graph.math("MULTIPLY_ADD", split, 0.6, 0.4))
    height = graph.math("MULTIPLY_ADD", split, 0.7, graph.math("MULTIPLY", grain, 0.5))
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": finish.roughness,
            "Normal": graph.bump(height, 0.002, strength=0.6),
        }
    )


def paint(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Outdoor paint: a little uneven, dirty in places."""
    place = graph.object_coordinates(offset)
    dirt = graph.step(graph.noise(place, 5.0, detail=6.0), 0.5, 0.75)
    fine = graph.noise(place, 60.0, detail=3.0)
    base = graph.ramp(fine, [(0.3, shaded(finish.colour, 0.88)), (0.6, finish.colour)])
    colour = graph.blend(graph.math("MULTIPLY", dirt, 0.3), base, _DIRT)
    roughness = graph.math("MULTIPLY_ADD", dirt, 0.25, finish.roughness)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Normal": graph.bump(fine, 0.0008, strength=0.3),
        }
    )


def zinc(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Galvanised or bare metal that has stood outside: spangle and dull patches."""
    place = graph.object_coordinates(offset)
    spangle = graph.node("ShaderNodeTexVoronoi", {"Vector": place, "Scale": 45.0})
    tone = graph.axis(spangle.outputs["Color"], "X")
    colour = graph.ramp(tone, [(0.0, shaded(finish.colour, 0.72)), (1.0, finish.colour)])
    dull = graph.noise(place, 6.0, detail=5.0)
    roughness = graph.math("MULTIPLY_ADD", dull, 0.35, finish.roughness)
    return graph.principled({"Base Color": colour, "Metallic": 1.0, "Roughness": roughness})


def leaves(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Leaves and blades that let light through, each in its own shade, darker at its foot."""
    chance = graph.attribute(SHADE_ATTRIBUTE)
    tip = graph.math("MULTIPLY_ADD", graph.attribute(TIP_ATTRIBUTE), 0.55, 0.45)
    return _leaf_shader(graph, finish, chance, tip)


def foliage(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Leaves of an object whose mesh carries no attributes."""
    chance = graph.noise(graph.object_coordinates(offset), 45.0, detail=1.0)
    return _leaf_shader(graph, finish, chance, 0.85)


def _leaf_shader(graph: NodeGraph, finish: Finish, chance: Any, tip: Any) -> Any:
    hue = graph.ramp(
        chance, [(0.0, shaded(finish.colour, 0.7)), (0.6, finish.colour), (1.0, finish.second)]
    )
    colour = graph.scaled(hue, tip)
    surface = graph.principled(
        {"Base Color": colour, "Roughness": finish.roughness, "Specular IOR Level": 0.3}
    )
    through = graph.node("ShaderNodeBsdfTranslucent", {"Color": colour})
    return graph.mixed(0.42, surface, through.outputs["BSDF"])


def bark(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Furrowed bark, furrows upwards."""
    place = graph.vector("MULTIPLY", graph.object_coordinates(offset), (9.0, 9.0, 1.6))
    furrows = graph.noise(place, 3.0, detail=5.0)
    colour = graph.ramp(furrows, [(0.35, finish.second), (0.65, finish.colour)])
    return graph.principled(
        {"Base Color": colour, "Roughness": 0.95, "Normal": graph.bump(furrows, 0.03)}
    )
