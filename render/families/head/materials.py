"""Materials of a character: skin painted by vertex, eyes, teeth, hair, knitwear.

Vertex attributes feed them: `tone` (albedo or brightness) and, on hair, `strand`.
"""

from typing import Any

import bpy
import numpy as np

from render.blender.finishes import Rgb, shaded
from render.blender.nodes import NodeGraph, Vector
from render.blender.shapes import Floats
from render.blender.versions import enable_nodes
from render.families.head.face_paint import FaceColours

TONE, STRAND = "tone", "strand"  # names of the vertex attributes
_SKIN_RADIUS_M = (1.0, 0.36, 0.20)  # relative depth that red, green and blue light reach
PUPIL_SHARE = 0.40  # of the iris


def skin_material(colours: FaceColours, roughness: float, offset: Vector) -> Any:
    """Return skin: painted albedo, a little uneven, with light under the surface."""
    graph, material = _material("skin")
    place = graph.object_coordinates(offset)
    cloud = graph.noise(place, 55.0, detail=4.0)
    uneven = graph.math("MULTIPLY_ADD", cloud, 0.16, 0.92)
    colour = graph.scaled(_attribute(graph, TONE), uneven)
    if colours.freckles > 0.0:
        spots = graph.step(graph.noise(place, 420.0, detail=1.0), 0.70, 0.62)
        patchy = graph.step(graph.noise(place, 40.0, detail=2.0), 0.62, 0.42)
        clear = graph.math("MAXIMUM", spots, patchy)
        keep = graph.math("MULTIPLY_ADD", clear, colours.freckles, 1.0 - colours.freckles)
        colour = graph.vector("MULTIPLY", colour, graph.combine(1.0, keep, keep))
    pores = graph.noise(place, 900.0, detail=2.0)
    rough = graph.math("MULTIPLY_ADD", cloud, 0.16, roughness - 0.08)
    graph.surface(
        graph.principled(
            {
                "Base Color": colour,
                "Roughness": rough,
                "Specular IOR Level": 0.42,
                "Subsurface Weight": 0.35,
                "Subsurface Radius": _SKIN_RADIUS_M,
                "Subsurface Scale": 0.0042,
                "Normal": graph.bump(pores, 0.00035, strength=0.35),
            }
        )
    )
    return material


def mouth_material() -> Any:
    """Return the wet inside of a mouth, darker with depth."""
    graph, material = _material("mouth")
    back = graph.axis(graph.object_coordinates(), "Y")
    colour = graph.ramp(
        graph.step(back, -0.105, -0.060), [(0.0, (0.55, 0.17, 0.15)), (1.0, (0.16, 0.02, 0.02))]
    )
    graph.surface(graph.principled({"Base Color": colour, "Roughness": 0.25}))
    return material


def plain_material(name: str, colour: Rgb, roughness: float) -> Any:
    """Return one colour all over: teeth, lashes."""
    graph, material = _material(name)
    graph.surface(graph.principled({"Base Color": colour, "Roughness": roughness}))
    return material


def eye_material(iris: Rgb, iris_radius_m: float, offset: Vector) -> Any:
    """Return an eyeball: white, iris with fibres and a dark rim, pupil, a wet coat."""
    graph, material = _material("eye")
    place = graph.object_coordinates()
    flat = graph.vector("MULTIPLY", place, (1.0, 0.0, 1.0))
    length = graph.node("ShaderNodeVectorMath", {}, operation="LENGTH")
    graph.feed(length.inputs[0], flat)
    reach = graph.math("DIVIDE", length.outputs["Value"], iris_radius_m)
    is_behind = graph.step(graph.axis(place, "Y"), -0.001, 0.0)
    outside = graph.math("MAXIMUM", graph.step(reach, 0.94, 1.04), is_behind)
    inside = graph.math("SUBTRACT", 1.0, outside)
    veins = graph.ramp(
        graph.noise(graph.vector("ADD", place, offset), 90.0, detail=3.0),
        [(0.35, (0.60, 0.46, 0.42)), (0.6, (0.66, 0.62, 0.59))],
    )
    coloured = _iris_colour(graph, iris, flat, reach, offset)
    colour = graph.vector("ADD", graph.scaled(veins, outside), graph.scaled(coloured, inside))
    graph.surface(
        graph.principled(
            {
                "Base Color": colour,
                "Roughness": 0.35,
                "Coat Weight": 1.0,
                "Coat Roughness": 0.03,
                "Coat IOR": 1.38,
            }
        )
    )
    return material


