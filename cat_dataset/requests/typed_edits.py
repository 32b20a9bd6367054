"""Edits as people type them: `exposure=+1.5EV`, `white_balance=5600K->3200K`, `light_power=2x`.

An edit of an object may name it: `object_rotation:teapot=30deg`; without a name it is of the main
object. An edit of a shape must: `shape_key:smile=60%`. An edit of a lamp may say how the lamp
compares with all other light of the picture, as a meter finds where the lamp falls:
`light_power=2x at 4:1`, or `at 5,4,2.5:1` for red, green and blue.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from cat_dataset.attributes.attribute import Attribute
from cat_dataset.attributes.table import LIGHT_OF, find_attribute, find_typed_attribute
from cat_dataset.attributes.task_key import task_key
from cat_dataset.errors import EditScaleError
from cat_dataset.light.light_ratio import RATIO_RANGE, LightRatio
from cat_dataset.records import EditScale

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_VALUE = re.compile(
    rf"^\s*(?P<prefix>[fF]/|[xX]|[iI][sS][oO])?\s*(?P<number>{_NUMBER})(?:/(?P<below>[1-9]\d*))?"
    r"\s*(?P<unit>[^\d\s/]*(?:\s[a-z]+)?)\s*$"
)
_FROM_TO = re.compile(r"^\s*(?:from\s+)?(?P<source>.+?)\s*(?:->|\bto\b)\s*(?P<target>.+)$")
_AT_RATIO = re.compile(r"^(?P<edit>.+?)\s+at\s+(?P<lamp>[^:]+):\s*(?P<rest>[^:]+)$")
_ABSOLUTE_SPELLINGS = {
    "K": ("k", "kelvin"),
    "mm": ("mm",),
    "f-number": ("f/",),
    "m": ("m",),
    "s": ("s", "sec"),
    "%": ("%",),
    "ISO": ("iso",),
}
_FROM_TO_SPELLINGS = {"degrees": ("deg", "degrees"), "cm": ("cm",)}  # alone, they are differences


@dataclass(frozen=True)
class TypedEdit:
    """One edit as asked for; either a difference or an absolute target."""

    attribute: str
    subject: str | None = None  # what is edited, where it was named
    value: float | None = None  # difference, in the attribute's unit
    source_value: float | None = None  # absolute, where it was typed
    target_value: float | None = None  # absolute
    light_ratio: LightRatio | None = None  # of the edited light, where it was typed

    @property
    def task_key(self) -> str:
        """What is edited as one: "exposure", "shape_key:smile"."""
        return task_key(self.attribute, self.subject)

    def resolve(self, default_source: float | None) -> EditScale:
        """Return the edit as a signed value; `default_source` is what the picture is known to have.

        A target without any source starts from where the attribute rests, if it does: a shape at 0.

        Raises:
            EditScaleError: an absolute target without any source value, or out of range.
        """
        attribute = find_attribute(self.attribute)
        source = default_source if self.source_value is None else self.source_value
        if self.target_value is None:
            value = 0.0 if self.value is None else self.value
            target = None if source is None else attribute.apply(source, value)
        elif source is None and attribute.resting_value is None:
            msg = (
                f"{self.attribute}: {self.target_value:g} {attribute.absolute_unit} is an absolute "
                f"value and the picture's own is not known; give both, as in "
                f"'{self.attribute}=SOURCE->TARGET'"
            )
            raise EditScaleError(msg)
        else:
            source = attribute.resting_value if source is None else source
            assert source is not None  # else the message above
            target = self.target_value
            value = attribute.difference(source, target)
        attribute.check_value(value)
        return EditScale(
            self.attribute,
            value,
            source,
            target,
            subject=self.subject,
            light_ratio=self.light_ratio,
        )


def parse_edit(text: str) -> TypedEdit:
    """Read one typed edit.

    >>> parse_edit("exposure=+1.5EV").value
    1.5
    >>> parse_edit("light_power=2x").value
    1.0
    >>> parse_edit("white_balance=from 5600K to 3200K").target_value
    3200.0
    >>> parse_edit("light_power=+1stop at 4:1").light_ratio
    (4.0,)
    >>> parse_edit("object_rotation:floor lamp=30deg").subject
    'floor lamp'

    Raises:
        EditScaleError: no such attribute or unit, a name where none belongs or none where one does,
            or the number is out of range.
    """
    name, equals, typed = text.partition("=")
    if not equals:
        msg = (
            f"edit '{text}': found no '='; write NAME=VALUE or NAME:SUBJECT=VALUE, for example "
            f"exposure=+1.5EV or shape_key:smile=60%"
        )
        raise EditScaleError(msg)
    attribute, subject = _read_name(name)
    return replace(_read_value(attribute, typed), subject=subject)


def typed_name(edit: EditScale) -> str:
    """Return what is edited as people type it.

    >>> typed_name(EditScale("object_rotation", 30.0, subject="floor_lamp"))
    'object_rotation:floor lamp'
    """
    subject = "" if edit.subject is None else f":{edit.subject.replace('_', ' ')}"
    return f"{edit.attribute}{subject}"


def _read_name(typed: str) -> tuple[Attribute, str | None]:
    """Return the attribute of `NAME` or `NAME:SUBJECT`, and the subject."""
    name, colon, after = typed.partition(":")
    attribute, subject = find_typed_attribute(name.strip()), after.strip()
    if colon and not attribute.takes_subject:
        msg = (
            f"{typed.strip()}: names '{subject}', and {attribute.name} edits no single object; "
            f"leave ':{subject}' out"
        )
        raise EditScaleError(msg)
    if not subject and (colon or attribute.is_keyed_by_subject):
        msg = (
            f"{typed.strip()}: names no subject; write {attribute.name}:SUBJECT, for example "
            f"{attribute.name}:{'smile' if attribute.is_keyed_by_subject else 'teapot'}"
        )
        raise EditScaleError(msg)
    return attribute, subject or None


def _read_value(attribute: Attribute, typed: str) -> TypedEdit:
    at_ratio = _AT_RATIO.match(typed)
    if at_ratio:
        edit = _read_value(attribute, at_ratio["edit"])
        return replace(edit, light_ratio=_read_ratio(attribute, at_ratio))
    from_to = _FROM_TO.match(typed)
    if from_to:
        source = _read_absolute(attribute, from_to["source"])
        target = _read_absolute(attribute, from_to["target"])
        return TypedEdit(attribute.name, source_value=source, target_value=target)
    number, unit = _split(attribute, typed)
    if unit in _absolute_spellings(attribute) and unit not in attribute.spellings:
        return TypedEdit(attribute.name, target_value=_checked_absolute(attribute, number))
    value = _convert(attribute, typed, number, unit)
    attribute.check_value(value)
    return TypedEdit(attribute.name, value=value)


def _split(attribute: Attribute, typed: str) -> tuple[float, str]:
    plain = typed.replace("\N{MULTIPLICATION SIGN}", "x").replace("\N{DEGREE SIGN}", "deg")
    match = _VALUE.match(plain)
    if match is None:
        msg = f"{attribute.name}: '{typed}' is no number with a unit; use {_examples(attribute)}"
        raise EditScaleError(msg)
    number = float(match["number"]) / float(match["below"] or 1.0)
    return number, (match["prefix"] or match["unit"]).lower()


def _read_ratio(attribute: Attribute, typed: re.Match[str]) -> LightRatio:
    """Return a lighting ratio, of luminance or of red, green and blue."""
    said = f"{attribute.name}: lighting ratio '{typed['lamp']}:{typed['rest']}'"
    if attribute.name not in LIGHT_OF:
        msg = f"{said}: it belongs to an edit of a light, {', '.join(LIGHT_OF)}"
        raise EditScaleError(msg)
    try:
        rest = float(typed["rest"])
        ratio = tuple(float(number) / rest for number in typed["lamp"].split(","))
    except (ValueError, ZeroDivisionError):
        ratio = ()
    if attribute.changes_colour and len(ratio) == 1:
        msg = (
            f"{said}: a change of colour needs the ratio of red, green and blue, three numbers as "
            f"in 5,4,2.5:1; or leave the ratio out"
        )
        raise EditScaleError(msg)
    low, high = RATIO_RANGE
    if len(ratio) not in (1, 3) or not all(low <= number <= high for number in ratio):
        msg = (
            f"{said}: write LAMP:REST, as in 4:1, or three numbers for red, green and blue, as in "
            f"5,4,2.5:1; each between 1:{high:g} and {high:g}:1"
        )
        raise EditScaleError(msg)
    return ratio


def _convert(attribute: Attribute, typed: str, number: float, unit: str) -> float:
    spellings = attribute.spellings
    if unit == "" and number == 0.0:
        return 0.0  # zero is "no change" in every unit
    convert: Callable[[float], float] | None = spellings.get(unit)
    if convert is None:
        found = f"unit '{unit}'" if unit else "a bare number"
        msg = f"{attribute.name}={typed}: found {found}; use {_examples(attribute)}"
        raise EditScaleError(msg)
    if unit.startswith("x") and number <= 0:
        msg = f"{attribute.name}={typed}: a factor must be above 0; use 0.5x for half"
        raise EditScaleError(msg)
    return convert(number)


def _read_absolute(attribute: Attribute, typed: str) -> float:
    number, unit = _split(attribute, typed)
    spellings = _FROM_TO_SPELLINGS.get(attribute.absolute_unit or "", ())
    if unit not in (*spellings, *_absolute_spellings(attribute)):
        msg = (
            f"{attribute.name}: '{typed}' is no absolute value; "
            f"'from A to B' takes {attribute.absolute_unit or 'no values for this attribute'}"
        )
        raise EditScaleError(msg)
    return _checked_absolute(attribute, number)


def _checked_absolute(attribute: Attribute, number: float) -> float:
    attribute.check_absolute(number)
    return number


def _absolute_spellings(attribute: Attribute) -> tuple[str, ...]:
    return _ABSOLUTE_SPELLINGS.get(attribute.absolute_unit or "", ())


def _examples(attribute: Attribute) -> str:
    """Return the units an attribute takes, for an error message."""
    units = [unit or "a bare number" for unit in attribute.spellings]
    units += [u if u != "f/" else "f/N" for u in _absolute_spellings(attribute)]
    return "one of the units " + ", ".join(units)
