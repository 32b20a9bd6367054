"""Numbers read among others, of editors whose errors are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.attributes.table import AMBIENT, LAMP
from cat_dataset.imaging.display import encode_display
from cat_dataset.scoring.readings.joint import ReferenceEdits, physical_readout_beside_others
from cat_dataset.scoring.truth import REST, Display, LightTruth
from cat_dataset.system.seeding import derive_rng

LAYERS = {
    name: derive_rng(0, "company", name).uniform(0.02, 0.12, (40, 40, 3)).astype(np.float32)
    for name in (LAMP, AMBIENT, REST)
}
SOURCE = sum(LAYERS.values(), np.zeros((40, 40, 3), np.float32))
TRUTH = LightTruth(
    encode_display(SOURCE, 1.0), LAYERS, np.ones((40, 40), np.bool_), lamp_cct_k=3500.0
)


def picture(**values: float) -> Display:
    """Return the true picture after changes."""
    found = TRUTH.picture(values)
    assert found is not None
    return found


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.8, 0.8), st.floats(-1.0, 1.0), st.floats(0.5, 1.0))
def test_an_exposure_is_read_beside_a_lamp_that_is_wrong(
    exposure: float, lamp: float, lamp_error: float
) -> None:
    """The camera's number is what it is, however far off the lamp came out."""
    made = picture(light_power=lamp_error * lamp)
    both = picture(light_power=lamp_error * lamp, exposure=exposure)

    read = physical_readout_beside_others(
        TRUTH,
        ReferenceEdits(made, picture(exposure=exposure)),
        both,
        "exposure",
        {"light_power": lamp},
    )

    assert read == pytest.approx((exposure, exposure), abs=0.03)  # a code at the median: 0.025


@pytest.mark.parametrize("attribute", ["light_power", "ambient_level", "light_temperature"])
@pytest.mark.parametrize("partner", ["exposure", "light_power", "ambient_level", "white_balance"])
def test_every_number_is_found_beside_every_other(attribute: str, partner: str) -> None:
    """Together and alone, of an editor that does what is asked."""
    if attribute == partner:
        pytest.skip("no other number")
    values = {"light_power": 0.8, "ambient_level": -0.7, "light_temperature": 60.0,
              "exposure": 0.5, "white_balance": -40.0}  # fmt: skip
    asked, other = {attribute: values[attribute]}, {partner: values[partner]}

    read = physical_readout_beside_others(
        TRUTH, ReferenceEdits(picture(**other), picture(**asked)), picture(**asked, **other),
        attribute, other,
    )  # fmt: skip

    tolerance = 2.0 if attribute == "light_temperature" else 0.02
    assert read == pytest.approx((values[attribute],) * 2, abs=tolerance)


def test_a_number_that_is_ignored_in_company_reads_as_nothing() -> None:
    """The result then is what the others did."""
    made = picture(light_power=1.0)

    read = physical_readout_beside_others(
        TRUTH, ReferenceEdits(made, picture(exposure=0.5)), made, "exposure", {"light_power": 1.0}
    )

    assert read is not None
    assert read[0] == pytest.approx(0.0, abs=1e-6)
    assert read[1] == pytest.approx(0.5, abs=0.03)
