from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale, UnitResult
from cat_dataset.store.linear_dataset import LinearDataset
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.system.seeding import derive_seed
from tests.train.conftest import ATTRIBUTES, SIZE_PX, tiny_job, write_dataset
from tests.train.object_data import object_sweep
from train.data.basis_pairs import ComposedPairs, composed_plans
from train.data.batches import draw_batch
from train.data.pairs import TrainingPairs
from train.data.task_ids import tasks_of_pairs


def composed_job(attributes: tuple[str, ...] = ATTRIBUTES, **changes: object) -> TrainJob:
    """Return the tiny job on pairs that are composed as they are drawn."""
    data = {f"data.{key}": value for key, value in changes.items()}
    return tiny_job().with_settings({"attributes": attributes, "data.pairs": "composed", **data})


def open_train(folder: Path, job: TrainJob) -> ComposedPairs:
    """Return the training split."""
    return ComposedPairs([folder], ("train",), job)


def test_a_draw_depends_on_seed_epoch_and_light_alone(linear_folder: Path) -> None:
    """In whatever order, from memory or from disk; every epoch has numbers of its own."""
    job = composed_job()
    warm = open_train(linear_folder, job)
    cold = ComposedPairs([linear_folder], ("train",), job, max_cache_bytes=0)

    first = [warm.example(number, 5, 0) for number in range(len(warm))]
    again = [cold.example(number, 5, 0) for number in reversed(range(len(cold)))][::-1]

    for one, other in zip(first, again, strict=True):
        assert one.edits == other.edits
        np.testing.assert_array_equal(one.pictures, other.pictures)
    assert warm.example(0, 5, 1).edits != first[0].edits
    assert warm.example(0, 6, 0).edits != first[0].edits


def test_composed_and_stored_pairs_of_the_same_draws_are_equal(
    linear_folder: Path, tmp_path: Path
) -> None:
    """What the core stores of a scene under the drawn seed is what the loader composes."""
    job = composed_job(attributes=("exposure",))
    composed = open_train(linear_folder, job)
    lights = LinearDataset([linear_folder], splits=("train",))
    results = []
    for row in lights.rows:
        drawn_seed = derive_seed(derive_seed(job.seed, "base", "compose"), "epoch", 0, row.key, 0)
        dataset = DatasetJob(name="drawn", seed=drawn_seed)
        once = {"exposure": composed.plans["exposure"].model_copy(update={"num_pairs": 1})}
        results.append(compose_light(lights.read(row), once, dataset))
    assert all(len(result.pairs) == 1 for result in results)
    write_dataset(tmp_path, [UnitResult(result.pairs) for result in results])
    stored = TrainingPairs([tmp_path], ("train",), ("exposure",))

    for step in range(2):  # within the first epoch
        ours = draw_batch(composed, job, "base", step, 0.0)
        theirs = draw_batch(stored, job, "base", step, 0.0)

        assert torch.equal(ours.source_BCHW, theirs.source_BCHW)
        assert torch.equal(ours.target_BCHW, theirs.target_BCHW)
        assert ours.edits == tuple(tuple(map(_as_set, edits)) for edits in theirs.edits)


def test_light_beyond_white_changes_targets_where_they_are_white_alone(
    linear_folder: Path,
) -> None:
    """The same draws; what the display shows is the same, and some of the white is more."""
    job = composed_job(attributes=("exposure",), value_ranges={"exposure": (1.5, 2.0)})
    plain = open_train(linear_folder, job)
    beyond = open_train(linear_folder, job.with_settings({"data.light_beyond_white": True}))

    most = 0.0
    for step in range(6):
        shown, whole = (draw_batch(pairs, job, "base", step, 0.0) for pairs in (plain, beyond))

        assert torch.equal(shown.source_BCHW, whole.source_BCHW)
        is_white = shown.target_BCHW >= 1.0
        assert torch.equal(shown.target_BCHW[~is_white], whole.target_BCHW[~is_white])
        most = max(most, float(whole.target_BCHW.max()))
    assert most > 1.05


def _as_set(edit: EditScale) -> EditScale:
    """Return an edit without what was measured: a loader does not measure again."""
    return replace(edit, measured=None, measured_se=None)


def test_held_out_combinations_are_never_drawn(linear_folder: Path) -> None:
    """All others are, alone and together."""
    job = composed_job(max_edits=3, held_out_combinations=("light_power+exposure",))
    pairs = open_train(linear_folder, job)

    drawn = {
        frozenset(edit.attribute for edit in pairs.example(number, 0, epoch).edits)
        for number in range(len(pairs))
        for epoch in range(8)
    }

    singles = {frozenset({name}) for name in ATTRIBUTES}
    together = {
        frozenset({"exposure", "white_balance"}),
        frozenset({"white_balance", "light_power"}),
    }
    assert drawn == singles | together


