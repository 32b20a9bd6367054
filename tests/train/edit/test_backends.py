import pytest
import torch

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from tests.train.small_bases import random_base
from train.adapter.adapter import Task
from train.adapter.fresh_adapter import fresh_adapter
from train.edit.backends import CompactBackend
from train.model.compact import COMPACT_TIME_SHIFT, predict_target
from train.model.flow import draw_times, noisy_at
from train.model.vocabulary import words_by_number

EXPOSURE = Task("exposure", "exposure", "stops", -2.0, 2.0, None, None)


@pytest.mark.parametrize("shift", [None, 3.0])
def test_a_picture_is_edited_at_the_time_that_its_training_lies_around(
    shift: float | None,
) -> None:
    """From the source under one and the same noise; half of the training's times are earlier."""
    base = random_base(["exposure"])
    job = TrainJob().with_settings({"adapter.code_size": 16, "base.time_shift": shift})
    backend = CompactBackend(base, fresh_adapter(base.transformer, [EXPOSURE], job))
    source_BCHW = torch.stack([torch.full((3, 16, 24), light) for light in (-0.5, 0.5)])

    identity_BCHW = backend.predict_identity(source_BCHW)

    times = draw_times(torch.Generator().manual_seed(0), 20_000, shift or COMPACT_TIME_SHIFT)
    time = backend.adapter.config["paint_time"]
    assert (times < time).float().mean().item() == pytest.approx(0.5, abs=0.01)
    noise_CHW = torch.randn((3, 16, 24), generator=torch.Generator().manual_seed(0))
    time_B = torch.full((2,), time)
    noisy_BCHW = noisy_at(source_BCHW, noise_CHW.expand_as(source_BCHW), time_B)
    with torch.no_grad():
        wanted_BCHW = predict_target(
            base, noisy_BCHW, time_B, source_BCHW, [words_by_number(1)] * 2
        )
    torch.testing.assert_close(identity_BCHW, wanted_BCHW)
    edited_BCHW = backend.predict(source_BCHW, [[EditScale("exposure", 1.0)]] * 2)
    assert torch.equal(edited_BCHW, identity_BCHW)  # a fresh adapter changes nothing


def test_a_pretrained_base_has_no_time_and_no_gain_of_ours() -> None:
    """Its own pipeline samples; what was measured is of the compact base."""
    base = random_base(["exposure"])
    job = TrainJob.model_validate(
        {"base": {"kind": "klein", "path": "somewhere"}, "adapter": {"code_size": 16}}
    )

    config = fresh_adapter(base.transformer, [EXPOSURE], job).config

    assert (config["paint_time"], config["last_gain"]) == (1.0, 1.0)
