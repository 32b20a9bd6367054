"""The table of attributes: names, units, ranges, tolerances, what positive means.

Source of the ranges: what a render or a camera can show; of the tolerances: 0.5 % of a geometric
ratio, half a degree, 2 % of the axis where a probe picture is read. Rows of the same kind are made
by `attribute_kinds`.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from cat_dataset.attributes.attribute import Attribute, identity
from cat_dataset.attributes.kinds import (
    DIOPTRES,
    DISTANCE,
    LENGTH,
    RATIO,
    SIZE,
    STOPS,
    colour_temperature,
    degrees,
    log2_ratio,
    percent,
    stops,
)
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.photometry import (
    aperture_stops,
    dioptres,
    extinction_per_m,
    f_number_from_stops,
    visibility_m,
)

_ALL = (
    stops("exposure", "exposure", "target brighter"),
    colour_temperature(
        "white_balance",
        "white balance",
        250.0,
        160.0,
        2500.0,
        positive="camera set to a lower colour temperature, target cooler (bluer)",
    ),
    stops("light_power", "power of the main lamp", "main lamp brighter in the target"),
    colour_temperature(
        "light_temperature",
        "colour temperature of the main lamp",
        350.0,
        200.0,
        2000.0,
        positive="main lamp warmer (more orange) in the target",
    ),
    stops("ambient_level", "ambient light", "surroundings brighter in the target"),
    Attribute(
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
        to_axis=aperture_stops,
        from_axis=f_number_from_stops,
        spellings=MappingProxyType({"stop": identity, "stops": identity}),
    ),
    log2_ratio(
        "focal_length",
        "focal length",
        3.0,
        1.0,
        RATIO,
        tolerance=0.007,  # 0.5 % of magnification
        positive="longer lens, subject larger in the target; camera does not move",
        absolute_unit="mm",
        absolute_range=(8.0, 800.0),
    ),
    Attribute(
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
        to_axis=dioptres,
        from_axis=dioptres,  # its own inverse
        spellings=MappingProxyType(dict(DIOPTRES)),
    ),
    log2_ratio(
        "shutter_blur",
        "exposure time of a moving object",
        8.0,
        3.0,
        RATIO,
        tolerance=0.06,
        positive="longer exposure time, longer motion blur in the target; brightness is held",
        absolute_unit="s",
        absolute_range=(1e-5, 60.0),
    ),
    Attribute(
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
        to_axis=math.log2,
        from_axis=math.exp2,
        spellings=MappingProxyType(dict(STOPS)),
    ),
    degrees(
        "object_rotation",
        "rotation of the main object",
        90.0,
        "counter-clockwise seen from above, about the object's own vertical axis",
        (-360.0, 360.0),
        is_circular=True,
        turns_in_mirror=True,
    ),
    Attribute(
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
        turns_in_mirror=True,
        spellings=MappingProxyType(dict(LENGTH)),
    ),
    log2_ratio(
        "object_scale",
        "size of the main object",
        2.0,
        0.6,
        SIZE,
        tolerance=0.007,
        positive="larger in the target, grown from its base",
        absolute_unit="%",
        absolute_range=(10.0, 1000.0),
    ),
    degrees(
        "camera_azimuth",
        "orbit of the camera",
        30.0,
        "camera moves counter-clockwise seen from above, around the point it looks at",
        (-360.0, 360.0),
        is_circular=True,
        turns_in_mirror=True,
    ),
    degrees(
        "camera_elevation",
        "height angle of the camera",
        20.0,
        "camera moves up around the point it looks at",
        (-89.0, 89.0),
        is_circular=False,
    ),
    log2_ratio(
        "camera_distance",
        "distance of the camera",
        3.0,
        0.7,
        DISTANCE,
        tolerance=0.007,
        positive="camera farther from the point it looks at, subject smaller in the target",
        absolute_unit="m",
        absolute_range=(0.05, 1000.0),
    ),
    percent(
        "roughness",
        "roughness of the main object",
        60.0,
        2.0,
        "rougher, duller highlights",
        lowest=5.0,  # smoother highlights are smaller than a pixel and cannot be told apart
    ),
    percent("metallic", "metalness of the main object", 100.0, 2.0, "more like metal"),
    percent("transmission", "transparency of the main object", 100.0, 2.0, "more like glass"),
    degrees(
        "base_hue",
        "hue of the main object",
        120.0,
        "round the colour circle from red over yellow to green",
        (-360.0, 360.0),
        is_circular=True,
        tolerance=1.0,
    ),
    percent("base_saturation", "saturation of the main object", 60.0, 2.0, "purer colour"),
    degrees(
        "sun_elevation", "height of the sun", 30.0, "sun higher", (2.0, 85.0), is_circular=False
    ),
    degrees(
        "sun_azimuth",
        "direction of the sun",
        90.0,
        "sun moves counter-clockwise seen from above",
        (-360.0, 360.0),
        is_circular=True,
        turns_in_mirror=True,
    ),
    log2_ratio(
        "fog_density",
        "density of the fog",
        10.0,
        3.0,
        RATIO,
        tolerance=0.06,
        positive="denser fog, shorter visibility in the target",
        absolute_unit="m",
        absolute_range=(2.0, 100000.0),  # visibility
        to_axis=lambda visibility: math.log2(extinction_per_m(visibility)),
        from_axis=lambda position: visibility_m(math.exp2(position)),
    ),
    percent("shape_key", "expression or shape", 100.0, 1.0, "more of the named shape"),
)

ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({a.name: a for a in _ALL})


def find_attribute(name: str) -> Attribute:
    """Return the attribute of a name.

    >>> round(find_attribute("white_balance").difference(5500, 6500), 2)
    -27.97
    >>> find_attribute("object_rotation").difference(350, 10)
    20.0
    >>> round(find_attribute("focal_length").apply(50.0, 1.0), 6)
    100.0

    Raises:
        EditScaleError: there is none; the message lists those that exist.
    """
    if name not in ATTRIBUTES:
        msg = f"unknown attribute '{name}': use one of {', '.join(ATTRIBUTES)}"
        raise EditScaleError(msg)
    return ATTRIBUTES[name]
