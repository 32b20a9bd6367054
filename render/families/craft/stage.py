"""Plain descriptions become Blender objects: lamps in their light groups, world, camera."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import luminance
from cat_dataset.records import LightGroup
from render.blender.nodes import NodeGraph
from render.blender.versions import enable_nodes
from render.families.craft.user_hdris import load_user_hdri, usual_radiance
from render.scene import AMBIENT_GROUP, SENSOR_LONG_SIDE_MM, CameraPose

_WORLD_MAP_PX = 256  # importance map; the lamps in the HDRIs are capped, so it can be coarse


@dataclass(frozen=True)
class AreaLamp:
    """A soft box in its own light group."""

    name: str  # of the light group
    position_m: tuple[float, float, float]
    aim_m: tuple[float, float, float]
    size_m: tuple[float, float]
    power_w: float  # radiant
    cct_k: float  # coloured afterwards: the lamp itself is rendered white


@dataclass(frozen=True)
class World:
    """An HDRI all around."""

    hdri: str  # file name among Blender's studio lights
    turn_deg: float
    irradiance_w_m2: float  # on a level surface in the open
    peak: float  # radiance over the mean at which lamps and the sun in the HDRI are capped
    file: Path | None = None  # an HDRI that takes the place of `hdri`

    @property
    def name(self) -> str:
        """File name of the HDRI."""
        return self.hdri if self.file is None else self.file.name


def soft_box(
    name: str,
    azimuth_deg: float,
    elevation_deg: float,
    distance_m: float,
    size_m: tuple[float, float],
    irradiance_w_m2: float,
    cct_k: float,
    aim_m: tuple[float, float, float],
) -> AreaLamp:
    """Return a soft box whose power gives an irradiance at the point that it is aimed at.

    Azimuth 0 = from the camera, 180 = from behind, positive = from the right. Source: a diffuse
    source of power P gives P / (pi d**2) on its axis.
    """
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    level_m = distance_m * math.cos(elevation)
    position = (
        aim_m[0] + level_m * math.sin(azimuth),
        aim_m[1] - level_m * math.cos(azimuth),
        aim_m[2] + distance_m * math.sin(elevation),
    )
    return AreaLamp(name, position, aim_m, size_m, irradiance_w_m2 * math.pi * distance_m**2, cct_k)


def place(obj: Any, x_m: float, y_m: float, z_m: float, heading_deg: float) -> None:
    """Put an object (mutated) on its spot, turned about its own vertical axis."""
    obj.location = (x_m, y_m, z_m)
    obj.rotation_euler = (0.0, 0.0, math.radians(heading_deg))


def add_lights(scene: Any, lamps: Sequence[AreaLamp], world: World) -> tuple[LightGroup, ...]:
    """Add soft boxes and an HDRI around them; returns their light groups, the ambient one last.

    Raises:
        SceneError: as of `add_world`.
    """
    for lamp in lamps:
        add_area_lamp(scene, lamp)
    add_world(scene, world)
    groups = [LightGroup(lamp.name, "lamp", lamp.cct_k, lamp.power_w) for lamp in lamps]
    return (*groups, LightGroup(AMBIENT_GROUP, "ambient", None))


def add_area_lamp(scene: Any, lamp: AreaLamp) -> Any:
    """Add a white soft box; it shows in reflections, but the camera never sees it."""
    data = bpy.data.lights.new(lamp.name, "AREA")
    data.energy = lamp.power_w
    data.color = (1.0, 1.0, 1.0)
    data.shape, data.size, data.size_y = "RECTANGLE", *lamp.size_m
    lamp_object = bpy.data.objects.new(lamp.name, data)
    lamp_object.matrix_world = _looking(lamp.position_m, lamp.aim_m)
    lamp_object.visible_camera = False
    scene.collection.objects.link(lamp_object)
    _join_group(scene, lamp_object, lamp.name)
    return lamp_object


def add_world(scene: Any, world: World) -> None:
    """Surround the scene with an HDRI, scaled to give the asked irradiance.

    Raises:
        SceneError: Blender's installation lacks the HDRI, or the file given is no HDRI.
    """
    image, peak, mean = _sky_light(world)
    data = bpy.data.worlds.new("world")
    enable_nodes(data)
    graph = NodeGraph(data.node_tree)
    view = graph.node("ShaderNodeTexCoord", {}).outputs["Generated"]
    turned = graph.node("ShaderNodeMapping", {"Vector": view})
    turned.inputs["Rotation"].default_value = (0.0, 0.0, math.radians(world.turn_deg))
    sky = graph.node("ShaderNodeTexEnvironment", {"Vector": turned.outputs["Vector"]}, image=image)
    capped = graph.vector("MINIMUM", sky.outputs["Color"], (peak,) * 3)
    if world.file is not None:
        # A user's file may hold negative radiance, see `render.families.craft.user_hdris`.
        capped = graph.vector("MAXIMUM", capped, (0.0,) * 3)
    strength = world.irradiance_w_m2 / (math.pi * mean)
    light = graph.node("ShaderNodeBackground", {"Color": capped, "Strength": strength})
    graph.node("ShaderNodeOutputWorld", {"Surface": light.outputs["Background"]})
    data.cycles.sampling_method = "MANUAL"
    data.cycles.sample_map_resolution = _WORLD_MAP_PX
    scene.world = data
    _join_group(scene, data, AMBIENT_GROUP)


def _sky_light(world: World) -> tuple[Any, float, float]:
    """Return the HDRI's image, the radiance at which it is capped, and its mean radiance."""
    if world.file is None:  # Blender's own have a mean of about 1
        image = load_hdri(world.hdri)
        return image, world.peak, _mean_radiance(image, world.peak)
    image = load_user_hdri(world.file)
    peak = world.peak * usual_radiance(image)
    return image, peak, _mean_radiance(image, peak)