def _iris_colour(graph: NodeGraph, iris: Rgb, flat: Any, reach: Any, offset: Vector) -> Any:
    """Fibres from the pupil outwards, lighter around it, dark at the iris' rim."""
    spoke = graph.node("ShaderNodeVectorMath", {}, operation="NORMALIZE")
    graph.feed(spoke.inputs[0], flat)
    fibres = graph.noise(graph.vector("ADD", spoke.outputs["Vector"], offset), 9.0, detail=3.0)
    ragged = graph.math("MULTIPLY_ADD", fibres, 0.22, graph.math("MULTIPLY", reach, 0.89))
    stops = [
        (0.0, shaded(iris, 1.1)),
        (PUPIL_SHARE + 0.12, shaded(iris, 1.75)),
        (0.80, iris),
        (0.98, shaded(iris, 0.18)),
    ]
    streaks = graph.math("MULTIPLY_ADD", fibres, 1.1, 0.45)
    pupil = graph.step(reach, PUPIL_SHARE - 0.03, PUPIL_SHARE + 0.03)
    return graph.scaled(graph.ramp(ragged, stops), graph.math("MULTIPLY", streaks, pupil))


def hair_material(name: str, colour: Rgb) -> Any:
    """Return hair: strands across each lock, tone by lock, a soft shine along them."""
    graph, material = _material(name)
    strand = _attribute(graph, STRAND, "Vector")
    fine = graph.noise(graph.vector("MULTIPLY", strand, (1.0, 1.3, 7.31)), 1.6, detail=3.0)
    streak = graph.math("MULTIPLY_ADD", fine, 0.9, 0.55)
    tone = graph.math("MULTIPLY", streak, _attribute(graph, TONE, "Fac"))
    graph.surface(
        graph.principled(
            {
                "Base Color": graph.scaled(colour, tone),
                "Roughness": 0.42,
                "Specular IOR Level": 0.4,
                "Normal": graph.bump(fine, 0.0016, strength=0.8),
            }
        )
    )
    return material


def knit_material(name: str, colour: Rgb, gauge_per_m: float) -> Any:
    """Return knitwear: columns of stitches around the body, wool's soft sheen."""
    graph, material = _material(name)
    strand = _attribute(graph, STRAND, "Vector")
    across = graph.math("MULTIPLY", graph.axis(strand, "X"), gauge_per_m)
    down = graph.math("MULTIPLY", graph.axis(strand, "Y"), gauge_per_m)
    rib = graph.math("PINGPONG", across, 0.5)
    slant = graph.math("ADD", down, graph.math("MULTIPLY", rib, 1.2))
    loop = graph.math("PINGPONG", slant, 0.5)
    height = graph.math("ADD", rib, graph.math("MULTIPLY", loop, 0.8))
    fuzz = graph.noise(graph.object_coordinates(), 700.0, detail=2.0)
    shade = graph.math("MULTIPLY_ADD", graph.math("MULTIPLY", height, fuzz), 0.9, 0.72)
    graph.surface(
        graph.principled(
            {
                "Base Color": graph.scaled(colour, shade),
                "Roughness": 0.9,
                "Specular IOR Level": 0.2,
                "Sheen Weight": 0.35,
                "Normal": graph.bump(height, 0.0022, strength=0.8),
            }
        )
    )
    return material


def set_attribute(mesh_object: Any, name: str, values_V: Floats) -> None:
    """Store per-vertex numbers, (V,), or vectors, (V, 3), on an object's mesh (mutated)."""
    kind = "FLOAT" if values_V.ndim == 1 else "FLOAT_VECTOR"
    attribute = mesh_object.data.attributes.new(name, kind, "POINT")
    field = "value" if values_V.ndim == 1 else "vector"
    attribute.data.foreach_set(field, values_V.astype(np.float32).ravel())


def _attribute(graph: NodeGraph, name: str, output: str = "Vector") -> Any:
    return graph.node("ShaderNodeAttribute", {}, attribute_name=name).outputs[output]


def _material(name: str) -> tuple[NodeGraph, Any]:
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    return NodeGraph(material.node_tree), material
