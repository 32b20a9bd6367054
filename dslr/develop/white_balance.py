"""White balance of a RAW file: multipliers, and the colour temperature they stand for.

Multipliers are exact; kelvin is derived from them through the camera's colour matrices, because
the kelvin in makernotes is a menu setting and not what the camera applied.
Source: DNG specification 1.7, chapter 6 (translating camera neutral to xy); CIE 15.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import (
    DAYLIGHT_CCT_K,
    MAX_CCT_K,
    MIN_CCT_K,
    XYZ_TO_SRGB,
    planckian_xy,
)
from dslr.files.metadata import DngColour

Matrix3 = NDArray[np.float64]
_START_XY = (0.3457, 0.3585)  # D50, where the DNG specification starts the search
_MAX_ROUNDS = 40
LOWEST_K = 1950.0  # the blue of a black body leaves sRGB below
_UNKNOWN_SPREAD = 1e-6  # multipliers equal to this precision were never set


@dataclass(frozen=True)
class WhiteBalance:
    """The multipliers that make the group's neutral neutral, and where they come from."""

    multipliers_rgb: tuple[float, float, float]  # on camera RGB, green = 1
    cct_k: float | None  # correlated colour temperature; None where it is unknown
    duv: float | None  # distance from the Planckian locus in CIE 1960, positive = greenish
    source: str  # "as shot", "daylight of the camera model", "D65 of the matrix", "unknown"


def white_balance_of(raw: Any, dng_colour: DngColour | None) -> WhiteBalance:
    """Return the balance of an open file: as shot, or daylight where the file does not say."""
    matrix = xyz_to_camera(raw, dng_colour)
    as_shot = known_multipliers(raw.camera_whitebalance)
    if as_shot is not None:
        cct_k, duv = kelvin_of_multipliers(as_shot, matrix, dng_colour)
        if cct_k is not None and not LOWEST_K <= cct_k < np.floor(MAX_CCT_K):
            cct_k = duv = None  # no black body that sRGB can show: no number is better
        return WhiteBalance(as_shot, cct_k, duv, "as shot")
    daylight = known_multipliers(raw.daylight_whitebalance)
    if daylight is not None:
        return WhiteBalance(daylight, DAYLIGHT_CCT_K, None, "daylight of the camera model")
    if matrix is not None:
        neutral = matrix @ np.linalg.inv(XYZ_TO_SRGB).sum(axis=1)  # camera RGB of D65 white
        red, green, blue = (float(value) for value in neutral)
        multipliers = green / red, 1.0, green / blue
        return WhiteBalance(multipliers, DAYLIGHT_CCT_K, None, "D65 of the matrix")
    return WhiteBalance((1.0, 1.0, 1.0), None, None, "unknown")


def known_multipliers(multipliers: list[float]) -> tuple[float, float, float] | None:
    """Return (R, 1, B) of LibRaw's four multipliers; None where the camera did not say.

    Cameras without it write 0, -1, or the same number everywhere.

    >>> known_multipliers([2.0, 1.0, 1.5, 0.0])
    (2.0, 1.0, 1.5)
    >>> known_multipliers([1.0, 1.0, 1.0, 1.0]) is None
    True
    """
    red, green, blue, _ = multipliers
    if min(red, green, blue) <= 0.0:
        return None
    if max(red, green, blue) / min(red, green, blue) - 1.0 < _UNKNOWN_SPREAD:
        return None
    return red / green, 1.0, blue / green


def xyz_to_camera(raw: Any, dng_colour: DngColour | None) -> Matrix3 | None:
    """Return XYZ to camera RGB under D65, 3x3: the DNG's own, or LibRaw's of the camera model.

    None for a camera that neither covers.
    """
    if dng_colour is not None:
        return dng_matrix(dng_colour, DAYLIGHT_CCT_K)
    matrix: Matrix3 = np.array(raw.rgb_xyz_matrix[:3], np.float64)
    return matrix if abs(np.linalg.det(matrix)) > 1e-9 else None


