"""HDRIs that users bring: found in a folder, checked, ready to light a scene.

An HDRI is equirectangular, so twice as wide as high; anything else would light a scene from wrong
directions without looking wrong, and is refused.
"""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import luminance
from render.asset_folder import HDRI_SUFFIXES, list_assets

MAX_WIDTH_PX = 8192  # 16 bytes a pixel in every worker
_MAX_ASPECT_ERROR = 0.01  # of width over height
_MAX_NEGATIVE = 0.01  # of all light; scaling an HDRI leaves a little, which is taken for none
_USUAL_SHARE = 0.98  # of the pixels: what is brighter are lamps, windows and the sun


def list_hdris(folder: Path) -> tuple[Path, ...]:
    """Return the HDRIs in a folder and below, sorted by path.

    Raises:
        JobError: the folder does not exist, or holds none.
    """
    return list_assets(folder, HDRI_SUFFIXES, "HDRIs")


def load_user_hdri(path: Path) -> Any:
    """Return an HDRI file as an image.

    Raises:
        SceneError: it cannot be read, is not equirectangular, too large, or no light.
    """
    if not path.is_file():
        msg = f"HDRI {path}: no such file; check the path"
        raise SceneError(msg)
    image = bpy.data.images.load(str(path))
    width, height = image.size
    if min(width, height) == 0 or not image.is_float:
        msg = f"HDRI {path}: Blender cannot read it as float pixels; give an .hdr or .exr file"
        raise SceneError(msg)
    if abs(width / height - 2.0) > 2.0 * _MAX_ASPECT_ERROR:
        msg = (
            f"HDRI {path}: is {width} x {height} px, an equirectangular HDRI is twice as wide as "
            f"high; convert it to that projection"
        )
        raise SceneError(msg)
    if width > MAX_WIDTH_PX:
        msg = (
            f"HDRI {path}: is {width} px wide, at most {MAX_WIDTH_PX} px fit; scale it down, a "
            f"lamp of 4096 px lights no worse"
        )
        raise SceneError(msg)
    _check_light(hdri_pixels(image), path)
    return image


def _check_light(pixels_HW3: NDArray[np.float32], path: Path) -> None:
    num_bad = int((~np.isfinite(pixels_HW3)).any(axis=-1).sum())
    if num_bad:
        msg = f"HDRI {path}: {num_bad} pixel(s) are not finite numbers; repair them and save anew"
        raise SceneError(msg)
    light = float(np.maximum(pixels_HW3, 0.0).sum(dtype=np.float64))
    negative = float(-np.minimum(pixels_HW3, 0.0).sum(dtype=np.float64))
    if light <= 0.0:
        msg = f"HDRI {path}: is black; it lights nothing"
        raise SceneError(msg)
    if negative > _MAX_NEGATIVE * light:
        msg = (
            f"HDRI {path}: {100.0 * negative / light:.1f} % of its light is negative, at most "
            f"{100.0 * _MAX_NEGATIVE:g} % may be; clamp it at 0 and save anew"
        )
        raise SceneError(msg)


def hdri_pixels(image: Any) -> NDArray[np.float32]:
    """Return the pixels of an image, float32 (H, W, 3), scene-linear, bottom row first."""
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, image.channels)[..., :3]


def usual_radiance(image: Any) -> float:
    """Return the mean luminance of an HDRI without its brightest pixels, the scale of its light."""
    light = luminance(hdri_pixels(image)).ravel()
    bound = np.quantile(light, _USUAL_SHARE)
    mean = float(light[light <= bound].mean())
    return mean if mean > 0.0 else float(light.max())
