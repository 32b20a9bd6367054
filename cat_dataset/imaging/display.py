"""From scene-linear light to 8-bit sRGB, once and for both pictures of a pair together.

One exposure anchor and one tone curve per sweep or light basis: anything exposed per image would
erase the very difference that a pair is there to show.

Tone curves, on light x after the anchor, each channel by itself, before the sRGB transfer:
    srgb    x, clipped at 1
    filmic  x up to k; above it k + (1 - k) s(u) with u = (x - k) / (1 - k), which reaches 1 at
            x = w and is smooth at k; k = 0.4, w = 4, so two more stops of highlights stay visible.
            s(u) = u (1 + u / m**2) / (1 + u) with m = (w - k) / (1 - k).
            Source: Reinhard et al. 2002, Photographic tone reproduction, equation 4.
Both rise strictly up to their white and can be undone.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.channels import brightest_channel
from cat_dataset.imaging.photometry import luminance, srgb_decode, srgb_encode

ToneCurve = Literal["srgb", "filmic"]

TONE_CURVE: ToneCurve = "srgb"
COLOUR_SPACE = "srgb"
_FILMIC_KNEE, _FILMIC_WHITE = 0.4, 4.0
_FILMIC_REACH = (_FILMIC_WHITE - _FILMIC_KNEE) / (1.0 - _FILMIC_KNEE)  # m above
_CODE_ROUNDING = 0.002  # codes that a decoded and encoded code may be off
ANCHOR_PERCENTILE = 97.0  # bright but not the highlights: lamps and reflections may clip
ANCHOR_TARGET = 0.70  # linear level of that percentile in the base picture, display code 218


def exposure_anchor(base_HW3: NDArray[np.float32]) -> float:
    """Return the factor that exposes a base picture well; applied to every frame of its scene.

    A black picture gives 1: there is nothing to expose for, and the checks reject its pairs.
    """
    level = _luminance_percentile(base_HW3, ANCHOR_PERCENTILE)
    return ANCHOR_TARGET / level if level > 0.0 else 1.0


def _luminance_percentile(base_HW3: NDArray[np.float32], percent: float) -> float:
    """Return a percentile as `np.percentile` does, between two values linearly, 5 times as fast.

    NaN where a value is.
    """
    values = luminance(base_HW3)
    place = (values.size - 1) * (percent / 100.0)
    below = int(place)
    parted = np.partition(values, below, axis=None)
    low, rest = parted[below], parted[below + 1 :]
    high = rest.min() if rest.size else low  # NaN stand last
    step, share = float(np.float32(high - low)), place - below
    # from the nearer end, as numpy has it
    return float(high) - step * (1.0 - share) if share >= 0.5 else float(low) + step * share


def white_level(tone_curve: ToneCurve) -> float:
    """Return the light after the anchor from which on a tone curve shows white."""
    return _FILMIC_WHITE if tone_curve == "filmic" else 1.0


def apply_tone_curve(light: NDArray[np.float32], tone_curve: ToneCurve) -> NDArray[np.float32]:
    """Return the display's linear level in [0, 1] of light after the anchor.

    >>> [round(float(apply_tone_curve(np.float32(x), "filmic")), 4) for x in (0.2, 0.7, 1, 4, 9)]
    [0.2, 0.6028, 0.7083, 1.0, 1.0]
    """
    shown = np.clip(light, 0.0, white_level(tone_curve))
    if tone_curve == "srgb":
        return shown
    above = np.maximum(shown - np.float32(_FILMIC_KNEE), 0.0) / np.float32(1.0 - _FILMIC_KNEE)
    shoulder = above * (1.0 + above / np.float32(_FILMIC_REACH**2)) / (1.0 + above)
    level = _FILMIC_KNEE + (1.0 - _FILMIC_KNEE) * shoulder
    return np.where(shown <= _FILMIC_KNEE, shown, level).astype(np.float32)


def undo_tone_curve(level: NDArray[np.float32], tone_curve: ToneCurve) -> NDArray[np.float32]:
    """Return the light after the anchor of a display's linear level in [0, 1].

    >>> [round(float(undo_tone_curve(np.float32(y), "filmic")), 3) for y in (0.2, 0.6028, 1)]
    [0.2, 0.7, 4.0]
    """
    if tone_curve == "srgb":
        return level
    # u**2 / m**2 + u (1 - s) - s = 0
    shoulder = np.maximum(level - _FILMIC_KNEE, 0.0) / (1.0 - _FILMIC_KNEE)
    rest, square = 1.0 - shoulder, _FILMIC_REACH**2
    above = square / 2.0 * (np.sqrt(rest * rest + 4.0 * shoulder / square) - rest)
    light = _FILMIC_KNEE + (1.0 - _FILMIC_KNEE) * above
    return np.where(level <= _FILMIC_KNEE, level, light).astype(np.float32)


def encode_display(
    linear_HW3: NDArray[np.float32], anchor: float, tone_curve: ToneCurve = TONE_CURVE
) -> NDArray[np.uint8]:
    """Return 8-bit sRGB of scene-linear light; what is brighter than the curve's white clips."""
    display = _unrounded_codes(linear_HW3, anchor, tone_curve)
    codes: NDArray[np.uint8] = np.rint(display, out=display).astype(np.uint8)
    return codes


