"""report.html: one self-contained page on a job folder, for eyes and for doubts."""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa

from cat_dataset.attributes.table import find_attribute
from cat_dataset.attributes.task_key import attribute_of_task, task_key
from cat_dataset.errors import CatError
from cat_dataset.records import EditScale
from cat_dataset.reporting.plots import (
    measured_against_recorded,
    response_curves,
    scale_histograms,
    training_curves,
)
from cat_dataset.reporting.score_tables import score_tables
from cat_dataset.store.pair_dataset import PairDataset, read_members
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.store.sample_json import load_record
from cat_dataset.store.schema import JSON, SOURCE, TARGET
from cat_dataset.store.tables import read_index
from cat_dataset.system.atomic import write_text_atomic

PAIRS_PER_ATTRIBUTE = 3  # in the contact sheet, from each producer
MAX_REASONS = 12
MAX_BRACKET_ROWS = 24


def write_report(job_folder: Path) -> Path:
    """Write `report.html` into a job folder from its data set, training log and evaluation.

    What is not there yet is left out of the page.

    Raises:
        CatError: the folder holds no data set.
    """
    dataset_folder = job_folder / "dataset"
    if not dataset_folder.is_dir():
        msg = f"{job_folder}: holds no dataset folder; give the folder that `run` wrote"
        raise CatError(msg)
    page = {
        "name": job_folder.name,
        **_dataset_parts(dataset_folder),
        **_training_parts(job_folder / "training"),
        **_evaluation_parts(job_folder / "evaluation"),
    }
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cat_dataset.reporting", ""),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
    )
    path = job_folder / "report.html"
    write_text_atomic(path, environment.get_template("report.html.jinja").render(page))
    return path


def _svg(figure: str) -> Any:
    from markupsafe import Markup  # comes with jinja2

    return Markup(figure)


def _dataset_parts(folder: Path) -> dict[str, Any]:
    index = read_index(folder)
    rows = index.to_pylist()
    pairs = [row for row in rows if row["kind"] == "pair"]
    values: dict[str, list[float]] = defaultdict(list)
    measured: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in pairs:
        key = task_key(row["attribute"], row["edits"][0]["subject"])
        values[key].append(row["value"])
        if row["measured"] is not None:
            measured[key].append((row["value"], row["measured"]))
    made = [row for row in rows if row["status"] == "ok"]
    splits = Counter(row["split"] for row in made)
    dataset = PairDataset([folder])
    return {
        "counts": Counter(row["status"] for row in rows),
        "num_pairs": len(pairs),
        "num_linear": len(made) - len(pairs),
        "splits": [(name, splits[name]) for name in ("train", "val", "test")],
        "contact_sheet": _contact_sheet(dataset, index),
        "histograms": _svg(scale_histograms(values)) if values else "",
        "measured_plot": _svg(measured_against_recorded(measured)) if measured else "",
        "brackets": _bracket_rows(dataset, pairs),
        "reasons": _reasons(rows),
    }


def _contact_sheet(dataset: PairDataset, index: pa.Table) -> list[dict[str, Any]]:
    """Return the widest pairs of each attribute and producer, each of another scene."""
    origins = zip(index["key"].to_pylist(), index["origin"].to_pylist(), strict=True)
    producer_of = {key: origin["producer"] for key, origin in origins}
    groups: dict[tuple[str, str], dict[str, PairRow]] = defaultdict(dict)
    for row in sorted(dataset.rows, key=lambda row: -row.width_px):
        group = groups[(row.edits[0].task_key, producer_of[row.key])]
        if len(group) < PAIRS_PER_ATTRIBUTE:
            group.setdefault(row.scene, row)
    sheet = []
    for (_, producer), group in sorted(groups.items()):
        for row in group.values():
            members = read_members(row.tar_path, row.key, row.spans)
            source, target = members[SOURCE], members[TARGET]
            sheet.append(
                {
                    "source": _data_url(source),
                    "target": _data_url(target),
                    "label": ", ".join(edit_label(edit) for edit in row.edits),
                    "instruction": row.instruction,
                    "producer": producer,
                }
            )
    return sheet


def edit_label(edit: EditScale) -> str:
    """Return an edit as a short label with its unit and, where known, its absolute values."""
    attribute = find_attribute(edit.attribute)
    label = f"{edit.task_key} {edit.value:+.4g} {attribute.unit}"
    if edit.source_value is not None and edit.target_value is not None:
        label += f" ({edit.source_value:g} to {edit.target_value:g} {attribute.absolute_unit})"
    return label


def _bracket_rows(dataset: PairDataset, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return nominal and measured scale of captured exposure pairs, brighter direction only."""
    captured = {
        row["key"] for row in rows if row["origin"]["producer"] == "dslr" and row["value"] > 0
    }
    found = []
    for row in (row for row in dataset.rows if row.key in captured):
        origin = load_record(read_members(row.tar_path, row.key, row.spans)[JSON])["origin"]
        frames = [origin.get(name, {}).get("stops") for name in ("source", "target")]
        if None in frames:
            continue  # computed from one file: there is no second exposure that EXIF could name
        edit = row.edits[0]
        found.append(
            {
                "key": row.key,
                "nominal": frames[1]["nominal"] - frames[0]["nominal"],
                "measured": edit.measured,
                "stderr": edit.measured_se,
            }
        )
    return found[:MAX_BRACKET_ROWS]


def _reasons(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = [f"{row['key']}: {row['reason']}" for row in rows if row["status"] != "ok"]
    more = len(lines) - MAX_REASONS
    return lines[:MAX_REASONS] + ([f"and {more} more, see index.parquet"] if more > 0 else [])


def _training_parts(folder: Path) -> dict[str, Any]:
    path = folder / "train_log.jsonl"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]  # a kill may have cut the last line
    log = [json.loads(line) for line in whole.splitlines()]
    return {"training_plot": _svg(training_curves(log))} if log else {}


def _evaluation_parts(folder: Path) -> dict[str, Any]:
    path = folder / "evaluation.json"
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        "evaluation": found,
        "score_tables": score_tables(found),
        "response_plot": _svg(response_curves(found["curves"], found["editors"][0]))
        if found["curves"]
        else "",
        "samples": [_sample(folder, sample) for sample in found["samples"]],
    }


def _sample(folder: Path, sample: dict[str, Any]) -> dict[str, Any]:
    unit = attribute_of_task(sample["attribute"]).unit
    achieved = sample["achieved"]
    answer = "not readable" if achieved is None else f"{achieved:+.3g} {unit}"
    pictures = {
        name: _data_url((folder / sample[f"{name}_png"]).read_bytes())
        for name in ("source", "target", "ours")
    }
    return {
        **pictures,
        "label": f"{sample['attribute']}: asked {sample['asked']:+.3g} {unit}, achieved {answer}",
    }


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
