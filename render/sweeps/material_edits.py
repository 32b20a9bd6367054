"""Edits of the main object's material: one number of its Principled BSDF, set and put back.

The edited material is the one that covers most of the object's surface and has a Principled BSDF.
A pattern on the number that is edited gives way to one value all over; colours keep their pattern.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from render.scene import BuiltScene

Put = Callable[[float], BuiltScene]
MAX_METALLIC = 0.5  # above, there is hardly a diffuse colour or a way through


def edited_material(obj: Any) -> Any | None:
    """Return the material that covers most of an object and has a Principled BSDF, or None."""
    area_m2: dict[int, float] = defaultdict(float)
    for face in obj.data.polygons:
        area_m2[face.material_index] += face.area
    slots = obj.material_slots
    for number in sorted(area_m2, key=lambda n: -area_m2[n]):
        material = slots[number].material if number < len(slots) else None
        if material is not None and principled(material) is not None:
            return material
    return None


def principled(material: Any) -> Any | None:
    """Return the Principled BSDF that is a material's surface, or None."""
    if material.node_tree is None:
        return None
    for node in material.node_tree.nodes:
        if node.type == "OUTPUT_MATERIAL" and node.is_active_output:
            links = node.inputs["Surface"].links
            shader = links[0].from_node if links else None
            return shader if shader is not None and shader.type == "BSDF_PRINCIPLED" else None
    return None


def has_edited_material(built: BuiltScene) -> bool:
    """Return whether the main object has a material whose numbers can be edited."""
    return edited_material(built.main_object) is not None


def has_body_colour(built: BuiltScene) -> bool:
    """Return whether the edited material is no metal, so that light gets below its surface."""
    material = edited_material(built.main_object)
    if material is None:
        return False
    socket = principled(material).inputs["Metallic"]  # type: ignore[union-attr]  # it has one
    return not socket.is_linked and bool(socket.default_value <= MAX_METALLIC)


@contextmanager
def constant_input(material: Any, name: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that sets an input of a material's Principled BSDF; undone on leaving."""
    tree, shader = material.node_tree, principled(material)
    assert shader is not None, "edited materials have a Principled BSDF"
    socket = shader.inputs[name]
    sources = [link.from_socket for link in socket.links]
    before = socket.default_value
    for link in list(socket.links):
        tree.links.remove(link)

    def put(value: float) -> None:
        socket.default_value = value

    try:
        yield put
    finally:
        socket.default_value = before
        for source in sources:
            tree.links.new(source, socket)


@contextmanager
def _percent_input(built: BuiltScene, name: str) -> Iterator[Put]:
    with constant_input(edited_material(built.main_object), name) as put:

        def put_percent(percent: float) -> BuiltScene:
            put(percent / 100.0)
            return built

        yield put_percent


@contextmanager
def roughness(built: BuiltScene) -> Iterator[Put]:
    """Open the axis of the GGX roughness, Blender's perceptual one: alpha is its square."""
    with _percent_input(built, "Roughness") as put:
        yield put


@contextmanager
def metallic(built: BuiltScene) -> Iterator[Put]:
    """Open the axis of metalness at a fixed base colour."""
    with _percent_input(built, "Metallic") as put:
        yield put


@contextmanager
def transmission(built: BuiltScene) -> Iterator[Put]:
    """Open the axis of transmission at a fixed base colour and index of refraction."""
    with _percent_input(built, "Transmission Weight") as put:
        yield put


@contextmanager
def base_hue(built: BuiltScene) -> Iterator[Put]:
    """Open the axis of hue, degrees from the drawn colour; Blender's HSV of linear RGB."""
    with _recoloured(built) as (tree, split, join):
        turn = tree.nodes.new("ShaderNodeMath")
        turn.operation = "ADD"
        wrap = tree.nodes.new("ShaderNodeMath")
        wrap.operation = "FRACT"
        tree.links.new(split.outputs["Red"], turn.inputs[0])
        tree.links.new(turn.outputs[0], wrap.inputs[0])
        tree.links.new(wrap.outputs[0], join.inputs["Red"])

        def put(angle_deg: float) -> BuiltScene:
            turn.inputs[1].default_value = angle_deg / 360.0 % 1.0
            return built

        try:
            yield put
        finally:
            tree.nodes.remove(turn)
            tree.nodes.remove(wrap)


@contextmanager
def base_saturation(built: BuiltScene) -> Iterator[Put]:
    """Open the axis of saturation: (max - min) / max of the base colour, equal all over."""
    with _recoloured(built) as (tree, _, join):
        for link in list(join.inputs["Green"].links):
            tree.links.remove(link)

        def put(percent: float) -> BuiltScene:
            join.inputs["Green"].default_value = percent / 100.0
            return built

        yield put


@contextmanager
def _recoloured(built: BuiltScene) -> Iterator[tuple[Any, Any, Any]]:
    """Take the base colour apart into hue, saturation and value, and join it again.

    Yields (node tree, splitting node, joining node); the sockets of both are named after RGB.
    """
    material = edited_material(built.main_object)
    assert material is not None, "the axis is opened only where there is a material"
    tree, socket = material.node_tree, principled(material).inputs["Base Color"]  # type: ignore[union-attr]  # it has one
    split = tree.nodes.new("ShaderNodeSeparateColor")
    join = tree.nodes.new("ShaderNodeCombineColor")
    split.mode = join.mode = "HSV"
    sources = [link.from_socket for link in socket.links]
    if sources:
        tree.links.new(sources[0], split.inputs["Color"])
    else:
        split.inputs["Color"].default_value = socket.default_value
    for name in ("Red", "Green", "Blue"):
        tree.links.new(split.outputs[name], join.inputs[name])
    tree.links.new(join.outputs["Color"], socket)
    try:
        yield tree, split, join
    finally:
        tree.nodes.remove(split)
        tree.nodes.remove(join)
        if sources:
            tree.links.new(sources[0], socket)
