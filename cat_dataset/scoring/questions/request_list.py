"""The requests of a run as a file, for editors that work elsewhere."""

import json
from pathlib import Path
from typing import Any

from cat_dataset.attributes.table import find_attribute
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.questions.known_light import lights_of
from cat_dataset.scoring.questions.request_plan import Plan
from cat_dataset.scoring.questions.requests import EditRequest
from cat_dataset.scoring.truth import Truth
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.store.schema import SOURCE
from cat_dataset.system.atomic import write_text_atomic


def write_requests(path: Path, plan: Plan, cases: CaseReader) -> None:
    """Write requests as JSON lines; paths of shards are relative to the data set's folder.

    Each line holds `key`, `source` (`shard`, `member`, `offset`, `size` of a PNG in a tar, or
    `edited`: the key of the request whose result to start from), `edits` (attribute, subject,
    value, unit, and `light`, see `known_light.lights_of`) and `instruction`.

    Raises:
        ShardError: a shard is broken.
    """
    lines = []
    for request in plan.requests():
        row = plan.rows[request.pair_key]
        lines.append(json.dumps(_line(request, row, cases.read(row).truth)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, "\n".join(lines) + "\n")


def _line(request: EditRequest, row: PairRow, truth: Truth | None) -> dict[str, Any]:
    offset, size = row.spans[SOURCE]
    source: dict[str, Any] = {"edited": request.after}
    if request.after is None:
        shard = row.tar_path.relative_to(row.tar_path.parents[1]).as_posix()
        source = {
            "shard": shard,
            "member": f"{row.key}.{SOURCE}",
            "offset": offset,
            "size": size,
        }
    edits = [
        {
            "attribute": edit.attribute,
            "subject": edit.subject,
            "value": edit.value,
            "unit": find_attribute(edit.attribute).unit,
            "light": light,
        }
        for edit, light in zip(request.edits, lights_of(request, truth), strict=True)
    ]
    return {
        "key": request.key,
        "source": source,
        "edits": edits,
        "instruction": request.instruction,
    }
