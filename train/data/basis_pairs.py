"""Pairs composed where linear light is read: every epoch shows new numbers of the same scenes.

The numbers follow from (seed, epoch, key of the light) alone, and the core's composer makes the
pictures, so a drawn pair equals the one that a data set of the same draw would store.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, find_attribute
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
from cat_dataset.store.schema import JSON, load_record
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
        self.plans = composed_plans(job)
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
        return len(self._lights)

    def load(self, progress: Progress, name: str) -> None:
        """Read light until the memory meant for it is full.

        Raises:
            ShardError: a file is missing or broken.
        """
        progress.start(name, len(self))
        for row in self._lights.rows:
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
            light = self._light(self._lights.rows[(number + step) % len(self)])
            try:
                pair = draw_pair(
                    light,
                    self.plans,
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
        contents = [f"{row.key} {row.content}" for row in self._lights.rows]
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
        """Yield the largest edit of each attribute, and a row with as many as are edited at once.

        A light basis gives the whole planned range, a sweep what its frames differ by.
        """
        largest: dict[str, float] = {}
        for row in self._lights.rows:
            if row.kind == "sweep" and row.attribute is not None:
                frames = _record(row)["light"]["frames"]
                values = [frame["axis_value"] for frame in frames]
                span = max(values) - min(values)
                largest[row.attribute] = max(span, largest.get(row.attribute, 0.0))
        if any(row.kind == "basis" for row in self._lights.rows):
            for name in (n for n in job.attributes if n in BASIS_ATTRIBUTES):
                ends = job.composed.value_ranges.get(name) or find_attribute(name).default_range
                largest[name] = max(map(abs, ends))
        edits = {name: EditScale(name, value) for name, value in largest.items()}
        for plan in self.plans:
            names = plan.split("+")
            if all(name in edits for name in names):
                yield _Offered(tuple(edits[name] for name in names))


def composed_plans(job: TrainJob) -> dict[str, PairPlan]:
    """Return what may be drawn: each attribute alone, and all that may be edited at once.

    Combinations that are held out, or contain one that is, are missing.
    """
    plans = {
        name: PairPlan(
            value_range=job.composed.value_ranges.get(name),
            num_pairs=job.composed.draw_weights.get(name, 1),
        )
        for name in job.attributes
    }
    held_out = HeldOut(job.data.held_out_combinations)
    swept_first = sorted(job.attributes, key=lambda name: name in BASIS_ATTRIBUTES)
    for size in range(2, job.composed.max_edits + 1):
        for names in combinations(swept_first, size):
            if not held_out.covers_together(names) and _go_together("+".join(names)):
                plans["+".join(names)] = PairPlan(num_pairs=1)
    return plans


def _go_together(plan_name: str) -> bool:
    try:
        check_plan(plan_name, PairPlan())
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
