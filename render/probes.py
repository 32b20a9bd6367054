"""Instruments that measure a rendered edit again, from small extra renders beside the frames.

A probe is a second Blender scene that shares the camera (and the object), so that it reads the
very settings with which the frame beside it was rendered.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from cat_dataset.records import Reading
from render.cycles import RenderSettings, apply_settings, render_passes
from render.layout import SENSOR_LONG_SIDE_MM
from render.nodes import NodeGraph
from render.readout import PosePoints, aperture_stops_read, turn_deg, zoom_log2
from render.scene import BuiltScene
from render.shapes import ball
from render.stage import add_mesh
from render.versions import enable_nodes

_OWN_PLACE = "own_place"  # name of the pass with object-space coordinates
_MISS_M = 1e9  # depth beyond this is the sky
_ZOOM_PX, _ZOOM_SAMPLES = 128, 16
_ZOOM_FEATURES = 16.0  # of the test pattern across the frame, at the longest lens
_STAR_PX, _STAR_SAMPLES = 48, 512
_STAR_BLUR_SHARE = 0.8  # of the frame, at the widest aperture
_STAR_RADIUS_SHARE = 0.05  # of the frame, the dot itself


class Instrument(Protocol):
    """Looks at a scene as it is set, and reads the scale between two looks."""

    def look(self) -> Any:
        """Return what the instrument sees of the scene as it is set now."""

    def read(self, source: Any, target: Any) -> Reading:
        """Return the scale between two looks, in the attribute's unit."""


class ZoomInstrument:
    """Reads magnification from a test pattern that every surface wears, without depth of field.

    The frames themselves would do where they are large; in small ones, blur that grows with the
    lens moves the reading by up to one per cent.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        self._scene = _probe_scene("zoom-probe", built)
        for thing in built.scene.objects:
            if thing.type == "MESH":
                self._scene.collection.objects.link(thing)
        frame_rad = SENSOR_LONG_SIDE_MM / max(values)
        frame_m = frame_rad * built.camera.distance_m
        self._scene.world = _pattern_world(_ZOOM_FEATURES / frame_rad)
        material, graph = _new_material("zoom-probe")
        place = graph.node("ShaderNodeNewGeometry", {}).outputs["Position"]
        pattern = graph.noise(place, _ZOOM_FEATURES / frame_m, detail=1.0)
        graph.surface(graph.node("ShaderNodeEmission", {"Strength": pattern}).outputs["Emission"])
        self._scene.view_layers[0].material_override = material
        shrink = _ZOOM_PX / max(settings.width_px, settings.height_px)
        self._settings = replace(
            settings,
            width_px=round(settings.width_px * shrink),
            height_px=round(settings.height_px * shrink),
            samples_per_pixel=_ZOOM_SAMPLES,
            max_bounces=0,
        )

    def look(self) -> NDArray[np.float32]:
        """Return the pattern as the lens shows it, float32 (H, W, 3)."""
        apply_settings(self._scene, self._settings)
        return _render_sharp(self._scene)["Combined"][..., :3]

    def read(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> Reading:
        """Return log2 of the magnification."""
        return zoom_log2(source, target)


class PoseInstrument:
    """Reads the main object's pose from its own coordinates and the world's, pixel by pixel."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._scene = _probe_scene("pose-probe", built)
        self._scene.collection.objects.link(built.main_object)
        layer = self._scene.view_layers[0]
        layer.use_pass_position = layer.use_pass_z = True
        aov = layer.aovs.add()
        aov.name, aov.type = _OWN_PLACE, "COLOR"
        material, graph = _new_material("pose-probe")
        graph.node(
            "ShaderNodeOutputAOV", {"Color": graph.object_coordinates()}, aov_name=_OWN_PLACE
        )
        graph.surface(graph.node("ShaderNodeEmission", {}).outputs["Emission"])
        layer.material_override = material
        self._settings = replace(settings, samples_per_pixel=1)

    def look(self) -> PosePoints:
        """Return the points that the object shows.

        One sample through the centre of each pixel and no depth of field, so that both
        coordinates come from the same point of the surface.
        """
        apply_settings(self._scene, self._settings)
        self._scene.cycles.pixel_filter_type, self._scene.cycles.filter_width = "BOX", 0.01
        passes = _render_sharp(self._scene)
        is_object = passes["Depth"][..., 0] < _MISS_M
        own, world = passes[_OWN_PLACE][..., :3], passes["Position"][..., :3]
        return PosePoints(own[is_object].astype(np.float64), world[is_object].astype(np.float64))

    def read(self, source: PosePoints, target: PosePoints) -> Reading:
        """Return the turn in degrees."""
        return turn_deg(source, target)


