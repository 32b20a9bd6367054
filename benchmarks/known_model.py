"""Write the model that rotation and roughness are studied on: Blender's monkey in a glaze.

    python benchmarks/known_model.py out/known-model
    python benchmarks/known_model.py out/known-dark-model dark

One object in scenes that are all different, as a maker of one product would have it. On the dark
glaze the roughness shows best: there is little but what it mirrors.
"""

import sys
from pathlib import Path

import bpy

SIZE_M = 0.16
BASE_COLOURS = {"red": (0.55, 0.08, 0.04, 1.0), "dark": (0.03, 0.035, 0.05, 1.0)}
ROUGHNESS = 0.4
SUBDIVISIONS = 2


def main() -> None:
    """Build the monkey and export it as GLB into the folder that is given."""
    folder, glaze = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "red"
    folder.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_monkey_add(size=SIZE_M)
    monkey = bpy.context.object
    smooth = monkey.modifiers.new("smooth", "SUBSURF")
    smooth.levels = SUBDIVISIONS
    bpy.ops.object.modifier_apply(modifier=smooth.name)
    bpy.ops.object.shade_smooth()
    monkey.data.materials.append(_glaze(BASE_COLOURS[glaze]))
    bpy.ops.export_scene.gltf(filepath=str(folder / "monkey.glb"))


def _glaze(base_colour: tuple[float, ...]) -> bpy.types.Material:
    material = bpy.data.materials.new("glaze")
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = base_colour
    surface.inputs["Roughness"].default_value = ROUGHNESS
    return material


if __name__ == "__main__":
    main()
