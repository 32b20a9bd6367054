"""What an attribute is: an axis along which a picture can be edited. The table is in `table`.

Everything that is known of one attribute alone stands in its object. Zero always means "no
change". An edit is a difference on an axis where equal steps look equal (stops, mired, log2 ratio,
degrees); people type kelvin, f-numbers and millimetres, and the conversion between the two lives
in the attribute and nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cat_dataset.errors import EditScaleError

Convert = Callable[[float], float]
# What is edited. Of the camera: a gain on any frame. Of the main lamp or the light around: a gain
# on part of the light. Of the object or of the scene: rendered or photographed anew.
Role = Literal["camera", "lamp", "ambient", "object", "scene"]
# Templates for positive and for negative values. Fields: {amount} magnitude with unit, {signed}
# with sign, {source} and {target} absolute values, {factor} the ratio above 1, {relative} target
# over source in %, {subject} what is edited.
Phrases = tuple[tuple[str, ...], tuple[str, ...]]

EVERY_FAMILY = frozenset({"tabletop", "interior", "outdoor", "head", "models"})


def identity(value: float) -> float:
    """Return the value: an axis on which people's numbers are already even."""
    return value


@dataclass(frozen=True)
class SettingWindows:
    """Where settings of composed pairs are drawn, on the axis, from the base picture's setting."""

    source: tuple[float, float]  # where the source is, if the value leaves it room
    both: tuple[float, float] | None = None  # keeps both pictures plausible; None: absolute_range
    digits: int = 2  # settings are rounded to these, as people type them; -1: to tens


@dataclass(frozen=True)
class FrameCost:
    """What a frame of a sweep costs on the reference core, measured by `benchmarks/costs.py`."""

    probe_s: float  # reading it, and its share of what is made once for a sweep
    slower: Mapping[str, float] = field(default_factory=dict)  # factor on its render, by family


@dataclass(frozen=True)
class Attribute:
    """One axis along which a picture can be edited."""

    name: str  # key in manifests, shards, index and on the command line
    label: str  # what a person calls it
    unit: str  # unit of the edit value, a difference
    unit_words: tuple[str, str]  # the unit in an English sentence, singular and plural
    value_range: tuple[float, float]  # smallest and largest edit value, in `unit`
    default_range: tuple[float, float]  # drawn from where a manifest does not say
    tolerance: float  # largest allowed |measured - recorded|, in `unit`
    positive: str  # what a positive value does
    absolute_unit: str | None  # unit of source and target values; None where only differences exist
    absolute_range: tuple[float, float] | None  # allowed absolute values, in `absolute_unit`
    role: Role
    phrases: Phrases  # instructions, drawn from
    to_axis: Convert = identity  # absolute value to position on the axis
    from_axis: Convert = identity  # inverse of `to_axis`
    is_circular: bool = False  # degrees: 359 and 1 differ by 2
    changes_colour: bool = False  # edits light by another factor in each of red, green and blue
    turns_in_mirror: bool = False  # a mirrored picture shows the opposite value: left is right
    spellings: Mapping[str, Convert] = field(default_factory=dict)
    # typed suffix, lower case, to a function that turns the number into an edit value
    aliases: tuple[str, ...] = ()  # shorter names for the keyboard
    # What is edited is the subject itself, so each is a task of its own, see `task_key`.
    is_keyed_by_subject: bool = False
    # Absolute value of a picture that shows nothing of it: a typed target starts there.
    resting_value: float | None = None
    # Tags of a picture file that hold the absolute value, in its unit; of several the last counts.
    exif_tags: tuple[int, ...] = ()
    # Absolute value to start from where a picture's own is not known; None: it does not matter.
    default_source: float | None = None
    hit_tolerance: float | None = None  # how near counts as a hit; None: 5 % of `default_range`
    windows: SettingWindows | None = None  # of what is composed from light; None: it is not
    families: frozenset[str] = EVERY_FAMILY  # of rendered scenes that have it
    frame_cost: FrameCost | None = None  # None: never rendered anew
    is_captured: bool = False  # RAW files give it: one alone, or a series

    @property
    def takes_subject(self) -> bool:
        """Whether an edit may name what it acts on: an object, a lamp, a part, a shape."""
        return self.role in ("object", "lamp")

    def difference(self, source_value: float, target_value: float) -> float:
        """Return the edit value between two absolute values: target minus source on the axis.

        5500 K to 6500 K is -27.97 mired; 350 to 10 degrees is +20 degrees.
        """
        return self.axis_difference(self.to_axis(source_value), self.to_axis(target_value))

    def axis_difference(self, source_position: float, target_position: float) -> float:
        """Return target minus source of two positions on the axis; the short way round a circle."""
        value = target_position - source_position
        return wrap_deg(value) if self.is_circular else value

    def apply(self, source_value: float, value: float) -> float:
        """Return the absolute target value that lies `value` away from the source.

        One doubling from 50 mm is 100 mm.
        """
        return self.from_axis(self.to_axis(source_value) + value)

    def check_value(self, value: float) -> None:
        """Raise EditScaleError if an edit value lies outside the attribute's range."""
        low, high = self.value_range
        if not low <= value <= high:
            msg = (
                f"{self.name}: an edit of {value:+.4g} {self.unit} is out of range; "
                f"it must lie within {low:+g} to {high:+g} {self.unit}"
            )
            raise EditScaleError(msg)

    def check_absolute(self, absolute_value: float) -> None:
        """Raise EditScaleError if an absolute value lies outside the attribute's range."""
        if self.absolute_range is None:
            msg = f"{self.name}: has no absolute values, only differences in {self.unit}"
            raise EditScaleError(msg)
        low, high = self.absolute_range
        if not low <= absolute_value <= high:
            msg = (
                f"{self.name}: {absolute_value:g} {self.absolute_unit} is out of range; "
                f"it must lie within {low:g} to {high:g} {self.absolute_unit}"
            )
            raise EditScaleError(msg)


def wrap_deg(angle_deg: float) -> float:
    """Return an angle as the equal one in [-180, 180).

    >>> wrap_deg(358.0)
    -2.0
    """
    return (angle_deg + 180.0) % 360.0 - 180.0
