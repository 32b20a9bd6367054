"""Pairs composed where linear light is read: every epoch shows new numbers of the same scenes.

The numbers follow from (seed, epoch, key of the light) alone, and the core's composer makes the
pictures, so a drawn pair equals the one that a data set of the same draw would store.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, find_attribute
from cat_dataset.attributes.task_key import selects, split_task_key, task_key
from cat_dataset.compose.quality_checks import PairRejectedError
from cat_dataset.compose.resampling import resized
from cat_dataset.compose.stored_light import draw_pair
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import TONE_CURVE
from cat_dataset.jobs.plans import PairPlan, check_plan
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale, LightBasis, Sweep
from cat_dataset.store.linear_dataset import LinearDataset, LinearRow
from cat_dataset.store.pair_dataset import read_members
from cat_dataset.store.sample_json import load_record
from cat_dataset.store.schema import JSON
from cat_dataset.system.progress import Progress
from train.data.pairs import MAX_CACHE_BYTES, Example, HasEdits, HeldOut

_LARGEST_SHARE = 2  # light is kept at most this many times as large as the crops: time goes with px
_MAX_NEIGHBOURS = 16  # asked for a pair in place of light that gives none


@dataclass(frozen=True)
class _Offered:
    """The largest edit of an attribute that may be drawn."""

    edits: tuple[EditScale, ...]


class ComposedPairs:
    """One pair per light and epoch, of one or several attributes at once."""

    def __init__(
        self,
        folders: Sequence[Path],
        splits: Sequence[str],
        job: TrainJob,
        *,
        allow_none: bool = False,
        max_cache_bytes: int = MAX_CACHE_BYTES,
    ) -> None:
        """Open linear light: data sets of it, or what `--keep-linear` left beside pairs.

        Raises:
            ShardError: a folder holds no linear light.
            JobError: there is none of these splits and attributes, unless `allow_none`.
        """
        self._lights = LinearDataset(folders, splits=splits, attributes=job.attributes)
        self._size_px = job.base.size_px
        self._light_beyond_white = job.composed.light_beyond_white
        self._held_out = HeldOut(job.data.held_out_combinations, job.data.held_out_values)
        keys = {row.key: _swept_task(row) for row in self._lights.rows}
        self._rows = [r for r in self._lights.rows if _is_selected(keys[r.key], job.attributes)]
        found = sorted({key for key in keys.values() if key is not None})
        self.plans = composed_plans(job, found)
        if not len(self) and not allow_none:
            msg = (
                f"{', '.join(map(str, folders))}: no light of split {'/'.join(splits)} that gives "
                f"{', '.join(job.attributes)}; add scenes or attributes to train"
            )
            raise JobError(msg)
        self.rows: tuple[HasEdits, ...] = tuple(self._offered(job))
        self._cache: dict[str, LightBasis | Sweep] = {}
        self._bytes_left = max_cache_bytes

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, progress: Progress, name: str) -> None:
        """Read light until the memory meant for it is full.

        Raises:
            ShardError: a file is missing or broken.
        """
        progress.start(name, len(self))
        for row in self._rows:
            if self._bytes_left <= 0:
                return
            self._light(row)
            progress.advance(1)

    def example(self, number: int, seed: int, epoch: int) -> Example:
        """Return this epoch's pair of a light; of the next one where it gives none.

        Raises:
            ShardError: a file is missing or broken.
            PairRejectedError: its neighbours give none either.
        """
        reason = "there is no light"
        for step in range(min(len(self), _MAX_NEIGHBOURS)):
            light = self._light(self._rows[(number + step) % len(self)])
            try:
                pair = draw_pair(
                    light,
                    _plans_of_light(self.plans, light),
                    seed=seed,
                    epoch=epoch,
                    tone_curve=TONE_CURVE,
                    is_measured=False,
                    is_held_out=self._held_out.covers,
                )
            except PairRejectedError as error:
                reason = str(error)
                continue
            pictures = np.stack([pair.source_HW3, pair.target_HW3])
            whole = pair.light if self._light_beyond_white else None
            return Example(pictures, pair.edits, light=whole)
        raise PairRejectedError(reason)

    def fingerprint(self) -> str:
        """Return a hash of the light."""
        contents = [f"{row.key} {row.content}" for row in self._rows]
        return hashlib.sha256("\n".join(contents).encode()).hexdigest()

    def _light(self, row: LinearRow) -> LightBasis | Sweep:
        if row.key in self._cache:
            return self._cache[row.key]
        light = self._lights.read(row)
        shorter, limit = min(row.width_px, row.height_px), _LARGEST_SHARE * self._size_px
        if shorter > limit:
            share = limit / shorter
            light = resized(light, round(row.width_px * share), round(row.height_px * share))
        if self._bytes_left > 0:
            self._cache[row.key] = light
            self._bytes_left -= _num_bytes(light)
        return light

    def _offered(self, job: TrainJob) -> Iterator[_Offered]:
        """Yield the largest edit of each task, and a row with as many as are edited at once.

        A light basis gives the whole planned range, a sweep what its frames differ by.
        """
        largest: dict[str, EditScale] = {}
        for row in self._rows:
            if row.kind == "sweep" and row.attribute is not None:
                record = _record(row)
                values = [frame["axis_value"] for frame in record["light"]["frames"]]
                span = max(values) - min(values)
                edit = EditScale(row.attribute, span, subject=record["subject"])
                largest[edit.task_key] = max(
                    edit, largest.get(edit.task_key, edit), key=lambda known: known.value
                )
        if any(row.kind == "basis" for row in self._rows):
            for name in (n for n in job.attributes if n in BASIS_ATTRIBUTES):
                ends = job.composed.value_ranges.get(name) or find_attribute(name).default_range
                largest[name] = EditScale(name, max(map(abs, ends)))
        for plan in self.plans:
            keys = plan.split("+")
            if all(key in largest for key in keys):
                yield _Offered(tuple(largest[key] for key in keys))


def composed_plans(job: TrainJob, swept: Sequence[str] = ()) -> dict[str, PairPlan]:
    """Return what may be drawn: each task alone, and all that may be edited at once.

    `swept` are the keys of tasks that the sweeps of the data give: an attribute that is keyed by
    its subject stands for all of its tasks among them. Combinations that are held out, or contain
    one that is, are missing.
    """
    tasks = [key for name in job.attributes for key in _tasks_named(name, swept)]
    plans = {
        key: PairPlan(value_range=job.composed.value_ranges.get(key), num_pairs=_weight(job, key))
        for key in tasks
    }
    held_out = HeldOut(job.data.held_out_combinations)
    swept_first = sorted(tasks, key=lambda key: key in BASIS_ATTRIBUTES)
    for size in range(2, job.composed.max_edits + 1):
        for keys in combinations(swept_first, size):
            if not held_out.covers_together(keys) and _go_together(keys):
                plans["+".join(keys)] = PairPlan(num_pairs=1)
    return plans


def _tasks_named(name: str, swept: Sequence[str]) -> list[str]:
    found = [key for key in swept if selects((name,), key)]
    return found or [name]


def _weight(job: TrainJob, key: str) -> int:
    weights = job.composed.draw_weights
    return weights.get(key) or weights.get(split_task_key(key)[0], 1)


def _plans_of_light(
    plans: Mapping[str, PairPlan], light: LightBasis | Sweep
) -> Mapping[str, PairPlan]:
    """Return the plans of one light, named after attributes: a sweep is of one subject anyway."""
    if isinstance(light, LightBasis):
        return plans
    task, found = task_key(light.attribute, light.subject), {}
    for name, plan in plans.items():
        first, *others = name.split("+")
        if first == task:
            found["+".join((light.attribute, *others))] = plan
    return found


def _swept_task(row: LinearRow) -> str | None:
    """Return the key of the task that a sweep edits; None: it is a light basis."""
    if row.attribute is None or not find_attribute(row.attribute).is_keyed_by_subject:
        return row.attribute
    return task_key(row.attribute, _record(row)["subject"])


def _is_selected(key: str | None, attributes: Sequence[str]) -> bool:
    return key is None or selects(attributes, key)


def _go_together(keys: Sequence[str]) -> bool:
    try:
        check_plan("+".join(split_task_key(key)[0] for key in keys), PairPlan())
    except ValueError:
        return False
    return True


def _record(row: LinearRow) -> dict[str, Any]:
    """Return the JSON of a light without its pixels."""
    if row.spans is None:
        data = row.place.read_bytes()
    else:
        data = read_members(row.place, row.key, {JSON: row.spans[JSON]})[JSON]
    return load_record(data)


def _num_bytes(light: LightBasis | Sweep) -> int:
    if isinstance(light, LightBasis):
        return light.images_GHW3.nbytes
    return sum(frame.linear_HW3.nbytes for frame in light.frames)