def load_hdri(name: str) -> Any:
    """Return one of Blender's studio HDRIs as an image.

    Raises:
        SceneError: Blender's installation lacks it, or cannot read it.
    """
    folder = bpy.utils.system_resource("DATAFILES", path="studiolights/world")
    path = Path(folder) / name
    if not path.is_file():
        msg = f"HDRI {name}: not in this Blender ({folder}); reinstall cat-dataset[render]"
        raise SceneError(msg)
    image = bpy.data.images.load(str(path))
    if image.size[0] == 0:
        msg = f"HDRI {path}: Blender cannot read it; reinstall cat-dataset[render]"
        raise SceneError(msg)
    return image


def _mean_radiance(image: Any, peak: float) -> float:
    """Return the capped luminance that a level surface sees, weighted by cosine."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    upper = pixels.reshape(height, width, 4)[height // 2 :, :, :3]  # rows come bottom-up
    zenith = (0.5 - (np.arange(len(upper)) + 0.5) / height) * math.pi
    weight = np.sin(zenith) * np.cos(zenith)
    rows = luminance(np.minimum(upper, np.float32(peak))).mean(axis=1)
    return float((rows * weight).sum() / weight.sum())


def _join_group(scene: Any, owner: Any, group: str) -> None:
    scene.view_layers[0].lightgroups.add(name=group)
    owner.lightgroup = group


def add_camera(scene: Any, pose: CameraPose) -> Any:
    """Add the scene's camera with depth of field on; returns its object."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "AUTO", SENSOR_LONG_SIDE_MM
    data.lens = pose.focal_length_mm
    data.clip_start = 0.01
    data.dof.use_dof = True
    data.dof.focus_distance = pose.focus_distance_m
    data.dof.aperture_fstop = pose.f_number
    data.dof.aperture_blades = 9
    camera_object = bpy.data.objects.new("camera", data)
    camera_object.matrix_world = _looking(pose.position_m, pose.look_at_m)
    scene.collection.objects.link(camera_object)
    scene.camera = camera_object
    return camera_object


def _looking(position_m: tuple[float, float, float], aim_m: tuple[float, float, float]) -> Any:
    """Return the pose whose -z axis points at `aim_m`, y up: cameras and lamps look along -z."""
    towards = Vector(aim_m) - Vector(position_m)
    return Matrix.Translation(position_m) @ towards.to_track_quat("-Z", "Y").to_matrix().to_4x4()
