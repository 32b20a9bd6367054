"""Tiny real scenes; Blender is emptied after each test that used it."""

import sys
from collections.abc import Iterator

import pytest

from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan


@pytest.fixture(autouse=True)
def _emptied_blender() -> Iterator[None]:
    """Leave no datablock of one test to the next."""
    yield
    if "bpy" in sys.modules:
        import bpy

        bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def dataset_job() -> DatasetJob:
    """Return what the units of a small data set share."""
    return DatasetJob(name="small", seed=3)


@pytest.fixture
def tiny_source() -> RenderSource:
    """Return scenes that render in a fraction of a second."""
    return RenderSource(
        name="tiny",
        num_scenes=4,
        width_px=40,
        height_px=32,
        samples_per_pixel=4,
        attributes={"exposure": PairPlan(num_pairs=2), "light_power": PairPlan(num_pairs=2)},
    )
