"""The Parquet tables: one row per sample, and one per candidate or unit that became none, and why.

A sample is a pair, or linear light from which pairs are composed where it is read. A unit's result
is staged as such a table with the bytes of every member inside; the shard writer moves the bytes
into a tar and keeps the rest, with the offset, size and sha256 of every member.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import ShardError
from cat_dataset.records import EditScale, LinearSample, Pair, Rejection, UnitResult
from cat_dataset.store import contract_2
from cat_dataset.store.sample_json import dump_record, origin_row
from cat_dataset.store.schema import (
    INDEX_SCHEMA,
    JSON,
    LINEAR,
    SOURCE,
    STAGED_SCHEMA,
    TARGET,
    projected,
)

_BATCH_ROWS = 2**15  # read at once from an index


def staged_table(
    result: UnitResult, *, producer: str, unit_id: str, origin: Mapping[str, Any]
) -> pa.Table:
    """Return one unit's result as a table; `origin` is added to the origin of every sample.

    The seed in `origin` counts for samples that come without one of their own.
    """
    known = {**origin, "producer": producer, "unit_id": unit_id}
    rows = [_pair_row(pair, known) for pair in result.pairs]
    rows += [_linear_row(sample, known) for sample in result.linear]
    rows += [_rejection_row(rejection, known) for rejection in result.rejections]
    rows.sort(key=lambda row: str(row["key"]))
    return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)


def _of_unit(own: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sample's origin with what is known of its unit."""
    seed = own.get("seed", known.get("seed"))
    return {**own, **known} if seed is None else {**own, **known, "seed": seed}


def _pair_row(pair: Pair, known: Mapping[str, Any]) -> dict[str, Any]:
    record = pair.to_json()
    record["origin"] = _of_unit(pair.origin, known)
    width_px, height_px = png_size(pair.source_png)
    first = pair.edits[0]
    return {
        **record,
        "kind": "pair",
        "status": "ok",
        "attribute": first.attribute,
        "value": first.value,
        "measured": first.measured,
        "measured_se": first.measured_se,
        "width_px": width_px,
        "height_px": height_px,
        "exposure_anchor": pair.develop.exposure_anchor,
        "source_clip_fraction": pair.develop.source_clip_fraction,
        "target_clip_fraction": pair.develop.target_clip_fraction,
        "origin": origin_row(record["origin"]),
        "members": _members(
            {
                JSON: dump_record(record),
                SOURCE: pair.source_png,
                TARGET: pair.target_png,
                **pair.annotations,
            }
        ),
    }


def _linear_row(sample: LinearSample, known: Mapping[str, Any]) -> dict[str, Any]:
    record = dict(sample.record)
    record["origin"] = _of_unit(record["origin"], known)
    return {
        **record,
        "status": "ok",
        "origin": origin_row(record["origin"]),
        "members": _members({JSON: dump_record(record), LINEAR: sample.exr}),
    }


def _members(data: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return members in tar order, which is sorted."""
    return [{"name": name, "data": data[name]} for name in sorted(data)]


def _rejection_row(rejection: Rejection, known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": rejection.key,
        "status": rejection.status,
        "reason": rejection.reason,
        "scene": rejection.scene,
        "attribute": rejection.attribute,
        "value": rejection.value,
        "origin": origin_row(known),
    }


_FINISH = "finish the data set by running its command again"


def read_index(folder: Path) -> pa.Table:
    """Return a data set's `index.parquet`.

    Raises:
        ShardError: the folder holds no finished data set, or the index is broken.
    """
    return read_table(folder / "index.parquet", INDEX_SCHEMA, _FINISH)


def read_table(path: Path, schema: pa.Schema, remedy: str) -> pa.Table:
    """Return a Parquet table that must have the columns of `schema`, or those of contract 2.

    Raises:
        ShardError: it is missing (then `remedy` helps), broken, or of another schema version.
    """
    with _opened(path, schema, remedy) as file:
        table = file.read()
        if file.schema_arrow.equals(schema):
            return table
        rows = map(contract_2.upgraded_row, table.to_pylist())
        metadata = {**table.schema.metadata, **schema.metadata}
        return pa.Table.from_pylist(list(rows), schema=schema.with_metadata(metadata))


def index_batches(folder: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a data set's index, a few thousand rows at a time.

    Parts of a struct are named like `members.list.element.name`. Raises as `read_index`.
    """
    path, schema = folder / "index.parquet", projected(INDEX_SCHEMA, columns)
    with _opened(path, INDEX_SCHEMA, _FINISH) as file:
        if file.schema_arrow.equals(INDEX_SCHEMA):
            yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns))
            return
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            rows = map(contract_2.upgraded_row, batch.to_pylist())
            yield pa.RecordBatch.from_pylist(list(rows), schema=schema)


@contextmanager
def _opened(path: Path, schema: pa.Schema, remedy: str) -> Iterator[pq.ParquetFile]:
    """Open a table of a schema, or its like of contract 2; what breaks it raises in the block."""
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            if not (found.equals(schema) or contract_2.has_columns(found)):
                msg = (
                    f"table {path}: has other columns than schemas 2 and 3, which this version "
                    f"reads; make the data set anew, or read it with the version that wrote it"
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
            attribute=find_attribute(row["attribute"]).name,
            value=row["value"],
            source_value=row["source_value"],
            target_value=row["target_value"],
            measured=row["measured"],
            measured_se=row["measured_se"],
            subject=row["subject"],
            light_ratio=None if row["light_ratio"] is None else tuple(row["light_ratio"]),
        )
        for row in rows
    )
