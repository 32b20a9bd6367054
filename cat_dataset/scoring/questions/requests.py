"""What an editor is asked: a list of edits, each with its source, its numbers and a sentence.

Whoever scores another editor's pictures writes the list once (`benchmark --write-requests`), edits
every row with that editor, and saves `KEY.png`. Some rows start from the result of another row, so
the order of the list is the order of work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cat_dataset.attributes.table import find_attribute
from cat_dataset.records import EditScale
from cat_dataset.requests.instructions import phrase_edits
from cat_dataset.requests.typed_edits import parse_edit, typed_name
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.system.seeding import derive_rng

Role = Literal[
    "pair",  # the number of a held-out pair
    "zero",  # no change
    "sweep",  # rising numbers on one source
    "beyond",  # a number outside of what was trained
    "back",  # the number of a pair taken back from its result
    "first",  # a part of a pair's number
    "second",  # the rest of it, on the result of the first
    "unit",  # a pair's number in another unit
    "alone",  # one number of several that are asked at once as well
    "combined",  # several numbers at once
    "swapped",  # the same, named in the other order
]


@dataclass(frozen=True)
class EditRequest:
    """One edit to make."""

    key: str  # of the request, and of the picture that answers it
    pair_key: str  # whose source is edited, or was before `after`
    scene: str
    role: Role
    edits: tuple[EditScale, ...]
    instruction: str  # the same in English, with its numbers and units
    after: str | None = None  # key of the request whose result is the source here
    before: tuple[EditScale, ...] = ()  # edits that this source has been through

    def totals(self) -> dict[str, float]:
        """Return by how much each task's value differs from the pair's source when all is done."""
        totals: dict[str, float] = {}
        for edit in (*self.before, *self.edits):
            totals[edit.task_key] = totals.get(edit.task_key, 0.0) + edit.value
        return totals

    @property
    def attributes(self) -> tuple[str, ...]:
        """The keys of the tasks edited, sorted."""
        return tuple(sorted({edit.task_key for edit in self.edits}))


def make_request(
    row: PairRow,
    role: Role,
    edits: Sequence[EditScale],
    number: int = 0,
    *,
    follows: EditRequest | None = None,
    instruction: str | None = None,
) -> EditRequest:
    """Return a request on the source of a pair, or on the result of another request."""
    key = f"{row.key}--{role}-{number:02d}"
    words = instruction or phrase_edits(edits, derive_rng(0, "request", key))
    return EditRequest(
        key=key,
        pair_key=row.key,
        scene=row.scene,
        role=role,
        edits=tuple(edits),
        instruction=words,
        after=None if follows is None else follows.key,
        before=() if follows is None else (*follows.before, *follows.edits),
    )


def changed_edit(edit: EditScale, value: float, moved_by: float = 0.0) -> EditScale:
    """Return an edit of the same picture by another value, its source moved by edits before it."""
    attribute = find_attribute(edit.attribute)
    source = edit.source_value
    if source is None:
        return EditScale(edit.attribute, value, subject=edit.subject)
    if moved_by:
        source = attribute.apply(source, moved_by)
    target = attribute.apply(source, value)
    return EditScale(edit.attribute, value, source, target, subject=edit.subject)


def in_another_unit(edit: EditScale) -> str | None:
    """Return the same edit as people type it in another unit; None where there is one unit only.

    >>> in_another_unit(EditScale("exposure", 1.0))
    'exposure=2.000000000000x'
    """
    attribute = find_attribute(edit.attribute)
    if edit.source_value is not None and edit.target_value is not None:
        pattern = {"K": "{:.9f}K", "f-number": "f/{:.9f}", "m": "{:.9f}m", "mm": "{:.9f}mm"}
        form = pattern.get(attribute.absolute_unit or "")
        if form is not None:
            source, target = form.format(edit.source_value), form.format(edit.target_value)
            return f"{typed_name(edit)}=from {source} to {target}"
    if "x" in attribute.spellings:
        return f"{typed_name(edit)}={2.0**edit.value:.12f}x"
    if "turns" in attribute.spellings:
        return f"{typed_name(edit)}={edit.value / 360.0:.12f}turns"
    return None


def unit_request(row: PairRow, edit: EditScale) -> EditRequest | None:
    """Return a request that states a pair's number in another unit; None where there is none."""
    typed = in_another_unit(edit)
    if typed is None:
        return None
    resolved = parse_edit(typed).resolve(edit.source_value)
    if edit.source_value is None:  # stay as the pair states it: no absolute values
        resolved = EditScale(edit.attribute, resolved.value)
    resolved = replace(resolved, subject=edit.subject)  # as it is stored
    return make_request(row, "unit", (resolved,), instruction=f"Apply {typed}.")
