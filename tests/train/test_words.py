import pytest
import torch

from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale
from train.words import WordEncoder, vocabulary, words_by_number, words_of_edits

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

    with pytest.raises(EditScaleError, match="2 edits in one pair"):
        words_of_edits(edits, LARGEST, num_places=1)


def test_pooled_words_are_the_mean_of_the_tokens() -> None:
    """Tokens are (B, T, D), pooled (B, D)."""
    torch.manual_seed(0)
    encoder = WordEncoder(list(vocabulary(["exposure"])), num_places=1, width=8)

    tokens_BTD, pooled_BD = encoder([words_by_number(1), ("exposure", "raise", "clearly")])

    assert tokens_BTD.shape == (2, 3, 8)
    assert torch.equal(pooled_BD, tokens_BTD.mean(dim=1))
