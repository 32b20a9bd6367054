"""How the learning rate changes over the steps of a stage."""

import math


def learning_rate_at(step: int, num_steps: int, peak: float, warm_up_steps: int) -> float:
    """Return the learning rate of a step: linear warm-up, then half a cosine to zero."""
    warm_up = min(1.0, (step + 1) / max(1, warm_up_steps))
    return peak * warm_up * 0.5 * (1.0 + math.cos(math.pi * step / num_steps))
