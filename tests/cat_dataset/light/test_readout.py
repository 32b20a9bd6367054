"""What is read from the gains of lights."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.imaging import photometry
from cat_dataset.light.readout import LightGain, light_power_stops, light_temperature_mired


@pytest.mark.parametrize("cct_k", [24990.0, 12000.0, 3200.0, 1960.0, 1925.0, 1908.0])
def test_colours_of_a_lamp_are_read_to_the_ends_of_what_srgb_shows(cct_k: float) -> None:
    """From the bluest black body to the one with hardly any blue, standard errors included."""
    still = np.full(3, 1e-4)
    before = LightGain(photometry.blackbody_rgb(4000.0), still, 100)
    after = LightGain(photometry.blackbody_rgb(cct_k), still, 100)

    reading = light_temperature_mired(before, after)

    assert reading.value == pytest.approx(1e6 / cct_k - 250.0, abs=0.05)
    assert np.isfinite(reading.stderr)


def test_a_lamps_power_is_that_of_its_luminance() -> None:
    """Half the blue of white light is 0.5 * 0.0722 of its luminance: 0.053 stop, not a third."""
    still = np.full(3, 0.01)
    white = LightGain(np.ones(3), still, 100)
    without_half_its_blue = LightGain(np.array([1.0, 1.0, 0.5]), still, 100)

    read = light_power_stops(white, without_half_its_blue)

    assert read.value == pytest.approx(math.log2(1.0 - 0.5 * 0.0722))
    both = 0.01 * math.hypot(0.2126, 0.7152, 0.0722) * math.hypot(1.0, 1.0 / (1.0 - 0.0361))
    assert read.stderr == pytest.approx(both / math.log(2.0))


@given(st.floats(-2.0, 2.0), st.floats(2000.0, 12000.0))
def test_a_lamps_power_is_read_whatever_its_colour(stops: float, cct_k: float) -> None:
    """A gain of all channels alike is that gain, of light of any colour."""
    light = LightGain(photometry.blackbody_rgb(cct_k), np.zeros(3), 100)

    assert light_power_stops(light, light.of(np.full(3, 2.0**stops))).value == pytest.approx(stops)
