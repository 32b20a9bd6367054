from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import ToneCurve, encode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.light_ratio import light_ratio_rgb
from cat_dataset.records import EditScale, UnitResult
from cat_dataset.system.progress import SilentProgress
from tests.train.conftest import ATTRIBUTES, SIZE_PX, light_basis, tiny_job, write_dataset
from tests.train.object_data import write_object_pairs
from train.data.batches import draw_batch
from train.data.pairs import Example, HeldOut, TrainingPairs, reversed_edit


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


def test_a_reversed_edit_is_of_the_same_subject() -> None:
    """Value and measured value turn their sign, source and target change places."""
    there = EditScale(
        "object_rotation", 30.0, 10.0, 40.0, measured=29.8, measured_se=0.1, subject="teapot"
    )

    back = reversed_edit(there)

    assert back == EditScale(
        "object_rotation", -30.0, 40.0, 10.0, measured=-29.8, measured_se=0.1, subject="teapot"
    )
    assert reversed_edit(back) == there


@pytest.mark.parametrize("stops", [1.5, -1.0])
def test_a_reversed_lamp_has_the_ratio_of_its_new_source(stops: float) -> None:
    """Read from light that is at hand; the same as that of the lamp and the rest, taken apart."""
    basis = light_basis(3, "train")
    lamp, rest = 0.2 * basis.images_GHW3[0], 0.2 * basis.images_GHW3[1]
    brighter = np.float32(2.0**stops) * lamp
    light = np.stack([lamp + rest, brighter + rest])
    edit = EditScale("light_power", stops, light_ratio=light_ratio_rgb(lamp, lamp + rest))
    codes = np.zeros(light.shape, np.uint8)

    (back,) = Example(codes, (edit,), light=light).reversed().edits

    assert back.light_ratio == pytest.approx(light_ratio_rgb(brighter, brighter + rest), rel=1e-3)
    assert Example(codes, (edit,)).reversed().edits[0].light_ratio is None  # no light at hand


def test_pairs_of_one_shape_are_selected_by_its_key(tmp_path: Path) -> None:
    """Alone it selects all; a shape that is nowhere is refused with those that are."""
    folder = write_object_pairs(tmp_path)

    smiles = TrainingPairs([folder], ("train",), ("shape_key:smile",))
    shapes = TrainingPairs([folder], ("train",), ("shape_key",))

    assert {edit.subject for row in smiles.rows for edit in row.edits} == {"smile"}
    assert {edit.subject for row in shapes.rows for edit in row.edits} == {"smile", "blink"}
    with pytest.raises(JobError, match="no pair edits shape_key:frown; there is shape_key:blink, "):
        TrainingPairs([folder], ("train",), ("shape_key", "shape_key:frown"))


@pytest.mark.parametrize("name", ["exposure+shape_key:smile", "exposure+shape_key"])
def test_a_held_out_combination_may_name_one_shape_or_all(name: str) -> None:
    """And so may held-out values."""
    smile, blink = (EditScale("shape_key", 50.0, subject=s) for s in ("smile", "blink"))
    brighter = EditScale("exposure", 1.0)
    held_out = HeldOut((name,), {"shape_key:blink": ((40.0, 60.0),)})

    assert held_out.covers([brighter, smile])
    assert not held_out.covers([smile])
    assert held_out.covers([blink])
    assert held_out.covers_together(["exposure", "shape_key:blink"]) == (name[-3:] == "key")
