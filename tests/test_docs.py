"""What the pages say of names and folders: each list is compared with the code."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import CaptureSource, ComposeJob, RenderSource
from cat_dataset.jobs.manifest import DatasetJob, EvaluateSettings, Job
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import (
    AdapterSettings,
    CompactSettings,
    ComposedData,
    KleinSettings,
    LoraSettings,
    OptimizerSettings,
)
from cat_dataset.store.schema import EDIT_FIELDS, ORIGIN_FIELDS, PAIR_FIELDS
from tests.test_architecture import NOT_BUILT_YET, READING_ORDER

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MANIFEST_MODELS: tuple[type[BaseModel], ...] = (
    *(DatasetJob, RenderSource, PairPlan, CaptureSource, ComposeJob, SimulatedCamera, TrainJob),
    *(CompactSettings, KleinSettings, AdapterSettings, LoraSettings, ComposedData),
    *(OptimizerSettings, EvaluateSettings),
)


def test_the_readme_is_short() -> None:
    """A newcomer reads it to the end."""
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 1000


@pytest.mark.parametrize("package", [name for name in READING_ORDER if "." not in name])
def test_the_readme_has_every_folder_in_reading_order(package: str) -> None:
    """The tree is the map by which the place of a change is found."""
    tree = README.split(f"\n{package}/ ")[1].split("\n```")[0]
    lines = itertools.takewhile(lambda line: line.startswith("  "), tree.splitlines()[1:])
    named = [line.split()[0].removesuffix(".py").removesuffix("/") for line in lines]
    built = [n for n in READING_ORDER[package] if n not in NOT_BUILT_YET.get(package, set())]

    folders = [name for name in built if (ROOT / package / name).is_dir()]
    assert [name for name in built if name in named] == named
    assert set(folders) <= set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    """Within the repository; a picture is at most 200 kB."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    for target in targets:
        path = page.parent / target
        assert path.exists(), target
        assert path.suffix != ".jpg" or path.stat().st_size < 200_000, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """Files move; the pages that send people to them follow."""
    packages = "cat_dataset|render|dslr|train|tests|manifests|benchmarks"
    named = re.findall(rf"`((?:{packages})/[\w./-]+)`", page.read_text())
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_stands_in_its_table(name: str) -> None:
    """With unit, spelling, sign and source."""
    rows = re.findall(r"^\| ([a-z_, ]+) \|", (ROOT / "docs/attributes.md").read_text(), re.M)
    assert any(name in row.split(", ") for row in rows)


@pytest.mark.parametrize("model", MANIFEST_MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_manifest_stands_on_its_page(model: type[BaseModel]) -> None:
    """Tables of [train] stand there as headings."""
    text = (ROOT / "docs/manifest.md").read_text()
    missing = [
        key
        for key in model.model_fields
        if f"`{key}`" not in text and f"`[train.{key}]`" not in text
    ]
    assert not missing


def test_every_field_of_a_sample_stands_on_its_page() -> None:
    """Of a pair, its edits and its origin."""
    text = (ROOT / "docs/data.md").read_text()
    for field in (*PAIR_FIELDS, *EDIT_FIELDS, *ORIGIN_FIELDS):
        assert f"`{field.name}`" in text, field.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_manifest_in_a_page_is_valid(page: Path) -> None:
    """Fragments get what they lack: a data set, or scenes."""
    dataset = {"name": "page", "seed": 1}
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL):
        fragment = tomllib.loads(block)
        if fragment.keys() <= Job.model_fields.keys():
            Job.model_validate({"dataset": dataset, **fragment})
