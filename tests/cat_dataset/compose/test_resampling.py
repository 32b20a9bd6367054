import numpy as np
import pytest

from cat_dataset.compose.resampling import composed_size, resized
from cat_dataset.jobs.datasets import ComposeJob
from cat_dataset.records import LightBasis, Sweep
from tests.cat_dataset.linear_light import full_basis, make_sweep


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (300, 200)),
        ({"max_side_px": 60}, (60, 40)),
        ({"max_side_px": 900}, (300, 200)),
        ({"width_px": 50, "height_px": 100}, (50, 100)),
    ],
)
def test_the_size_is_what_was_asked_for(asked: dict[str, int], size: tuple[int, int]) -> None:
    """A longest side keeps the proportions; a larger one leaves pictures as they are."""
    job = ComposeJob.model_validate({"attributes": {"exposure": {}}, **asked})

    assert composed_size(job, 300, 200) == size


def test_shrinking_averages_linear_light() -> None:
    """Slow and obvious reference: means of blocks of four pixels, of the picture's middle."""
    basis = full_basis()

    small = resized(basis, 24, 12)

    assert isinstance(small, LightBasis)
    middle = basis.images_GHW3[:, 12:36].reshape(3, 12, 2, 24, 2, 3)
    np.testing.assert_allclose(small.images_GHW3, middle.mean(axis=(2, 4)), rtol=1e-5)
    assert resized(basis, 48, 48) is basis


def test_shrinking_keeps_what_rides_along() -> None:
    """Depth is never between two things, normals stay unit, clipping spreads, noise averages."""
    sweep = make_sweep()

    small = resized(sweep, 24, 24)

    assert isinstance(small, Sweep)
    assert small.readings == sweep.readings
    assert small.noise_HW3 is not None
    assert small.noise_HW3.shape == (24, 24, 3)
    for frame, before in zip(small.frames, sweep.frames, strict=True):
        assert frame.annotation is not None
        assert before.annotation is not None
        assert frame.clipped_HW is not None
        assert before.clipped_HW is not None
        blocks = before.clipped_HW.reshape(24, 2, 24, 2)
        np.testing.assert_array_equal(frame.clipped_HW, blocks.any(axis=(1, 3)))
        assert set(frame.annotation.depth_HW.flat) <= set(before.annotation.depth_HW.flat)
        length = np.linalg.norm(frame.annotation.normal_HW3, axis=-1)
        assert ((np.abs(length - 1.0) < 1e-5) | (length == 0.0)).all()
        shares = [a.mask_HW.mean() for a in (frame.annotation, before.annotation)]
        assert shares[0] == pytest.approx(shares[1], abs=0.03)
