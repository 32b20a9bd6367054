"""English for an edit: the number and its unit in words, several phrasings per attribute."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from cat_dataset.attributes import ATTRIBUTES, Attribute
from cat_dataset.records import EditScale

# Fields: {amount} magnitude with unit, {signed} with sign, {source} and {target} absolute values.
# The first tuple serves positive values, the second negative ones.
_PHRASES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
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
                "Rotate the main object by {amount} counter-clockwise, seen from above.",
                "Turn the main object {amount} counter-clockwise.",
                "Rotate the object on the table by {signed} degrees about its vertical axis.",
            ),
            (
                "Rotate the main object by {amount} clockwise, seen from above.",
                "Turn the main object {amount} clockwise.",
                "Rotate the object on the table by {signed} degrees about its vertical axis.",
            ),
        ),
    }
)


def phrase_edits(edits: Sequence[EditScale], rng: np.random.Generator) -> str:
    """Return one English instruction for all edits of a pair, phrasing drawn from `rng`."""
    return " ".join(_phrase(edit, rng) for edit in edits)


def _phrase(edit: EditScale, rng: np.random.Generator) -> str:
    attribute = ATTRIBUTES[edit.attribute]
    phrases = _PHRASES[edit.attribute][0 if edit.value >= 0 else 1]
    template = phrases[int(rng.integers(len(phrases)))]
    number = _number(abs(edit.value))
    return template.format(
        amount=f"{number} {attribute.unit_words[0 if number == '1' else 1]}",
        signed=f"{'+' if edit.value >= 0 else '-'}{number}",
        source=_absolute(attribute, edit.source_value),
        target=_absolute(attribute, edit.target_value),
    )


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _absolute(attribute: Attribute, value: float | None) -> str:
    if value is None:
        return "the present setting"
    match attribute.absolute_unit:
        case "f-number":
            return f"f/{value:.2g}"
        case "K":
            return f"{value:.0f} K"
        case unit:
            return f"{_number(value)} {unit}"
