"""Measured costs of rendered scenes, for `estimates`; printed by `benchmarks/costs.py`.

What the frames of one attribute cost stands in the attribute, see `FrameCost`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class FamilyCost:
    """What a scene of a family costs on the reference core."""

    build_s: float
    sync_s: float  # of every render, whatever its size
    us_per_sample: float  # microseconds per pixel and sample
    num_groups: int


START_S = 2.5  # of a worker: Python, Blender, the first scene's shaders
SCENES_PER_WORKER = 500  # see supervise.WorkerLimits
REFERENCE_SIDE_PX = 512
DENOISE_US_PER_PX = 2.3  # of one image, guides included
COMPOSE_US_PER_PX = 0.3  # of one pair, encoding included
LINEAR_BYTES_PER_PX = 3.0  # of one light group or frame
FAMILY_COSTS: Mapping[str, FamilyCost] = MappingProxyType(
    {
        "tabletop": FamilyCost(0.2, 0.1, 3.8, 3),
        "interior": FamilyCost(0.5, 0.3, 5.6, 3),
        "outdoor": FamilyCost(0.6, 0.6, 6.8, 2),
        "head": FamilyCost(1.2, 0.4, 2.3, 4),
    }
)
# At the reference size; a grainy lawn compresses worse than a wall.
PICTURE_BYTES_PER_PX: Mapping[str, float] = MappingProxyType(
    {"tabletop": 1.15, "interior": 1.15, "outdoor": 1.75, "head": 1.3}
)
# Share of candidates that pass the checks; what is not listed passes always.
ACCEPTED_SHARE: Mapping[tuple[str, str], float] = MappingProxyType({})
