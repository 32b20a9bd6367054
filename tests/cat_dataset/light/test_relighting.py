"""The relighting model: every gain against its inverse, the light basis and the house."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, CAMERA_ATTRIBUTES, find_attribute
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.photometry import MAX_CCT_K, MIN_CCT_K, kelvin, mired
from cat_dataset.light.light_state import LampState, LightState, base_state, light_frame
from cat_dataset.light.readout import LightGain, camera_gain_change
from cat_dataset.light.relighting import (
    BLACK_BODIES_MIRED,
    RELIGHTING,
    balance_gain_rgb,
    changes_gain_rgb,
    colour_gain_rgb,
    colour_rgb,
    edit_gain_rgb,
    edits_gain_rgb,
    mired_of_colour,
    stops_gain_rgb,
)
from cat_dataset.records import EditScale
from tests.cat_dataset.conftest import make_light_basis

PACKAGES = ("cat_dataset", "render", "dslr", "train")
ROOT = Path(__file__).parents[3]
BLACK_BODY = st.floats(*BLACK_BODIES_MIRED).map(kelvin)
EDITS = [
    EditScale("exposure", 0.7),
    EditScale("white_balance", mired(4000.0) - mired(5200.0), 5200.0, 4000.0),
    EditScale("tint", 6.0),
    EditScale("light_power", -1.2),
    EditScale("light_temperature", mired(5000.0) - mired(3200.0), 3200.0, 5000.0),
    EditScale("ambient_level", 0.9),
]


@given(st.floats(2500.0, 12000.0), st.floats(2500.0, 12000.0), st.floats(2500.0, 12000.0))
def test_balances_of_two_steps_multiply(a_k: float, b_k: float, c_k: float) -> None:
    """Green is always 1, and a detour changes nothing."""
    direct = balance_gain_rgb(a_k, c_k)
    detour = balance_gain_rgb(a_k, b_k) * balance_gain_rgb(b_k, c_k)
    assert direct[1] == 1.0
    assert detour == pytest.approx(direct)


def test_a_lower_camera_setting_cools_the_picture() -> None:
    """The sign that is so easily swapped."""
    red, _, blue = balance_gain_rgb(6500.0, 3200.0)
    assert red < 1.0 < blue


def change_in_gain(attribute: str, gain_rgb: np.ndarray, source_wb_cct_k: float) -> float:
    """Return what a gain of the camera is read as."""
    still, gain = (LightGain(g, np.zeros(3), 100) for g in (np.ones(3), gain_rgb))
    return camera_gain_change(attribute, still, gain, {"white_balance": source_wb_cct_k}).value


@given(st.floats(-4.0, 4.0), st.floats(-4.0, 4.0))
def test_stops_are_found_again_in_their_gain(source: float, target: float) -> None:
    """The inverse of exposure and power, also under a white balance."""
    gain = stops_gain_rgb(source, target) * balance_gain_rgb(6500.0, 4100.0)

    assert change_in_gain("exposure", gain, 6500.0) == pytest.approx(target - source, abs=1e-12)


@given(BLACK_BODY, BLACK_BODY)
def test_colours_are_found_again_in_their_gain(source_k: float, target_k: float) -> None:
    """The inverse of white balance and lamp colour, over the whole range of black bodies."""
    gain = balance_gain_rgb(source_k, target_k) * 1.7
    balanced = mired(source_k) + change_in_gain("white_balance", gain, source_k)
    lamp = mired_of_colour(colour_rgb(source_k) * colour_gain_rgb(source_k, target_k) * 0.3)

    # 0.04 mired lie between the two halves of the black-body formula, at 4000 K
    assert balanced == pytest.approx(mired(target_k), abs=0.05)
    assert lamp == pytest.approx(mired(target_k), abs=0.05)


@pytest.mark.parametrize("rgb", [(1.0, 1.0, 3.0), (1.0, 0.2, 1e-4)])
def test_what_is_no_black_bodys_colour_is_refused(rgb: tuple[float, ...]) -> None:
    """Bluer than the bluest, redder than sRGB shows."""
    with pytest.raises(EditScaleError, match="no black body between 1905 K and 25000 K"):
        mired_of_colour(np.array(rgb))


def _after(edit: EditScale) -> tuple[LightState, LightState]:
    """Return the states of a basis before and after an edit."""
    base = base_state(make_light_basis("relit"))
    before = replace(base, wb_cct_k=5200.0)
    lamps = {"key": LampState(0.0, 3200.0), "sky": LampState(0.0, None)}
    match edit.attribute:
        case "exposure":
            return before, replace(before, exposure_stops=edit.value)
        case "white_balance":
            return before, replace(before, wb_cct_k=edit.target_value or 0.0)
        case "tint":
            return before, replace(before, tint_duv_x1000=edit.value)
        case "light_temperature":
            return before, before.with_lamp("key", LampState(0.0, edit.target_value))
        case "light_power":
            return before, before.with_lamp("key", replace(lamps["key"], power_stops=edit.value))
        case _:
            return before, before.with_lamp("sky", replace(lamps["sky"], power_stops=edit.value))


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.attribute)
def test_an_edit_gains_what_the_light_basis_gains(edit: EditScale) -> None:
    """The edited light of two frames differs by the gain of the edit, and no other light does."""
    basis = make_light_basis("relit")
    before, after = _after(edit)
    own = {"ambient_level": "sky"}.get(edit.attribute, "key")

    for name in ("key", "fill", "sky"):
        frames = [light_frame(basis, s, only=frozenset({name})) for s in (before, after)]
        is_edited = name == own or edit.attribute in CAMERA_ATTRIBUTES
        expected = edit_gain_rgb(edit) if is_edited else np.ones(3)
        np.testing.assert_allclose(
            frames[1] / frames[0], np.broadcast_to(expected, frames[0].shape), rtol=1e-5
        )


def test_changes_by_attribute_gain_what_their_edits_gain() -> None:
    """A lamp answers to the camera and to its own edits, not to the surroundings'."""
    values = {edit.attribute: edit.value for edit in EDITS}
    sources = {"white_balance": 5200.0, "light_temperature": 3200.0}
    camera, lamp, ambient = EDITS[:3], EDITS[3:5], EDITS[5:]

    for light, edits in (("lamp", lamp), ("ambient", ambient), ("rest", [])):
        np.testing.assert_allclose(
            changes_gain_rgb(light, values, sources), edits_gain_rgb([*camera, *edits])
        )


