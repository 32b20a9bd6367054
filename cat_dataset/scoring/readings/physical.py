"""The physical readout: by how much was a picture really changed, in the attribute's unit.

Camera attributes are read from source and result alone, over pixels that are clipped or black in
neither. Lamp attributes are read as the gain of that lamp's light in the result, by projection.

Pictures are uint8 display sRGB, (H, W, 3).
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import (
    LIGHT_POWER,
    LIGHT_TEMPERATURE,
    WHITE_BALANCE,
)
from cat_dataset.attributes.table import CAMERA_ATTRIBUTES, LIGHT_OF
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import decode_display
from cat_dataset.imaging.reading_grid import reading_grid
from cat_dataset.light import readout
from cat_dataset.light.readout import LightGain
from cat_dataset.light.relighting import colour_rgb
from cat_dataset.scoring.truth import REST, Display, LightTruth, Linear

_SMALLEST_GAIN = 2.0**-6  # a lamp that seems to be off or negative counts as this


def physical_readout(truth: LightTruth, result_HW3: Display, attribute: str) -> float:
    """Return the change of one attribute where nothing else was to change.

    Raises:
        EditScaleError: too few pixels can be read, or the lamp's light is not known.
    """
    return physical_readout_of_light(truth, decode_display(result_HW3, truth.tone_curve), attribute)


def physical_readout_of_light(truth: LightTruth, result_HW3: Linear, attribute: str) -> float:
    """Return the change of one attribute in a result given as light.

    Raises:
        EditScaleError: as `physical_readout`.
    """
    if attribute in CAMERA_ATTRIBUTES:
        source, result, mask_HW = _readable(truth, result_HW3)
        return readout.camera_change(attribute, source, result, mask_HW, _sources(truth)).value
    gain = gain_of_layer(truth, result_HW3, LIGHT_OF[attribute])
    return lamp_change(truth, attribute, gain)


def _sources(truth: LightTruth) -> dict[str, float]:
    return {WHITE_BALANCE.name: truth.wb_cct_k}


def joint_physical_readout(truth: LightTruth, result_HW3: Display, edited: str) -> dict[str, float]:
    """Return every change that can be separated where one attribute was to change.

    One steady light that it does not edit shows what the camera did; the others, relative to it,
    show what was done to them. Without a steady light the camera counts as it was. An attribute
    that cannot be separated is left out: the steady light's own, for its change would look like
    the camera's and the opposite change of all others.

    Raises:
        EditScaleError: too few pixels can be read, or a lamp's colour is no black body's.
    """
    if len(truth.layers) == 1:
        return {name: physical_readout(truth, result_HW3, name) for name in CAMERA_ATTRIBUTES}
    gains = _gains_of_layers(truth, decode_display(result_HW3, truth.tone_curve))
    found: dict[str, float] = {}
    camera = LightGain(np.ones(3), np.zeros(3), readout.MIN_READOUT_PX)
    steady = _steady_layer(truth, edited)
    if steady is not None:
        still, camera = camera, gains[steady]
        found |= {
            name: readout.camera_gain_change(name, still, camera, _sources(truth)).value
            for name in CAMERA_ATTRIBUTES
        }
    if edited in CAMERA_ATTRIBUTES:
        found |= {name: physical_readout(truth, result_HW3, name) for name in CAMERA_ATTRIBUTES}
    for name, layer in LIGHT_OF.items():
        if layer in gains and layer != steady and truth.can_make(name):
            change = gains[layer].over(camera.gain_rgb)
            if edited == LIGHT_TEMPERATURE.name and name == LIGHT_POWER.name:
                change = _without_colour(truth, change)
            found[name] = lamp_change(truth, name, change)
    return found


def _steady_layer(truth: LightTruth, edited: str) -> str | None:
    """Return a light that is not to change: the rest, which no attribute edits, else the brightest.

    None: every light is edited.
    """
    steady = [name for name in truth.layers if name != LIGHT_OF.get(edited)]
    if REST in steady:
        return REST
    return max(steady, key=lambda name: float(truth.layers[name].mean()), default=None)


def _without_colour(truth: LightTruth, change: LightGain) -> LightGain:
    """Return a lamp's gain without what its colour, which is asked for as well, adds to it.

    Raises:
        EditScaleError: the new colour is no black body's.
    """
    if truth.lamp_cct_k is None:
        return change
    return readout.uncoloured(change.of(colour_rgb(truth.lamp_cct_k)))


def lamp_change(
    truth: LightTruth, attribute: str, gain: LightGain, before: LightGain | None = None
) -> float:
    """Return a lamp's change from the gain of its light; `before` is its gain to start from.

    Its power is that of its luminance in the picture, see `readout.light_power_stops`.

    Raises:
        EditScaleError: its colour is not known, or becomes no black body's.
    """
    start, end = (
        replace(gain, gain_rgb=np.maximum(g, _SMALLEST_GAIN))
        for g in (np.ones(3) if before is None else before.gain_rgb, gain.gain_rgb)
    )
    if attribute != LIGHT_TEMPERATURE.name:
        layer = truth.layers[LIGHT_OF[attribute]]
        own = layer.mean(axis=(0, 1), dtype=np.float64)
        return readout.light_power_stops(start.of(own), end.of(own)).value
    if truth.lamp_cct_k is None:
        msg = "light_temperature: the lamp's own colour is not recorded: nothing to measure from"
        raise EditScaleError(msg)
    own = colour_rgb(truth.lamp_cct_k)
    return readout.light_temperature_mired(start.of(own), end.of(own)).value


def _readable(truth: LightTruth, result_HW3: Linear) -> tuple[Linear, Linear, NDArray[np.bool_]]:
    grid = reading_grid(result_HW3.shape)
    source, result = decode_display(truth.source_HW3[grid], truth.tone_curve), result_HW3[grid]
    return source, result, readout.readable_mask(source, result)


def _pixels(truth: LightTruth, result_HW3: Linear) -> tuple[dict[str, Linear], Linear]:
    """Return layers and result, (N, 1, 3), where both are known.

    Raises:
        EditScaleError: there are too few such pixels.
    """
    _, result, mask_HW = _readable(truth, result_HW3)
    grid = reading_grid(result_HW3.shape)
    mask_HW &= truth.known_HW[grid]
    if mask_HW.sum() < readout.MIN_READOUT_PX:
        msg = f"{mask_HW.sum()} unclipped pixels; at least {readout.MIN_READOUT_PX} are needed"
        raise EditScaleError(msg)
    layers = {name: layer[grid][mask_HW][:, None] for name, layer in truth.layers.items()}
    return layers, result[mask_HW][:, None]


def gain_of_layer(truth: LightTruth, result_HW3: Linear, name: str) -> LightGain:
    """Return the gain of one light in a result, given as light, where all others are as known.

    Raises:
        EditScaleError: too few pixels can be read, or the light is not known.
    """
    if name not in truth.layers:
        msg = f"the light of the {name} is not known apart: nothing to measure"
        raise EditScaleError(msg)
    layers, result = _pixels(truth, result_HW3)
    others: Linear = np.zeros_like(result)
    for other, light in layers.items():
        if other != name:
            others = others + light
    return readout.light_gain(result, layers[name], others)


def _gains_of_layers(truth: LightTruth, result_HW3: Linear) -> dict[str, LightGain]:
    layers, result = _pixels(truth, result_HW3)
    gains = readout.joint_light_gains(result, np.stack(list(layers.values())))
    return dict(zip(layers, gains, strict=True))


def psnr_db(source_HW3: Display, result_HW3: Display) -> float:
    """Return the peak signal-to-noise ratio of 8-bit pictures in dB; 99 for equal ones."""
    error = float(np.mean((source_HW3.astype(np.float64) - result_HW3) ** 2))
    return min(10.0 * math.log10(255.0**2 / error), 99.0) if error > 0.0 else 99.0
