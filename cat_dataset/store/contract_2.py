"""Sample contract 2, which data sets of earlier versions follow: read, and no longer written.

It has no view and no visible difference, names a sweep's frames in the key alone, lists lighting
ratios beside the edits and not in the tables, and says `measured_stderr`, `producer` and `unit_id`
where contract 3 says `measured_se`, `origin.producer` and `origin.unit_id`.
"""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

VERSION = 2
_FRAMES = re.compile(r"-(\d\d)-(\d\d)$")  # of a sweep, at the end of a pair's key
_EDIT = pa.struct(
    [
        ("attribute", pa.string()),
        ("subject", pa.string()),
        ("unit", pa.string()),
        ("value", pa.float64()),
        ("source_value", pa.float64()),
        ("target_value", pa.float64()),
        ("absolute_unit", pa.string()),
        ("measured", pa.float64()),
        ("measured_stderr", pa.float64()),
    ]
)
ROW_FIELDS: tuple[tuple[str, pa.DataType], ...] = (
    ("key", pa.string()),
    ("kind", pa.string()),
    ("status", pa.string()),
    ("reason", pa.string()),
    ("split", pa.string()),
    ("scene", pa.string()),
    ("producer", pa.string()),
    ("unit_id", pa.string()),
    ("attribute", pa.string()),
    ("value", pa.float64()),
    ("measured", pa.float64()),
    ("measured_stderr", pa.float64()),
    ("edits", pa.list_(_EDIT)),
    ("instruction", pa.string()),
    ("width_px", pa.int32()),
    ("height_px", pa.int32()),
    ("exposure_anchor", pa.float64()),
    ("source_clip_fraction", pa.float64()),
    ("target_clip_fraction", pa.float64()),
)
_LIGHT_OF_BASIS = ("groups", "visible_share", "main_lamp")
_LIGHT_OF_SWEEP = ("frames", "readings", "is_measured_the_scale", "edited_area")


def has_columns(schema: pa.Schema) -> bool:
    """Return whether a table has the columns of contract 2 in front of those of its members."""
    found = [(field.name, field.type) for field in schema]
    return tuple(found[: len(ROW_FIELDS)]) == ROW_FIELDS


def upgraded_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row under the names of contract 3; what 2 does not say is None."""
    edits = row["edits"]
    return {
        **row,
        **_frames_of(row["key"] if row["kind"] == "pair" else ""),
        "measured_se": row["measured_stderr"],
        "edits": None if edits is None else [_upgraded_edit(edit, None) for edit in edits],
        "origin": {"producer": row["producer"], "unit_id": row["unit_id"]},
    }


def upgraded_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sample's JSON as a record of contract 3; `schema` stays 2.

    Raises:
        KeyError: it lacks a field.
    """
    if "kind" in record:
        own = _LIGHT_OF_BASIS if record["kind"] == "basis" else _LIGHT_OF_SWEEP
        rest = {name: value for name, value in record.items() if name not in own}
        light = {name: record[name] for name in own}
        return {"attribute": None, "subject": None, **rest, "view": None, "light": light}
    ratios = record.get("light_ratios") or [None] * len(record["edits"])
    return {
        **{name: value for name, value in record.items() if name != "light_ratios"},
        **_frames_of(record["key"]),
        "view": None,
        "visible_delta_e_mean": None,
        "visible_delta_e_p95": None,
        "edits": [
            _upgraded_edit(edit, ratio) for edit, ratio in zip(record["edits"], ratios, strict=True)
        ],
    }


def _upgraded_edit(edit: Mapping[str, Any], light_ratio: list[float] | None) -> dict[str, Any]:
    found = {name: value for name, value in edit.items() if name != "measured_stderr"}
    if found["source_value"] is None:
        found["absolute_unit"] = None
    return {**found, "light_ratio": light_ratio, "measured_se": edit["measured_stderr"]}


def _frames_of(key: str) -> dict[str, int | None]:
    match = _FRAMES.search(key)
    source, target = (None, None) if match is None else map(int, match.groups())
    return {"source_frame": source, "target_frame": target}
