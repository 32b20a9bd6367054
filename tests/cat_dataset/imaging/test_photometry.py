import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.imaging import photometry

KELVIN = st.floats(2000.0, 20000.0)


@pytest.mark.parametrize(
    ("linear", "display"),
    [(0.0, 0.0), (0.0031308, 0.0404499), (0.21404114, 0.5), (0.18, 0.4613561), (1.0, 1.0)],
)
def test_srgb_curve_passes_through_the_standards_points(linear: float, display: float) -> None:
    """IEC 61966-2-1, worked by hand."""
    assert float(photometry.srgb_encode(np.array(linear))) == pytest.approx(display, abs=1e-6)
    assert float(photometry.srgb_decode(np.array(display))) == pytest.approx(linear, abs=1e-6)


@given(st.floats(0.0, 1.0))
def test_srgb_encode_and_decode_are_inverse(linear: float) -> None:
    """Encoding and decoding give the value back."""
    display = photometry.srgb_encode(np.array(linear))
    assert float(photometry.srgb_decode(display)) == pytest.approx(linear, abs=1e-7)


def test_twice_the_bytes_are_not_one_stop() -> None:
    """A gain on gamma-encoded values is not an exposure: the trap of published pipelines."""
    half = photometry.srgb_decode(np.array(0.4))
    doubled = photometry.srgb_decode(np.array(0.8))
    assert float(np.log2(doubled / half)) > 2.0


@pytest.mark.parametrize(
    ("source_s", "target_s", "stops"), [(1 / 60, 1 / 30, 1.0), (1 / 60, 1 / 125, -1.0589)]
)
def test_exposure_stops_follow_the_exposure_time(
    source_s: float, target_s: float, stops: float
) -> None:
    """Positive means target brighter; printed times are taken as printed."""
    assert photometry.exposure_stops(source_s, target_s) == pytest.approx(stops, abs=1e-4)


@given(st.floats(1e-4, 30.0), st.floats(1e-4, 30.0), st.floats(1e-4, 30.0))
def test_exposure_stops_are_antisymmetric_and_additive(a_s: float, b_s: float, c_s: float) -> None:
    """Going there and back is nothing; two steps add up."""
    there = photometry.exposure_stops(a_s, b_s)
    assert there == pytest.approx(-photometry.exposure_stops(b_s, a_s))
    both = there + photometry.exposure_stops(b_s, c_s)
    assert both == pytest.approx(photometry.exposure_stops(a_s, c_s), abs=1e-9)


def test_ev100_of_a_textbook_exposure() -> None:
    """APEX: f/8 at 1 s and ISO 100 is EV 6; ISO 200 needs one less."""
    assert photometry.ev100(1.0, 8.0) == pytest.approx(6.0)
    assert photometry.ev100(1.0, 8.0, 200.0) == pytest.approx(5.0)


@given(KELVIN)
def test_kelvin_and_mired_are_inverse(cct_k: float) -> None:
    """Kelvin -> mired -> kelvin gives the value back."""
    assert photometry.kelvin(photometry.mired(cct_k)) == pytest.approx(cct_k)


# CIE 1931 chromaticities of black bodies, Wyszecki & Stiles table 1(3.11)
@pytest.mark.parametrize(
    ("cct_k", "x", "y"),
    [
        (2000, 0.5267, 0.4133),
        (3000, 0.4369, 0.4041),
        (5000, 0.3451, 0.3516),
        (10000, 0.2807, 0.2884),
    ],
)
def test_planckian_locus_matches_published_chromaticities(cct_k: float, x: float, y: float) -> None:
    """The cubic approximation stays within its stated error."""
    assert photometry.planckian_xy(cct_k) == pytest.approx((x, y), abs=6e-4)


@given(KELVIN)
def test_blackbody_colour_has_luminance_one(cct_k: float) -> None:
    """A lamp's colour changes with its temperature, its luminous power does not."""
    if cct_k > 2100.0:  # below, blue is clipped at the sRGB gamut
        brightness = float(photometry.luminance(photometry.blackbody_rgb(cct_k)))
        assert brightness == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize("cct_k", [1000.0, 30000.0])
def test_temperatures_outside_the_approximation_are_refused(cct_k: float) -> None:
    """No silent clamp."""
    with pytest.raises(ValueError, match="must lie within"):
        photometry.planckian_xy(cct_k)
