"""What the main object is made of, and the shape its mesh takes."""

from types import MappingProxyType

from cat_dataset.attributes.attribute import FrameCost
from cat_dataset.attributes.kinds import WITH_MATERIALS, WITH_SHAPES, degrees, percent

ROUGHNESS = percent(
    "roughness",
    "roughness of the main object",
    60.0,
    2.0,
    "rougher, duller highlights",
    lowest=5.0,  # smoother highlights are smaller than a pixel and cannot be told apart
    role="object",
    families=WITH_MATERIALS,
    frame_cost=FrameCost(0.5),
    phrases=(
        (
            "Make the {subject} rougher: roughness {target} instead of {source}.",
            "Raise the roughness of the {subject} by {amount}.",
        ),
        (
            "Make the {subject} glossier: roughness {target} instead of {source}.",
            "Lower the roughness of the {subject} by {amount}.",
        ),
    ),
)
METALLIC = percent(
    "metallic",
    "metalness of the main object",
    100.0,
    2.0,
    "more like metal",
    role="object",
    families=WITH_MATERIALS,
    frame_cost=FrameCost(0.05),
    phrases=(
        (
            "Make the {subject} more metallic: {target} instead of {source}.",
            "Raise the metalness of the {subject} by {amount}.",
        ),
        (
            "Make the {subject} less metallic: {target} instead of {source}.",
            "Lower the metalness of the {subject} by {amount}.",
        ),
    ),
)
TRANSMISSION = percent(
    "transmission",
    "transparency of the main object",
    100.0,
    2.0,
    "more like glass",
    role="object",
    families=WITH_MATERIALS,
    frame_cost=FrameCost(0.05, MappingProxyType({"tabletop": 1.5})),
    phrases=(
        (
            "Make the {subject} more transparent: {target} instead of {source}.",
            "Raise the transmission of the {subject} by {amount}.",
        ),
        (
            "Make the {subject} more opaque: transmission {target} instead of {source}.",
            "Lower the transmission of the {subject} by {amount}.",
        ),
    ),
)
BASE_HUE = degrees(
    "base_hue",
    "hue of the main object",
    120.0,
    "round the colour circle from red over yellow to green",
    (-360.0, 360.0),
    is_circular=True,
    tolerance=1.0,
    role="object",
    families=WITH_MATERIALS,
    frame_cost=FrameCost(0.05),
    phrases=(
        (
            "Shift the hue of the {subject} by {signed} degrees.",
            "Turn the colour of the {subject} {amount} round the colour circle.",
        ),
        (
            "Shift the hue of the {subject} by {signed} degrees.",
            "Turn the colour of the {subject} {amount} backwards round the colour circle.",
        ),
    ),
)
BASE_SATURATION = percent(
    "base_saturation",
    "saturation of the main object",
    60.0,
    2.0,
    "purer colour",
    role="object",
    families=WITH_MATERIALS,
    frame_cost=FrameCost(0.05),
    phrases=(
        (
            "Make the colour of the {subject} purer: saturation {target} instead of {source}.",
            "Raise the saturation of the {subject} by {amount}.",
        ),
        (
            "Make the colour of the {subject} paler: saturation {target} instead of {source}.",
            "Lower the saturation of the {subject} by {amount}.",
        ),
    ),
)
SHAPE_KEY = percent(
    "shape_key",
    "expression or shape",
    100.0,
    1.0,
    "more of the named shape",
    is_keyed_by_subject=True,
    resting_value=0.0,
    role="object",
    families=WITH_SHAPES,
    frame_cost=FrameCost(0.2),
    phrases=(
        (
            "Set {subject} to {target} (it was {source}).",
            "More {subject}: {amount}.",
            "{subject}: from {source} to {target}.",
        ),
        (
            "Set {subject} to {target} (it was {source}).",
            "Less {subject}: {amount}.",
            "{subject}: from {source} to {target}.",
        ),
    ),
)
MATERIAL = (ROUGHNESS, METALLIC, TRANSMISSION, BASE_HUE, BASE_SATURATION)
SHAPE = (SHAPE_KEY,)
