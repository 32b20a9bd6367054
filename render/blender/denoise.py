"""Denoise one light group at a time with Open Image Denoise (OIDN).

Cycles never denoises light-group passes. The bpy wheel ships the OIDN library, and its C interface
is called here. The package `pyoidn` was tried instead: it imports torch wherever torch is
installed, which must not meet bpy in a process, and adds 171 MB for a library that is there.

OIDN is homogeneous (twice the light, twice the result) but not additive, so groups are denoised
once and combined afterwards: every pair made of them keeps its exact relation.

Source: OIDN API, https://www.openimagedenoise.org/documentation.html
"""

import ctypes
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError

Picture = NDArray[np.float32]
Quality = Literal["fast", "balanced", "high"]

_DEVICE_TYPE_CPU = 1  # OIDN_DEVICE_TYPE_CPU
_FORMAT_FLOAT3 = 3  # OIDN_FORMAT_FLOAT3
_QUALITY: dict[Quality, int] = {"fast": 4, "balanced": 5, "high": 6}  # OIDN_QUALITY_*


@dataclass(frozen=True)
class Guides:
    """What the surfaces are like where the light is noisy, both without noise."""

    albedo_HW3: Picture  # in [0, 1]
    normal_HW3: Picture  # in [-1, 1]


class Denoiser:
    """One OIDN device on one CPU thread."""

    def __init__(self, quality: Quality = "balanced") -> None:
        self.quality: Quality = quality
        self._api = _load_library()
        self._device = ctypes.c_void_p(self._api.oidnNewDevice(_DEVICE_TYPE_CPU))
        self._api.oidnSetDeviceInt(self._device, b"numThreads", 1)
        # Pinning would put every worker of a machine on the same core.
        self._api.oidnSetDeviceBool(self._device, b"setAffinity", False)
        self._api.oidnCommitDevice(self._device)
        self._check()

    def clean_guides(self, albedo_HW3: Picture, normal_HW3: Picture) -> Guides:
        """Return the guides without their own noise, once for all light groups of a picture.

        Depth of field and glass make guides noisy, and a noisy guide keeps noise in the picture.
        Albedo beyond 1 (the visible sky) is cut to what OIDN expects.

        Raises:
            SceneError: OIDN refused.
        """
        albedo = self._filter({"albedo": np.minimum(albedo_HW3, np.float32(1.0))}, "fast")
        return Guides(albedo, self._filter({"normal": normal_HW3}, "fast"))

    def denoise(self, picture_HW3: Picture, guides: Guides) -> Picture:
        """Return `picture_HW3` without noise, float32 (H, W, 3), scene-linear, never negative.

        Raises:
            SceneError: OIDN refused.
        """
        return self._filter(
            {"color": picture_HW3, "albedo": guides.albedo_HW3, "normal": guides.normal_HW3},
            self.quality,
        )

    def _filter(self, noisy: Mapping[str, Picture], quality: Quality) -> Picture:
        """Run OIDN's ray-tracing filter on the named images."""
        images = {name: np.ascontiguousarray(a, np.float32) for name, a in noisy.items()}
        shape = next(iter(images.values())).shape
        clean = np.empty(shape, np.float32)
        rt_filter = ctypes.c_void_p(self._api.oidnNewFilter(self._device, b"RT"))
        for name, image in {**images, "output": clean}.items():
            pointer = ctypes.c_void_p(image.ctypes.data)
            sizes = (ctypes.c_size_t(size) for size in (shape[1], shape[0], 0, 0, 0))
            self._api.oidnSetSharedFilterImage(
                rt_filter, name.encode(), pointer, _FORMAT_FLOAT3, *sizes
            )
        if "color" in images:
            self._api.oidnSetFilterBool(rt_filter, b"hdr", True)
            self._api.oidnSetFilterBool(rt_filter, b"cleanAux", True)
        self._api.oidnSetFilterInt(rt_filter, b"quality", _QUALITY[quality])
        self._api.oidnCommitFilter(rt_filter)
        self._api.oidnExecuteFilter(rt_filter)
        self._api.oidnReleaseFilter(rt_filter)
        self._check()
        return clean

    def _check(self) -> None:
        text = ctypes.c_char_p()
        if self._api.oidnGetDeviceError(self._device, ctypes.byref(text)):
            msg = f"denoiser: {(text.value or b'unknown error').decode(errors='replace')}"
            raise SceneError(msg)


@lru_cache(maxsize=3)
def shared_denoiser(quality: Quality) -> Denoiser:
    """Return this process's denoiser of a quality; making one costs more than using it."""
    return Denoiser(quality)


def _load_library() -> Any:
    files = importlib.metadata.files("bpy") or []
    paths = [str(f.locate()) for f in files if f.name.startswith("libOpenImageDenoise.so")]
    if not paths:
        msg = "denoiser: the bpy wheel holds no libOpenImageDenoise; reinstall cat-dataset[render]"
        raise SceneError(msg)
    api = ctypes.CDLL(paths[0])
    api.oidnNewDevice.restype = api.oidnNewFilter.restype = ctypes.c_void_p
    return api
