import pytest
from hypothesis import given
from hypothesis import strategies as st

from cat_dataset.attributes.attribute import Attribute, wrap_deg
from cat_dataset.attributes.table import (
    ATTRIBUTES,
    BASIS_ATTRIBUTES,
    CAMERA_ATTRIBUTES,
    CAPTURE_ATTRIBUTES,
    FAMILY_ATTRIBUTES,
    LIGHT_OF,
    SWEEP_ATTRIBUTES,
    find_attribute,
    find_typed_attribute,
)
from cat_dataset.errors import EditScaleError

WITH_ABSOLUTE = [a for a in ATTRIBUTES.values() if a.absolute_range is not None]


@pytest.mark.parametrize(
    ("name", "source", "target", "value"),
    [
        ("white_balance", 5500.0, 6500.0, -27.972),  # 1e6/6500 - 1e6/5500
        ("light_temperature", 2000.0, 3000.0, -166.667),  # 1000 K down here ...
        ("light_temperature", 8000.0, 9000.0, -13.889),  # ... is not 1000 K up there
        ("aperture", 2.0, 4.0, 2.0),
        ("aperture", 2.0, 2.8, 0.9709),
        ("focal_length", 24.0, 50.0, 1.0589),  # ratio of f, never of view angles
        ("object_rotation", 350.0, 10.0, 20.0),
        ("object_rotation", 10.0, 350.0, -20.0),
        ("focus_distance", 2.0, 1.0, 0.5),  # 1/1 - 1/2 dioptre
        ("shutter_blur", 1 / 60, 1 / 15, 2.0),
        ("object_scale", 100.0, 150.0, 0.585),
        ("camera_distance", 2.0, 1.0, -1.0),
        ("base_hue", 350.0, 20.0, 30.0),
        ("fog_density", 400.0, 50.0, 3.0),
        ("sun_elevation", 10.0, 35.0, 25.0),
    ],
)
def test_differences_between_absolute_values(
    name: str, source: float, target: float, value: float
) -> None:
    """Golden numbers, each worked by hand."""
    assert find_attribute(name).difference(source, target) == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize("attribute", WITH_ABSOLUTE, ids=lambda a: a.name)
@given(position=st.floats(0.0, 1.0))
def test_an_applied_difference_leads_back_to_the_target(
    attribute: Attribute, position: float
) -> None:
    """apply(source, difference(source, target)) is the target."""
    assert attribute.absolute_range is not None
    low, high = attribute.absolute_range
    source, target = low + position * (high - low), high - position * (high - low)
    reached = attribute.apply(source, attribute.difference(source, target))
    gap = reached - target
    assert (wrap_deg(gap) if attribute.is_circular else gap) == pytest.approx(0.0, abs=1e-6 * high)


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=lambda a: a.name)
def test_zero_is_no_change_and_ranges_hold_it(attribute: Attribute) -> None:
    """Zero always means no change, and every range has it inside."""
    assert attribute.value_range[0] < 0.0 < attribute.value_range[1]
    assert attribute.value_range[0] <= attribute.default_range[0]
    assert attribute.default_range[1] <= attribute.value_range[1]
    if attribute.absolute_range is not None:
        value = attribute.absolute_range[0]
        assert attribute.difference(value, value) == 0.0


def test_an_unknown_attribute_names_those_that_exist() -> None:
    """The error ends the search."""
    with pytest.raises(EditScaleError, match=r"'brightness'.*exposure, white_balance"):
        find_attribute("brightness")


@pytest.mark.parametrize("value", [6.01, -6.01, float("nan"), float("inf")])
def test_values_out_of_range_are_refused_with_the_range(value: float) -> None:
    """No quiet clamp; NaN is no value either."""
    with pytest.raises(EditScaleError, match=r"-6 to \+6 stops"):
        find_attribute("exposure").check_value(value)


def test_the_role_of_an_attribute_says_how_its_pairs_are_made() -> None:
    """What is composed from light is not rendered anew; the sensor's noise is only photographed."""
    assert {"exposure", "white_balance"} <= set(CAMERA_ATTRIBUTES)
    assert LIGHT_OF == {
        "light_power": "lamp",
        "light_temperature": "lamp",
        "ambient_level": "ambient",
    }
    assert (*CAMERA_ATTRIBUTES, *LIGHT_OF) == BASIS_ATTRIBUTES
    assert not set(BASIS_ATTRIBUTES) & set(SWEEP_ATTRIBUTES)
    assert set(ATTRIBUTES) - set(BASIS_ATTRIBUTES) - set(SWEEP_ATTRIBUTES) == {"iso_noise"}
    assert "iso_noise" in CAPTURE_ATTRIBUTES


def test_families_have_what_their_scenes_can_show() -> None:
    """Every scene has its light; the sky is outdoors, shapes are of heads and of users' models."""
    for attributes in FAMILY_ATTRIBUTES.values():
        assert set(BASIS_ATTRIBUTES) <= attributes
    with_sun = [family for family, names in FAMILY_ATTRIBUTES.items() if "sun_azimuth" in names]
    with_shapes = [family for family, names in FAMILY_ATTRIBUTES.items() if "shape_key" in names]
    assert with_sun == ["outdoor"]
    assert with_shapes == ["head", "models"]
    assert "roughness" not in FAMILY_ATTRIBUTES["head"]
    assert set().union(*FAMILY_ATTRIBUTES.values()) == {*BASIS_ATTRIBUTES, *SWEEP_ATTRIBUTES}


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=lambda a: a.name)
def test_every_attribute_has_words_for_both_directions(attribute: Attribute) -> None:
    """An instruction can be written for an edit up and for an edit down."""
    assert all(len(templates) >= 2 for templates in attribute.phrases)


def test_an_alias_means_one_attribute_and_is_no_name() -> None:
    """A short name on the keyboard; files hold the full one, and only that is found there."""
    aliases = [alias for attribute in ATTRIBUTES.values() for alias in attribute.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(ATTRIBUTES)
    assert find_typed_attribute("ev").name == "exposure"
    with pytest.raises(EditScaleError, match="unknown attribute 'ev'"):
        find_attribute("ev")
