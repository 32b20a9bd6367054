from pathlib import Path

import pytest

from cat_dataset.records import EditScale
from cat_dataset.store.pair_rows import PairRow
from train.data.task_ids import round_up, tasks_of_pairs


def row(*edits: EditScale) -> PairRow:
    """Return a row of which only the edits matter."""
    return PairRow("key", "train", "scene", edits, "", 64, 64, Path(), ())


@pytest.mark.parametrize(
    ("value", "rounded"), [(1.97, 2.0), (118.2, 120.0), (120.6, 120.0), (2.0, 2.0), (0.345, 0.35)]
)
def test_ranges_round_up_to_two_digits(value: float, rounded: float) -> None:
    """A draw of 1.97 from a range of 2 lets a person ask for 2."""
    assert round_up(value) == pytest.approx(rounded)


def test_a_task_covers_the_largest_value_in_both_directions() -> None:
    """Pairs are also trained backwards."""
    rows = [row(EditScale("exposure", -1.97)), row(EditScale("exposure", 0.4))]

    (task,) = tasks_of_pairs(rows, ("exposure", "white_balance"))

    assert (task.low, task.high, task.unit) == (-2.0, 2.0, "stops")


def test_a_handful_of_large_numbers_does_not_widen_the_range() -> None:
    """One bracket over four stops among 200 pairs within two."""
    rows = [row(EditScale("exposure", (number % 41 - 20) / 10)) for number in range(200)]

    (task,) = tasks_of_pairs([*rows, row(EditScale("exposure", 4.0))], ("exposure",))

    assert task.high == 2.0


def test_a_shape_key_stands_for_every_shape_of_the_data() -> None:
    """Each a task with a range of its own; a key selects one."""
    rows = [
        row(EditScale("shape_key", 90.0, subject="smile")),
        row(EditScale("shape_key", 40.0, subject="blink"), EditScale("exposure", 1.0)),
    ]

    every = {task.key: task.high for task in tasks_of_pairs(rows, ("shape_key", "exposure"))}
    (smile,) = tasks_of_pairs(rows, ("shape_key:smile",))

    assert every == {"shape_key:blink": 40.0, "shape_key:smile": 90.0, "exposure": 1.0}
    assert (smile.attribute, smile.subject, smile.high) == ("shape_key", "smile", 90.0)


def test_white_balance_knows_what_a_picture_has_where_nobody_says() -> None:
    """6500 K, the setting at which a picture counts as balanced."""
    (task,) = tasks_of_pairs([row(EditScale("white_balance", 50.0))], ("white_balance",))

    assert (task.default_source, task.absolute_unit) == (6500.0, "K")
