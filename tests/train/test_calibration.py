import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from cat_dataset.photometry import DAYLIGHT_CCT_K, white_balance_gains
from cat_dataset.records import EditScale
from cat_dataset.train_job import TrainJob
from train.adapter import NumericAdapter, Task
from train.calibration import calibrate
from train.fresh_adapter import fresh_adapter
from train.log_light import HALF_STOPS
from train.loop import run_training
from train.painters import CompactPainter, Edits
from train.pairs import TrainingPairs
from train.runlog import read_log

from .conftest import ATTRIBUTES, tiny_job
from .small_bases import random_base
from .stopped_runs import hashes

TASKS = [
    Task("exposure", "exposure", "stops", -2.0, 2.0, None, None),
    Task("white_balance", "white balance", "mired", -160.0, 160.0, DAYLIGHT_CCT_K, "K"),
    Task("light_power", "light power", "stops", -2.0, 2.0, None, None),
]


@dataclass
class ShortPainter:
    """Paints true edits, each short by a share that scaling its encoder takes away."""

    adapter: NumericAdapter
    obeys: dict[str, float]
    fresh: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fresh = {n: e.weight.detach().clone() for n, e in self.adapter.encoders.items()}

    def kept(self, source_BCHW: Tensor) -> Tensor:
        """Return the pictures a little off, as a base does; that must cancel."""
        return source_BCHW + 0.01

    def painted(self, source_BCHW: Tensor, edits: Sequence[Edits]) -> Tensor:
        """Return the edited pictures, in log light."""
        changes = [self._change_stops(edit) for (edit,) in edits]
        stops_BC = torch.tensor(np.stack(changes), dtype=torch.float32)
        return self.kept(source_BCHW) + stops_BC[:, :, None, None] / HALF_STOPS

    def _change_stops(self, edit: EditScale) -> np.ndarray:
        name = edit.attribute
        scale = (self.adapter.encoders[name].weight / self.fresh[name]).mean().item()
        if name == "exposure":
            return np.full(3, self.obeys[name] * scale * edit.value)
        assert edit.source_value is not None
        assert edit.target_value is not None
        gains = white_balance_gains(edit.source_value, edit.target_value)
        return self.obeys[name] * scale * np.log2(gains)


def painter_that(**obeys: float) -> ShortPainter:
    """Return a painter whose adapter has random encoders."""
    torch.manual_seed(0)
    base = random_base(ATTRIBUTES)
    return ShortPainter(fresh_adapter(base.transformer, TASKS, tiny_job()), obeys)


def calibrated(
    painter: ShortPainter, data_folder: Path, job: TrainJob | None = None
) -> dict[str, float]:
    """Calibrate on the training split, and return the slopes that were found."""
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    return calibrate(job or tiny_job(), pairs, cast("CompactPainter", painter))


def test_what_pictures_lack_of_a_number_is_made_up_for(data_folder: Path) -> None:
    """Two per cent short and three too strong, each task by its own, clipped pairs or not."""
    painter = painter_that(exposure=0.98, white_balance=1.03)

    slopes = calibrated(painter, data_folder)

    assert slopes == pytest.approx({"exposure": 0.98, "white_balance": 1.03}, rel=1e-5)
    for name, slope in slopes.items():
        weight = painter.adapter.encoders[name].weight
        torch.testing.assert_close(weight, painter.fresh[name] / slope, rtol=1e-5, atol=1e-6)
    assert torch.equal(painter.adapter.encoders["light_power"].weight, painter.fresh["light_power"])


def test_what_is_in_memory_at_once_changes_no_slope(data_folder: Path) -> None:
    """Parts of a batch add up to the whole."""
    frugal = tiny_job().model_copy(update={"micro_batch_size": 1})

    slopes = calibrated(painter_that(exposure=0.98, white_balance=1.03), data_folder, frugal)

    assert slopes == pytest.approx({"exposure": 0.98, "white_balance": 1.03}, rel=1e-5)


def test_an_adapter_that_has_not_learned_yet_stays_as_it_is(data_folder: Path) -> None:
    """No factor makes half of a number true in every picture; it is measured all the same."""
    painter = painter_that(exposure=0.5, white_balance=1.0)

    slopes = calibrated(painter, data_folder)

    assert slopes["exposure"] == pytest.approx(0.5, rel=1e-5)
    assert torch.equal(painter.adapter.encoders["exposure"].weight, painter.fresh["exposure"])


def test_what_the_base_is_told_in_words_is_left_alone(data_folder: Path) -> None:
    """The encoder does not carry the whole of its response."""
    job = tiny_job().model_copy(update={"worded_tasks": ("exposure",)})
    base = random_base(ATTRIBUTES)
    obeys = {"exposure": 0.98, "white_balance": 1.0}
    worded = ShortPainter(fresh_adapter(base.transformer, TASKS, job), obeys)

    assert set(calibrated(worded, data_folder)) == {"white_balance"}
    assert torch.equal(worded.adapter.encoders["exposure"].weight, worded.fresh["exposure"])


def test_a_run_says_what_slopes_it_found(data_folder: Path, tmp_path: Path) -> None:
    """As the last entry of the adapter's log; once, though a kill let it calibrate twice."""
    adapter = run_training(tiny_job(), [data_folder], tmp_path, num_threads=1)
    written = hashes(adapter)
    shutil.rmtree(adapter)  # as if killed before it was written
    assert hashes(run_training(tiny_job(), [data_folder], tmp_path, num_threads=1)) == written

    said = [entry for entry in read_log(tmp_path) if "slope_exposure" in entry]
    assert said == [read_log(tmp_path)[-1]]
    assert said[0].keys() == {"stage", "step", "slope_exposure", "slope_white_balance"}
    assert (said[0]["stage"], said[0]["step"]) == ("adapter", 10)


def test_tasks_that_share_an_encoder_are_left_alone(data_folder: Path) -> None:
    """One factor cannot be right for two units."""
    base = random_base(ATTRIBUTES)
    job = tiny_job().model_copy(update={"task_ids": False})
    shared = ShortPainter(fresh_adapter(base.transformer, TASKS, job), {})

    assert calibrated(shared, data_folder) == {}
    assert torch.equal(shared.adapter.encoders["all"].weight, shared.fresh["all"])
