"""Rectified flow: x_t = (1 - t) x0 + t noise, so t = 1 is noise and velocity = noise - x0.

Sources: Liu et al. 2022 (2209.03003), time reversed; logit-normal times and their shift: Esser et
al. 2024 (2403.03206).
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor

Predictor = Callable[[Tensor, Tensor], Tensor]  # (x_t, time_B) to the predicted x0

# What FLUX schedulers have where their config says nothing: diffusers 0.42,
# FlowMatchEulerDiscreteScheduler.__init__.
_SCHEDULER_DEFAULTS = MappingProxyType(
    {
        "use_dynamic_shifting": False,
        "shift": 1.0,
        "base_shift": 0.5,
        "max_shift": 1.15,
        "base_image_seq_len": 256,
        "max_image_seq_len": 4096,
    }
)


def scheduler_shift(config: Mapping[str, float], num_tokens: int) -> float:
    """Return the shift at which a base was trained for pictures of `num_tokens` tokens.

    A base either has one shift, or one that grows with the picture: exp(mu), with mu linear in the
    number of tokens. `config` is that of its FlowMatchEulerDiscreteScheduler.

    Source: Esser et al. 2024, section 5.3.2; `calculate_shift` of diffusers' FLUX pipelines.

    >>> dynamic = {"use_dynamic_shifting": True}
    >>> [round(scheduler_shift(dynamic, tokens), 4) for tokens in (256, 4096)]
    [1.6487, 3.1582]
    >>> scheduler_shift({"shift": 3.0}, 4096)
    3.0
    """
    full = {**_SCHEDULER_DEFAULTS, **config}
    if not full["use_dynamic_shifting"]:
        return float(full["shift"])
    slope = (full["max_shift"] - full["base_shift"]) / (
        full["max_image_seq_len"] - full["base_image_seq_len"]
    )
    return math.exp(full["base_shift"] + slope * (num_tokens - full["base_image_seq_len"]))


def draw_times(generator: torch.Generator, batch_size: int, shift: float) -> Tensor:
    """Return logit-normal times (B,) in (0, 1); shift > 1 moves them towards noise.

    The source already shows the picture, so what a number does is learned at high noise.
    """
    return shifted(torch.sigmoid(torch.randn(batch_size, generator=generator)), shift)


def shifted(time_B: Tensor, shift: float) -> Tensor:
    """Return times in [0, 1] moved towards noise, as training and sampling move them alike."""
    moved: Tensor = shift * time_B / (1.0 + (shift - 1.0) * time_B)
    return moved


def noisy_at(x0_BCHW: Tensor, noise_BCHW: Tensor, time_B: Tensor) -> Tensor:
    """Return x_t."""
    time_B111 = time_B.view(-1, 1, 1, 1)
    return (1.0 - time_B111) * x0_BCHW + time_B111 * noise_BCHW


@torch.no_grad()
def euler_sample(
    predict: Predictor, noise_BCHW: Tensor, num_steps: int, shift: float = 1.0
) -> Tensor:
    """Return x0 by Euler steps from noise at t = 1 to t = 0, at times shifted as in training.

    The last step lands on the prediction itself, so one step is a plain regression.
    """
    x_t = noise_BCHW
    times = shifted(torch.linspace(1.0, 0.0, num_steps + 1, dtype=torch.float64), shift).tolist()
    for now, after in pairwise(times):
        x0 = predict(x_t, torch.full((len(x_t),), now, device=x_t.device))
        x_t = x0 + (after / now) * (x_t - x0)
    return x_t
