"""The sample contract: every field of a pair, of linear light and of their tables, once.

A record in memory is a plain dictionary in which None says that there is nothing. Its row in a
Parquet table has the same names, and null for None. Its JSON has the same names too, but JSON
values carry no type: stock readers (`datasets`, torch's `default_collate`) take the types from the
first samples. So the JSON of every sample has every field, none is null and no list is empty. What
is absent is a value of the field's own type that cannot occur:

    text                        ""
    source_frame, target_frame  -1
    seed                        -1
    source_value, target_value  0.0 both, beside an empty `absolute_unit`
    light_ratio                 [0.0, 0.0, 0.0]; a true ratio is positive
    measured                    0.0, beside a negative `measured_se`

What differs from producer to producer is JSON text in one field: `origin.details` of every sample,
`light` of linear light (the groups of a light basis, the frames and readings of a sweep).

Members of a pair in a tar: `json`, `source.png`, `target.png`, and where the manifest asks, for
each of both pictures, those of `ANNOTATION_MEMBERS`: "source.mask.png". The mask of a named lamp
is "source.mask-LAMP.png". Members of linear light: `json` and `basis.exr`, whose parts are the
names of its light groups or `frame-NN`, and below `EXR_PARTS`, after "frame-NN." for a frame.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

import pyarrow as pa

from cat_dataset.store import contract_2

SCHEMA_VERSION = 3
READABLE_VERSIONS = (contract_2.VERSION, SCHEMA_VERSION)

JSON, SOURCE, TARGET, LINEAR = "json", "source.png", "target.png", "basis.exr"  # tar members
ANNOTATION_MEMBERS: Mapping[str, str] = {
    "mask": "mask.png",  # 8-bit grey, 255 where the edit acts
    "moving": "moving.png",  # 8-bit grey, 255 where something moved that no edit explains
    "depth": "depth.exr",  # float32, metres along the view axis
    "normal": "normal.exr",  # half RGB, unit normals in world space
}


class _Parts(NamedTuple):
    clipped: str = "clipped"  # 1 where a sensor clipped
    moving: str = "moving"
    mask: str = "mask"
    depth: str = "depth"
    normal: str = "normal"
    noise: str = "noise"  # what two seeds of one frame differ by, over 2


EXR_PARTS = _Parts()


@dataclass(frozen=True)
class Field:
    """One field of the contract."""

    name: str
    type: pa.DataType
    absent: Any = None  # what the JSON says for None; None: the field is never absent


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
EDIT_FIELDS = (
    Field("attribute", _TEXT),
    Field("subject", _TEXT, ""),  # named lamp, object, part or shape; absent: the whole scene
    Field("unit", _TEXT),
    Field("value", _FLOAT),  # signed, target minus source, in `unit`
    Field("source_value", _FLOAT, 0.0),  # in `absolute_unit`
    Field("target_value", _FLOAT, 0.0),
    Field("absolute_unit", _TEXT, ""),
    Field("light_ratio", pa.list_(_FLOAT), [0.0, 0.0, 0.0]),  # of the source: red, green, blue
    Field("measured", _FLOAT, 0.0),  # in `unit`
    Field("measured_se", _FLOAT, -1.0),  # one standard error of `measured`
)
DEVELOP_FIELDS = (
    Field("exposure_anchor", _FLOAT),
    Field("tone_curve", _TEXT),
    Field("colour_space", _TEXT),
    Field("source_clip_fraction", _FLOAT),
    Field("target_clip_fraction", _FLOAT),
)
ORIGIN_FIELDS = (
    Field("manifest_sha256", _TEXT, ""),
    Field("unit_id", _TEXT, ""),  # the unit of work
    Field("seed", _INT, -1),  # of the unit's scene; of the data set where no scene was drawn
    Field("producer", _TEXT, ""),  # "render" or "dslr"
    Field("versions", pa.list_(_TEXT)),  # "blender 4.5.15"
    Field("device", _TEXT, ""),  # that rendered
)


def _struct(fields: Sequence[Field]) -> pa.DataType:
    return pa.struct([(field.name, field.type) for field in fields])


_DETAILS = Field("details", _TEXT)  # of an origin: JSON text
_SCHEMA = Field("schema", _INT)
_PLACE_FIELDS = (
    Field("key", _TEXT),
    Field("split", _TEXT),
    Field("scene", _TEXT),
    Field("view", _TEXT, ""),  # of several of one scene
)
_FRAME_FIELDS = (Field("source_frame", _INT, -1), Field("target_frame", _INT, -1))  # of a sweep
_VISIBLE_FIELDS = (  # CIEDE2000 inside the edit's mask
    Field("visible_delta_e_mean", _FLOAT),
    Field("visible_delta_e_p95", _FLOAT),
)
_EDITS = Field("edits", pa.list_(_struct(EDIT_FIELDS)))
_INSTRUCTION = Field("instruction", _TEXT)
_ORIGIN = Field("origin", _struct((*ORIGIN_FIELDS, _DETAILS)))
PAIR_FIELDS = (
    *(_SCHEMA, *_PLACE_FIELDS, *_FRAME_FIELDS, _INSTRUCTION, _EDITS, *_VISIBLE_FIELDS),
    Field("develop", _struct(DEVELOP_FIELDS)),
    _ORIGIN,
)
LINEAR_FIELDS = (
    *(_SCHEMA, *_PLACE_FIELDS),
    Field("kind", _TEXT),  # "basis" or "sweep"
    Field("attribute", _TEXT, ""),  # swept
    Field("subject", _TEXT, ""),
    Field("width_px", _INT),
    Field("height_px", _INT),
    Field("wb_cct_k", _FLOAT),
    Field("light_factor", _FLOAT),  # stored = light * light_factor
    Field("num_clamped", _INT),  # values beyond a half float
    Field("exr_sha256", _TEXT),
    Field("light", _TEXT),  # JSON text, see `linear_files`
    _ORIGIN,
)

_PLACED_MEMBER = pa.struct(
    [
        ("name", pa.string()),  # what stands behind KEY. in the tar
        ("offset", pa.int64()),  # of its data in the tar
        ("size", pa.int64()),
        ("sha256", pa.string()),
    ]
)
_STAGED_MEMBER = pa.struct([("name", pa.string()), ("data", pa.binary())])
_ROW_FIELDS: list[tuple[str, pa.DataType]] = [
    ("key", pa.string()),
    ("kind", pa.string()),  # pair, basis, sweep; null where nothing was made
    ("status", pa.string()),  # ok, rejected, failed
    ("reason", pa.string()),  # why not ok
    *((field.name, field.type) for field in _PLACE_FIELDS[1:]),
    ("attribute", pa.string()),  # of the first edit
    ("value", pa.float64()),
    ("measured", pa.float64()),
    ("measured_se", pa.float64()),
    *((field.name, field.type) for field in (*_FRAME_FIELDS, _EDITS, *_VISIBLE_FIELDS)),
    ("instruction", pa.string()),
    ("width_px", pa.int32()),
    ("height_px", pa.int32()),
    ("exposure_anchor", pa.float64()),
    ("source_clip_fraction", pa.float64()),
    ("target_clip_fraction", pa.float64()),
    ("origin", _struct(ORIGIN_FIELDS)),
]
_METADATA = {"cat_schema": str(SCHEMA_VERSION)}
STAGED_SCHEMA = pa.schema([*_ROW_FIELDS, ("members", pa.list_(_STAGED_MEMBER))], metadata=_METADATA)
SHARD_SCHEMA = pa.schema(
    [*_ROW_FIELDS, ("shard", pa.string()), ("members", pa.list_(_PLACED_MEMBER))],
    metadata=_METADATA,
)
INDEX_SCHEMA = pa.schema([*SHARD_SCHEMA, ("shard_sha256", pa.string())], metadata=_METADATA)


def dump_record(record: Mapping[str, Any]) -> bytes:
    """Return the JSON of a record: of linear light where it has a `kind`, else of a pair.

    Raises:
        ValueError: it lacks a field, has another one, or one of another type.
    """
    is_linear = "kind" in record
    full = {**record, "schema": SCHEMA_VERSION, "origin": _split_origin(record["origin"])}
    if is_linear:
        full["light"] = _text(record["light"])
    for edit in full.get("edits", ()):
        _check_absolute_values(edit)
    return _text(_written(full, LINEAR_FIELDS if is_linear else PAIR_FIELDS)).encode()


def load_record(data: bytes) -> dict[str, Any]:
    """Return the record of a sample's JSON, of this contract or of 2; None where it is absent.

    `schema` says of which.

    Raises:
        ValueError: it is no record, or one of another contract.
    """
    record = json.loads(data)
    found = record.get("schema") if isinstance(record, dict) else None
    if found not in READABLE_VERSIONS:
        readable = " and ".join(map(str, READABLE_VERSIONS))
        msg = f"its JSON is of schema {found!r}; schemas {readable} can be read"
        raise ValueError(msg)
    try:
        if found == contract_2.VERSION:
            return contract_2.upgraded_record(record)
        return _read(record)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"its JSON is no record of schema {found}: {error!r} is missing or wrong"
        raise ValueError(msg) from None


def origin_row(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an origin that stands in a table."""
    versions = {**origin.get("versions", {}), "cat-dataset": version("cat-dataset")}
    lines = [f"{name} {number}" for name, number in sorted(versions.items())]
    return {field.name: origin.get(field.name) for field in ORIGIN_FIELDS} | {"versions": lines}


