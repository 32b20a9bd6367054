"""How much memory the rows of a large index take, and how long they take to read.

    python benchmarks/index_memory.py --rows 1000000

The index is made up: pairs of one edit, with three members each, a tenth of them held out for tests
and a tenth rejected. Every figure is of a process of its own. "objects" is the obvious way, every
row of the whole index as Python objects; "columns" is what `PairDataset` does, and "order" is the
order of one epoch.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cat_dataset.store.pair_rows import read_pair_rows  # noqa: E402  # after the path
from cat_dataset.store.schema import INDEX_SCHEMA  # noqa: E402
from cat_dataset.store.tables import edits_of_row, read_index  # noqa: E402
from cat_dataset.system.seeding import derive_rng  # noqa: E402

_ROWS_AT_ONCE = 50_000


def write_index(folder: Path, num_rows: int) -> None:
    """Write `index.parquet` of made-up pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(number) for number in range(min(_ROWS_AT_ONCE, num_rows))]
    block = pa.Table.from_pylist(rows, schema=INDEX_SCHEMA)
    place = INDEX_SCHEMA.get_field_index("key")
    with pq.ParquetWriter(folder / "index.parquet", INDEX_SCHEMA) as writer:
        for first in range(0, num_rows, _ROWS_AT_ONCE):  # the same rows again, of other scenes
            keys = [f"batch-{first:08d}-{row['key']}" for row in rows]
            writer.write_table(block.set_column(place, INDEX_SCHEMA.field(place), pa.array(keys)))


def _row(number: int) -> dict[str, object]:
    value = round(number % 400 / 100 - 2, 2)
    edit = {"attribute": "exposure", "unit": "stops", "value": value, "measured": value}
    members = [
        {"name": name, "offset": 4096 * number, "size": 4000, "sha256": f"{number:064x}"}
        for name in ("json", "source.png", "target.png")
    ]
    scene = f"tabletop-{number // 10:06d}"
    is_pair = number % 10 < 9
    return {
        "key": f"{scene}-exposure-{number % 10:02d}",
        "kind": "pair" if is_pair else None,
        "status": "ok" if is_pair else "rejected",
        "split": "test" if number // 10 % 10 == 0 else "train",
        "scene": scene,
        "origin": {"producer": "render", "unit_id": scene},
        "attribute": "exposure",
        "value": value,
        "edits": [edit],
        "instruction": f"Raise the exposure of the picture by {value:+.2f} stops.",
        "width_px": 512,
        "height_px": 512,
        "shard": f"{number // 1000:05d}.tar",
        "members": members,
    }


def as_objects(folder: Path) -> object:
    """Return every wanted row as Python objects, read all at once."""
    rows = [row for row in read_index(folder).to_pylist() if row["kind"] == "pair"]
    kept = [row for row in rows if row["split"] == "train"]
    return [(row, edits_of_row(row["edits"])) for row in sorted(kept, key=lambda row: row["key"])]


def as_columns(folder: Path) -> object:
    """Return the wanted rows as `PairDataset` holds them."""
    return read_pair_rows([folder], ("train",), ("exposure",))


def order_as_objects(folder: Path) -> object:
    """Return an epoch's order as a tuple."""
    rows = pq.read_metadata(folder / "index.parquet").num_rows
    return tuple(derive_rng(0, "base", "epoch", 0).permutation(rows).tolist())


def order_as_array(folder: Path) -> object:
    """Return an epoch's order as the trainer holds it."""
    rows = pq.read_metadata(folder / "index.parquet").num_rows
    return np.asarray(derive_rng(0, "base", "epoch", 0).permutation(rows))


WAYS: dict[str, Callable[[Path], object]] = {
    "rows, objects": as_objects,
    "rows, columns": as_columns,
    "order, objects": order_as_objects,
    "order, array": order_as_array,
}


def _peak_bytes() -> int:
    """Return the most that this process ever held; getrusage counts what forked it as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    """Print bytes per row of the index and seconds, of each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        before, began_s = _peak_bytes(), perf_counter()
        held = WAYS[args.way](args.folder)
        seconds = perf_counter() - began_s
        peak = (_peak_bytes() - before) / args.rows
        sys.stdout.write(f"{args.way}: peak {peak:.0f} bytes a row, {seconds:.1f} s\n")
        del held
        return
    with tempfile.TemporaryDirectory() as name:
        write_index(Path(name), args.rows)
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--folder", name]
            subprocess.run([*command, "--rows", str(args.rows)], check=True)


if __name__ == "__main__":
    main()
