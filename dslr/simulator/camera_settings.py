"""What the simulated camera sets for each value of a series, and what it prints of it.

Shutters run in powers of two and apertures in powers of sqrt(2), printed as rounded numbers; ISO
is exact. Sources: APEX; the tables of printed times of third-stop and half-stop cameras.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cat_dataset.jobs.camera import SimulatedCamera
from dslr.develop.exposure import snap, snap_series

# Shutter times as cameras print them, by the grid they are set to; whole stops are in both.
_PARTS_OF_A_SECOND = {  # the number under the one
    3: (
        *(8000, 6400, 5000, 4000, 3200, 2500, 2000, 1600, 1250, 1000, 800, 640, 500, 400, 320),
        *(250, 200, 160, 125, 100, 80, 60, 50, 40, 30, 25, 20, 15, 13, 10, 8, 6, 5, 4),
    ),
    2: (
        *(8000, 6000, 4000, 3000, 2000, 1500, 1000, 750, 500, 350, 250, 180, 125, 90, 60, 45, 30),
        *(20, 15, 10, 8, 6, 4, 3, 2),
    ),
}
_SECONDS = {
    3: (
        *(0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0),
        *(15.0, 20.0, 25.0, 30.0),
    ),
    2: (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0),
}
PRINTED_TIMES_S = {
    per_stop: (*(1.0 / part for part in _PARTS_OF_A_SECOND[per_stop]), *_SECONDS[per_stop])
    for per_stop in (3, 2)
}
_SAME_STOPS = 1e-6


@dataclass(frozen=True)
class FrameSettings:
    """The settings of one frame: the true ones, and beside them what the file prints."""

    printed_time_s: float
    exposure_time_s: float
    printed_f_number: float
    f_number: float
    iso: int
    focal_length_mm: float
    focus_distance_m: float | None  # None: the camera does not say
    wb_cct_k: float | None  # as shot; None: D65

    def light_over(self, other: "FrameSettings") -> float:
        """Return how many times the light of another frame reaches the sensor: t / N**2."""
        time_ratio = self.exposure_time_s / other.exposure_time_s
        return time_ratio * (other.f_number / self.f_number) ** 2

    def stops_over(self, other: "FrameSettings") -> float:
        """Return by how many stops this frame is recorded brighter: log2 of t * ISO / N**2."""
        return math.log2(self.light_over(other) * (self.iso / other.iso))


def frame_settings(camera: SimulatedCamera, focal_length_mm: float) -> tuple[FrameSettings, ...]:
    """Return the settings of each value of the camera's series, in the order of its values.

    `focal_length_mm` is the lens's where the series is of something else.
    """
    first = FrameSettings(
        printed_time_s=camera.exposure_times_s[0],
        exposure_time_s=snap_series(camera.exposure_times_s)[0],
        printed_f_number=camera.f_number,
        f_number=true_f_numbers([camera.f_number])[0],
        iso=camera.iso,
        focal_length_mm=focal_length_mm,
        focus_distance_m=None,
        wb_cct_k=None,
    )
    match camera.series:
        case "exposure":
            times = zip(camera.values, snap_series(camera.values), strict=True)
            return tuple(replace(first, printed_time_s=p, exposure_time_s=t) for p, t in times)
        case "iso":
            return _compensated([replace(first, iso=int(iso)) for iso in camera.values])
        case "aperture":
            numbers = zip(camera.values, true_f_numbers(camera.values), strict=True)
            frames = [replace(first, printed_f_number=p, f_number=n) for p, n in numbers]
            return _compensated(frames) if camera.shutter_compensates else tuple(frames)
        case "focal_length":
            return tuple(replace(first, focal_length_mm=value) for value in camera.values)
        case "focus_distance":
            return tuple(replace(first, focus_distance_m=value) for value in camera.values)
        case "white_balance":
            return tuple(replace(first, wb_cct_k=value) for value in camera.values)


def series_values(camera: SimulatedCamera) -> tuple[float, ...]:
    """Return the true values that a rendered series runs through, f-numbers unrounded."""
    return true_f_numbers(camera.values) if camera.series == "aperture" else camera.values


def true_f_numbers(printed: Sequence[float]) -> tuple[float, ...]:
    """Return the f-numbers that a lens means by the printed ones.

    >>> [round(n, 4) for n in true_f_numbers([2.8, 5.6])]
    [2.8284, 5.6569]
    """
    return tuple(math.sqrt(area) for area in snap_series([n * n for n in printed]))


def middle_index(frames: Sequence[FrameSettings]) -> int:
    """Return the frame in the middle of exposure, the one that the camera exposes for."""
    order = sorted(range(len(frames)), key=lambda n: frames[n].stops_over(frames[0]))
    return order[len(order) // 2]


def printed_time_s(time_s: float) -> float:
    """Return a shutter time as cameras print it; off both grids, or beyond them, as it is.

    >>> round(1 / printed_time_s(1 / 64))
    60
    """
    for per_stop, printed in PRINTED_TIMES_S.items():
        for candidate in printed:
            if abs(math.log2(snap(candidate, per_stop) / time_s)) < _SAME_STOPS:
                return candidate
    return time_s


def _compensated(frames: Sequence[FrameSettings]) -> tuple[FrameSettings, ...]:
    """Return frames whose shutter makes up for f-number and ISO, as near as its grid allows."""
    wanted_s = [frame.exposure_time_s / 2.0 ** frame.stops_over(frames[0]) for frame in frames]
    times_s = snap_series(wanted_s)
    return tuple(
        replace(frame, printed_time_s=printed_time_s(time_s), exposure_time_s=time_s)
        for frame, time_s in zip(frames, times_s, strict=True)
    )
