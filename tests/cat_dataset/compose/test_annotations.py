"""Annotations travel with every pair, in files that other people's readers open."""

import io
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from cat_dataset.compose.basis_pairs import compose_basis, compose_sweep
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Annotation, Sweep, SweepFrame, UnitResult
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis

FIELDS = {
    "json",
    *("source.png", "source.mask.png", "source.depth.exr", "source.normal.exr"),
    *("target.png", "target.mask.png", "target.depth.exr", "target.normal.exr"),
}


def _annotation(column: int) -> Annotation:
    mask = np.zeros((48, 48), bool)
    mask[10:30, column : column + 20] = True
    depth = np.where(mask, 1.5, np.inf).astype(np.float32)
    normal = np.zeros((48, 48, 3), np.float32)
    normal[mask] = (0.0, -0.6, 0.8)
    return Annotation(mask, depth, normal)


@pytest.fixture
def annotated(dataset_job: DatasetJob) -> UnitResult:
    """Return photometric and swept pairs with all annotations."""
    job = dataset_job.model_copy(update={"annotations": ("mask", "depth", "normal")})
    basis = replace(make_light_basis("scene-a"), annotation=_annotation(0))
    rng = derive_rng(0, "test-annotations")
    frames = tuple(
        SweepFrame(
            10.0 * n,
            10.0 * n,
            rng.uniform(0.1, 0.8, (48, 48, 3)).astype(np.float32),
            annotation=_annotation(10 * n),
        )
        for n in range(2)
    )
    sweep = Sweep("scene-b", "train", "object_rotation", frames, edited_area="object")
    photometric = compose_basis(basis, {"exposure": PairPlan(num_pairs=2)}, job)
    swept = compose_sweep(sweep, PairPlan(num_pairs=2), job)
    return UnitResult(photometric.pairs + swept.pairs)


def _exr(data: bytes) -> np.ndarray:
    with tempfile.NamedTemporaryFile(suffix=".exr") as file:
        file.write(data)
        file.flush()
        channels = OpenEXR.File(file.name).channels()
        return np.array(next(iter(channels.values())).pixels)


def test_every_sample_has_the_same_fields(annotated: UnitResult, tmp_path: Path) -> None:
    """Loaders demand one field set; stock webdataset decodes the masks as pictures."""
    table = staged_table(annotated, producer="render", unit_id="u", origin={})
    write_shard(shard_path(tmp_path, 0), [table])
    write_index(tmp_path, [shard_path(tmp_path, 0)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, which webdataset imports
        import webdataset

        url = str(shard_path(tmp_path, 0))
        samples = list(webdataset.WebDataset(url, shardshuffle=False).decode("rgb8"))

    assert len(samples) == 4
    for sample in samples:
        assert {name for name in sample if not name.startswith("__")} == FIELDS
        assert sample["source.mask.png"].shape == (48, 48, 3)


def test_the_mask_is_where_the_edit_acts(annotated: UnitResult) -> None:
    """All over for light; the object's pixels in each picture where it turns."""
    masks = {
        pair.key: [
            np.array(Image.open(io.BytesIO(pair.annotations[f"{which}.mask.png"])))
            for which in ("source", "target")
        ]
        for pair in annotated.pairs
    }

    for key, (source, target) in masks.items():
        if "exposure" in key:
            assert (source == 255).all()
            assert (target == 255).all()
        else:
            assert set(np.unique(source)) == {0, 255}
            assert not np.array_equal(source, target)
            assert (source == 255).sum() == 400


def test_depth_and_normals_come_back_as_they_were(annotated: UnitResult) -> None:
    """Metres in float, inf where there is nothing; unit normals in half float."""
    pair = next(pair for pair in annotated.pairs if "rotation" in pair.key)

    depth = _exr(pair.annotations["source.depth.exr"])
    normal = _exr(pair.annotations["source.normal.exr"])

    assert depth.dtype == np.float32
    assert set(np.unique(depth)) == {np.float32(1.5), np.float32(np.inf)}
    assert normal.dtype == np.float16
    assert normal[15, 15].tolist() == pytest.approx([0.0, -0.6, 0.8], abs=1e-3)
