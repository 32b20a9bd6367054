from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import ToneCurve, encode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import UnitResult
from cat_dataset.system.progress import SilentProgress
from tests.train.conftest import ATTRIBUTES, SIZE_PX, light_basis, tiny_job, write_dataset
from train.data.batches import draw_batch
from train.data.pairs import HeldOut, TrainingPairs


def exposure_pairs(tone_curve: ToneCurve = "srgb") -> UnitResult:
    """Return two pairs of one scene."""
    dataset = DatasetJob(name="tiny", seed=1, tone_curve=tone_curve)
    return compose_basis(light_basis(0, "train"), {"exposure": PairPlan(num_pairs=2)}, dataset)


def test_no_pair_to_train_on_is_an_error_with_a_remedy(data_folder: Path) -> None:
    """An attribute that the data set does not have."""
    with pytest.raises(JobError, match="no pair of split train on aperture only; add scenes"):
        TrainingPairs([data_folder], ("train",), ("aperture",))


def test_linear_light_is_no_stored_pair(linear_folder: Path) -> None:
    """The message names the switch."""
    with pytest.raises(JobError, match='holds linear light, no stored pairs; set pairs = "comp'):
        TrainingPairs([linear_folder], ("train",), ATTRIBUTES)


@pytest.mark.parametrize("max_cache_bytes", [0, 10**9])
def test_another_tone_curve_is_refused_before_training(
    max_cache_bytes: int, tmp_path: Path
) -> None:
    """Filmic codes read as plain sRGB light would be wrong by stops in the highlights."""
    write_dataset(tmp_path, [exposure_pairs("filmic")])
    pairs = TrainingPairs([tmp_path], ("train",), ATTRIBUTES, max_cache_bytes=max_cache_bytes)

    with pytest.raises(JobError, match=r"has tone curve filmic, .* or keep its linear light"):
        pairs.load(SilentProgress(), "reading")


def test_a_held_out_combination_is_left_out_of_stored_pairs(tmp_path: Path) -> None:
    """Whatever the order of its parts, and also inside a larger one."""
    plans = {
        name: PairPlan(num_pairs=2)
        for name in (*ATTRIBUTES, "exposure+light_power", "exposure+white_balance")
    }
    result = compose_basis(light_basis(0, "train"), plans, DatasetJob(name="tiny", seed=1))
    write_dataset(tmp_path, [result])

    pairs = TrainingPairs(
        [tmp_path], ("train",), ATTRIBUTES, held_out=HeldOut(("light_power+exposure",))
    )

    edited = {tuple(edit.attribute for edit in row.edits) for row in pairs.rows}
    assert ("exposure", "light_power") not in edited
    assert {("exposure",), ("light_power",), ("exposure", "white_balance")} <= edited


def test_held_out_values_are_left_out_in_both_directions(data_folder: Path) -> None:
    """A pair of -0.7 would be trained backwards as +0.7."""
    gap = HeldOut(values={"exposure": ((0.5, 1.2),)})
    everything = TrainingPairs([data_folder], ("train",), ("exposure",))

    kept = TrainingPairs([data_folder], ("train",), ("exposure",), held_out=gap)

    inside = [r.key for r in everything.rows if 0.5 <= abs(r.edits[0].value) <= 1.2]
    assert inside
    assert {row.key for row in everything.rows} - {row.key for row in kept.rows} == set(inside)


def test_pixels_that_moved_do_not_count(tmp_path: Path) -> None:
    """The mask goes through the same crop and mirror as the pictures.

    What moved is made white in both pictures, so that the batch itself shows where it went.
    """
    result = exposure_pairs()
    moved_HW = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    moved_HW[4:14, 3:9] = 255
    white = encode_png(np.where(moved_HW[..., None] > 0, np.uint8(255), np.zeros(3, np.uint8)))
    still = encode_png(np.zeros_like(moved_HW))
    members = {"source.moving.png": encode_png(moved_HW), "target.moving.png": still}
    pairs = tuple(
        replace(pair, source_png=white, target_png=white, annotations=members)
        for pair in result.pairs
    )
    write_dataset(tmp_path, [UnitResult(pairs)])
    stored = TrainingPairs([tmp_path], ("train",), ATTRIBUTES)

    batch = draw_batch(stored, tiny_job(), "base", 0, 0.0)

    assert batch.counted_B1HW is not None
    is_black_B1HW = (batch.source_BCHW == -1.0).all(dim=1, keepdim=True)
    assert (batch.counted_B1HW.bool() == is_black_B1HW).all()
    assert 0.5 < float(batch.counted_B1HW.mean()) < 1.0


def test_a_data_set_in_which_nothing_moved_has_no_mask(data_folder: Path) -> None:
    """Rendered pairs cost no mask."""
    stored = TrainingPairs([data_folder], ("train",), ATTRIBUTES)

    assert draw_batch(stored, tiny_job(), "base", 0, 0.0).counted_B1HW is None
