"""Probes for poses: the main object's, the camera's, and how far a shape key is set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.attribute import wrap_deg
from cat_dataset.records import Reading
from render.blender.probe_scene import (
    MISS_M,
    chosen_points,
    glowing_material,
    link_visible_meshes,
    new_material,
    pinhole_passes,
    probe_scene,
)
from render.blender.renderer import RenderSettings
from render.scene import BuiltScene
from render.sweeps.pose_readout import (
    CameraPlace,
    PosePoints,
    SeenPoints,
    camera_place,
    growth_log2,
    shape_percent,
    shift_cm,
    turn_deg,
)
from render.sweeps.scene_edits import camera_right

_OWN_PLACE, _REST, _DELTA = "own_place", "cat_rest", "cat_delta"  # passes and mesh attributes
_PROBE_PX = 192  # longer side; a pose needs no more pixels


class PoseProbe:
    """Looks at the main object's own coordinates and the world's, pixel by pixel."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._right = np.array(camera_right(built))
        material, graph = new_material("pose-probe")
        graph.node(
            "ShaderNodeOutputAOV", {"Color": graph.object_coordinates()}, aov_name=_OWN_PLACE
        )
        graph.surface(graph.node("ShaderNodeEmission", {}).outputs["Emission"])
        self._scene = _object_scene("pose-probe", built, material, (_OWN_PLACE,))
        self._settings = small(settings)

    def look(self) -> PosePoints:
        """Return the points that the object shows."""
        passes = pinhole_passes(self._scene, self._settings)
        is_object = passes["Depth"][..., 0] < MISS_M
        return PosePoints(
            chosen_points(passes, _OWN_PLACE, is_object),
            chosen_points(passes, "Position", is_object),
        )


class TurnProbe(PoseProbe):
    """Reads the turn about the vertical."""

    def read(self, source: PosePoints, target: PosePoints) -> Reading:
        """Return the turn in degrees."""
        return turn_deg(source, target)


class GrowthProbe(PoseProbe):
    """Reads the change of size."""

    def read(self, source: PosePoints, target: PosePoints) -> Reading:
        """Return the log2 ratio of sizes."""
        return growth_log2(source, target)


class ShiftProbe(PoseProbe):
    """Reads the move to the right of the picture."""

    def read(self, source: PosePoints, target: PosePoints) -> Reading:
        """Return the move in centimetres."""
        return shift_cm(source, target, self._right)


