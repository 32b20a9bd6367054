import re

import pytest

from cat_dataset.errors import EditScaleError
from cat_dataset.requests.typed_edits import parse_edit


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("exposure=+1.5EV", 1.5),
        ("exposure=-0.5 stops", -0.5),
        ("exposure=2x", 1.0),
        ("light_power=x0.5", -1.0),
        ("light_power=4\N{MULTIPLICATION SIGN}", 2.0),
        ("white_balance=-40mired", -40.0),
        ("object_rotation=30\N{DEGREE SIGN}", 30.0),
        ("object_rotation=0.25turn", 90.0),
        ("exposure=0", 0.0),
        ("object_translation=12cm left", -12.0),
        ("object_translation=0.1m", 10.0),
        ("object_scale=120%", 0.2630),  # log2 1.2
        ("camera_distance=1.3x closer", -0.3785),  # -log2 1.3
        ("camera_distance=2x", 1.0),
        ("focus_distance=-0.5 dpt", -0.5),
        ("base_hue=+60deg", 60.0),
        ("roughness=-25pp", -25.0),
    ],
)
def test_differences_are_read_in_every_unit(typed: str, value: float) -> None:
    """A spelling is a conversion, nothing more."""
    assert parse_edit(typed).value == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("white_balance=5600K->3200K", 133.93),
        ("white_balance=from 5600 K to 3200 K", 133.93),
        ("aperture=f/4->f/2.8", -1.0291),
        ("focal_length=35mm->70mm", 1.0),
        ("shutter_blur=1/60s->1/30s", 1.0),
        ("focus_distance=2m->0.5m", 1.5),
        ("fog_density=200m->50m", 2.0),  # a quarter of the visibility, four times the extinction
        ("roughness=from 20% to 60%", 40.0),
        ("sun_elevation=10deg->40deg", 30.0),
        ("object_scale=100%->200%", 1.0),
        ("iso_noise=ISO800->ISO 3200", 2.0),
    ],
)
def test_absolute_values_become_differences(typed: str, value: float) -> None:
    """Source and target together give the signed value."""
    assert parse_edit(typed).resolve(None).value == pytest.approx(value, abs=0.01)


def test_an_absolute_target_starts_at_what_the_picture_has() -> None:
    """The picture's own value fills the gap; without it the error says what to type."""
    edit = parse_edit("white_balance=3200K")

    assert edit.resolve(6500.0).value == pytest.approx(158.65, abs=0.01)
    with pytest.raises(EditScaleError, match="SOURCE->TARGET"):
        edit.resolve(None)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("brightness=1", "unknown attribute 'brightness'"),
        ("exposure", "NAME=VALUE"),
        ("exposure=1", "a bare number"),
        ("exposure=3200K", "unit 'k'"),
        ("exposure=+9EV", "out of range"),
        ("exposure=0x", "factor must be above 0"),
        ("exposure=bright", "no number"),
        ("white_balance=800K", "800 K is out of range"),
        ("exposure=from 1 to 2", "no absolute value"),
        ("exposure=", "no number"),
        ("shutter_blur=1/0s", "no number"),
        ("camera_distance=0x closer", "factor must be above 0"),
    ],
)
def test_what_cannot_be_read_says_why(typed: str, complaint: str) -> None:
    """Each refusal names the rule."""
    with pytest.raises(EditScaleError, match=complaint):
        parse_edit(typed)


@pytest.mark.parametrize(
    ("typed", "ratio"),
    [
        ("light_power=+1stop at 4:1", (4.0,)),
        ("light_temperature=from 3000K to 4000K at 5,4,2.5:2", (2.5, 2.0, 1.25)),
        ("ambient_level=0.5x at 1:8", (0.125,)),
    ],
)
def test_an_edit_of_a_light_may_say_its_lighting_ratio(
    typed: str, ratio: tuple[float, ...]
) -> None:
    """The number stays what it is without the ratio."""
    edit, plain = parse_edit(typed), parse_edit(typed.split(" at ")[0])

    assert edit.light_ratio == ratio
    assert edit.resolve(3000.0).light_ratio == ratio
    assert edit.resolve(3000.0).value == plain.resolve(3000.0).value


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("exposure=+1EV at 2:1", "belongs to an edit of a light"),
        ("light_power=2x at 2,1:1", "three numbers for red, green and blue"),
        ("light_power=2x at 2:0", "write LAMP:REST"),
        ("light_power=2x at 5000:1", "between 1:1024 and 1024:1"),
        ("light_power=2x at -2:1", "between 1:1024 and 1024:1"),
        ("light_temperature=2700K at 4:1", "needs the ratio of red, green and blue"),
        ("light_power=2x at noon", "is no number with a unit"),
    ],
)
def test_a_lighting_ratio_that_cannot_be_says_why(typed: str, complaint: str) -> None:
    """With what was found and how to write it."""
    with pytest.raises(EditScaleError, match=re.escape(complaint)):
        parse_edit(typed)


def test_an_alias_is_typed_and_the_full_name_is_kept() -> None:
    """Keyboards are slow, records are not."""
    assert parse_edit("wb=5600K->3200K").attribute == "white_balance"
    assert parse_edit("ev=+1stop").value == 1.0


@pytest.mark.parametrize(
    ("typed", "attribute", "subject", "value"),
    [
        ("object_rotation:teapot=30deg", "object_rotation", "teapot", 30.0),
        ("object_rotation: floor lamp =30deg", "object_rotation", "floor lamp", 30.0),
        ("object_rotation=30deg", "object_rotation", None, 30.0),
        ("shape_key:smile=60%", "shape_key", "smile", 60.0),
        ("shape_key:smile=-20pp", "shape_key", "smile", -20.0),
        ("shape_key:mouth open=from 20% to 60%", "shape_key", "mouth open", 40.0),
        ("light_power:desk lamp=2x at 4:1", "light_power", "desk lamp", 1.0),
    ],
)
def test_what_is_edited_may_be_named(
    typed: str, attribute: str, subject: str | None, value: float
) -> None:
    """Behind a colon, blanks and all; a shape at rest is at 0 %."""
    edit = parse_edit(typed).resolve(None)

    assert (edit.attribute, edit.subject) == (attribute, subject)
    assert edit.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("shape_key=60%", "names no subject; write shape_key:SUBJECT, for example shape_key:smile"),
        ("object_rotation:=30deg", "object_rotation:: names no subject; write .*:teapot"),
        ("exposure:teapot=1EV", "names 'teapot', and exposure edits no single object; leave ':te"),
        ("shape_key:smile", "found no '='; write NAME=VALUE or NAME:SUBJECT=VALUE"),
        ("smile:60%=1", "unknown attribute 'smile'"),
    ],
)
def test_a_name_in_the_wrong_place_is_refused(typed: str, message: str) -> None:
    """With what was found and what to write."""
    with pytest.raises(EditScaleError, match=message):
        parse_edit(typed)
