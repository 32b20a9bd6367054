from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cat_dataset.imaging.display import encode_display
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from cat_dataset.system.progress import SilentProgress
from cat_dataset.system.seeding import derive_rng
from tests.train.conftest import ATTRIBUTES, SIZE_PX
from train.data.batches import (
    Batch,
    _augmented,
    centre_view,
    collate,
    draw_batch,
    joined,
    mirrored_edit,
    resize_area,
    whole_batch,
)
from train.data.pairs import Example, TrainingPairs, reversed_edit
from train.model.log_light import HALF_RANGE_STOPS, encode_log_light


@pytest.fixture
def pairs(data_folder: Path) -> TrainingPairs:
    """The training split."""
    return TrainingPairs([data_folder], ("train",), ATTRIBUTES)


def test_a_batch_depends_on_seed_stage_and_step_alone(pairs: TrainingPairs, job: TrainJob) -> None:
    """Drawing other steps first, or from pairs on disk, gives the same batch."""
    first = draw_batch(pairs, job, "base", 5, 0.15)
    draw_batch(pairs, job, "adapter", 31, 0.15)

    again = draw_batch(pairs, job, "base", 5, 0.15)

    assert torch.equal(first.source_BCHW, again.source_BCHW)
    assert first.edits == again.edits
    assert not torch.equal(first.source_BCHW, draw_batch(pairs, job, "base", 6, 0.15).source_BCHW)


def test_pairs_too_large_for_memory_are_read_as_drawn(
    data_folder: Path, pairs: TrainingPairs, job: TrainJob
) -> None:
    """A cache of zero bytes changes no batch."""
    uncached = TrainingPairs([data_folder], ("train",), ATTRIBUTES, max_cache_bytes=0)
    uncached.load(SilentProgress(), "reading")

    from_memory = draw_batch(pairs, job, "base", 2, 0.0)
    from_disk = draw_batch(uncached, job, "base", 2, 0.0)

    assert torch.equal(from_memory.target_BCHW, from_disk.target_BCHW)


def test_augmented_pictures_still_show_their_number(pairs: TrainingPairs, job: TrainJob) -> None:
    """Crops, mirrors and reversal: the median offset of green equals the stops in the edit."""
    checked = 0
    for step in range(20):
        batch = draw_batch(pairs, job, "base", step, 0.0)
        for number, (edit,) in enumerate(batch.edits):
            if edit.attribute != "exposure":
                continue
            source, target = (p[number, 1] for p in (batch.source_BCHW, batch.target_BCHW))
            is_clear = (torch.minimum(source, target) > -0.1) & (
                torch.maximum(source, target) < 0.99
            )
            if is_clear.sum() < 100:
                continue
            stops = HALF_RANGE_STOPS * float((target - source)[is_clear].median())
            assert stops == pytest.approx(edit.value, abs=0.04)
            checked += 1
    assert checked > 10


def test_identity_samples_have_no_edit_and_their_source_as_target(
    pairs: TrainingPairs, job: TrainJob
) -> None:
    """With share 0.999 a batch holds nearly nothing else."""
    batch = draw_batch(pairs, job, "base", 0, 0.999)

    assert batch.edits == ((),) * job.optimizer.batch_size
    assert torch.equal(batch.source_BCHW, batch.target_BCHW)


def test_a_reversed_edit_leads_back() -> None:
    """The value changes its sign, source and target their places."""
    edit = EditScale("white_balance", 30.0, 6000.0, 5084.7)

    assert reversed_edit(edit) == EditScale("white_balance", -30.0, 5084.7, 6000.0)


def test_a_whole_batch_is_not_augmented(pairs: TrainingPairs) -> None:
    """Validation sees pairs as they are stored."""
    batch = whole_batch(pairs, [0, 3], SIZE_PX)

    assert batch.edits == (pairs.rows[0].edits, pairs.rows[3].edits)


def test_resizing_averages_light_not_display_codes() -> None:
    """A pixel half black, half white becomes linear 0.5."""
    halves = np.zeros((2, 2, 3), np.float32)
    halves[0] = 1.0

    assert resize_area(halves, 1, 1).ravel().tolist() == [0.5, 0.5, 0.5]


def test_processes_share_a_batch(pairs: TrainingPairs, job: TrainJob) -> None:
    """Their parts, put together, are the batch that one process draws."""
    whole = draw_batch(pairs, job, "base", 7, 0.3)
    parts = [draw_batch(pairs, job, "base", 7, 0.3, rank=rank, num_ranks=2) for rank in (0, 1)]

    assert torch.equal(torch.cat([part.source_BCHW for part in parts]), whole.source_BCHW)
    assert parts[0].edits + parts[1].edits == whole.edits
    assert [part.places for part in parts] == [slice(0, 2), slice(2, 4)]