class CameraProbe:
    """Looks at where the points of the scene lie in the picture."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._pivot_m = np.array(built.camera.look_at_m)
        self._data = built.render_camera.data
        self._scene = probe_scene("camera-probe", built)
        link_visible_meshes(self._scene, built)
        layer = self._scene.view_layers[0]
        layer.use_pass_position = layer.use_pass_z = True
        layer.material_override = glowing_material("camera-probe")
        self._settings = small(settings)

    def look(self) -> CameraPlace:
        """Return where the camera stands about its point."""
        passes = pinhole_passes(self._scene, self._settings)
        is_seen = passes["Depth"][..., 0] < MISS_M
        rows, columns = np.nonzero(is_seen)
        width, height = self._settings.width_px, self._settings.height_px
        focal_px = self._data.lens / self._data.sensor_width * max(width, height)
        centre = ((width - 1) / 2.0, (height - 1) / 2.0)
        pixels = np.stack([columns, rows], axis=1).astype(np.float64)
        points = chosen_points(passes, "Position", is_seen)
        return camera_place(SeenPoints(points, pixels, focal_px, centre), self._pivot_m)


class AzimuthProbe(CameraProbe):
    """Reads the orbit about the vertical."""

    def read(self, source: CameraPlace, target: CameraPlace) -> Reading:
        """Return the orbit in degrees."""
        (old, old_error), (new, new_error) = source.azimuth_deg, target.azimuth_deg
        return _reading(wrap_deg(new - old), old_error, new_error, source, target)


class ElevationProbe(CameraProbe):
    """Reads the orbit up and down."""

    def read(self, source: CameraPlace, target: CameraPlace) -> Reading:
        """Return the rise in degrees."""
        (old, old_error), (new, new_error) = source.elevation_deg, target.elevation_deg
        return _reading(new - old, old_error, new_error, source, target)


class DistanceProbe(CameraProbe):
    """Reads how far the camera is away."""

    def read(self, source: CameraPlace, target: CameraPlace) -> Reading:
        """Return the log2 ratio of distances."""
        (old, old_error), (new, new_error) = source.log2_distance, target.log2_distance
        return _reading(new - old, old_error, new_error, source, target)


def _reading(
    value: float, old_error: float, new_error: float, source: CameraPlace, target: CameraPlace
) -> Reading:
    return Reading(value, float(np.hypot(old_error, new_error)), source.num_px + target.num_px)


@dataclass(frozen=True)
class ShapePoints:
    """Where a surface is, where it rests, and how far the whole key would move it; metres."""

    own_N3: NDArray[np.float64]
    rest_N3: NDArray[np.float64]
    delta_N3: NDArray[np.float64]


class ShapeProbe:
    """Reads a shape key from where the surface is, its rest place and the key's displacement."""

    def __init__(
        self, built: BuiltScene, settings: RenderSettings, values: Sequence[float]
    ) -> None:
        del values
        self._thing = built.main_object
        _store_key(self._thing.data, built.edited_shape_key or "")
        material, graph = new_material("shape-probe")
        for name in (_REST, _DELTA):
            stored = graph.node("ShaderNodeAttribute", {}, attribute_name=name)
            graph.node("ShaderNodeOutputAOV", {"Color": stored.outputs["Vector"]}, aov_name=name)
        own = graph.object_coordinates()
        graph.node("ShaderNodeOutputAOV", {"Color": own}, aov_name=_OWN_PLACE)
        graph.surface(graph.node("ShaderNodeEmission", {}).outputs["Emission"])
        names = (_REST, _DELTA, _OWN_PLACE)
        self._scene = _object_scene("shape-probe", built, material, names)
        self._settings = small(settings)

    def look(self) -> ShapePoints:
        """Return the points that the object shows."""
        passes = pinhole_passes(self._scene, self._settings)
        chosen = passes["Depth"][..., 0] < MISS_M
        return ShapePoints(
            *(chosen_points(passes, name, chosen) for name in (_OWN_PLACE, _REST, _DELTA))
        )

    def read(self, source: ShapePoints, target: ShapePoints) -> Reading:
        """Return the change in percentage points."""
        (old, old_error), (new, new_error) = (
            shape_percent(look.own_N3, look.rest_N3, look.delta_N3) for look in (source, target)
        )
        num_px = len(source.own_N3) + len(target.own_N3)
        return Reading(new - old, float(np.hypot(old_error, new_error)), num_px)


def _store_key(mesh: Any, name: str) -> None:
    """Store on a mesh (mutated) where it rests without a key, and what the whole key adds."""
    blocks = mesh.shape_keys.key_blocks
    basis = _vertices(blocks[0])
    delta = {block.name: _vertices(block) - _vertices(block.relative_key) for block in blocks[1:]}
    others = (block for block in blocks[1:] if block.name != name and not block.mute)
    rest = basis + sum(block.value * delta[block.name] for block in others)
    for key, value in ((_REST, rest), (_DELTA, delta[name])):
        if key in mesh.attributes:
            mesh.attributes.remove(mesh.attributes[key])
        stored = mesh.attributes.new(key, "FLOAT_VECTOR", "POINT")
        stored.data.foreach_set("vector", value.astype(np.float32).ravel())


def _vertices(block: Any) -> NDArray[np.float64]:
    places = np.empty(3 * len(block.data), np.float32)
    block.data.foreach_get("co", places)
    return places.reshape(-1, 3).astype(np.float64)


def _object_scene(name: str, built: BuiltScene, material: Any, aovs: Sequence[str]) -> Any:
    """Return a scene of the main object alone, in one material, with the named passes."""
    scene = probe_scene(name, built)
    scene.collection.objects.link(built.main_object)
    layer = scene.view_layers[0]
    layer.use_pass_position = layer.use_pass_z = True
    for aov_name in aovs:
        aov = layer.aovs.add()
        aov.name, aov.type = aov_name, "COLOR"
    layer.material_override = material
    return scene


def small(settings: RenderSettings, samples_per_pixel: int = 1) -> RenderSettings:
    """Return settings for a probe picture of the same shape, _PROBE_PX long."""
    longer = max(settings.width_px, settings.height_px)
    shrink = _PROBE_PX / longer
    return replace(
        settings,
        width_px=round(settings.width_px * shrink),
        height_px=round(settings.height_px * shrink),
        samples_per_pixel=samples_per_pixel,
    )
