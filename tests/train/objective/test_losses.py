import pytest
import torch
from torch import Tensor

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from train.data.batches import Batch
from train.model.log_light import HALF_RANGE_STOPS, encode_log_light
from train.objective.losses import LOG_LIGHT

EXPOSURE = EditScale("exposure", 1.0)
POWER = EditScale("light_power", 1.0)
FINEST = 1e-3  # what a perfect prediction costs


def loss_of(predicted: Tensor, source: Tensor, target: Tensor, edits: list[EditScale]) -> float:
    """The loss of light (3, H, W) predicted of one sample, all of it within the display."""
    source, target, predicted = (encode_log_light(x[None]) for x in (source, target, predicted))
    batch = Batch(source, target, (tuple(edits),))
    return LOG_LIGHT.loss(TrainJob(), predicted, batch, torch.ones(1)).item()


@pytest.mark.parametrize("edits", [[EXPOSURE], [POWER], [EXPOSURE, POWER]])
def test_what_is_right_costs_nothing(edits: list[EditScale]) -> None:
    """Camera, lamp, and both."""
    source = torch.linspace(0.02, 0.3, 3 * 64).reshape(3, 8, 8)

    assert loss_of(2.0 * source, source, 2.0 * source, edits) == pytest.approx(FINEST, rel=1e-3)


def test_a_tenth_of_a_stop_of_exposure_counts_ten_times_beside_its_pixels() -> None:
    """All pixels are off by x and so is the number: the root of x**2 + 10 x**2."""
    source = torch.linspace(0.02, 0.3, 3 * 64).reshape(3, 8, 8)
    x = 0.1 / HALF_RANGE_STOPS

    loss = loss_of(2.0**0.9 * source, source, 2.0 * source, [EXPOSURE])

    assert loss == pytest.approx((11.0 * x**2 + FINEST**2) ** 0.5, rel=1e-4)


def test_an_exposure_is_judged_in_the_shadows_too() -> None:
    """Half of the pixels dark and wrong cost the same as half of them bright and wrong."""
    source = torch.full((3, 8, 8), 0.01)
    source[..., 4:] = 0.4
    wrong_shadows, wrong_lights = (2.0 * source for _ in range(2))
    wrong_shadows[..., :4] *= 2.0**-0.1
    wrong_lights[..., 4:] *= 2.0**-0.1

    losses = [loss_of(p, source, 2.0 * source, [EXPOSURE]) for p in (wrong_shadows, wrong_lights)]

    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
