"""What the probes share: a second Blender scene through the same camera, looked at once.

A probe shares the very objects of the scene beside it (its camera, its main object, its sun), so
that it reads the settings with which the frame beside it was rendered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import bpy
import numpy as np
from numpy.typing import NDArray

from cat_dataset.records import Reading
from render.blender.nodes import NodeGraph
from render.blender.renderer import Passes, RenderSettings, apply_settings, render_passes
from render.blender.versions import enable_nodes
from render.scene import BuiltScene

MISS_M = 1e9  # depth beyond this is the sky


class AttributeProbe(Protocol):
    """Looks at a scene as it is set, and reads the scale between two looks."""

    def look(self) -> Any:
        """Return what the probe sees of the scene as it is set now."""

    def read(self, source: Any, target: Any) -> Reading:
        """Return the scale between two looks, in the attribute's unit."""


def probe_scene(name: str, built: BuiltScene) -> Any:
    """Return an empty scene that looks through the camera of `built`."""
    scene = bpy.data.scenes.new(name)
    scene.collection.objects.link(built.render_camera)
    scene.camera = built.render_camera
    scene.frame_set(built.scene.frame_current)
    return scene


def link_visible_meshes(scene: Any, built: BuiltScene) -> None:
    """Link into `scene` (mutated) what the camera of `built` may see; fog is no surface."""
    fog_box = None if built.fog is None else built.fog.box
    for obj in built.scene.objects:
        if obj.type == "MESH" and not obj.hide_render and obj != fog_box:
            scene.collection.objects.link(obj)


def new_material(name: str) -> tuple[Any, NodeGraph]:
    """Return a material that may glow but lights nothing, and its emptied node graph."""
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    material.cycles.emission_sampling = "NONE"
    return material, NodeGraph(material.node_tree)


def glowing_material(name: str) -> Any:
    """Return a material of radiance 1 that lights nothing."""
    material, graph = new_material(name)
    graph.surface(graph.node("ShaderNodeEmission", {}).outputs["Emission"])
    return material


def pinhole_passes(scene: Any, settings: RenderSettings) -> Passes:
    """Render one point per pixel, through its centre, without depth of field or motion blur.

    The scene's filter is mutated; the camera is left as it was.
    """
    apply_settings(scene, settings)
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    return sharp_passes(scene)


def sharp_passes(scene: Any) -> Passes:
    """Render without depth of field; the camera is left as it was."""
    with camera_setting(scene.camera.data.dof, use_dof=False):
        return render_passes(scene)


@contextmanager
def camera_setting(owner: Any, **values: Any) -> Iterator[None]:
    """Set attributes of a datablock for as long as the context lasts."""
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def chosen_points(passes: Passes, name: str, chosen_HW: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return three channels of a pass at the chosen pixels, (N, 3)."""
    return passes[name][..., :3][chosen_HW].astype(np.float64)
