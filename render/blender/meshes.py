"""Plain shapes become Blender's meshes."""

import math
from typing import Any

import bpy
import numpy as np

from render.blender.shapes import Shape

SHARP_EDGE_DEG = 38.0  # faces that meet at more than this keep their edge


def add_mesh(scene: Any, name: str, shape: Shape, materials: list[Any]) -> Any:
    """Add a smooth-shaded mesh object with sharp edges kept; returns the object."""
    mesh = bpy.data.meshes.new(name)
    is_corner = shape.faces_F4 >= 0
    corners, totals = shape.faces_F4[is_corner], is_corner.sum(axis=1)
    mesh.vertices.add(len(shape.vertices_V3))
    mesh.vertices.foreach_set("co", shape.vertices_V3.astype(np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.add(len(totals))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(totals) - totals).astype(np.int32))
    mesh.polygons.foreach_set("material_index", shape.slots_F.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(totals), bool))
    for material in materials:
        mesh.materials.append(material)
    mesh.update(calc_edges=True)
    mesh.set_sharp_from_angle(angle=math.radians(SHARP_EDGE_DEG))
    mesh_object = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(mesh_object)
    return mesh_object