def test_a_change_of_colour_needs_to_know_where_it_starts() -> None:
    """An edit without kelvin has no gain; a change by value leaves such light as it is."""
    unknown = EditScale("light_temperature", 40.0)

    assert edit_gain_rgb(unknown) is None
    assert edits_gain_rgb([EDITS[2], unknown]) is None
    assert (changes_gain_rgb("lamp", {"light_temperature": 40.0}, {}) == 1.0).all()


def test_every_colour_that_may_be_asked_for_can_be_read() -> None:
    """One range of black bodies: inside the formula's, and around those of the attributes."""
    lowest, highest = BLACK_BODIES_MIRED

    assert mired(MAX_CCT_K) < lowest < highest < mired(MIN_CCT_K)
    for name in BASIS_ATTRIBUTES:
        if find_attribute(name).absolute_unit == "K":
            coolest_k, warmest_k = find_attribute(name).absolute_range or (0.0, 0.0)
            assert lowest <= mired(warmest_k) < mired(coolest_k) <= highest


def test_every_attribute_of_light_has_its_gain_and_its_setting() -> None:
    """Those of the camera in the state of a picture, the others in that of a lamp."""
    assert set(RELIGHTING) == set(BASIS_ATTRIBUTES)
    for name, model in RELIGHTING.items():
        is_of_camera = name in CAMERA_ATTRIBUTES
        owner = LightState if is_of_camera else LampState
        assert model.setting in owner.__dataclass_fields__
        assert (model.reading is not None) == is_of_camera


def test_gains_of_light_come_from_the_model_alone() -> None:
    """Who takes black bodies from elsewhere writes the model a second time; the sun is no edit."""
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and any(alias.name == "blackbody_rgb" for alias in node.names)
    }

    assert users == {"cat_dataset/light/relighting.py", "render/families/outdoor/sky.py"}
