"""Sun and clear sky that move together: how bright and how warm the sun is at its elevation.

The sky is Blender's Hosek-Wilkie model without a sun disc, the same in 4.5 and 5.2 to 1e-3; its
strength follows from the sun's, so that light and shadow keep a photographic ratio at any hour.

Sources: Kasten and Young 1989 (air mass); Meinel and Meinel 1976 (direct irradiance); Campbell and
Norman 1998, eq. 11.13 (sky irradiance); Preetham et al. 1999, appendix A.1 (extinction by
wavelength); McCamy 1992 (colour temperature of a chromaticity).
"""

import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import REC709_LUMINANCE, XYZ_TO_SRGB, blackbody_rgb
from render.blender.nodes import NodeGraph
from render.blender.versions import enable_nodes

SUN_GROUP, SKY_GROUP = "sun", "sky"
SUN_ANGLE_DEG = 0.53
LOWEST_DEG, HIGHEST_DEG = 2.0, 85.0
LIGHT_UNIT_W_M2 = 100.0  # one unit of Blender's light here; the exposure anchor takes care
SOLAR_CONSTANT_W_M2 = 1353.0  # as Meinel's formula has it
SUN_SURFACE_K = 5778.0
SCATTERED_SHARE = 0.3  # of the light that the air takes from the beam, what reaches the ground
CLOUD_OVER_SKY = 1.9  # radiance of a sunlit cloud over the mean of the clear sky
GROUND_ALBEDO = 0.25
_BANDS_UM = np.array([0.61, 0.55, 0.465])  # where the primaries of sRGB sit
_WORLD_MAP_PX = 256  # importance map; the sky has no sun disc

# Luminous irradiance of the node's sky on a level surface at strength 1, measured in Blender.
_ELEVATIONS_DEG = (2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 85.0)
_TURBIDITIES = (2.0, 3.0, 5.0)
_NODE_IRRADIANCE = (
    (0.0568, 0.0840, 0.1155, 0.1554, 0.1804, 0.2011, 0.2132, 0.2368),
    (0.0581, 0.0898, 0.1266, 0.1742, 0.2059, 0.2329, 0.2467, 0.2708),
    (0.0597, 0.1034, 0.1567, 0.2301, 0.2826, 0.3318, 0.3542, 0.3776),
)


def air_mass(elevation_deg: float) -> float:
    """Return how much air the sunlight crosses, 1 = straight down.

    Source: Kasten and Young 1989.

    >>> [round(air_mass(elevation), 3) for elevation in (90.0, 30.0, 10.0)]
    [1.0, 1.994, 5.586]
    """
    level = math.sin(math.radians(elevation_deg))
    return 1.0 / (level + 0.50572 * math.pow(elevation_deg + 6.07995, -1.6364))


def sun_irradiance_w_m2(elevation_deg: float) -> float:
    """Return the clear sun's irradiance on a surface that faces it.

    Source: Meinel and Meinel 1976, 1353 * 0.7 ** (air mass ** 0.678).

    >>> round(sun_irradiance_w_m2(90.0))
    947
    """
    return SOLAR_CONSTANT_W_M2 * _transmitted(elevation_deg)


def _transmitted(elevation_deg: float) -> float:
    return float(0.7 ** (air_mass(elevation_deg) ** 0.678))


def sky_irradiance_w_m2(elevation_deg: float) -> float:
    """Return the clear sky's irradiance on a level surface.

    Source: Campbell and Norman 1998, 0.3 * (1 - transmittance) * what arrives above the air.

    >>> sun = sun_irradiance_w_m2(60.0) * math.sin(math.radians(60.0))
    >>> round(sun / sky_irradiance_w_m2(60.0), 1)
    6.9
    """
    above = SOLAR_CONSTANT_W_M2 * math.sin(math.radians(elevation_deg))
    return SCATTERED_SHARE * (1.0 - _transmitted(elevation_deg)) * above


def sun_cct_k(elevation_deg: float, turbidity: float) -> float:
    """Return the colour temperature of the sunlight that reaches the ground.

    Rayleigh scattering and haze (Angstrom exponent 1.3) redden it with the air it crosses.

    >>> [round(sun_cct_k(elevation, 2.5), -1) for elevation in (60.0, 10.0, 2.0)]
    [5150.0, 3780.0, 2200.0]
    """
    haze = 0.04608 * turbidity - 0.04586  # Angstrom's beta
    depth = 0.008735 * _BANDS_UM**-4.08 + haze * _BANDS_UM**-1.3
    rgb = blackbody_rgb(SUN_SURFACE_K) * np.exp(-depth * air_mass(elevation_deg))
    x, y, z = np.linalg.solve(XYZ_TO_SRGB, rgb)
    n = (x / (x + y + z) - 0.3320) / (0.1858 - y / (x + y + z))
    return float(449.0 * n**3 + 3525.0 * n**2 + 6823.3 * n + 5520.33)


def sun_direction(elevation_deg: float, azimuth_deg: float) -> tuple[float, float, float]:
    """Return the unit vector towards the sun; azimuth is counter-clockwise from +x.

    >>> tuple(round(v, 3) for v in sun_direction(30.0, 90.0))
    (0.0, 0.866, 0.5)
    """
    elevation, azimuth = math.radians(elevation_deg), math.radians(azimuth_deg)
    level = math.cos(elevation)
    return level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)


@dataclass(frozen=True)
class SkyDraw:
    """What a sky looks like, apart from where the sun stands."""

    elevation_deg: float
    azimuth_deg: float
    turbidity: float  # of the Hosek-Wilkie sky, 2 = clear, 4 = hazy
    cloud_cover: float  # 0 = none, 1 = overcast
    cloud_shift: tuple[float, float, float]  # which part of the clouds' pattern


