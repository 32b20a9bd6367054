"""Which split a scene belongs to: decided by its name alone, so no pair can leak across splits."""

from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.records import Split
from cat_dataset.system.seeding import derive_rng


def split_of(dataset: DatasetJob, scene: str) -> Split:
    """Return the split of a scene or capture group, by hash of seed and name."""
    draw = float(derive_rng(dataset.seed, "split", scene).random())
    if draw < dataset.test_share:
        return "test"
    if draw < dataset.test_share + dataset.val_share:
        return "val"
    return "train"
