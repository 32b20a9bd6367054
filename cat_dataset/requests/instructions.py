"""English for an edit: the number and its unit in words, several phrasings per attribute."""

import math
from collections.abc import Sequence

import numpy as np

from cat_dataset.attributes.attribute import Attribute
from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.records import EditScale

_ANY_SUBJECT = "main object"


def phrase_edits(edits: Sequence[EditScale], rng: np.random.Generator) -> str:
    """Return one English instruction for all edits of a pair, phrasing drawn from `rng`."""
    return " ".join(_sentence(_phrase(edit, rng)) for edit in edits)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _phrase(edit: EditScale, rng: np.random.Generator) -> str:
    attribute = ATTRIBUTES[edit.attribute]
    phrases = attribute.phrases[0 if edit.value >= 0 else 1]
    template = phrases[int(rng.integers(len(phrases)))]
    number = _number(abs(edit.value))
    return template.format(
        amount=f"{number} {attribute.unit_words[0 if number == '1' else 1]}",
        signed=f"{'+' if edit.value >= 0 else '-'}{number}",
        source=_absolute(attribute, edit.source_value),
        target=_absolute(attribute, edit.target_value),
        factor=_number(math.exp2(min(abs(edit.value), 60.0))),  # used by log2 ratios only
        relative=f"{_number(100.0 * math.exp2(min(edit.value, 60.0)))} %",
        subject=(edit.subject or _ANY_SUBJECT).replace("_", " "),
    )


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _absolute(attribute: Attribute, value: float | None) -> str:
    if value is None:
        return "the present setting"
    match attribute.absolute_unit:
        case "f-number":
            return f"f/{value:.2g}"
        case "K":
            return f"{value:.0f} K"
        case "ISO":
            return f"ISO {value:.0f}"
        case "s" if value < 0.3:
            return f"1/{1.0 / value:.0f} s"
        case "%" | "degrees":
            return f"{value:.0f} {attribute.absolute_unit}"
        case unit:
            return f"{_number(value)} {unit}"
