"""Fog: a homogeneous medium in a finite box, set by its extinction per metre.

A distant lamp shines through a box, but not through a medium that fills the world. What a camera
sees loses exp(-extinction * distance), exactly. The light on its way from sun and sky loses less:
droplets scatter mostly forward, so that most of what leaves a beam arrives all the same, from
around it. A share of 0.92 keeps as much as a two-stream layer of droplets (asymmetry 0.85) does,
1 / (1 + 0.75 * (1 - 0.85) * depth), to 5 % for optical depths up to 8; multiple scattering then
costs neither bounces nor noise.

Sources: Koschmieder 1924 (visibility at 2 % contrast); Bohren 1987 (two-stream layer).
"""

from typing import Any

import bpy

from cat_dataset.imaging.photometry import extinction_per_m
from render.blender.meshes import add_mesh
from render.blender.nodes import NodeGraph
from render.blender.shapes import rounded_box
from render.blender.versions import enable_nodes, mark_homogeneous
from render.scene import Fog

FOG_WIDTH_M, FOG_TOP_M, FOG_BOTTOM_M = 3000.0, 30.0, -60.0  # ground fog: light must get in
SHOWN_BELOW_M = 5000.0  # clearer air changes little, and costs half as much again to render
FORWARD_SHARE = 0.92  # of the light on its way that arrives although it met a droplet
PHASE_ANISOTROPY = 0.15  # towards the camera; scattered often, the forward peak is washed out


def add_fog(scene: Any, visibility_m: float) -> Fog:
    """Fill the surroundings with fog; where the air is clear the box waits unseen."""
    extinction = extinction_per_m(visibility_m)
    material = bpy.data.materials.new("fog")
    enable_nodes(material)
    mark_homogeneous(material)
    density = _fog_nodes(NodeGraph(material.node_tree))
    density.default_value = extinction
    box = rounded_box((FOG_WIDTH_M, FOG_WIDTH_M, FOG_TOP_M - FOG_BOTTOM_M), 0.5)
    fog_box = add_mesh(scene, "fog", box.moved(z_m=FOG_BOTTOM_M), [material])
    fog_box.hide_render = visibility_m > SHOWN_BELOW_M
    return Fog(fog_box, density, extinction, not fog_box.hide_render)


def _fog_nodes(graph: NodeGraph) -> Any:
    """Build the medium; returns the socket of its extinction per metre."""
    is_seen = graph.node("ShaderNodeLightPath", {}).outputs["Is Camera Ray"]
    share = graph.math("MULTIPLY_ADD", is_seen, FORWARD_SHARE, 1.0 - FORWARD_SHARE)
    product = graph.node("ShaderNodeMath", {}, operation="MULTIPLY")
    graph.feed(product.inputs[1], share)
    scatter = graph.node(
        "ShaderNodeVolumeScatter",
        {
            "Color": (1.0, 1.0, 1.0),  # multiplies the extinction too
            "Density": product.outputs["Value"],
            "Anisotropy": PHASE_ANISOTROPY,
        },
    )
    graph.node("ShaderNodeOutputMaterial", {"Volume": scatter.outputs["Volume"]})
    return product.inputs[0]
