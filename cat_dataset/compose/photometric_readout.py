"""Read composed edits back: which readout suits which edits, one attribute or several at once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import (
    AMBIENT_LEVEL,
    LIGHT_POWER,
    LIGHT_TEMPERATURE,
    WHITE_BALANCE,
)
from cat_dataset.attributes.table import CAMERA_ATTRIBUTES
from cat_dataset.compose.edit_sampling import SampledEdits
from cat_dataset.imaging.photometry import mired
from cat_dataset.imaging.reading_grid import reading_grid
from cat_dataset.light import readout
from cat_dataset.light.light_state import (
    LightState,
    base_state,
    camera_gain_rgb,
    light_frame,
    light_gains_rgb,
)
from cat_dataset.light.relighting import BLACK_BODIES_MIRED, colour_rgb
from cat_dataset.records import LightBasis, Reading

Linear = NDArray[np.float32]
# A relative error of every gain below this leaves a reading within 0.0012 stop and 0.12 mired of
# what was set (at most eight gains and their logarithms): inside every tolerance.
_SMALL_GAIN_ERROR = 1e-4


def read_edits(
    basis: LightBasis,
    sampled: SampledEdits,
    source_HW3: Linear,
    target_HW3: Linear,
    mask_HW: NDArray[np.bool_],
) -> tuple[Reading, ...]:
    """Return the scale of every sampled edit, read from its two linear pictures.

    Raises:
        EditScaleError: an edit cannot be read.
    """
    grid = reading_grid(mask_HW.shape)
    small = _on_grid(basis, grid)
    source, target, mask = source_HW3[grid], target_HW3[grid], mask_HW[grid]
    if basis.clipped_HW is not None:  # burnt out: white in any light, which shows nothing of it
        known_HW = ~basis.clipped_HW[grid]
        small = replace(small, images_GHW3=small.images_GHW3[:, known_HW][:, None])
        source, target = source[known_HW][None], target[known_HW][None]
        mask = mask[known_HW][None]
    if len(sampled.edits) > 1:
        return _read_together(small, sampled, source, target)
    return (_read_one(small, sampled, source, target, mask),)


def is_within_rounding(
    basis: LightBasis, sampled: SampledEdits, mask_HW: NDArray[np.bool_]
) -> bool:
    """Return whether `read_edits` must find what was set, up to rounding.

    True where enough pixels are readable, all colours are black bodies that can be read, and
    rounding cannot move a gain: then no check depends on the reading. False says nothing: the edits
    have to be read. The camera alone is read pixel by pixel from sums of positive lights, which
    rounding never moves.
    """
    grid = reading_grid(mask_HW.shape)
    mask_HW = mask_HW[grid]
    if basis.clipped_HW is not None:
        mask_HW = mask_HW & ~basis.clipped_HW[grid]
    if np.count_nonzero(mask_HW) < readout.MIN_READOUT_PX:
        return False
    states = (sampled.source, sampled.target)
    lowest, highest = BLACK_BODIES_MIRED
    if not all(lowest <= mired(k) <= highest for state in states for k in _colours(state)):
        return False
    alone_G = None
    if len(sampled.edits) == 1:
        if not sampled.edited_groups:
            return basis.conditioning.is_positive
        alone_G = np.array([group.name in sampled.edited_groups for group in basis.groups])
    return all(
        basis.conditioning.gain_error(light_gains_rgb(basis, state), alone_G) <= _SMALL_GAIN_ERROR
        for state in states
    )


def _colours(state: LightState) -> Iterable[float]:
    yield state.wb_cct_k
    yield from (lamp.cct_k for lamp in state.lamps.values() if lamp.cct_k is not None)


def _on_grid(basis: LightBasis, grid: tuple[slice, slice]) -> LightBasis:
    return replace(basis, images_GHW3=basis.images_GHW3[(slice(None), *grid)], clipped_HW=None)


def _read_one(
    basis: LightBasis,
    sampled: SampledEdits,
    source_HW3: Linear,
    target_HW3: Linear,
    mask_HW: NDArray[np.bool_],
) -> Reading:
    name = sampled.edits[0].attribute
    if name in CAMERA_ATTRIBUTES:
        settings = sampled.source.camera_settings
        return readout.camera_change(name, source_HW3, target_HW3, mask_HW, settings)
    gains = [
        _edited_light_gain(basis, state, sampled.edited_groups, picture)
        for state, picture in ((sampled.source, source_HW3), (sampled.target, target_HW3))
    ]
    if name == LIGHT_TEMPERATURE.name:
        return readout.light_temperature_mired(*gains)
    return readout.light_power_stops(*gains)


def _edited_light_gain(
    basis: LightBasis, state: LightState, groups: frozenset[str], picture_HW3: Linear
) -> readout.LightGain:
    """Return the gain of the edited groups in one picture over their images as rendered."""
    others = light_frame(basis, state, only=frozenset(g.name for g in basis.groups) - groups)
    is_edited = np.array([group.name in groups for group in basis.groups])
    light = basis.images_GHW3[is_edited].sum(axis=0) * camera_gain_rgb(base_state(basis), state)
    return readout.light_gain(picture_HW3, light.astype(np.float32), others)


def _read_together(
    basis: LightBasis, sampled: SampledEdits, source_HW3: Linear, target_HW3: Linear
) -> tuple[Reading, ...]:
    """Read several edits at once from the gain of every light group in both pictures.

    A light that no edit touches shows what the camera did; the edited lights, relative to it, show
    what was done to them. Without such a light the camera is taken to be as it was.
    """
    gains = [readout.joint_light_gains(p, basis.images_GHW3) for p in (source_HW3, target_HW3)]
    names = [group.name for group in basis.groups]
    untouched = [n for n, name in enumerate(names) if name not in sampled.edited_groups]
    camera = [_camera_gain(basis, gain, untouched) for gain in gains]
    readings = []
    for edit in sampled.edits:
        name = edit.attribute
        if name in CAMERA_ATTRIBUTES:
            settings = sampled.source.camera_settings
            readings.append(readout.camera_gain_change(name, camera[0], camera[1], settings))
            continue
        lights = [
            _light_gain(basis, gain, own, name) for gain, own in zip(gains, camera, strict=True)
        ]
        readings.append(_read_light(name, lights))
    return tuple(readings)


def _camera_gain(
    basis: LightBasis, gains: Sequence[readout.LightGain], untouched: Sequence[int]
) -> readout.LightGain:
    """Return what the camera did, by the brightest light that no edit touches."""
    if not untouched:
        return readout.LightGain(np.ones(3), np.zeros(3), gains[0].num_px)
    brightest = max(untouched, key=lambda n: float(basis.images_GHW3[n].mean()))
    return gains[brightest].over(colour_rgb(basis.groups[brightest].cct_k))


def _light_gain(
    basis: LightBasis, gains: Sequence[readout.LightGain], camera: readout.LightGain, name: str
) -> readout.LightGain:
    """Return the gain of the light that an attribute edits, without the camera's."""
    is_edited = [
        group.kind == "ambient" if name == AMBIENT_LEVEL.name else group.name == basis.main_lamp
        for group in basis.groups
    ]
    return gains[is_edited.index(True)].over(camera.gain_rgb)


def _read_light(name: str, lights: Sequence[readout.LightGain]) -> Reading:
    if name == LIGHT_TEMPERATURE.name:
        return readout.light_temperature_mired(lights[0], lights[1])
    if name == LIGHT_POWER.name:
        lights = [readout.uncoloured(light) for light in lights]
    return readout.light_power_stops(lights[0], lights[1])


def read_camera(
    names: Iterable[str],
    frame_HW3: Linear,
    picture_HW3: Linear,
    mask_HW: NDArray[np.bool_],
    wb_cct_k: float,
) -> dict[str, Reading]:
    """Return what the camera did to a frame, balanced at `wb_cct_k`, by attribute of `names`.

    Raises:
        EditScaleError: it cannot be read.
    """
    grid = reading_grid(mask_HW.shape)
    frame, picture, mask = frame_HW3[grid], picture_HW3[grid], mask_HW[grid]
    sources = {WHITE_BALANCE.name: wb_cct_k}
    return {name: readout.camera_change(name, frame, picture, mask, sources) for name in names}
