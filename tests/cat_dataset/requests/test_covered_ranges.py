"""How large the numbers of a data set are, task by task."""

from cat_dataset.records import EditScale
from cat_dataset.requests.covered_ranges import largest_covered


def test_two_shapes_have_ranges_of_their_own() -> None:
    """A blink goes less far than a smile; a rotation is one task, whatever turns."""
    edits = [
        EditScale("shape_key", 90.0, subject="smile"),
        EditScale("shape_key", -40.0, subject="blink"),
        EditScale("object_rotation", 30.0, subject="teapot"),
        EditScale("object_rotation", -60.0, subject="mug"),
    ]

    assert largest_covered(edits) == {
        "object_rotation": 60.0,
        "shape_key:blink": 40.0,
        "shape_key:smile": 90.0,
    }
