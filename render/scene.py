"""A built scene: Blender's objects and the handles by which an edit moves them.

Every family of scenes builds one of these; sweeps, light bases and probes depend on no family.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cat_dataset.records import LightGroup, Split

CIRCLE_OF_CONFUSION_MM = 0.03  # what still counts as sharp on full frame
SENSOR_LONG_SIDE_MM = 36.0
AMBIENT_GROUP = "ambient"  # light group of the world, or of what takes its place indoors
EMISSION_GROUP = "emission"  # glowing surfaces of a user's scene, which are no lamp to turn up


@dataclass(frozen=True)
class CameraPose:
    """A full-frame camera and its settings."""

    position_m: tuple[float, float, float]
    look_at_m: tuple[float, float, float]
    focal_length_mm: float
    f_number: float
    focus_distance_m: float  # along the view axis

    @property
    def distance_m(self) -> float:
        """From the camera to the point it looks at."""
        return math.dist(self.position_m, self.look_at_m)

    @property
    def elevation_deg(self) -> float:
        """Of the camera above the point it looks at."""
        return math.degrees(math.asin((self.position_m[2] - self.look_at_m[2]) / self.distance_m))

    @property
    def frame_width_rad(self) -> float:
        """Longer side of the frame at one metre, in metres."""
        return SENSOR_LONG_SIDE_MM / self.focal_length_mm


class Sun(Protocol):
    """Sun and sky of an outdoor scene, which move together."""

    lamp: Any  # SUN lamp object, in a light group of its own
    elevation_deg: float  # as drawn, above the horizon
    azimuth_deg: float  # as drawn, counter-clockwise from +x seen from above

    def move(self, elevation_deg: float, azimuth_deg: float) -> float:
        """Put the sun there and change the sky with it; returns the sunlight's kelvin."""


@dataclass(frozen=True)
class Fog:
    """A homogeneous medium that fills a scene; clear air is left out of the render until set."""

    box: Any  # object that holds the medium
    density: Any  # socket of its volume shader; takes this much of the light per metre
    extinction_per_m: float  # as drawn
    is_shown: bool  # as drawn

    def set(self, extinction_per_m: float) -> None:
        """Render with that much fog from now on."""
        self.density.default_value = extinction_per_m
        self.box.hide_render = False

    def reset(self) -> None:
        """Put the fog back as drawn; an `is_shown` of False leaves it out of the render."""
        self.density.default_value = self.extinction_per_m
        self.box.hide_render = not self.is_shown


@dataclass(frozen=True)
class BuiltScene:
    """A scene in Blender; its references die at the next reset.

    The main object stands on its own origin, which is in its base, so that it turns about its
    vertical axis and grows from the ground.
    """

    scene: Any
    main_object: Any  # what object_*, material and shape_key edits act on
    main_name: str  # what a person calls it, such as "teapot"
    render_camera: Any
    camera: CameraPose  # as drawn
    groups: tuple[LightGroup, ...]  # every emitter; the first one is the main lamp
    wb_cct_k: float  # what the camera is set to
    facts: Mapping[str, Any]  # what was drawn, as plain JSON values
    sun: Sun | None = None
    fog: Fog | None = None
    shape_keys: tuple[str, ...] = field(default=())  # of the main object, by what they show
    edited_shape_key: str | None = None  # the one that a sweep moves

    @property
    def main_lamp(self) -> str | None:
        """The light group that lamp edits act on; None where nothing but surroundings shines."""
        first = self.groups[0]
        return first.name if first.kind == "lamp" and first.name != EMISSION_GROUP else None

    def with_lamp_cct(self, name: str, cct_k: float) -> "BuiltScene":
        """Return the scene with one light group's colour temperature changed."""
        groups = tuple(
            replace(group, cct_k=cct_k) if group.name == name else group for group in self.groups
        )
        return replace(self, groups=groups)


@dataclass(frozen=True)
class SceneContext:
    """What all pictures of one scene share."""

    scene: str
    split: Split
    origin: Mapping[str, Any]
    denoise: bool
    annotate: bool  # every frame, not only those in which an object is edited
