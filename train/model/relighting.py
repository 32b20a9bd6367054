"""Put together what edits do to light: the camera multiplies it, lamps add up.

What the base predicts for a lamp shows which share of each pixel is that lamp's. Two edits of one
lamp are two gains of the same shares; two lamps are two changes of light that add up. Where the
lighting ratio of the picture is known (measured, or set in Blender), the shares are scaled to it: a
base sees where a lamp shines better than how much of the light it gives, for lamp and surroundings
share every pixel.

Shapes: H height, W width; light is linear sRGB, gains are in stops, (H, W, 3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import LIGHT_TEMPERATURE
from cat_dataset.attributes.table import BASIS_ATTRIBUTES, LAMP, LIGHT_OF
from cat_dataset.imaging.photometry import luminance
from cat_dataset.light.light_ratio import LightRatio, part_of_light
from cat_dataset.light.readout import readable_mask
from cat_dataset.light.relighting import edits_gain_rgb
from cat_dataset.records import EditScale

Linear = NDArray[np.float32]
Stops = NDArray[np.float32]
_CLEAR_CHANGE = 0.05  # of a channel: less does not show where the lamp shines
_NUM_SCALINGS = 4  # a share of light ends at 1, so that one scaling does not arrive
_DARKEST_GAIN = 2.0**-9


@dataclass(frozen=True)
class PartGain:
    """What edits that were predicted together do to a picture: a gain of light."""

    edits: Sequence[EditScale]
    gain_HW3: Stops


def composed_gain(source_HW3: Linear, parts: Sequence[PartGain]) -> Stops:
    """Return the gain of all parts of a photometric edit together."""
    total_HW3 = np.zeros_like(source_HW3)
    for part in parts:
        if light_of(part.edits) is None:
            total_HW3 += part.gain_HW3
    lights = list(_by_light(parts))
    if not lights:
        return total_HW3
    if len(lights) == 1 and len(lights[0]) == 1 and _ratio(lights[0]) is None:
        return total_HW3 + lights[0][0].gain_HW3
    factor_HW3 = 1.0 + np.sum([_change(source_HW3, own) for own in lights], axis=0)
    return np.asarray(total_HW3 + np.log2(np.maximum(factor_HW3, _DARKEST_GAIN)), np.float32)


def parts_of_light(edits: Sequence[EditScale]) -> list[Sequence[EditScale]]:
    """Return the edits that are predicted apart: each of the camera, each of a light.

    A lamp's colour is predicted together with its power where its kelvin are not known: they are
    needed to compute what both do together. What changes more than light goes together too.
    """
    has_unknown = any(e.attribute == LIGHT_TEMPERATURE.name and not _has_kelvin(e) for e in edits)
    together = [name for name, light in LIGHT_OF.items() if has_unknown and light == LAMP]
    groups = [*([name] for name in BASIS_ATTRIBUTES if name not in together), together]
    parts = [[e for e in edits if e.attribute in names] for names in groups]
    parts.append([e for e in edits if e.attribute not in BASIS_ATTRIBUTES])
    return [part for part in parts if part]


def light_of(edits: Sequence[EditScale]) -> str | None:
    """Return the one light that edits change; None: the camera, or several."""
    lights = {LIGHT_OF.get(edit.attribute) for edit in edits}
    return lights.pop() if len(lights) == 1 else None


def _by_light(parts: Sequence[PartGain]) -> Iterator[list[PartGain]]:
    for light in dict.fromkeys(LIGHT_OF.values()):
        own = [part for part in parts if light_of(part.edits) == light]
        if own:
            yield own


def _change(source_HW3: Linear, parts: Sequence[PartGain]) -> NDArray[np.float64]:
    """Return the change that the edits of one light make, as a part of the source's light."""
    ratio = _ratio(parts)
    wanted = edits_gain_rgb([edit for part in parts for edit in part.edits])
    is_seen = any(_clear_change(part.edits).any() for part in parts)
    if wanted is None or not is_seen or (ratio is None and len(parts) == 1):
        gain_HW3 = np.sum([part.gain_HW3 for part in parts], axis=0, dtype=np.float64)
        return np.asarray(np.exp2(gain_HW3) - 1.0)
    share_HW3 = _shares(parts)
    if ratio is not None:
        share_HW3 = scaled_shares(source_HW3, share_HW3, ratio)
    return np.asarray((wanted - 1.0) * share_HW3)


def _ratio(parts: Sequence[PartGain]) -> LightRatio | None:
    """Return the lighting ratio that is given with any edit of a light.

    One number, of luminance, says too little of a lamp whose colour changes: it does not count.
    """
    edits = [edit for part in parts for edit in part.edits]
    is_coloured = any(edit.attribute == LIGHT_TEMPERATURE.name for edit in edits)
    given = (edit.light_ratio for edit in edits if edit.light_ratio is not None)
    return next((ratio for ratio in given if len(ratio) == 3 or not is_coloured), None)


def _shares(parts: Sequence[PartGain]) -> NDArray[np.float64]:
    """Return which share of each pixel is the light's, from what was predicted, in [0, 1].

    Each part counts by how clearly it changes a channel; a channel that none changes clearly takes
    the mean of the others.
    """
    weights_3, sum_HW3 = np.zeros(3), np.zeros(parts[0].gain_HW3.shape)
    for part in parts:
        change_3 = _clear_change(part.edits)
        sum_HW3 += change_3 * (np.exp2(part.gain_HW3) - 1.0)
        weights_3 += change_3**2
    is_clear = weights_3 > 0.0
    share_HW3 = np.clip(sum_HW3 / np.where(is_clear, weights_3, 1.0), 0.0, 1.0)
    share_HW3[..., ~is_clear] = share_HW3[..., is_clear].mean(axis=-1, keepdims=True)
    return np.asarray(share_HW3)


def _clear_change(edits: Sequence[EditScale]) -> NDArray[np.float64]:
    """Return by which part edits change their light (3,); 0 where that hardly shows."""
    wanted = edits_gain_rgb(edits)
    if wanted is None:
        return np.zeros(3)
    return np.where(np.abs(wanted - 1.0) >= _CLEAR_CHANGE, wanted - 1.0, 0.0)


def scaled_shares(
    source_HW3: Linear, share_HW3: NDArray[np.float64], ratio: LightRatio
) -> NDArray[np.float64]:
    """Return a lamp's share of each pixel, at most 1, scaled to the lighting ratio.

    `ratio` is one number, of luminance, or one per channel. Shares that show no lamp in a channel
    stay as they are.
    """
    known_HW = readable_mask(source_HW3, source_HW3)
    source, share = source_HW3[known_HW].astype(np.float64), share_HW3[known_HW]
    part = part_of_light(ratio)
    total = luminance(source)[:, None] if len(part) == 1 else source
    scale = np.ones_like(part)
    for _ in range(_NUM_SCALINGS):
        light = np.minimum(share * scale, 1.0) * source
        light = luminance(light)[:, None] if len(part) == 1 else light
        own, all_ = (light * light).sum(axis=0), (light * total).sum(axis=0)
        scale = scale * np.where(own > 0.0, part * all_ / np.where(own > 0.0, own, 1.0), 1.0)
    return np.minimum(share_HW3 * scale, 1.0)


def _has_kelvin(edit: EditScale) -> bool:
    return edit.source_value is not None and edit.target_value is not None
