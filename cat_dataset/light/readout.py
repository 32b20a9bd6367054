"""Measure the scale of a photometric edit again, from linear pixels alone.

Each readout takes the linear light of both pictures and answers in the attribute's unit, with a
standard error; none is given what was asked for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.channels import brightest_channel, darkest_channel
from cat_dataset.imaging.photometry import REC709_LUMINANCE, kelvin, luminance
from cat_dataset.light.relighting import (
    RELIGHTING,
    CameraReading,
    colour_rgb,
    mired_of_colour,
    mired_per_stop,
)
from cat_dataset.records import Reading

Linear = NDArray[np.float32]
Mask = NDArray[np.bool_]

READABLE = (2.0**-9, 0.98)  # light after the anchor that is neither black nor clipped
MIN_READOUT_PX = 32  # fewer pixels say nothing about a picture
_MEDIAN_TO_MEAN_STDERR = 1.2533  # sqrt(pi / 2): the median's error on Gaussian noise
_MAD_TO_SIGMA = 1.4826
MAX_CONDITION = 1e8  # of the lights' normal equations; float32 light carries about 1e7


def median_reading(values: NDArray[np.float64]) -> Reading:
    """Return the median of per-pixel values, its standard error from their spread (MAD).

    Raises:
        EditScaleError: fewer than MIN_READOUT_PX values.
    """
    if values.size < MIN_READOUT_PX:
        msg = (
            f"{values.size} pixels are neither clipped nor black in both pictures; "
            f"at least {MIN_READOUT_PX} are needed to measure a scale"
        )
        raise EditScaleError(msg)
    centre = float(np.median(values))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(values - centre)))
    return Reading(centre, _MEDIAN_TO_MEAN_STDERR * sigma / math.sqrt(values.size), values.size)


def readable_mask(
    source_HW3: Linear, target_HW3: Linear, low: float = READABLE[0], high: float = READABLE[1]
) -> Mask:
    """Return the pixels whose channels all lie within (low, high) in both pictures."""
    darkest = darkest_channel(np.minimum(source_HW3, target_HW3))
    brightest = brightest_channel(np.maximum(source_HW3, target_HW3))
    readable: Mask = (darkest > np.float32(low)) & (brightest < np.float32(high))
    return readable


def camera_change(
    attribute: str,
    source_HW3: Linear,
    target_HW3: Linear,
    mask_HW: Mask,
    sources: Mapping[str, float] = MappingProxyType({}),
) -> Reading:
    """Return the change of an attribute of the camera, from the median of what each pixel shows.

    `sources` are the camera's settings in the source, by attribute, where they are absolute.

    Raises:
        EditScaleError: too few pixels, or no setting makes the change.
    """
    own = _camera_reading(attribute)
    source_N3, target_N3 = (p[mask_HW].astype(np.float64) for p in (source_HW3, target_HW3))
    shift_N = sum(
        weight * np.log2(target_N3[:, channel] / source_N3[:, channel])
        for channel, weight in enumerate(own.weights_rgb)
        if weight
    )
    shift = median_reading(np.asarray(shift_N))
    stops = shift.value
    for other in own.apart_from:
        value = camera_change(other, source_HW3, target_HW3, mask_HW, sources).value
        stops -= _shift_of(own, other, value, sources)
    source = _source_setting(attribute, sources)
    return _reading_of_shift(own, stops, shift.stderr, shift.num_px, source)


@dataclass(frozen=True)
class LightGain:
    """Linear gain of one light per channel, with one standard error each; shapes (3,)."""

    gain_rgb: NDArray[np.float64]
    stderr_rgb: NDArray[np.float64]
    num_px: int

    def of(self, light_rgb: NDArray[np.float64]) -> "LightGain":
        """Return the gain of white light that looks the same: times the colour of its own (3,)."""
        return LightGain(self.gain_rgb * light_rgb, self.stderr_rgb * light_rgb, self.num_px)

    def over(self, gain_rgb: NDArray[np.float64]) -> "LightGain":
        """Return the gain divided by another, which counts as exact.

        Raises:
            EditScaleError: the other is not positive: nothing is left to compare with.
        """
        if (gain_rgb <= 0.0).any():
            msg = (
                f"light to compare with has the gain {gain_rgb.round(4).tolist()}: must be "
                f"positive in every channel"
            )
            raise EditScaleError(msg)
        return LightGain(self.gain_rgb / gain_rgb, self.stderr_rgb / gain_rgb, self.num_px)


def light_gain(picture_HW3: Linear, light_HW3: Linear, others_HW3: Linear) -> LightGain:
    """Return the gain of one light in a picture, by projection onto that light alone.

    `light_HW3` is the light by itself, `others_HW3` everything else as it stands in the picture.
    Source: gain = <picture - others, light> / <light, light>, least squares per channel.

    Raises:
        EditScaleError: the light does not reach the picture.
    """
    light = light_HW3.reshape(-1, 3).astype(np.float64)
    rest = picture_HW3.reshape(-1, 3).astype(np.float64) - others_HW3.reshape(-1, 3)
    energy = (light * light).sum(axis=0)
    if (energy <= 0.0).any():
        msg = "the light does not reach the picture in every channel: nothing to measure"
        raise EditScaleError(msg)
    gain = (rest * light).sum(axis=0) / energy
    variance = ((rest - gain * light) ** 2).mean(axis=0)
    return LightGain(gain, np.sqrt(variance / energy), len(light))


def joint_light_gains(picture_HW3: Linear, lights_GHW3: Linear) -> tuple[LightGain, ...]:
    """Return the gain of every light in a picture, all at once.

    Source: linear least squares per channel, picture = sum of gain * light.

    Raises:
        EditScaleError: two lights look alike, or one does not reach the picture.
    """
    gains, errors = np.empty((len(lights_GHW3), 3)), np.empty((len(lights_GHW3), 3))
    for channel in range(3):
        lights = lights_GHW3[..., channel].reshape(len(lights_GHW3), -1).astype(np.float64)
        picture = picture_HW3[..., channel].ravel().astype(np.float64)
        size = np.sqrt((lights**2).mean(axis=1, keepdims=True))
        if (size <= 0.0).any() or np.linalg.cond(lights / size @ (lights / size).T) > MAX_CONDITION:
            msg = "two lights look alike in the picture, or one does not reach it: not readable"
            raise EditScaleError(msg)
        inverse = np.linalg.inv(lights / size @ (lights / size).T)
        scaled = inverse @ (lights / size) @ picture
        residual = picture - scaled @ (lights / size)
        gains[:, channel] = scaled / size[:, 0]
        errors[:, channel] = np.sqrt(np.diag(inverse) * (residual**2).mean()) / size[:, 0]
    return tuple(
        LightGain(gain, error, picture_HW3.shape[0] * picture_HW3.shape[1])
        for gain, error in zip(gains, errors, strict=True)
    )


def camera_gain_change(
    attribute: str,
    source: LightGain,
    target: LightGain,
    sources: Mapping[str, float] = MappingProxyType({}),
) -> Reading:
    """Return the change of an attribute of the camera from two gains, see `camera_change`.

    Raises:
        EditScaleError: a gain is not positive, or no setting makes the change.
    """
    own = _camera_reading(attribute)
    ratio, relative = _positive_ratio(source, target), _relative_stderr(source, target)
    weights = np.asarray(own.weights_rgb)
    stops = float(weights @ np.log2(ratio))
    for other in own.apart_from:
        value = camera_gain_change(other, source, target, sources).value
        stops -= _shift_of(own, other, value, sources)
    stderr_stops = float(np.linalg.norm(weights * relative)) / math.log(2.0)
    source_setting = _source_setting(attribute, sources)
    return _reading_of_shift(own, stops, stderr_stops, target.num_px, source_setting)


def _camera_reading(attribute: str) -> CameraReading:
    reading = RELIGHTING[attribute].reading
    assert reading is not None, f"{attribute} is no attribute of the camera"
    return reading


def _source_setting(attribute: str, sources: Mapping[str, float]) -> float:
    return sources.get(attribute, find_attribute(attribute).default_source or 0.0)


def _shift_of(
    own: CameraReading, attribute: str, value: float, sources: Mapping[str, float]
) -> float:
    """Return what the change of another attribute adds to an attribute's shift, in stops."""
    source = _source_setting(attribute, sources)
    target = find_attribute(attribute).apply(source, value)
    gain_rgb = RELIGHTING[attribute].gain_rgb(source, target)
    return float(np.asarray(own.weights_rgb) @ np.log2(gain_rgb))


