from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cat_dataset.display import decode_display
from cat_dataset.gates import PairRejectedError
from cat_dataset.plans import PairPlan
from cat_dataset.recompose import draw_pair
from cat_dataset.records import LightBasis, Sweep
from tests.cat_dataset.conftest import make_light_basis
from tests.cat_dataset.linear_light import make_sweep

PLANS = {"exposure": PairPlan(), "light_power": PairPlan(), "object_rotation": PairPlan()}
COMBINED = {"exposure": PairPlan(value_range=(0.9, 1.0)), "exposure+light_power": PairPlan()}


def drawn(light: LightBasis | Sweep, epochs: Sequence[int], **rest: Any) -> list[Any]:
    """Return the pair of each epoch."""
    return [draw_pair(light, PLANS, seed=1, epoch=epoch, **rest) for epoch in epochs]


def test_a_drawn_pair_depends_on_seed_epoch_and_light_alone() -> None:
    """Whoever reads it, whenever: the same numbers and pictures; other ones next epoch."""
    light = make_light_basis("drawn")

    first, again = drawn(light, range(8)), drawn(light, reversed(range(8)))[::-1]

    for pair, other in zip(first, again, strict=True):
        assert pair.edits == other.edits
        np.testing.assert_array_equal(pair.source_HW3, other.source_HW3)
        np.testing.assert_array_equal(pair.target_HW3, other.target_HW3)
    assert len({pair.edits[0].value for pair in first}) == 8
    assert {pair.edits[0].attribute for pair in first} == {"exposure", "light_power"}
    assert draw_pair(light, PLANS, seed=2, epoch=0).edits != first[0].edits


def test_several_attributes_are_drawn_at_once() -> None:
    """In the ranges of the single plans, which do not give a pair of their own then."""
    light = make_light_basis("drawn")

    pairs = [draw_pair(light, COMBINED, seed=1, epoch=epoch) for epoch in range(12)]

    assert {len(pair.edits) for pair in pairs} == {1, 2}
    assert all(0.9 <= pair.edits[0].value <= 1.0 for pair in pairs)


def test_a_drawn_pair_shows_what_it_says() -> None:
    """Its pictures are those that a data set would hold."""
    plans = {"exposure": PairPlan(value_range=(1.0, 1.5))}

    pair = draw_pair(make_light_basis("drawn"), plans, seed=1, epoch=0)

    assert pair.edits[0].measured == pytest.approx(pair.edits[0].value, abs=0.002)
    codes = np.concatenate([pair.source_HW3, pair.target_HW3], axis=-1)
    safe = ((codes > 40) & (codes < 250)).all(axis=-1)
    ratio = (
        decode_display(pair.target_HW3)[safe][:, 1] / decode_display(pair.source_HW3)[safe][:, 1]
    )
    assert float(np.median(np.log2(ratio))) == pytest.approx(pair.edits[0].value, abs=0.02)


def test_pairs_of_a_sweep_are_drawn_too() -> None:
    """Two of its frames, other ones in other epochs."""
    pairs = drawn(make_sweep(), range(12))

    assert {pair.edits[0].attribute for pair in pairs} == {"object_rotation"}
    assert len({pair.edits[0].value for pair in pairs}) >= 4


def test_light_that_gives_no_pair_says_why() -> None:
    """Nothing that was asked for, or nothing visible."""
    dark = make_light_basis("dark")
    dark = replace(
        dark, images_GHW3=dark.images_GHW3 * np.float32([1e-5, 1, 1])[:, None, None, None]
    )

    with pytest.raises(PairRejectedError, match="dark: gives no pair in epoch 3: invisible"):
        draw_pair(dark, {"light_power": PairPlan()}, seed=1, epoch=3)
    with pytest.raises(PairRejectedError, match="its light has none of object_rotation"):
        draw_pair(dark, {"object_rotation": PairPlan()}, seed=1, epoch=3)
