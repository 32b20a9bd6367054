"""The house rules that a machine can hold: directions of import, randomness, names, files."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from setuptools import find_packages

from cat_dataset.attributes.table import ATTRIBUTES

ROOT = Path(__file__).parents[1]
PRODUCERS_AND_TRAINER = ("render", "dslr", "train")
PACKAGES = ("cat_dataset", *PRODUCERS_AND_TRAINER)
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

# Folders and loose modules in reading order: each may import those before it, none after it.
# A package's own `__init__` comes last, as it says what the package offers.
READING_ORDER: dict[str, tuple[str, ...]] = {
    "cat_dataset": (
        *("errors", "imaging", "system", "attributes", "records", "light", "jobs", "requests"),
        *("store", "reporting", "generate", "compose", "scoring", "studio", "pipeline", "cli"),
    ),
    "render": (
        *("scene", "blender", "basis", "sweeps", "asset_folder", "scene_files"),
        *("families", "assets", "units", "previews"),
    ),
    "cat_dataset.scoring": (
        *("truth", "questions", "editors", "readings", "statistics"),
        *("protocol", "evaluation", "markdown", "report", "score_editors"),
    ),
    "render.families": ("craft", "tabletop", "interior", "outdoor", "head", "registry"),
    "dslr": (
        *("files", "develop", "measure", "grouping", "sweeps", "simulator"),
        *("ingest", "units"),
    ),
    "train": (
        *("runs", "model", "adapter", "data", "objective", "pretrained"),
        *("edit", "loop", "evaluate"),
    ),
}
NOT_BUILT_YET = {"cat_dataset": {"studio"}}


@dataclass(frozen=True)
class ImportedModule:
    """A module that a file imports somewhere."""

    name: str
    is_late: bool  # inside a function, or for type checking only


def module_name(path: Path) -> str:
    """Return the dotted name of a source file; a package is named like its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SOURCES}


def imports_of(path: Path) -> list[ImportedModule]:
    """Return all modules a file imports: at its top, in functions, and for type checking only.

    `from a import b` is an import of `a.b` where that is a module of ours, else of `a`.
    """
    tree = ast.parse(path.read_text())
    late = {id(node) for block in ast.walk(tree) if _runs_late(block) for node in ast.walk(block)}
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in whole]
        found += [ImportedModule(name, id(node) in late) for name in names]
    return found


def _runs_late(block: ast.AST) -> bool:
    """Whether what a block imports is not loaded together with its file."""
    if isinstance(block, ast.If):
        return isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
    return isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef)


IMPORTS = {module: imports_of(path) for module, path in MODULES.items()}


def own_imports(module: str) -> set[str]:
    """Return the modules of these packages that a module imports, itself left out."""
    return {imported.name for imported in IMPORTS[module] if imported.name in MODULES} - {module}


@pytest.mark.parametrize("module", MODULES)
def test_packages_import_in_one_direction(module: str) -> None:
    """Packages know the core, never each other; the core knows none but in functions of its rim."""
    package = module.split(".")[0]
    is_rim = module.startswith(("cat_dataset.cli", "cat_dataset.pipeline"))
    for imported in IMPORTS[module]:
        top = imported.name.split(".")[0]
        assert OWNERS.get(top, package) == package, f"only {OWNERS[top]}/ may import {top}"
        if top in PRODUCERS_AND_TRAINER and top != package:
            assert is_rim, f"{module} must not import {imported.name}"
            assert imported.is_late, f"{module} must import {imported.name} inside a function"


@pytest.mark.parametrize("parent", READING_ORDER)
def test_folders_import_in_one_direction(parent: str) -> None:
    """A folder imports only folders that stand before it in the reading order."""
    rank = {name: place for place, name in enumerate(READING_ORDER[parent])}
    backward = [
        f"{module} imports {imported}"
        for module in MODULES
        if module.startswith(f"{parent}.")
        for imported in own_imports(module)
        if imported == parent or imported.startswith(f"{parent}.")
        if rank[_child(parent, module)] < rank.get(_child(parent, imported), len(rank))
    ]
    assert not backward


