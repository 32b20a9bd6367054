"""Rectified flow: x_t = (1 - t) x0 + t noise, so t = 1 is noise and velocity = noise - x0.

Sources: Liu et al. 2022 (2209.03003), time reversed; logit-normal times and their shift: Esser et
al. 2024 (2403.03206).
"""

from collections.abc import Callable

import torch
from torch import Tensor

Predictor = Callable[[Tensor, Tensor], Tensor]  # (x_t, time_B) to the predicted x0


def draw_times(generator: torch.Generator, batch_size: int, shift: float) -> Tensor:
    """Return logit-normal times (B,) in (0, 1); shift > 1 moves them towards noise.

    The source already shows the picture, so what a number does is learned at high noise.
    """
    time_B = torch.sigmoid(torch.randn(batch_size, generator=generator))
    return shift * time_B / (1.0 + (shift - 1.0) * time_B)


def noisy_at(x0_BCHW: Tensor, noise_BCHW: Tensor, time_B: Tensor) -> Tensor:
    """Return x_t."""
    time_B111 = time_B.view(-1, 1, 1, 1)
    return (1.0 - time_B111) * x0_BCHW + time_B111 * noise_BCHW


@torch.no_grad()
def euler_sample(predict: Predictor, noise_BCHW: Tensor, num_steps: int) -> Tensor:
    """Return x0 by Euler steps from noise at t = 1 to t = 0.

    The last step lands on the prediction itself, so one step is a plain regression.
    """
    x_t = noise_BCHW
    for step in range(num_steps):
        now, after = 1.0 - step / num_steps, 1.0 - (step + 1) / num_steps
        x0 = predict(x_t, torch.full((len(x_t),), now))
        x_t = x0 + (after / now) * (x_t - x0)
    return x_t