def camera_to_srgb(matrix: Matrix3 | None) -> Matrix3:
    """Return the matrix from balanced camera RGB to linear sRGB; identity without a matrix.

    `matrix` is XYZ to camera under D65. Each row of its product with sRGB-to-XYZ is scaled to the
    sum 1, so that balanced white (1, 1, 1) is sRGB white (1, 1, 1) whatever the balance: neutral
    stays neutral. Source: `cam_xyz_coeff` of dcraw.
    """
    if matrix is None:
        return np.eye(3)
    srgb_to_camera = matrix @ np.linalg.inv(XYZ_TO_SRGB)
    inverse: Matrix3 = np.linalg.inv(srgb_to_camera / srgb_to_camera.sum(axis=1, keepdims=True))
    return inverse


def kelvin_of_multipliers(
    multipliers_rgb: tuple[float, float, float],
    matrix: Matrix3 | None,
    dng_colour: DngColour | None,
) -> tuple[float | None, float | None]:
    """Return (kelvin, Duv) of as-shot multipliers; (None, None) without any colour matrix.

    A DNG's two matrices are interpolated in mired at the temperature sought, so the search goes
    round until it stands still; another RAW has one matrix, good near daylight.
    """
    neutral = 1.0 / np.array(multipliers_rgb)
    if dng_colour is None:
        return (None, None) if matrix is None else kelvin_of_xyz(np.linalg.solve(matrix, neutral))
    x, y = _START_XY
    xyz = np.array([x / y, 1.0, (1.0 - x - y) / y])
    for _ in range(_MAX_ROUNDS):
        xyz = np.linalg.solve(dng_matrix(dng_colour, kelvin_of_xyz(xyz)[0]), neutral)
    return kelvin_of_xyz(xyz)


def dng_matrix(colour: DngColour, cct_k: float) -> Matrix3:
    """Return XYZ to this camera's RGB at a colour temperature: AB * CC * CM (DNG 1.7)."""
    matrix = np.array(colour.colour_matrix_1)
    has_second = (
        colour.illuminant_2_k is not None and colour.illuminant_2_k != colour.illuminant_1_k
    )
    if colour.colour_matrix_2 is not None and colour.illuminant_2_k is not None and has_second:
        low, high = 1.0 / colour.illuminant_1_k, 1.0 / colour.illuminant_2_k
        share = float(np.clip((1.0 / cct_k - high) / (low - high), 0.0, 1.0))
        matrix = share * matrix + (1.0 - share) * np.array(colour.colour_matrix_2)
    balanced: Matrix3 = (
        np.diag(colour.analog_balance) @ np.array(colour.camera_calibration) @ matrix
    )
    return balanced


def kelvin_of_xyz(xyz: NDArray[np.float64]) -> tuple[float, float]:
    """Return (kelvin, Duv) of a colour: the nearest point of the Planckian locus in CIE 1960 uv.

    >>> kelvin_of_xyz(np.array([0.9505, 1.0, 1.089]))[0]  # D65: 6504 K, the cubic errs by 3 K
    6501.0
    """
    cct_k, locus_u, locus_v = _locus()
    u, v = _uv(float(xyz[0] / xyz.sum()), float(xyz[1] / xyz.sum()))
    distance = np.hypot(u - locus_u, v - locus_v)
    nearest = int(distance.argmin())
    return float(cct_k[nearest]), float(np.copysign(distance[nearest], v - locus_v[nearest]))


@cache
def _locus() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return temperatures in steps of 1 K, and u and v of their black bodies."""
    cct_k = np.arange(np.ceil(MIN_CCT_K), np.floor(MAX_CCT_K) + 1.0)
    uv = np.array([_uv(*planckian_xy(float(value))) for value in cct_k])
    return cct_k, uv[:, 0], uv[:, 1]


def _uv(x: float, y: float) -> tuple[float, float]:
    denominator = -2.0 * x + 12.0 * y + 3.0
    return 4.0 * x / denominator, 6.0 * y / denominator
