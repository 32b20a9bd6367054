"""Photographic quantities: sRGB transfer, stops, EV100, mired, colour temperature, dioptres.

Everything here is pure and float64 unless an array comes in; each formula names its source and has
a number one can check by hand.

Sources: IEC 61966-2-1 (sRGB); ISO 2720 / APEX (EV100); CIE 15 (mired);
Kim et al., US patent 7,024,034 (cubic approximation of the Planckian locus).
"""

import math
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatT = TypeVar("FloatT", np.float32, np.float64)

REC709_LUMINANCE = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709, linear RGB to Y
MIN_CCT_K, MAX_CCT_K = 1667.0, 25000.0  # range of the Planckian approximation
DAYLIGHT_CCT_K = 6500.0  # CCT at which a scene-linear sRGB picture counts as balanced (D65)

# CIE XYZ to linear sRGB, D65 white, IEC 61966-2-1.
XYZ_TO_SRGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)

_KOSCHMIEDER = -math.log(0.02)


def srgb_encode(linear: NDArray[FloatT]) -> NDArray[FloatT]:
    """Map scene-linear [0, 1] to display sRGB [0, 1]; values outside are not clipped here.

    Source: IEC 61966-2-1.

    >>> round(float(srgb_encode(np.array(0.21404114))), 4)
    0.5
    """
    display = np.asarray(np.maximum(linear, 0.0031308) ** (1.0 / 2.4))
    display *= 1.055  # in place: the composer spends much of its time here
    display -= 0.055
    np.copyto(display, linear * 12.92, where=linear <= 0.0031308)
    return display.astype(linear.dtype, copy=False)


def srgb_decode(display: NDArray[FloatT]) -> NDArray[FloatT]:
    """Map display sRGB [0, 1] to scene-linear [0, 1].

    Source: IEC 61966-2-1.

    >>> round(float(srgb_decode(np.array(0.5))), 5)
    0.21404
    """
    magnitude = np.maximum(display, 0.04045)
    curve = ((magnitude + 0.055) / 1.055) ** 2.4
    linear: NDArray[FloatT] = np.where(display <= 0.04045, display / 12.92, curve)
    return linear.astype(display.dtype)


def luminance(linear_HW3: NDArray[FloatT]) -> NDArray[FloatT]:
    """Return relative luminance Y of scene-linear sRGB, shape (..., ) without the channel axis."""
    weights = np.asarray(REC709_LUMINANCE, dtype=linear_HW3.dtype)
    brightness: NDArray[FloatT] = linear_HW3 @ weights
    return brightness


def exposure_stops(
    source_time_s: float,
    target_time_s: float,
    *,
    source_f_number: float = 1.0,
    target_f_number: float = 1.0,
    source_iso: float = 100.0,
    target_iso: float = 100.0,
) -> float:
    """Return by how many stops the target is recorded brighter; the signal is t * S / N**2.

    Source: APEX.

    >>> exposure_stops(1 / 60, 1 / 30)
    1.0
    >>> round(exposure_stops(1, 1, source_f_number=4, target_f_number=2.8), 3)
    1.029
    """
    source = source_time_s * source_iso / source_f_number**2
    target = target_time_s * target_iso / target_f_number**2
    return math.log2(target / source)


def ev100(exposure_time_s: float, f_number: float, iso: float = 100.0) -> float:
    """Return the exposure value at ISO 100; higher means less light reaches the sensor.

    Source: APEX, EV = log2(N**2 / t) - log2(S / 100).

    >>> ev100(1.0, 8.0)
    6.0
    """
    return math.log2(f_number**2 / exposure_time_s) - math.log2(iso / 100.0)


def aperture_stops(f_number: float) -> float:
    """Return the aperture axis 2 * log2(N); one unit is one full stop.

    >>> round(aperture_stops(2.8) - aperture_stops(2.0), 3)
    0.971
    """
    return 2.0 * math.log2(f_number)


def f_number_from_stops(stops: float) -> float:
    """Return N of a position on the aperture axis.

    >>> f_number_from_stops(4.0)
    4.0
    """
    return math.exp2(stops / 2.0)


def mired(cct_k: float) -> float:
    """Return reciprocal megakelvin, the axis on which colour temperatures differ evenly.

    >>> round(mired(6500) - mired(5500), 2)
    -27.97
    """
    return 1e6 / cct_k


def kelvin(mired_value: float) -> float:
    """Return the colour temperature of a value in mired.

    >>> kelvin(200.0)
    5000.0
    """
    return 1e6 / mired_value


def dioptres(distance_m: float) -> float:
    """Return the reciprocal distance, the axis of focus.

    >>> dioptres(0.5)
    2.0
    """
    return 1.0 / distance_m


def extinction_per_m(visibility_m: float) -> float:
    """Return the extinction coefficient of fog of a meteorological visibility.

    Source: Koschmieder, visibility = -ln(0.02) / extinction: contrast has fallen to 2 %.

    >>> round(extinction_per_m(50.0), 4)
    0.0782
    """
    return _KOSCHMIEDER / visibility_m


def visibility_m(extinction_per_m: float) -> float:
    """Return the meteorological visibility of an extinction coefficient; see above.

    >>> round(visibility_m(0.0782), 1)
    50.0
    """
    return _KOSCHMIEDER / extinction_per_m


def planckian_xy(cct_k: float) -> tuple[float, float]:
    """Return CIE 1931 (x, y) of a black body, 1667 K to 25000 K.

    Source: Kim et al., US patent 7,024,034, cubic spline; error below 4e-4 in x.

    >>> tuple(round(v, 4) for v in planckian_xy(6500))
    (0.3135, 0.3237)

    Raises:
        ValueError: the temperature lies outside the approximation.
    """
    if not MIN_CCT_K <= cct_k <= MAX_CCT_K:
        msg = f"colour temperature {cct_k:g} K: must lie within {MIN_CCT_K:g} to {MAX_CCT_K:g} K"
        raise ValueError(msg)
    k = 1e3 / cct_k
    if cct_k <= 4000.0:
        x = -0.2661239 * k**3 - 0.2343589 * k**2 + 0.8776956 * k + 0.179910
    else:
        x = -3.0258469 * k**3 + 2.1070379 * k**2 + 0.2226347 * k + 0.240390
    if cct_k <= 2222.0:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif cct_k <= 4000.0:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


@lru_cache(maxsize=4096)  # the composer asks for the same lamps again and again
def blackbody_rgb(cct_k: float) -> NDArray[np.float64]:
    """Return linear sRGB of a black body with luminance 1, shape (3,), not to be written to.

    Blue is 0 below about 1900 K.

    Source: `planckian_xy` and the sRGB matrix; Blender's `light.temperature_color` agrees.

    >>> blackbody_rgb(3000).round(2).tolist()
    [1.77, 0.85, 0.27]
    """
    x, y = planckian_xy(cct_k)
    rgb: NDArray[np.float64] = np.maximum(XYZ_TO_SRGB @ [x / y, 1.0, (1.0 - x - y) / y], 0.0)
    rgb.flags.writeable = False  # one array for all who ask
    return rgb
