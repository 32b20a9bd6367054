"""The data set card: a README.md in the data set folder that a stranger can use it by."""

from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa

from cat_dataset.atomic import write_text_atomic
from cat_dataset.attributes import ATTRIBUTES
from cat_dataset.manifest import DatasetManifest
from cat_dataset.records import SCHEMA_VERSION

_CARD = """---
pretty_name: {name}
task_categories: [image-to-image]
tags: [image-editing, numeric-control, webdataset]
size_categories: [{size_category}]
---
# {name}

{num_ok} pairs of pictures whose difference is a known number in a common unit, made by CAT (Common
Attribute Transform), schema {schema}. {num_rejected} drafts were rejected and {num_failed} units
failed; the index names each with its reason.

| attribute | unit | pairs | values | largest abs(measured - recorded) | what positive means |
|---|---|---|---|---|---|
{attribute_rows}

Splits, by scene or capture group and never by pair: {splits}.

## Layout
- `shards/NNNNNN.tar`: `KEY.source.png`, `KEY.target.png` (8-bit sRGB), `KEY.json`.
- `shards/NNNNNN.parquet`: a row per pair with offset, size and sha256 of every member, and a row
  per rejected pair or failed unit with `status` and `reason`.
- `index.parquet`: all those rows, plus the sha256 of each shard.
- `manifest.toml`: the resolved manifest; the same manifest gives the same bytes.

## Read it
```python
import webdataset as wds

pairs = wds.WebDataset({pattern!r}, shardshuffle=False).decode("rgb8")
for sample in pairs:
    edit = sample["json"]["edits"][0]
    print(sample["__key__"], edit["attribute"], edit["value"], edit["unit"])
```
Both pictures of a pair share one exposure anchor and the plain sRGB curve (IEC 61966-2-1), so
undoing the curve gives linear light times one constant: a +1 stop pair differs by a factor of two.
"""


def write_card(folder: Path, job: DatasetManifest, index: pa.Table) -> None:
    """Write the data set card from the index."""
    rows = index.select(["status", "attribute", "value", "measured", "split"]).to_pylist()
    status = Counter(row["status"] for row in rows)
    splits = Counter(row["split"] for row in rows if row["status"] == "ok")
    card = _CARD.format(
        name=job.dataset.name,
        size_category=_size_category(status["ok"]),
        num_ok=status["ok"],
        num_rejected=status["rejected"],
        num_failed=status["failed"],
        schema=SCHEMA_VERSION,
        attribute_rows="\n".join(_attribute_rows(rows)),
        splits=", ".join(f"{name} {splits[name]}" for name in ("train", "val", "test")),
        pattern=f"shards/{{000000..{_last_shard(index):06d}}}.tar",
    )
    write_text_atomic(folder / "README.md", card)


def _last_shard(index: pa.Table) -> int:
    return max((int(name.removesuffix(".tar")) for name in index["shard"].to_pylist()), default=0)


def _attribute_rows(rows: list[dict[str, object]]) -> list[str]:
    values: dict[str, list[float]] = defaultdict(list)
    gaps: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["status"] != "ok":
            continue
        name, value, measured = str(row["attribute"]), row["value"], row["measured"]
        values[name].append(float(str(value)))
        if measured is not None:
            gap = ATTRIBUTES[name].axis_difference(float(str(value)), float(str(measured)))
            gaps[name].append(abs(gap))
    lines = []
    for name, found in sorted(values.items()):
        attribute = ATTRIBUTES[name]
        span = f"{min(found):+.2f} to {max(found):+.2f}"
        largest = f"{max(gaps[name]):.2g}" if gaps[name] else "not measured"
        cells = (name, attribute.unit, str(len(found)), span, largest, attribute.positive)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _size_category(num_pairs: int) -> str:
    """Return the hub's name for a size, https://huggingface.co/docs/hub/datasets-cards ."""
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if num_pairs < limit:
            return name
    return "100K<n<1M"