def _reading_of_shift(
    own: CameraReading, stops: float, stderr_stops: float, num_px: int, source: float
) -> Reading:
    value = own.change(stops, source)
    return Reading(value, stderr_stops * own.per_stop(value, source), num_px)


def uncoloured(light: LightGain) -> LightGain:
    """Return a gain without the black-body colour that its blue and red show.

    Raises:
        EditScaleError: the gain is no black body's colour.
    """
    if (light.gain_rgb <= 0.0).any():
        return light  # the reading that takes it says why
    return light.over(colour_rgb(kelvin(mired_of_colour(light.gain_rgb))))


def light_power_stops(source: LightGain, target: LightGain) -> Reading:
    """Return the change of a light's power in stops, from its gains in both pictures.

    The gains are those of light that was white, so that with colour they are the light itself. Its
    luminance counts, as a meter would read it where the light falls: the blue of a warm lamp, of
    which a picture holds next to nothing, has no vote against the green.

    Raises:
        EditScaleError: a gain is not positive: the light is not there.
    """
    _positive_ratio(source, target)
    before, after = (float(luminance(light.gain_rgb)) for light in (source, target))
    weights = np.asarray(REC709_LUMINANCE)
    errors = [
        float(np.linalg.norm(weights * light.stderr_rgb)) / level
        for light, level in ((source, before), (target, after))
    ]
    stderr = math.hypot(*errors) / math.log(2.0)
    return Reading(math.log2(after / before), stderr, target.num_px)


