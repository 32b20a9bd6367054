"""Measured costs of rendered scenes, for `estimates`; printed by `benchmarks/costs.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class FamilyCost:
    """What a scene of a family costs on the reference core."""

    build_s: float
    sync_s: float  # of every render, whatever its size
    us_per_sample: float  # microseconds per pixel and sample
    num_groups: int
    slower: Mapping[str, float] = field(default_factory=dict)  # frames of an attribute


REFERENCE_SIDE_PX = 256
DENOISE_US_PER_PX = 1.0  # of one image
COMPOSE_US_PER_PX = 0.35  # of one pair, encoding included
LINEAR_BYTES_PER_PX = 3.0  # of one light group or frame
FAMILY_COSTS: Mapping[str, FamilyCost] = MappingProxyType(
    {
        "tabletop": FamilyCost(0.2, 0.2, 3.5, 3),
        "interior": FamilyCost(0.4, 0.3, 6.1, 3),
        "outdoor": FamilyCost(0.5, 0.6, 6.5, 2),
        "head": FamilyCost(1.1, 0.4, 2.0, 4),
    }
)
PICTURE_BYTES_PER_PX: Mapping[str, float] = MappingProxyType(
    {"tabletop": 1.1, "interior": 1.2, "outdoor": 1.6, "head": 0.9}
)
INSTRUMENT_S: Mapping[str, float] = MappingProxyType(
    {
        "aperture": 0.3,
        "focal_length": 0.3,
        "focus_distance": 0.4,
        "shutter_blur": 0.4,
        "object_rotation": 0.1,
        "object_translation": 0.1,
        "object_scale": 0.1,
        "camera_azimuth": 0.3,
        "camera_elevation": 0.3,
        "camera_distance": 0.3,
        "roughness": 0.2,
        "metallic": 0.2,
        "transmission": 0.2,
        "base_hue": 0.2,
        "base_saturation": 0.2,
        "sun_elevation": 0.1,
        "sun_azimuth": 0.1,
        "fog_density": 2.0,
        "shape_key": 0.2,
    }
)
# Share of drafts that pass the gates; what is not listed passes always.
ACCEPTED_SHARE: Mapping[tuple[str, str], float] = MappingProxyType({})
