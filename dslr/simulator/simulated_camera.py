"""A camera whose truth is known: photographs linear light as a series of DNG files.

Like a real camera it prints rounded settings and uses powers of two: what it prints as 1/60 s is
1/64 s. It may be held by hand, in light that flickers, while something passes by; all of that is
written down beside the files, which say themselves that they are simulated.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.system.atomic import write_bytes_atomic, write_text_atomic
from dslr.simulator.camera_settings import FrameSettings, frame_settings, middle_index
from dslr.simulator.dng import DngHeader, write_dng
from dslr.simulator.flicker import Flicker, flicker_rand
from dslr.simulator.moving_occluder import MovingOccluder, moving_occluders_rand
from dslr.simulator.sensor import (
    SENSOR,
    XYZ_TO_CAMERA,
    Linear,
    bayer_mosaic,
    camera_rgb,
    expose,
    neutral_rgb,
    pixel_gains,
)
from dslr.simulator.shake import Shake, shaken, shakes_rand

_FIRST_SHOT_AT = datetime(2026, 1, 1, 12, 0, 0)
_MINUTE_S = 60.0
_REST_S = 10.0  # at least, between the end of a series and the next minute
_SHOT_EVERY_S, _SHUTTER_REST_S = 0.5, 0.1  # from start to start; from end to start
_EXPOSED_PERCENTILE, _EXPOSED_LEVEL = 99.0, 0.3  # of full scale in the middle frame
_FOCAL_LENGTH_MM = 50.0
_BIAS_PER_STOP = 6  # finest step that third-stop and half-stop dials share
_CONVENTIONS = {
    "exposure_stops": "log2 of t * ISO / N**2 against the middle frame, by the true settings",
    "right_px, down_px, roll_deg": "how the content moved against a still camera: to the right, "
    "down, counter-clockwise about the centre; still_to_frame maps (x, y) of pixel centres so",
    "flicker_stops": "gain of the light, not part of exposure_stops",
    "drift_stops, drift_deg": "how much brighter one edge is than the other; 0 right, 90 up",
    "band_share, band_turns": "amplitude of horizontal bands and their phase at the first row",
    "passing_object": "mask: PNG, 255 where it covers the scene; box_px: left, top, right, bottom, "
    "the last two exclusive",
}


@dataclass(frozen=True)
class _Shot:
    """One frame to be taken."""

    path: Path
    value: int  # index into the values of the series
    settings: FrameSettings
    captured_at: datetime
    shake: Shake
    light: Flicker
    occluder: MovingOccluder | None

    @property
    def mask_path(self) -> Path:
        return self.path.with_suffix(".passing.png")


def write_series(
    folder: Path,
    pictures: Linear | Sequence[Linear],
    camera: SimulatedCamera,
    rng: np.random.Generator,
    *,
    name: str,
    number: int,
    focal_length_mm: float = _FOCAL_LENGTH_MM,
) -> tuple[Path, ...]:
    """Photograph one scene with every value of the camera's series, and write down the truth.

    `pictures` is one scene-linear sRGB picture (H, W, 3), or one for each of `camera.values`; its
    level is free: the exposure is chosen so that the middle frame is well exposed. It is wider
    than the frames by `camera.margin_px` on each side, and these have even sides. `number` sets
    the simulated clock, so that series lie a minute apart, or more if they last longer.

    Writes `NAME-0.dng`, `NAME-1.dng`, ... in the order of time, which is that of the values unless
    `camera.shot_order` says otherwise; a PNG mask beside each frame with a passing object; and,
    last, `NAME.truth.json`: its presence says that all are there. Returns the DNG files.

    Raises:
        ValueError: the pictures do not fit the camera.
    """
    stills = _stills(pictures, camera)
    settings = frame_settings(camera, focal_length_mm)
    middle = middle_index(settings)
    still_HW3 = shaken(stills[middle], camera.margin_px, Shake())
    e_per_light = _well_exposed(camera_rgb(still_HW3), SENSOR.white_e(settings[middle].iso))
    shots = _planned(folder, name, number, camera, settings, still_HW3, rng)
    height_px, width_px = still_HW3.shape[:2]
    gains_HW = pixel_gains(height_px, width_px, camera.prnu_share, camera.body_serial or "")
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for shot in shots:
        light_HW3, mask_HW = _light_on_sensor(stills[shot.value], camera.margin_px, shot)
        ratio = shot.settings.light_over(settings[middle])
        mean_e_HW = bayer_mosaic(camera_rgb(light_HW3) * e_per_light * ratio) * gains_HW
        header = _header(camera, shot, shot.settings.stops_over(settings[middle]))
        write_dng(shot.path, expose(mean_e_HW, shot.settings.iso, rng), header)
        if shot.occluder is not None:
            write_bytes_atomic(shot.mask_path, _mask_png(mask_HW))
        frames.append(_frame_truth(shot, settings[middle], mask_HW))
    _write_truth(folder / f"{name}.truth.json", camera, frames)
    return tuple(shot.path for shot in shots)


def _stills(pictures: Linear | Sequence[Linear], camera: SimulatedCamera) -> list[Linear]:
    """Return the picture of each value of the series."""
    count = len(camera.values)
    stills = [pictures] * count if isinstance(pictures, np.ndarray) else list(pictures)
    if len(stills) != count:
        msg = f"{len(stills)} pictures for {count} values of {camera.series}: give one for each"
        raise ValueError(msg)
    height_px, width_px = (side - 2 * camera.margin_px for side in stills[0].shape[:2])
    is_rolled_out = camera.margin_px > 0 and math.hypot(height_px, width_px) > math.hypot(
        camera.height_px, camera.width_px
    )
    if min(height_px, width_px) < 2 or height_px % 2 or width_px % 2 or is_rolled_out:
        msg = (
            f"pictures leave frames of {width_px}x{height_px} px inside the margin of "
            f"{camera.margin_px} px: sides must be even, at most {camera.width_px}x"
            f"{camera.height_px} px where the camera is shaken"
        )
        raise ValueError(msg)
    return stills


def _well_exposed(picture_HW3: NDArray[np.float64], white_e: float) -> float:
    """Return the electrons per unit of light in the middle frame: bright parts far below white."""
    level = float(np.percentile(picture_HW3.max(axis=-1), _EXPOSED_PERCENTILE))
    return _EXPOSED_LEVEL * white_e / level if level > 0.0 else 0.0


def _planned(
    folder: Path,
    name: str,
    number: int,
    camera: SimulatedCamera,
    settings: Sequence[FrameSettings],
    still_HW3: Linear,
    rng: np.random.Generator,
) -> tuple[_Shot, ...]:
    """Return the shots in the order of time; what happens to them is drawn of children of `rng`.

    So the sensor's noise does not depend on which accidents are asked for.
    """
    hand_rng, light_rng, passing_rng = rng.spawn(3)
    count, digits = len(camera.shots), len(str(len(camera.shots) - 1))
    times_s = tuple(settings[value].exposure_time_s for value in camera.shots)
    shakes = shakes_rand(hand_rng, camera, count)
    lights = flicker_rand(light_rng, camera, times_s)
    wanted = camera.passing_object_shots
    present = [
        camera.passing_object_share > 0.0 and (wanted is None or n in wanted) for n in range(count)
    ]
    occluders = moving_occluders_rand(passing_rng, still_HW3, camera.passing_object_share, present)
    return tuple(
        _Shot(
            path=folder / f"{name}-{n:0{digits}d}.dng",
            value=value,
            settings=settings[value],
            captured_at=_captured_at(number, times_s, n),
            shake=shakes[n],
            light=lights[n],
            occluder=occluders[n],
        )
        for n, value in enumerate(camera.shots)
    )


def _captured_at(number: int, times_s: Sequence[float], shot: int) -> datetime:
    """Return when a shot of one series begins, by the camera's clock."""
    lasting_s = [max(_SHOT_EVERY_S, time_s + _SHUTTER_REST_S) for time_s in times_s]
    series_every_s = _MINUTE_S * math.ceil((sum(lasting_s) + _REST_S) / _MINUTE_S)
    return _FIRST_SHOT_AT + timedelta(seconds=number * series_every_s + sum(lasting_s[:shot]))


