"""Probes for the main object's material: body colour, and the spread of its highlight."""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from cat_dataset.records import Reading
from render.blender.meshes import add_mesh
from render.blender.probe_scene import chosen_points, new_material, pinhole_passes, probe_scene
from render.blender.renderer import RenderSettings, apply_settings, render_passes
from render.blender.shapes import ball
from render.blender.versions import pass_name
from render.scene import BuiltScene
from render.sweeps.material_edits import constant_input, edited_material
from render.sweeps.pose_probes import small
from render.sweeps.surface_readout import (
    hue_shift_deg,
    lobe_area,
    missing_percent,
    saturation_percent,
)

_LAMP_W_M2 = math.pi
_BALL_PX, _BALL_SAMPLES = 128, 16
_BALL_HALF_DEG = 26.0  # of normals to either side of the middle
_REFERENCE_SEED = 0
_REFERENCE_PERCENT = (4.0, 7.0, 10.0, 15.0, 20.0, 27.0, 35.0, 45.0, 55.0, 67.0, 80.0, 90.0, 100.0)
_PURE = (("Metallic", 0.0), ("Transmission Weight", 0.0))
_BARE = (*_PURE, ("IOR", 1.5), ("Coat Weight", 0.0), ("Sheen Weight", 0.0))


class BodyProbe:
    """Looks at the diffuse colour of the edited material, in pixels that show it."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._material: Any = edited_material(built.main_object)
        self._scene = probe_scene("body-probe", built)
        self._scene.collection.objects.link(built.main_object)
        layer = self._scene.view_layers[0]
        layer.use_pass_diffuse_color = layer.use_pass_material_index = True
        self._settings = small(settings)

    def _colours(self, pure: tuple[tuple[str, float], ...]) -> NDArray[np.float64]:
        """Return the diffuse colour, (N, 3), with some inputs of the material set."""
        before, self._material.pass_index = self._material.pass_index, 1
        try:
            with ExitStack() as stack:
                for name, value in pure:
                    stack.enter_context(constant_input(self._material, name))(value)
                passes = pinhole_passes(self._scene, self._settings)
        finally:
            self._material.pass_index = before
        is_worn = passes[pass_name("material_index")][..., 0] == 1.0
        return chosen_points(passes, pass_name("diffuse_color"), is_worn)


class HueProbe(BodyProbe):
    """Reads the turn of hue, with metal and glass taken out of the way."""

    def look(self) -> NDArray[np.float64]:
        """Return the body colour, (N, 3)."""
        return self._colours(_PURE)

    def read(self, source: NDArray[np.float64], target: NDArray[np.float64]) -> Reading:
        """Return the turn in degrees."""
        return hue_shift_deg(source, target)


class SaturationProbe(HueProbe):
    """Reads the saturation of the body colour."""

    def read(self, source: NDArray[np.float64], target: NDArray[np.float64]) -> Reading:
        """Return the change in percentage points."""
        (old, old_error), (new, new_error) = (saturation_percent(c) for c in (source, target))
        stderr = math.hypot(old_error, new_error)
        return Reading(new - old, stderr, len(source) + len(target))


class ShareProbe(BodyProbe):
    """Reads how much of the body colour an input takes away, all of it at 100 %."""

    def __init__(
        self,
        built: BuiltScene,
        settings: RenderSettings,
        values: Sequence[float],
        input_name: str,
    ) -> None:
        super().__init__(built, settings, values)
        self._full = self._colours(((input_name, 0.0),)).sum(axis=1)

    def look(self) -> tuple[float, float]:
        """Return (share, standard error) in per cent."""
        return missing_percent(self._colours(()).sum(axis=1), self._full)

    def read(self, source: tuple[float, float], target: tuple[float, float]) -> Reading:
        """Return the change in percentage points."""
        stderr = math.hypot(source[1], target[1])
        return Reading(target[0] - source[0], stderr, 2 * len(self._full))


def metallic_probe(
    built: BuiltScene, settings: RenderSettings, values: Sequence[float]
) -> ShareProbe:
    """Return the probe for metalness: metal has no body colour."""
    return ShareProbe(built, settings, values, "Metallic")


def transmission_probe(
    built: BuiltScene, settings: RenderSettings, values: Sequence[float]
) -> ShareProbe:
    """Return the probe for transmission: what goes through is not scattered back."""
    return ShareProbe(built, settings, values, "Transmission Weight")


class GlossProbe:
    """Reads roughness from the highlight on a test ball of the edited material.

    References are the same ball in plain materials of known roughness; a highlight's area lies
    between those of its two neighbours. The lamp is far away behind the camera, so that the
    highlight shows how the surface's facets are spread, and nothing is noisy.
    """

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._material = edited_material(built.main_object)
        self._settings = replace(
            settings, width_px=_BALL_PX, height_px=_BALL_PX, samples_per_pixel=_BALL_SAMPLES
        )
        self._reference_areas = _render_reference_areas(
            replace(self._settings, seed=_REFERENCE_SEED)
        )
        self._scene, self._slot = _ball_scene()

    def look(self) -> float:
        """Return the highlight's log area on the edited material, bared to its outer surface."""
        self._slot.material = self._material
        with ExitStack() as stack:
            stack.enter_context(constant_input(self._material, "Normal"))
            for name, value in _BARE:
                stack.enter_context(constant_input(self._material, name))(value)
            return _log_area(self._scene, self._settings)

    def read(self, source: float, target: float) -> Reading:
        """Return the change in percentage points."""
        old, new = (
            float(np.interp(area, self._reference_areas, _REFERENCE_PERCENT))
            for area in (source, target)
        )
        stderr = math.hypot(*(self._step_error(area) for area in (source, target)))
        return Reading(new - old, stderr, 2 * _BALL_PX**2)

    def _step_error(self, area: float) -> float:
        """Return what straight lines between references may be wrong by, in percentage points.

        Half of what the reading changes where every second reference is taken out.
        """
        fine = np.interp(area, self._reference_areas, _REFERENCE_PERCENT)
        coarse = np.interp(area, self._reference_areas[::2], _REFERENCE_PERCENT[::2])
        return abs(float(fine - coarse)) / 8.0  # quadratic in the step: a quarter remains


