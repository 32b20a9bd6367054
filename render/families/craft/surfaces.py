"""Shader graphs of flat, large surfaces: table tops, walls, cloth, paper; of wood and stone."""

from typing import Any

from render.blender.finishes import Finish, Rgb, shaded
from render.blender.nodes import NodeGraph, Vector

PLANK_WIDTH_M = 0.115
TILE_SIZE_M = (0.15, 0.075)  # kitchen wall, width and height


def wood(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Solid wood, grain along x."""
    return _wood_shader(graph, finish, graph.object_coordinates(offset), shade=1.0, gap=None)


def planks(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """A table top of boards along x, each from another part of the tree."""
    place = graph.object_coordinates(offset)
    across = graph.math("DIVIDE", graph.axis(place, "Y"), PLANK_WIDTH_M * finish.scale)
    number = graph.math("FLOOR", across)
    chance = graph.white_noise(number)
    shifted = graph.vector("ADD", place, graph.scaled((7.0, 0.0, 3.0), chance))
    shade = graph.math("MULTIPLY_ADD", chance, 0.3, 0.82)
    from_edge = graph.math("PINGPONG", across, 0.5)
    gap = graph.step(from_edge, 0.0, 0.018)  # 0 in the joint, 1 on the board
    return _wood_shader(graph, finish, shifted, shade, gap)


def _wood_shader(graph: NodeGraph, finish: Finish, place: Any, shade: Any, gap: Any) -> Any:
    """Growth rings cut lengthwise, fibres, pores, and a joint darkened where `gap` is 0."""
    size = 1.0 / finish.scale
    along = graph.vector("MULTIPLY", place, (0.9 * size, 11.0 * size, 11.0 * size))
    warp = graph.noise(along, 1.0, detail=1.0, distortion=0.3)
    rings = graph.math("PINGPONG", graph.math("MULTIPLY", warp, 22.0), 1.0)
    fibres = graph.noise(
        graph.vector("MULTIPLY", place, (11.0 * size, 520.0 * size, 520.0 * size)), 1.0, detail=2.0
    )
    pores = graph.noise(graph.vector("MULTIPLY", place, (45.0, 1400.0, 1400.0)), 1.0, detail=0.0)
    grain = graph.math("MULTIPLY_ADD", rings, 0.35, graph.math("MULTIPLY", fibres, 0.75))
    tone = graph.ramp(
        grain,
        [
            (0.22, finish.second),
            (0.5, _between(finish.colour, finish.second)),
            (0.8, finish.colour),
        ],
    )
    colour = graph.scaled(tone, graph.math("MULTIPLY", shade, graph.step(pores, 0.12, 0.38)))
    if gap is not None:
        colour = graph.scaled(colour, graph.math("MAXIMUM", gap, 0.12))
    roughness = graph.math("MULTIPLY_ADD", fibres, 0.25, finish.roughness - 0.1)
    inputs = {"Base Color": colour, "Roughness": roughness}
    if gap is not None:
        inputs["Normal"] = graph.bump(gap, 0.0012, strength=0.6)
    return graph.principled(inputs)


def _between(first: Rgb, second: Rgb) -> Rgb:
    red, green, blue = (0.55 * a + 0.45 * b for a, b in zip(first, second, strict=True))
    return red, green, blue


def marble(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Polished stone with veins."""
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 2.2 * finish.scale, detail=4.0, distortion=1.6)
    vein = graph.math("ABSOLUTE", graph.math("SUBTRACT", cloud, 0.5))
    fine = graph.noise(place, 9.0 * finish.scale, detail=3.0, distortion=0.8)
    line = graph.math("ADD", graph.math("MULTIPLY", vein, 6.0), graph.math("MULTIPLY", fine, 0.6))
    colour = graph.ramp(
        line,
        [(0.2, finish.second), (0.34, shaded(finish.colour, 0.8)), (0.6, finish.colour)],
    )
    roughness = graph.math("MULTIPLY_ADD", fine, 0.2, finish.roughness)
    return graph.principled({"Base Color": colour, "Roughness": roughness})


