"""The table of attributes, and the sets that follow from what an attribute says of itself.

A new attribute is one entry of its group's file; it stands in every set below by its fields.
Source of the ranges: what a render or a camera can show; of the tolerances: 0.5 % of a geometric
ratio, half a degree, 2 % of the axis where a probe picture is read.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cat_dataset.attributes.attribute import EVERY_FAMILY, Attribute
from cat_dataset.attributes.lens import LENS
from cat_dataset.attributes.material import MATERIAL, SHAPE
from cat_dataset.attributes.outdoors import SUN_AND_FOG
from cat_dataset.attributes.photometric import PHOTOMETRIC
from cat_dataset.attributes.pose import POSE
from cat_dataset.errors import EditScaleError

_ALL = (*PHOTOMETRIC, *LENS, *POSE, *MATERIAL, *SUN_AND_FOG, *SHAPE)

ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({a.name: a for a in _ALL})
_BY_ALIAS = {alias: a for a in _ALL for alias in a.aliases}

LAMP, AMBIENT = "lamp", "ambient"
# A gain on any frame, swept ones as well.
CAMERA_ATTRIBUTES = tuple(a.name for a in _ALL if a.role == "camera")
# Which light of a scene an attribute edits: that of its main lamp, or all that comes from around.
LIGHT_OF: Mapping[str, str] = MappingProxyType(
    {a.name: a.role for a in _ALL if a.role in (LAMP, AMBIENT)}
)
# Composed from the light basis, at any value, without rendering again.
BASIS_ATTRIBUTES = (*CAMERA_ATTRIBUTES, *LIGHT_OF)
# Rendered anew, a frame for each value.
SWEEP_ATTRIBUTES = tuple(a.name for a in _ALL if a.frame_cost is not None)
# Given by captures: computed from one RAW file, or measured between the files of a series.
CAPTURE_ATTRIBUTES = tuple(a.name for a in _ALL if a.is_captured)
FAMILY_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {f: frozenset(a.name for a in _ALL if f in a.families) for f in sorted(EVERY_FAMILY)}
)


def find_attribute(name: str) -> Attribute:
    """Return the attribute of a name.

    >>> round(find_attribute("white_balance").difference(5500, 6500), 2)
    -27.97
    >>> find_attribute("object_rotation").difference(350, 10)
    20.0
    >>> round(find_attribute("focal_length").apply(50.0, 1.0), 6)
    100.0

    Raises:
        EditScaleError: there is none; the message lists those that exist.
    """
    if name not in ATTRIBUTES:
        msg = f"unknown attribute '{name}': use one of {', '.join(ATTRIBUTES)}"
        raise EditScaleError(msg)
    return ATTRIBUTES[name]


def find_typed_attribute(name: str) -> Attribute:
    """Return the attribute that a person means: by its name, or by a short alias of it.

    >>> find_typed_attribute("wb").name
    'white_balance'

    Raises:
        EditScaleError: there is none; the message lists the names.
    """
    return _BY_ALIAS.get(name) or find_attribute(name)