@cache
def _render_reference_areas(settings: RenderSettings) -> tuple[float, ...]:
    """Return the highlight's log area on plain materials of `_REFERENCE_PERCENT` roughness.

    It has nothing to do with the scene, and takes longer to render than a small scene's frames: a
    worker makes it once.
    """
    scene, slot = _ball_scene()
    areas = []
    for percent in _REFERENCE_PERCENT:
        material, graph = new_material("gloss-reference")
        slot.material = material
        graph.surface(graph.principled({**dict(_BARE), "Roughness": percent / 100.0}))
        areas.append(_log_area(scene, settings))
    return tuple(areas)


def _log_area(scene: Any, settings: RenderSettings) -> float:
    apply_settings(scene, settings)
    highlight = render_passes(scene)[pass_name("glossy_direct")][..., :3].mean(axis=-1)
    return math.log(lobe_area(highlight.astype(np.float64)))


def _ball_scene() -> tuple[Any, Any]:
    """Return a scene of the middle of a ball with a lamp behind the camera, and its slot."""
    scene = bpy.data.scenes.new("gloss-probe")
    placeholder, _ = new_material("gloss-probe")
    gloss_ball = add_mesh(scene, "gloss-ball", ball(48), [placeholder])
    camera = bpy.data.objects.new("gloss-camera", bpy.data.cameras.new("gloss-camera"))
    camera.data.type = "ORTHO"
    camera.data.ortho_scale = 2.0 * math.sin(math.radians(_BALL_HALF_DEG))
    camera.location = (0.0, 0.0, 5.0)  # looks down
    lamp = bpy.data.objects.new("gloss-lamp", bpy.data.lights.new("gloss-lamp", "SUN"))
    lamp.data.angle, lamp.data.energy = 0.0, _LAMP_W_M2
    for item in (camera, lamp):
        scene.collection.objects.link(item)
    scene.camera = camera
    scene.view_layers[0].use_pass_glossy_direct = True
    return scene, gloss_ball.material_slots[0]
