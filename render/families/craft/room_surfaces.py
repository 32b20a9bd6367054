"""Shader graphs of rooms: floors, carpets, covers, curtains, pictures; seen from metres away.

Patterns are as coarse as a picture of a room can show; finer ones would only be noise.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from render.blender.finishes import Finish, Rgb, shaded
from render.blender.nodes import NodeGraph, Vector
from render.families.craft.room_finishes import mixed_rgb

BOARD_SIZE_M = (1.9, 0.15)  # of the floor, length and width
STRIPE_M = 0.075  # of wallpaper and striped cloth


def timber(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Furniture wood, grain along x."""
    place = graph.object_coordinates(offset)
    colour, fibres = _grain(graph, finish, place)
    roughness = graph.math("MULTIPLY_ADD", fibres, 0.2, finish.roughness - 0.1)
    return graph.principled({"Base Color": colour, "Roughness": roughness})


def upright_timber(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Wood of legs and posts: grain along z, and along x where a surface faces up."""
    place = graph.object_coordinates(offset)
    own_normal = graph.node("ShaderNodeTexCoord", {}).outputs["Normal"]
    faces_up = graph.step(graph.math("ABSOLUTE", graph.axis(own_normal, "Z")), 0.7, 0.72)
    x, y, z = (graph.axis(place, name) for name in ("X", "Y", "Z"))
    turned = blended(graph, faces_up, graph.combine(z, x, y), place)
    colour, fibres = _grain(graph, finish, turned)
    roughness = graph.math("MULTIPLY_ADD", fibres, 0.2, finish.roughness - 0.1)
    return graph.principled({"Base Color": colour, "Roughness": roughness})


def floorboards(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Boards along x with staggered ends, each from another part of the tree."""
    length, width = (side * finish.scale for side in BOARD_SIZE_M)
    chance, joint = _bricks(graph, (length, width), stagger=0.37, joint_m=0.0025)
    shifted = graph.vector(
        "ADD", graph.object_coordinates(offset), graph.scaled((9.0, 5.0, 3.0), chance)
    )
    colour, fibres = _grain(graph, finish, shifted)
    colour = graph.scaled(colour, graph.math("MULTIPLY_ADD", chance, 0.3, 0.82))
    colour = graph.scaled(colour, graph.math("MULTIPLY_ADD", joint, -0.75, 1.0))
    roughness = graph.math("MULTIPLY_ADD", fibres, 0.25, finish.roughness - 0.1)
    relief = graph.math("MULTIPLY_ADD", joint, -1.0, graph.math("MULTIPLY", chance, 0.2))
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Normal": graph.bump(relief, 0.0015, strength=0.6),
        }
    )


def _grain(graph: NodeGraph, finish: Finish, place: Any) -> tuple[Any, Any]:
    """Colour of wood by growth rings and fibres, and the fibres alone in [0, 1]."""
    size = 1.0 / finish.scale
    along = graph.vector("MULTIPLY", place, (0.8 * size, 9.0 * size, 9.0 * size))
    warp = graph.noise(along, 1.0, detail=1.5, distortion=0.4)
    rings = graph.math("PINGPONG", graph.math("MULTIPLY", warp, 14.0), 1.0)
    fibres = graph.noise(graph.vector("MULTIPLY", place, (6.0, 160.0, 160.0)), 1.0, detail=2.0)
    tone = graph.math("MULTIPLY_ADD", rings, 0.4, graph.math("MULTIPLY", fibres, 0.6))
    middle = mixed_rgb(finish.colour, finish.second, 0.5)
    colour = graph.ramp(tone, [(0.15, finish.second), (0.42, middle), (0.75, finish.colour)])
    return colour, fibres


def _bricks(
    graph: NodeGraph, size_m: tuple[float, float], stagger: float, joint_m: float
) -> tuple[Any, Any]:
    """A random number for each brick in the x-y plane, and 1 in the joints."""
    node = graph.node(
        "ShaderNodeTexBrick",
        {
            "Vector": graph.object_coordinates(),
            "Color1": (0.0, 0.0, 0.0),
            "Color2": (1.0, 1.0, 1.0),
            "Mortar": (0.5, 0.5, 0.5),
            "Scale": 1.0,
            "Mortar Size": joint_m,
            "Mortar Smooth": 0.2,
            "Brick Width": size_m[0],
            "Row Height": size_m[1],
        },
        offset=stagger,
    )
    return graph.axis(node.outputs["Color"], "X"), node.outputs["Fac"]


