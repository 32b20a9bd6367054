"""Write the models that edits of objects are studied on: Blender's monkey, and a glazed jar.

    python benchmarks/known_model.py out/known-model
    python benchmarks/known_model.py out/known-jar jar

One object in scenes that are all different, as a maker of one product would have it. A monkey shows
how it is turned. A dark and round jar shows how rough it is: there is little to see on it but what
it mirrors, and its highlights are large and whole.
"""

import sys
from pathlib import Path
from typing import Any

import bpy

MONKEY_SIZE_M = 0.16
JAR_OUTLINE_M = (  # radius and height, from the middle of the foot up and over the rim
    (0.0, 0.0),
    (0.07, 0.0),
    (0.10, 0.025),
    (0.13, 0.075),
    (0.138, 0.12),
    (0.128, 0.17),
    (0.098, 0.212),
    (0.066, 0.236),
    (0.062, 0.25),
    (0.072, 0.262),
    (0.062, 0.26),
    (0.05, 0.24),
)
JAR_SIDES = 24
ROUGHNESS = 0.4
SUBDIVISIONS = 2


def main() -> None:
    """Build the model and export it as GLB into the folder that is given."""
    folder, kind = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "monkey"
    folder.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    thing, base_colour = {"monkey": _monkey, "jar": _jar}[kind]()
    smooth = thing.modifiers.new("smooth", "SUBSURF")
    smooth.levels = SUBDIVISIONS
    bpy.ops.object.modifier_apply(modifier=smooth.name)
    bpy.ops.object.shade_smooth()
    thing.data.materials.append(_glaze(base_colour))
    bpy.ops.export_scene.gltf(filepath=str(folder / f"{kind}.glb"))


def _monkey() -> tuple[Any, tuple[float, ...]]:
    bpy.ops.mesh.primitive_monkey_add(size=MONKEY_SIZE_M)
    return bpy.context.object, (0.55, 0.08, 0.04, 1.0)


def _jar() -> tuple[Any, tuple[float, ...]]:
    mesh = bpy.data.meshes.new("jar")
    edges = [(number, number + 1) for number in range(len(JAR_OUTLINE_M) - 1)]
    mesh.from_pydata([(radius_m, 0.0, z_m) for radius_m, z_m in JAR_OUTLINE_M], edges, [])
    jar = bpy.data.objects.new("jar", mesh)
    bpy.context.scene.collection.objects.link(jar)
    bpy.context.view_layer.objects.active = jar
    jar.select_set(True)
    turn = jar.modifiers.new("turn", "SCREW")
    turn.steps = turn.render_steps = JAR_SIDES
    turn.use_merge_vertices = True
    turn.use_normal_calculate = True
    bpy.ops.object.modifier_apply(modifier=turn.name)
    return jar, (0.03, 0.035, 0.05, 1.0)


def _glaze(base_colour: tuple[float, ...]) -> bpy.types.Material:
    material = bpy.data.materials.new("glaze")
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = base_colour
    surface.inputs["Roughness"].default_value = ROUGHNESS
    return material


if __name__ == "__main__":
    main()
