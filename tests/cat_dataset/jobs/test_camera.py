import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import validated


def test_the_plain_camera_takes_a_bracket_and_any_other_series_one_time() -> None:
    """A manifest that says nothing gets 1/15, 1/60, 1/250 s."""
    assert SimulatedCamera().exposure_times_s == (1 / 15, 1 / 60, 1 / 250)
    other = SimulatedCamera(series="iso", iso_values=(100, 400))
    assert other.exposure_times_s == (1 / 60,)
    assert other.values == (100, 400)


def test_a_camera_plans_pairs_of_what_its_series_is_of() -> None:
    """Every file gives exposure and white balance; only some series give more."""
    computed = {"exposure", "white_balance"}
    zoom = SimulatedCamera(series="focal_length", focal_lengths_mm=(24.0, 70.0))

    assert SimulatedCamera().attributes.keys() == computed
    assert zoom.attributes.keys() == computed | {"focal_length"}
    iso = SimulatedCamera(series="iso", iso_values=(100, 400))
    assert iso.attributes.keys() == computed | {"iso_noise"}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"exposure_times_s": [0.01]}, "runs through exposure_times_s: give at least two"),
        ({"series": "iso"}, "runs through iso_values: give at least two, not None"),
        ({"series": "iso", "iso_values": [100]}, "give at least two"),
        ({"f_numbers": [2.8, 4.0]}, 'belongs to series = "aperture"; remove it'),
        (
            {"series": "aperture", "f_numbers": [2.8, 4.0], "wb_ccts_k": [3200.0, 5600.0]},
            'belongs to series = "white_balance"',
        ),
        (
            {"series": "iso", "iso_values": [100, 200], "exposure_times_s": [0.1, 0.2]},
            "the others follow from it; give the first",
        ),
        ({"series": "iso", "iso_values": [100, 200], "iso": 400}, "iso 400 stands in"),
        ({"series": "aperture", "f_numbers": [2.8, 4.0], "f_number": 8.0}, "f_number 8.0 stands"),
        ({"shutter_compensates": False}, 'belongs to series = "aperture", not exposure'),
        ({"duplicates": [3]}, "there are 3 values, counted from 0"),
        ({"shot_order": [0, 1, 1]}, "must hold 0 to 2, each once"),
        ({"duplicates": [0], "shot_order": [2, 1, 0]}, "must hold 0 to 3, each once"),
        ({"passing_object_shots": [0]}, "give passing_object_share"),
        ({"passing_object_share": 0.03, "passing_object_shots": [3]}, "there are 3 shots"),
        ({"width_px": 4096, "shake_px": 1.0}, "lower width_px, height_px or shake_px"),
        ({"shake_px": 6.5}, "less than or equal to 6"),
        ({"utc_offset": "1:00"}, "utc_offset"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_with_the_remedy(
    fields: dict[str, object], complaint: str
) -> None:
    """Nothing that is asked for is left out in silence."""
    with pytest.raises(JobError, match=complaint):
        validated(SimulatedCamera, fields, "manifest")


def test_a_resolved_camera_can_be_read_again() -> None:
    """Every default written out is still valid, whatever the series."""
    for camera in (
        SimulatedCamera(),
        SimulatedCamera(series="aperture", f_numbers=(2.8, 4.0)),
        SimulatedCamera(series="iso", iso_values=(100, 400)),
    ):
        assert SimulatedCamera.model_validate(camera.model_dump(mode="json")) == camera


def test_shots_are_the_values_then_the_duplicates_in_the_order_asked_for() -> None:
    """Three times, the middle one twice, the last shot first."""
    camera = SimulatedCamera(duplicates=(1,), shot_order=(3, 0, 2, 1))

    assert camera.shots == (1, 0, 2, 1)
    assert SimulatedCamera().shots == (0, 1, 2)


def test_the_margin_holds_the_largest_shift_and_roll() -> None:
    """2.5 deviations of 6 px and of 0.3 degree at 160 px from the centre, and the kernel."""
    assert SimulatedCamera().margin_px == 0
    camera = SimulatedCamera(shake_px=6.0, shake_deg=0.3)

    assert camera.margin_px == 22  # 15 + 2.09, rounded up, + 4
    RenderSource(  # a picture with it can be rendered
        name="a",
        num_scenes=1,
        width_px=camera.width_px + 2 * camera.margin_px,
        height_px=camera.height_px + 2 * camera.margin_px,
        attributes={},
    )
