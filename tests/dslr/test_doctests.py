import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "simulator.camera_settings",
        "develop.develop",
        "develop.exposure",
        "files.maker_notes",
        "simulator.sensor",
        "develop.white_balance",
    ],
)
def test_the_examples_in_docstrings_are_true(module: str) -> None:
    """The numbers beside the formulas can be checked by hand, and are checked here."""
    results = doctest.testmod(importlib.import_module(f"dslr.{module}"))

    assert results.attempted > 0
    assert results.failed == 0
