"""The data set card: a README.md in the data set folder that a stranger can use it by.

It describes pairs, or linear light from which pairs are composed where it is read.
"""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.attributes.task_key import attribute_of_task, task_key
from cat_dataset.imaging.display import ToneCurve
from cat_dataset.jobs.manifest import DatasetManifest
from cat_dataset.store.linear_files import LINEAR_FOLDER
from cat_dataset.store.schema import SCHEMA_VERSION
from cat_dataset.system.atomic import write_text_atomic

_HEAD = """---
pretty_name: {name}
task_categories: [image-to-image]
tags: [image-editing, numeric-control, webdataset]
size_categories: [{size_category}]
---
# {name}

"""
_PAIRS = """\
{num_ok} pairs of pictures whose difference is a known number in a common unit, made by CAT (Common
Attribute Transform), schema {schema}. {num_rejected} candidates were rejected and {num_failed}
units failed; the index names each with its reason.

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
{kept}
In the JSON every sample has every field, so that stock readers find one type each: what is absent
is `""`, a frame or seed of -1, a `light_ratio` of zeros, a `measured_se` below zero, or absolute
values beside an empty `absolute_unit`. `visible_delta_e_mean` and `_p95` are CIEDE2000 inside the
edit's mask. `origin.details` is JSON text: what else the producer recorded.

## Read it
```python
import webdataset as wds

pairs = wds.WebDataset({pattern!r}, shardshuffle=False).decode("rgb8")
for sample in pairs:
    edit = sample["json"]["edits"][0]
    print(sample["__key__"], edit["attribute"], edit["value"], edit["unit"])
```
{curve}
"""
_LINEAR = """\
{num_ok} samples of scene-linear light, made by CAT (Common Attribute Transform), schema {schema}.
Pairs of pictures whose difference is a known number are composed from them where they are read.
{num_failed} units failed; the index names each with its reason.

| stored | samples | gives pairs of |
|---|---|---|
{stored_rows}

Splits, by scene: {splits}.

## Layout
- `shards/NNNNNN.tar`: `KEY.basis.exr`, `KEY.json`. The picture file is multi-part OpenEXR in half
  float, scene-linear sRGB: a part per light group of a light basis, or `frame-NN` of a sweep;
  beside them, where known, `clipped`, `mask`, `depth` (metres), `normal`, `noise`.
- The JSON has the rest: `wb_cct_k`, `light_factor` (stored values are light times it), `origin`,
  and as JSON text `light`: what the groups and frames are, and `readings` of a sweep (the measured
  scale from frame to frame).
- `shards/NNNNNN.parquet`: a row per sample with offset, size and sha256 of every member, and a row
  per failed unit with `status` and `reason`.
- `index.parquet`: all those rows, plus the sha256 of each shard.
- `manifest.toml`: the resolved manifest; the same manifest gives the same bytes.

## Use it
`cat-dataset compose` makes data sets of pairs of it. To draw pairs while training:
```python
from pathlib import Path

from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.compose.stored_light import draw_pair

light = LinearDataset([Path(".")], attributes=["exposure"])
for row in light.rows:
    pair = draw_pair(light.read(row), {{"exposure": PairPlan()}}, seed=0, epoch=0)
    print(pair.key, pair.edits[0].value, pair.source_HW3.shape)
```
Other readers: each group of a light basis was rendered alone with a white lamp, so a picture is the
sum of all groups, each times the colour of its `cct_k` (a black body, luminance 1) and any
power.
"""
_COLUMNS = ["kind", "status", "attribute", "value", "measured", "split", "edits"]
_KEPT = """\
- `linear/`: the scene-linear light that the pairs were composed from, as OpenEXR with JSON;
  `cat-dataset compose` makes other pairs of it.
"""
_CURVES: dict[ToneCurve, str] = {
    "srgb": """\
Both pictures of a pair share one exposure anchor and the plain sRGB curve (IEC 61966-2-1), so
undoing the curve gives linear light times one constant: a +1 stop pair differs by a factor of
two.""",
    "filmic": """\
Both pictures of a pair share one exposure anchor and the tone curve `filmic` before the sRGB
transfer (IEC 61966-2-1); `cat_dataset.imaging.display.decode_display(picture, "filmic")` undoes
both and gives linear light times one constant: a +1 stop pair differs by a factor of two.""",
}


def write_card(folder: Path, job: DatasetManifest, index: pa.Table) -> None:
    """Write the data set card from the index."""
    rows = index.select(_COLUMNS).to_pylist()
    status = Counter(row["status"] for row in rows)
    splits = Counter(row["split"] for row in rows if row["status"] == "ok")
    fields = {
        "name": job.dataset.name,
        "size_category": _size_category(status["ok"]),
        "num_ok": status["ok"],
        "num_rejected": status["rejected"],
        "num_failed": status["failed"],
        "schema": SCHEMA_VERSION,
        "splits": ", ".join(f"{name} {splits[name]}" for name in ("train", "val", "test")),
    }
    if job.dataset.samples == "linear":
        body = _LINEAR.format(**fields, stored_rows="\n".join(_stored_rows(rows)))
    else:
        body = _PAIRS.format(
            **fields,
            attribute_rows="\n".join(_attribute_rows(rows)),
            kept=_KEPT if (folder / LINEAR_FOLDER).is_dir() else "",
            pattern=f"shards/{{000000..{_last_shard(index):06d}}}.tar",
            curve=_CURVES[job.dataset.tone_curve],
        )
    write_text_atomic(folder / "README.md", _HEAD.format(**fields) + body)


def _stored_rows(rows: list[dict[str, object]]) -> list[str]:
    """Return a line per kind of stored light."""
    counts = Counter((row["kind"], row["attribute"]) for row in rows if row["status"] == "ok")
    lines = []
    for (kind, attribute), count in sorted(counts.items(), key=str):
        is_basis = kind == "basis"
        stored = "light basis" if is_basis else f"sweep of {attribute}"
        gives = f"{', '.join(BASIS_ATTRIBUTES)}, as it has lamps" if is_basis else attribute
        lines.append(f"| {stored} | {count} | {gives} |")
    return lines


def _last_shard(index: pa.Table) -> int:
    return max((int(name.removesuffix(".tar")) for name in index["shard"].to_pylist()), default=0)


def _attribute_rows(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line per task: each shape key is one of its own."""
    values: dict[str, list[float]] = defaultdict(list)
    gaps: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["status"] != "ok":
            continue
        name = task_key(row["attribute"], row["edits"][0]["subject"])
        values[name].append(row["value"])
        if row["measured"] is not None:
            difference = attribute_of_task(name).axis_difference
            gaps[name].append(abs(difference(row["value"], row["measured"])))
    lines = []
    for name, found in sorted(values.items()):
        attribute = attribute_of_task(name)
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