def _light_on_sensor(
    picture_HW3: Linear, margin_px: int, shot: _Shot
) -> tuple[Linear, NDArray[np.bool_]]:
    """Return the linear light of one frame, and where something passes in front of the scene."""
    light_HW3 = shaken(picture_HW3, margin_px, shot.shake)
    mask_HW = np.zeros(light_HW3.shape[:2], np.bool_)
    if shot.occluder is not None:
        light_HW3, mask_HW = shot.occluder.covered(light_HW3)
    return light_HW3 * shot.light.gain(*mask_HW.shape), mask_HW


def _header(camera: SimulatedCamera, shot: _Shot, stops: float) -> DngHeader:
    settings = shot.settings
    bias_stops = round(stops * _BIAS_PER_STOP) / _BIAS_PER_STOP
    return DngHeader(
        make="CAT",
        model="Simulated Camera",
        software="cat-dataset simulate-camera",
        description="simulated: a rendered scene photographed by a simulated sensor",
        captured_at=shot.captured_at,
        exposure_time_s=settings.printed_time_s,
        f_number=settings.printed_f_number,
        iso=settings.iso,
        focal_length_mm=settings.focal_length_mm,
        as_shot_neutral=neutral_rgb(settings.wb_cct_k),
        xyz_to_camera=XYZ_TO_CAMERA,
        black_level=SENSOR.black_level,
        white_level=SENSOR.white_level_dn(settings.iso),
        focus_distance_m=settings.focus_distance_m,
        exposure_bias_stops=bias_stops if camera.has_exposure_bias else None,
        body_serial=camera.body_serial,
        lens_model=camera.lens_model,
        utc_offset=camera.utc_offset,
    )


