"""Instructions in a closed vocabulary: what the compact base learns from before it is frozen.

An edit is three words, for example "exposure raise clearly": no number reaches the base. "By
number" is the neutral instruction, at which the base keeps the picture and the adapter steers it.

Shapes: B batch, T words, D width.
"""

from collections.abc import Mapping, Sequence

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale

WORDS_PER_EDIT = 3
NOTHING = ("nothing",) * WORDS_PER_EDIT  # an unused place for an edit
KEEP = ("keep",) * WORDS_PER_EDIT
BY_NUMBER = ("by-number",) * WORDS_PER_EDIT
_DIRECTIONS = ("raise", "lower")
_STRENGTHS = ("slightly", "clearly", "strongly")  # thirds of the attribute's trained range


def vocabulary(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return every word that an instruction on these attributes can hold, in a fixed order."""
    return (NOTHING[0], KEEP[0], BY_NUMBER[0], *_DIRECTIONS, *_STRENGTHS, *attributes)


def words_of_edits(
    edits: Sequence[EditScale], largest_values: Mapping[str, float], num_places: int
) -> tuple[str, ...]:
    """Return the instruction for edits, WORDS_PER_EDIT words per place.

    `largest_values` holds the largest magnitude trained per attribute; no edits means "keep".

    Raises:
        EditScaleError: more edits than places.
    """
    if len(edits) > num_places:
        msg = (
            f"{len(edits)} edits in one pair: this base has words for at most {num_places}; "
            f"leave such pairs out of the data it is trained on"
        )
        raise EditScaleError(msg)
    phrases = [_phrase(edit, largest_values[edit.attribute]) for edit in edits] or [KEEP]
    phrases += [NOTHING] * (num_places - len(phrases))
    return tuple(word for phrase in phrases for word in phrase)


def words_by_number(num_places: int) -> tuple[str, ...]:
    """Return the neutral instruction, under which numbers alone decide."""
    return (*BY_NUMBER, *NOTHING * (num_places - 1))


def _phrase(edit: EditScale, largest_value: float) -> tuple[str, ...]:
    if edit.value == 0.0:
        return KEEP
    third = min(int(3.0 * abs(edit.value) / largest_value), len(_STRENGTHS) - 1)
    return (edit.attribute, _DIRECTIONS[edit.value < 0.0], _STRENGTHS[third])


class WordEncoder(ModelMixin, ConfigMixin):  # type: ignore[misc]  # diffusers ships no types
    """One learned vector per word and place; the pooled vector is their mean.

    Args:
        words: the vocabulary.
        num_places: how many edits an instruction can name.
        width: channels of a word's vector.
    """

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers ships no types
    def __init__(self, words: Sequence[str], num_places: int, width: int) -> None:
        super().__init__()
        self.num_places = num_places
        self._index_of: dict[str, int] = {word: index for index, word in enumerate(words)}
        self.word_vectors = nn.Embedding(len(words), width)
        self.place_vectors = nn.Embedding(WORDS_PER_EDIT, width)

    def forward(self, instructions: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Return the instruction's tokens (B, T, D) and their mean (B, D)."""
        ids_BT = torch.tensor([[self._index_of[word] for word in words] for words in instructions])
        ids_BT = ids_BT.to(self.word_vectors.weight.device)
        places_T = torch.arange(ids_BT.shape[1], device=ids_BT.device) % WORDS_PER_EDIT
        tokens_BTD: Tensor = self.word_vectors(ids_BT) + self.place_vectors(places_T)
        return tokens_BTD, tokens_BTD.mean(dim=1)
