"""Which sample a run sees at which place: a function of (seed, stage, place) alone.

Nothing is remembered between steps, so a run resumes in the middle of an epoch, and how many
processes draw or train changes nothing.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng


@lru_cache(maxsize=2)  # a batch asks for the same epoch again and again, or for two at its border
def epoch_order(seed: int, stage: str, epoch: int, num_samples: int) -> NDArray[np.int64]:
    """Return the order of an epoch's samples, each once; the array is not to be written to."""
    order: NDArray[np.int64] = derive_rng(seed, stage, "epoch", epoch).permutation(num_samples)
    order.flags.writeable = False  # one array for all callers
    return order


def sample_at(seed: int, stage: str, position: int, num_samples: int) -> tuple[int, int]:
    """Return (epoch, number of the sample) at a place of the run, counted in samples from 0."""
    epoch, place = divmod(position, num_samples)
    return epoch, int(epoch_order(seed, stage, epoch, num_samples)[place])
