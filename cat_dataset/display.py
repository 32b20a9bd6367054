"""From scene-linear light to 8-bit sRGB, once and for both pictures of a pair together.

One exposure anchor and one tone curve per sweep or light basis: anything exposed per image would
erase the very difference that a pair is there to show.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.photometry import luminance, srgb_decode, srgb_encode

TONE_CURVE = "srgb"
COLOUR_SPACE = "srgb"
ANCHOR_PERCENTILE = 97.0  # bright but not the highlights: lamps and reflections may clip
ANCHOR_TARGET = 0.70  # linear level of that percentile in the base picture, display code 218


def exposure_anchor(base_HW3: NDArray[np.float32]) -> float:
    """Return the factor that exposes a base picture well; applied to every frame of its scene.

    A black picture gives 1: there is nothing to expose for, and the gates reject its pairs.
    """
    level = float(np.percentile(luminance(base_HW3), ANCHOR_PERCENTILE))
    return ANCHOR_TARGET / level if level > 0.0 else 1.0


def encode_display(linear_HW3: NDArray[np.float32], anchor: float) -> NDArray[np.uint8]:
    """Return 8-bit sRGB of scene-linear light; values outside [0, 1] after the anchor clip."""
    display = srgb_encode(np.clip(linear_HW3 * np.float32(anchor), 0.0, 1.0))
    codes: NDArray[np.uint8] = np.round(display * 255.0).astype(np.uint8)
    return codes


def decode_display(display_HW3: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return scene-linear light in [0, 1] of 8-bit sRGB, float32 (H, W, 3)."""
    return srgb_decode(display_HW3.astype(np.float32) / np.float32(255.0)).astype(np.float32)


def clip_fraction(linear_HW3: NDArray[np.float32], anchor: float) -> float:
    """Return the share of pixels in which a channel reaches the display's white."""
    return float((linear_HW3 * np.float32(anchor) >= 1.0).any(axis=-1).mean())


def encode_png(display_HW3: NDArray[np.uint8], compression: int = 3) -> bytes:
    """Return PNG bytes of an RGB picture; fixed encoder settings, so equal pixels, equal bytes."""
    is_encoded, buffer = cv2.imencode(
        ".png", display_HW3[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, compression]
    )
    if not is_encoded:
        msg = f"OpenCV cannot encode a picture of shape {display_HW3.shape} as PNG"
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
