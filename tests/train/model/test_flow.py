import math

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from train.model.flow import draw_times, euler_sample, noisy_at, scheduler_shift


def test_time_one_is_noise_and_time_zero_the_picture() -> None:
    """The direction of time, stated once and tested once."""
    x0, noise = torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8)

    noisy = noisy_at(x0, noise, torch.tensor([0.0, 1.0]))

    assert noisy[0].unique().tolist() == [0.0]
    assert noisy[1].unique().tolist() == [1.0]


@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_sampling_ends_on_what_a_perfect_predictor_says(num_steps: int) -> None:
    """Whatever the number of steps, the path from noise ends at x0."""
    x0 = torch.linspace(-1, 1, 3 * 8 * 8).reshape(1, 3, 8, 8)
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))

    sampled = euler_sample(lambda _x_t, _time: x0, noise, num_steps)

    torch.testing.assert_close(sampled, x0)


@pytest.mark.parametrize(
    ("shift", "times"), [(1.0, [1.0, 0.75, 0.5, 0.25]), (3.0, [1.0, 0.9, 0.75, 0.5])]
)
def test_the_predictor_is_asked_at_times_on_the_straight_path(
    shift: float, times: list[float]
) -> None:
    """With a perfect predictor every x_t lies on the line between noise and x0."""
    x0, noise = torch.full((1, 3, 8, 8), 0.5), torch.full((1, 3, 8, 8), -1.0)
    seen: list[tuple[float, Tensor]] = []

    def predict(x_t: Tensor, time_B: Tensor) -> Tensor:
        seen.append((float(time_B[0]), x_t))
        return x0

    euler_sample(predict, noise, 4, shift)

    assert [time for time, _ in seen] == pytest.approx(times)
    for time, x_t in seen:
        torch.testing.assert_close(x_t, noisy_at(x0, noise, torch.tensor([time])))


def test_a_shift_moves_times_towards_noise() -> None:
    """Shift 1 is symmetric about a half, shift 3 moves the median to three quarters."""
    plain = draw_times(torch.Generator().manual_seed(0), 20_000, shift=1.0)
    shifted = draw_times(torch.Generator().manual_seed(0), 20_000, shift=3.0)

    assert float(plain.median()) == pytest.approx(0.5, abs=0.01)
    assert float(shifted.median()) == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize(("num_tokens", "mu"), [(256, 0.5), (4096, 1.15), (2176, 0.825)])
def test_a_base_that_shifts_with_the_picture_is_trained_as_it_samples(
    num_tokens: int, mu: float
) -> None:
    """Our times are those that the stock scheduler makes of the same unshifted ones."""
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)

    shift = scheduler_shift(scheduler.config, num_tokens)

    assert shift == pytest.approx(math.exp(mu))
    plain = draw_times(torch.Generator().manual_seed(0), 100, shift=1.0)
    ours = draw_times(torch.Generator().manual_seed(0), 100, shift=shift)
    torch.testing.assert_close(ours, scheduler.time_shift(mu, 1.0, plain))


def test_a_base_with_one_shift_keeps_it() -> None:
    """Whatever the size of the picture."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)

    assert scheduler_shift(scheduler.config, 256) == scheduler_shift(scheduler.config, 4096) == 3.0
