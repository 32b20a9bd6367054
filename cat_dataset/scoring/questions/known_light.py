"""What is known of the light that an editor is to change.

One picture does not show how much of its light a lamp gives (`light_ratio`), nor which colour the
lamp has. Both are known of the pair's source, as the camera's setting is; an editor that takes them
is asked the same edits, and its name or its notes state it.
"""

from dataclasses import replace
from typing import Any

from cat_dataset.attributes.photometric import LIGHT_TEMPERATURE
from cat_dataset.attributes.table import LIGHT_OF, find_attribute
from cat_dataset.records import EditScale
from cat_dataset.scoring.questions.requests import EditRequest
from cat_dataset.scoring.truth import LightTruth, Truth


def with_known_light(request: EditRequest, truth: Truth | None) -> tuple[EditScale, ...]:
    """Return the edits of a request with the light that they change: its ratio, a lamp's colour.

    Both as they are in the picture that the request starts from, after the edits before it; edits
    of which nothing is known stay as they are.
    """
    if not isinstance(truth, LightTruth):
        return request.edits
    before: dict[str, float] = {}
    for edit in request.before:
        before[edit.attribute] = before.get(edit.attribute, 0.0) + edit.value
    known = []
    for edit in request.edits:
        ratio = truth.light_ratio(edit.attribute, before)
        own_k = truth.lamp_cct_k
        if edit.attribute == LIGHT_TEMPERATURE.name and edit.source_value is None and own_k:
            axis = find_attribute(edit.attribute)
            source_k = axis.apply(own_k, before.get(edit.attribute, 0.0))
            target_k = axis.apply(source_k, edit.value)
            edit = replace(edit, source_value=source_k, target_value=target_k)
        known.append(replace(edit, light_ratio=ratio))
    return tuple(known)


def lights_of(request: EditRequest, truth: Truth | None) -> list[dict[str, Any] | None]:
    """Return what is known of the light of each edit, as plain values; None: it edits no light.

    `ratio` is [red, green, blue] or None, `source_cct_k` and `target_cct_k` are a lamp's colour
    before and after, None where the edit leaves it alone or it is not known.
    """
    return [
        {
            "ratio": None if edit.light_ratio is None else list(edit.light_ratio),
            "source_cct_k": edit.source_value,
            "target_cct_k": edit.target_value,
        }
        if edit.attribute in LIGHT_OF
        else None
        for edit in with_known_light(request, truth)
    ]
