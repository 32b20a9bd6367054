"""A built scene: Blender's objects and the handles by which an edit moves them.

Every family of scenes builds one of these; sweeps, light bases and instruments know no family.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cat_dataset.records import LightGroup
from render.layout import CameraPose


class Sun(Protocol):
    """Sun and sky of an outdoor scene, which move together."""

    lamp: Any  # SUN lamp object, in a light group of its own
    elevation_deg: float  # as drawn, above the horizon
    azimuth_deg: float  # as drawn, counter-clockwise from +x seen from above

    def move(self, elevation_deg: float, azimuth_deg: float) -> float:
        """Put the sun there and change the sky with it; returns the sunlight's kelvin."""


@dataclass(frozen=True)
class Fog:
    """A homogeneous medium that fills a scene."""

    density: Any  # socket of its volume shader; scatters and absorbs this much per metre
    extinction_per_m: float  # as drawn


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
