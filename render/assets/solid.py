"""Make one plain mesh object of what somebody else modelled, ready to be turned and grown.

Plain means: modifiers applied, no parent, unit scale, origin in the middle of its base, materials
of its own. What it looks like stays: texture coordinates keep their old place and size.
"""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from cat_dataset.errors import SceneError

_REST_POSITION = "rest_position"  # Blender's name for the places before modifiers
_SKEW = 1e-4  # of the size, between a pose and its turn and scale


def make_solid(scene: Any, obj: Any) -> list[str]:
    """Make a mesh object (mutated) plain; returns the names of its shape keys.

    Raises:
        SceneError: a modifier gives its shape keys different numbers of vertices.
    """
    before = obj.matrix_world.copy()
    children = [(child, child.matrix_world.copy()) for child in obj.children]
    old = obj.data
    obj.data, keys = _baked(obj)
    for modifier in _applied(obj):
        obj.modifiers.remove(modifier)
    turn, place = _standing_pose(obj.data, before)
    own_to_new = (place @ turn).inverted() @ before
    obj.data.transform(own_to_new, shape_keys=True)
    if own_to_new.determinant() < 0.0:
        obj.data.flip_normals()
    _keep_generated_space(old, obj.data, own_to_new)
    _put(obj, place @ turn)
    _own_materials(scene, obj, before)
    for child, pose in children:
        child.matrix_world = pose
    bpy.context.view_layer.update()
    return keys


def _applied(obj: Any) -> list[Any]:
    """Return the modifiers that become part of the mesh: all but hair and other particles."""
    return [m for m in obj.modifiers if m.type != "PARTICLE_SYSTEM"]


def _baked(obj: Any) -> tuple[Any, list[str]]:
    """Return a mesh of the object's own with its modifiers applied, and its shape keys' names."""
    blocks = obj.data.shape_keys.key_blocks if obj.data.shape_keys else ()
    is_relative = bool(blocks) and obj.data.shape_keys.use_relative
    names = [block.name for block in blocks[1:]] if is_relative else []
    if not _applied(obj) and (names or not blocks):
        return obj.data.copy(), names
    if not names:
        return evaluated_mesh(obj), []
    values = {name: blocks[name].value for name in names}
    shapes = {name: _shape(obj, blocks, {name: 1.0}) for name in names}
    mesh = _shaped_mesh(obj, blocks, {})
    rebuilt = bpy.data.objects.new("rebuilt", mesh)
    rebuilt.shape_key_add(name="Basis", from_mix=False)
    for name in names:
        if len(shapes[name]) != 3 * len(mesh.vertices):
            msg = (
                f"{obj.name}: shape key {name} has {len(shapes[name]) // 3} vertices after the "
                f"modifiers, {len(mesh.vertices)} without it; apply or remove the modifier that "
                f"changes their number"
            )
            raise SceneError(msg)
        key = rebuilt.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", shapes[name])
        key.value = values[name]
    bpy.data.objects.remove(rebuilt)
    return mesh, names


def _shaped_mesh(obj: Any, blocks: Any, values: dict[str, float]) -> Any:
    for block in blocks[1:]:
        block.value = values.get(block.name, 0.0)
    bpy.context.view_layer.update()
    return evaluated_mesh(obj)


def _shape(obj: Any, blocks: Any, values: dict[str, float]) -> NDArray[np.float32]:
    mesh = _shaped_mesh(obj, blocks, values)
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    bpy.data.meshes.remove(mesh)
    return places


