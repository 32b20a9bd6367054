"""Whether two Blender lines make the same data set: recorded scales, readings, pictures.

.venv/bin/cat-dataset render JOB.toml --out out/4
.venv-5/bin/cat-dataset render JOB.toml --out out/5
python benchmarks/compare_blender.py out/4 out/5 --sheet out/compare.png
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from cat_dataset.imaging.display import encode_png
from cat_dataset.reporting.contact_sheet import contact_sheet
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.system.atomic import write_bytes_atomic

PAIRS_SHOWN = 8


def main() -> None:
    """Parse the options, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", type=Path, nargs=2)
    parser.add_argument("--sheet", type=Path, help="PNG of some sources, side by side")
    args = parser.parse_args()
    sets = [PairDataset([folder]) for folder in args.datasets]
    rows = [{row.key: row for row in found.rows} for found in sets]
    shared = sorted(rows[0].keys() & rows[1].keys())
    gaps: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    shown, labels = [], []
    for key in shared:
        pair = [rows[n][key] for n in (0, 1)]
        pictures = [sets[n].read(pair[n]).source_HW3 for n in (0, 1)]
        codes = float(np.abs(pictures[0].astype(np.int16) - pictures[1]).mean())
        for one, other in zip(pair[0].edits, pair[1].edits, strict=True):
            measured = abs((one.measured or 0.0) - (other.measured or 0.0))
            gaps[one.attribute].append((abs(one.value - other.value), measured, codes))
        if len(shown) < 2 * PAIRS_SHOWN and pair[0].edits[0].attribute == "exposure":
            shown += pictures
            labels += [key, "the other line"]
    print(f"{len(shared)} pairs in both, {len(rows[0])} and {len(rows[1])} in each")  # noqa: T201  # its output
    print("| attribute | pairs | recorded differ by | measured differ by | mean codes |")  # noqa: T201  # its output
    print("|---|---|---|---|---|")  # noqa: T201  # its output
    for name, found in sorted(gaps.items()):
        most = np.max(found, axis=0)
        cells = f"{len(found)} | {most[0]:.2g} | {most[1]:.2g} | {np.mean(found, axis=0)[2]:.2f}"
        print(f"| {name} | {cells} |")  # noqa: T201  # its output
    if args.sheet is not None and shown:
        write_bytes_atomic(args.sheet, encode_png(contact_sheet(shown, labels, 8)))


if __name__ == "__main__":
    main()
