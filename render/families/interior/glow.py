"""What gives light by itself: bulbs, lamp shades, the sun, and the view outside.

All of them are white, in the light group of their lamp; colour comes afterwards. What the camera
sees glow (shade, bulb, view) lights nothing else: point, area and sun lamps at the same places do
that, with far less noise than a glowing mesh.
"""

import math
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from render.blender.finishes import Rgb
from render.blender.nodes import NodeGraph
from render.blender.versions import enable_nodes
from render.families.craft.stage import AreaLamp, load_hdri

VIEW_PEAK = 2.1  # radiance of the view over its mean at which sun and sky are capped
_VIEW_BAND = (0.42, 0.72)  # rows of the HDRI around the horizon, from below, that windows show


def join_light_group(scene: Any, owner: Any, group: str) -> None:
    """Put an object (mutated) into a light group, which is added where the scene lacks it."""
    groups = scene.view_layers[0].lightgroups
    if group not in {known.name for known in groups}:
        groups.add(name=group)
    owner.lightgroup = group


def add_bulb(
    scene: Any, group: str, at_m: tuple[float, float, float], radius_m: float, power_w: float
) -> Any:
    """Add a white spherical lamp that the camera does not see; returns its object."""
    data = bpy.data.lights.new(f"{group}-bulb", "POINT")
    data.energy = power_w
    data.color = (1.0, 1.0, 1.0)
    data.shadow_soft_size = radius_m
    lamp_object = bpy.data.objects.new(f"{group}-bulb", data)
    lamp_object.location = at_m
    lamp_object.visible_camera = False
    scene.collection.objects.link(lamp_object)
    join_light_group(scene, lamp_object, group)
    return lamp_object


def add_panel(scene: Any, group: str, lamp: AreaLamp) -> Any:
    """Add one more white area lamp to a light group that may have others; returns its object."""
    data = bpy.data.lights.new(lamp.name, "AREA")
    data.energy = lamp.power_w
    data.color = (1.0, 1.0, 1.0)
    data.shape, data.size, data.size_y = "RECTANGLE", *lamp.size_m
    lamp_object = bpy.data.objects.new(lamp.name, data)
    towards = Vector(lamp.aim_m) - Vector(lamp.position_m)
    lamp_object.location = lamp.position_m
    lamp_object.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    lamp_object.visible_camera = False
    scene.collection.objects.link(lamp_object)
    join_light_group(scene, lamp_object, group)
    return lamp_object


def add_sun(
    scene: Any,
    group: str,
    towards: tuple[float, float, float],
    irradiance_w_m2: float,
    angle_deg: float,
) -> Any:
    """Add white sunlight that travels along `towards`; returns its object."""
    data = bpy.data.lights.new(f"{group}-sun", "SUN")
    data.energy = irradiance_w_m2
    data.color = (1.0, 1.0, 1.0)
    data.angle = math.radians(angle_deg)
    lamp_object = bpy.data.objects.new(f"{group}-sun", data)
    lamp_object.rotation_euler = Vector(towards).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(lamp_object)
    join_light_group(scene, lamp_object, group)
    return lamp_object


def shade_material(
    name: str, colour: Rgb, transmission: float, radiance: float, half_m: float
) -> Any:
    """Return cloth that glows, brightest at the height of the bulb, and passes light for shadows.

    `half_m` is half the shade's height; its object's origin is at the bulb.
    """
    material, graph = _new_material(name)
    place = graph.object_coordinates()
    level = graph.math("DIVIDE", graph.axis(place, "Z"), half_m)
    falloff = graph.math("MULTIPLY_ADD", graph.math("MULTIPLY", level, level), -0.45, 1.15)
    threads = graph.noise(graph.vector("MULTIPLY", place, (90.0, 90.0, 380.0)), 1.0, detail=1.0)
    woven = graph.math("MULTIPLY_ADD", threads, 0.3, 0.85)
    strength = graph.math("MULTIPLY", graph.math("MULTIPLY", falloff, woven), radiance)
    cloth = graph.principled(
        {
            "Base Color": colour,
            "Roughness": 0.9,
            "Emission Color": (1.0, 1.0, 1.0),
            "Emission Strength": strength,
        }
    )
    passed = graph.node("ShaderNodeBsdfTransparent", {"Color": (transmission,) * 3})
    is_shadow = graph.node("ShaderNodeLightPath", {}).outputs["Is Shadow Ray"]
    graph.surface(graph.mixed(is_shadow, cloth, passed.outputs["BSDF"]))
    return material


def bulb_material(name: str, radiance: float) -> Any:
    """Return a surface that only glows."""
    material, graph = _new_material(name)
    graph.surface(
        graph.node("ShaderNodeEmission", {"Color": (1.0, 1.0, 1.0), "Strength": radiance}).outputs[
            "Emission"
        ]
    )
    return material


def view_material(name: str, hdri: str, turn_deg: float, radiance: float) -> Any:
    """Return what is seen through a window: an HDRI at infinity, of some mean radiance.

    Its colours are those of the view outside in white light.

    Raises:
        SceneError: Blender's installation lacks the HDRI.
    """
    image = load_hdri(hdri)
    material, graph = _new_material(name)
    incoming = graph.node("ShaderNodeNewGeometry", {}).outputs["Incoming"]
    away = graph.scaled(incoming, -1.0)
    turned = graph.node("ShaderNodeMapping", {"Vector": away}, vector_type="POINT")
    turned.inputs["Rotation"].default_value = (0.0, 0.0, math.radians(turn_deg))
    sky = graph.node("ShaderNodeTexEnvironment", {"Vector": turned.outputs["Vector"]}, image=image)
    mean = _band_mean(image)
    capped = graph.vector("MINIMUM", sky.outputs["Color"], (VIEW_PEAK * mean,) * 3)
    light = graph.node("ShaderNodeEmission", {"Color": capped, "Strength": radiance / mean})
    graph.surface(light.outputs["Emission"])
    return material


def _band_mean(image: Any) -> float:
    """Return the mean of the HDRI around the horizon, its brightest parts capped at twice that."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    low, high = (int(share * height) for share in _VIEW_BAND)
    band = pixels.reshape(height, width, 4)[low:high, :, :3]
    return float(np.minimum(band, 2.0 * np.median(band)).mean())


def show_only_to_camera(obj: Any) -> None:
    """Hide an object (mutated) from every ray that would carry its light to other surfaces."""
    obj.visible_diffuse = False
    obj.visible_shadow = False
    obj.visible_volume_scatter = False


def _new_material(name: str) -> tuple[Any, NodeGraph]:
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    material.cycles.emission_sampling = "NONE"  # a lamp beside it gives its light
    return material, NodeGraph(material.node_tree)
