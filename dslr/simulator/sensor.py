"""The simulated sensor: from mean light to raw numbers, with the noise that a real one has.

A colour filter per pixel, photons counted with shot noise, a photodiode that fills up, read noise
before and after the amplifier, a black level, 14 bits.
Source: EMVA 1288 release 4.0, chapter 2 (the linear model); Janesick, Photon Transfer, SPIE 2007.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import XYZ_TO_SRGB, planckian_xy
from cat_dataset.system.seeding import derive_rng

Linear = NDArray[np.float32]

# XYZ to camera under D65, of a full-frame Canon (dcraw: EOS 5D Mark III); times sRGB-to-XYZ it
# has no negative entry, so that no light, however saturated, becomes a negative signal.
XYZ_TO_CAMERA = np.array(
    [[0.6722, -0.0635, -0.0963], [-0.4287, 1.2460, 0.2028], [-0.0908, 0.2162, 0.5668]]
)


@dataclass(frozen=True)
class Sensor:
    """The simulated sensor, as large DSLRs are."""

    full_well_e: float = 40_000.0  # electrons at white, ISO 100
    saturation_e: float = 44_000.0  # a photodiode holds no more; an ISO below 100 meets it
    pixel_noise_e: float = 2.4  # one standard deviation, before the amplifier
    converter_noise_e: float = 3.2  # one, behind it: in electrons of ISO 100
    black_level: int = 512  # DN
    white_level: int = 16_383

    def electrons_per_dn(self, iso: int) -> float:
        """Return electrons per DN: higher ISO spends fewer on the same number."""
        return self.full_well_e * 100.0 / iso / (self.white_level - self.black_level)

    def read_noise_e(self, iso: int) -> float:
        """Return one standard deviation of read noise in electrons; it falls with the gain.

        >>> Sensor().read_noise_e(100)
        4.0
        >>> round(Sensor().read_noise_e(800), 3)
        2.433
        """
        return math.hypot(self.pixel_noise_e, self.converter_noise_e * 100.0 / iso)

    def white_e(self, iso: int) -> float:
        """Return the electrons of the brightest number that can be recorded."""
        return min(self.full_well_e * 100.0 / iso, self.saturation_e)

    def white_level_dn(self, iso: int) -> int:
        """Return that number: below ISO 100 the photodiode is full before the converter is.

        >>> Sensor().white_level_dn(100), Sensor().white_level_dn(50)
        (16383, 9241)
        """
        span = (self.white_level - self.black_level) * self.white_e(iso) * iso
        return self.black_level + round(span / (self.full_well_e * 100.0))


SENSOR = Sensor()


def camera_rgb(linear_HW3: Linear) -> NDArray[np.float64]:
    """Return what the filters let through of linear sRGB, float64 (H, W, 3); white green = 1.

    Negative light, which a denoiser or a sharp resampling may leave, counts as none.
    """
    srgb_to_camera = XYZ_TO_CAMERA @ np.linalg.inv(XYZ_TO_SRGB)
    light = np.maximum(linear_HW3, 0.0).astype(np.float64)
    filtered: NDArray[np.float64] = light @ (srgb_to_camera / srgb_to_camera[1].sum()).T
    return filtered


def neutral_rgb(cct_k: float | None) -> tuple[float, float, float]:
    """Return the camera RGB of a grey surface in black-body light, green = 1; None means D65.

    This is AsShotNeutral of a camera whose white balance is set to `cct_k`.
    """
    if cct_k is None:
        red, green, blue = camera_rgb(np.ones((1, 1, 3), np.float32))[0, 0].tolist()
        return red, green, blue
    x, y = planckian_xy(cct_k)
    red, green, blue = (XYZ_TO_CAMERA @ np.array([x / y, 1.0, (1.0 - x - y) / y])).tolist()
    return red / green, 1.0, blue / green


def bayer_mosaic(picture_HW3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the RGGB mosaic (H, W) of a picture with even sides: each pixel sees one colour."""
    mosaic_HW = picture_HW3[..., 1].copy()
    mosaic_HW[0::2, 0::2] = picture_HW3[0::2, 0::2, 0]
    mosaic_HW[1::2, 1::2] = picture_HW3[1::2, 1::2, 2]
    return mosaic_HW


def pixel_gains(
    height_px: int, width_px: int, prnu_share: float, serial: str
) -> NDArray[np.float64]:
    """Return how much each pixel of one sensor differs from the mean, float64 (H, W) about 1.

    The pattern (photo response non-uniformity) belongs to a body: equal serials, equal pattern.
    """
    pattern = derive_rng(0, "pixel-gains", serial).normal(1.0, prnu_share, (height_px, width_px))
    return np.maximum(pattern, 0.0)


def expose(
    mean_e_HW: NDArray[np.float64], iso: int, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Return sensor values in DN of the mean number of electrons per pixel."""
    held_e = np.minimum(rng.poisson(mean_e_HW), SENSOR.saturation_e)
    counted_e = held_e + rng.normal(0.0, SENSOR.read_noise_e(iso), mean_e_HW.shape)
    values = np.round(counted_e / SENSOR.electrons_per_dn(iso)) + SENSOR.black_level
    recorded: NDArray[np.uint16] = np.clip(values, 0, SENSOR.white_level).astype(np.uint16)
    return recorded