@dataclass
class SunAndSky:
    """The sun and its sky in Blender, as `render.scene.Sun` asks for."""

    lamp: Any
    elevation_deg: float  # as drawn
    azimuth_deg: float  # as drawn
    turbidity: float
    sky: Any  # Sky Texture node
    light: Any  # Background node
    cloud: Any  # socket: colour of the clouds, in the sky node's units

    def move(self, elevation_deg: float, azimuth_deg: float) -> float:
        """Put the sun there and change the sky with it; returns the sunlight's kelvin.

        Raises:
            ValueError: the sun would stand outside 2 to 85 degrees above the horizon.
        """
        if not LOWEST_DEG <= elevation_deg <= HIGHEST_DEG:
            msg = (
                f"sun elevation {elevation_deg:g} deg: must lie within "
                f"{LOWEST_DEG:g} to {HIGHEST_DEG:g}"
            )
            raise ValueError(msg)
        towards = sun_direction(elevation_deg, azimuth_deg)
        cct_k = sun_cct_k(elevation_deg, self.turbidity)
        self.lamp.rotation_euler = Vector(towards).to_track_quat("Z", "Y").to_euler()
        self.lamp.data.energy = sun_irradiance_w_m2(elevation_deg) / LIGHT_UNIT_W_M2
        node_irradiance = _node_irradiance(elevation_deg, self.turbidity)
        self.sky.sun_direction = towards
        self.light.inputs["Strength"].default_value = (
            sky_irradiance_w_m2(elevation_deg) / LIGHT_UNIT_W_M2 / node_irradiance
        )
        grey = CLOUD_OVER_SKY * node_irradiance / math.pi
        self.cloud.default_value = (*(_cloud_rgb(cct_k) * grey), 1.0)
        return cct_k


def add_sun_and_sky(scene: Any, drawn: SkyDraw) -> SunAndSky:
    """Add a sun lamp and a sky, each in its light group, and put them in their place."""
    data = bpy.data.lights.new(SUN_GROUP, "SUN")
    data.color = (1.0, 1.0, 1.0)  # coloured afterwards, by its kelvin
    data.angle = math.radians(SUN_ANGLE_DEG)
    lamp = bpy.data.objects.new(SUN_GROUP, data)
    scene.collection.objects.link(lamp)
    world = bpy.data.worlds.new(SKY_GROUP)
    enable_nodes(world)
    sky, light, cloud = _sky_nodes(NodeGraph(world.node_tree), drawn)
    world.cycles.sampling_method = "MANUAL"
    world.cycles.sample_map_resolution = _WORLD_MAP_PX
    scene.world = world
    for owner, group in ((lamp, SUN_GROUP), (world, SKY_GROUP)):
        scene.view_layers[0].lightgroups.add(name=group)
        owner.lightgroup = group
    both = SunAndSky(
        lamp, drawn.elevation_deg, drawn.azimuth_deg, drawn.turbidity, sky, light, cloud
    )
    both.move(drawn.elevation_deg, drawn.azimuth_deg)
    return both


def _sky_nodes(graph: NodeGraph, drawn: SkyDraw) -> tuple[Any, Any, Any]:
    """Build a clear sky with fair-weather clouds; returns sky, background, cloud colour."""
    sky = graph.node("ShaderNodeTexSky", {}, sky_type="HOSEK_WILKIE")
    sky.turbidity, sky.ground_albedo = drawn.turbidity, GROUND_ALBEDO
    view = graph.node("ShaderNodeTexCoord", {}).outputs["Generated"]
    up = graph.axis(view, "Z")
    # The direction cut with a level plane: clouds crowd towards the horizon.
    plane = graph.scaled(view, graph.math("DIVIDE", 1.0, graph.math("MAXIMUM", up, 0.04)))
    place = graph.vector("ADD", graph.vector("MULTIPLY", plane, (1.0, 1.0, 0.0)), drawn.cloud_shift)
    puffs = graph.noise(place, 0.75, detail=6.0, distortion=0.25)
    edge = 0.72 - 0.42 * drawn.cloud_cover
    cover = graph.step(puffs, edge, edge + 0.2)
    cover = graph.math("MULTIPLY", cover, graph.step(up, 0.0, 0.12))  # haze hides the last ones
    if drawn.cloud_cover == 0.0:
        cover = 0.0
    cloud = graph.node("ShaderNodeRGB", {}).outputs["Color"]
    clear = graph.scaled(sky.outputs["Color"], graph.math("SUBTRACT", 1.0, cover))
    colour = graph.vector("ADD", clear, graph.scaled(cloud, cover))
    light = graph.node("ShaderNodeBackground", {"Color": colour})
    graph.node("ShaderNodeOutputWorld", {"Surface": light.outputs["Background"]})
    return sky, light, cloud


def _cloud_rgb(cct_k: float) -> NDArray[np.float64]:
    """Return a cloud's colour: half the sun's, half the sky's, luminance 1."""
    rgb = 0.5 * blackbody_rgb(cct_k) + 0.5 * blackbody_rgb(9000.0)
    colour: NDArray[np.float64] = rgb / (rgb @ np.array(REC709_LUMINANCE))
    return colour


def _node_irradiance(elevation_deg: float, turbidity: float) -> float:
    """Return the node's luminous irradiance on a level surface, between the measured points."""
    rows = [np.interp(elevation_deg, _ELEVATIONS_DEG, row) for row in _NODE_IRRADIANCE]
    return float(np.interp(turbidity, _TURBIDITIES, rows))
