"""Several attributes edited at once: every one of them is read back from the same two pictures."""

from dataclasses import replace

import numpy as np
import pytest

from cat_dataset.attributes.table import ATTRIBUTES, BASIS_ATTRIBUTES, SWEEP_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_basis, compose_light, compose_sweep
from cat_dataset.compose.edit_sampling import sample_edits
from cat_dataset.compose.pair_candidate import pair_key
from cat_dataset.compose.photometric_readout import read_edits
from cat_dataset.errors import EditScaleError
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Reading, Sweep, SweepFrame
from cat_dataset.store.shards import MAX_KEY_LENGTH
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis

TOGETHER = [
    "exposure+white_balance",
    "exposure+light_power",
    "light_power+light_temperature",
    "white_balance+light_temperature+ambient_level",
    "exposure+white_balance+light_power+light_temperature+ambient_level",
]


@pytest.mark.parametrize("name", TOGETHER)
def test_every_edit_of_a_pair_is_measured_as_recorded(name: str, dataset_job: DatasetJob) -> None:
    """All of them within their tolerances, in the order of the plan's name."""
    result = compose_basis(make_light_basis("scene-a"), {name: PairPlan(num_pairs=6)}, dataset_job)

    assert len(result.pairs) >= 4, [r.reason for r in result.rejections]
    for pair in result.pairs:
        assert [edit.attribute for edit in pair.edits] == name.split("+")
        for edit in pair.edits:
            tolerance = ATTRIBUTES[edit.attribute].tolerance
            assert edit.measured == pytest.approx(edit.value, abs=tolerance)


def test_a_wrong_number_among_several_is_found() -> None:
    """A lamp that was turned up by another stop than recorded does not read as recorded."""
    basis = make_light_basis("scene-a")
    ranges = {"exposure": (0.5, 1.0), "light_power": (0.5, 1.0)}
    sampled = sample_edits(derive_rng(1, "test"), basis, ranges)
    from cat_dataset.light.light_state import LampState, light_frame

    lamp = sampled.target.lamps["key"]
    brighter = sampled.target.with_lamp("key", LampState(lamp.power_stops + 0.5, lamp.cct_k))
    pictures = light_frame(basis, sampled.source), light_frame(basis, brighter)
    mask = np.ones(pictures[0].shape[:2], bool)

    exposure, power = read_edits(basis, sampled, *pictures, mask)

    assert exposure.value == pytest.approx(sampled.edits[0].value, abs=0.002)
    assert power.value == pytest.approx(sampled.edits[1].value + 0.5, abs=0.002)


def test_edits_that_cannot_be_separated_are_refused(dataset_job: DatasetJob) -> None:
    """Where camera and every light change, only the product shows in the pictures."""
    basis = make_light_basis("scene-a")
    two = replace(basis, groups=basis.groups[::2], images_GHW3=basis.images_GHW3[::2])
    plans = {"exposure+light_power+ambient_level": PairPlan(num_pairs=1)}

    with pytest.raises(EditScaleError, match="leave one light alone"):
        compose_basis(two, plans, dataset_job)


def test_a_swept_pair_may_differ_in_exposure_as_well(dataset_job: DatasetJob) -> None:
    """The object turns and the camera exposes longer: two edits, both measured."""
    rng = derive_rng(0, "test-swept")
    frames = tuple(
        SweepFrame(angle, angle, (rng.uniform(0.2, 0.9, (48, 48, 3)) ** 3).astype(np.float32))
        for angle in (0.0, 30.0)
    )
    readings = {(0, 1): Reading(30.1, 0.1, 100), (1, 0): Reading(-30.1, 0.1, 100)}
    sweep = Sweep("scene", "train", "object_rotation", frames, readings, subject="teapot")

    together_with = {"exposure": (-1.0, 1.0), "white_balance": (-80.0, 80.0)}
    result = compose_sweep(sweep, PairPlan(num_pairs=2), dataset_job, together_with)

    assert len(result.pairs) == 2, result.rejections
    for pair in result.pairs:
        turn, exposure, balance = pair.edits
        assert (turn.attribute, turn.subject, abs(turn.value)) == ("object_rotation", "teapot", 30)
        assert exposure.measured == pytest.approx(exposure.value, abs=0.002)
        assert balance.measured == pytest.approx(balance.value, abs=0.5)
        assert "teapot" in pair.instruction


def _still_sweep(turn_codes: float) -> Sweep:
    """Return two frames that differ by some per cent of light, said to differ by 30 degrees."""
    rng = derive_rng(0, "test-still")
    first = (rng.uniform(0.2, 0.8, (48, 48, 3)) ** 2).astype(np.float32)
    frames = tuple(
        SweepFrame(angle, angle, picture)
        for angle, picture in ((0.0, first), (30.0, first * np.float32(1.0 + turn_codes / 100.0)))
    )
    return Sweep("scene", "train", "object_rotation", frames, subject="vase")


def test_the_camera_does_not_hide_that_an_edit_cannot_be_seen(dataset_job: DatasetJob) -> None:
    """A turn of a vase that changes nothing is rejected, also where the exposure changes."""
    together_with = {"exposure": (-0.5, 0.5)}

    still, turned = (
        compose_sweep(_still_sweep(codes), PairPlan(num_pairs=2), dataset_job, together_with)
        for codes in (0.0, 20.0)
    )

    assert not still.pairs
    assert all("invisible" in rejection.reason for rejection in still.rejections)
    assert len(turned.pairs) == 2


def test_ranges_of_the_single_plans_hold_for_several_at_once(dataset_job: DatasetJob) -> None:
    """A manifest that keeps exposure within a third of a stop means it everywhere."""
    small = PairPlan(num_pairs=2, value_range=(-0.3, 0.3))
    plans = {
        "exposure": small,
        "exposure+light_power": PairPlan(num_pairs=5),
        "object_rotation": PairPlan(num_pairs=2, num_frames=2),
        "object_rotation+exposure": PairPlan(num_pairs=2),
    }

    results = [
        compose_light(light, plans, dataset_job)
        for light in (make_light_basis("scene-a"), _still_sweep(20.0))
    ]

    exposures = [
        edit.value
        for result in results
        for pair in result.pairs
        for edit in pair.edits
        if edit.attribute == "exposure"
    ]
    assert len(exposures) >= 7
    assert max(map(abs, exposures)) <= 0.3


def test_a_plan_that_light_cannot_serve_costs_itself_only(dataset_job: DatasetJob) -> None:
    """No lamp to turn up: one rejected row with the reason, and the other pairs are made."""
    basis = replace(make_light_basis("scene-a"), main_lamp=None)
    plans = {"exposure": PairPlan(num_pairs=2), "light_power": PairPlan(num_pairs=2)}

    result = compose_light(basis, plans, dataset_job)

    assert len(result.pairs) == 2
    assert [rejection.attribute for rejection in result.rejections] == ["light_power"]
    assert "no light_power to edit" in result.rejections[0].reason


def test_keys_of_any_plan_fit_a_plain_tar_header() -> None:
    """The longest batch name with the longest plan; and no two plans share a key."""
    scene = "b" * 48 + "-0000"
    everything = "+".join(BASIS_ATTRIBUTES)
    swept = [f"{name}+exposure+white_balance" for name in SWEEP_ATTRIBUTES]

    keys = [pair_key(scene, everything, "00")]
    keys += [pair_key(scene, name, "00-01") for name in (*swept, *SWEEP_ATTRIBUTES)]

    assert max(len(key) for key in keys) <= MAX_KEY_LENGTH
    assert len(set(keys)) == len(keys)