def floor_tiles(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Square stone or ceramic tiles; `scale` is their side in metres."""
    chance, joint = _bricks(graph, (finish.scale, finish.scale), stagger=0.0, joint_m=0.003)
    place = graph.object_coordinates(offset)
    shifted = graph.vector("ADD", place, graph.scaled((5.0, 7.0, 3.0), chance))
    cloud = graph.noise(shifted, 5.0, detail=5.0, distortion=0.8)
    stone = graph.ramp(cloud, [(0.3, shaded(finish.colour, 0.82)), (0.7, finish.colour)])
    stone = graph.scaled(stone, graph.math("MULTIPLY_ADD", chance, 0.14, 0.9))
    colour = blended(graph, joint, stone, finish.second)
    roughness = graph.math("MULTIPLY_ADD", joint, 0.5, finish.roughness)
    relief = graph.math("SUBTRACT", 1.0, joint)
    return graph.principled(
        {"Base Color": colour, "Roughness": roughness, "Normal": graph.bump(relief, 0.001)}
    )


def carpet(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Cut pile: tufts, and patches where it was brushed the other way."""
    place = graph.object_coordinates(offset)
    tufts = graph.noise(place, 130.0, detail=2.0)
    patches = graph.noise(place, 3.0, detail=2.0)
    tone = graph.math("MULTIPLY_ADD", tufts, 0.75, graph.math("MULTIPLY", patches, 0.25))
    colour = graph.ramp(tone, [(0.3, finish.second), (0.66, finish.colour)])
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": 0.95,
            "Sheen Weight": 0.2,
            "Normal": graph.bump(tufts, 0.012, strength=0.7),
        }
    )


