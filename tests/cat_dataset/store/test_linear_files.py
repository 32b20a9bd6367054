import dataclasses
from dataclasses import replace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_basis, compose_sweep
from cat_dataset.imaging.display import decode_png
from cat_dataset.imaging.exr import read_exr, write_exr
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import LightBasis, Pair, Sweep
from cat_dataset.store.linear_files import MAX_HALF, decode_linear, encode_linear
from cat_dataset.store.sample_json import dump_record, load_record
from tests.cat_dataset.conftest import make_light_basis
from tests.cat_dataset.linear_light import HALF_PRECISION, assert_same, full_basis, make_sweep


def stored(light: LightBasis | Sweep) -> LightBasis | Sweep:
    """Return light after a round trip, its record through JSON."""
    sample = encode_linear(light)
    return decode_linear(sample.exr, load_record(dump_record(sample.record)))


@pytest.mark.parametrize("light", [full_basis(), make_sweep()], ids=["basis", "sweep"])
def test_light_is_read_back_as_it_was_written(light: LightBasis | Sweep) -> None:
    """Every field, none of which has its default; infinite depth and zero normals too."""
    assert_same(stored(light), light)


@pytest.mark.parametrize("light", [full_basis(), make_sweep()], ids=["basis", "sweep"])
def test_the_test_light_leaves_no_field_at_its_default(light: LightBasis | Sweep) -> None:
    """A field that is new in the records must be stored, and this light must have it."""
    annotated = light.frames[0] if isinstance(light, Sweep) else light
    assert annotated.annotation is not None
    for record in (light, annotated, annotated.annotation):
        for field in dataclasses.fields(record):
            if field.default is not dataclasses.MISSING:
                value = getattr(record, field.name)
                assert isinstance(value, np.ndarray) or value != field.default, field.name


def test_absent_parts_stay_absent() -> None:
    """A plain basis has neither mask nor clipping, before and after."""
    light = stored(make_light_basis("plain"))

    assert isinstance(light, LightBasis)
    assert light.clipped_HW is None
    assert light.annotation is None
    assert set(read_exr(encode_linear(light).exr)) == {"key", "fill", "sky"}


def test_equal_light_gives_equal_bytes_and_no_thread() -> None:
    """Workers are processes; the library's own pool stays off."""
    threads = psutil.Process().num_threads()

    first, second = (encode_linear(full_basis()) for _ in range(2))

    assert first == second
    assert psutil.Process().num_threads() == threads


@settings(max_examples=15, deadline=None)
@given(exponent=st.integers(-40, 40))
def test_brightness_by_a_power_of_two_leaves_the_file_as_it_is(exponent: int) -> None:
    """Dim and bright scenes are stored with the same precision, and the factor is undone."""
    basis = make_light_basis("dim")
    scaled = replace(basis, images_GHW3=basis.images_GHW3 * np.float32(2.0**exponent))

    plain, moved = encode_linear(basis), encode_linear(scaled)

    assert moved.exr == plain.exr
    assert moved.record["light_factor"] * 2.0**exponent == plain.record["light_factor"]
    assert moved.record["num_clamped"] == 0
    found = decode_linear(moved.exr, moved.record)
    assert isinstance(found, LightBasis)
    np.testing.assert_allclose(found.images_GHW3, scaled.images_GHW3, rtol=HALF_PRECISION)


def test_what_a_half_float_cannot_hold_is_clamped_and_counted() -> None:
    """A lamp in the picture stays finite, and the record says how many values lost."""
    images = make_light_basis("lamp").images_GHW3.copy()
    images[0, 5, 5] = 1e8
    sample = encode_linear(replace(make_light_basis("lamp"), images_GHW3=images))

    assert sample.record["num_clamped"] == 3
    light = decode_linear(sample.exr, sample.record)
    assert isinstance(light, LightBasis)
    assert (light.images_GHW3[0, 5, 5] == MAX_HALF / sample.record["light_factor"]).all()


def test_darkness_is_stored() -> None:
    """A picture without light has no typical light to scale by."""
    basis = make_light_basis("black")
    black = replace(basis, images_GHW3=np.zeros_like(basis.images_GHW3))

    assert_same(stored(black), black)


