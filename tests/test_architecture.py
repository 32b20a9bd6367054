"""The house rules that a machine can hold: directions of import, randomness, names, files."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).parents[1]
ROOMS = ("render", "dslr", "train")
PACKAGES = ("cat_dataset", *ROOMS)
OWNERS = {
    "bpy": "render",
    "cycles": "render",
    "mathutils": "render",
    "bmesh": "render",
    "rawpy": "dslr",
    "exifread": "dslr",
    "torch": "train",
    "diffusers": "train",
    "safetensors": "train",
    "transformers": "train",
    "peft": "train",
}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    """Return the top-level names a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_in_one_direction(path: Path) -> None:
    """Rooms know the core, never each other; the core knows no room; CLI and pipeline know all."""
    room = path.relative_to(ROOT).parts[0]
    calls_rooms = any(path.is_relative_to(ROOT / "cat_dataset" / n) for n in ("cli", "pipeline"))
    for module in imported_modules(path):
        assert OWNERS.get(module, room) == room, f"only {OWNERS[module]}/ may import {module}"
        if module in ROOMS and not calls_rooms:
            assert module == room, f"{room} must not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_hidden_randomness_or_clock(path: Path) -> None:
    """Same manifest, same bytes: no global generator, no uuid, no wall clock in what is written."""
    text = path.read_text()
    assert not re.search(r"^\s*(import random|from random|import uuid|from uuid)", text, re.M)
    assert not re.search(r"np\.random\.(?!Generator|default_rng)\w+", text)
    if path.name != "seeding.py":
        assert "default_rng(" not in text, "use cat_dataset.system.seeding.derive_rng"
    assert not re.search(r"datetime\.(now|today|utcnow)|time\.time\(\)", text)


def test_the_help_needs_no_extra_and_imports_nothing_heavy() -> None:
    """`cat-dataset --help` answers at once on a bare install."""
    heavy = (*OWNERS, "numpy", "cv2", "pyarrow", "pydantic", "matplotlib", "webdataset")
    code = (
        "import sys, cat_dataset.cli\n"
        f"loaded = sorted(set({heavy!r}) & set(sys.modules))\n"
        "sys.exit(f'imported by the help: {loaded}' if loaded else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_importing_the_package_imports_nothing_heavy() -> None:
    """Its functions are imported when they are named; all that `__all__` names are there."""
    heavy = (*OWNERS, "numpy", "cv2", "pyarrow", "pydantic", "typer", "rich")
    code = (
        "import sys, cat_dataset\n"
        f"loaded = sorted(set({heavy!r}) & set(sys.modules))\n"
        "missing = [n for n in cat_dataset.__all__ if not callable(getattr(cat_dataset, n))]\n"
        "sys.exit(f'imported: {loaded}, missing: {missing}' if loaded or missing else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_pipeline_does_not_know_the_command_line() -> None:
    """What a notebook calls neither parses options nor prints."""
    for path in (ROOT / "cat_dataset" / "pipeline").glob("*.py"):
        text = path.read_text()
        assert "cat_dataset.cli" not in text, path
        assert "typer" not in imported_modules(path), path


def test_listing_units_does_not_import_blender() -> None:
    """Only workers import bpy; the process that supervises them stays clear of it."""
    code = "import sys, render.units; sys.exit('bpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_wheel_lists_every_package() -> None:
    """Setuptools finds every folder that holds code, so that none is missing from the wheel."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = find_packages(str(ROOT), include=settings["packages"]["find"]["include"])
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES}
    assert folders == set(found)


def test_no_catch_all_modules() -> None:
    """A helper with two users gets a named home."""
    banned = {"utils.py", "common.py", "helpers.py", "core.py", "misc.py", "base.py"}
    assert not [path for path in SOURCES if path.name in banned]
