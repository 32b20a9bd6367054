"""Ingest 300 broken inputs among good ones: no aborted run, no lost good file, each with a reason.

    python benchmarks/mutated_captures.py --num 300 --seed 0

Prints what became of each kind of mutation, and what went wrong; ends with 1 if anything did.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Parse the options, run, print."""
    from tests.dslr.mutated_ingest import ingest, problems, reasons_by_kind, write_folder

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "captures", Path(place) / "out"
        good, mutants = write_folder(folder, args.num, args.seed)
        began_s = time.perf_counter()
        harvest = ingest(folder, out)
        taken_s = time.perf_counter() - began_s
        found = problems(harvest, good, mutants)
        table = reasons_by_kind(harvest, mutants)
    lines = [f"{kind:18s} {num:4d}  {fate}" for (kind, fate), num in sorted(table.items())]
    status = Counter(row["status"] for row in harvest.rows)
    lines += [
        "",
        f"{len(good)} good files, {len(mutants)} mutants, {taken_s:.0f} s, exit code "
        f"{harvest.run.returncode}; rows: {dict(status)}",
        f"problems: {len(found)}",
        *found,
    ]
    print("\n".join(lines))  # noqa: T201  # a benchmark's output is its print
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
