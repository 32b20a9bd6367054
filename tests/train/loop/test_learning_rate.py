import pytest

from train.loop.learning_rate import learning_rate_at


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    """Peak after 30 steps, half of it in the middle, nothing at the end."""
    assert learning_rate_at(0, 1000, 0.3, 30) == pytest.approx(0.01)
    assert learning_rate_at(500, 1000, 0.3, 30) == pytest.approx(0.15)
    assert learning_rate_at(1000, 1000, 0.3, 30) == pytest.approx(0.0)
