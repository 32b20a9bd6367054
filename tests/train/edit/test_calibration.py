import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.light.relighting import balance_gain_rgb
from cat_dataset.records import EditScale
from tests.train.conftest import ATTRIBUTES, tiny_job
from tests.train.small_bases import random_base
from tests.train.stopped_runs import hashes
from train.adapter.adapter import NumericAdapter, Task, number_features
from train.adapter.fresh_adapter import fresh_adapter
from train.data.pairs import TrainingPairs
from train.edit.backends import CompactBackend, Edits
from train.edit.calibration import _fitted, calibrate
from train.loop.loop import run_training
from train.model.log_light import HALF_RANGE_STOPS
from train.runs.metrics_log import read_log

TASKS = [
    Task("exposure", "exposure", "stops", -2.0, 2.0, None, None),
    Task("white_balance", "white balance", "mired", -160.0, 160.0, DAYLIGHT_CCT_K, "K"),
    Task("light_power", "light power", "stops", -2.0, 2.0, None, None),
]


@dataclass
class WrongBackend:
    """Paints true edits, each off by what its task's error says and its encoder takes back."""

    adapter: NumericAdapter
    error: dict[str, Callable[[EditScale], float]]  # relative
    fresh: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fresh = {n: e.weight.detach().clone() for n, e in self.adapter.encoders.items()}

    def predict_identity(self, source_BCHW: Tensor) -> Tensor:
        """Return the pictures a little off, as a base does; that must cancel."""
        return source_BCHW + 0.01

    def predict(self, source_BCHW: Tensor, edits: Sequence[Edits]) -> Tensor:
        """Return the edited pictures, in log light."""
        changes = [self.change_stops(edit) for (edit,) in edits]
        stops_BC = torch.tensor(np.stack(changes), dtype=torch.float32)
        return self.predict_identity(source_BCHW) + stops_BC[:, :, None, None] / HALF_RANGE_STOPS

    def change_stops(self, edit: EditScale) -> np.ndarray:
        """Return the gain (3,) of an edit, in proportion to its code beside the fresh one's."""
        name, task = edit.attribute, self.adapter.tasks[edit.attribute]
        features_F = torch.tensor(number_features(task, edit, task.largest_value))
        fresh_E = self.fresh[name] @ features_F
        now_E = self.adapter.encoders[name].weight.detach() @ features_F
        made = float(now_E @ fresh_E / (fresh_E @ fresh_E)) + self.error[name](edit)
        return made * true_gain_stops(edit)


def true_gain_stops(edit: EditScale) -> np.ndarray:
    """Return the gain (3,) that an edit asks for."""
    if edit.attribute == "exposure":
        return np.full(3, edit.value)
    assert edit.source_value is not None
    assert edit.target_value is not None
    return np.log2(balance_gain_rgb(edit.source_value, edit.target_value))


def backend_that(**obeys: float) -> WrongBackend:
    """Return a backend whose edits are in part obeyed; its adapter has random encoders."""
    torch.manual_seed(0)
    base = random_base(ATTRIBUTES)
    error: dict[str, Callable[[EditScale], float]] = {
        name: partial(lambda error, _edit: error, share - 1.0) for name, share in obeys.items()
    }
    return WrongBackend(fresh_adapter(base.transformer, TASKS, tiny_job()), error)


def calibrated(
    backend: WrongBackend, data_folder: Path, job: TrainJob | None = None
) -> dict[str, float]:
    """Calibrate on the training split, and return the slopes that were found."""
    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    return calibrate(job or tiny_job(), pairs, cast("CompactBackend", backend))


def test_what_pictures_lack_of_a_number_is_made_up_for(data_folder: Path) -> None:
    """Two per cent short and three too strong, each task by its own, clipped pairs or not."""
    backend = backend_that(exposure=0.98, white_balance=1.03)

    slopes = calibrated(backend, data_folder)

    assert slopes == pytest.approx({"exposure": 0.98, "white_balance": 1.03}, rel=1e-5)
    for edit in (
        EditScale("exposure", 0.75),
        EditScale("exposure", -1.5),
        EditScale("white_balance", -50.0, source_value=4000.0, target_value=5000.0),
    ):
        true_C = true_gain_stops(edit)
        np.testing.assert_allclose(backend.change_stops(edit), true_C, rtol=2e-4, atol=1e-4)
    assert torch.equal(backend.adapter.encoders["light_power"].weight, backend.fresh["light_power"])


def test_a_response_that_waves_is_straightened(data_folder: Path) -> None:
    """A hundredth too weak in the middle, a hundredth too strong at the ends: the slope is right.

    What is found at the numbers of pairs holds at all between them, to a tenth of what was wrong.
    """
    backend = backend_that(exposure=1.0, white_balance=1.0)
    backend.error["exposure"] = lambda edit: 0.02 * (edit.value / 2.0) ** 2 - 0.01
    before = errors_stops(backend)

    calibrated(backend, data_folder)

    assert max(before) > 0.01
    assert max(errors_stops(backend)) < 0.1 * max(before)


