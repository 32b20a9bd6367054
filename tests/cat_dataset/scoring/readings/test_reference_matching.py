import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cat_dataset.attributes.table import AMBIENT, LAMP
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import decode_display, encode_display
from cat_dataset.imaging.photometry import srgb_decode
from cat_dataset.light.readout import readable_mask
from cat_dataset.light.relighting import balance_gain_rgb
from cat_dataset.scoring.readings.physical import joint_physical_readout, physical_readout, psnr_db
from cat_dataset.scoring.readings.reference_matching import (
    FrameGrid,
    ReferenceGrid,
    frame_codes,
    frame_grid,
    light_grid,
    parabola_minimum,
    probe_of,
)
from cat_dataset.scoring.truth import REST, FrameTruth, LightTruth
from cat_dataset.system.seeding import derive_rng

LIGHT = derive_rng(0, "lamp").uniform(0.02, 0.2, (32, 32, 3)).astype(np.float32)
OTHER = derive_rng(0, "rest").uniform(0.02, 0.15, (32, 32, 3)).astype(np.float32)
SOURCE = encode_display(LIGHT + OTHER, 1.0)


def camera_truth() -> LightTruth:
    """Return a source of which nothing but its codes is known."""
    light = decode_display(SOURCE)
    return LightTruth(SOURCE, {REST: light}, readable_mask(light, light), wb_cct_k=5000.0)


def lamp_truth() -> LightTruth:
    """Return a source of which the lamp's light is known apart."""
    known = np.ones(SOURCE.shape[:2], np.bool_)
    return LightTruth(SOURCE, {LAMP: LIGHT, REST: OTHER}, known, lamp_cct_k=3200.0)


def half_a_code_stops() -> float:
    """Return what half a display code is at the median of the source's green, in stops.

    A change below it leaves the median pixel at its code, so a median reads nothing.
    """
    code = float(np.median(SOURCE[..., 1]))
    light = srgb_decode(np.array([code, code + 0.5]) / 255.0)
    return float(np.log2(light[1] / light[0]))


@settings(max_examples=40, deadline=None)
@given(st.floats(-2.0, 1.0))
@example(0.01171875)  # not half a code
def test_both_readouts_find_any_exposure(stops: float) -> None:
    """To the precision of 8 bits, and without knowing what was asked."""
    truth = camera_truth()
    result = encode_display((LIGHT + OTHER) * np.float32(2.0**stops), 1.0)

    match = light_grid(truth, "exposure", -2.0, 2.0).read(probe_of(truth, result))

    assert physical_readout(truth, result, "exposure") == pytest.approx(
        stops, abs=half_a_code_stops()
    )
    assert match.value == pytest.approx(stops, abs=0.01)  # all pixels together see more
    assert not match.is_outside


@settings(max_examples=40, deadline=None)
@given(st.floats(-2.0, 1.0), st.floats(-100.0, 150.0))
def test_lamp_and_its_colour_are_each_read_where_the_other_is_done(
    stops: float, mired_up: float
) -> None:
    """Two changes of one lamp at once, by both readouts."""
    truth = lamp_truth()
    values = {"light_power": stops, "light_temperature": mired_up}
    result = truth.picture(values)
    assert result is not None

    for name, limit, largest, tolerance in (
        ("light_power", 2.0, 2.0, 0.03),
        ("light_temperature", 160.0, 160.0, 4.0),
    ):
        others = {other: value for other, value in values.items() if other != name}
        moved = truth.after(others)
        assert moved is not None
        match = light_grid(moved, name, -limit, largest).read(probe_of(moved, result))
        assert match.value == pytest.approx(values[name], abs=tolerance)
        assert physical_readout(moved, result, name) == pytest.approx(
            values[name], abs=3 * tolerance
        )


@pytest.mark.parametrize(
    "values",
    [
        {"exposure": -0.5, "light_power": 1.0},
        {"white_balance": 40.0, "light_temperature": -60.0},
    ],
)
def test_what_is_true_after_a_change_is_true_of_the_rest(values: dict[str, float]) -> None:
    """All changes at once, or one after the other: the same picture to a code."""
    at_once = lamp_truth().picture(values)
    (first, one), (second, two) = values.items()
    between = lamp_truth().after({first: one})
    assert at_once is not None
    assert between is not None

    after = between.picture({second: two})

    assert after is not None
    assert np.abs(after.astype(int) - at_once).max() <= 1


@pytest.mark.parametrize("target_k", [3600.0, 8000.0])
def test_white_balance_is_read_from_the_source_s_own_setting(target_k: float) -> None:
    """The same gains mean other mired at another setting, so the setting counts."""
    gains = balance_gain_rgb(5000.0, target_k).astype(np.float32)
    result = encode_display((LIGHT + OTHER) * gains, 1.0)

    expected = 1e6 / target_k - 1e6 / 5000.0
    assert physical_readout(camera_truth(), result, "white_balance") == pytest.approx(
        expected, abs=1.0
    )


@pytest.mark.parametrize("stops", [-2.0, -0.5, 0.7, 1.2])
def test_the_camera_is_told_from_the_lamp_by_what_no_lamp_reaches(stops: float) -> None:
    """Exposure up, lamp down: each is found, whatever the other did."""
    truth = lamp_truth()
    result = truth.picture({"light_power": stops, "exposure": -0.4})
    assert result is not None

    read = joint_physical_readout(truth, result, "light_power")

    assert read["exposure"] == pytest.approx(-0.4, abs=0.02)
    assert read["light_power"] == pytest.approx(stops, abs=0.03)


@pytest.mark.parametrize("attribute", ["exposure", "white_balance", "light_power",
                                       "light_temperature"])  # fmt: skip
