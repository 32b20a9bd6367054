"""What the lens, the shutter and the sensor do at equal brightness.

EXIF tags: Exif 2.32 (CIPA DC-008), sections 4.5.2 and 4.6.
"""

import math
from types import MappingProxyType

from cat_dataset.attributes.attribute import Attribute, FrameCost, identity
from cat_dataset.attributes.kinds import DIOPTRES, RATIO, STOPS, log2_ratio
from cat_dataset.imaging.photometry import aperture_stops, dioptres, f_number_from_stops

APERTURE = Attribute(
    name="aperture",
    label="aperture",
    unit="stops",
    unit_words=("stop", "stops"),
    value_range=(-10.0, 10.0),
    default_range=(-6.0, 6.0),
    tolerance=0.05,
    positive="larger f-number, deeper focus in the target; brightness is held",
    absolute_unit="f-number",
    absolute_range=(0.7, 64.0),
    role="scene",
    to_axis=aperture_stops,
    from_axis=f_number_from_stops,
    spellings=MappingProxyType({"stop": identity, "stops": identity}),
    aliases=("f_number",),
    exif_tags=(0x829D,),  # FNumber
    hit_tolerance=1 / 3,
    frame_cost=FrameCost(0.5),
    is_captured=True,
    phrases=(
        (
            "Stop down from {source} to {target}.",
            "Close the aperture to {target} (it was {source}), same brightness.",
            "More depth of field: {target} instead of {source}.",
        ),
        (
            "Open up from {source} to {target}.",
            "Open the aperture to {target} (it was {source}), same brightness.",
            "Less depth of field: {target} instead of {source}.",
        ),
    ),
)
FOCAL_LENGTH = log2_ratio(
    "focal_length",
    "focal length",
    3.0,
    1.0,
    RATIO,
    tolerance=0.007,  # 0.5 % of magnification
    positive="longer lens, subject larger in the target; camera does not move",
    absolute_unit="mm",
    absolute_range=(8.0, 800.0),
    role="scene",
    aliases=("zoom",),
    # FocalLength; FocalLengthIn35mmFilm, as on the 36 mm sensor of the renders, counts more
    exif_tags=(0x920A, 0xA405),
    hit_tolerance=0.07,  # 5 % of a ratio
    frame_cost=FrameCost(0.15),
    is_captured=True,
    phrases=(
        (
            "Zoom in from {source} to {target}.",
            "Use a longer lens: {target} instead of {source}, same camera position.",
            "Set the focal length to {target}.",
        ),
        (
            "Zoom out from {source} to {target}.",
            "Use a shorter lens: {target} instead of {source}, same camera position.",
            "Set the focal length to {target}.",
        ),
    ),
)
FOCUS_DISTANCE = Attribute(
    name="focus_distance",
    label="focus distance",
    unit="dioptres",
    unit_words=("dioptre", "dioptres"),
    value_range=(-10.0, 10.0),
    default_range=(-1.0, 1.0),
    tolerance=0.04,
    positive="focused nearer in the target",
    absolute_unit="m",
    absolute_range=(0.05, 1000.0),
    role="scene",
    to_axis=dioptres,
    from_axis=dioptres,  # its own inverse
    spellings=MappingProxyType(dict(DIOPTRES)),
    aliases=("focus",),
    exif_tags=(0x9206,),  # SubjectDistance
    frame_cost=FrameCost(0.8),
    is_captured=True,
    phrases=(
        (
            "Focus nearer: at {target} instead of {source}.",
            "Move the focus from {source} to {target}.",
            "Pull the focus {amount} closer.",
        ),
        (
            "Focus farther away: at {target} instead of {source}.",
            "Move the focus from {source} to {target}.",
            "Push the focus {amount} farther.",
        ),
    ),
)
SHUTTER_BLUR = log2_ratio(
    "shutter_blur",
    "exposure time of a moving object",
    8.0,
    3.0,
    RATIO,
    tolerance=0.06,
    positive="longer exposure time, longer motion blur in the target; brightness is held",
    absolute_unit="s",
    absolute_range=(1e-5, 60.0),
    role="object",
    aliases=("shutter",),
    exif_tags=(0x829A,),  # ExposureTime
    frame_cost=FrameCost(0.8),
    is_captured=True,
    phrases=(
        (
            "Expose the moving {subject} for {target} instead of {source}, same brightness.",
            "More motion blur: shutter {target} (it was {source}).",
            "Lengthen the exposure time by {amount}.",
        ),
        (
            "Expose the moving {subject} for {target} instead of {source}, same brightness.",
            "Less motion blur: shutter {target} (it was {source}).",
            "Shorten the exposure time by {amount}.",
        ),
    ),
)
ISO_NOISE = Attribute(
    name="iso_noise",
    label="ISO at equal exposure",
    unit="stops",
    unit_words=("stop", "stops"),
    value_range=(-10.0, 10.0),
    default_range=(-4.0, 4.0),
    tolerance=0.5,  # of measured noise: what a sensor reads out adds to what light gives
    positive="higher ISO and less light, noisier in the target; brightness is held",
    absolute_unit="ISO",
    absolute_range=(25.0, 4e6),
    role="scene",
    families=frozenset(),  # a render has no sensor
    to_axis=math.log2,
    from_axis=math.exp2,
    spellings=MappingProxyType(dict(STOPS)),
    aliases=("iso",),
    exif_tags=(0x8827,),  # ISOSpeedRatings
    is_captured=True,
    phrases=(
        (
            "Take this at {target} instead of {source}, same brightness.",
            "More sensor noise: {target} (it was {source}).",
            "Make it {amount} noisier, as a higher ISO would.",
        ),
        (
            "Take this at {target} instead of {source}, same brightness.",
            "Less sensor noise: {target} (it was {source}).",
            "Make it {amount} less noisy, as a lower ISO would.",
        ),
    ),
)
LENS = (APERTURE, FOCAL_LENGTH, FOCUS_DISTANCE, SHUTTER_BLUR, ISO_NOISE)
