"""States of a light basis: settings moved one by one, and their record."""

import json

import pytest

from cat_dataset.light.light_state import LampState, LightState, base_state
from cat_dataset.light.relighting import BLACK_BODIES_MIRED
from tests.cat_dataset.conftest import make_light_basis


def test_settings_move_one_at_a_time() -> None:
    """The camera's where no light is named, else those of the lights named; all others stay."""
    base = base_state(make_light_basis("state"))

    moved = (
        base.moved("exposure", 0.5, ())
        .moved("white_balance", 4000.0, ())
        .moved("light_power", -1.0, ("key",))
        .moved("light_temperature", 2700.0, ("key",))
    )

    assert (moved.exposure_stops, moved.wb_cct_k) == (0.5, 4000.0)
    assert moved.lamps == {**base.lamps, "key": LampState(-1.0, 2700.0)}


def test_stops_of_two_edits_of_one_light_add_up_and_colours_do_not() -> None:
    """A main lamp that is ambient light as well is turned up by both."""
    base = base_state(make_light_basis("state"))

    moved = base.moved("light_power", 1.0, ("sky",)).moved("ambient_level", 0.5, ("sky", "fill"))
    cooler = base.moved("white_balance", 4000.0, ()).moved("white_balance", 5000.0, ())

    assert (moved.lamps["sky"].power_stops, moved.lamps["fill"].power_stops) == (1.5, 0.5)
    assert cooler.wb_cct_k == 5000.0


def test_a_state_is_read_back_as_it_was_written() -> None:
    """Through JSON, with lights that have a colour and lights that have none."""
    state = base_state(make_light_basis("state")).moved("exposure", -0.25, ())

    assert LightState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_a_light_that_is_not_there_cannot_be_moved() -> None:
    """A name that is wrong is found at once."""
    with pytest.raises(KeyError, match="lantern"):
        base_state(make_light_basis("state")).moved("light_power", 1.0, ("lantern",))


def test_the_range_of_black_bodies_is_given_in_mired() -> None:
    """24390 K to 1953 K, bluest first."""
    assert tuple(round(1e6 / end) for end in BLACK_BODIES_MIRED) == (24390, 1953)
