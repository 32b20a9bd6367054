"""Probes for what the lens and the shutter did: test pattern, star test, streak of a star."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import dioptres
from cat_dataset.records import Reading
from render.blender.meshes import add_mesh
from render.blender.nodes import NodeGraph
from render.blender.probe_scene import (
    camera_setting,
    glowing_material,
    link_visible_meshes,
    new_material,
    probe_scene,
    sharp_passes,
)
from render.blender.renderer import RenderSettings, apply_settings, render_passes
from render.blender.shapes import ball
from render.blender.versions import enable_nodes
from render.scene import SENSOR_LONG_SIDE_MM, BuiltScene
from render.sweeps.lens_readout import (
    aperture_stops_read,
    focus_dioptres_read,
    streak_log2_read,
    zoom_log2,
)
from render.sweeps.scene_edits import passing_speed_m_per_s

Picture = NDArray[np.float32]
_ZOOM_PX, _ZOOM_SAMPLES = 128, 16
_ZOOM_FEATURES = 16.0  # of the test pattern across the frame, at the longest lens
_STAR_PX, _STAR_SAMPLES = 48, 512
_STAR_BLUR_SHARE = 0.8  # of the frame, at the widest aperture
_STAR_RADIUS_SHARE = 0.05  # of the frame, the dot itself
_FOCUS_LENS_MM = 200.0  # through which the focus is read
_FOCUS_BLUR_SHARE = 0.7  # of the frame, the blur of the nearer dot at the farthest focus
_MIN_FOCUS_SPAN = 0.1  # dioptres
_STREAK_PX, _STREAK_SAMPLES = 96, 256
_STREAK_SHARE = 0.6  # of the frame, at the longest exposure


class ZoomProbe:
    """Reads magnification from a test pattern on every surface, without depth of field.

    The frames themselves would do where they are large; in small ones, blur that grows with the
    lens moves the reading by up to one per cent.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        self._scene = probe_scene("zoom-probe", built)
        link_visible_meshes(self._scene, built)
        frame_rad = SENSOR_LONG_SIDE_MM / max(values)
        frame_m = frame_rad * built.camera.distance_m
        self._scene.world = _pattern_world(_ZOOM_FEATURES / frame_rad)
        material, graph = new_material("zoom-probe")
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
        return sharp_passes(self._scene)["Combined"][..., :3]

    def read(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> Reading:
        """Return log2 of the magnification."""
        return zoom_log2(source, target)


class StarProbe:
    """Reads the aperture from the blur circle of a bright dot, as in a star test of a lens.

    Source: thin lens, blur = f**2 / N * (1 / distance - 1 / focus) on the sensor for f far below
    both; the dot is put where the widest aperture blurs it over a fixed share of the frame.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        camera = built.render_camera
        lens_m, sensor_m = camera.data.lens * 1e-3, camera.data.sensor_width * 1e-3
        blur_dioptres = _STAR_BLUR_SHARE * sensor_m * min(values) / lens_m**2
        distance_m = 1.0 / (1.0 / camera.data.dof.focus_distance + blur_dioptres)
        self._scene = _dot_scene("star-probe", built, distance_m, sensor_m / lens_m)
        self._settings = replace(
            settings, width_px=_STAR_PX, height_px=_STAR_PX, samples_per_pixel=_STAR_SAMPLES
        )
        apply_settings(self._scene, self._settings)
        self._pinhole_HW = sharp_passes(self._scene)["Combined"][..., 1]

    def look(self) -> NDArray[np.float32]:
        """Return the blurred dot, float32 (H, W)."""
        apply_settings(self._scene, self._settings)
        return render_passes(self._scene)["Combined"][..., 1]

    def read(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> Reading:
        """Return the change of aperture in stops."""
        return aperture_stops_read(source, target, self._pinhole_HW)


class FocusProbe:
    """Reads the focus distance from the blur circles of two bright dots nearer than any focus.

    The camera looks through another lens while it is read, which leaves the focus alone.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        nearest, farthest = dioptres(min(values)), dioptres(max(values))
        span = max(nearest - farthest, _MIN_FOCUS_SPAN)
        self._dot_dioptres = (nearest + span, nearest + 2.0 * span)
        self._camera = built.render_camera
        frame_rad = SENSOR_LONG_SIDE_MM / _FOCUS_LENS_MM
        aperture_m = _FOCUS_BLUR_SHARE * frame_rad / (self._dot_dioptres[1] - farthest)
        self._f_number = _FOCUS_LENS_MM * 1e-3 / aperture_m
        self._settings = replace(
            settings, width_px=_STAR_PX, height_px=_STAR_PX, samples_per_pixel=_STAR_SAMPLES
        )
        self._scenes = [
            _dot_scene("focus-probe", built, 1.0 / d, frame_rad) for d in self._dot_dioptres
        ]
        self._pinholes = tuple(self._pictures(use_dof=False))

    def look(self) -> list[Picture]:
        """Return the two blurred dots, float32 (H, W) each."""
        return self._pictures(use_dof=True)

    def _pictures(self, *, use_dof: bool) -> list[Picture]:
        data = self._camera.data
        pictures = []
        for scene in self._scenes:
            apply_settings(scene, self._settings)
            with (
                camera_setting(data, lens=_FOCUS_LENS_MM, shift_x=0.0, shift_y=0.0),
                camera_setting(data.dof, aperture_fstop=self._f_number, use_dof=use_dof),
            ):
                pictures.append(render_passes(scene)["Combined"][..., 1])
        return pictures

    def read(self, source: list[Picture], target: list[Picture]) -> Reading:
        """Return the change of focus in dioptres."""
        (near, near_error), (far, far_error) = (
            focus_dioptres_read(
                look[0], look[1], (self._pinholes[0], self._pinholes[1]), self._dot_dioptres
            )
            for look in (source, target)
        )
        return Reading(far - near, float(np.hypot(near_error, far_error)), 2 * source[0].size)


class StreakProbe:
    """Reads the exposure time from the streak of a bright dot that moves with the main object."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        self._built = built
        self._scene = probe_scene("streak-probe", built)
        main_object = built.main_object
        camera = built.render_camera
        towards = main_object.matrix_world.translation - camera.matrix_world.translation
        reach_m = passing_speed_m_per_s(built) * max(values)
        self._lens_mm = _STREAK_SHARE * SENSOR_LONG_SIDE_MM * towards.length / reach_m
        radius_m = 0.5 * _STAR_RADIUS_SHARE * reach_m / _STREAK_SHARE
        dot = ball(8).stretched(radius_m, radius_m, radius_m)
        star = add_mesh(self._scene, "streak", dot, [glowing_material("streak-probe")])
        star.parent = main_object
        size = main_object.matrix_world.to_scale().x
        star.scale = (1.0 / size,) * 3
        self._watcher = bpy.data.objects.new("watcher", bpy.data.cameras.new("watcher"))
        self._watcher.data.lens = self._lens_mm
        self._watcher.matrix_world = towards.to_track_quat("-Z", "Y").to_matrix().to_4x4()
        self._watcher.location = camera.matrix_world.translation
        self._scene.collection.objects.link(self._watcher)
        self._scene.camera = self._watcher
        self._settings = replace(
            settings, width_px=_STREAK_PX, height_px=_STREAK_PX, samples_per_pixel=_STREAK_SAMPLES
        )
        self._still_HW = self._picture(is_moving=False)

    def look(self) -> Picture:
        """Return the streak, float32 (H, W)."""
        return self._picture(is_moving=True)

    def _picture(self, *, is_moving: bool) -> Picture:
        render, own = self._scene.render, self._built.scene
        apply_settings(self._scene, self._settings)
        render.use_motion_blur = is_moving and own.render.use_motion_blur
        render.motion_blur_position = own.render.motion_blur_position
        render.motion_blur_shutter = own.render.motion_blur_shutter
        render.fps = own.render.fps
        return render_passes(self._scene)["Combined"][..., 1]

    def read(self, source: Picture, target: Picture) -> Reading:
        """Return the log2 ratio of exposure times."""
        return streak_log2_read(source, target, self._still_HW)


def _dot_scene(name: str, built: BuiltScene, distance_m: float, frame_rad: float) -> Any:
    """Return a scene with one bright dot on the view axis of the camera."""
    scene = probe_scene(name, built)
    radius_m = _STAR_RADIUS_SHARE * distance_m * frame_rad
    dot = ball(8).stretched(radius_m, radius_m, radius_m)
    star = add_mesh(scene, "star", dot, [glowing_material(name)])
    star.location = built.render_camera.matrix_world @ Vector((0.0, 0.0, -distance_m))
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
