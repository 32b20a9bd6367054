"""What a shader tree is made of: the nodes that reach its output, the light and images in them."""

from collections.abc import Iterator
from typing import Any

from render.blender.versions import has_node_tree

# Shader nodes that give light: (strength, colour) sockets; light needs both. A missing colour
# counts as white.
_LIGHT_SOCKETS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "ShaderNodeEmission": (("Strength", "Color"),),
    "ShaderNodeBackground": (("Strength", "Color"),),
    "ShaderNodeBsdfPrincipled": (("Emission Strength", "Emission Color"),),
    "ShaderNodeVolumePrincipled": (
        ("Emission Strength", "Emission Color"),
        ("Blackbody Intensity", None),
    ),
}


def shader_nodes(owner: Any) -> list[Any]:
    """Return the nodes of a material, world or lamp that reach its output, groups opened."""
    if not has_node_tree(owner):
        return []
    output = owner.node_tree.get_output_node("CYCLES")
    if output is None:
        return []
    found: dict[tuple[int, str], Any] = {}
    pending = [output]
    while pending:
        node = pending.pop()
        key = (node.id_data.as_pointer(), node.name)
        if key not in found:
            found[key] = node
            pending += _sources(node)
    return list(found.values())


def _sources(node: Any) -> Iterator[Any]:
    """Yield the nodes that feed a node, and the output of the group that it stands for."""
    for socket in node.inputs:
        for link in socket.links:
            if link.is_valid and not link.is_muted:
                yield link.from_node
    inner = getattr(node, "node_tree", None)
    if inner is not None:
        yield from (n for n in inner.nodes if n.type == "GROUP_OUTPUT" and n.is_active_output)


def gives_light(owner: Any) -> bool:
    """Return whether a material or world emits."""
    if not has_node_tree(owner):
        return hasattr(owner, "light_settings") and any(owner.color)  # a world of one colour
    return any(_is_light(node) for node in shader_nodes(owner))


def _is_light(node: Any) -> bool:
    if node.mute:
        return False
    if any(_is_lit(node, *sockets) for sockets in _LIGHT_SOCKETS.get(node.bl_idname, ())):
        return True
    return any(  # Cycles takes a colour where a shader is expected for light
        link.to_socket.type == "SHADER" and link.from_socket.type in ("RGBA", "VALUE", "VECTOR")
        for socket in node.inputs
        for link in socket.links
    )


def _is_lit(node: Any, strength: str, colour: str | None) -> bool:
    sockets = [node.inputs[name] for name in (strength, colour) if name is not None]
    return all(socket.is_linked or _is_above_zero(socket.default_value) for socket in sockets)


def _is_above_zero(value: Any) -> bool:
    return value > 0.0 if isinstance(value, float) else any(part > 0.0 for part in value[:3])


def is_coloured(lamp: Any) -> bool:
    """Return whether the node tree of a lamp may colour its light."""
    for node in shader_nodes(lamp):
        if node.bl_idname == "ShaderNodeEmission":
            colour = node.inputs["Color"]
            if colour.is_linked or len(set(colour.default_value[:3])) > 1:
                return True
    return False


def has_own_strength(lamp: Any) -> bool:
    """Return whether the node tree of a lamp makes its power another than the lamp's own."""
    strengths = [
        node.inputs["Strength"]
        for node in shader_nodes(lamp)
        if node.bl_idname == "ShaderNodeEmission"
    ]
    return any(socket.is_linked or socket.default_value != 1.0 for socket in strengths)


def shader_images(owner: Any) -> Iterator[Any]:
    """Yield the images that a material, world or lamp shows."""
    for node in shader_nodes(owner):
        image = getattr(node, "image", None)
        if image is not None:
            yield image