def granite(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Rough stone or concrete: clouds, grains, pits."""
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 9.0 * finish.scale, detail=4.0)
    grains = graph.noise(place, 240.0 * finish.scale, detail=1.0)
    mix = graph.math("ADD", graph.math("MULTIPLY", cloud, 0.6), graph.math("MULTIPLY", grains, 0.4))
    colour = graph.ramp(mix, [(0.36, finish.second), (0.62, finish.colour)])
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": finish.roughness,
            "Normal": graph.bump(grains, 0.0012, strength=0.6),
        }
    )


def linen(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Woven cloth: threads of uneven thickness, soft folds."""
    place = graph.object_coordinates(offset)
    warp, weft = (_threads(graph, place, along) for along in ("X", "Y"))
    weave = graph.math("MULTIPLY", graph.math("ADD", warp, weft), 0.5)
    slubs = graph.noise(graph.vector("MULTIPLY", place, (9.0, 330.0, 1.0)), 1.0, detail=2.0)
    tone = graph.math("ADD", graph.math("MULTIPLY", weave, 0.6), graph.math("MULTIPLY", slubs, 0.4))
    colour = graph.ramp(tone, [(0.15, shaded(finish.colour, 0.6)), (0.7, finish.colour)])
    folds = graph.noise(place, 5.0, detail=2.0)
    height = graph.math("MULTIPLY_ADD", folds, 9.0, weave)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": 0.92,
            "Sheen Weight": 0.25,
            "Normal": graph.bump(height, 0.0007, strength=0.8),
        }
    )


def _threads(graph: NodeGraph, place: Any, along: str) -> Any:
    """Threads about 1 mm apart that waver a little, as a number in [0, 1]."""
    waver = graph.math("MULTIPLY", graph.noise(place, 60.0), 1.2)
    phase = graph.math("ADD", graph.math("MULTIPLY", graph.axis(place, along), 900.0), waver)
    return graph.math("PINGPONG", phase, 1.0)


def plaster(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """A painted wall, not quite even."""
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 2.5, detail=3.0)
    colour = graph.ramp(cloud, [(0.3, shaded(finish.colour, 0.88)), (0.7, finish.colour)])
    strokes = graph.noise(place, 60.0, detail=1.0)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": finish.roughness,
            "Normal": graph.bump(strokes, 0.002, strength=0.5),
        }
    )


def tiles(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Glazed wall tiles in running bond; the wall stands in its object's x-z plane."""
    place = graph.object_coordinates()
    across = graph.combine(graph.axis(place, "X"), graph.axis(place, "Z"), 0.0)
    width, height = (side * finish.scale for side in TILE_SIZE_M)
    bricks = graph.node(
        "ShaderNodeTexBrick",
        {
            "Vector": across,
            "Color1": shaded(finish.colour, 0.9),
            "Color2": finish.colour,
            "Mortar": finish.second,
            "Scale": 1.0,
            "Mortar Size": 0.002,
            "Mortar Smooth": 0.3,
            "Brick Width": width,
            "Row Height": height,
        },
    )
    joint = bricks.outputs["Fac"]
    wavy = graph.noise(graph.object_coordinates(offset), 16.0, detail=1.0)
    relief = graph.math("SUBTRACT", graph.math("MULTIPLY", wavy, 0.5), joint)
    roughness = graph.math("MULTIPLY_ADD", joint, 0.6, finish.roughness)
    return graph.principled(
        {
            "Base Color": bricks.outputs["Color"],
            "Roughness": roughness,
            "Normal": graph.bump(relief, 0.002),
        }
    )


def paper(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Seamless background paper."""
    fibres = graph.noise(graph.object_coordinates(offset), 350.0, detail=3.0)
    return graph.principled(
        {
            "Base Color": finish.colour,
            "Roughness": 0.8,
            "Normal": graph.bump(fibres, 0.0003, strength=0.4),
        }
    )
