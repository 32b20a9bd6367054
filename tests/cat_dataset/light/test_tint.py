"""Tint: the green-magenta setting of a camera, in thousandths of Duv, positive towards green."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, find_attribute
from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.imaging.photometry import XYZ_TO_SRGB, planckian_xy
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.readout import LightGain, camera_change, camera_gain_change
from cat_dataset.light.relighting import balance_gain_rgb, stops_gain_rgb, tint_gain_rgb
from cat_dataset.records import LightBasis, Pair
from cat_dataset.requests.typed_edits import parse_edit

TINT = find_attribute("tint")
# Of L_BB over the angle, lowest power first. Source: Ohno, "Practical use and calculation of CCT
# and Duv", LEUKOS 10 (2014): Duv = L_FP - L_BB, from (0.292, 0.240) in CIE 1960 (u, v).
OHNO = (-0.471106, 1.925865, -2.4243787, 1.5317403, -0.5179722, 0.0893944, -0.00616793)
D65_DUV, ILLUMINANT_A_DUV = 0.0032, 0.0  # published, to four decimals
TINTS = st.floats(-15.0, 15.0)


def uv_of_xy(x: float, y: float) -> tuple[float, float]:
    """Return CIE 1960 (u, v) of CIE 1931 (x, y)."""
    return 4.0 * x / (-2.0 * x + 12.0 * y + 3.0), 6.0 * y / (-2.0 * x + 12.0 * y + 3.0)


def uv_of_rgb(rgb: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Return CIE 1960 (u, v) of linear sRGB."""
    x, y, z = np.linalg.solve(XYZ_TO_SRGB, np.asarray(rgb))
    return uv_of_xy(x / (x + y + z), y / (x + y + z))


def duv(u: float, v: float) -> float:
    """Return the signed distance from the Planckian locus, positive above it."""
    length = math.hypot(u - 0.292, v - 0.240)
    angle = math.acos((u - 0.292) / length)
    return length - sum(c * angle**power for power, c in enumerate(OHNO))


def neutral_duv(tint: float) -> float:
    """Return the Duv of what was neutral, after an edit of tint."""
    return duv(*uv_of_rgb(tint_gain_rgb(0.0, tint)))


def test_the_reference_has_the_published_duv() -> None:
    """D65 lies 0.0032 above the locus, illuminant A on it."""
    assert duv(*uv_of_xy(0.31272, 0.32903)) == pytest.approx(D65_DUV, abs=5e-5)
    assert duv(*uv_of_xy(0.44757, 0.40745)) == pytest.approx(ILLUMINANT_A_DUV, abs=5e-5)


@pytest.mark.parametrize("tint", [-10.0, -5.0, -1.0, 1.0, 5.0, 10.0])
def test_a_neutral_moves_by_the_duv_that_is_typed(tint: float) -> None:
    """At most 2 % of the default range apart."""
    moved = 1000.0 * (neutral_duv(tint) - neutral_duv(0.0))

    assert moved == pytest.approx(tint, abs=0.02 * TINT.default_range[1])
    assert np.sign(moved) == np.sign(tint)


def test_duv_is_the_distance_from_the_locus_of_this_house() -> None:
    """Measured against our own black bodies instead of Ohno's polynomial: the same +5."""
    locus = np.array([uv_of_xy(*planckian_xy(1e6 / m)) for m in np.linspace(120.0, 190.0, 4001)])
    distances = [
        np.hypot(*(locus - uv_of_rgb(tint_gain_rgb(0.0, tint))).T).min() for tint in (0.0, 5.0)
    ]

    assert 1000.0 * (distances[1] - distances[0]) == pytest.approx(5.0, abs=0.06)


def test_positive_is_green_in_the_picture() -> None:
    """The sign that is so easily swapped: green stays, red and blue fall."""
    red, green, blue = tint_gain_rgb(0.0, 8.0)
    assert red == blue < green == 1.0


@given(TINTS, TINTS, TINTS)
def test_steps_of_tint_add_up_and_turn_round(a: float, b: float, c: float) -> None:
    """A detour changes nothing, the way back undoes, and zero is exactly no change."""
    detour = tint_gain_rgb(a, b) * tint_gain_rgb(b, c)
    assert detour == pytest.approx(tint_gain_rgb(a, c))
    assert tint_gain_rgb(a, b) * tint_gain_rgb(b, a) == pytest.approx(np.ones(3))
    assert (tint_gain_rgb(a, a) == 1.0).all()


