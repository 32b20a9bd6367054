"""The Parquet tables: one row per sample, and one per thing that became none, with the reason.

A sample is a pair, or linear light from which pairs are composed where it is read. A unit's result
is staged as such a table with the bytes of every member inside; the shard writer moves the bytes
into a tar and keeps the rest, with the offset, size and sha256 of every member.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import ShardError
from cat_dataset.records import (
    SCHEMA_VERSION,
    EditScale,
    LinearSample,
    Pair,
    Rejection,
    UnitResult,
)

JSON, SOURCE, TARGET, LINEAR = "json", "source.png", "target.png", "basis.exr"  # tar members

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
_ROW_FIELDS: list[tuple[str, pa.DataType]] = [
    ("key", pa.string()),
    ("kind", pa.string()),  # pair, basis, sweep; null where nothing was made
    ("status", pa.string()),  # ok, rejected, failed
    ("reason", pa.string()),  # why not ok
    ("split", pa.string()),
    ("scene", pa.string()),
    ("producer", pa.string()),
    ("unit_id", pa.string()),  # unit of work
    ("attribute", pa.string()),  # of the first edit
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
]
_BATCH_ROWS = 2**15  # read at once from an index
_METADATA = {"cat_schema": str(SCHEMA_VERSION)}
_STAGED_MEMBER = pa.struct([("name", pa.string()), ("data", pa.binary())])
_PLACED_MEMBER = pa.struct(
    [
        ("name", pa.string()),  # what stands behind KEY. in the tar
        ("offset", pa.int64()),  # of its data in the tar
        ("size", pa.int64()),
        ("sha256", pa.string()),
    ]
)
STAGED_SCHEMA = pa.schema([*_ROW_FIELDS, ("members", pa.list_(_STAGED_MEMBER))], metadata=_METADATA)
SHARD_SCHEMA = pa.schema(
    [*_ROW_FIELDS, ("shard", pa.string()), ("members", pa.list_(_PLACED_MEMBER))],
    metadata=_METADATA,
)
INDEX_SCHEMA = pa.schema([*SHARD_SCHEMA, ("shard_sha256", pa.string())], metadata=_METADATA)


def staged_table(
    result: UnitResult, *, producer: str, unit_id: str, origin: Mapping[str, Any]
) -> pa.Table:
    """Return one unit's result as a table; `origin` is added to the origin of every pair."""
    shared = {"producer": producer, "unit_id": unit_id}
    rows = [_pair_row(pair, shared, origin) for pair in result.pairs]
    rows += [_linear_row(sample, shared, origin) for sample in result.linear]
    rows += [_rejection_row(rejection, shared) for rejection in result.rejections]
    rows.sort(key=lambda row: str(row["key"]))
    return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)


def _pair_row(pair: Pair, shared: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
    record = pair.to_json()
    record["origin"] = {**record["origin"], **shared, **origin}
    width_px, height_px = png_size(pair.source_png)
    first = pair.edits[0]
    return {
        **shared,
        "key": pair.key,
        "kind": "pair",
        "status": "ok",
        "split": pair.split,
        "scene": pair.scene,
        "attribute": first.attribute,
        "value": first.value,
        "measured": first.measured,
        "measured_stderr": first.measured_stderr,
        "edits": record["edits"],
        "instruction": pair.instruction,
        "width_px": width_px,
        "height_px": height_px,
        "exposure_anchor": pair.develop.exposure_anchor,
        "source_clip_fraction": pair.develop.source_clip_fraction,
        "target_clip_fraction": pair.develop.target_clip_fraction,
        "members": _members(
            {
                JSON: _json_bytes(record),
                SOURCE: pair.source_png,
                TARGET: pair.target_png,
                **pair.annotations,
            }
        ),
    }


def _linear_row(
    sample: LinearSample, shared: Mapping[str, Any], origin: Mapping[str, Any]
) -> dict[str, Any]:
    record = dict(sample.record)
    record["origin"] = {**record["origin"], **shared, **origin}
    height_px, width_px = sample.shape_HW
    return {
        **shared,
        "key": sample.key,
        "kind": sample.kind,
        "status": "ok",
        "split": sample.split,
        "scene": sample.scene,
        "attribute": sample.attribute,
        "width_px": width_px,
        "height_px": height_px,
        "members": _members({JSON: _json_bytes(record), LINEAR: sample.exr}),
    }


def _members(data: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return members in tar order, which is sorted."""
    return [{"name": name, "data": data[name]} for name in sorted(data)]


def _json_bytes(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, allow_nan=False).encode()


def _rejection_row(rejection: Rejection, shared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **shared,
        "key": rejection.key,
        "status": rejection.status,
        "reason": rejection.reason,
        "scene": rejection.scene,
        "attribute": rejection.attribute,
        "value": rejection.value,
    }


_FINISH = "finish the data set by running its command again"


def read_index(folder: Path) -> pa.Table:
    """Return a data set's `index.parquet`.

    Raises:
        ShardError: the folder holds no finished data set, or the index is broken.
    """
    return read_table(folder / "index.parquet", INDEX_SCHEMA, _FINISH)


def read_table(path: Path, schema: pa.Schema, remedy: str) -> pa.Table:
    """Return a Parquet table that must have the columns of `schema`.

    Raises:
        ShardError: it is missing (then `remedy` helps), broken, or of another schema version.
    """
    with _opened(path, schema, remedy) as file:
        return file.read()


def index_batches(folder: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a data set's index, a few thousand rows at a time.

    Parts of a struct are named like `members.list.element.name`. Raises as `read_index`.
    """
    with _opened(folder / "index.parquet", INDEX_SCHEMA, _FINISH) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns))


@contextmanager
def _opened(path: Path, schema: pa.Schema, remedy: str) -> Iterator[pq.ParquetFile]:
    """Open a table of a schema; what is broken is told while it is read as well."""
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                msg = (
                    f"table {path}: has other columns than this version writes; make the data set "
                    f"anew"
                )
                raise ShardError(msg)
            yield file
    except FileNotFoundError:
        msg = f"{path.parent}: holds no {path.name}; {remedy}"
        raise ShardError(msg) from None
    except (pa.ArrowException, OSError) as error:
        msg = f"table {path}: is no readable Parquet file ({error}); delete it and run again"
        raise ShardError(msg) from None


def png_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels from a PNG's header; PNG specification, IHDR."""
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def edits_of_row(rows: Sequence[Mapping[str, Any]]) -> tuple[EditScale, ...]:
    """Return the records of a row's `edits` column.

    Raises:
        EditScaleError: the table names an attribute that this version does not know.
    """
    return tuple(
        EditScale(
            find_attribute(row["attribute"]).name,
            row["value"],
            row["source_value"],
            row["target_value"],
            row["measured"],
            row["measured_stderr"],
            row["subject"],
        )
        for row in rows
    )
