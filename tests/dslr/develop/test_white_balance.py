from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.imaging.photometry import planckian_xy
from dslr.develop.white_balance import (
    WhiteBalance,
    camera_to_srgb,
    kelvin_of_multipliers,
    kelvin_of_xyz,
    known_multipliers,
    white_balance_of,
)
from dslr.files.metadata import read_metadata
from dslr.files.raw_file import open_raw
from dslr.simulator.sensor import XYZ_TO_CAMERA


def balance_of(path: Path) -> WhiteBalance:
    """Return the balance of a file."""
    with open_raw(path) as raw:
        return white_balance_of(raw, read_metadata(path).dng_colour)


@pytest.mark.raw
def test_the_kelvin_of_a_canon_6d_equal_adobes(raw_folder: Path) -> None:
    """Golden: Adobe says 6200 K, tint -1; its calibration matrices are needed to get there."""
    path = raw_folder / "photoprism_6d.dng"

    balance = balance_of(path)

    assert balance.source == "as shot"
    assert balance.cct_k == pytest.approx(6200, abs=30)
    assert balance.duv == pytest.approx(-0.0005, abs=0.001)


@pytest.mark.raw
def test_without_analog_balance_the_kelvin_would_be_absurd(raw_folder: Path) -> None:
    """The trap: this file's multipliers are nearly 1, the balance sits in AnalogBalance."""
    colour = read_metadata(raw_folder / "photoprism_6d.dng").dng_colour
    assert colour is not None
    multipliers = balance_of(raw_folder / "photoprism_6d.dng").multipliers_rgb

    cct_k, _ = kelvin_of_multipliers(multipliers, np.array(colour.colour_matrix_2), None)

    assert cct_k is not None
    assert abs(cct_k - 6200) > 2000


@pytest.mark.raw
def test_unknown_multipliers_have_no_kelvin(raw_folder: Path) -> None:
    """The DC50 writes zeros; the balance says so instead of guessing from the picture."""
    assert balance_of(raw_folder / "DC50_0008L.KDC") == WhiteBalance(
        (1, 1, 1), None, None, "unknown"
    )


def test_the_simulated_camera_is_balanced_for_daylight(bracket: tuple[Path, ...]) -> None:
    """Its neutral is sRGB white under D65: 6504 K, a little off the Planckian locus."""
    balance = balance_of(bracket[0])

    assert balance.cct_k == pytest.approx(6504, abs=15)
    assert balance.duv == pytest.approx(0.0032, abs=0.0003)


@pytest.mark.parametrize(
    "multipliers", [[0.0, 1.0, 0.0, 0.0], [-1.0, 1.0, 1.5, 1.0], [1.0] * 4, [0.0] * 4, [300.0] * 4]
)
def test_multipliers_that_say_nothing_are_unknown(multipliers: list[float]) -> None:
    """Zeros, minus ones and equal numbers are how cameras say that they do not know."""
    assert known_multipliers(multipliers) is None


@given(st.integers(1800, 12_000))
def test_kelvin_of_a_black_body_is_its_temperature(cct_k: int) -> None:
    """The nearest point of the locus is the point itself, within the table's step."""
    x, y = planckian_xy(float(cct_k))

    found_k, duv = kelvin_of_xyz(np.array([x / y, 1.0, (1.0 - x - y) / y]))

    assert found_k == pytest.approx(cct_k, abs=1.0)
    assert abs(duv) < 1e-5


def test_a_greenish_colour_has_positive_duv() -> None:
    """Sign convention: above the locus, towards green, is positive."""
    x, y = planckian_xy(5000.0)
    y += 0.02

    assert kelvin_of_xyz(np.array([x / y, 1.0, (1.0 - x - y) / y]))[1] > 0.005


def test_neutral_stays_neutral_through_the_colour_matrix() -> None:
    """Balanced (1, 1, 1) is sRGB (1, 1, 1), whatever the camera; without a matrix nothing moves."""
    np.testing.assert_allclose(camera_to_srgb(XYZ_TO_CAMERA) @ np.ones(3), np.ones(3))
    np.testing.assert_array_equal(camera_to_srgb(None), np.eye(3))
