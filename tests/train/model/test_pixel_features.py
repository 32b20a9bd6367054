import pytest
import torch

from train.model.pixel_features import PixelFeatures, weighed


def test_equal_weights_of_all_tokens_weigh_every_pixel_alike() -> None:
    """The sum over features, per channel, and nothing of the patches shows."""
    features = torch.randn(2, 4, 16, 24, generator=torch.Generator().manual_seed(0))
    weights = torch.arange(12.0).expand(2, 6, 12)  # three channels of four features

    predicted = weighed(weights, features, rows=2)

    expected = torch.einsum("cf,bfhw->bchw", torch.arange(12.0).view(3, 4), features)
    torch.testing.assert_close(predicted, expected)


def test_between_the_middles_of_tokens_weights_are_linear() -> None:
    """From 0 in the middle of the first patch to 1 in that of the second: an eighth a pixel."""
    features = torch.ones(1, 1, 8, 16)
    weights = torch.tensor([[[0.0] * 3, [1.0] * 3]])

    predicted = weighed(weights, features, rows=1)

    ramp = ((torch.arange(16) - 3.5) / 8.0).clamp(0.0, 1.0)
    torch.testing.assert_close(predicted[0, 0, 0], ramp)


@pytest.mark.parametrize(("distance", "is_seen"), [(7, True), (8, False)])
def test_a_feature_knows_the_patch_around_its_pixel(distance: int, is_seen: bool) -> None:
    """Seven pixels to each side; the first feature knows nothing and is 1."""
    torch.manual_seed(0)
    network = PixelFeatures(4, 8)
    source = torch.zeros(1, 3, 24, 24)
    changed = source.clone()
    changed[..., 12, 12 + distance] = 1.0

    before, after = network(source)[0, :, 12, 12], network(changed)[0, :, 12, 12]

    assert before[0] == after[0] == 1.0
    assert bool((before != after).any()) is is_seen
