"""Where batches come from: pairs by the manifest's choice, drawn here or ahead by workers.

A step's batch is the same whoever draws it, so the number of workers changes nothing but time.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from cat_dataset.errors import CatError
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import ComposedData
from train.data.basis_pairs import ComposedPairs
from train.data.batches import Batch
from train.data.pairs import HeldOut, PairSource, TrainingPairs
from train.objective.train_step import TrainStage
from train.runs.distributed import World

_NUM_VALIDATION_PAIRS = 64
_BATCHES_AHEAD = 4  # per worker


def open_pairs(
    job: TrainJob, folders: Sequence[Path], split: str, *, allow_none: bool = False
) -> PairSource:
    """Return the pairs of a split, stored or composed as the job says.

    Raises:
        ShardError: a folder holds no finished data set, or no linear light to compose from.
        JobError: there is no pair of the job's attributes, unless `allow_none`.
    """
    if isinstance(job.data, ComposedData):
        return ComposedPairs(folders, (split,), job, allow_none=allow_none)
    held_out = HeldOut(job.data.held_out_combinations, job.data.held_out_values)
    return TrainingPairs(
        folders, (split,), job.attributes, held_out=held_out, allow_none=allow_none
    )


def validation_numbers(num_pairs: int) -> range:
    """Return which pairs of the val split are looked at, spread evenly over its keys."""
    stride = max(1, num_pairs // _NUM_VALIDATION_PAIRS)
    return range(num_pairs)[::stride][:_NUM_VALIDATION_PAIRS]


class _Steps(Dataset[Batch | CatError]):
    """The batches of a stage by step. What goes wrong is handed over as it is, to be raised there.

    Raised here, the loader would wrap it in a traceback of the worker's.
    """

    def __init__(self, pairs: PairSource, job: TrainJob, stage: TrainStage, world: World) -> None:
        self._pairs, self._job, self._stage, self._world = pairs, job, stage, world

    def __getitem__(self, step: int) -> Batch | CatError:
        try:
            return self._stage.objective.draw(
                self._pairs,
                self._job,
                self._stage.name,
                step,
                self._stage.identity_share,
                rank=self._world.rank,
                num_ranks=self._world.size,
            )
        except CatError as error:
            return error


class BatchStream:
    """The batches of a stage from a step on, and the time that was spent waiting for them."""

    def __init__(
        self, pairs: PairSource, job: TrainJob, stage: TrainStage, world: World, first_step: int
    ) -> None:
        loader = DataLoader(
            _Steps(pairs, job, stage, world),
            batch_size=None,
            sampler=range(first_step, stage.num_steps),
            num_workers=job.num_loader_workers,
            collate_fn=_as_it_is,
            worker_init_fn=_use_one_thread,
            # the pairs in memory are shared with forked workers, not copied
            multiprocessing_context="fork" if job.num_loader_workers else None,
            prefetch_factor=_BATCHES_AHEAD if job.num_loader_workers else None,
            generator=torch.Generator(),  # leaves the global one alone
        )
        with warnings.catch_warnings():
            # of forking beside threads, from Python 3.12 on: the workers use one thread each
            warnings.filterwarnings("ignore", "This process .* is multi-threaded")
            self._batches = iter(loader)
        self.waited_s = 0.0

    def __iter__(self) -> Iterator[Batch]:
        """Yield the part of each step's batch that this process trains on.

        Raises:
            CatError: as reading the pairs raises.
        """
        while True:
            began_s = perf_counter()
            batch = next(self._batches, None)
            self.waited_s += perf_counter() - began_s
            if batch is None:
                return
            if isinstance(batch, CatError):
                raise batch
            yield cast("Batch", batch)


def _as_it_is(batch: Any) -> Any:
    return batch


def _use_one_thread(_worker: int) -> None:
    cv2.setNumThreads(0)  # OpenCV's threads do not survive a fork
