from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.compose.quality_checks import PairRejectedError
from cat_dataset.compose.stored_light import draw_pair
from cat_dataset.imaging.display import decode_display
from cat_dataset.imaging.light_conditioning import LightConditioning
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.light_state import light_frame
from cat_dataset.records import EditScale, LightBasis, Sweep
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


def test_a_plan_is_drawn_as_often_as_its_number_of_pairs_says() -> None:
    """Three times as many pairs of the lamp as of the camera."""
    plans = {"exposure": PairPlan(num_pairs=1), "light_power": PairPlan(num_pairs=3)}
    light = make_light_basis("drawn")

    pairs = [draw_pair(light, plans, seed=1, epoch=epoch) for epoch in range(200)]

    lamps = sum(pair.edits[0].attribute == "light_power" for pair in pairs)
    assert lamps == pytest.approx(150, abs=20)  # three standard deviations


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


@pytest.mark.parametrize("light", [make_light_basis("drawn"), make_sweep()])
def test_held_out_edits_are_drawn_anew_and_all_others_as_they_were(
    light: LightBasis | Sweep,
) -> None:
    """Of a basis and of a sweep, what goes one way."""

    def goes_back(edits: Sequence[EditScale]) -> bool:
        return any(edit.value < 0.0 for edit in edits)

    plain, held_out = drawn(light, range(16)), drawn(light, range(16), is_held_out=goes_back)

    assert any(goes_back(pair.edits) for pair in plain)
    assert not any(goes_back(pair.edits) for pair in held_out)
    for pair, other in zip(plain, held_out, strict=True):
        assert goes_back(pair.edits) or pair.edits == other.edits
    with pytest.raises(PairRejectedError, match="in epoch 0: every number drawn is held out"):
        drawn(light, [0], is_held_out=lambda _edits: True)


def test_what_is_held_out_is_never_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of a loader's time went into pictures that nobody was to see."""
    composed: list[object] = []

    def frame(*args: Any, **rest: Any) -> Any:
        composed.append(args)
        return light_frame(*args, **rest)

    monkeypatch.setattr("cat_dataset.compose.pair_candidate.light_frame", frame)
    pairs = drawn(make_light_basis("drawn"), range(8), is_held_out=lambda e: e[0].value < 0.0)

    assert len(pairs) == 8
    assert len(composed) == 16


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


def _odd_lights() -> list[LightBasis]:
    """Return lights of every kind that a readout may fail on, and plain ones."""
    plain = make_light_basis("plain", 24)
    images, groups = plain.images_GHW3, plain.groups
    candle = replace(groups[0], cct_k=1850.0)  # has no blue in sRGB
    clipped_HW = images[0, ..., 1] > np.percentile(images[0, ..., 1], 60)
    dim, alike, takes_away = images.copy(), images.copy(), images.copy()
    dim[0] *= np.float32(3e-6)
    alike[1] = images[0] * np.float32([1.0, 1.0 + 1e-5, 1.0])
    takes_away[0] -= np.float32(0.02)
    unlit = images.copy()
    unlit[0, ..., 2] = 0.0
    return [
        plain,
        replace(plain, scene="candle", groups=(candle, *groups[1:])),
        replace(plain, scene="tinted", groups=(replace(groups[0], cct_k=None), *groups[1:])),
        replace(plain, scene="clipped", clipped_HW=clipped_HW),
        replace(plain, scene="all-clipped", clipped_HW=np.ones_like(clipped_HW)),
        replace(plain, scene="dim", images_GHW3=dim),
        replace(plain, scene="alike", images_GHW3=alike),
        replace(plain, scene="takes-away", images_GHW3=takes_away),
        replace(plain, scene="unlit", images_GHW3=unlit),
        replace(plain, scene="tiny", images_GHW3=images[:, :6, :6]),
        replace(plain, scene="two", images_GHW3=images[[0, 2]], groups=groups[::2]),
    ]


def _outcome(light: LightBasis, name: str, seed: int, *, is_measured: bool) -> tuple[Any, ...]:
    """Return all that is drawn but what was measured, or why nothing is."""
    plans = {name: PairPlan()}
    try:
        pair = draw_pair(light, plans, seed=seed, epoch=0, is_measured=is_measured)
    except PairRejectedError as error:
        return (str(error),)
    edits = tuple(replace(edit, measured=None, measured_se=None) for edit in pair.edits)
    pictures = (pair.source_HW3.tobytes(), pair.target_HW3.tobytes())
    return pair.key, edits, pair.instruction, pair.develop, *pictures


def test_pairs_drawn_without_measuring_are_the_same_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over lights of every kind and all attributes: the same pairs, the same rejections."""
    monkeypatch.setattr(
        "cat_dataset.compose.stored_light.MAX_DRAWS", 1
    )  # so that every rejection shows
    singles = list(BASIS_ATTRIBUTES)
    names = [*singles, *("+".join(pair) for pair in combinations(singles, 2))]
    outcomes = []
    for light in _odd_lights():
        for name in names:
            for seed in range(4):
                measured = _outcome(light, name, seed, is_measured=True)
                assert _outcome(light, name, seed, is_measured=False) == measured
                outcomes.append((light.scene, measured))

    reasons = {outcome[0].split(": ")[-1][:12] for _, outcome in outcomes if len(outcome) == 1}
    assert len(reasons) >= 5  # the lights do fail in several ways
    assert sum(len(outcome) > 1 for _, outcome in outcomes) > len(outcomes) / 2


def test_plain_light_needs_no_measuring() -> None:
    """Its pairs stay as they were set; of a lamp too dim to be sure of, they are measured."""
    plans = {name: PairPlan() for name in BASIS_ATTRIBUTES}
    plain, groups = make_light_basis("plain"), make_light_basis("plain").groups
    images = plain.images_GHW3 * np.float32([3e-4, 1, 1])[:, None, None, None]
    dim = replace(plain, images_GHW3=images, groups=groups)

    of_plain = [
        edit
        for epoch in range(30)
        for edit in draw_pair(plain, plans, seed=1, epoch=epoch, is_measured=False).edits
    ]
    of_dim = LightConditioning.gain_error(
        dim.conditioning, np.ones((3, 3)), np.array([True, False, False])
    )

    assert all(edit.measured is None for edit in of_plain)
    assert {edit.attribute for edit in of_plain} == set(BASIS_ATTRIBUTES)
    assert of_dim > 1e-4
