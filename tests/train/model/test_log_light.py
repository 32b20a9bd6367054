import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.imaging.display import decode_display, encode_display
from cat_dataset.system.seeding import derive_rng
from train.model.log_light import (
    HALF_RANGE_STOPS,
    LIGHT_FLOOR,
    camera_error,
    change_error,
    decode_log_light,
    displayed_error,
    encode_log_light,
    known_weights,
    lamp_error,
    light_error,
    linear_of_codes,
    rescaled_to_ratio,
)


def test_black_and_white_have_the_numbers_one_can_check_by_hand() -> None:
    """Nine stops from the floor, 2**-9, to white; the middle is 2**-4.5."""
    log_light = encode_log_light(torch.tensor([0.0, 2.0**-9, 2.0**-4.5, 1.0]))

    assert log_light.tolist() == pytest.approx([-1.0, -1.0, 0.0, 1.0])


@pytest.mark.parametrize("linear", [LIGHT_FLOOR, 0.01, 0.25, 0.5])
def test_one_stop_is_the_same_offset_in_shadow_and_light(linear: float) -> None:
    """So one number moves every unclipped pixel alike."""
    offset = encode_log_light(torch.tensor(2 * linear)) - encode_log_light(torch.tensor(linear))

    assert float(offset) * HALF_RANGE_STOPS == pytest.approx(1.0, abs=1e-5)


def test_every_8_bit_code_above_the_floor_survives_the_round_trip() -> None:
    """Display code to log light and back is the identity; the floor is code 6.4."""
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)

    log_light = encode_log_light(torch.from_numpy(linear_of_codes(codes)))
    back = encode_display(decode_log_light(log_light).numpy(), 1.0)

    assert (back == np.maximum(codes, 6)).all()


def test_the_table_of_codes_equals_the_core_s_decoder() -> None:
    """The lookup table and `decode_display` agree to a float's last bits."""
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)

    np.testing.assert_allclose(linear_of_codes(codes), decode_display(codes), rtol=1e-6)


def test_pixels_whose_light_is_lost_hardly_count() -> None:
    """White and black sources weigh a tenth of what can be known."""
    weights = known_weights(encode_log_light(torch.tensor([0.0, 0.01, 0.5, 1.0])))

    assert weights.tolist() == pytest.approx([0.1, 1.0, 1.0, 0.1])


def test_brighter_than_white_and_darker_than_black_are_no_errors() -> None:
    """Where the target is clipped only an error towards the visible range counts."""
    white, black, grey = (float(encode_log_light(torch.tensor(v))) for v in (1.0, 0.0, 0.2))
    target = torch.tensor([white, white, black, black, grey])
    predicted = torch.tensor([white + 0.3, white - 0.3, black - 0.3, black + 0.3, grey + 0.3])

    error = displayed_error(predicted, target)

    assert error.tolist() == pytest.approx([0.0, -0.3, 0.0, 0.3, 0.3])


def test_a_lamp_half_a_stop_too_bright_is_half_a_stop_of_error() -> None:
    """In log light, per channel; where the lamp does not shine nothing is weighed."""
    lamp = torch.zeros(1, 3, 8, 8)
    lamp[..., :4] = 0.2
    source = encode_log_light(torch.full((1, 3, 8, 8), 0.02))
    target = encode_log_light(lamp + 0.02)

    error = light_error(encode_log_light((lamp + 0.02) * 2**0.5), target, source, 1.0)

    assert (error * HALF_RANGE_STOPS).flatten().tolist() == pytest.approx([0.5] * 3, abs=0.01)


def test_errors_of_pixels_that_cancel_are_no_error_of_the_number() -> None:
    """One pixel brighter by what another is darker: the light that was added is right."""
    source = encode_log_light(torch.full((1, 3, 2, 2), 0.1))
    target = encode_log_light(torch.full((1, 3, 2, 2), 0.3))
    light = torch.full((1, 3, 2, 2), 0.3) + torch.tensor([[0.1, -0.1], [-0.1, 0.1]])

    error = light_error(encode_log_light(light), target, source, 1.0)

    assert float(error.abs().max()) < 1e-4