class StarInstrument:
    """Reads the aperture from the blur circle of a bright dot, as in a star test of a lens.

    Source: thin lens, blur = f**2 / N * (1 / distance - 1 / focus) on the sensor for f far below
    both; the dot is put where the widest aperture blurs it over a fixed share of the frame.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        self._scene = _probe_scene("star-probe", built)
        camera = built.render_camera
        lens_m, sensor_m = camera.data.lens * 1e-3, camera.data.sensor_width * 1e-3
        blur_dioptres = _STAR_BLUR_SHARE * sensor_m * min(values) / lens_m**2
        distance_m = 1.0 / (1.0 / camera.data.dof.focus_distance + blur_dioptres)
        radius_m = _STAR_RADIUS_SHARE * distance_m * sensor_m / lens_m
        material, graph = _new_material("star-probe")
        graph.surface(graph.node("ShaderNodeEmission", {}).outputs["Emission"])
        dot = ball(8).stretched(radius_m, radius_m, radius_m)
        star = add_mesh(self._scene, "star", dot, [material])
        star.location = camera.matrix_world @ Vector((0.0, 0.0, -distance_m))
        self._settings = replace(
            settings, width_px=_STAR_PX, height_px=_STAR_PX, samples_per_pixel=_STAR_SAMPLES
        )
        apply_settings(self._scene, self._settings)
        self._pinhole_HW = _render_sharp(self._scene)["Combined"][..., 1]

    def look(self) -> NDArray[np.float32]:
        """Return the blurred dot, float32 (H, W)."""
        apply_settings(self._scene, self._settings)
        return render_passes(self._scene)["Combined"][..., 1]

    def read(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> Reading:
        """Return the change of aperture in stops."""
        return aperture_stops_read(source, target, self._pinhole_HW)


def _probe_scene(name: str, built: BuiltScene) -> Any:
    """Return an empty scene that looks through the camera of `built`."""
    scene = bpy.data.scenes.new(name)
    scene.collection.objects.link(built.render_camera)
    scene.camera = built.render_camera
    return scene


def _pattern_world(features_per_rad: float) -> Any:
    """Return a test pattern at infinity, for frames that look past the table."""
    world = bpy.data.worlds.new("zoom-probe")
    enable_nodes(world)
    graph = NodeGraph(world.node_tree)
    direction = graph.node("ShaderNodeTexCoord", {}).outputs["Generated"]
    pattern = graph.noise(direction, features_per_rad, detail=1.0)
    light = graph.node("ShaderNodeBackground", {"Strength": pattern})
    graph.node("ShaderNodeOutputWorld", {"Surface": light.outputs["Background"]})
    world.cycles.sampling_method = "NONE"  # it is looked at; it lights nothing
    return world


def _new_material(name: str) -> tuple[Any, NodeGraph]:
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    material.cycles.emission_sampling = "NONE"  # it is looked at; it lights nothing
    return material, NodeGraph(material.node_tree)


def _render_sharp(scene: Any) -> dict[str, NDArray[np.float32]]:
    """Render without depth of field; the camera is left with it."""
    dof = scene.camera.data.dof
    dof.use_dof = False
    try:
        return render_passes(scene)
    finally:
        dof.use_dof = True
