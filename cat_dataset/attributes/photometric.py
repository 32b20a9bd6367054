"""What the light basis gives at any value: the camera, the main lamp, the light around."""

from types import MappingProxyType

from cat_dataset.attributes.attribute import Attribute, SettingWindows, identity
from cat_dataset.attributes.kinds import LAMP_STOPS, colour_temperature, stops
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K

EXPOSURE = stops(
    "exposure",
    "exposure",
    "target brighter",
    role="camera",
    aliases=("ev",),
    windows=SettingWindows(source=(-1.5, 1.0), both=(-2.25, 1.75)),
    is_captured=True,
    phrases=(
        (
            "Raise the exposure by {amount}.",
            "Make the picture {amount} brighter.",
            "Expose this {amount} more ({signed} EV).",
            "Exposure compensation: {signed} EV, that is {amount} up.",
        ),
        (
            "Lower the exposure by {amount}.",
            "Make the picture {amount} darker.",
            "Expose this {amount} less ({signed} EV).",
            "Exposure compensation: {signed} EV, that is {amount} down.",
        ),
    ),
)
WHITE_BALANCE = colour_temperature(
    "white_balance",
    "white balance",
    250.0,
    160.0,
    2500.0,
    positive="camera set to a lower colour temperature, target cooler (bluer)",
    role="camera",
    aliases=("wb",),
    default_source=DAYLIGHT_CCT_K,  # equal steps act slightly differently from different settings
    windows=SettingWindows(source=(-90.0, 90.0), digits=-1),
    is_captured=True,
    phrases=(
        (
            "Set the white balance from {source} to {target}.",
            "Change the camera's white balance to {target} (it was {source}).",
            "Cool the picture: white balance {target} instead of {source}.",
            "Shift the white balance by {signed} mired, to {target}.",
        ),
        (
            "Set the white balance from {source} to {target}.",
            "Change the camera's white balance to {target} (it was {source}).",
            "Warm the picture: white balance {target} instead of {source}.",
            "Shift the white balance by {signed} mired, to {target}.",
        ),
    ),
)
TINT = Attribute(
    name="tint",
    label="tint",
    unit="Duv x 1000",
    unit_words=("thousandth of Duv", "thousandths of Duv"),
    value_range=(-30.0, 30.0),
    default_range=(-10.0, 10.0),
    tolerance=0.2,
    positive="target greener: a neutral moves above the Planckian locus; the camera is set as for "
    "light that is more magenta",
    absolute_unit=None,  # the tint of a camera's own setting is in units of its maker
    absolute_range=None,
    role="camera",
    changes_colour=True,
    spellings=MappingProxyType({"": identity, "duv": identity}),
    windows=SettingWindows(source=(-5.0, 5.0), both=(-18.0, 18.0), digits=1),
    phrases=(
        (
            "Shift the tint by {amount} towards green.",
            "Make the picture greener: tint {signed} (Duv x 1000).",
            "Set the tint of the white balance {amount} greener.",
        ),
        (
            "Shift the tint by {amount} towards magenta.",
            "Make the picture more magenta: tint {signed} (Duv x 1000).",
            "Set the tint of the white balance {amount} more magenta.",
        ),
    ),
)
LIGHT_POWER = stops(
    "light_power",
    "power of the main lamp",
    "main lamp brighter in the target",
    role="lamp",
    windows=LAMP_STOPS,
    is_captured=True,  # a lamp switched on and off
    phrases=(
        (
            "Turn the main lamp up by {amount}.",
            "Make the main lamp {amount} stronger.",
            "Raise the power of the key light by {amount}.",
        ),
        (
            "Turn the main lamp down by {amount}.",
            "Make the main lamp {amount} weaker.",
            "Lower the power of the key light by {amount}.",
        ),
    ),
)
LIGHT_TEMPERATURE = colour_temperature(
    "light_temperature",
    "colour temperature of the main lamp",
    350.0,
    200.0,
    2000.0,
    positive="main lamp warmer (more orange) in the target",
    role="lamp",
    windows=SettingWindows(source=(-60.0, 60.0), digits=-1),
    phrases=(
        (
            "Change the main lamp from {source} to {target}.",
            "Make the main lamp warmer: {target} instead of {source}.",
            "Set the colour temperature of the key light to {target}.",
        ),
        (
            "Change the main lamp from {source} to {target}.",
            "Make the main lamp cooler: {target} instead of {source}.",
            "Set the colour temperature of the key light to {target}.",
        ),
    ),
)
AMBIENT_LEVEL = stops(
    "ambient_level",
    "ambient light",
    "surroundings brighter in the target",
    role="ambient",
    windows=LAMP_STOPS,
    is_captured=True,  # a lamp switched on and off
    phrases=(
        (
            "Raise the ambient light by {amount}.",
            "Brighten the surroundings by {amount}, leave the lamps alone.",
            "Turn the ambient light up by {amount}.",
        ),
        (
            "Lower the ambient light by {amount}.",
            "Dim the surroundings by {amount}, leave the lamps alone.",
            "Turn the ambient light down by {amount}.",
        ),
    ),
)
PHOTOMETRIC = (EXPOSURE, WHITE_BALANCE, TINT, LIGHT_POWER, LIGHT_TEMPERATURE, AMBIENT_LEVEL)