def test_held_out_values_are_drawn_anew(linear_folder: Path) -> None:
    """In both directions, and the rest stays as it was."""
    plain = open_train(linear_folder, composed_job(attributes=("exposure",)))
    gap = {"exposure": [(-1.2, -0.5)]}
    pairs = open_train(linear_folder, composed_job(attributes=("exposure",), held_out_values=gap))

    drawn = [
        [source.example(number, 0, epoch).edits[0].value for source in (plain, pairs)]
        for number in range(len(pairs))
        for epoch in range(4)
    ]

    assert any(0.5 <= abs(before) <= 1.2 for before, _ in drawn)
    for before, after in drawn:
        assert not 0.5 <= abs(after) <= 1.2
        assert after == before or 0.5 <= abs(before) <= 1.2


def test_numbers_are_drawn_from_the_ranges_of_the_manifest(linear_folder: Path) -> None:
    """And the tasks of the adapter cover them."""
    job = composed_job(attributes=("exposure",), value_ranges={"exposure": (0.75, 1.25)})
    pairs = open_train(linear_folder, job)

    values = [
        edit.value for number in range(len(pairs)) for edit in pairs.example(number, 0, 0).edits
    ]

    assert len(values) == len(pairs)
    assert all(0.75 <= value <= 1.25 for value in values)
    (task,) = tasks_of_pairs(pairs.rows, job.attributes)  # type: ignore[arg-type]  # reads edits
    assert (task.low, task.high) == (-1.3, 1.3)


def test_what_cannot_be_edited_at_once_is_not_planned() -> None:
    """Two attributes that are rendered anew share no frames."""
    job = composed_job(attributes=("exposure", "aperture", "focal_length"), max_edits=2)

    assert set(composed_plans(job)) == {
        *("exposure", "aperture", "focal_length"),
        *("aperture+exposure", "focal_length+exposure"),
    }


def test_large_light_is_kept_small(linear_folder: Path) -> None:
    """Twice the crop: composing costs time by the pixel."""
    pairs = open_train(linear_folder, composed_job().with_settings({"base.size_px": 16}))
    assert pairs.example(0, 0, 0).pictures.shape == (2, SIZE_PX, SIZE_PX, 3)

    job = composed_job()
    tiny = job.base.model_copy(update={"size_px": 8})  # smaller than a manifest may ask
    job = job.model_copy(update={"base": tiny})

    assert open_train(linear_folder, job).example(0, 0, 0).pictures.shape == (2, 16, 16, 3)


def test_light_without_the_attribute_is_an_error(linear_folder: Path) -> None:
    """A light basis cannot be refocused."""
    with pytest.raises(JobError, match="no light of split train that gives aperture"):
        open_train(linear_folder, composed_job(attributes=("aperture",)))


@pytest.fixture(scope="module")
def shape_light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Linear light of two shapes, two scenes each."""
    sweeps = [
        object_sweep(number, "train", "shape_key", subject)
        for subject in ("smile", "blink")
        for number in range(2)
    ]
    folder = tmp_path_factory.mktemp("shapes")
    return write_dataset(folder, [UnitResult(linear=(encode_linear(s),)) for s in sweeps])


def test_shapes_are_composed_as_tasks_of_their_own(shape_light: Path) -> None:
    """Each over its range, as often as its weight says, alone and beside a camera's edit."""
    weights = {"shape_key": 3, "shape_key:smile": 2}
    job = composed_job(("exposure", "shape_key"), max_edits=2, draw_weights=weights)
    pairs = open_train(shape_light, job)

    assert {key: plan.num_pairs for key, plan in pairs.plans.items()} == {
        "exposure": 1,
        "shape_key:blink": 3,
        "shape_key:smile": 2,
        "shape_key:blink+exposure": 1,
        "shape_key:smile+exposure": 1,
    }
    tasks = {task.key: task.high for task in tasks_of_pairs(pairs.rows, job.attributes)}
    assert tasks["shape_key:blink"] == 40.0
    assert tasks["shape_key:smile"] == 100.0
    drawn = {edit.task_key for n in range(8) for edit in pairs.example(n % 4, 0, n).edits}
    assert drawn == {"exposure", "shape_key:blink", "shape_key:smile"}


def test_one_shape_alone_is_composed_by_its_key(shape_light: Path) -> None:
    """The light of other shapes is left aside; a held-out combination is never drawn."""
    job = composed_job(
        ("exposure", "shape_key:smile"),
        max_edits=2,
        held_out_combinations=("exposure+shape_key:smile",),
    )
    pairs = open_train(shape_light, job)

    assert len(pairs) == 2
    assert set(pairs.plans) == {"exposure", "shape_key:smile"}
    drawn = [tuple(e.task_key for e in pairs.example(n % 2, 0, n).edits) for n in range(8)]
    assert set(drawn) == {("shape_key:smile",)}
