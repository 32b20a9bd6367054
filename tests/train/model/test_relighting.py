"""What edits of light do together, against the light itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.imaging.photometry import blackbody_rgb, luminance
from cat_dataset.light.light_ratio import light_ratio_rgb
from cat_dataset.light.relighting import balance_gain_rgb
from cat_dataset.records import EditScale
from cat_dataset.system.seeding import derive_rng
from train.model.relighting import PartGain, composed_gain, parts_of_light, scaled_shares

LAMP, AMBIENT, REST = (
    derive_rng(0, "change", name).uniform(0.02, 0.2, (24, 24, 3)).astype(np.float32)
    for name in ("lamp", "ambient", "rest")
)
SOURCE = LAMP + AMBIENT + REST
RATIO = light_ratio_rgb(LAMP, SOURCE)
POWER = EditScale("light_power", 1.3)
WARMER = EditScale("light_temperature", 90.0, 4000.0, 1e6 / (1e6 / 4000.0 + 90.0))
TINT = (blackbody_rgb(WARMER.target_value or 0.0) / blackbody_rgb(4000.0)).astype(np.float32)


def part(edit: EditScale, target_HW3: np.ndarray) -> PartGain:
    """Return an edit that was predicted without error."""
    return PartGain([edit], np.log2(target_HW3 / SOURCE))


def power_part(edit: EditScale = POWER, share_error: float = 1.0) -> PartGain:
    """Return a lamp's power as predicted by someone who misjudges the lamp's part of the light."""
    return part(edit, SOURCE + share_error * (2.0**edit.value - 1.0) * LAMP)


def light_after(parts: list[PartGain]) -> np.ndarray:
    """Return the picture after all parts."""
    return np.asarray(SOURCE * np.exp2(composed_gain(SOURCE, parts)))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.4, 1.9), st.floats(-2.0, 2.0).filter(lambda v: abs(v) > 0.1))
def test_a_known_ratio_corrects_a_misjudged_lamp(share_error: float, stops: float) -> None:
    """Where the lamp shines was right, how much it gives was not."""
    edit = EditScale("light_power", stops, light_ratio=RATIO)
    limit = float((SOURCE / LAMP).min()) * (0.99 if stops > 0 else min(1.0, 0.9 / (1 - 2.0**stops)))

    after = light_after([power_part(edit, min(share_error, limit))])

    np.testing.assert_allclose(after, SOURCE + (2.0**stops - 1.0) * LAMP, rtol=2e-3)


def test_one_number_of_luminance_corrects_as_well() -> None:
    """Three channels misjudged alike need no more than one number."""
    own, source = luminance(LAMP), luminance(SOURCE)
    ratio = float((own * own).sum() / (own * (source - own)).sum())
    edit = EditScale("light_power", 1.0, light_ratio=(ratio,))

    np.testing.assert_allclose(light_after([power_part(edit, 0.7)]), SOURCE + LAMP, rtol=1e-3)


def test_one_number_does_not_count_where_the_colour_changes() -> None:
    """The lamp then stays as it was predicted."""
    known = EditScale(
        "light_temperature", WARMER.value, 4000.0, WARMER.target_value, light_ratio=(9.0,)
    )
    predicted = SOURCE + 0.7 * (TINT - 1.0) * LAMP

    np.testing.assert_allclose(light_after([part(known, predicted)]), predicted, rtol=1e-6)


def test_without_a_ratio_a_lamp_stays_as_it_was_predicted() -> None:
    """To the last bit, where nothing else is edited."""
    wrong = power_part(share_error=0.7)

    assert (composed_gain(SOURCE, [wrong]) == wrong.gain_HW3.astype(np.float32)).all()


@pytest.mark.parametrize("ratio_is_known", [False, True])
def test_two_edits_of_one_lamp_are_one_gain_of_its_light(ratio_is_known: bool) -> None:
    """Power and colour predicted apart give the lamp that has both, whatever their order."""
    ratio = RATIO if ratio_is_known else None
    power, warmer = (
        EditScale(e.attribute, e.value, e.source_value, e.target_value, light_ratio=ratio)
        for e in (POWER, WARMER)
    )
    parts = [power_part(power), part(warmer, SOURCE + (TINT - 1.0) * LAMP)]

    expected = SOURCE + (2.0**POWER.value * TINT - 1.0) * LAMP
    np.testing.assert_allclose(light_after(parts), expected, rtol=2e-3)
    np.testing.assert_allclose(light_after(parts), light_after(parts[::-1]), rtol=1e-6)


def test_lamps_add_up_and_the_camera_multiplies() -> None:
    """Lamp up, ambient light down, exposure and balance: what the light itself would be."""
    dimmer, brighter = EditScale("ambient_level", -1.0), EditScale("exposure", 0.4)
    balance = balance_gain_rgb(6500.0, 5000.0).astype(np.float32)
    cooler = EditScale("white_balance", 1e6 / 5000.0 - 1e6 / 6500.0, 6500.0, 5000.0)
    parts = [
        power_part(),
        part(dimmer, SOURCE - 0.5 * AMBIENT),
        part(brighter, SOURCE * np.float32(2.0**0.4)),
        part(cooler, SOURCE * balance),
    ]

    light = 2.0**POWER.value * LAMP + 0.5 * AMBIENT + REST
    np.testing.assert_allclose(light_after(parts), light * balance * 2.0**0.4, rtol=1e-3)


@pytest.mark.parametrize("stops", [0.03, -0.01])
def test_an_edit_too_small_to_show_the_lamp_is_made_all_the_same(stops: float) -> None:
    """As it was predicted: nothing determines the lamp's shares from so little."""
    edit = EditScale("light_power", stops, light_ratio=RATIO)

    np.testing.assert_allclose(
        light_after([power_part(edit)]), SOURCE + (2.0**stops - 1.0) * LAMP, rtol=1e-5
    )


def test_a_ratio_cannot_make_a_lamp_of_nothing() -> None:
    """A base that predicted no lamp leaves no lamp to scale."""
    ratio = (2.0, 2.0, 2.0)

    assert (scaled_shares(SOURCE, np.zeros(SOURCE.shape), ratio) == 0.0).all()


def test_what_is_predicted_apart() -> None:
    """Each of the camera and of a light; a colour of unknown kelvin with the lamp's power."""
    exposure, ambient = EditScale("exposure", 1.0), EditScale("ambient_level", 1.0)
    unknown, turn = EditScale("light_temperature", 50.0), EditScale("object_rotation", 30.0)

    assert parts_of_light([ambient, WARMER, POWER, exposure]) == [
        [exposure], [POWER], [WARMER], [ambient],
    ]  # fmt: skip
    assert parts_of_light([turn, unknown, exposure, POWER]) == [
        [exposure], [unknown, POWER], [turn],
    ]  # fmt: skip
