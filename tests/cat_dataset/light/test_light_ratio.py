"""The lighting ratio of a picture, against what the light itself says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.light_ratio import RATIO_RANGE, light_ratio_rgb, part_of_light
from cat_dataset.light.light_state import LightState, light_frame
from cat_dataset.records import LightBasis
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.scored_data import smooth_basis

LAMP = derive_rng(0, "ratio", "lamp").uniform(0.02, 0.3, (24, 24, 3)).astype(np.float32)
REST = derive_rng(0, "ratio", "rest").uniform(0.02, 0.3, (24, 24, 3)).astype(np.float32)


def test_as_much_from_the_lamp_as_from_the_rest_is_one_to_one() -> None:
    """And a wall that the lamp does not reach counts for nothing."""
    lamp, rest = np.full((16, 16, 3), 0.2, np.float32), np.full((16, 16, 3), 0.2, np.float32)
    lamp[:8], rest[:8] = 0.0, 0.9

    assert light_ratio_rgb(lamp, lamp + rest) == pytest.approx((1.0, 1.0, 1.0))


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.0, 0.4), st.floats(-1.5, 0.3))
def test_power_multiplies_the_ratio_and_exposure_leaves_it(lamp: float, exposure: float) -> None:
    """One stop more of a lamp doubles its ratio; the camera changes nothing."""
    ratio = np.array(light_ratio_rgb(LAMP, LAMP + REST))
    lit, camera = LAMP * np.float32(2.0**lamp), np.float32(2.0**exposure)

    changed = light_ratio_rgb(lit * camera, (lit + REST) * camera)

    np.testing.assert_allclose(np.array(changed), ratio * 2.0**lamp, rtol=1e-4)


def test_burnt_out_pixels_do_not_count() -> None:
    """Nobody can see what gives the light there."""
    lamp, rest = LAMP.copy(), REST.copy()
    lamp[:8] = 5.0

    assert light_ratio_rgb(lamp, lamp + rest) == pytest.approx(
        light_ratio_rgb(LAMP[8:], (LAMP + REST)[8:])
    )


def test_a_light_that_is_nowhere_has_no_ratio() -> None:
    """Nor has a picture that is black or white all over; a lamp alone has the largest."""
    assert light_ratio_rgb(np.zeros_like(REST), REST) is None
    assert light_ratio_rgb(LAMP, LAMP + 2.0) is None
    assert light_ratio_rgb(LAMP, LAMP) == (RATIO_RANGE[1],) * 3
    assert part_of_light([3.0, 1.0]).tolist() == [0.75, 0.5]


def test_pairs_carry_the_ratio_of_their_source(dataset_job: DatasetJob) -> None:
    """Of the lamp, of the ambient light, and none for what the camera does."""
    basis = smooth_basis("ratio")
    names = ("light_power", "ambient_level", "exposure", "exposure+light_temperature")
    pairs = compose_basis(basis, {n: PairPlan(num_pairs=1) for n in names}, dataset_job).pairs

    assert len(pairs) == len(names)
    for pair in pairs:
        source = decode_display(decode_png(pair.source_png))
        for edit, stored in zip(pair.edits, pair.to_json()["edits"], strict=True):
            if edit.attribute == "exposure":
                assert stored["light_ratio"] is None
                continue
            is_ambient = edit.attribute == "ambient_level"
            own = frozenset(
                g.name
                for g in basis.groups
                if (g.kind == "ambient" if is_ambient else g.name == basis.main_lamp)
            )
            light = _source_light(basis, pair.origin["source_state"], own)
            expected = light_ratio_rgb(light * pair.develop.exposure_anchor, source)
            assert stored["light_ratio"] == pytest.approx(expected, rel=0.01)


def _source_light(
    basis: LightBasis, state: Mapping[str, Any], groups: frozenset[str]
) -> NDArray[np.float32]:
    return light_frame(basis, LightState.from_json(state), only=groups)
