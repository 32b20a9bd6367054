import pytest
import torch
from torch import Tensor

from cat_dataset.records import EditScale
from cat_dataset.train_job import TrainJob
from train import painters
from train.adapter import Task
from train.compact import COMPACT_TIME_SHIFT, CompactBase
from train.flow import draw_times
from train.fresh_adapter import fresh_adapter
from train.painters import CompactPainter

from .small_bases import random_base

EXPOSURE = Task("exposure", "exposure", "stops", -2.0, 2.0, None, None)


def test_a_picture_is_painted_at_the_time_that_most_training_lies_around(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of the training's times are earlier; x_t is the source under the same noise for all."""
    base = random_base(["exposure"])
    adapter = fresh_adapter(base.transformer, [EXPOSURE], TrainJob(code_size=16))
    seen: list[tuple[Tensor, Tensor]] = []

    def watched(
        _base: CompactBase, noisy: Tensor, time: Tensor, source: Tensor, _: object
    ) -> Tensor:
        seen.append((noisy, time))
        return source

    monkeypatch.setattr(painters, "predict_target", watched)
    source_BCHW = torch.stack([torch.full((3, 16, 24), light) for light in (-0.5, 0.5)])
    painter = CompactPainter(base, adapter)

    painter.kept(source_BCHW)
    painter.painted(source_BCHW, [[EditScale("exposure", 1.0)]] * 2)

    times = draw_times(torch.Generator().manual_seed(0), 20_000, COMPACT_TIME_SHIFT)
    for noisy_BCHW, time_B in seen:
        assert time_B.shape == (2,)
        assert (times < time_B[0]).float().mean().item() == pytest.approx(0.5, abs=0.01)
        noise_BCHW = (noisy_BCHW - (1.0 - time_B[0]) * source_BCHW) / time_B[0]
        torch.testing.assert_close(noise_BCHW[0], noise_BCHW[1])
        assert noise_BCHW.std().item() == pytest.approx(1.0, abs=0.1)
    assert torch.equal(seen[0][0], seen[1][0])