def test_parts_keep_their_place_in_the_whole(pairs: TrainingPairs, job: TrainJob) -> None:
    """Also those of one process's part."""
    second = draw_batch(pairs, job, "base", 7, 0.3, rank=1, num_ranks=2)

    parts = list(second.parts(1))

    assert [part.places for part in parts] == [slice(2, 3), slice(3, 4)]
    assert {part.num_whole for part in parts} == {4}
    assert torch.equal(torch.cat([part.target_BCHW for part in parts]), second.target_BCHW)


@pytest.mark.parametrize(
    ("edit", "mirrored"),
    [
        (EditScale("object_rotation", 30.0, -10.0, 20.0, subject="cup"),
         EditScale("object_rotation", -30.0, 10.0, -20.0, subject="cup")),
        (EditScale("object_translation", 4.0), EditScale("object_translation", -4.0)),
        (EditScale("roughness", 20.0, 30.0, 50.0), EditScale("roughness", 20.0, 30.0, 50.0)),
    ],
)  # fmt: skip
def test_a_mirror_turns_what_has_a_side(edit: EditScale, mirrored: EditScale) -> None:
    """To the left becomes to the right; rougher stays rougher."""
    assert mirrored_edit(edit) == mirrored
    assert mirrored_edit(mirrored) == edit


def test_mirrored_views_of_a_moving_bar_say_where_it_went() -> None:
    """A bar that goes to the right goes to the left in a mirrored view, and so says its number."""
    source, target = (np.zeros((32, 32, 3), np.uint8) for _ in range(2))
    source[:, 8:12], target[:, 18:22] = 200, 200
    example = Example(np.stack([source, target]), (EditScale("object_translation", 5.0),))

    seen = set()
    for number in range(20):
        view = _augmented(derive_rng(0, "mirror", number), example, 32)
        before, after = (np.argmax(p[0, :, 1] > 0.1) for p in view.linear_2HWC)
        assert np.sign(after - before) == np.sign(view.edits[0].value)
        seen.add((bool(before < after), int(before)))
    assert len(seen) == 4  # mirrored or not, forwards or backwards


def test_a_target_keeps_the_light_that_the_display_clips() -> None:
    """Beyond white where it is known; the source is what the display shows, whichever it is."""
    light = np.full((2, 32, 32, 3), 0.25, np.float32)
    light[1] *= 4.0
    light[:, :8] *= 2.0  # 0.5 becomes 2, beyond white
    light[:, 8:16] = 9.0  # brighter than can be predicted: white in both
    codes = np.stack([encode_display(picture, 1.0) for picture in light])
    example = Example(codes, (EditScale("light_power", 2.0),), light=light)

    view = centre_view(example, 16)
    source, target = collate([view]).source_BCHW, collate([view]).target_BCHW

    torch.testing.assert_close(target[0, :, :4], encode_log_light(torch.full((3, 4, 16), 2.0)))
    assert float(source.max()) <= 1.0
    assert target[0, :, 4:8].unique().tolist() == [1.0]
    assert view.known_HW is not None
    assert view.known_HW[:4].all()
    assert not view.known_HW[4:8].any()
    backwards = centre_view(example.reversed(), 16)
    assert float(backwards.linear_2HWC[0].max()) == 1.0
    assert backwards.edits[0].value == -2.0


def test_chosen_samples_joined_again_are_the_batch() -> None:
    """Pixels, edits and masks; a mask that only some have is 1 elsewhere."""
    pictures = torch.rand(4, 3, 8, 8)
    edits = tuple((EditScale("exposure", float(value)),) for value in range(4))
    batch = Batch(pictures, pictures + 1.0, edits, counted_B1HW=torch.rand(4, 1, 8, 8))

    odd, even = batch.chosen([1, 3]), replace(batch.chosen([0, 2]), counted_B1HW=None)
    both = joined([odd, even])

    order = [1, 3, 0, 2]
    assert both.edits == tuple(edits[number] for number in order)
    assert torch.equal(both.source_BCHW, pictures[order])
    assert torch.equal(both.target_BCHW, pictures[order] + 1.0)
    assert both.known_B1HW is None
    assert both.counted_B1HW is not None
    assert torch.equal(both.counted_B1HW[:2], batch.counted_B1HW[[1, 3]])
    assert (both.counted_B1HW[2:] == 1.0).all()
