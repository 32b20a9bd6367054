from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.attributes.table import ATTRIBUTES, BASIS_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_basis, compose_sweep
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.imaging.photometry import blackbody_rgb
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.light_state import LampState, base_state, light_frame
from cat_dataset.records import LightBasis, Pair, Reading, Sweep, SweepFrame
from tests.cat_dataset.conftest import make_light_basis


def median_stops_of_pngs(pair: Pair) -> float:
    """Measure a pair from its bytes alone: undo the sRGB curve, take green, keep safe codes."""
    source, target = decode_png(pair.source_png), decode_png(pair.target_png)
    codes = np.concatenate([source, target], axis=-1)
    safe = ((codes > 40) & (codes < 250)).all(axis=-1)
    ratio = decode_display(target)[safe][:, 1] / decode_display(source)[safe][:, 1]
    return float(np.median(np.log2(ratio)))


@pytest.mark.parametrize("attribute", BASIS_ATTRIBUTES)
def test_every_composed_pair_is_measured_as_recorded(
    attribute: str, light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """At most 0.002 stop or 0.5 mired between the settings used and the light measured."""
    result = compose_basis(light_basis, {attribute: PairPlan(num_pairs=25)}, dataset_job)

    gaps = [e.measured - e.value for p in result.pairs for e in p.edits if e.measured is not None]
    assert len(gaps) == len(result.pairs) >= 20
    assert max(map(abs, gaps)) <= (0.5 if ATTRIBUTES[attribute].unit == "mired" else 0.002)


def test_exposure_is_found_again_in_the_encoded_pictures(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """The 8-bit pictures themselves show the stops that the record claims."""
    pairs = compose_basis(light_basis, {"exposure": PairPlan(num_pairs=20)}, dataset_job).pairs

    measured = [median_stops_of_pngs(pair) for pair in pairs]

    assert measured == pytest.approx([p.edits[0].value for p in pairs], abs=0.02)


def test_a_wrong_scale_is_rejected_with_both_numbers(dataset_job: DatasetJob) -> None:
    """The gate must be able to fail: a sweep that lies about its axis yields no pair."""
    linear = make_light_basis("liar").images_GHW3[0]
    frames = (SweepFrame(None, 0.0, linear), SweepFrame(None, 1.0, linear * np.float32(2.2)))
    readings = {(0, 1): Reading(1.1375, 0.001, 1000), (1, 0): Reading(-1.1375, 0.001, 1000)}
    sweep = Sweep("liar", "train", "exposure", frames, readings)

    result = compose_sweep(sweep, PairPlan(num_pairs=2), dataset_job)

    assert not result.pairs
    assert len(result.rejections) == 2
    assert "measured +1.1375 stops but +1.0000 was set" in result.rejections[0].reason


def test_a_measured_sweep_records_what_was_measured(dataset_job: DatasetJob) -> None:
    """For captures the measured value is the scale, with its standard error."""
    linear = make_light_basis("camera").images_GHW3[0]
    frames = (SweepFrame(1 / 60, 0.0, linear), SweepFrame(1 / 30, 1.0, linear * np.float32(2.0)))
    readings = {(0, 1): Reading(0.93, 0.002, 900), (1, 0): Reading(-0.93, 0.002, 900)}
    sweep = Sweep("camera", "val", "exposure", frames, readings, is_measured_the_scale=True)

    pairs = compose_sweep(sweep, PairPlan(num_pairs=2), dataset_job).pairs

    assert [pair.edits[0].value for pair in pairs] == [0.93, -0.93]
    assert pairs[0].edits[0].measured_se == 0.002
    assert pairs[0].split == "val"


def test_an_edit_of_nothing_visible_is_rejected(dataset_job: DatasetJob) -> None:
    """A lamp that lights nothing cannot be the subject of a pair."""
    basis = make_light_basis("dark-lamp")
    images = basis.images_GHW3.copy()
    images[0] *= 1e-6
    result = compose_basis(
        replace(basis, images_GHW3=images), {"light_power": PairPlan(num_pairs=3)}, dataset_job
    )

    assert not result.pairs
    assert {r.attribute for r in result.rejections} == {"light_power"}
    assert all("invisible" in r.reason for r in result.rejections)


def test_a_clipped_picture_is_rejected(dataset_job: DatasetJob) -> None:
    """Where the sensor clipped nearly everything, nothing can be shown."""
    basis = make_light_basis("clipped")
    clipped_HW = np.ones(basis.images_GHW3.shape[1:3], np.bool_)
    clipped_HW[0, :40] = False
    result = compose_basis(
        replace(basis, clipped_HW=clipped_HW), {"exposure": PairPlan(num_pairs=2)}, dataset_job
    )

    assert not result.pairs
    assert all("clipped away" in r.reason for r in result.rejections)


def test_what_the_sensor_clipped_is_white_in_both_pictures(dataset_job: DatasetJob) -> None:
    """A darkened highlight must not turn grey: nobody knows how bright it was."""
    basis = make_light_basis("highlight")
    clipped_HW = np.zeros(basis.images_GHW3.shape[1:3], np.bool_)
    clipped_HW[10:14, 10:14] = True
    plan = {"exposure": PairPlan(num_pairs=6, value_range=(-2.0, -1.0))}
    pairs = compose_basis(replace(basis, clipped_HW=clipped_HW), plan, dataset_job).pairs

    assert pairs
    for pair in pairs:
        for png in (pair.source_png, pair.target_png):
            assert (decode_png(png)[10:14, 10:14] == 255).all()


def test_asking_for_light_that_is_not_there_is_an_error(dataset_job: DatasetJob) -> None:
    """A basis without a lamp has no light_power."""
    basis = replace(make_light_basis("no-lamp"), main_lamp=None)

    assert basis.drawable_attributes == ("exposure", "white_balance", "tint")
    with pytest.raises(EditScaleError, match="no light_power to edit"):
        compose_basis(basis, {"light_power": PairPlan()}, dataset_job)


def test_composing_twice_gives_the_same_bytes(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """Pure function of its arguments; another seed draws other values."""
    plans = {name: PairPlan(num_pairs=2) for name in BASIS_ATTRIBUTES}

    first, second = (compose_basis(light_basis, plans, dataset_job) for _ in range(2))
    other = compose_basis(light_basis, plans, dataset_job.model_copy(update={"seed": 4}))

    assert first == second
    assert [p.edits[0].value for p in first.pairs] != [p.edits[0].value for p in other.pairs]


def test_adding_an_attribute_leaves_the_other_pairs_alone(
    light_basis: LightBasis, dataset_job: DatasetJob
) -> None:
    """Generators are named, so a new draw elsewhere shifts nothing."""
    alone = compose_basis(light_basis, {"exposure": PairPlan(num_pairs=3)}, dataset_job)
    plans = {"white_balance": PairPlan(num_pairs=1), "exposure": PairPlan(num_pairs=3)}
    both = compose_basis(light_basis, plans, dataset_job)

    assert alone.pairs == tuple(p for p in both.pairs if p.edits[0].attribute == "exposure")


@settings(max_examples=20, deadline=None)
@given(stops=st.floats(-3.0, 3.0), cct_k=st.floats(2200.0, 10000.0))
def test_a_frame_is_the_sum_of_its_lights(stops: float, cct_k: float) -> None:
    """Slow and obvious reference: each light by itself, times gain and colour, added."""
    basis = make_light_basis("sum")
    state = base_state(basis).with_lamp("key", LampState(stops, cct_k))

    frame = light_frame(basis, state)

    key, fill, sky = basis.images_GHW3.astype(np.float64)
    expected = key * 2.0**stops * blackbody_rgb(cct_k) + fill * blackbody_rgb(5600.0) + sky
    assert frame == pytest.approx(expected, rel=1e-5)


def test_pairs_of_a_sweep_share_one_exposure_anchor(dataset_job: DatasetJob) -> None:
    """Anything exposed per image would erase the difference."""
    linear = make_light_basis("zoom").images_GHW3[0]
    frames = tuple(
        SweepFrame(f, float(np.log2(f)), np.roll(linear, i * 7, 1) * np.float32(1 + 0.1 * i))
        for i, f in enumerate((35.0, 50.0, 85.0))
    )
    pairs = compose_sweep(
        Sweep("zoom", "train", "focal_length", frames), PairPlan(num_pairs=6), dataset_job
    ).pairs

    assert len(pairs) == 6
    assert len({pair.develop.exposure_anchor for pair in pairs}) == 1
    assert {round(pair.edits[0].value, 4) for pair in pairs} == {
        0.5146,
        -0.5146,
        0.7655,
        -0.7655,
        1.2801,
        -1.2801,
    }  # log2 of 50/35, 85/50, 85/35
