"""Light that changes while a simulated camera takes a series: lamps, mains, clouds."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.jobs.camera import SimulatedCamera

LAMP_HZ = 100.0  # light of a lamp on 50 Hz mains, which is brightest twice a period
_READOUT_S = 0.03  # from the first to the last row, of an electronic shutter: three bands


@dataclass(frozen=True)
class Flicker:
    """What the light of one frame is multiplied with; the default is steady light."""

    flicker_stops: float = 0.0  # gain of the whole frame
    drift_stops: float = 0.0  # how much brighter the edge that `drift_deg` points to, end to end
    drift_deg: float = 0.0  # 0: to the right, 90: up
    band_share: float = 0.0  # amplitude of the bands, as a share of the mean light
    band_turns: float = 0.0  # phase at the first row, in full turns

    def gain(self, height_px: int, width_px: int) -> NDArray[np.float32]:
        """Return the gain of each pixel, float32 (H, W, 1)."""
        right = (np.arange(width_px) + 0.5)[None, :] / width_px - 0.5
        up = 0.5 - (np.arange(height_px) + 0.5)[:, None] / height_px
        angle = math.radians(self.drift_deg)
        across = right * math.cos(angle) + up * math.sin(angle)
        turns = LAMP_HZ * _READOUT_S * (0.5 - up) + self.band_turns
        bands = 1.0 + self.band_share * np.sin(2.0 * math.pi * turns)
        gain_HW = bands * np.exp2(self.flicker_stops + self.drift_stops * across)
        gain_HW1: NDArray[np.float32] = gain_HW[..., None].astype(np.float32)
        return gain_HW1


def flicker_rand(
    rng: np.random.Generator, camera: SimulatedCamera, times_s: tuple[float, ...]
) -> tuple[Flicker, ...]:
    """Draw the light of each shot, given its exposure time.

    A lamp's phase is anything; its bands average out over long exposures, as the sinc of the
    lamp's periods within one. A cloud moves in one direction for a whole series.
    """
    drift_deg = float(rng.uniform(0.0, 360.0))
    lights = []
    for time_s in times_s:
        flicker, drift, phase = rng.uniform(size=3).tolist()
        lights.append(
            Flicker(
                flicker_stops=camera.flicker_stops * math.sin(2.0 * math.pi * flicker),
                drift_stops=camera.drift_stops * (2.0 * drift - 1.0),
                drift_deg=drift_deg,
                band_share=(2.0**camera.band_stops - 1.0) * float(np.sinc(LAMP_HZ * time_s)),
                band_turns=phase,
            )
        )
    return tuple(lights)
