"""The attributes along which pictures are edited: names, units, ranges, what positive means.

Zero always means "no change". An edit is a difference on an axis where equal steps look equal
(stops, mired, log2 ratio, degrees); people type kelvin, f-numbers and millimetres, and the
conversion between the two lives here and nowhere else.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cat_dataset.errors import EditScaleError
from cat_dataset.photometry import aperture_stops, f_number_from_stops, kelvin, mired


def _identity(value: float) -> float:
    return value


def _log2(value: float) -> float:
    return math.log2(value)


def _exp2(value: float) -> float:
    return math.exp2(value)


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
    to_axis: Callable[[float], float] = _identity  # absolute value to position on the axis
    from_axis: Callable[[float], float] = _identity  # inverse of `to_axis`
    is_circular: bool = False  # degrees: 359 and 1 differ by 2
    spellings: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    # typed suffix, lower case, to a function that turns the number into an edit value

    def difference(self, source_value: float, target_value: float) -> float:
        """Return the edit value between two absolute values: target minus source on the axis.

        >>> round(ATTRIBUTES["white_balance"].difference(5500, 6500), 2)
        -27.97
        >>> ATTRIBUTES["object_rotation"].difference(350, 10)
        20.0
        """
        return self.axis_difference(self.to_axis(source_value), self.to_axis(target_value))

    def axis_difference(self, source_position: float, target_position: float) -> float:
        """Return target minus source of two positions on the axis; the short way round a circle."""
        value = target_position - source_position
        return wrap_deg(value) if self.is_circular else value

    def apply(self, source_value: float, value: float) -> float:
        """Return the absolute target value that lies `value` away from the source.

        >>> round(ATTRIBUTES["focal_length"].apply(50.0, 1.0), 6)
        100.0
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


_STOPS = {"ev": _identity, "stop": _identity, "stops": _identity, "x": _log2}
_MIRED = {"mired": _identity, "mireds": _identity}
_DEGREES: dict[str, Callable[[float], float]] = {
    "deg": _identity,
    "degree": _identity,
    "degrees": _identity,
    "turn": lambda turns: 360.0 * turns,
    "turns": lambda turns: 360.0 * turns,
    "rad": math.degrees,
}


def _stops_attribute(name: str, label: str, positive: str) -> Attribute:
    return Attribute(
        name=name,
        label=label,
        unit="stops",
        unit_words=("stop", "stops"),
        value_range=(-6.0, 6.0),  # real brackets span more than four stops
        default_range=(-2.0, 2.0),
        tolerance=0.002,
        positive=positive,
        absolute_unit=None,
        absolute_range=None,
        spellings=MappingProxyType(_STOPS),
    )


_ALL = (
    _stops_attribute("exposure", "exposure", "target brighter"),
    Attribute(
        name="white_balance",
        label="white balance",
        unit="mired",
        unit_words=("mired", "mired"),
        value_range=(-250.0, 250.0),
        default_range=(-160.0, 160.0),
        tolerance=0.5,
        positive="camera set to a lower colour temperature, target cooler (bluer)",
        absolute_unit="K",
        absolute_range=(2500.0, 12000.0),
        to_axis=mired,
        from_axis=kelvin,
        spellings=MappingProxyType(_MIRED),
    ),
    _stops_attribute("light_power", "power of the main lamp", "main lamp brighter in the target"),
    Attribute(
        name="light_temperature",
        label="colour temperature of the main lamp",
        unit="mired",
        unit_words=("mired", "mired"),
        value_range=(-350.0, 350.0),
        default_range=(-200.0, 200.0),
        tolerance=0.5,
        positive="main lamp warmer (more orange) in the target",
        absolute_unit="K",
        absolute_range=(2000.0, 12000.0),
        to_axis=mired,
        from_axis=kelvin,
        spellings=MappingProxyType(_MIRED),
    ),
    _stops_attribute("ambient_level", "ambient light", "surroundings brighter in the target"),
    Attribute(
        name="aperture",
        label="aperture",
        unit="stops",
        unit_words=("stop", "stops"),
        value_range=(-10.0, 10.0),
        default_range=(-6.0, 6.0),
        tolerance=0.05,
        positive="larger f-number, deeper focus in the target; brightness is held",
        absolute_unit="f-number",
        absolute_range=(0.7, 64.0),
        to_axis=aperture_stops,
        from_axis=f_number_from_stops,
        spellings=MappingProxyType({"stop": _identity, "stops": _identity}),
    ),
    Attribute(
        name="focal_length",
        label="focal length",
        unit="log2 ratio",
        unit_words=("doubling", "doublings"),
        value_range=(-3.0, 3.0),
        default_range=(-1.5, 1.5),
        tolerance=0.007,  # 0.5 % of magnification
        positive="longer lens, subject larger in the target; camera does not move",
        absolute_unit="mm",
        absolute_range=(8.0, 800.0),
        to_axis=_log2,
        from_axis=_exp2,
        spellings=MappingProxyType({"x": _log2}),
    ),
    Attribute(
        name="object_rotation",
        label="rotation of the main object",
        unit="degrees",
        unit_words=("degree", "degrees"),
        value_range=(-180.0, 180.0),
        default_range=(-90.0, 90.0),
        tolerance=0.5,
        positive="counter-clockwise seen from above, about the object's own vertical axis",
        absolute_unit="degrees",
        absolute_range=(-360.0, 360.0),
        is_circular=True,
        spellings=MappingProxyType(_DEGREES),
    ),
)

ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({a.name: a for a in _ALL})


def find_attribute(name: str) -> Attribute:
    """Return the attribute of a name.

    Raises:
        EditScaleError: there is none; the message lists those that exist.
    """
    if name not in ATTRIBUTES:
        msg = f"unknown attribute '{name}': use one of {', '.join(ATTRIBUTES)}"
        raise EditScaleError(msg)
    return ATTRIBUTES[name]