def encode_dithered(linear_HW3: NDArray[np.float32], first_row: int = 0) -> NDArray[np.uint8]:
    """Return 8-bit sRGB of light, rounded up or down by place, so that areas keep their mean.

    Rounded alike, all of a smooth sky may become 0.3 codes too bright, 0.01 stop, and show bands.
    Light that is a code already stays it; the same light at the same place is the same code, and a
    grey pixel stays grey. `first_row` is where these rows begin in their picture.

    Source of the pattern: Jimenez 2014, Next Generation Post Processing in Call of Duty: Advanced
    Warfare, interleaved gradient noise.
    """
    height, width = linear_HW3.shape[:2]
    rows = 0.00583715 * np.arange(first_row, first_row + height) % 1.0
    columns = 0.06711056 * np.arange(width) % 1.0
    sums_HW = np.add.outer(rows.astype(np.float32), columns.astype(np.float32)) % 1.0
    noise_HW = np.float32(52.9829189) * sums_HW % 1.0
    # light decoded from a code is that code but for a float's last bits
    noise_HW = _CODE_ROUNDING + (1.0 - 2.0 * _CODE_ROUNDING) * noise_HW
    codes = _unrounded_codes(linear_HW3, 1.0, TONE_CURVE)
    codes += noise_HW[..., None]
    return np.minimum(codes, 255.0, out=codes).astype(np.uint8)


def _unrounded_codes(
    linear_HW3: NDArray[np.float32], anchor: float, tone_curve: ToneCurve
) -> NDArray[np.float32]:
    """Return sRGB of scene-linear light in codes, 0 to 255, before they are rounded."""
    display = srgb_encode(apply_tone_curve(linear_HW3 * np.float32(anchor), tone_curve))
    display *= np.float32(255.0)
    return display


def decode_display(
    display_HW3: NDArray[np.uint8], tone_curve: ToneCurve = TONE_CURVE
) -> NDArray[np.float32]:
    """Return light after the anchor, in [0, white], of an encoded picture, float32 (H, W, 3)."""
    level = srgb_decode(display_HW3.astype(np.float32) / np.float32(255.0)).astype(np.float32)
    return undo_tone_curve(level, tone_curve)


def clip_fraction(
    linear_HW3: NDArray[np.float32], anchor: float, tone_curve: ToneCurve = TONE_CURVE
) -> float:
    """Return the share of pixels in which a channel reaches the display's white."""
    white = white_level(tone_curve)
    return float((brightest_channel(linear_HW3) * np.float32(anchor) >= white).mean())


def encode_png(display: NDArray[np.uint8]) -> bytes:
    """Return PNG bytes of a picture, (H, W, 3) RGB or (H, W) grey; equal pixels, equal bytes.

    Huffman coding of filtered rows: of a 512 px render 290 kB in 15 ms, where run lengths take
    285 kB in 21 ms, level 3 takes 301 kB in 34 ms and level 1 takes 322 kB in 18 ms
    (benchmarks/encoders.py). Grey ones are masks, mostly flat: run lengths suit them.
    """
    is_mask = display.ndim == 2
    strategy = cv2.IMWRITE_PNG_STRATEGY_RLE if is_mask else cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY
    settings = [cv2.IMWRITE_PNG_STRATEGY, strategy]
    picture = display if is_mask else display[..., ::-1]
    is_encoded, buffer = cv2.imencode(".png", picture, settings)
    if not is_encoded:
        msg = f"OpenCV cannot encode a picture of shape {display.shape} as PNG"
        raise ValueError(msg)
    return buffer.tobytes()


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """Return the RGB picture, uint8 (H, W, 3), of encoded bytes (PNG, JPEG, ...).

    Raises:
        ValueError: the bytes are no picture that OpenCV can read.
    """
    buffer = np.frombuffer(data, np.uint8)
    picture = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if buffer.size else None  # asserts on none
    if picture is None:
        msg = f"{len(data)} bytes that are no readable picture"
        raise ValueError(msg)
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)
