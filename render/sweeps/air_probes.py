"""Probes for sun and fog: a white test ball in the sun, test cards seen through the fog."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.attribute import wrap_deg
from cat_dataset.imaging.photometry import extinction_per_m
from cat_dataset.records import Reading
from render.blender.meshes import add_mesh
from render.blender.nodes import NodeGraph
from render.blender.probe_scene import new_material
from render.blender.renderer import RenderSettings, apply_settings, render_passes
from render.blender.shapes import ball, rounded_box
from render.blender.versions import enable_nodes
from render.scene import BuiltScene
from render.sweeps.surface_readout import extinction_read, light_direction

_BALL_PX, _BALL_SAMPLES = 64, 64
_CARD_PX, _CARD_SAMPLES = 48, 1024
_FARTHEST_M = 1200.0  # of a test card; the fog ends at 1500 m
_FOG_HEIGHT_M = 10.0  # of the test cards, well inside the fog


class SunProbe:
    """Looks at a white ball that only the sun shines on."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        assert built.sun is not None, "used only where there is a sun"
        self._scenes = [self._ball_scene(built, side) for side in (-1.0, 1.0)]
        self._settings = replace(
            settings,
            width_px=_BALL_PX,
            height_px=_BALL_PX,
            samples_per_pixel=_BALL_SAMPLES,
            max_bounces=0,
        )

    def _ball_scene(self, built: BuiltScene, side: float) -> object:
        scene = bpy.data.scenes.new("sun-probe")
        material, graph = new_material("sun-probe")
        graph.surface(graph.node("ShaderNodeBsdfDiffuse", {}).outputs["BSDF"])
        add_mesh(scene, "sun-ball", ball(32), [material])
        camera = bpy.data.objects.new("sun-camera", bpy.data.cameras.new("sun-camera"))
        camera.data.type, camera.data.ortho_scale = "ORTHO", 2.1
        camera.location = (0.0, 6.0 * side, 4.5)
        camera.rotation_euler = (math.atan2(6.0, 4.5), 0.0, math.pi if side > 0.0 else 0.0)
        scene.collection.objects.link(camera)
        scene.collection.objects.link(built.sun.lamp)  # type: ignore[union-attr]  # checked
        scene.camera = camera
        scene.view_layers[0].use_pass_normal = True
        return scene

    def look(self) -> tuple[NDArray[np.float64], float]:
        """Return the direction to the sun and its standard error in degrees."""
        normals, shading = [], []
        for scene in self._scenes:
            apply_settings(scene, self._settings)
            passes = render_passes(scene)
            normal = passes["Normal"][..., :3].astype(np.float64)
            inside = np.linalg.norm(normal, axis=-1) > 0.999  # off the ball's edge
            normals.append(normal[inside])
            shading.append(passes["Combined"][..., 1][inside].astype(np.float64))
        return light_direction(np.concatenate(normals), np.concatenate(shading))


class SunHeightProbe(SunProbe):
    """Reads how high the sun stands."""

    def read(
        self, source: tuple[NDArray[np.float64], float], target: tuple[NDArray[np.float64], float]
    ) -> Reading:
        """Return the rise in degrees."""
        old, new = (math.degrees(math.asin(look[0][2])) for look in (source, target))
        return Reading(new - old, math.hypot(source[1], target[1]), _BALL_PX**2)


class SunBearingProbe(SunProbe):
    """Reads where the sun stands, seen from above."""

    def read(
        self, source: tuple[NDArray[np.float64], float], target: tuple[NDArray[np.float64], float]
    ) -> Reading:
        """Return the turn in degrees, counter-clockwise; its error grows as the sun gets high."""
        old, new = (math.degrees(math.atan2(look[0][1], look[0][0])) for look in (source, target))
        errors = (look[1] / math.hypot(look[0][0], look[0][1]) for look in (source, target))
        return Reading(wrap_deg(new - old), math.hypot(*errors), _BALL_PX**2)


@dataclass(frozen=True)
class Air:
    """What the test cards tell of the air: extinction per metre and its standard error."""

    extinction_per_m: float
    stderr_per_m: float


class FogProbe:
    """Reads the extinction of the air from glowing cards at several distances in the fog."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        assert built.fog is not None, "used only where there is fog"
        densest, thinnest = (extinction_per_m(f(values)) for f in (min, max))
        # two cards suit the densest fog, two the thinnest: optical depths of 0.1 and about 1
        depths = [0.1 / densest, 1.2 / densest, 0.1 / thinnest, 1.2 / thinnest]
        self._distance_m = np.minimum(depths, _FARTHEST_M)
        self._scenes = []
        for distance_m in self._distance_m:
            scene = bpy.data.scenes.new("fog-probe")
            card = rounded_box((distance_m, distance_m * 1e-3, distance_m), distance_m * 1e-4)
            card_object = add_mesh(scene, "fog-card", card, [_card_material()])
            card_object.location = (0.0, float(distance_m), _FOG_HEIGHT_M - float(distance_m) / 2.0)
            camera = bpy.data.objects.new("fog-camera", bpy.data.cameras.new("fog-camera"))
            camera.data.lens = 1000.0  # the card fills the picture; all rays are equally long
            camera.location = (0.0, 0.0, _FOG_HEIGHT_M)
            camera.rotation_euler = (math.pi / 2, 0.0, 0.0)
            camera.data.clip_start, camera.data.clip_end = 1e-3, 1e5
            scene.collection.objects.link(camera)
            scene.collection.objects.link(built.fog.box)
            scene.camera = camera
            scene.world = _black_world()
            self._scenes.append(scene)
        self._settings = replace(
            settings,
            width_px=_CARD_PX,
            height_px=_CARD_PX,
            samples_per_pixel=_CARD_SAMPLES,
            max_bounces=0,
        )

    def look(self) -> Air:
        """Return what the air lets through now."""
        brightness, errors = [], []
        for scene in self._scenes:
            apply_settings(scene, self._settings)
            light = render_passes(scene)["Combined"][..., 1].astype(np.float64)
            brightness.append(float(light.mean()))
            errors.append(float(light.std()) / math.sqrt(light.size))
        return Air(*extinction_read(self._distance_m, np.array(brightness), np.array(errors)))

    def read(self, source: Air, target: Air) -> Reading:
        """Return the log2 ratio of extinctions."""
        value = math.log2(target.extinction_per_m / source.extinction_per_m)
        stderr = math.hypot(*(a.stderr_per_m / a.extinction_per_m for a in (source, target)))
        return Reading(value, stderr / math.log(2.0), len(self._scenes) * _CARD_PX**2)


def _card_material() -> Any:
    """Return radiance 1 for what looks straight at it, and nothing for what the fog scatters."""
    material, graph = new_material("fog-card")
    is_straight = graph.node("ShaderNodeLightPath", {}).outputs["Is Camera Ray"]
    graph.surface(graph.node("ShaderNodeEmission", {"Strength": is_straight}).outputs["Emission"])
    return material


def _black_world() -> object:
    world = bpy.data.worlds.new("fog-probe")
    enable_nodes(world)
    graph = NodeGraph(world.node_tree)
    dark = graph.node("ShaderNodeBackground", {"Strength": 0.0})
    graph.node("ShaderNodeOutputWorld", {"Surface": dark.outputs["Background"]})
    return world
