"""The phrases in which instructions are written, several per attribute; data only."""

from collections.abc import Mapping
from types import MappingProxyType

# Fields: {amount} magnitude with unit, {signed} with sign, {source} and {target} absolute values,
# {factor} the ratio above 1, {relative} target over source in %, {subject} what is edited.
# The first tuple serves positive values, the second negative ones.
PHRASES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "exposure": (
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
        "white_balance": (
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
        "light_power": (
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
        "light_temperature": (
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
        "ambient_level": (
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
        "aperture": (
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
        "focal_length": (
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
        "object_rotation": (
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
        "focus_distance": (
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
        "shutter_blur": (
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
        "iso_noise": (
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
        "object_translation": (
            (
                "Move the {subject} {amount} to the right.",
                "Shift the {subject} by {amount} to the right, as the camera sees it.",
            ),
            (
                "Move the {subject} {amount} to the left.",
                "Shift the {subject} by {amount} to the left, as the camera sees it.",
            ),
        ),
        "object_scale": (
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
        "camera_azimuth": (
            (
                "Orbit the camera {amount} to its right.",
                "Move the camera {amount} counter-clockwise around the {subject}.",
            ),
            (
                "Orbit the camera {amount} to its left.",
                "Move the camera {amount} clockwise around the {subject}.",
            ),
        ),
        "camera_elevation": (
            ("Raise the camera by {amount}.", "Look from {amount} higher up."),
            ("Lower the camera by {amount}.", "Look from {amount} lower down."),
        ),
        "camera_distance": (
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
        "roughness": (
            (
                "Make the {subject} rougher: roughness {target} instead of {source}.",
                "Raise the roughness of the {subject} by {amount}.",
            ),
            (
                "Make the {subject} glossier: roughness {target} instead of {source}.",
                "Lower the roughness of the {subject} by {amount}.",
            ),
        ),
        "metallic": (
            (
                "Make the {subject} more metallic: {target} instead of {source}.",
                "Raise the metalness of the {subject} by {amount}.",
            ),
            (
                "Make the {subject} less metallic: {target} instead of {source}.",
                "Lower the metalness of the {subject} by {amount}.",
            ),
        ),
        "transmission": (
            (
                "Make the {subject} more transparent: {target} instead of {source}.",
                "Raise the transmission of the {subject} by {amount}.",
            ),
            (
                "Make the {subject} more opaque: transmission {target} instead of {source}.",
                "Lower the transmission of the {subject} by {amount}.",
            ),
        ),
        "base_hue": (
            (
                "Shift the hue of the {subject} by {signed} degrees.",
                "Turn the colour of the {subject} {amount} round the colour circle.",
            ),
            (
                "Shift the hue of the {subject} by {signed} degrees.",
                "Turn the colour of the {subject} {amount} backwards round the colour circle.",
            ),
        ),
        "base_saturation": (
            (
                "Make the colour of the {subject} purer: saturation {target} instead of {source}.",
                "Raise the saturation of the {subject} by {amount}.",
            ),
            (
                "Make the colour of the {subject} paler: saturation {target} instead of {source}.",
                "Lower the saturation of the {subject} by {amount}.",
            ),
        ),
        "sun_elevation": (
            ("Raise the sun from {source} to {target}.", "Put the sun {amount} higher."),
            ("Lower the sun from {source} to {target}.", "Put the sun {amount} lower."),
        ),
        "sun_azimuth": (
            (
                "Move the sun {amount} counter-clockwise, seen from above.",
                "Turn the sunlight by {signed} degrees about the vertical.",
            ),
            (
                "Move the sun {amount} clockwise, seen from above.",
                "Turn the sunlight by {signed} degrees about the vertical.",
            ),
        ),
        "fog_density": (
            (
                "Thicken the fog: visibility {target} instead of {source}.",
                "Make the fog {factor}x denser.",
            ),
            (
                "Thin the fog: visibility {target} instead of {source}.",
                "Make the fog {factor}x thinner.",
            ),
        ),
        "shape_key": (
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
    }
)
