"""What stands in the open air: the sun and the fog."""

import math
from types import MappingProxyType

from cat_dataset.attributes.attribute import FrameCost
from cat_dataset.attributes.kinds import OUTDOORS, RATIO, degrees, log2_ratio
from cat_dataset.imaging.photometry import extinction_per_m, visibility_m

SUN_ELEVATION = degrees(
    "sun_elevation",
    "height of the sun",
    30.0,
    "sun higher",
    (2.0, 85.0),
    is_circular=False,
    role="scene",
    families=OUTDOORS,
    frame_cost=FrameCost(0.3),
    phrases=(
        ("Raise the sun from {source} to {target}.", "Put the sun {amount} higher."),
        ("Lower the sun from {source} to {target}.", "Put the sun {amount} lower."),
    ),
)
SUN_AZIMUTH = degrees(
    "sun_azimuth",
    "direction of the sun",
    90.0,
    "sun moves counter-clockwise seen from above",
    (-360.0, 360.0),
    is_circular=True,
    turns_in_mirror=True,
    role="scene",
    families=OUTDOORS,
    hit_tolerance=5.0,
    frame_cost=FrameCost(0.3),
    phrases=(
        (
            "Move the sun {amount} counter-clockwise, seen from above.",
            "Turn the sunlight by {signed} degrees about the vertical.",
        ),
        (
            "Move the sun {amount} clockwise, seen from above.",
            "Turn the sunlight by {signed} degrees about the vertical.",
        ),
    ),
)
FOG_DENSITY = log2_ratio(
    "fog_density",
    "density of the fog",
    10.0,
    3.0,
    RATIO,
    tolerance=0.06,
    positive="denser fog, shorter visibility in the target",
    absolute_unit="m",
    absolute_range=(2.0, 100000.0),  # visibility
    role="scene",
    families=OUTDOORS,
    to_axis=lambda visibility: math.log2(extinction_per_m(visibility)),
    from_axis=lambda position: visibility_m(math.exp2(position)),
    frame_cost=FrameCost(2.0, MappingProxyType({"outdoor": 1.4})),
    phrases=(
        (
            "Thicken the fog: visibility {target} instead of {source}.",
            "Make the fog {factor}x denser.",
        ),
        (
            "Thin the fog: visibility {target} instead of {source}.",
            "Make the fog {factor}x thinner.",
        ),
    ),
)
SUN_AND_FOG = (SUN_ELEVATION, SUN_AZIMUTH, FOG_DENSITY)
