"""Every kind of prop, drawn several times: it stands, fits, and is dressed."""

import doctest

import numpy as np
import pytest

from cat_dataset.system.seeding import derive_rng
from render.blender import finishes, shapes
from render.blender.finishes import palette_rand
from render.families.craft import layout
from render.families.craft.props import Prop
from render.families.tabletop.catalogue import MAIN_KINDS, MAIN_SHARES, MAKERS, make_prop


def _drawn(kind: str, number: int) -> Prop:
    rng = derive_rng(number, "test-catalogue", kind)
    return make_prop(kind, rng, palette_rand(rng))


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_things_stand_on_the_table_in_a_size_that_fits(kind: str) -> None:
    """Lowest point at z = 0, between 3 and 40 cm high, dressed all over."""
    for number in range(5):
        prop = _drawn(kind, number)

        assert prop.kind == kind
        assert np.isfinite(prop.shape.vertices_V3).all()
        assert prop.shape.vertices_V3[:, 2].min() == pytest.approx(0.0, abs=1e-9)
        assert 0.03 < prop.shape.height_m < 0.4
        assert 0.02 < prop.shape.radius_m < 0.18
        assert set(prop.shape.slots_F) == set(range(len(prop.finishes)))


@pytest.mark.parametrize("kind", MAIN_KINDS)
def test_a_turn_of_a_main_object_can_be_seen(kind: str) -> None:
    """Seen from the side, its outline is wider from some directions than from others."""
    shape = _drawn(kind, 0).shape
    angle_rad = np.radians(np.arange(0.0, 360.0, 15.0))

    reach = shape.vertices_V3[:, :2] @ np.stack([np.cos(angle_rad), np.sin(angle_rad)])
    width = reach.max(axis=0) - reach.min(axis=0)

    assert width.max() > 1.1 * width.min()


def test_the_shares_of_main_kinds_add_up() -> None:
    """They are probabilities."""
    assert sum(MAIN_SHARES) == pytest.approx(1.0)


@pytest.mark.parametrize("module", [shapes, finishes, layout])
def test_the_numbers_in_docstrings_are_true(module: object) -> None:
    """Doctests of the modules that need no Blender."""
    result = doctest.testmod(module)  # type: ignore[arg-type]  # typeshed wants a ModuleType

    assert result.attempted > 0
    assert result.failed == 0
