"""Latents of a pretrained base's VAE as the space of an objective, read from a cache by sample key.

Both pictures of a pair are cached once, whole: the centre square, at the size that is trained, no
random crop and no mirror; the VAE would have to run in every step for those. Which pair a step sees
and in which direction follows from (seed, stage, place) as it does for the compact base.

Shapes: B batch, C channels, h height, w width of latents; H, W of pictures.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.imaging.display import encode_display
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.system.seeding import derive_rng
from train.data.batches import Batch, centre_view, resize_area
from train.data.pairs import Example, PairSource, TrainingPairs, reversed_edit
from train.data.sampler import sample_at
from train.pretrained.caches import TensorCache
from train.pretrained.pipelines import LatentBase, display_to_linear

PREPROCESSING = "1"  # to be raised whenever `cached_tensors` makes other latents of a pair
_NUM_TOGETHER = 8  # pairs through the VAE at once


@dataclass(frozen=True)
class LatentPair:
    """Both pictures of a pair as latents."""

    both_2Chw: Tensor
    edits: tuple[EditScale, ...]
    counted_hw: Tensor | None = None  # 0 where something moved, else 1; None: all counts


class LatentObjective:
    """Latents, cached by sample; a loss on the velocity."""

    def __init__(self, base: LatentBase, cache: TensorCache) -> None:
        self._base, self._cache = base, cache

    def draw(
        self,
        pairs: PairSource,
        job: TrainJob,
        stage: str,
        step: int,
        identity_share: float,
        *,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> Batch:
        """Return the batch of a step, or one process's part of it; see `Objective.draw`."""
        size = job.optimizer.batch_size // num_ranks
        begin = step * job.optimizer.batch_size + rank * size
        drawn = [
            self._drawn(pairs, job, stage, position, identity_share)
            for position in range(begin, begin + size)
        ]
        return replace(collate(drawn), first=rank * size, num_whole=job.optimizer.batch_size)

    def _drawn(
        self, pairs: PairSource, job: TrainJob, stage: str, position: int, identity_share: float
    ) -> LatentPair:
        _epoch, number = sample_at(job.seed, stage, position, len(pairs))
        pair = self.pair(pairs, number)
        rng = derive_rng(job.seed, stage, "augment", position)
        if rng.random() < 0.5:
            backwards = tuple(reversed_edit(edit) for edit in pair.edits)
            pair = replace(pair, both_2Chw=pair.both_2Chw.flip(0), edits=backwards)
        if rng.random() < identity_share:
            return replace(pair, both_2Chw=pair.both_2Chw[[0, 0]], edits=())
        return pair

    def pair(self, pairs: PairSource, number: int) -> LatentPair:
        """Return a pair from the cache.

        Raises:
            JobError: the cache holds something else under its name.
        """
        row = pairs.rows[number]
        assert isinstance(row, PairRow)  # composed pairs are refused by the job
        tensors = self._cache.read(entry_name(row), belongs_to(row))
        return LatentPair(tensors["latents"], row.edits, tensors.get("counted"))

    def whole_batch(self, pairs: PairSource, numbers: Sequence[int]) -> Batch:
        """Return chosen pairs as they are, for losses that can be compared."""
        return collate([self.pair(pairs, number) for number in numbers])

    def loss(self, job: TrainJob, predicted_BCHW: Tensor, batch: Batch, time_B: Tensor) -> Tensor:
        """Return the mean squared error of the velocity, which is that of x0 by the time."""
        error_BCHW = (predicted_BCHW - batch.target_BCHW) / time_B.view(-1, 1, 1, 1)
        if batch.counted_B1HW is not None:
            error_BCHW = error_BCHW * batch.counted_B1HW
        return error_BCHW.square().mean()

    def develop(self, pictures_BCHW: Tensor) -> NDArray[np.float32]:
        """Return the light that the VAE makes of latents."""
        return display_to_linear(self._base.decode(pictures_BCHW))


def collate(pairs: Sequence[LatentPair]) -> Batch:
    """Stack pairs into a batch."""
    both_2BChw = torch.stack([pair.both_2Chw for pair in pairs], dim=1)
    edits = tuple(pair.edits for pair in pairs)
    counted = None
    if any(pair.counted_hw is not None for pair in pairs):
        all_hw = torch.ones(both_2BChw.shape[-2:])
        masks = [all_hw if pair.counted_hw is None else pair.counted_hw for pair in pairs]
        counted = torch.stack(masks).unsqueeze(1)
    return Batch(both_2BChw[0], both_2BChw[1], edits, counted)


def entry_name(row: PairRow) -> str:
    """Return under which name a pair is cached: its key and what its pictures are."""
    return f"{row.key}-{_content(row)[:16]}"


def belongs_to(row: PairRow) -> dict[str, str]:
    """Return what a cached pair must say of itself."""
    return {"key": row.key, "content": _content(row)}


def _content(row: PairRow) -> str:
    """Return a hash of the pair's pictures and masks, from the hashes in the index."""
    lines = [f"{name} {digest}" for name, digest in sorted(row.hashes.items()) if name != "json"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def has_latents(cache: TensorCache, pairs: TrainingPairs) -> bool:
    """Return whether the cache lacks no pair, so that the VAE need not encode."""
    return all(cache.has(entry_name(row)) for row in pairs.rows)


def fill_latents(cache: TensorCache, base: LatentBase, pairs: TrainingPairs, size_px: int) -> int:
    """Encode the pairs that the cache lacks, and return how many those were."""
    missing = [n for n, row in enumerate(pairs.rows) if not cache.has(entry_name(row))]
    for start in range(0, len(missing), _NUM_TOGETHER):
        numbers = missing[start : start + _NUM_TOGETHER]
        examples = [pairs.example(number) for number in numbers]
        encoded = encoded_pairs(base, examples, size_px)
        for number, tensors in zip(numbers, encoded, strict=True):
            row = pairs.rows[number]
            cache.write(entry_name(row), belongs_to(row), tensors)
    return len(missing)


def encoded_pairs(
    base: LatentBase, examples: Sequence[Example], size_px: int
) -> list[dict[str, Tensor]]:
    """Return the tensors to cache of each pair: `latents` (2, C, h, w), `counted` (h, w)."""
    views = [centre_view(example, size_px) for example in examples]
    pictures = [encode_display(light, 1.0) for view in views for light in view.linear_2HWC]
    latents_2BChw = base.encode(np.stack(pictures)).float().cpu()
    tensors = []
    for number, view in enumerate(views):
        of_pair = {"latents": latents_2BChw[2 * number : 2 * number + 2]}
        if view.counted_HW is not None:
            # one moved pixel spoils the latents of its area
            share_hw = resize_area(view.counted_HW.astype(np.float32), *latents_2BChw.shape[-2:])
            of_pair["counted"] = torch.from_numpy((share_hw >= 1.0).astype(np.float32))
        tensors.append(of_pair)
    return tensors
