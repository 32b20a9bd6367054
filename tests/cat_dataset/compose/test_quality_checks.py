"""Each check, on both sides of its limit."""

import numpy as np
import pytest

from cat_dataset.compose import quality_checks
from cat_dataset.compose.quality_checks import PairRejectedError
from cat_dataset.errors import EditScaleError
from cat_dataset.records import Annotation, EditScale


def _annotation(share: float, visible_share: float) -> Annotation:
    mask = np.zeros((100, 100), bool)
    mask.ravel()[: round(share * mask.size)] = True
    return Annotation(mask, np.ones((100, 100)), np.zeros((100, 100, 3)), visible_share)


def test_an_object_out_of_the_frame_is_rejected() -> None:
    """At least three pixels in a thousand must show it."""
    quality_checks.check_in_view(_annotation(0.004, 1.0), "teapot")
    with pytest.raises(PairRejectedError, match=r"out of view: the teapot covers 0\.20%"):
        quality_checks.check_in_view(_annotation(0.002, 1.0), "teapot")


def test_a_hidden_object_is_rejected() -> None:
    """What stands before it may hide 70 % of it."""
    quality_checks.check_in_view(_annotation(0.1, 0.35), "teapot")
    with pytest.raises(PairRejectedError, match=r"occluded: 25% of the teapot"):
        quality_checks.check_in_view(_annotation(0.1, 0.25), "teapot")


def test_a_small_object_counts_by_its_own_pixels() -> None:
    """A change of a few pixels is invisible in the whole picture, not where it happens."""
    source = np.full((100, 100, 3), 120, np.uint8)
    target = source.copy()
    target[:6, :6] += 40
    edited = np.zeros((100, 100), bool)
    edited[:8, :8] = True

    quality_checks.check_visible(source, target, edited)
    with pytest.raises(PairRejectedError, match="invisible"):
        quality_checks.check_visible(source, target)
    with pytest.raises(PairRejectedError, match="where the edit acts"):
        quality_checks.check_visible(source, target, ~edited)


@pytest.mark.parametrize(("noise", "is_kept"), [(6.0, True), (9.0, False)])
def test_a_change_within_the_noise_is_rejected(noise: float, *, is_kept: bool) -> None:
    """The change must be at least the render's own noise where it happens."""
    source = np.full((50, 50, 3), 100, np.uint8)
    target = source.copy()
    target[10:30, 10:30] += 8
    noise_HW = np.full((50, 50), noise, np.float32)

    if is_kept:
        quality_checks.check_above_noise(source, target, noise_HW)
        return
    with pytest.raises(PairRejectedError, match=r"differ by 8\.0 of 255, .* noise there is 9\.0"):
        quality_checks.check_above_noise(source, target, noise_HW)


def test_a_change_of_too_few_pixels_is_rejected() -> None:
    """One pixel in a thousand is enough, one in ten thousand is not."""
    source = np.full((100, 100, 3), 100, np.uint8)
    target = source.copy()
    target[0, :10] += 50
    no_noise = np.zeros((100, 100), np.float32)

    quality_checks.check_above_noise(source, target, no_noise)
    target[0, 1:] = 100
    with pytest.raises(PairRejectedError, match=r"invisible: 0\.01%"):
        quality_checks.check_above_noise(source, target, no_noise)


def test_an_edit_measured_otherwise_than_recorded_is_rejected() -> None:
    """Within the tolerance of its attribute it is kept, not measured at all as well."""
    kept = [EditScale("exposure", 1.0, measured=1.0015), EditScale("exposure", 1.0)]

    quality_checks.check_edits(kept)
    with pytest.raises(PairRejectedError, match=r"measured \+1\.2000 stops but \+1\.0000 was set"):
        quality_checks.check_edits([*kept, EditScale("exposure", 1.0, measured=1.2)])
    with pytest.raises(PairRejectedError, match="measured \\+nan"):
        quality_checks.check_edits([EditScale("exposure", 1.0, measured=float("nan"))])


def test_an_edit_out_of_range_is_rejected_before_it_is_compared() -> None:
    """The first reason is the one that is recorded."""
    with pytest.raises(EditScaleError, match="out of range"):
        quality_checks.check_edits([EditScale("exposure", 99.0, measured=1.0)])
