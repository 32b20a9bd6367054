"""The prompts of a pretrained base, in plain English.

While numbers steer it, the text names what may change and never by how much: a number in the prompt
would be multiplied by guidance, and the adapter would learn to undo what the text does. Names are
sorted, so the order of edits does not reach the text either.
"""

from collections.abc import Sequence
from dataclasses import replace

from cat_dataset.attributes.table import find_attribute
from cat_dataset.records import EditScale
from cat_dataset.requests.instructions import phrase_edits
from cat_dataset.system.seeding import derive_rng

NO_TEXT = ""  # of the negative pass of classifier-free guidance, in stock pipelines


def instruction_of(edits: Sequence[EditScale]) -> str:
    """Return the prompt beside numbers; an object is the main object, with its name if it has one.

    >>> instruction_of([EditScale("white_balance", 40.0), EditScale("exposure", 1.0)])
    'Change only the exposure and the white balance; keep everything else.'
    >>> instruction_of([EditScale("object_scale", 0.5, subject="teapot")])
    'Change only the size of the main object (teapot); keep everything else.'
    >>> instruction_of([EditScale("shape_key", 60.0, subject="smile")])
    'Change only the expression or shape (smile); keep everything else.'
    >>> instruction_of([])
    'Keep the picture as it is.'
    """
    names = sorted({_named(edit) for edit in edits})
    if not names:
        return "Keep the picture as it is."
    *first, last = names
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"Change only {listed}; keep everything else."


def instruction_with_numbers(edits: Sequence[EditScale]) -> str:
    """Return the edits as a person would type them into a prompt, in the words of the data set.

    >>> instruction_with_numbers([EditScale("exposure", 1.5)])
    'Raise the exposure by 1.5 stops.'
    """
    return phrase_edits(edits, derive_rng(0, "prompt")) if edits else instruction_of(edits)


def without_names(edits: Sequence[EditScale]) -> tuple[EditScale, ...]:
    """Return edits that name no object; a subject that is itself what is edited stays.

    >>> without_names([EditScale("object_scale", 0.5, subject="teapot")])[0].subject is None
    True
    """
    return tuple(
        edit if find_attribute(edit.attribute).is_keyed_by_subject else replace(edit, subject=None)
        for edit in edits
    )


def _named(edit: EditScale) -> str:
    subject = f" ({edit.subject.replace('_', ' ')})" if edit.subject else ""
    return f"the {find_attribute(edit.attribute).label}{subject}"
