"""The key of a task: the attribute, with its subject where that is what is edited."""

import pytest

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.attributes.task_key import (
    attribute_of_task,
    intervals_of,
    selects,
    split_task_key,
    task_key,
)
from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale


def test_shapes_alone_are_tasks_by_their_subject() -> None:
    """Every other attribute is one task, whatever object it edits."""
    keyed = [name for name in ATTRIBUTES if task_key(name, "any") != name]

    assert keyed == ["shape_key"]
    assert EditScale("shape_key", 60.0, subject="smile").task_key == "shape_key:smile"
    assert EditScale("object_rotation", 30.0, subject="teapot").task_key == "object_rotation"


@pytest.mark.parametrize("subject", ["Key.001", "open + wide", "a=b", "mouth open", "r:l"])
def test_a_key_can_stand_in_combinations_networks_and_on_the_keyboard(subject: str) -> None:
    """No dot, plus, blank or equals sign in it, and its parts are found again."""
    key = task_key("shape_key", subject)

    assert not set(".+= ") & set(key)
    assert split_task_key(key)[0] == "shape_key"
    assert attribute_of_task(key).name == "shape_key"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("smile", "unknown attribute 'smile': use one of"),
        ("object_rotation:teapot", "its key has no subject; write object_rotation"),
        ("shape_key:mouth open", "a subject is made of .*; write shape_key:mouth_open"),
    ],
)
def test_a_key_that_no_task_has_is_refused(key: str, message: str) -> None:
    """With what to write instead."""
    with pytest.raises(EditScaleError, match=message):
        attribute_of_task(key)


def test_a_name_selects_one_task_or_all_of_an_attribute() -> None:
    """And so do intervals that are given for either."""
    assert selects(("shape_key:smile",), "shape_key:smile")
    assert not selects(("shape_key:smile",), "shape_key:blink")
    assert selects(("shape_key",), "shape_key:blink")
    gaps = {"shape_key": [(10.0, 20.0)], "shape_key:smile": [(50.0, 60.0)]}
    assert intervals_of(gaps, "shape_key:smile") == [(50.0, 60.0), (10.0, 20.0)]
    assert intervals_of(gaps, "shape_key:blink") == [(10.0, 20.0)]
    assert intervals_of({"exposure": [(0.5, 1.0)]}, "exposure") == [(0.5, 1.0)]
