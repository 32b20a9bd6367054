"""Put every emitter of a scene that somebody else made into a light group.

Each lamp gets a group of its own, the strongest first; glowing surfaces share "emission", the
world is "ambient". Lamps are made white where they can be, and coloured again afterwards.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bpy
from mathutils import Vector

from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K, MAX_CCT_K, MIN_CCT_K
from cat_dataset.records import LightGroup
from render.assets.shader_walk import gives_light, has_own_strength, is_coloured
from render.scene import AMBIENT_GROUP, EMISSION_GROUP

OTHER_LAMPS_GROUP = "lamps"
MAX_LAMP_GROUPS = 12  # each costs memory and denoising time; the weakest lamps share one
# Taken by groups, or by what linear_store puts beside them into one file.
_RESERVED = {
    *(AMBIENT_GROUP, EMISSION_GROUP, OTHER_LAMPS_GROUP),
    *("clipped", "mask", "depth", "normal", "noise"),
}
_MAX_NAME = 40  # Blender cuts names of passes at 63 characters
_WHITE_SPREAD = 1e-3  # between the channels of a lamp's colour


@dataclass(frozen=True)
class Emitters:
    """The light groups of a scene, and what was changed to make them."""

    groups: tuple[LightGroup, ...]  # lamps by irradiance at the main object, emission, ambient
    hidden: tuple[LightGroup, ...]  # groups that seem to give nothing; a render may show otherwise
    lamp_names: frozenset[str]  # groups of one lamp each
    notes: tuple[str, ...]


def group_emitters(scene: Any, objects: Sequence[Any], target_m: Vector) -> Emitters:
    """Give each emitter of a scene (mutated) its light group.

    `objects` are the rendered ones, `target_m` is where the main object stands.
    """
    layer = scene.view_layers[0]
    notes = _clear_groups(layer)
    layer.lightgroups.add(name=EMISSION_GROUP)
    layer.lightgroups.add(name=OTHER_LAMPS_GROUP)
    for obj in bpy.data.objects:  # also what is instanced in ways that nobody can foresee
        obj.lightgroup = OTHER_LAMPS_GROUP if obj.type == "LIGHT" else EMISSION_GROUP
    lamps = [obj for obj in objects if obj.type == "LIGHT" and _is_lit(obj.data)]
    lamps.sort(key=lambda lamp: (-irradiance_w_m2(lamp, target_m), lamp.name_full))
    own = lamps[:MAX_LAMP_GROUPS]
    groups = _lamp_groups(layer, own)
    others = [OTHER_LAMPS_GROUP] if len(lamps) > len(own) else []
    glowing = [EMISSION_GROUP] if any(glows(obj) for obj in objects) else []
    coloured = [LightGroup(name, "lamp", None) for name in (*others, *glowing)]
    hidden = [
        LightGroup(name, "lamp", None)
        for name in (OTHER_LAMPS_GROUP, EMISSION_GROUP)
        if name not in (*others, *glowing)
    ]
    return Emitters(
        groups=(*groups, *coloured, *_ambient(scene)),
        hidden=tuple(hidden),
        lamp_names=frozenset(group.name for group in groups),
        notes=tuple(notes),
    )


def _is_lit(data: Any) -> bool:
    is_portal = data.type == "AREA" and data.cycles.is_portal  # guides sampling, gives nothing
    return data.energy > 0.0 and max(data.color) > 0.0 and not is_portal


def _clear_groups(layer: Any) -> list[str]:
    """Remove the light groups of a view layer (mutated)."""
    names = [group.name for group in layer.lightgroups]
    for name in names:
        layer.lightgroups.remove(layer.lightgroups[name])
    return [f"light_groups: {len(names)} replaced"] if names else []


def _lamp_groups(layer: Any, lamps: Sequence[Any]) -> list[LightGroup]:
    white: dict[str, LightGroup] = {}  # by settings, which lamps may share
    groups: list[LightGroup] = []
    for lamp in lamps:
        settings = lamp.data.name_full
        if settings not in white:
            white[settings] = LightGroup("", "lamp", *_whitened(lamp.data))
        name = group_name(lamp.name, {group.name for group in groups} | _RESERVED)
        layer.lightgroups.add(name=name)
        lamp.lightgroup = name
        groups.append(replace(white[settings], name=name))
    return groups


def group_name(name: str, taken: Iterable[str]) -> str:
    """Return a name of [a-z0-9_] for a light group that is not taken.

    >>> group_name("Key Light.001", {"key_light_001"})
    'key_light_001_2'
    """
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_MAX_NAME] or "lamp"
    number, unique = 2, slug
    while unique in taken:
        number, unique = number + 1, f"{slug}_{number}"
    return unique


def _whitened(data: Any) -> tuple[float | None, float | None]:
    """Make a lamp (mutated) white where its light is; return (kelvin, radiant watts) or Nones.

    A tinted lamp, or one coloured by nodes, keeps its colour and has no temperature.
    """
    cct_k: float | None = DAYLIGHT_CCT_K
    if data.use_temperature:
        cct_k = float(data.temperature)
        if not MIN_CCT_K <= cct_k <= MAX_CCT_K:
            tint = zip(data.color, data.temperature_color, strict=True)
            data.color = [own * black_body for own, black_body in tint]
            cct_k = None
        data.use_temperature = False
    power_w = _power_w(data)
    if max(data.color) - min(data.color) > _WHITE_SPREAD or is_coloured(data):
        return None, power_w
    data.energy *= data.color[1]  # a grey lamp is a weak white one
    data.color = (1.0, 1.0, 1.0)
    return cct_k, _power_w(data)


def _power_w(data: Any) -> float | None:
    """Return a lamp's radiant watts, or None where its energy is something else."""
    if data.type == "SUN" or not data.normalize or has_own_strength(data):
        return None
    return float(data.energy * 2.0**data.exposure)


def irradiance_w_m2(lamp: Any, target_m: Vector) -> float:
    """Return what a lamp would give at a point in the open, facing it: how lamps are ranked.

    Source: a sun's energy is its irradiance; a point or spot lamp of power P gives
    P / (4 pi d**2), an area lamp P / (pi d**2) on its axis. Shadows and cones are left out.
    """
    energy = float(lamp.data.energy * 2.0**lamp.data.exposure)
    if lamp.data.type == "SUN":
        return energy
    distance_m = float(max((lamp.matrix_world.translation - target_m).length, 0.01))
    return energy / ((1.0 if lamp.data.type == "AREA" else 4.0) * math.pi * distance_m**2)


def glows(obj: Any) -> bool:
    """Return whether a material of an object gives light."""
    materials = (slot.material for slot in getattr(obj, "material_slots", ()))
    return any(gives_light(material) for material in materials if material is not None)


def _ambient(scene: Any) -> list[LightGroup]:
    """Put the world (mutated) into its group; returns the group, or nothing for a black world."""
    scene.view_layers[0].lightgroups.add(name=AMBIENT_GROUP)
    if scene.world is None:
        return []
    scene.world.lightgroup = AMBIENT_GROUP
    return [LightGroup(AMBIENT_GROUP, "ambient", None)] if gives_light(scene.world) else []


def join_emission(scene: Any, obj: Any) -> list[LightGroup]:
    """Put an object (mutated) into the group "emission" where it glows; returns the group."""
    if not glows(obj):
        return []
    scene.view_layers[0].lightgroups.add(name=EMISSION_GROUP)
    obj.lightgroup = EMISSION_GROUP
    return [LightGroup(EMISSION_GROUP, "lamp", None)]