def evaluated_mesh(obj: Any) -> Any:
    """Return a new mesh of what an object looks like, in its own space."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(
        obj.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
    )
    if _REST_POSITION in mesh.attributes:  # hair on this mesh would follow the old one
        mesh.attributes.remove(mesh.attributes[_REST_POSITION])
    return mesh


def vertices(mesh: Any) -> NDArray[np.float64]:
    """Return where the vertices of a mesh are, (V, 3)."""
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3).astype(np.float64)


def is_skewed(pose: Matrix) -> bool:
    """Return whether no place, turn and scale make a pose, as below a stretched, turned parent."""
    _, turn, size = pose.decompose()
    straight = turn.to_matrix() @ Matrix.Diagonal(size)
    difference = np.abs(np.array(pose.to_3x3()) - np.array(straight))
    return bool(difference.max() > _SKEW * max(np.abs(size)))


def _standing_pose(mesh: Any, pose: Matrix) -> tuple[Matrix, Matrix]:
    """Return the turn of an object, and its place: the middle of its base."""
    # A skewed pose goes into the mesh whole, with its turn.
    turn = Matrix() if is_skewed(pose) else pose.decompose()[1].to_matrix().to_4x4()
    heading = np.array(Matrix.Rotation(turn.to_euler("XYZ").z, 3, "Z"))
    world = vertices(mesh) @ np.array(pose.to_3x3()).T
    level = world @ heading  # seen along the object's own axes
    middle = (level.min(axis=0) + level.max(axis=0)) / 2.0
    middle[2] = level[:, 2].min()
    return turn, Matrix.Translation(pose.translation + Vector(heading @ middle))


def _keep_generated_space(old: Any, new: Any, own_to_new: Matrix) -> None:
    """Let "generated" coordinates of a mesh (mutated) span what they did before."""
    centre = own_to_new @ Vector(old.texspace_location)
    stretch = [column.length for column in own_to_new.to_3x3().transposed()]
    size = [length * factor for length, factor in zip(old.texspace_size, stretch, strict=True)]
    new.use_auto_texspace = False
    new.texspace_location, new.texspace_size = centre, size


def _put(obj: Any, pose: Matrix) -> None:
    """Free an object (mutated) from parents and offsets, and put it there."""
    obj.parent = None
    obj.matrix_parent_inverse = Matrix()
    obj.delta_location = obj.delta_rotation_euler = (0.0, 0.0, 0.0)
    obj.delta_rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    obj.delta_scale = (1.0, 1.0, 1.0)
    obj.rotation_mode = "XYZ"
    obj.matrix_world = pose
    obj.scale = (1.0, 1.0, 1.0)
    bpy.context.view_layer.update()


def _own_materials(scene: Any, obj: Any, old_pose: Matrix) -> None:
    """Give an object (mutated) copies of its materials, their patterns at their old place."""
    frame = None
    for slot in obj.material_slots:
        if slot.material is None:
            continue
        slot.material = slot.material.copy()
        for node in slot.material.node_tree.nodes if slot.material.node_tree else ():
            if node.type == "TEX_COORD" and node.object is None and node.outputs["Object"].links:
                frame = frame or _old_frame(scene, obj, old_pose)
                node.object = frame


def _old_frame(scene: Any, obj: Any, old_pose: Matrix) -> Any:
    """Return an empty that moves with an object and stands for its old space."""
    frame = bpy.data.objects.new("old-space", None)
    frame.hide_render = True
    scene.collection.objects.link(frame)
    frame.parent = obj
    frame.matrix_parent_inverse = obj.matrix_world.inverted() @ old_pose
    return frame


def joined(scene: Any, objects: Sequence[Any]) -> Any:
    """Return one plain mesh object made of several (removed); what hung on them hangs on it.

    Raises:
        SceneError: as `make_solid`.
    """
    for obj in objects:
        make_solid(scene, obj)
    first = objects[0]
    if len(objects) == 1:
        return first
    hanging = [child for obj in objects for child in obj.children if child not in objects]
    poses = [child.matrix_world.copy() for child in hanging]
    with bpy.context.temp_override(
        active_object=first, object=first, selected_editable_objects=list(objects)
    ):
        bpy.ops.object.join()
    for child, pose in zip(hanging, poses, strict=True):
        child.parent, child.matrix_parent_inverse = first, Matrix()
        child.matrix_world = pose
    make_solid(scene, first)
    return first
