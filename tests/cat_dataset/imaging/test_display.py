import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.imaging.display import (
    ANCHOR_PERCENTILE,
    ANCHOR_TARGET,
    ToneCurve,
    apply_tone_curve,
    clip_fraction,
    decode_display,
    encode_display,
    encode_dithered,
    exposure_anchor,
    undo_tone_curve,
    white_level,
)
from cat_dataset.imaging.photometry import luminance, srgb_decode

CURVES: tuple[ToneCurve, ...] = ("srgb", "filmic")


@pytest.mark.parametrize("curve", CURVES)
@given(share=st.floats(0.0, 1.0))
def test_a_tone_curve_can_be_undone(curve: ToneCurve, share: float) -> None:
    """From black to its white."""
    light = np.float32(share * white_level(curve))

    back = undo_tone_curve(apply_tone_curve(np.asarray(light), curve), curve)

    assert float(back) == pytest.approx(float(light), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("curve", CURVES)
def test_a_tone_curve_rises_from_black_to_white(curve: ToneCurve) -> None:
    """More light never looks darker, and the ends are the display's."""
    light = np.linspace(-0.5, white_level(curve) * 1.5, 5001, dtype=np.float32)

    level = apply_tone_curve(light, curve)

    inside = (light >= 0.0) & (light <= white_level(curve))
    assert (np.diff(level[inside]) > 0.0).all()
    assert (level[0], level[-1]) == (0.0, 1.0)


def test_filmic_keeps_the_middle_and_shows_two_stops_more() -> None:
    """Below its knee it is the plain curve; what the plain one clips still differs."""
    dark = np.linspace(0.0, 0.4, 100, dtype=np.float32)
    bright = np.asarray([1.0, 2.0, 3.9], np.float32)

    np.testing.assert_array_equal(apply_tone_curve(dark, "filmic"), dark)
    assert len(set(apply_tone_curve(bright, "filmic").tolist())) == 3
    assert len(set(apply_tone_curve(bright, "srgb").tolist())) == 1


def test_filmic_is_smooth_at_its_knee() -> None:
    """Slope 1 on both sides: no visible edge in a gradient."""
    light = np.asarray([0.39, 0.399, 0.4, 0.401, 0.41], np.float64)

    level = apply_tone_curve(light.astype(np.float32), "filmic").astype(np.float64)

    slopes = np.diff(level) / np.diff(light)
    assert slopes == pytest.approx(np.ones(4), abs=0.02)


@pytest.mark.parametrize("curve", CURVES)
def test_pictures_are_decoded_to_the_light_they_show(curve: ToneCurve) -> None:
    """Through 8 bits and back within half a code."""
    light = np.linspace(0.0, white_level(curve), 3 * 400, dtype=np.float32).reshape(20, 20, 3) / 2

    codes = encode_display(light, 2.0, curve)
    again = encode_display(decode_display(codes, curve), 1.0, curve)

    np.testing.assert_array_equal(again, codes)


def test_clipping_is_counted_at_the_white_of_the_curve() -> None:
    """A pixel at twice the plain white still shows in filmic."""
    light = np.full((2, 2, 3), 0.5, np.float32)
    light[0, 0], light[0, 1] = 2.0, 9.0

    assert clip_fraction(light, 1.0) == 0.5
    assert clip_fraction(light, 1.0, "filmic") == 0.25


@given(seed=st.integers(0, 2**32), num_rows=st.integers(1, 40))
def test_the_anchor_is_that_of_the_slow_percentile(seed: int, num_rows: int) -> None:
    """To the last bit of a float32, whatever the number of pixels."""
    light = np.random.default_rng(seed).lognormal(size=(num_rows, 3, 3)).astype(np.float32)

    anchor = exposure_anchor(light)

    level = float(np.percentile(luminance(light).astype(np.float64), ANCHOR_PERCENTILE))
    assert anchor == pytest.approx(ANCHOR_TARGET / level, rel=1e-6)


def test_a_picture_with_an_undefined_pixel_has_no_anchor() -> None:
    """NaN is not sorted to an end and forgotten."""
    light = np.ones((40, 40, 3), np.float32)
    light[0, 0] = np.nan

    assert exposure_anchor(light) == 1.0


@pytest.mark.parametrize("curve", CURVES)
def test_codes_are_those_of_the_standard_written_out(curve: ToneCurve) -> None:
    """Each light by itself, in float32, as IEC 61966-2-1 has it."""
    light = np.linspace(-0.1, 5.0, 40_000, dtype=np.float32).reshape(100, 400, 1).repeat(3, axis=-1)

    codes = encode_display(light, 0.7, curve)

    level = apply_tone_curve(light * np.float32(0.7), curve)
    curved = np.float32(1.055) * level ** np.float32(1.0 / 2.4) - np.float32(0.055)
    display = np.where(level <= np.float32(0.0031308), np.float32(12.92) * level, curved)
    np.testing.assert_array_equal(codes, np.rint(display * np.float32(255.0)).astype(np.uint8))


def test_dithering_keeps_every_code_and_grey_grey() -> None:
    """All 256 codes at 100 places of the pattern, after decoding in float32."""
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(100, axis=0).repeat(3, axis=2)

    np.testing.assert_array_equal(encode_dithered(decode_display(codes)), codes)


@given(code=st.floats(0.0, 255.0))
def test_a_dithered_area_has_the_light_that_a_rounded_one_lacks(code: float) -> None:
    """Rounded, it is up to half a code off; dithered, its mean is the code between."""
    light = np.full((64, 64, 3), srgb_decode(np.array(code / 255.0)), np.float32)

    dithered = encode_dithered(light)

    assert dithered.mean() == pytest.approx(code, abs=0.02)
    assert set(np.unique(dithered)) <= {int(code), int(code) + 1, round(code)}
    assert (np.ptp(dithered, axis=2) == 0).all()


def test_rows_are_dithered_as_in_their_picture() -> None:
    """Tiles are developed a few rows at a time."""
    light = np.linspace(0.0, 1.0, 40 * 30 * 3, dtype=np.float32).reshape(40, 30, 3)

    below = encode_dithered(light[17:], first_row=17)

    np.testing.assert_array_equal(below, encode_dithered(light)[17:])
