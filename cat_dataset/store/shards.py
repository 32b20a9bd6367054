"""Shards: a tar of pairs in WebDataset naming beside a Parquet table, byte for byte reproducible.

A shard appears under its final name only when it is complete; its table, which holds the tar's
sha256, comes last and marks it done. Plain `tarfile` writes it: stock readers see ordinary
WebDataset shards, and workers need not import webdataset, which pulls in torch where that is
installed.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cat_dataset.errors import ShardError
from cat_dataset.store.schema import INDEX_SCHEMA, SHARD_SCHEMA
from cat_dataset.store.tables import read_table
from cat_dataset.system.atomic import atomic_file, write_bytes_atomic

KEY_PATTERN = re.compile(r"^[a-z0-9_-]+$")  # WebDataset cuts keys at the first dot
MAX_KEY_LENGTH = 82  # so that KEY.target.normal.exr fits the 100 bytes of a plain tar header
TAR_SHA256 = b"cat_tar_sha256"  # key in the metadata of a shard's table


def shard_path(folder: Path, number: int) -> Path:
    """Return the tar of shard `number` in a data set folder."""
    return folder / "shards" / f"{number:06d}.tar"


def table_path(tar_path: Path) -> Path:
    """Return the Parquet table beside a shard's tar."""
    return tar_path.with_suffix(".parquet")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet table whole or not at all; equal tables give equal bytes."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    write_bytes_atomic(path, sink.getvalue())


def write_shard(tar_path: Path, staged: Sequence[pa.Table]) -> str:
    """Write the tar and table of one shard from the staged tables of its units, in that order.

    Returns the tar's sha256.

    Raises:
        ShardError: a key is not `[a-z0-9_-]+`, is too long, or occurs twice.
    """
    rows = pa.concat_tables(staged).to_pylist()
    _check_keys(row["key"] for row in rows)
    tar_path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(tar_path) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for row in rows:
                _add_row(tar, row, tar_path.name)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed wants getbuffer or readinto
    table = pa.Table.from_pylist(rows, schema=SHARD_SCHEMA)
    metadata = {**SHARD_SCHEMA.metadata, TAR_SHA256: digest.encode()}
    write_table(table_path(tar_path), table.replace_schema_metadata(metadata))
    return digest


def _check_keys(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if not KEY_PATTERN.match(key) or len(key) > MAX_KEY_LENGTH:
            msg = f"sample key '{key}': must match [a-z0-9_-]+, at most {MAX_KEY_LENGTH} characters"
            raise ShardError(msg)
        if key in seen:
            msg = f"sample key '{key}': occurs twice in one shard; keys must be unique"
            raise ShardError(msg)
        seen.add(key)


def _add_row(tar: tarfile.TarFile, row: dict[str, Any], shard_name: str) -> None:
    """Move a sample's bytes from the row into the tar and note where they went."""
    row["shard"] = shard_name
    row["members"] = [
        _add_member(tar, row["key"], member["name"], member["data"])
        for member in row["members"] or ()
    ]


def _add_member(tar: tarfile.TarFile, key: str, name: str, data: bytes) -> dict[str, Any]:
    header = tarfile.TarInfo(f"{key}.{name}")
    header.size, header.mode, header.mtime = len(data), 0o644, 0
    tar.addfile(header, io.BytesIO(data))
    padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return {
        "name": name,
        "offset": tar.offset - padded,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_shard_table(tar_path: Path) -> pa.Table:
    """Return the table beside a shard's tar.

    Raises:
        ShardError: it is missing, broken, or of another schema version.
    """
    path = table_path(tar_path)
    return read_table(path, SHARD_SCHEMA, "run the same command again to rebuild the shard")


def is_shard_done(tar_path: Path) -> bool:
    """Return whether a shard is complete: its table is there and names the tar's sha256."""
    if not (tar_path.is_file() and table_path(tar_path).is_file()):
        return False
    try:
        recorded = read_shard_table(tar_path).schema.metadata[TAR_SHA256].decode()
    except (ShardError, KeyError):
        return False  # the shard is then made anew
    is_same: bool = sha256_of_file(tar_path) == recorded
    return is_same


def has_failures(tar_path: Path) -> bool:
    """Return whether a finished shard's table holds failed rows."""
    return "failed" in read_shard_table(tar_path)["status"].to_pylist()


def write_index(folder: Path, tar_paths: Sequence[Path]) -> pa.Table:
    """Write `index.parquet`, the union of all shard tables with each tar's sha256."""
    tables = []
    for tar_path in tar_paths:
        table = read_shard_table(tar_path)
        digest = table.schema.metadata[TAR_SHA256].decode()
        column = pa.array([digest] * table.num_rows, pa.string())
        tables.append(table.append_column("shard_sha256", column).cast(INDEX_SCHEMA))
    index = pa.concat_tables(tables) if tables else INDEX_SCHEMA.empty_table()
    write_table(folder / "index.parquet", index)
    return index
