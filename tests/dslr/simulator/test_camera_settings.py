import math

import pytest

from cat_dataset.jobs.camera import SimulatedCamera
from dslr.develop.exposure import snap
from dslr.simulator.camera_settings import (
    PRINTED_TIMES_S,
    frame_settings,
    middle_index,
    printed_time_s,
    series_values,
)


@pytest.mark.parametrize("per_stop", [3, 2])
def test_printed_times_are_one_step_of_the_grid_apart(per_stop: int) -> None:
    """1/8000 s to 30 s without a gap, and each is what its own power of two is printed as."""
    printed = PRINTED_TIMES_S[per_stop]
    steps = [math.log2(snap(time_s, per_stop)) * per_stop for time_s in printed]

    assert [round(step - steps[0]) for step in steps] == list(range(len(steps)))
    if per_stop == 3:  # thirds come first where both grids have a time
        assert [printed_time_s(snap(time_s, 3)) for time_s in printed] == list(printed)
    assert printed_time_s(2**-5.5) == 1 / 45
    assert printed_time_s(0.0123) == 0.0123


def test_exposure_times_are_powers_of_two_and_half_stops_keep_their_grid() -> None:
    """A camera set to half stops prints 1/6 s for 1/5.66 s."""
    camera = SimulatedCamera(exposure_times_s=(1 / 6, 1 / 3, 0.7))

    times_s = [frame.exposure_time_s for frame in frame_settings(camera, 50.0)]
    assert times_s == pytest.approx([2**-2.5, 2**-1.5, 2**-0.5])


def test_the_shutter_makes_up_for_the_aperture_in_true_and_printed_times() -> None:
    """f/2.8 at 1/250 s to f/8 at 1/30 s, all of equal exposure by the true numbers."""
    camera = SimulatedCamera(
        series="aperture", f_numbers=(2.8, 4.0, 5.6, 8.0), exposure_times_s=(1 / 250,)
    )

    frames = frame_settings(camera, 50.0)
    assert [round(1 / f.exposure_time_s, 6) for f in frames] == [256, 128, 64, 32]
    assert [round(1 / f.printed_time_s) for f in frames] == [250, 125, 60, 30]
    assert [f.printed_f_number for f in frames] == [2.8, 4.0, 5.6, 8.0]
    assert series_values(camera) == pytest.approx([2**1.5, 4.0, 2**2.5, 8.0])
    assert [f.stops_over(frames[0]) for f in frames] == pytest.approx([0.0] * 4, abs=1e-12)


def test_without_the_shutter_light_falls_with_the_square_of_the_f_number() -> None:
    """Two stops from f/4 to f/8, and the middle one is exposed for."""
    camera = SimulatedCamera(
        series="aperture", f_numbers=(8.0, 4.0, 5.6), shutter_compensates=False
    )

    frames = frame_settings(camera, 50.0)
    assert [f.stops_over(frames[2]) for f in frames] == pytest.approx([-1.0, 1.0, 0.0])
    assert {f.exposure_time_s for f in frames} == {1 / 64}
    assert middle_index(frames) == 2


def test_iso_is_exact_and_the_shutter_comes_as_near_as_its_thirds() -> None:
    """ISO 640 is 2.678 stops over 100; the shutter takes 2.667 of them back."""
    camera = SimulatedCamera(series="iso", iso_values=(100, 640), exposure_times_s=(1 / 15,))

    first, second = frame_settings(camera, 50.0)
    assert (first.iso, second.iso) == (100, 640)
    assert second.exposure_time_s == pytest.approx(2 ** (-4 - 8 / 3))
    assert second.printed_time_s == 1 / 100
    assert second.stops_over(first) == pytest.approx(math.log2(6.4) - 8 / 3)


def test_lens_and_balance_series_change_nothing_else() -> None:
    """One exposure, and the value that varies."""
    for field, name, values in (
        ("focal_lengths_mm", "focal_length", (24.0, 70.0)),
        ("focus_distances_m", "focus_distance", (0.5, 2.0)),
        ("wb_ccts_k", "white_balance", (3200.0, 5600.0)),
    ):
        camera = SimulatedCamera.model_validate({"series": name, field: values})
        frames = frame_settings(camera, 50.0)

        varied = {"focal_length": "focal_length_mm", "focus_distance": "focus_distance_m"}
        found = [getattr(f, varied.get(name, "wb_cct_k")) for f in frames]
        assert found == list(values)
        assert len({(f.exposure_time_s, f.f_number, f.iso) for f in frames}) == 1
