"""Both supported Blender lines, and nothing beside them."""

import pytest

from cat_dataset.errors import SceneError

pytestmark = pytest.mark.bpy


@pytest.mark.parametrize("version", [(4, 5, 0), (4, 5, 15), (5, 2, 3)])
def test_supported_lines_pass(version: tuple[int, ...]) -> None:
    """Any patch release of a supported line is welcome."""
    from render.blender.versions import check_supported

    check_supported(version)


@pytest.mark.parametrize("version", [(4, 4, 9), (5, 0, 0), (5, 1, 0), (5, 3, 0)])
def test_other_lines_are_refused_by_name(version: tuple[int, ...]) -> None:
    """Newer and older Blenders are refused with the lines that work."""
    from render.blender.versions import check_supported

    with pytest.raises(SceneError, match=r"4\.5 or 5\.2 LTS"):
        check_supported(version)


def test_the_installed_blender_is_one_of_them() -> None:
    """The tests run on what they claim to."""
    from render.blender.versions import blender_version, check_blender

    check_blender()

    assert blender_version().startswith(("4.5.", "5.2."))