def test_a_copy_of_the_source_achieves_nothing(attribute: str) -> None:
    """Every readout of source against source is zero."""
    truth = lamp_truth()

    assert physical_readout(truth, SOURCE, attribute) == pytest.approx(0.0, abs=0.3)
    match = light_grid(truth, attribute, -2.0, 2.0).read(probe_of(truth, SOURCE))
    assert match.value == pytest.approx(0.0, abs=0.3)


def test_what_is_not_known_is_not_made_up() -> None:
    """No ambient layer, no colour of the lamp: no picture, no reading."""
    truth = camera_truth()

    assert truth.picture({"ambient_level": 1.0}) is None
    assert not truth.can_make("light_temperature")
    with pytest.raises(EditScaleError, match="not known apart"):
        physical_readout(truth, SOURCE, "light_power")
    layers = {LAMP: LIGHT, AMBIENT: OTHER}
    no_colour = LightTruth(SOURCE, layers, np.ones(SOURCE.shape[:2], np.bool_))
    assert no_colour.picture({"light_temperature": 10.0}) is None
    assert no_colour.picture({"ambient_level": 1.0}) is not None


def test_a_white_picture_cannot_be_read() -> None:
    """Clipped pixels carry no number: neither readout answers."""
    white = np.full_like(SOURCE, 255)

    with pytest.raises(EditScaleError, match="neither clipped nor black"):
        physical_readout(camera_truth(), white, "exposure")
    light = decode_display(white)
    blind = LightTruth(white, {REST: light}, readable_mask(light, light))
    with pytest.raises(EditScaleError, match="neither clipped nor black"):
        light_grid(blind, "exposure", -1.0, 1.0)


def test_beyond_the_last_reference_is_outside_and_not_extrapolated() -> None:
    """Three stops brighter on a grid of one: the end, marked."""
    truth = camera_truth()
    grid = light_grid(truth, "exposure", -1.0, 1.0)
    bright = encode_display((LIGHT + OTHER) * np.float32(3.0), 1.0)

    read = grid.read(probe_of(truth, bright))

    assert read.is_outside
    assert read.value == 1.25  # the grid reaches a quarter beyond what may be asked


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(0.1, 5.0))
def test_a_parabola_is_found_exactly(minimum: float, curvature: float) -> None:
    """On uneven steps too."""
    x = [minimum - 1.3, minimum + 0.2, minimum + 0.9]

    found = parabola_minimum(x, [curvature * (value - minimum) ** 2 for value in x])

    assert found == pytest.approx(minimum, abs=1e-6)


def test_a_flat_parabola_stays_in_the_middle() -> None:
    """Nothing to refine."""
    assert parabola_minimum([0.0, 1.0, 2.0], [1.0, 1.0, 1.0]) == 1.0


def frames() -> FrameTruth:
    """Return a source and three frames of a change whose picture is a straight line."""
    grey = np.full((16, 16, 3), 100, np.uint8)
    values = {-2.0: grey - 40, 0.0: grey, 1.0: grey + 20, 3.0: grey + 60}
    return FrameTruth(grey, "roughness", values)


@pytest.mark.parametrize(("code", "value"), [(60, -2.0), (80, -1.0), (100, 0.0), (110, 0.5),
                                             (120, 1.0), (150, 2.5), (160, 3.0)])  # fmt: skip
def test_between_frames_the_straight_line_counts(code: int, value: float) -> None:
    """On a frame the frame's value, at the ends too."""
    read = frame_grid(frames()).read(np.full(16 * 16 * 3, code, np.float32))

    assert read.value == pytest.approx(value)
    assert not read.is_outside


def test_past_the_last_frame_is_outside() -> None:
    """Brighter than the brightest frame."""
    read = frame_grid(frames()).read(np.full(16 * 16 * 3, 200, np.float32))

    assert read.is_outside
    assert read.value == 3.0


def test_the_floor_of_frames_leaves_the_frame_itself_out() -> None:
    """Without its own reference a frame is read between its neighbours; an end has none."""
    truth, grid = frames(), frame_grid(frames())

    others = grid.without(1.0)

    assert isinstance(others, FrameGrid)
    assert others.read(frame_codes(truth.frames[1.0])).value == pytest.approx(1.0)
    assert grid.without(3.0) is None


def test_frames_are_known_where_they_are_and_nowhere_else() -> None:
    """No picture between frames, none with another attribute changed."""
    truth = frames()

    assert truth.picture({"roughness": 1.0}) is truth.frames[1.0]
    assert truth.picture({"roughness": 0.5}) is None
    assert truth.picture({"roughness": 1.0, "exposure": 1.0}) is None


def test_noise_does_not_move_a_parabola() -> None:
    """What lies off the path adds the same to every distance."""
    truth = camera_truth()
    grid = light_grid(truth, "exposure", -2.0, 2.0)
    rng = derive_rng(0, "noise")
    half_stop = truth.probe_codes({"exposure": 0.5}).ravel()

    read = grid.read((half_stop + rng.normal(0, 10, half_stop.shape)).astype(np.float32))

    assert isinstance(grid, ReferenceGrid)
    assert read.value == pytest.approx(0.5, abs=0.02)
    assert read.distance_codes == pytest.approx(10.0, rel=0.1)


def test_psnr_of_one_code_everywhere_is_48_db() -> None:
    """20 log10(255) = 48.13 dB; equal pictures count as 99."""
    grey = np.full((8, 8, 3), 100, np.uint8)

    assert psnr_db(grey, grey + 1) == pytest.approx(48.13, abs=0.01)
    assert psnr_db(grey, grey) == 99.0