def upholstery(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Woven furniture cloth: mixed yarns, soft creases."""
    place = graph.object_coordinates(offset)
    yarns = graph.noise(place, 230.0, detail=2.0)
    colour = graph.ramp(yarns, [(0.3, shaded(finish.colour, 0.74)), (0.68, finish.colour)])
    return _soft(graph, place, colour, yarns, sheen=0.15, roughness=finish.roughness)


def velvet(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Velvet: bright at grazing angles, streaked where it was stroked."""
    place = graph.object_coordinates(offset)
    strokes = graph.noise(place, 9.0, detail=3.0, distortion=1.0)
    colour = graph.ramp(strokes, [(0.3, shaded(finish.colour, 0.66)), (0.7, finish.colour)])
    pile = graph.noise(place, 260.0, detail=1.0)
    return _soft(graph, place, colour, pile, sheen=0.8, roughness=0.75)


def boucle(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Loop yarn: small curls all over."""
    place = graph.object_coordinates(offset)
    loops = graph.cells(place, 95.0)
    colour = graph.ramp(loops, [(0.1, finish.colour), (0.75, finish.second)])
    curls = graph.math("SUBTRACT", 1.0, loops)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": 0.95,
            "Sheen Weight": 0.2,
            "Normal": graph.bump(curls, 0.008, strength=0.8),
        }
    )


def _soft(
    graph: NodeGraph, place: Any, colour: Any, yarns: Any, sheen: float, roughness: float
) -> Any:
    creases = graph.noise(place, 4.5, detail=2.5)
    height = graph.math("MULTIPLY_ADD", creases, 14.0, yarns)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Sheen Weight": sheen,
            "Normal": graph.bump(height, 0.0016, strength=0.8),
        }
    )


def hide(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Leather with worn patches, pores and creases."""
    place = graph.object_coordinates(offset)
    worn = graph.noise(place, 6.0, detail=4.0)
    colour = graph.ramp(worn, [(0.3, finish.second), (0.65, finish.colour)])
    pores = graph.cells(place, 260.0)
    creases = graph.noise(place, 7.0, detail=3.0, distortion=0.6)
    height = graph.math("MULTIPLY_ADD", creases, 8.0, pores)
    roughness = graph.math("MULTIPLY_ADD", worn, 0.3, finish.roughness - 0.15)
    return graph.principled(
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Normal": graph.bump(height, 0.0015, strength=0.7),
        }
    )


def striped(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Woven stripes across x, of uneven width."""
    place = graph.object_coordinates(offset)
    across = graph.math("DIVIDE", graph.axis(place, "X"), STRIPE_M * finish.scale)
    uneven = graph.math("SINE", graph.math("MULTIPLY", across, 1.3))
    phase = graph.math("MULTIPLY_ADD", uneven, 0.45, across)
    band = graph.step(graph.math("PINGPONG", phase, 1.0), 0.46, 0.54)
    yarns = graph.noise(place, 190.0, detail=2.0)
    colour = blended(graph, band, finish.colour, finish.second)
    colour = graph.scaled(colour, graph.math("MULTIPLY_ADD", yarns, 0.5, 0.7))
    return _soft(graph, place, colour, yarns, sheen=0.15, roughness=0.92)


def wallpaper(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Paper with broad upright stripes; the wall stands in its object's x-z or y-z plane."""
    place = graph.object_coordinates(offset)
    along = graph.math("ADD", graph.axis(place, "X"), graph.axis(place, "Y"))
    phase = graph.math("DIVIDE", along, STRIPE_M * finish.scale)
    band = graph.step(graph.math("PINGPONG", phase, 1.0), 0.48, 0.52)
    colour = blended(graph, band, finish.colour, finish.second)
    return graph.principled({"Base Color": colour, "Roughness": finish.roughness})


def drape(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Curtain cloth that lets a part of the light through."""
    place = graph.object_coordinates(offset)
    weave = graph.noise(graph.vector("MULTIPLY", place, (220.0, 220.0, 60.0)), 1.0, detail=1.0)
    colour = graph.ramp(weave, [(0.3, shaded(finish.colour, 0.86)), (0.7, finish.colour)])
    cloth = graph.principled({"Base Color": colour, "Roughness": 0.9})
    through = graph.node("ShaderNodeBsdfTranslucent", {"Color": finish.colour})
    return graph.mixed(0.3, cloth, through.outputs["BSDF"])


def artwork(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """An abstract painting: large, washed fields of a few colours."""
    place = graph.object_coordinates(offset)
    size = 4.0 / finish.scale
    field = graph.noise(place, size, detail=2.0, distortion=1.6)
    brush = graph.noise(graph.vector("MULTIPLY", place, (30.0, 30.0, 140.0)), 1.0, detail=2.0)
    tone = graph.math("MULTIPLY_ADD", brush, 0.12, graph.math("SUBTRACT", field, 0.06))
    colour = graph.ramp(
        tone,
        [
            (0.36, finish.second),
            (0.41, shaded(finish.colour, 0.55)),
            (0.48, finish.colour),
            (0.53, (0.82, 0.8, 0.74)),
            (0.62, (0.86, 0.84, 0.79)),
            (0.66, finish.second),
        ],
    )
    return graph.principled({"Base Color": colour, "Roughness": 0.7})


def foliage(graph: NodeGraph, finish: Finish, offset: Vector) -> Any:
    """Leaves of a house plant: two greens, a waxy shine."""
    cloud = graph.noise(graph.object_coordinates(offset), 12.0, detail=2.0)
    colour = graph.ramp(cloud, [(0.35, finish.second), (0.65, finish.colour)])
    return graph.principled({"Base Color": colour, "Roughness": finish.roughness})


def blended(graph: NodeGraph, factor: Any, first: Rgb | Any, second: Rgb | Any) -> Any:
    """The colours first to second by a factor in [0, 1]."""
    rest = graph.math("SUBTRACT", 1.0, factor)
    return graph.vector("ADD", graph.scaled(first, rest), graph.scaled(second, factor))


ROOM_BUILDERS: Mapping[str, Callable[[NodeGraph, Finish, Vector], Any]] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            timber,
            upright_timber,
            floorboards,
            floor_tiles,
            carpet,
            upholstery,
            velvet,
            boucle,
            hide,
            striped,
            wallpaper,
            drape,
            artwork,
            foliage,
        )
    }
)
