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
from train import loop
from train.adapter import NumericAdapter, Task
from train.calibration import calibrate
from train.fresh_adapter import fresh_adapter
from train.log_light import HALF_STOPS
from train.loop import run_training
from train.painters import CompactPainter, Edits
from train.pairs import PairSource, TrainingPairs
from train.runlog import read_log

from .conftest import ATTRIBUTES, tiny_job
from .small_bases import random_base

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


def calibrated(painter: ShortPainter, data_folder: Path) -> dict[str, float]:
    """Calibrate on the training split, and return the factors."""
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    return calibrate(tiny_job(), pairs, cast("CompactPainter", painter))


def test_what_pictures_lack_of_a_number_is_made_up_for(data_folder: Path) -> None:
    """Two per cent short and three too strong, each task by its own; 8-bit pairs tell to 0.2 %."""
    painter = painter_that(exposure=0.98, white_balance=1.03)

    factors = calibrated(painter, data_folder)

    assert factors == pytest.approx({"exposure": 1 / 0.98, "white_balance": 1 / 1.03}, rel=2e-3)
    for name, factor in factors.items():
        weight = painter.adapter.encoders[name].weight
        torch.testing.assert_close(weight, factor * painter.fresh[name])
    assert torch.equal(painter.adapter.encoders["light_power"].weight, painter.fresh["light_power"])


def test_an_adapter_that_has_not_learned_yet_stays_as_it_is(data_folder: Path) -> None:
    """No factor makes half of a number true in every picture."""
    painter = painter_that(exposure=0.5, white_balance=1.0)

    factors = calibrated(painter, data_folder)

    assert "exposure" not in factors
    assert torch.equal(painter.adapter.encoders["exposure"].weight, painter.fresh["exposure"])


def test_a_run_says_by_what_its_adapter_was_calibrated(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the last entry of the adapter's log; what was scaled is what is shipped."""

    def doubled(_job: TrainJob, _pairs: PairSource, painter: CompactPainter) -> dict[str, float]:
        with torch.no_grad():
            painter.adapter.encoders["exposure"].weight.mul_(2.0)
        return {"exposure": 2.0}

    plain = run_training(tiny_job(), [data_folder], tmp_path / "plain", num_threads=1)
    monkeypatch.setattr(loop, "calibrate", doubled)
    scaled = run_training(tiny_job(), [data_folder], tmp_path / "scaled", num_threads=1)

    last = read_log(tmp_path / "scaled")[-1]
    assert last == {"stage": "adapter", "step": 10, "calibrated_exposure": 2.0}
    before, after = (
        NumericAdapter.from_pretrained(folder, use_safetensors=True).encoders["exposure"].weight
        for folder in (plain, scaled)
    )
    assert torch.equal(after, 2.0 * before)


def test_tasks_that_share_an_encoder_are_left_alone(data_folder: Path) -> None:
    """One factor cannot be right for two units."""
    base = random_base(ATTRIBUTES)
    job = tiny_job().model_copy(update={"task_ids": False})
    shared = ShortPainter(fresh_adapter(base.transformer, TASKS, job), {})

    assert calibrated(shared, data_folder) == {}
    assert torch.equal(shared.adapter.encoders["all"].weight, shared.fresh["all"])
