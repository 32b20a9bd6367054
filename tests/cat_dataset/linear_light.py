"""Linear light with every field filled in, and folders that hold some."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.generate import RunSummary, WorkUnit, run_units
from cat_dataset.jobs.manifest import DatasetJob, DatasetManifest
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import (
    Annotation,
    LightBasis,
    Pair,
    Reading,
    Sweep,
    SweepFrame,
    UnitResult,
)
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.system.progress import SilentProgress
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis

SCENES = ("scene-a", "scene-b", "scene-c")
HALF_PRECISION = 2.0**-11
JOB = DatasetJob(name="light", seed=3, units_per_shard=2, unit_timeout_s=60.0)


def make_annotation(name: str, size_px: int = 48) -> Annotation:
    """Return a disc in front of nothing."""
    rng = derive_rng(0, "test-annotation", name)
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px - 0.5
    mask = rows**2 + columns**2 < 0.1
    normal = rng.normal(size=(size_px, size_px, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return Annotation(
        mask_HW=mask,
        depth_HW=np.where(mask, 1.25 + rows, np.inf).astype(np.float32),
        normal_HW3=np.where(mask[..., None], normal, 0.0).astype(np.float32),
        visible_share=0.625,
    )


def full_basis(scene: str = "scene-a") -> LightBasis:
    """Return a basis of which no field has its default."""
    basis = make_light_basis(scene)
    clipped_HW = np.zeros(basis.images_GHW3.shape[1:3], np.bool_)
    clipped_HW[3:6, 10:20] = True
    return replace(
        basis,
        split="val",
        wb_cct_k=5100.0,
        clipped_HW=clipped_HW,
        annotation=make_annotation(scene),
        view="front",
        origin={"producer": "render", "seed": 7, "things": ["cup", "ball"]},
    )


def make_sweep(scene: str = "scene-a") -> Sweep:
    """Return three frames that turn and brighten; of no field the default."""
    linear = make_light_basis(scene).images_GHW3[0]
    rng = derive_rng(0, "test-noise", scene)
    frames = tuple(
        SweepFrame(
            absolute_value=angle,
            axis_value=angle,
            linear_HW3=np.roll(linear, number * 7, 1),
            clipped_HW=np.roll(np.eye(48, dtype=np.bool_), number, 1),
            moving_HW=np.zeros((48, 48), np.bool_),
            annotation=make_annotation(f"{scene}-{number}"),
            origin={"frame": number},
        )
        for number, angle in enumerate((0.0, 30.0, 75.0))
    )
    readings = {
        (i, j): Reading(frames[j].axis_value - frames[i].axis_value + 0.01 * (j - i), 0.02, 500 + i)
        for i in range(3)
        for j in range(3)
        if i != j
    }
    return Sweep(
        scene=scene,
        split="val",
        attribute="object_rotation",
        frames=frames,
        readings=readings,
        is_measured_the_scale=True,
        subject="teapot",
        wb_cct_k=4300.0,
        noise_HW3=rng.normal(0.0, 1e-3, linear.shape).astype(np.float32),
        edited_area="object",
        view="front",
        origin={"producer": "render", "seed": 8},
    )


def light_of(scene: str) -> tuple[LightBasis | Sweep, ...]:
    """Return what one scene gives: a basis, and for all but the last a sweep."""
    basis = replace(make_light_basis(scene), origin={"producer": "render"})
    return (basis,) if scene == SCENES[-1] else (basis, make_sweep(scene))


def linear_unit(scene: str, job: DatasetJob) -> UnitResult:
    """Return the linear samples of a scene, and a pair where samples are pairs; a unit's call."""
    basis, *_ = lights = light_of(scene)
    pairs: tuple[Pair, ...] = ()
    if job.samples == "pairs" and isinstance(basis, LightBasis):
        pairs = compose_basis(basis, {"exposure": PairPlan(num_pairs=1)}, job).pairs
    return UnitResult(pairs, linear=tuple(encode_linear(light) for light in lights))


def make_linear_dataset(
    folder: Path, *, num_workers: int = 1, keep_linear: bool = False
) -> RunSummary:
    """Write the light of all scenes, into shards or beside a pair of each."""
    job = JOB.model_copy(update={"samples": "pairs" if keep_linear else "linear"})
    return run_units(
        DatasetManifest(dataset=job),
        [WorkUnit(scene, "render", partial(linear_unit, scene, job)) for scene in SCENES],
        folder,
        num_workers=num_workers,
        progress=SilentProgress(),
        keep_linear=keep_linear,
    )


def assert_same(found: Any, expected: Any, where: str = "light") -> None:
    """Compare records field by field; floats of pictures to half precision, all else exactly."""
    if dataclasses.is_dataclass(expected):
        assert type(found) is type(expected), where
        for field in dataclasses.fields(expected):
            name = field.name
            assert_same(getattr(found, name), getattr(expected, name), f"{where}.{name}")
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, where
        np.testing.assert_allclose(found, expected, rtol=HALF_PRECISION, atol=1e-7, err_msg=where)
    elif isinstance(expected, tuple):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}[{number}]")
    elif isinstance(expected, Mapping):
        added = {"versions"} if where == "light.origin" else set()  # by whoever stored it
        assert set(found) - added == set(expected) - added, where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}[{key}]")
    else:
        assert found == expected, where