def _mask_png(mask_HW: NDArray[np.bool_]) -> bytes:
    return cv2.imencode(".png", mask_HW.astype(np.uint8) * 255)[1].tobytes()


def _write_truth(path: Path, camera: SimulatedCamera, frames: list[dict[str, Any]]) -> None:
    truth = {
        "is_simulated": True,
        "series": camera.series,
        "sensor": vars(SENSOR),
        "conventions": _CONVENTIONS,
        "frames": frames,
    }
    write_text_atomic(path, json.dumps(truth, indent=1) + "\n")


def _frame_truth(shot: _Shot, middle: FrameSettings, mask_HW: NDArray[np.bool_]) -> dict[str, Any]:
    settings = shot.settings
    return {
        "file": shot.path.name,
        "captured_at": shot.captured_at.isoformat(),
        "value_index": shot.value,
        "nominal_exposure_time_s": settings.printed_time_s,
        "exposure_time_s": settings.exposure_time_s,
        "nominal_f_number": settings.printed_f_number,
        "f_number": settings.f_number,
        "iso": settings.iso,
        "focal_length_mm": settings.focal_length_mm,
        "focus_distance_m": settings.focus_distance_m,
        "wb_cct_k": settings.wb_cct_k,
        "as_shot_neutral": neutral_rgb(settings.wb_cct_k),
        "exposure_stops": settings.stops_over(middle),
        **vars(shot.shake),
        "still_to_frame": shot.shake.matrix(*mask_HW.shape).tolist(),
        **vars(shot.light),
        "passing_object": None if shot.occluder is None else _passing_truth(shot, mask_HW),
    }


def _passing_truth(shot: _Shot, mask_HW: NDArray[np.bool_]) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return {"mask": shot.mask_path.name, "box_px": [int(edge) for edge in box]}
