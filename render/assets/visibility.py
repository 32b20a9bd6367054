"""Which objects of a scene somebody else made are rendered, whatever their screens showed."""

from collections.abc import Iterator
from typing import Any


def rendered_objects(scene: Any) -> list[Any]:
    """Return the objects of the first view layer that are rendered, also inside instances.

    Collections that are excluded or disabled for renders are left out with all they hold.
    """
    found: dict[str, Any] = {}
    for obj in _of_layer(scene.view_layers[0].layer_collection):
        _add(obj, found)
    return list(found.values())


def own_meshes(scene: Any) -> list[Any]:
    """Return the rendered meshes that stand in the scene themselves, by name."""
    own = {obj.name: obj for obj in _of_layer(scene.view_layers[0].layer_collection)}
    return [own[name] for name in sorted(own) if own[name].type == "MESH"]


def _of_layer(layer: Any) -> Iterator[Any]:
    if layer.collection.hide_render:
        return
    if not layer.exclude:
        yield from (obj for obj in layer.collection.objects if not obj.hide_render)
    for child in layer.children:
        yield from _of_layer(child)


def _add(obj: Any, found: dict[str, Any]) -> None:
    if obj.name_full in found:
        return
    found[obj.name_full] = obj
    instanced = obj.instance_collection if obj.instance_type == "COLLECTION" else None
    if instanced is not None and not instanced.hide_render:
        for inner in instanced.all_objects:
            if not inner.hide_render:
                _add(inner, found)


def show_everything(scene: Any) -> None:
    """Let Blender evaluate also what only the screen hid (mutated), as a render would."""
    for obj in scene.objects:
        obj.hide_viewport = False
        for modifier in obj.modifiers:
            modifier.show_viewport = modifier.show_render
            if hasattr(modifier, "render_levels"):
                modifier.levels = modifier.render_levels
    _show_layer(scene.view_layers[0].layer_collection)


def _show_layer(layer: Any) -> None:
    layer.hide_viewport = layer.collection.hide_viewport = False
    for child in layer.children:
        _show_layer(child)