def test_no_change_is_no_error_and_white_is_not_weighed() -> None:
    """Identity has no number; a picture without a readable pixel has no error, and no NaN."""
    grey = encode_log_light(torch.full((1, 3, 2, 2), 0.1))
    white = encode_log_light(torch.ones(1, 3, 2, 2))

    assert light_error(grey, grey, grey, 1.0).tolist() == [[0.0] * 3]
    assert light_error(grey, white, white, 1.0).tolist() == [[0.0] * 3]


def test_an_exposure_that_falls_short_in_the_shadows_is_wrong_by_their_share() -> None:
    """3 of 4 pixels, in shadow, lack 0.04 stop: 0.03 on average, though hardly any light lacks."""
    light = torch.full((1, 3, 2, 2), 0.01)
    light[..., 1, 1] = 0.4
    source, target = encode_log_light(light), encode_log_light(2.0 * light)
    predicted = encode_log_light(torch.where(light < 0.1, 2.0**0.96, 2.0) * light)

    of_pixels = camera_error(predicted, target, source, 1.0) * HALF_RANGE_STOPS
    of_light = light_error(predicted, target, source, 1.0) * HALF_RANGE_STOPS

    assert of_pixels.flatten().tolist() == pytest.approx([-0.03] * 3, abs=1e-5)
    assert float(of_light.abs().max()) < 1e-4


def test_an_exposure_is_judged_where_both_pictures_show_light() -> None:
    """White, black and uncounted pixels say nothing; without any other there is no error."""
    light = torch.tensor([[0.1, 0.1], [0.7, 0.0]]).expand(1, 3, 2, 2)
    source, target = encode_log_light(light), encode_log_light(2.0 * light)
    wrong = target + torch.tensor([[0.0, 0.5], [0.5, 0.5]])
    counted = torch.tensor([[1.0, 0.0], [1.0, 1.0]])[None, None]

    assert camera_error(wrong, target, source, counted).abs().max() < 1e-6
    assert camera_error(wrong, target, source, 0.0 * counted).tolist() == [[0.0] * 3]
    half_right = camera_error(wrong, target, source, 1.0)
    assert half_right.flatten().tolist() == pytest.approx([0.25] * 3, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, 1.5])
def test_a_change_made_by_half_is_half_the_change_off(share: float) -> None:
    """Whatever else differs, as long as it has nothing to do with the change."""
    source, target = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    target[..., :4] = 0.4
    predicted = share * target
    predicted[..., 4:] = 0.3  # beside the change
    weights = torch.ones(1, 3, 8, 8)

    error = change_error(predicted, target, source, weights)

    of_change = float((target - source).square().mean().sqrt())
    assert float(error) == pytest.approx((share - 1.0) * of_change, abs=1e-5)


def test_where_nothing_changes_there_is_no_error_of_change() -> None:
    """Identity: no direction, no error, no division by zero."""
    grey = torch.zeros(1, 3, 4, 4)

    assert change_error(grey + 0.1, grey, grey, torch.ones(1, 3, 4, 4)).tolist() == [[0.0]]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.4, 1.6), st.floats(-1.5, 1.0).filter(lambda v: abs(v) > 0.2))
def test_a_lamp_that_is_right_but_for_its_strength_is_right(error: float, stops: float) -> None:
    """With the pair's own ratio nothing is left to be wrong."""
    lamp, rest = (
        torch.from_numpy(derive_rng(0, "told", name).uniform(0.03, 0.15, (1, 3, 16, 16))).float()
        for name in ("lamp", "rest")
    )
    change = (2.0**stops - 1.0) * lamp
    source, target = (encode_log_light(light) for light in (lamp + rest, lamp + rest + change))
    wrong = encode_log_light(lamp + rest + error * change)

    known = rescaled_to_ratio(wrong, target, source, 1.0)

    torch.testing.assert_close(known, target, atol=2e-3, rtol=0.0)


