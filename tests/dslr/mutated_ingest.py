"""Ingest a folder of good brackets and mutants by the command, and hold the result to its word."""

import json
import re
import subprocess
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.store.sample_json import load_record
from dslr.units import scan_folder
from tests.command_line import cat
from tests.dslr.conftest import RAW_FOLDER, photograph
from tests.dslr.mutations import Mutant, write_mutants

# What a reason must tell its reader to do.
REMEDY = re.compile(
    r"\b(check|copy|convert|leave|give|set|shoot|rename|remove|see|choose|take|link)\b"
)


@dataclass(frozen=True)
class Harvest:
    """What one ingest of a mutated folder gave."""

    run: subprocess.CompletedProcess[str]
    rows: tuple[dict[str, Any], ...]  # of the index
    unit_of_file: Mapping[str, str]
    files_in_pairs: frozenset[str]
    places: tuple[str, ...]  # paths of this machine, which no row may tell
    tracebacks: tuple[str, ...]  # that workers left in the logs

    def reasons_of(self, name: str) -> list[str]:
        """Return the reasons that name a file."""
        return [row["reason"] for row in self.rows if name in (row["reason"] or "")]

    def reasons_of_unit(self, name: str) -> list[str]:
        """Return the reasons of the unit that a file is in, which need not name it."""
        unit_id = self.unit_of_file.get(name)
        return [
            row["reason"]
            for row in self.rows
            if row["origin"]["unit_id"] == unit_id and row["reason"]
        ]


def write_folder(folder: Path, num_mutants: int, seed: int) -> tuple[list[str], list[Mutant]]:
    """Write good files, two of one name, and the mutants; return the names of the good ones."""
    good: list[Path] = []
    for number in range(4):
        good += photograph(folder / "good", f"b{number}", number)
    for number, place in enumerate(("left", "right"), start=10):
        good += photograph(folder / place, "same", number)
    lossy = RAW_FOLDER / "photoprism_6d.dng"  # no mosaic, three finished colours
    if lossy.is_file():
        good.append(folder / "good" / "lossy.dng")
        good[-1].write_bytes(lossy.read_bytes())
    names = [path.relative_to(folder).as_posix() for path in good]
    return names, write_mutants(folder, good[1].read_bytes(), num_mutants, seed)


def ingest(folder: Path, out: Path) -> Harvest:
    """Run the command on two workers and read back what it made."""
    run = cat("ingest", str(folder), "--out", str(out), "--workers", "2")
    index = out / "index.parquet"
    rows = pq.read_table(index).to_pylist() if index.is_file() else []
    logs = sorted((out / "logs").glob("*.txt"))
    groups = scan_folder(CaptureSource(name="captures", folder=folder), num_workers=2)
    return Harvest(
        run=run,
        rows=tuple(rows),
        unit_of_file={
            path.relative_to(folder).as_posix(): group.unit_id
            for group in groups
            for path in group.paths
        },
        files_in_pairs=frozenset(
            name for tar in sorted((out / "shards").glob("*.tar")) for name in _files_of(tar)
        ),
        places=(str(folder), str(out), str(Path.cwd())),
        tracebacks=tuple(f"{log.stem}: {log.read_text().splitlines()[-1]}" for log in logs),
    )


def _files_of(tar_path: Path) -> set[str]:
    """Return the captures that the pairs of a shard come from."""
    found: set[str] = set()
    with tarfile.open(tar_path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                _collect_files(load_record(file.read())["origin"], found)
    return found


def _collect_files(node: Any, found: set[str]) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("file"), str):
            found.add(node["file"])
        for value in node.values():
            _collect_files(value, found)


def problems(harvest: Harvest, good: Sequence[str], mutants: Sequence[Mutant]) -> list[str]:
    """Return what the run owes and did not give, a line each; an empty list is the proof."""
    found = []
    text = harvest.run.stdout + harvest.run.stderr
    if harvest.run.returncode != 1:
        found.append(f"the command ended with {harvest.run.returncode}, not 1: {text[-500:]}")
    if "Traceback" in text:
        found.append(f"a traceback in the output: {text[-1500:]}")
    found += [f"a fault in a worker, {line}" for line in harvest.tracebacks]
    for place in harvest.places:
        if any(place in json.dumps(row) for row in harvest.rows):
            found.append(f"a row tells the place {place}")
    for name in good:
        if name not in harvest.files_in_pairs:
            found.append(f"good {name} is in no pair: {harvest.reasons_of(name)}")
    for mutant in mutants:
        found += _problems_of(harvest, mutant)
    return found


def _problems_of(harvest: Harvest, mutant: Mutant) -> list[str]:
    reasons, is_used = harvest.reasons_of(mutant.name), mutant.name in harvest.files_in_pairs
    if mutant.fate == "either" and not is_used and not reasons:
        return [] if harvest.reasons_of_unit(mutant.name) else [f"{mutant.name} is lost: no row"]
    if mutant.fate == "left alone":
        return [f"{mutant.name} was not left alone"] if is_used or reasons else []
    if mutant.fate == "bad" and is_used:
        return [f"bad {mutant.name} gave pairs"]
    if not is_used and not reasons:
        return [f"{mutant.name} is lost: no pair, no reason names it"]
    return [
        f"{mutant.name}: no remedy in its reason: {reason}"
        for reason in reasons
        if not REMEDY.search(reason)
    ]


def reasons_by_kind(harvest: Harvest, mutants: Sequence[Mutant]) -> Counter[tuple[str, str]]:
    """Return how often each kind of mutation met each fate, the words without names and numbers."""
    counted: Counter[tuple[str, str]] = Counter()
    for mutant in mutants:
        words = harvest.reasons_of(mutant.name) or harvest.reasons_of_unit(mutant.name)
        reasons = [_shape(reason, mutant.name) for reason in words]
        if mutant.name in harvest.files_in_pairs:
            reasons = ["gave pairs"]
        counted[mutant.kind, "; and ".join(sorted(set(reasons))) or "no row"] += 1
    return counted


def _shape(reason: str, name: str) -> str:
    plain = re.sub(r"\d+(\.\d+)?", "N", reason.replace(name, "FILE"))
    return re.sub(r"N(, N)+", "N ...", plain)
