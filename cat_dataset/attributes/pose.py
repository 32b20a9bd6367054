"""Where things stand: the main object, and the camera that orbits it."""

from types import MappingProxyType

from cat_dataset.attributes.attribute import Attribute, FrameCost
from cat_dataset.attributes.kinds import DISTANCE, LENGTH, SIZE, degrees, log2_ratio

OBJECT_ROTATION = degrees(
    "object_rotation",
    "rotation of the main object",
    90.0,
    "counter-clockwise seen from above, about the object's own vertical axis",
    (-360.0, 360.0),
    is_circular=True,
    turns_in_mirror=True,
    role="object",
    hit_tolerance=5.0,
    frame_cost=FrameCost(0.03),
    phrases=(
        (
            "Rotate the {subject} by {amount} counter-clockwise, seen from above.",
            "Turn the {subject} {amount} counter-clockwise.",
            "Rotate the {subject} by {signed} degrees about its vertical axis.",
        ),
        (
            "Rotate the {subject} by {amount} clockwise, seen from above.",
            "Turn the {subject} {amount} clockwise.",
            "Rotate the {subject} by {signed} degrees about its vertical axis.",
        ),
    ),
)
OBJECT_TRANSLATION = Attribute(
    name="object_translation",
    label="place of the main object",
    unit="cm",
    unit_words=("cm", "cm"),
    value_range=(-500.0, 500.0),
    default_range=(-15.0, 15.0),
    tolerance=0.1,
    positive="to the right as the camera sees it, level",
    absolute_unit="cm",
    absolute_range=(-500.0, 500.0),
    role="object",
    turns_in_mirror=True,
    spellings=MappingProxyType(dict(LENGTH)),
    frame_cost=FrameCost(0.03),
    phrases=(
        (
            "Move the {subject} {amount} to the right.",
            "Shift the {subject} by {amount} to the right, as the camera sees it.",
        ),
        (
            "Move the {subject} {amount} to the left.",
            "Shift the {subject} by {amount} to the left, as the camera sees it.",
        ),
    ),
)
OBJECT_SCALE = log2_ratio(
    "object_scale",
    "size of the main object",
    2.0,
    0.6,
    SIZE,
    tolerance=0.007,
    positive="larger in the target, grown from its base",
    absolute_unit="%",
    absolute_range=(10.0, 1000.0),
    role="object",
    hit_tolerance=0.07,  # 5 % of a ratio
    frame_cost=FrameCost(0.03),
    phrases=(
        (
            "Enlarge the {subject} to {relative} of its size.",
            "Make the {subject} larger: {relative}.",
            "Scale the {subject} up to {relative}, standing where it stands.",
        ),
        (
            "Shrink the {subject} to {relative} of its size.",
            "Make the {subject} smaller: {relative}.",
            "Scale the {subject} down to {relative}, standing where it stands.",
        ),
    ),
)
CAMERA_AZIMUTH = degrees(
    "camera_azimuth",
    "orbit of the camera",
    30.0,
    "camera moves counter-clockwise seen from above, around the point it looks at",
    (-360.0, 360.0),
    is_circular=True,
    turns_in_mirror=True,
    role="scene",
    frame_cost=FrameCost(0.2),
    phrases=(
        (
            "Orbit the camera {amount} to its right.",
            "Move the camera {amount} counter-clockwise around the {subject}.",
        ),
        (
            "Orbit the camera {amount} to its left.",
            "Move the camera {amount} clockwise around the {subject}.",
        ),
    ),
)
CAMERA_ELEVATION = degrees(
    "camera_elevation",
    "height angle of the camera",
    20.0,
    "camera moves up around the point it looks at",
    (-89.0, 89.0),
    is_circular=False,
    role="scene",
    frame_cost=FrameCost(0.2),
    phrases=(
        ("Raise the camera by {amount}.", "Look from {amount} higher up."),
        ("Lower the camera by {amount}.", "Look from {amount} lower down."),
    ),
)
CAMERA_DISTANCE = log2_ratio(
    "camera_distance",
    "distance of the camera",
    3.0,
    0.7,
    DISTANCE,
    tolerance=0.007,
    positive="camera farther from the point it looks at, subject smaller in the target",
    absolute_unit="m",
    absolute_range=(0.05, 1000.0),
    role="scene",
    hit_tolerance=0.07,  # 5 % of a ratio
    frame_cost=FrameCost(0.2),
    phrases=(
        (
            "Move the camera {factor}x farther away.",
            "Step back: from {source} to {target}.",
            "View the {subject} from {target} instead of {source}.",
        ),
        (
            "Move the camera {factor}x closer.",
            "Step closer: from {source} to {target}.",
            "View the {subject} from {target} instead of {source}.",
        ),
    ),
)
POSE = (
    OBJECT_ROTATION,
    OBJECT_TRANSLATION,
    OBJECT_SCALE,
    CAMERA_AZIMUTH,
    CAMERA_ELEVATION,
    CAMERA_DISTANCE,
)