def light_temperature_mired(source: LightGain, target: LightGain) -> Reading:
    """Return the change of a light's colour in mired, where the gains are black-body colours.

    Raises:
        EditScaleError: a gain is not positive, or is no black body's colour.
    """
    _positive_ratio(source, target)
    readings = [_mired_of_gain(gain) for gain in (source, target)]
    stderr = math.hypot(readings[0].stderr, readings[1].stderr)
    return Reading(readings[1].value - readings[0].value, stderr, target.num_px)


def _mired_of_gain(gain: LightGain) -> Reading:
    value = mired_of_colour(gain.gain_rgb)
    relative = math.hypot(
        float(gain.stderr_rgb[2] / gain.gain_rgb[2]), float(gain.stderr_rgb[0] / gain.gain_rgb[0])
    )
    return Reading(value, abs(mired_per_stop(value)) * relative / math.log(2.0), gain.num_px)


def _positive_ratio(source: LightGain, target: LightGain) -> NDArray[np.float64]:
    if (source.gain_rgb <= 0.0).any() or (target.gain_rgb <= 0.0).any():
        msg = (
            f"light gains {source.gain_rgb.round(4).tolist()} to "
            f"{target.gain_rgb.round(4).tolist()}: must be positive, the light is not there"
        )
        raise EditScaleError(msg)
    ratio: NDArray[np.float64] = target.gain_rgb / source.gain_rgb
    return ratio


def _relative_stderr(source: LightGain, target: LightGain) -> NDArray[np.float64]:
    stderr: NDArray[np.float64] = np.hypot(
        source.stderr_rgb / source.gain_rgb, target.stderr_rgb / target.gain_rgb
    )
    return stderr