def test_a_channel_that_hardly_changes_is_not_scaled() -> None:
    """Its ratio is not seen in 8 bits: a lamp's colour leaves green nearly alone."""
    light = torch.full((1, 3, 16, 16), 0.2) + 0.1 * torch.rand(1, 3, 16, 16)
    gain = torch.tensor([1.3, 1.001, 0.7]).view(1, 3, 1, 1)
    source, target = encode_log_light(light), encode_log_light(light * gain)
    wrong = target + torch.tensor([0.0, 0.01, 0.0]).view(1, 3, 1, 1)

    known = rescaled_to_ratio(wrong, target, source, 1.0)

    torch.testing.assert_close(known[:, 1], wrong[:, 1])


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-2.0, 1.0).filter(lambda v: abs(v) > 0.3),
    st.floats(-0.8, 0.8),
    st.sampled_from([0.01, 0.1, 0.2]),
)
def test_a_lamp_is_judged_by_its_own_gain(stops: float, off: float, rest: float) -> None:
    """However much other light there is: its gain in the picture over the gain asked."""
    shine = derive_rng(0, "lamp").uniform(0.1, 0.3, (1, 3, 16, 16))
    lamp = torch.from_numpy(shine).float()
    source = encode_log_light(lamp + rest)
    target, made = (encode_log_light(2.0**s * lamp + rest) for s in (stops, stops + off))
    gain = torch.full((1, 3), 2.0**stops)

    error = lamp_error(made, target, source, 1.0, gain)

    assert (error * HALF_RANGE_STOPS).flatten().tolist() == pytest.approx([off] * 3, abs=2e-3)


def test_a_lamp_turned_down_too_far_has_a_finite_error_with_a_slope() -> None:
    """More light taken away than the lamp gives: still the further, the worse."""
    lamp, rest = torch.full((1, 3, 8, 8), 0.1), 0.4
    source, target = encode_log_light(lamp + rest), encode_log_light(0.25 * lamp + rest)
    light = torch.full((1, 3, 8, 8), rest - 0.05, requires_grad=True)

    error = lamp_error(encode_log_light(light), target, source, 1.0, torch.full((1, 3), 0.25))
    error.sum().backward()

    assert light.grad is not None
    assert float(error.detach().max()) * HALF_RANGE_STOPS < -2.0
    assert float(light.grad.min()) > 0.0


def test_a_channel_that_a_lamp_leaves_alone_has_no_error() -> None:
    """Nothing changes in it, so nothing can be projected on the change."""
    light = torch.full((1, 3, 8, 8), 0.2)
    source = encode_log_light(light)

    error = lamp_error(source + 0.05, source, source, 1.0, torch.ones(1, 3))

    assert error.tolist() == [[0.0] * 3]


def test_light_beyond_white_is_no_licence() -> None:
    """Where a target is known to be brighter than white, too much light is an error as well."""
    target = encode_log_light(torch.tensor([2.0, 1.0]))

    error = displayed_error(target + 0.3, target)

    assert error.tolist() == pytest.approx([0.3, 0.0])


def test_a_ratio_is_taken_over_all_that_the_source_shows() -> None:
    """A lamp that passes white where it is brightest is scaled by its light there as well."""
    lamp = torch.full((1, 3, 8, 8), 0.05)
    lamp[..., :4] = 0.4
    source = encode_log_light(lamp + 0.1)
    target = encode_log_light(4.0 * lamp + 0.1)  # 1.7 where it is brightest
    predicted = encode_log_light(2.0 * lamp + 0.1)  # the right place, a third of the change

    torch.testing.assert_close(rescaled_to_ratio(predicted, target, source, 1.0), target)

    bright = torch.ones(1, 1, 8, 8)
    bright[..., :4] = 0.0  # not known: the rest alone decides
    torch.testing.assert_close(rescaled_to_ratio(predicted, target, source, bright), target)
