"""Check a finished data set: hashes, tables, every sample; name all that is broken."""

import hashlib
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.errors import ShardError
from cat_dataset.imaging.display import decode_png
from cat_dataset.store import contract_2
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.linear_files import LINEAR_FOLDER, decode_linear, linear_size_px
from cat_dataset.store.pair_dataset import read_members
from cat_dataset.store.pair_rows import member_spans
from cat_dataset.store.sample_json import load_record
from cat_dataset.store.schema import JSON, LINEAR, SOURCE, TARGET
from cat_dataset.store.shards import KEY_PATTERN, read_shard_table, sha256_of_file
from cat_dataset.store.tables import read_index
from cat_dataset.system.progress import Progress, SilentProgress

_PLACE = ("key", "split", "scene", "view")
_COMPARED = {  # fields that stand in the JSON and in the tables, by kind
    "pair": (
        *(*_PLACE, "source_frame", "target_frame", "instruction", "edits"),
        *("visible_delta_e_mean", "visible_delta_e_p95"),
    ),
    "basis": (*_PLACE, "kind", "attribute"),
    "sweep": (*_PLACE, "kind", "attribute"),
}


@dataclass(frozen=True)
class Verdict:
    """What verification read and what it found wrong."""

    num_shards: int
    num_pairs: int
    num_linear: int  # light bases and sweeps, in shards or kept beside them
    faults: tuple[str, ...]  # one line each


def verify_dataset(folder: Path | str, progress: Progress | None = None) -> Verdict:
    """Re-read everything below a data set folder.

    Raises:
        ShardError: there is no index to check against.
    """
    folder, progress = Path(folder), progress or SilentProgress()
    index = read_index(folder)
    rows = index.to_pylist()
    by_shard: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_shard.setdefault(row["shard"], []).append(row)
    faults = [f"key {key}: occurs {n} times in the index" for key, n in _duplicates(rows)]
    on_disk = {path.name for path in (folder / "shards").glob("*.tar")}
    faults += [f"shard {name}: is not in the index" for name in sorted(on_disk - by_shard.keys())]
    progress.start("verifying", total=len(by_shard))
    for name, shard_rows in sorted(by_shard.items()):
        faults += _shard_faults(folder / "shards" / name, shard_rows)
        progress.advance(1)
    kinds = Counter(row["kind"] for row in rows)
    num_linear = kinds["basis"] + kinds["sweep"]
    if (folder / LINEAR_FOLDER).is_dir():
        num_kept, kept_faults = _check_kept(folder, rows)
        num_linear += num_kept
        faults += kept_faults
    return Verdict(len(by_shard), kinds["pair"], num_linear, tuple(faults))


