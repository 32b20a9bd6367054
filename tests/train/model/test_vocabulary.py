import pytest
import torch

from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale
from train.model.vocabulary import (
    WORDS_PER_EDIT,
    WORDS_PER_NUMBER,
    WordEncoder,
    number_vocabulary,
    vocabulary,
    words_by_number,
    words_of_edits,
    words_with_numbers,
)

LARGEST = {"exposure": 2.0, "white_balance": 120.0}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, ("exposure", "raise", "slightly")),
        (-1.0, ("exposure", "lower", "clearly")),
        (2.0, ("exposure", "raise", "strongly")),
        (0.0, ("keep", "keep", "keep")),
    ],
)
def test_an_edit_becomes_attribute_direction_and_third_of_its_range(
    value: float, words: tuple[str, ...]
) -> None:
    """Strength is coarse: the base never sees the number."""
    assert words_of_edits([EditScale("exposure", value)], LARGEST, num_places=1) == words


def test_places_without_an_edit_say_nothing() -> None:
    """Instructions have one length, so they stack into a batch."""
    words = words_of_edits([EditScale("exposure", 1.9)], LARGEST, num_places=2)

    assert len(words) == len(words_by_number(2)) == 6
    assert words[3:] == ("nothing",) * 3


def test_more_edits_than_places_are_refused() -> None:
    """No edit is dropped in silence."""
    edits = [EditScale("exposure", 1.0), EditScale("white_balance", 30.0)]

    with pytest.raises(EditScaleError, match="2 edits at once"):
        words_of_edits(edits, LARGEST, num_places=1)


def test_pooled_words_are_the_mean_of_the_tokens() -> None:
    """Tokens are (B, T, D), pooled (B, D)."""
    torch.manual_seed(0)
    encoder = WordEncoder(list(vocabulary(["exposure"])), 1, width=8, num_positions=WORDS_PER_EDIT)

    tokens_BTD, pooled_BD = encoder([words_by_number(1), ("exposure", "raise", "clearly")])

    assert tokens_BTD.shape == (2, 3, 8)
    assert torch.equal(pooled_BD, tokens_BTD.mean(dim=1))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (EditScale("exposure", 1.25), "exposure + 0 0 1 . 2 5 stops"),
        (EditScale("exposure", -0.004), "exposure - 0 0 0 . 0 0 stops"),
        (EditScale("white_balance", -153.85, 6500.0, 1e6), "white_balance - 1 5 3 . 8 5 mired"),
        (EditScale("exposure", 0.0), "exposure + 0 0 0 . 0 0 stops"),
    ],
)
def test_a_number_is_spelled_in_as_many_words_whatever_it_is(edit: EditScale, words: str) -> None:
    """Kelvin are said as the difference in mired, the number that the adapter gets."""
    spelled = words_with_numbers([edit], num_places=1)

    assert " ".join(spelled) == words
    assert len(spelled) == WORDS_PER_NUMBER
    assert set(spelled) <= set(number_vocabulary(["exposure", "white_balance"]))


def test_spelled_numbers_of_one_attribute_add_up_and_places_stay_empty() -> None:
    """As an adapter's do; nothing to do is "keep"."""
    parts = [EditScale("exposure", 0.5), EditScale("exposure", 0.75)]

    assert words_with_numbers(parts, 2) == (
        *words_with_numbers([EditScale("exposure", 1.25)], 1),
        *("nothing",) * WORDS_PER_NUMBER,
    )
    assert set(words_with_numbers([], 1)) == {"keep"}


def test_numbers_with_too_many_digits_are_refused() -> None:
    """No digit is dropped in silence; 999.996 rounds to four digits before the point."""
    with pytest.raises(EditScaleError, match="more than the 3 digits before the point"):
        words_with_numbers([EditScale("object_translation", 999.996)], 1)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "by-number by-number by-number"),
        (["exposure"], "by-number exposure by-number"),
        (["exposure", "roughness"], "by-number exposure roughness"),
    ],
)
def test_the_neutral_instruction_may_name_two_attributes(names: list[str], words: str) -> None:
    """Without any direction or strength."""
    assert " ".join(words_by_number(1, names)) == words


def test_the_neutral_instruction_names_no_more_than_it_has_words_for() -> None:
    """Three attributes take two places."""
    names = ["exposure", "roughness", "metallic"]

    assert " ".join(words_by_number(2, names)) == "by-number " + " ".join(
        ["exposure", "roughness", "by-number", "metallic", "by-number"]
    )
    with pytest.raises(EditScaleError, match="2 edits at once: this base has words for at most 1"):
        words_by_number(1, names)


def test_numbers_of_the_same_digits_differ_also_in_the_pooled_vector() -> None:
    """1.25 and 2.15 have the same words; where they stand is part of what they say."""
    torch.manual_seed(0)
    words = list(number_vocabulary(["exposure"]))
    encoder = WordEncoder(words, num_places=2, width=8, num_positions=2 * WORDS_PER_NUMBER)
    numbers = [[EditScale("exposure", value)] for value in (1.25, 2.15)]

    tokens_BTD, pooled_BD = encoder([words_with_numbers(edits, 2) for edits in numbers])

    assert tokens_BTD.shape == (2, 2 * WORDS_PER_NUMBER, 8)
    assert not torch.allclose(pooled_BD[0], pooled_BD[1])


def test_two_edits_are_distinguished_also_in_the_pooled_vector() -> None:
    """Exposure up and lamp down holds the same words as exposure down and lamp up."""
    torch.manual_seed(0)
    names = ["exposure", "light_power"]
    encoder = WordEncoder(list(vocabulary(names)), 2, width=8, num_positions=2 * WORDS_PER_EDIT)
    largest = dict.fromkeys(names, 2.0)
    phrases = [
        words_of_edits([EditScale("exposure", v), EditScale("light_power", -v)], largest, 2)
        for v in (1.0, -1.0)
    ]

    _, pooled_BD = encoder(phrases)

    assert sorted(phrases[0]) == sorted(phrases[1])
    assert not torch.allclose(pooled_BD[0], pooled_BD[1])
