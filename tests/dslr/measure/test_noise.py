import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from cat_dataset.system.seeding import derive_rng
from dslr.develop.develop import Linear
from dslr.files.raw_file import Mosaic
from dslr.measure.noise import NoisePair, measure_noise
from dslr.simulator.sensor import SENSOR
from tests.dslr.conftest import scene_light
from tests.dslr.series_bench import exposed

SIDE_PX = 256
LEVEL = 0.3  # of full scale in green
CONTRAST = 0.03  # of a texture that is finer and stronger than the noise


def grey_wall() -> Linear:
    """Return a scene without any texture."""
    return np.full((SIDE_PX, SIDE_PX, 3), 1.0, np.float32)


def weave(contrast: float) -> Linear:
    """Return a scene that is texture all over, as fine as the sensor resolves."""
    grain: NDArray[np.float64] = derive_rng(0, "weave").uniform(-contrast, contrast, (SIDE_PX,) * 2)
    return np.repeat((1.0 + grain)[..., None], 3, axis=2).astype(np.float32)


def frame(scene_HW3: Linear, name: str, *, iso: int = 100, stops: float = 0.0) -> Mosaic:
    """Return one exposure; `name` draws its noise."""
    rng = derive_rng(0, "noise", name)
    return exposed(scene_HW3, rng, iso=iso, full_scale=LEVEL * 2.0**stops)


def true_noise_share(iso: int, stops: float = 0.0) -> float:
    """Return one standard deviation over the signal: photons, read noise, whole numbers."""
    mean_e = LEVEL * 2.0**stops * SENSOR.white_e(iso)
    rounding_e = SENSOR.electrons_per_dn(iso) / math.sqrt(12.0)
    return math.sqrt(mean_e + SENSOR.read_noise_e(iso) ** 2 + rounding_e**2) / mean_e


def measured(scene_HW3: Linear, isos: tuple[int, int], stops: float = 0.0) -> list[NoisePair]:
    """Return the noise of four pairs of frames, the second frames `stops` brighter."""
    return [
        measure_noise(
            frame(scene_HW3, f"a{n}", iso=isos[0]),
            frame(scene_HW3, f"b{n}", iso=isos[1], stops=stops),
        )
        for n in range(4)
    ]


def mean_stops(pairs: Sequence[NoisePair]) -> float:
    """Return the ratio of noise that several pairs of frames show together."""
    return float(np.mean([pair.stops.value for pair in pairs]))


def true_stops(isos: tuple[int, int], stops: float = 0.0) -> float:
    """Return the ratio of noise that the simulated sensor has."""
    return 2.0 * math.log2(true_noise_share(isos[1], stops) / true_noise_share(isos[0]))


@pytest.mark.parametrize("isos", [(100, 200), (100, 800), (400, 6400)])
def test_the_noise_of_two_iso_speeds_is_that_of_the_sensor(isos: tuple[int, int]) -> None:
    """Each frame's own noise within 3 %, their ratio within 0.05 stop, its error honest."""
    pairs = measured(grey_wall(), isos)

    for which, iso in (("first_share", isos[0]), ("second_share", isos[1])):
        shares = [getattr(pair, which) for pair in pairs]
        assert np.mean(shares) == pytest.approx(true_noise_share(iso), rel=0.03)
    assert mean_stops(pairs) == pytest.approx(true_stops(isos), abs=0.05)
    for pair in pairs:
        assert abs(pair.stops.value - true_stops(isos)) < 3.5 * pair.stops.stderr
        assert 0.0 < pair.stops.stderr < 0.15


def test_texture_does_not_count_as_noise() -> None:
    """A texture stronger than the noise of ISO 100 is in both frames, so it falls out."""
    texture_variance = CONTRAST**2 / 3.0
    assert texture_variance > 3.0 * true_noise_share(100) ** 2

    pairs = measured(weave(CONTRAST), (100, 1600))

    assert mean_stops(pairs) == pytest.approx(true_stops((100, 1600)), abs=0.1)


def test_texture_does_not_count_where_the_shutter_made_up_a_third_of_a_stop_too_much() -> None:
    """Exposures are equal to a third stop; the brighter frame's stronger texture is no noise."""
    pairs = measured(weave(CONTRAST), (100, 400), stops=1 / 3)

    assert mean_stops(pairs) == pytest.approx(true_stops((100, 400), 1 / 3), abs=0.1)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    first_iso=st.sampled_from([100, 200, 800]),
    second_iso=st.sampled_from([100, 400, 3200]),
    contrast=st.floats(0.0, 0.02),
    stops=st.floats(-0.3, 0.3),
)
def test_swapping_the_frames_negates_the_ratio(
    first_iso: int, second_iso: int, contrast: float, stops: float
) -> None:
    """What is noisier than the other one way round is cleaner the other way, by as much."""
    scene_HW3 = weave(contrast)
    one = frame(scene_HW3, "one", iso=first_iso)
    two = frame(scene_HW3, "two", iso=second_iso, stops=stops)

    there, back = measure_noise(one, two), measure_noise(two, one)

    assert there.stops.value == pytest.approx(-back.stops.value, abs=1e-9)
    assert (there.first_share, there.second_share) == pytest.approx(
        (back.second_share, back.first_share)
    )


def test_noise_in_a_scene_with_clipped_and_dark_parts_is_measured_beside_them() -> None:
    """Half black, a lamp that clips: the rest tells the ratio."""
    scene_HW3 = scene_light("noise", SIDE_PX, SIDE_PX) + np.float32(0.3)
    scene_HW3[:, :96] = 0.0
    scene_HW3[100:140, 150:200] = 10.0

    pairs = measured(scene_HW3, (100, 800))

    assert mean_stops(pairs) == pytest.approx(3.0, abs=0.3)  # photons; read noise alters it


def test_a_picture_without_usable_parts_has_no_noise_to_measure() -> None:
    """Night: the reason says how many parts are needed."""
    night_HW3 = grey_wall() * np.float32(0.001)

    with pytest.raises(BracketError, match=r"0 of \d+ blocks .* at least \d+ are needed"):
        measure_noise(frame(night_HW3, "a"), frame(night_HW3, "b"))


def test_frames_that_are_one_and_the_same_have_no_noise_of_their_own() -> None:
    """A file copied under another name shows nothing that differs; it is refused, not 0 / 0."""
    one = frame(grey_wall(), "a")

    with pytest.raises(BracketError, match="too small to be separated from the texture"):
        measure_noise(one, replace(one))
