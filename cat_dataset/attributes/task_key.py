"""The key of a task: what is trained, asked and measured as one.

An attribute is one task, whatever object it edits: "object_rotation". Where the subject itself is
what is edited, each subject is a task: "shape_key:smile" and "shape_key:blink" differ as two
attributes do. Such an attribute alone, "shape_key", selects all of its tasks.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from cat_dataset.attributes.attribute import Attribute
from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import EditScaleError

_SEPARATOR = ":"
_UNSAFE = re.compile(r"[^\w-]+")  # in a key: combinations join keys by plus signs, networks by dots
Interval = tuple[float, float]


def task_key(attribute: str, subject: str | None) -> str:
    """Return the key of the task that an edit belongs to.

    Blanks and other special characters of a subject become underscores, so that "Mouth open" as
    typed is "Mouth_open" as stored.

    >>> task_key("shape_key", "mouth open"), task_key("object_rotation", "teapot")
    ('shape_key:mouth_open', 'object_rotation')

    Raises:
        EditScaleError: there is no such attribute.
    """
    if not subject or not find_attribute(attribute).is_keyed_by_subject:
        return attribute
    return f"{attribute}{_SEPARATOR}{_UNSAFE.sub('_', subject.strip())}"


def split_task_key(key: str) -> tuple[str, str | None]:
    """Return the attribute and the subject of a key; None: the key has no subject.

    >>> split_task_key("shape_key:smile"), split_task_key("exposure")
    (('shape_key', 'smile'), ('exposure', None))
    """
    attribute, _, subject = key.partition(_SEPARATOR)
    return attribute, subject or None


def attribute_of_task(key: str) -> Attribute:
    """Return the attribute of a task.

    >>> attribute_of_task("shape_key:smile").unit
    'percentage points'

    Raises:
        EditScaleError: there is no such attribute, or none whose key has a subject.
    """
    name, subject = split_task_key(key)
    attribute = find_attribute(name)
    if subject is not None and not attribute.is_keyed_by_subject:
        msg = (
            f"'{key}': {name} is one task whatever it edits, so its key has no subject; write "
            f"{name}"
        )
        raise EditScaleError(msg)
    if task_key(name, subject) != key:
        msg = f"'{key}': a subject is made of letters, digits, _ and -; write " + task_key(
            name, subject
        )
        raise EditScaleError(msg)
    return attribute


def selects(names: Collection[str], key: str) -> bool:
    """Return whether names select a task: its key is among them, or its attribute for all.

    >>> [selects(["shape_key"], key) for key in ("shape_key:smile", "exposure")]
    [True, False]
    """
    return key in names or split_task_key(key)[0] in names


def intervals_of(by_task: Mapping[str, Sequence[Interval]], key: str) -> list[Interval]:
    """Return the intervals that are given for a task, by its key and by its attribute."""
    names = dict.fromkeys((key, split_task_key(key)[0]))
    return [interval for name in names for interval in by_task.get(name, ())]