def errors_stops(backend: WrongBackend) -> list[float]:
    """Return how far exposures over the range are off."""
    edits = [EditScale("exposure", float(value)) for value in np.linspace(-1.9, 1.9, 39)]
    return [abs(backend.change_stops(edit)[1] - edit.value) for edit in edits]


@dataclass
class MixingBackend:
    """Brightens each channel by a mix of the code: what each is off by differs."""

    adapter: NumericAdapter
    mix_CE: Tensor

    def predict_identity(self, source_BCHW: Tensor) -> Tensor:
        """Return the pictures as they are."""
        return source_BCHW

    def predict(self, source_BCHW: Tensor, edits: Sequence[Edits]) -> Tensor:
        """Return the edited pictures, in log light."""
        stops_BC = torch.stack([self.stops(edit) for (edit,) in edits])
        return source_BCHW + stops_BC[:, :, None, None] / HALF_RANGE_STOPS

    def stops(self, edit: EditScale) -> Tensor:
        """Return the gain (3,) of an edit."""
        task = self.adapter.tasks[edit.attribute]
        features_F = torch.tensor(number_features(task, edit, task.largest_value))
        return self.mix_CE @ self.adapter.encoders[edit.attribute].weight.detach() @ features_F


def test_each_colour_is_made_true_by_itself(data_folder: Path) -> None:
    """An exposure that is right on average, but leaves green a fiftieth short."""
    adapter = backend_that(exposure=1.0, white_balance=1.0).adapter
    mix_CE = torch.randn(3, 64)
    asked_CF = 2.0 * torch.tensor([[1.01], [0.98], [1.01]]) * torch.eye(4)[:1]  # range: 2 stops
    adapter.encoders["exposure"].weight.data = torch.linalg.pinv(mix_CE) @ asked_CF
    backend = MixingBackend(adapter, mix_CE)

    pairs = TrainingPairs([data_folder], ("train",), ATTRIBUTES)
    slopes = calibrate(tiny_job(), pairs, cast("CompactBackend", backend))

    assert slopes["exposure"] == pytest.approx(1.0, abs=1e-5)
    for value in (-1.6, 0.3, 1.9):
        made_C = backend.stops(EditScale("exposure", value))
        torch.testing.assert_close(made_C, torch.full((3,), value), rtol=1e-4, atol=1e-4)


def test_an_odd_picture_does_not_decide() -> None:
    """One edit of thirty that fails altogether moves the others by less than a thousandth."""
    task = TASKS[0]
    values = np.linspace(-2.0, 2.0, 30)
    features = np.array([number_features(task, EditScale("exposure", v), 2.0) for v in values])
    errors = 0.01 * values
    errors[20] = -values[20]

    fitted = features @ _fitted(features, errors, values)

    np.testing.assert_allclose(np.delete(fitted, 20), np.delete(0.01 * values, 20), atol=1e-3)


def test_what_is_in_memory_at_once_changes_nothing(data_folder: Path) -> None:
    """Parts of a batch add up to the whole, in what is measured and in what is tried."""
    frugal = tiny_job().with_settings({"optimizer.micro_batch_size": 1})
    whole, parts = (backend_that(exposure=0.98, white_balance=1.03) for _ in range(2))

    calibrated(whole, data_folder)
    slopes = calibrated(parts, data_folder, frugal)

    assert slopes == pytest.approx({"exposure": 0.98, "white_balance": 1.03}, rel=1e-5)
    for name in slopes:
        weights = [backend.adapter.encoders[name].weight for backend in (whole, parts)]
        torch.testing.assert_close(*weights, rtol=1e-5, atol=1e-6)


def test_an_adapter_that_has_not_learned_yet_stays_as_it_is(data_folder: Path) -> None:
    """No factor makes half of a number true in every picture; it is measured all the same."""
    backend = backend_that(exposure=0.5, white_balance=1.0)

    slopes = calibrated(backend, data_folder)

    assert slopes["exposure"] == pytest.approx(0.5, rel=1e-5)
    assert torch.equal(backend.adapter.encoders["exposure"].weight, backend.fresh["exposure"])


def test_an_attribute_hinted_at_in_words_is_left_alone(data_folder: Path) -> None:
    """The encoder does not carry the whole of its response."""
    job = tiny_job().with_settings({"base.prompt_hint_attributes": ("exposure",)})
    base = random_base(ATTRIBUTES)
    error = backend_that(exposure=0.98, white_balance=1.0).error
    worded = WrongBackend(fresh_adapter(base.transformer, TASKS, job), error)

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
    job = tiny_job().with_settings({"method": "no_task_id"})
    shared = WrongBackend(fresh_adapter(base.transformer, TASKS, job), {})

    assert calibrated(shared, data_folder) == {}
    assert torch.equal(shared.adapter.encoders["all"].weight, shared.fresh["all"])
