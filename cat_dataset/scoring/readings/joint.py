"""What one number of several did: from the picture that has all others to the one that has all.

A number among others is read as it is alone, with the same readout, and what the editor made of
the other numbers is taken as it made it. Read from the source instead, all numbers at once, a lamp
that shines a little beside its true place would count as a wrong exposure. Both readings, together
and alone, are taken over the pixels that can be read in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cat_dataset.attributes.table import CAMERA_ATTRIBUTES, LIGHT_OF
from cat_dataset.imaging.display import decode_display
from cat_dataset.light.readout import readable_mask
from cat_dataset.scoring.readings.physical import (
    gain_of_layer,
    lamp_change,
    physical_readout_of_light,
)
from cat_dataset.scoring.truth import Display, LightTruth, Values

_UNREADABLE = np.float32(2.0**-12)  # light that every readout leaves out


@dataclass(frozen=True)
class ReferenceEdits:
    """The pictures that a number of several is read by, made by the same editor."""

    others_HW3: Display  # the source with all other numbers
    alone_HW3: Display  # the source with this number alone


References = Mapping[str, ReferenceEdits]  # by attribute


def physical_readout_beside_others(
    truth: LightTruth,
    references: ReferenceEdits,
    result_HW3: Display,
    attribute: str,
    others: Values,
) -> tuple[float, float] | None:
    """Return the change of one attribute in its unit, together with `others` and alone.

    The camera multiplies whatever light there is and lights add up, so what the others did is
    divided out or taken off pixel by pixel; two edits of one light are read by its gain in both
    pictures. None: what is true after the others is not known.

    Raises:
        EditScaleError: too few pixels can be read, or a lamp's light is not known.
    """
    pictures = (references.others_HW3, result_HW3, references.alone_HW3)
    light = [decode_display(picture, truth.tone_curve) for picture in pictures]
    known = readable_mask(light[0], light[1]) & readable_mask(light[2], truth.source_light)
    others_only, result, alone = (np.where(known[..., None], x, _UNREADABLE) for x in light)
    by_itself = physical_readout_of_light(truth, alone, attribute)
    own = LIGHT_OF.get(attribute)
    lights = {LIGHT_OF[name] for name in others if name in LIGHT_OF}
    if own is None or not lights:  # the camera multiplies
        without = truth.source_light * result / others_only
    elif own not in lights and not set(others) & set(CAMERA_ATTRIBUTES):  # lights add up
        without = truth.source_light + result - others_only
    else:
        moved = truth.after({n: v for n, v in others.items() if LIGHT_OF.get(n) != own})
        if moved is None:
            return None
        before, after = (gain_of_layer(moved, light, own) for light in (others_only, result))
        return lamp_change(truth, attribute, after, before), by_itself
    readable = np.where(known[..., None], without, _UNREADABLE).astype(np.float32)
    return physical_readout_of_light(truth, readable, attribute), by_itself
