from pathlib import Path

import torch

from train.model.compact import build_compact, load_compact, pack, predict_target, unpack
from train.model.log_light import HALF_RANGE_STOPS
from train.model.vocabulary import words_by_number


def test_packing_is_undone_by_unpacking() -> None:
    """Row order of patches and channel order inside them survive."""
    picture = torch.arange(2 * 3 * 16 * 24, dtype=torch.float32).reshape(2, 3, 16, 24)

    tokens = pack(picture)

    assert tokens.shape == (2, 6, 192)
    assert torch.equal(unpack(tokens, 16, 24), picture)


def test_a_token_holds_the_pixels_of_one_patch() -> None:
    """The second token of a 16 x 24 picture is the patch in the middle of its top row."""
    picture = torch.zeros(1, 3, 16, 24)
    picture[:, :, 0:8, 8:16] = 1.0

    tokens = pack(picture)

    assert tokens[0, 1].min() == 1.0
    assert tokens[0, [0, 2, 3, 4, 5]].max() == 0.0


def test_a_fresh_base_returns_its_source() -> None:
    """The correction starts at zero, so training starts from the identity."""
    torch.manual_seed(0)
    base = build_compact(32, ["exposure"], num_places=1)
    source = torch.randn(2, 3, 16, 16)

    predicted = predict_target(
        base, torch.randn(2, 3, 16, 16), torch.tensor([0.3, 1.0]), source, [words_by_number(1)] * 2
    )

    assert torch.equal(predicted, source)


def test_three_channels_brighten_all_alike_whatever_was_learned() -> None:
    """Some steps of training later, a stop on one of them is a stop of its colour everywhere."""
    torch.manual_seed(0)
    base = build_compact(32, ["exposure"], num_places=1)
    weights = [weight for network in base.modules() for weight in network.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-2, weight_decay=0.0)
    source, target = torch.randn(2, 3, 16, 24), torch.randn(2, 3, 16, 24)
    inputs = (torch.randn(2, 3, 16, 24), torch.tensor([0.3, 1.0]), source, [words_by_number(1)] * 2)
    for _ in range(5):
        optimizer.zero_grad()
        (predict_target(base, *inputs) - target).square().mean().backward()
        optimizer.step()

    with torch.no_grad():
        before = predict_target(base, *inputs)
        shifts = base.transformer.norm_out.linear.bias.chunk(2)[1]
        shifts[-3:] += torch.tensor([1.0, 0.0, -2.0])
        stops = (predict_target(base, *inputs) - before) * HALF_RANGE_STOPS

    assert (before - source).abs().mean() > 0.01
    asked = torch.tensor([1.0, 0.0, -2.0]).view(1, 3, 1, 1).expand_as(stops)
    torch.testing.assert_close(stops, asked, rtol=0.0, atol=2e-5)


def test_a_saved_base_predicts_the_same(tmp_path: Path) -> None:
    """config.json and safetensors hold everything the base needs."""
    torch.manual_seed(0)
    base = build_compact(32, ["exposure"], num_places=1)
    torch.nn.init.normal_(base.transformer.proj_out.weight)
    inputs = (torch.randn(1, 3, 16, 16), torch.tensor([0.7]), torch.randn(1, 3, 16, 16))

    base.save(tmp_path)
    loaded = load_compact(tmp_path)

    words = [words_by_number(1)]
    torch.testing.assert_close(
        predict_target(loaded, *inputs, words), predict_target(base, *inputs, words)
    )
