"""What others write against is frozen: a change of it is seen, and made on purpose."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import cat
from tests.surface import listings

FOLDER = Path(__file__).parent
UPDATE = "UPDATE_SURFACE"


@pytest.mark.parametrize(
    ("name", "listing"),
    [
        ("command_line", listings.command_line),
        ("manifest_keys", listings.manifest_keys),
        ("stored_fields", listings.stored_fields),
        ("python_names", listings.python_names),
    ],
)
def test_the_surface_is_as_it_was(name: str, listing: Callable[[], Iterator[str]]) -> None:
    """Line by line as in the text file beside this test."""
    path = FOLDER / f"{name}.txt"
    found = "".join(f"{line}\n" for line in listing())
    if os.environ.get(UPDATE):
        path.write_text(found)

    before, now = path.read_text().splitlines(), found.splitlines()

    gone = [line for line in before if line not in now]
    new = [line for line in now if line not in before]
    assert now == before, (
        f"{path.name}: gone {gone}, new {new}. Others write against this. If the change is meant, "
        f"run {UPDATE}=1 python -m pytest tests/surface, look at the difference, and name it "
        f"in CHANGELOG.md"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("render", "none.toml", "--out", "none"), 1),
        (("paint",), 2),
    ],
)
def test_exit_codes_are_as_listed(arguments: tuple[str, ...], code: int) -> None:
    """Done, failed, used wrongly; 130 is tried where a command is interrupted."""
    assert cat(*arguments).returncode == code
