"""The JSON of a sample: written with every field of the schema, and read back; see `schema`."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from cat_dataset.store import contract_2
from cat_dataset.store.schema import (
    DETAILS,
    EDIT_FIELDS,
    LINEAR_FIELDS,
    ORIGIN_FIELDS,
    PAIR_FIELDS,
    READABLE_VERSIONS,
    SCHEMA_VERSION,
    STRUCT_FIELDS,
    Field,
)


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


def _split_origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    own = origin_row(origin)
    rest = {name: value for name, value in origin.items() if name not in own}
    return {**own, DETAILS.name: _text(rest)}


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
        return _written(value, STRUCT_FIELDS[field.name])
    if pa.types.is_list(field.type):
        item = field.type.value_type
        if not len(value):
            msg = f"field '{field.name}' is never an empty list"
            raise ValueError(msg)
        if pa.types.is_struct(item):
            return [_written(part, STRUCT_FIELDS[field.name]) for part in value]
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
