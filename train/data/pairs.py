"""The training pairs: stored ones, in memory where they fit, read at random where they do not.

`open_pairs` decides by the manifest whether pairs are stored (here) or composed from linear light
where it is read (`basis_pairs`); both are a `PairSource` and go through the same batches.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.task_key import intervals_of, split_task_key
from cat_dataset.errors import JobError, ShardError
from cat_dataset.imaging.display import TONE_CURVE, decode_png
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.light.light_ratio import LightRatio, light_ratio_rgb
from cat_dataset.light.relighting import edits_gain_rgb
from cat_dataset.records import EditScale
from cat_dataset.store.pair_dataset import PairDataset, read_members
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.store.schema import ANNOTATION_MEMBERS
from cat_dataset.store.tables import read_index
from cat_dataset.system.progress import Progress
from train.model.relighting import light_of

MAX_CACHE_BYTES = 2 * 2**30  # of decoded pictures; above it, pairs are read as they are drawn
Pictures = NDArray[np.uint8]  # (2, H, W, 3): source and target, display sRGB
_CLEAR_GAIN = 0.05  # of a lamp, from 1: with less its light does not show in the change
_MOVING = tuple(f"{which}.{ANNOTATION_MEMBERS['moving']}" for which in ("source", "target"))


@dataclass(frozen=True)
class Example:
    """One pair to train on, at its own size."""

    pictures: Pictures
    edits: tuple[EditScale, ...]
    moving_HW: NDArray[np.bool_] | None = None  # what no edit explains; None: nothing moved
    # scene-linear light of both, 1 = the display's white, (2, H, W, 3); None: as the codes say
    light: NDArray[np.float32] | None = None

    @property
    def num_bytes(self) -> int:
        """How much memory it takes."""
        rest = (part for part in (self.moving_HW, self.light) if part is not None)
        return self.pictures.nbytes + sum(part.nbytes for part in rest)

    def reversed(self) -> "Example":
        """Return the pair that leads from the target back to the source."""
        return Example(
            self.pictures[::-1],
            tuple(map(reversed_edit, self.edits, self._target_ratios())),
            self.moving_HW,
            None if self.light is None else self.light[::-1],
        )

    def _target_ratios(self) -> Sequence[LightRatio | None]:
        """Return the lighting ratio of each edit in the target, where its light is at hand.

        That is where all edits change one light and nothing else: its part of the target is the
        change of light by g / (g - 1), g being its gain.
        """
        gain = edits_gain_rgb(self.edits) if light_of(self.edits) is not None else None
        is_known = all(edit.light_ratio is not None for edit in self.edits)
        if self.light is None or not is_known or gain is None:
            return [None] * len(self.edits)
        if (np.abs(gain - 1.0) < _CLEAR_GAIN).any():
            return [None] * len(self.edits)
        own_HW3 = (self.light[1] - self.light[0]) * np.float32(gain / (gain - 1.0))
        return [light_ratio_rgb(own_HW3, self.light[1])] * len(self.edits)


def reversed_edit(edit: EditScale, target_ratio: LightRatio | None = None) -> EditScale:
    """Return the edit that leads from the target back to the source.

    `target_ratio` is the lighting ratio of the target, which becomes the source; None: not known.
    """
    return replace(
        edit,
        value=-edit.value,
        source_value=edit.target_value,
        target_value=edit.source_value,
        measured=None if edit.measured is None else -edit.measured,
        light_ratio=target_ratio,
    )


@dataclass(frozen=True)
class HeldOut:
    """What must never be trained, so that it can be tested."""

    combinations: tuple[str, ...] = ()  # "exposure+light_power"
    values: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def covers(self, edits: Sequence[EditScale]) -> bool:
        """Return whether edits must not be trained; pairs are trained in both directions.

        >>> HeldOut(values={"exposure": [(0.5, 1.0)]}).covers([EditScale("exposure", -0.7)])
        True
        """
        return self.covers_together([edit.task_key for edit in edits]) or any(
            low <= abs(edit.value) <= high or low <= -abs(edit.value) <= high
            for edit in edits
            for low, high in intervals_of(self.values, edit.task_key)
        )

    def covers_together(self, keys: Iterable[str]) -> bool:
        """Return whether all parts of a combination are edited at once; `keys` are of tasks.

        >>> HeldOut(("exposure+light_power",)).covers_together(["light_power", "exposure"])
        True
        """
        edited = {name for key in keys for name in (key, split_task_key(key)[0])}
        return any(set(attributes_of_plan(name)) <= edited for name in self.combinations)


NOTHING_HELD_OUT = HeldOut()


class HasEdits(Protocol):
    """Anything with the edits that are trained."""

    @property
    def edits(self) -> tuple[EditScale, ...]:
        """Between source and target."""


class PairSource(Protocol):
    """Pairs by number, in the order of their keys."""

    @property
    def rows(self) -> Sequence[HasEdits]:
        """The edits that occur, from which the tasks of an adapter are read."""

    def __len__(self) -> int: ...

    def load(self, progress: Progress, name: str) -> None:
        """Read now what fits into memory."""

    def example(self, number: int, seed: int, epoch: int) -> Example:
        """Return a pair; only composed ones depend on the seed and the epoch."""

    def fingerprint(self) -> str:
        """Return a hash of the data."""


class TrainingPairs:
    """Stored pairs of some splits and attributes."""

    def __init__(
        self,
        folders: Sequence[Path],
        splits: Sequence[str],
        attributes: Sequence[str],
        *,
        held_out: HeldOut = NOTHING_HELD_OUT,
        allow_none: bool = False,
        max_cache_bytes: int = MAX_CACHE_BYTES,
    ) -> None:
        """Open data sets; pairs whose edits are held out are left out.

        Raises:
            ShardError: a folder holds no finished data set.
            JobError: there is no pair of these attributes, or of a subject that they name, unless
                `allow_none`.
        """
        self._folders = tuple(folders)
        self._dataset = PairDataset(folders, splits=splits, attributes=attributes)
        self.rows = self._dataset.rows
        if not allow_none:
            _check_subjects(folders, attributes, self.rows)
        if held_out != NOTHING_HELD_OUT:
            self.rows = self.rows.kept(lambda row: not held_out.covers(row.edits))
        if not self.rows and not allow_none:
            raise JobError(_nothing_to_train_on(folders, splits, attributes))
        num_bytes = 6 * self.rows.num_px
        self._cache: dict[int, Example] | None = {} if num_bytes <= max_cache_bytes else None

    def __len__(self) -> int:
        return len(self.rows)

    def load(self, progress: Progress, name: str) -> None:
        """Read every pair now if they all fit into memory, else one of each data set.

        Raises:
            ShardError: a shard is broken.
            JobError: a data set has a tone curve that training cannot undo.
        """
        numbers: Sequence[int] = range(len(self))
        if self._cache is None:
            folders = [row.tar_path.parent for row in self.rows]
            numbers = sorted(map(folders.index, set(folders)))
        progress.start(name, len(numbers))
        for number in numbers:
            self.example(number)
            progress.advance(1)

    def example(self, number: int, seed: int = 0, epoch: int = 0) -> Example:  # as PairSource
        """Return a pair as it is stored.

        Raises:
            ShardError: its shard is broken.
            JobError: its tone curve cannot be undone.
        """
        if self._cache is not None and number in self._cache:
            return self._cache[number]
        row = self.rows[number]
        sample = self._dataset.read(row)
        _check_tone_curve(row, sample.record)
        pictures = np.stack([sample.source_HW3, sample.target_HW3])
        example = Example(pictures, row.edits, _moving(row))
        if self._cache is not None:
            self._cache[number] = example
        return example

    def fingerprint(self) -> str:
        """Return a hash of the data sets: their indices hold the sha256 of every shard."""
        digest = hashlib.sha256()
        for folder in self._folders:
            digest.update((folder / "index.parquet").read_bytes())
        return digest.hexdigest()


def _check_subjects(
    folders: Sequence[Path], attributes: Sequence[str], rows: Iterable[HasEdits]
) -> None:
    """Raise JobError where attributes name a subject that no pair edits."""
    named = {name for name in attributes if split_task_key(name)[1] is not None}
    missing = named - ({edit.task_key for row in rows for edit in row.edits} if named else named)
    for name in sorted(missing)[:1]:
        attribute = split_task_key(name)[0]
        every = PairDataset(folders, attributes=(attribute,)).rows
        found = sorted({edit.task_key for row in every for edit in row.edits})
        msg = (
            f"{', '.join(map(str, folders))}: no pair edits {name}; there is "
            f"{', '.join(found) or f'no {attribute} at all'}"
        )
        raise JobError(msg)


def _nothing_to_train_on(
    folders: Sequence[Path], splits: Sequence[str], attributes: Sequence[str]
) -> str:
    where = ", ".join(map(str, folders))
    kinds = {kind for folder in folders for kind in read_index(folder)["kind"].to_pylist()}
    if kinds & {"basis", "sweep"} and "pair" not in kinds:
        return (
            f"{where}: holds linear light, no stored pairs; set "
            f'pairs = "composed" in [train.data] to draw them from it'
        )
    return (
        f"{where}: no pair of split {'/'.join(splits)} on "
        f"{', '.join(attributes)} only; add scenes to the data set or attributes to train"
    )


def _check_tone_curve(row: PairRow, record: dict[str, Any]) -> None:
    """Raise JobError where codes are not plain sRGB light: the compact base could not edit it."""
    tone_curve = record["develop"]["tone_curve"]
    if tone_curve != TONE_CURVE:
        msg = (
            f"sample {row.key} in {row.tar_path}: has tone curve {tone_curve}, and training reads "
            f'light from plain "{TONE_CURVE}" pictures only; make the data set with '
            f'tone_curve = "{TONE_CURVE}", or keep its linear light and set pairs = "composed" in '
            f"[train.data]"
        )
        raise JobError(msg)


def _moving(row: PairRow) -> NDArray[np.bool_] | None:
    """Return what moved in either picture, where the data set says so."""
    spans = {name: row.spans[name] for name in _MOVING if name in row.spans}
    if not spans:
        return None
    members = read_members(row.tar_path, row.key, spans)
    try:
        moving_HW = np.any([decode_png(data)[..., 0] > 0 for data in members.values()], axis=0)
    except ValueError as error:
        msg = f"sample {row.key} in {row.tar_path}: {error}; run `cat-dataset verify`"
        raise ShardError(msg) from None
    return moving_HW if moving_HW.any() else None