def projected(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """Return the columns of a schema that are named, in its own order.

    Parts are named as Parquet does: `origin.producer`, `edits.list.element.value`.
    """
    fields = []
    for field in schema:
        parts = [c.split(".")[-1] for c in columns if c.startswith(f"{field.name}.")]
        if field.name in columns:
            fields.append(field)
        elif parts and pa.types.is_list(field.type):
            kept = [part for part in field.type.value_type if part.name in parts]
            fields.append(pa.field(field.name, pa.list_(pa.struct(kept))))
        elif parts:
            kept = [part for part in field.type if part.name in parts]
            fields.append(pa.field(field.name, pa.struct(kept)))
    return pa.schema(fields)


def _split_origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    own = origin_row(origin)
    rest = {name: value for name, value in origin.items() if name not in own}
    return {**own, _DETAILS.name: _text(rest)}


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _check_absolute_values(edit: Mapping[str, Any]) -> None:
    absolute = [edit[name] is None for name in ("source_value", "target_value", "absolute_unit")]
    if any(absolute) and not all(absolute):
        msg = f"edit of {edit['attribute']}: has one absolute value without the other"
        raise ValueError(msg)
    if (edit["measured"] is None) != (edit["measured_se"] is None):
        msg = f"edit of {edit['attribute']}: has a measured value without its standard error"
        raise ValueError(msg)


def _written(record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    names = {field.name for field in fields}
    if set(record) != names:
        msg = f"a record of fields {sorted(record)}; the contract has {sorted(names)}"
        raise ValueError(msg)
    return {field.name: _written_value(record[field.name], field) for field in fields}


def _written_value(value: Any, field: Field) -> Any:
    if value is None:
        if field.absent is None:
            msg = f"field '{field.name}' is never absent"
            raise ValueError(msg)
        return field.absent
    if pa.types.is_struct(field.type):
        return _written(value, _FIELDS_OF[field.name])
    if pa.types.is_list(field.type):
        item = field.type.value_type
        if not len(value):
            msg = f"field '{field.name}' is never an empty list"
            raise ValueError(msg)
        if pa.types.is_struct(item):
            return [_written(part, _FIELDS_OF[field.name]) for part in value]
        return [_plain(part, item) for part in value]
    return _plain(value, field.type)


def _plain(value: Any, kind: pa.DataType) -> str | int | float:
    """Return a value as the JSON type of its column; an integer is never written for a float."""
    if pa.types.is_floating(kind):
        return float(value)
    if pa.types.is_integer(kind):
        return int(value)
    return str(value)


def _read(record: Mapping[str, Any]) -> dict[str, Any]:
    fields = LINEAR_FIELDS if "kind" in record else PAIR_FIELDS
    found = _without_absent(record, fields)
    origin = _without_absent(record["origin"], ORIGIN_FIELDS)
    origin["versions"] = dict(line.split(" ", 1) for line in record["origin"]["versions"])
    known = {name: value for name, value in origin.items() if value is not None}
    found["origin"] = {**json.loads(record["origin"]["details"]), **known}
    if "kind" in record:
        found["light"] = json.loads(record["light"])
    else:
        found["edits"] = [_read_edit(edit) for edit in record["edits"]]
    return found


def _without_absent(record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    return {
        field.name: None if record[field.name] == field.absent else record[field.name]
        for field in fields
    }


def _read_edit(edit: Mapping[str, Any]) -> dict[str, Any]:
    """Return an edit; numbers for which zero is a value of its own count by what is beside them."""
    found = {field.name: edit[field.name] for field in EDIT_FIELDS}
    found["subject"], found["absolute_unit"] = (
        edit["subject"] or None,
        edit["absolute_unit"] or None,
    )
    if not any(edit["light_ratio"]):
        found["light_ratio"] = None
    if found["absolute_unit"] is None:
        found["source_value"] = found["target_value"] = None
    if edit["measured_se"] < 0.0:
        found["measured"] = found["measured_se"] = None
    return found


_FIELDS_OF: Mapping[str, Sequence[Field]] = {
    "edits": EDIT_FIELDS,
    "develop": DEVELOP_FIELDS,
    "origin": (*ORIGIN_FIELDS, _DETAILS),
}