@pytest.mark.parametrize("attribute", BASIS_ATTRIBUTES)
def test_pairs_of_stored_light_are_measured_as_recorded(
    attribute: str, dataset_job: DatasetJob
) -> None:
    """Set and measured scale come from the same light; the pictures hardly change by rounding."""
    basis, plans = make_light_basis("scene-a"), {attribute: PairPlan(num_pairs=8)}
    kept = stored(basis)
    assert isinstance(kept, LightBasis)

    pairs = compose_basis(kept, plans, dataset_job).pairs
    direct = compose_basis(basis, plans, dataset_job).pairs

    assert [pair.key for pair in pairs] == [pair.key for pair in direct]
    for pair, other in zip(pairs, direct, strict=True):
        assert pair.edits[0].measured == pytest.approx(pair.edits[0].value, abs=0.002)
        assert pair.edits[0].value == other.edits[0].value
        assert largest_difference(pair, other) <= 1


def largest_difference(pair: Pair, other: Pair) -> int:
    """Return the largest difference in display codes."""
    return max(
        int(np.abs(decode_png(one).astype(np.int16) - decode_png(two)).max())
        for one, two in (
            (pair.source_png, other.source_png),
            (pair.target_png, other.target_png),
        )
    )


def test_pairs_of_a_stored_sweep_have_its_readings(dataset_job: DatasetJob) -> None:
    """What a producer measured rides along."""
    plan, sweep = PairPlan(num_pairs=6), make_sweep()
    kept = stored(sweep)
    assert isinstance(kept, Sweep)

    pairs = compose_sweep(kept, plan, dataset_job).pairs

    direct = compose_sweep(sweep, plan, dataset_job).pairs
    assert [pair.edits for pair in pairs] == [pair.edits for pair in direct]
    assert {pair.edits[0].measured for pair in pairs} == {r.value for r in sweep.readings.values()}


def test_damaged_light_is_refused() -> None:
    """OpenEXR leaves a damaged part out and says nothing, so the hash is checked before."""
    sample = encode_linear(full_basis())
    flipped = bytearray(sample.exr)
    flipped[len(flipped) // 2] ^= 1

    for exr in (bytes(flipped), sample.exr[:-100], b""):
        with pytest.raises(ValueError, match="damaged or replaced"):
            decode_linear(exr, sample.record)
    for field in ("light", "light_factor", "kind", "origin"):
        record = {name: value for name, value in sample.record.items() if name != field}
        with pytest.raises(ValueError, match="incomplete"):
            decode_linear(sample.exr, record)


def test_bytes_that_are_no_exr_are_refused() -> None:
    """The error is one that readers expect."""
    with pytest.raises(ValueError, match="no OpenEXR file"):
        read_exr(b"not an image")


def test_a_group_named_like_another_part_is_refused() -> None:
    """Nothing may silently take the place of a light group."""
    basis = full_basis()
    groups = (*basis.groups[:2], replace(basis.groups[2], name="depth"))

    with pytest.raises(ValueError, match="'depth' occurs twice"):
        encode_linear(replace(basis, groups=groups))


def test_pictures_of_each_kind_round_trip_exactly() -> None:
    """Colour and grey in half, depth in float, infinity included."""
    colour = np.linspace(0.0, 6e4, 60, dtype=np.float16).reshape(4, 5, 3)
    depth = np.array([[1.5, np.inf], [3e30, 0.0]] * 2, np.float32)[:, [0, 1, 0, 1, 0]]
    pictures = {"key": colour, "mask": colour[..., 0], "depth": depth}

    found = read_exr(write_exr(pictures))

    assert list(found) == list(pictures)
    for name, picture in pictures.items():
        assert found[name].dtype == picture.dtype
        np.testing.assert_array_equal(found[name], picture)


def test_what_moved_is_stored() -> None:
    """The mask of a series of captures comes back as it was."""
    sweep = make_sweep()
    moving_HW = np.roll(np.eye(48, dtype=np.bool_), 5, 1)
    frames = tuple(dataclasses.replace(frame, moving_HW=moving_HW) for frame in sweep.frames)

    kept = stored(dataclasses.replace(sweep, frames=frames))

    assert isinstance(kept, Sweep)
    for frame in kept.frames:
        np.testing.assert_array_equal(frame.moving_HW, moving_HW)
