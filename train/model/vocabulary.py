"""Instructions in a closed vocabulary: what the compact base learns from before it is frozen.

An edit is three words, for example "exposure raise clearly": no number reaches the base. "By
number" is the neutral instruction, at which the base keeps the picture and the adapter steers it;
it may name attributes. The baseline without an adapter has the number itself in its instruction,
digit by digit: "exposure + 0 0 1 . 2 5 stops". An attribute's word is the key of its task.

Shapes: B batch, T words, D width.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from cat_dataset.attributes.task_key import attribute_of_task
from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale

WORDS_PER_EDIT = 3
NOTHING = ("nothing",) * WORDS_PER_EDIT  # an unused place for an edit
KEEP = ("keep",) * WORDS_PER_EDIT
BY_NUMBER = ("by-number",) * WORDS_PER_EDIT
MAX_NAMED = WORDS_PER_EDIT - 1  # attributes that the neutral instruction of one place can name
_DIRECTIONS = ("raise", "lower")
_STRENGTHS = ("slightly", "clearly", "strongly")  # thirds of the attribute's trained range

_WHOLE_DIGITS, _DECIMALS = 3, 2  # of a number in an instruction: 0.01 stops, 500 cm
# attribute, sign, digits, point, decimals, unit
WORDS_PER_NUMBER = 1 + 1 + _WHOLE_DIGITS + 1 + _DECIMALS + 1
_NO_NUMBER = (NOTHING[0],) * WORDS_PER_NUMBER
_KEEP_WHOLE = (KEEP[0],) * WORDS_PER_NUMBER


def vocabulary(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return every word that an instruction on these attributes can hold, in a fixed order."""
    return (NOTHING[0], KEEP[0], BY_NUMBER[0], *_DIRECTIONS, *_STRENGTHS, *attributes)


def number_vocabulary(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return every word that an instruction with numbers can hold, in a fixed order."""
    units = sorted({attribute_of_task(name).unit for name in attributes})
    return (NOTHING[0], KEEP[0], "+", "-", ".", *"0123456789", *units, *attributes)


def words_of_edits(
    edits: Sequence[EditScale], largest_values: Mapping[str, float], num_places: int
) -> tuple[str, ...]:
    """Return the instruction for edits, WORDS_PER_EDIT words per place.

    `largest_values` holds the largest magnitude trained per task; no edits means "keep".

    Raises:
        EditScaleError: more edits than places.
    """
    _check_places(len(edits), num_places)
    phrases = [_phrase(edit, largest_values[edit.task_key]) for edit in edits] or [KEEP]
    phrases += [NOTHING] * (num_places - len(phrases))
    return tuple(word for phrase in phrases for word in phrase)


def words_by_number(num_places: int, attributes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the neutral instruction, under which numbers alone decide; it may name attributes.

    >>> words_by_number(1, ["exposure"])
    ('by-number', 'exposure', 'by-number')

    Raises:
        EditScaleError: more attributes than MAX_NAMED per place.
    """
    _check_places(-(-len(attributes) // MAX_NAMED), num_places)
    phrases = [
        (BY_NUMBER[0], *attributes[start : start + MAX_NAMED], *BY_NUMBER)[:WORDS_PER_EDIT]
        for start in range(0, len(attributes), MAX_NAMED)
    ] or [BY_NUMBER]
    phrases += [NOTHING] * (num_places - len(phrases))
    return tuple(word for phrase in phrases for word in phrase)


def words_with_numbers(edits: Sequence[EditScale], num_places: int) -> tuple[str, ...]:
    """Return the instruction that spells the numbers, WORDS_PER_NUMBER words per place.

    Every number has the same digits, so every edit takes the same number of words. The parts of one
    attribute's edit add up; no edits means "keep". Absolute values are not said.

    >>> words_with_numbers([EditScale("exposure", 1.25)], 1)
    ('exposure', '+', '0', '0', '1', '.', '2', '5', 'stops')

    Raises:
        EditScaleError: more attributes than places, or a number with more digits than are spelled.
    """
    parts: dict[str, list[float]] = {}
    for edit in edits:
        parts.setdefault(edit.task_key, []).append(edit.value)
    _check_places(len(parts), num_places)
    phrases = [_spelled(name, math.fsum(values)) for name, values in parts.items()]
    phrases = phrases or [_KEEP_WHOLE]
    phrases += [_NO_NUMBER] * (num_places - len(phrases))
    return tuple(word for phrase in phrases for word in phrase)


def _check_places(num_edits: int, num_places: int) -> None:
    if num_edits > num_places:
        msg = (
            f"{num_edits} edits at once: this base has words for at most {num_places}; ask for "
            f"fewer, or leave such pairs out of the data it is trained on"
        )
        raise EditScaleError(msg)


def _spelled(attribute: str, value: float) -> tuple[str, ...]:
    digits = f"{abs(value):0{_WHOLE_DIGITS + 1 + _DECIMALS}.{_DECIMALS}f}"
    unit = attribute_of_task(attribute).unit
    if len(digits) > _WHOLE_DIGITS + 1 + _DECIMALS:
        msg = (
            f"{attribute}: {value:+g} {unit} has more than the {_WHOLE_DIGITS} digits before the "
            f"point that an instruction spells"
        )
        raise EditScaleError(msg)
    return (attribute, "-" if value < 0.0 else "+", *digits, unit)


def _phrase(edit: EditScale, largest_value: float) -> tuple[str, ...]:
    if edit.value == 0.0:
        return KEEP
    third = min(int(3.0 * abs(edit.value) / largest_value), len(_STRENGTHS) - 1)
    return (edit.task_key, _DIRECTIONS[edit.value < 0.0], _STRENGTHS[third])


class WordEncoder(ModelMixin, ConfigMixin):  # type: ignore[misc]  # diffusers ships no types
    """A learned vector per word and position; the pooled vector is their mean.

    A word has a vector of its own at every position, so that the mean too says what a digit is
    worth, and which of two attributes is raised: as it would behind a large text encoder.

    Args:
        words: the vocabulary.
        num_places: how many edits an instruction can name.
        width: channels of a word's vector.
        num_positions: words of an instruction.
    """

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers ships no types
    def __init__(
        self, words: Sequence[str], num_places: int, width: int, num_positions: int
    ) -> None:
        super().__init__()
        self.num_places = num_places
        self._index_of: dict[str, int] = {word: index for index, word in enumerate(words)}
        self.word_vectors = nn.Embedding(len(words) * num_positions, width)

    def forward(self, instructions: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Return the instruction's tokens (B, T, D) and their mean (B, D)."""
        ids_BT = torch.tensor([[self._index_of[word] for word in words] for words in instructions])
        positions_T = torch.arange(ids_BT.shape[1])
        ids_BT = ids_BT + positions_T * len(self._index_of)
        tokens_BTD: Tensor = self.word_vectors(ids_BT.to(self.word_vectors.weight.device))
        return tokens_BTD, tokens_BTD.mean(dim=1)