@given(TINTS, st.floats(2500.0, 12000.0), st.floats(2500.0, 12000.0), st.floats(-2.0, 2.0))
def test_tint_balance_and_exposure_are_told_apart(
    tint: float, source_k: float, target_k: float, stops: float
) -> None:
    """All three at once, each read from one gain of the camera."""
    gain = tint_gain_rgb(0.0, tint) * balance_gain_rgb(source_k, target_k)
    still = LightGain(np.ones(3), np.full(3, 1e-4), 100)
    changed = LightGain(gain * stops_gain_rgb(0.0, stops), np.full(3, 1e-4), 100)
    sources = {"white_balance": source_k}

    read = {
        name: camera_gain_change(name, still, changed, sources)
        for name in ("exposure", "white_balance", "tint")
    }

    assert read["exposure"].value == pytest.approx(stops, abs=1e-9)
    assert read["white_balance"].value == pytest.approx(1e6 / target_k - 1e6 / source_k, abs=0.05)
    assert read["tint"].value == pytest.approx(tint, abs=0.05)
    assert 0.0 < read["tint"].stderr < TINT.tolerance


def composed(basis: LightBasis, job: DatasetJob, *names: str, pairs: int = 20) -> list[Pair]:
    """Return the pairs of a basis, by plan."""
    plans = {name: PairPlan(num_pairs=pairs) for name in names}
    return list(compose_basis(basis, plans, job).pairs)


def test_the_pictures_themselves_show_the_tint(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """From the 8-bit bytes alone, within 2 % of the range: green against red and blue."""
    pairs = composed(light_basis, dataset_job, "tint")
    assert pairs
    for pair in pairs:
        codes = [decode_png(png) for png in (pair.source_png, pair.target_png)]
        safe_HW = np.all([(c > 40) & (c < 250) for c in codes], axis=(0, -1))
        source, target = (decode_display(picture) for picture in codes)
        edit = pair.edits[0]

        shown = camera_change("tint", source, target, safe_HW)

        assert shown.value == pytest.approx(edit.value, abs=0.02 * TINT.default_range[1])
        assert edit.measured == pytest.approx(edit.value, abs=0.01)
        assert edit.measured_se is not None
        assert TINT.default_range[0] <= edit.value <= TINT.default_range[1]


def test_a_wrong_tint_is_not_read_as_the_right_one(light_basis: LightBasis) -> None:
    """The readout looks at pixels: a tint of 4 where 5 was asked for reads 4."""
    source = light_basis.images_GHW3.sum(axis=0)
    target = source * tint_gain_rgb(0.0, 4.0).astype(np.float32)

    read = camera_change("tint", source, target, np.ones(source.shape[:2], np.bool_))

    assert read.value == pytest.approx(4.0, abs=1e-3)
    assert abs(read.value - 5.0) > TINT.tolerance


def test_tint_goes_together_with_what_else_the_light_gives(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """Every edit of a combination is measured as it was set."""
    name = "exposure+white_balance+tint+light_power"

    pairs = composed(light_basis, dataset_job, name)

    assert pairs
    for pair in pairs:
        gaps = [abs((e.measured or math.inf) - e.value) for e in pair.edits]
        assert gaps == pytest.approx([0.0] * 4, abs=0.1)


def test_a_plan_of_tint_leaves_the_pictures_of_all_others(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """Byte for byte: a camera of unchanged tint multiplies light by exactly one."""
    others = [name for name in BASIS_ATTRIBUTES if name != "tint"]
    alone = composed(light_basis, dataset_job, *others, pairs=3)
    beside = composed(light_basis, dataset_job, "tint", *others, pairs=3)

    pictures = {p.key: (p.source_png, p.target_png, p.instruction) for p in beside}
    assert all(pictures[p.key] == (p.source_png, p.target_png, p.instruction) for p in alone)
    assert len(pictures) > len(alone) > 0


@pytest.mark.parametrize("typed", ["tint=+5", "tint=5duv", "tint=+5 Duv"])
def test_a_tint_is_typed_with_or_without_its_unit(typed: str) -> None:
    """A bare number is a difference: tint has no absolute values."""
    assert parse_edit(typed).value == 5.0


def test_a_tint_of_another_unit_is_refused_with_those_that_it_takes() -> None:
    """No unit is guessed, and none of them is an empty word."""
    with pytest.raises(EditScaleError, match="a bare number, duv"):
        parse_edit("tint=5mired")
    with pytest.raises(EditScaleError, match=r"-30 to \+30 Duv x 1000"):
        parse_edit("tint=40")


def test_the_tolerance_is_at_most_two_per_cent_of_the_range() -> None:
    """Of what is drawn by default, to one side."""
    assert TINT.tolerance <= 0.02 * TINT.default_range[1]
