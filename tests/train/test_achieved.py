import numpy as np
import pytest

from cat_dataset.display import encode_display
from cat_dataset.errors import EditScaleError
from cat_dataset.photometry import white_balance_gains
from cat_dataset.records import EditScale
from cat_dataset.seeding import derive_rng
from train.achieved import (
    READOUTS,
    Display,
    TruePair,
    achieved_lamp_stops,
    achieved_white_balance,
    psnr_db,
)

LAMP = derive_rng(0, "lamp").uniform(0.02, 0.2, (32, 32, 3)).astype(np.float32)
REST = derive_rng(0, "rest").uniform(0.02, 0.15, (32, 32, 3)).astype(np.float32)


def show(light: np.ndarray) -> Display:
    """Return light as a display picture."""
    return encode_display(light.astype(np.float32), 1.0)


def pair(
    attribute: str, value: float, target: np.ndarray, source_k: float | None = None
) -> TruePair:
    """Return a pair whose source is lamp and rest."""
    return TruePair(show(LAMP + REST), show(target), EditScale(attribute, value, source_k))


@pytest.mark.parametrize("stops", [-2.0, -0.5, 0.7, 1.2])
def test_exposure_is_read_from_source_and_result(stops: float) -> None:
    """A gain of 2**stops reads as stops, to the precision of 8 bits."""
    result = show((LAMP + REST) * 2.0**stops)

    achieved = READOUTS["exposure"](pair("exposure", 0.0, LAMP + REST), result)

    assert achieved == pytest.approx(stops, abs=0.01)


@pytest.mark.parametrize(("source_k", "target_k"), [(6500.0, 4500.0), (4500.0, 6500.0)])
def test_white_balance_is_read_from_the_source_s_own_setting(
    source_k: float, target_k: float
) -> None:
    """The same gains mean other mired at another setting, so the setting counts."""
    result = show((LAMP + REST) * white_balance_gains(source_k, target_k))
    true_pair = pair("white_balance", 0.0, LAMP + REST, source_k)

    expected = 1e6 / target_k - 1e6 / source_k
    assert achieved_white_balance(true_pair, result) == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("stops", [-2.0, -0.5, 0.7, 1.2])
def test_lamp_stops_are_read_along_the_light_the_true_pair_shows(stops: float) -> None:
    """The true pair is +1 stop; a result with the lamp at any other power reads as that."""
    true_pair = pair("light_power", 1.0, 2.0 * LAMP + REST)

    achieved = achieved_lamp_stops(true_pair, show(2.0**stops * LAMP + REST))

    assert achieved == pytest.approx(stops, abs=0.03)


@pytest.mark.parametrize("attribute", sorted(READOUTS))
def test_a_copy_of_the_source_achieves_nothing(attribute: str) -> None:
    """Every readout of source against source is zero."""
    true_pair = pair(attribute, 1.0, 2.0 * LAMP + REST, 6500.0)

    assert READOUTS[attribute](true_pair, true_pair.source_HW3) == pytest.approx(0.0, abs=0.05)


def test_a_true_change_too_small_to_show_the_lamp_is_refused() -> None:
    """Dividing by nearly nothing would make any number."""
    with pytest.raises(EditScaleError, match="to see where the lamp shines"):
        achieved_lamp_stops(pair("light_power", 0.05, LAMP + REST), show(LAMP + REST))


def test_a_white_picture_cannot_be_read() -> None:
    """Clipped pixels carry no number."""
    white = show(np.ones_like(LAMP))

    with pytest.raises(EditScaleError, match="neither clipped nor black"):
        READOUTS["exposure"](pair("exposure", 1.0, LAMP), white)


def test_psnr_of_one_code_everywhere_is_48_db() -> None:
    """20 log10(255) = 48.13 dB; equal pictures count as 99."""
    grey = np.full((8, 8, 3), 100, np.uint8)

    assert psnr_db(grey, grey + 1) == pytest.approx(48.13, abs=0.01)
    assert psnr_db(grey, grey) == 99.0