def _check_kept(folder: Path, rows: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Return how many linear samples are kept beside the pairs, and what is wrong with them."""
    try:
        kept = LinearDataset([folder])
    except ShardError as error:
        return 0, [str(error)]
    faults = []
    for row in kept.rows:
        try:
            kept.read(row)
        except ShardError as error:
            faults.append(str(error))
    lost = {row["scene"] for row in rows if row["kind"] == "pair"} - {r.scene for r in kept.rows}
    faults += [f"scene {name}: has pairs, but its linear light is gone" for name in sorted(lost)]
    return len(kept), faults


def _duplicates(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    counts = Counter(row["key"] for row in rows)
    return sorted((key, count) for key, count in counts.items() if count > 1)


def _shard_faults(tar_path: Path, rows: list[dict[str, Any]]) -> Iterator[str]:
    if not tar_path.is_file():
        yield f"shard {tar_path.name}: is missing; run its job again to rebuild it"
        return
    recorded, found = rows[0]["shard_sha256"], sha256_of_file(tar_path)
    if found != recorded:
        yield f"shard {tar_path.name}: sha256 is {found[:12]}..., the index says {recorded[:12]}..."
    yield from _table_faults(tar_path, rows)
    yield from _end_faults(tar_path)
    samples = [row for row in rows if row["status"] == "ok"]
    yield from _name_faults(tar_path, samples)
    for row in samples:
        try:
            members = read_members(tar_path, row["key"], member_spans(row))
        except ShardError as error:
            yield str(error)
            return
        yield from (f"sample {row['key']}: {fault}" for fault in _sample_faults(row, members))


def _table_faults(tar_path: Path, rows: list[dict[str, Any]]) -> Iterator[str]:
    try:
        table = read_shard_table(tar_path)
    except ShardError as error:
        yield str(error)
        return
    without_hash = [{k: v for k, v in row.items() if k != "shard_sha256"} for row in rows]
    if table.to_pylist() != without_hash:
        yield f"table {tar_path.with_suffix('.parquet').name}: differs from index.parquet"


def _end_faults(tar_path: Path) -> Iterator[str]:
    """A tar ends with two blocks of zeros; without them it was cut off."""
    with tar_path.open("rb") as file:
        file.seek(max(0, tar_path.stat().st_size - 2 * tarfile.BLOCKSIZE))
        if file.read() != bytes(2 * tarfile.BLOCKSIZE):
            yield f"shard {tar_path.name}: is cut off; run its job again to rebuild it"


def _name_faults(tar_path: Path, samples: list[dict[str, Any]]) -> Iterator[str]:
    """Compare the names that a tar reader sees with those the index expects."""
    expected = [f"{row['key']}.{member['name']}" for row in samples for member in row["members"]]
    try:
        with tarfile.open(tar_path) as tar:
            names = tar.getnames()
    except (tarfile.TarError, EOFError) as error:
        yield f"shard {tar_path.name}: is no readable tar ({error})"
        return
    if names != expected:
        yield (
            f"shard {tar_path.name}: a tar reader sees {len(names)} members, "
            f"the index has {len(expected)}; or their names differ"
        )


def _sample_faults(row: dict[str, Any], members: dict[str, bytes]) -> Iterator[str]:
    for member in row["members"]:
        if hashlib.sha256(members[member["name"]]).hexdigest() != member["sha256"]:
            yield f"{member['name']} has another sha256 than the index"
    if not KEY_PATTERN.match(row["key"]):
        yield "its key does not match [a-z0-9_-]+"
    try:
        record = load_record(members[JSON])
        if row["kind"] == "pair":
            yield from _picture_faults(members)
        else:
            yield from _light_faults(row, members[LINEAR], record)
    except ValueError as error:
        yield f"cannot be decoded ({error})"
        return
    yield from _record_faults(row, record)


def _picture_faults(members: dict[str, bytes]) -> Iterator[str]:
    """Every picture of a pair, its annotations included, must have one size."""
    shapes = {name: decode_png(members[name]).shape for name in (SOURCE, TARGET)}
    if shapes[SOURCE] != shapes[TARGET]:
        source, target = (shapes[name][1::-1] for name in (SOURCE, TARGET))
        yield f"source is {source} px, target {target} px; must be equal"


def _light_faults(row: dict[str, Any], exr: bytes, record: Any) -> Iterator[str]:
    """Compare decoded light and its record with the index."""
    width_px, height_px = linear_size_px(decode_linear(exr, record))
    if (width_px, height_px) != (row["width_px"], row["height_px"]):
        yield f"its light is {width_px}x{height_px} px, not as the index says"


def _record_faults(row: dict[str, Any], record: dict[str, Any]) -> Iterator[str]:
    if record["schema"] == contract_2.VERSION and row["kind"] == "pair":
        record["edits"] = [{**edit, "light_ratio": None} for edit in record["edits"]]  # JSON alone
    for name in _COMPARED[row["kind"]]:
        if record.get(name) != row[name]:
            yield f"its JSON says {name} = {record.get(name)!r}, the index {row[name]!r}"
    for edit in row["edits"] or ():
        attribute = ATTRIBUTES.get(edit["attribute"])
        if attribute is None:
            yield f"its attribute '{edit['attribute']}' is unknown"
        elif edit["measured"] is not None:
            gap = attribute.axis_difference(edit["value"], edit["measured"])
            if not abs(gap) <= attribute.tolerance:  # also finds NaN
                yield f"measured and recorded {attribute.name} differ by {gap:+g} {attribute.unit}"