def _child(parent: str, module: str) -> str:
    """Return the folder or loose module of `parent` that a module lies in; "" = its `__init__`."""
    return module.removeprefix(parent).removeprefix(".").split(".")[0]


@pytest.mark.parametrize("parent", READING_ORDER)
def test_the_reading_order_names_every_folder_and_loose_module(parent: str) -> None:
    """A new folder takes its place in the order, and one that is gone leaves it."""
    children = {_child(parent, module) for module in MODULES if module.startswith(f"{parent}.")}
    assert children == set(READING_ORDER[parent]) - NOT_BUILT_YET.get(parent, set())


def test_no_files_import_each_other_in_a_circle() -> None:
    """The files form layers, also where an import stands in a function or is for types only."""
    circles = {frozenset(circle) for circle in circles_of({m: own_imports(m) for m in MODULES})}
    assert not circles


def circles_of(imports: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of more than one module."""
    reached = {module: _reachable(module, imports) for module in imports}
    circles: list[set[str]] = []
    for module in imports:
        circle = {other for other in reached[module] if module in reached[other]}
        if len(circle) > 1 and circle not in circles:
            circles.append(circle)
    return circles


def _reachable(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    """Return what a module imports, directly or through others."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        following = imports[waiting.pop()] - reached
        reached |= following
        waiting += following
    return reached


def test_a_circle_of_three_is_found() -> None:
    """The search for circles sees one that no two files form alone."""
    imports = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set[str]()}
    assert circles_of(imports) == [{"a", "b", "c"}]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_files_of_a_package_have_one_name(package: str) -> None:
    """A file is found by its name alone; families have the same files, each its own."""
    names = Counter(
        path.name
        for module, path in MODULES.items()
        if module.startswith(f"{package}.") and path.name != "__init__.py"
        if not module.startswith("render.families.")
    )
    twice = {name for name, count in names.items() if count > 1}
    assert not twice


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


# Where an attribute's name stands as a literal that is not the attribute, or has to.
SETTINGS = {"exposure", "white_balance", "aperture", "focal_length", "focus_distance"}
OTHER_MEANINGS = (
    # kinds of series are named after the setting of the camera that varies
    ("dslr/", SETTINGS),
    ("cat_dataset/jobs/camera.py", SETTINGS),
    ("cat_dataset/cli/cameras.py", SETTINGS),
    # a property of Blender's camera
    ("render/sweeps/scene_edits.py", {"focus_distance"}),
    # the path of a seed: with another, scenes would show other shapes
    ("render/assets/", {"shape_key"}),
)


def attribute_literals(path: Path) -> set[str]:
    """Return the names of attributes that stand as string literals in a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and n.value in ATTRIBUTES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_attribute_names_stand_in_their_definition_alone(path: Path) -> None:
    """Elsewhere an attribute is its object, `EXPOSURE.name`, or what its fields say of it."""
    place = str(path.relative_to(ROOT))
    if place.startswith("cat_dataset/attributes/"):
        return
    allowed = set().union(*(names for start, names in OTHER_MEANINGS if place.startswith(start)))
    assert not attribute_literals(path) - allowed


def test_a_literal_of_an_attribute_is_found(tmp_path: Path) -> None:
    """The search sees a name in a call, a comparison and a table, and no docstring that uses it."""
    path = tmp_path / "code.py"
    path.write_text(
        '"""An exposure."""\nif x == "exposure":\n    y = {"aperture": f("shape_key")}\n'
    )
    assert attribute_literals(path) == {"exposure", "aperture", "shape_key"}


@pytest.mark.parametrize(("start", "names"), OTHER_MEANINGS)
def test_no_exception_outlives_its_use(start: str, names: set[str]) -> None:
    """Every name that is allowed somewhere still stands there."""
    found = [attribute_literals(p) for p in SOURCES if str(p.relative_to(ROOT)).startswith(start)]
    assert names & set().union(*found)
