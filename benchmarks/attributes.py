"""What a data set holds of each attribute: pairs, the readout's floor, the largest disagreement.

    python benchmarks/attributes.py out/cat-small

The floor is the 95th percentile of |measured - recorded|, as a share of the attribute's range;
a readout that is not told what was set cannot be closer than its own error.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.store.tables import read_index


def main() -> None:
    """Parse the options, read, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    gaps: dict[str, list[float]] = defaultdict(list)
    rejected: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for folder in args.datasets:
        for row in read_index(folder).to_pylist():
            if row["status"] == "rejected":
                rejected[row["attribute"]] += 1
                reasons[row["attribute"], row["reason"].split(":")[0]] += 1
            for edit in row["edits"] or ():
                if edit["measured"] is not None:
                    attribute = ATTRIBUTES[edit["attribute"]]
                    gap = attribute.axis_difference(edit["value"], edit["measured"])
                    gaps[attribute.name].append(abs(gap))
    figures = {name: _figures(name, gaps[name], rejected[name]) for name in ATTRIBUTES}
    if args.json:
        print(json.dumps(figures, indent=1))  # noqa: T201  # its output
        return
    print("| attribute | unit | pairs | rejected | floor, % of range | largest gap | tolerance |")  # noqa: T201  # its output
    print("|---|---|---|---|---|---|---|")  # noqa: T201  # its output
    for name, found in figures.items():
        print(f"| {name} | {' | '.join(str(value) for value in found.values())} |")  # noqa: T201  # its output
    for (name, reason), count in sorted(reasons.items()):
        print(f"- {name}: {count} rejected, {reason}")  # noqa: T201  # its output


def _figures(name: str, gaps: list[float], num_rejected: int) -> dict[str, object]:
    attribute = ATTRIBUTES[name]
    span = attribute.default_range[1] - attribute.default_range[0]
    floor = float(np.percentile(gaps, 95.0)) / span if gaps else None
    return {
        "unit": attribute.unit,
        "pairs": len(gaps),
        "rejected": num_rejected,
        "floor_percent_of_range": None if floor is None else float(f"{100.0 * floor:.2g}"),
        "largest_gap": float(f"{max(gaps):.2g}") if gaps else None,
        "tolerance": attribute.tolerance,
    }


if __name__ == "__main__":
    main()
