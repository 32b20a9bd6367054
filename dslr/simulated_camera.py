"""A camera whose truth is known: photographs linear light as a bracket of DNG files.

The physics is a real sensor's: a colour filter per pixel, photons counted with shot noise, read
noise, a full well, a black level, 14 bits. Like a real camera it prints rounded shutter times and
uses powers of two: what it prints as 1/60 s is 1/64 s. Its files say that they are simulated, and
the truth lies beside them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cat_dataset.atomic import write_text_atomic
from cat_dataset.batches import SimulatedCamera
from cat_dataset.photometry import XYZ_TO_SRGB
from dslr.dng import DngHeader, write_dng
from dslr.exposure import snap_series

Linear = NDArray[np.float32]

# XYZ to camera under D65, of a full-frame Canon (dcraw: EOS 5D Mark III); times sRGB-to-XYZ it
# has no negative entry, so that no light, however saturated, becomes a negative signal.
XYZ_TO_CAMERA = np.array(
    [[0.6722, -0.0635, -0.0963], [-0.4287, 1.2460, 0.2028], [-0.0908, 0.2162, 0.5668]]
)
_FIRST_SHOT_AT = datetime(2026, 1, 1, 12, 0, 0)
_BRACKET_EVERY = timedelta(minutes=1)
_FRAME_GAP = timedelta(seconds=0.5)
_EXPOSED_PERCENTILE, _EXPOSED_LEVEL = 99.0, 0.3  # of full scale in the middle frame
_FOCAL_LENGTH_MM = 50.0


@dataclass(frozen=True)
class Sensor:
    """The simulated sensor, as large DSLRs are at base ISO."""

    full_well_e: float = 40_000.0  # electrons at white, ISO 100
    read_noise_e: float = 4.0  # one standard deviation
    black_level: int = 512  # DN
    white_level: int = 16_383

    def electrons_per_dn(self, iso: int) -> float:
        """Return electrons per DN: higher ISO spends fewer on the same number."""
        return self.full_well_e * 100.0 / iso / (self.white_level - self.black_level)


SENSOR = Sensor()


def true_exposure_times_s(camera: SimulatedCamera) -> tuple[float, ...]:
    """Return the times that the shutter really takes: powers of two of a third or half stop."""
    return snap_series(camera.exposure_times_s)


def write_bracket(
    folder: Path,
    linear_HW3: Linear,
    camera: SimulatedCamera,
    rng: np.random.Generator,
    *,
    name: str,
    number: int,
) -> tuple[Path, ...]:
    """Photograph one scene with every exposure time of the camera, and write down the truth.

    `linear_HW3` is scene-linear sRGB with even sides, its level is free: the exposure is chosen so
    that the middle frame is well exposed. `number` sets the simulated clock, so that brackets
    lie a minute apart. Writes `NAME-0.dng`, `NAME-1.dng`, ... in the order of
    `camera.exposure_times_s` and, last, `NAME.truth.json`: its presence says that all are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    times_s = true_exposure_times_s(camera)
    white_e = SENSOR.full_well_e * 100.0 / camera.iso
    middle_e_HW3 = _well_exposed(camera_rgb(linear_HW3), white_e)
    paths = tuple(folder / f"{name}-{index}.dng" for index in range(len(times_s)))
    for index, (path, time_s) in enumerate(zip(paths, times_s, strict=True)):
        mosaic_HW = bayer_mosaic(middle_e_HW3 * (time_s / _middle(times_s)))
        values_HW = expose(mosaic_HW, camera.iso, rng)
        write_dng(path, values_HW, _header(camera, index, number))
    truth = json.dumps(_truth(camera, paths, times_s), indent=1)
    write_text_atomic(folder / f"{name}.truth.json", truth + "\n")
    return paths


def camera_rgb(linear_HW3: Linear) -> NDArray[np.float64]:
    """Return what the filters let through of linear sRGB, float64 (H, W, 3); white green = 1.

    Negative light, which a denoiser may leave, counts as none.
    """
    srgb_to_camera = XYZ_TO_CAMERA @ np.linalg.inv(XYZ_TO_SRGB)
    light = np.maximum(linear_HW3, 0.0).astype(np.float64)
    filtered: NDArray[np.float64] = light @ (srgb_to_camera / srgb_to_camera[1].sum()).T
    return filtered


def bayer_mosaic(picture_HW3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the RGGB mosaic (H, W) of a picture with even sides: each pixel sees one colour."""
    mosaic_HW = picture_HW3[..., 1].copy()
    mosaic_HW[0::2, 0::2] = picture_HW3[0::2, 0::2, 0]
    mosaic_HW[1::2, 1::2] = picture_HW3[1::2, 1::2, 2]
    return mosaic_HW


def expose(
    mean_e_HW: NDArray[np.float64], iso: int, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Return sensor values in DN of the mean number of electrons per pixel."""
    counted_e = rng.poisson(mean_e_HW) + rng.normal(0.0, SENSOR.read_noise_e, mean_e_HW.shape)
    values = np.round(counted_e / SENSOR.electrons_per_dn(iso)) + SENSOR.black_level
    recorded: NDArray[np.uint16] = np.clip(values, 0, SENSOR.white_level).astype(np.uint16)
    return recorded


def _well_exposed(picture_HW3: NDArray[np.float64], white_e: float) -> NDArray[np.float64]:
    """Return electrons of the middle frame: bright parts well below full scale."""
    level = float(np.percentile(picture_HW3.max(axis=-1), _EXPOSED_PERCENTILE))
    return picture_HW3 * (_EXPOSED_LEVEL * white_e / level if level > 0.0 else 0.0)


def _middle(times_s: Sequence[float]) -> float:
    return sorted(times_s)[len(times_s) // 2]


def _header(camera: SimulatedCamera, index: int, number: int) -> DngHeader:
    neutral = camera_rgb(np.ones((1, 1, 3), np.float32))[0, 0]
    return DngHeader(
        make="CAT",
        model="Simulated Camera",
        software="cat-dataset simulate-camera",
        description="simulated: a rendered scene photographed by a simulated sensor",
        captured_at=_FIRST_SHOT_AT + number * _BRACKET_EVERY + index * _FRAME_GAP,
        exposure_time_s=camera.exposure_times_s[index],
        f_number=camera.f_number,
        iso=camera.iso,
        focal_length_mm=_FOCAL_LENGTH_MM,
        as_shot_neutral=(float(neutral[0]), float(neutral[1]), float(neutral[2])),
        xyz_to_camera=XYZ_TO_CAMERA,
        black_level=SENSOR.black_level,
        white_level=SENSOR.white_level,
    )


def _truth(
    camera: SimulatedCamera, paths: Sequence[Path], times_s: Sequence[float]
) -> dict[str, object]:
    frames = [
        {
            "file": path.name,
            "nominal_exposure_time_s": nominal_s,
            "exposure_time_s": time_s,
            "exposure_stops": math.log2(time_s / _middle(times_s)),  # relative to the middle frame
        }
        for path, nominal_s, time_s in zip(paths, camera.exposure_times_s, times_s, strict=True)
    ]
    return {"is_simulated": True, "iso": camera.iso, "sensor": vars(SENSOR), "frames": frames}
