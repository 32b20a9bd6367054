from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import Answer, Asked, EditFailure
from cat_dataset.store.pair_dataset import PairDataset
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from tests.cat_dataset.linear_light import make_annotation
from tests.cat_dataset.scored_data import (
    SIZE_PX,
    DistortedOracle,
    aperture_sweep,
    exact,
    report_of,
    score_of,
    scored,
)


def test_a_lens_is_read_on_the_frames_of_its_sweep(held_out: PairDataset) -> None:
    """No light tells an f-number; the frames do, and half the way shows as half the slope."""
    attributes = ("aperture",)
    right = score_of(report_of(held_out, exact, attributes), "aperture", "matching")
    _, findings, _ = scored(held_out, DistortedOracle(exact), attributes=attributes)

    assert right.mae == pytest.approx(0.0, abs=1e-9)
    assert right.floor_mae is not None
    assert 0.0 < right.floor_mae < 1.0  # a frame matched with the others
    assert all(result.physical is None for result in findings.results)


def test_a_stopped_down_lens_that_goes_half_way_has_half_the_slope(held_out: PairDataset) -> None:
    """From f/1.4 to f/2.8 is two stops; who stops at f/2 made one."""

    def half(edit: EditScale) -> list[tuple[str, float]]:
        return [("aperture", edit.value / 2)]

    _, findings, _ = scored(held_out, DistortedOracle(half), attributes=("aperture",))

    read = [(r.asked, r.matching) for r in findings.results if r.role == "pair" and r.matching]
    assert read
    for asked, matching in read:
        assert matching == pytest.approx(asked / 2, abs=0.35)  # frames lie a stop apart


def test_what_changes_outside_the_edit_mask_is_seen(tmp_path: Path) -> None:
    """An editor that turns the object and dims the whole picture, beside one that only turns it."""
    disc_HW = make_annotation("disc", SIZE_PX).mask_HW
    frames = tuple(
        replace(
            frame,
            linear_HW3=np.where(
                disc_HW[..., None], frame.linear_HW3, aperture_sweep("still").frames[0].linear_HW3
            ),
            annotation=make_annotation("disc", SIZE_PX),
        )
        for frame in aperture_sweep("turned").frames
    )
    sweep = replace(aperture_sweep("masked"), frames=frames, edited_area="object")
    job = DatasetJob(name="masked", seed=3, annotations=("mask",))
    result = compose_light(sweep, {"aperture": PairPlan(num_pairs=20)}, job)
    table = staged_table(result, producer="render", unit_id="masked", origin={})
    write_shard(shard_path(tmp_path, 0), [table])
    write_index(tmp_path, [shard_path(tmp_path, 0)])
    dataset = PairDataset([tmp_path], splits=("test",))

    class Dims(DistortedOracle):
        def answer(self, asked: Sequence[Asked]) -> list[Answer]:
            answers = super().answer(asked)
            return [a if isinstance(a, EditFailure) else a // 2 for a in answers]

    right, dimmed = (
        score_of(scored(dataset, editor, attributes=("aperture",))[0], "aperture", "matching")
        for editor in (DistortedOracle(exact), Dims(exact))
    )

    assert right.outside_delta_e == right.outside_true_delta_e == 0.0
    assert dimmed.outside_delta_e is not None
    assert dimmed.outside_delta_e > 10.0
    assert dimmed.outside_true_delta_e == 0.0
