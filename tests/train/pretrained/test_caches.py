"""Latents and texts are found by what they are made of, and refused where that is another thing."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cat_dataset.errors import JobError
from cat_dataset.records import EditScale
from tests.train.conftest import ATTRIBUTES
from tests.train.pretrained_runs import (
    SIZE_PX,
    another_vae,
    frozen_base,
    latent_job,
    training_pairs,
)
from train.data.pairs import reversed_edit
from train.pretrained.latent_space import encoded_pairs, entry_name
from train.pretrained.latent_stage import open_caches

pytest.importorskip("transformers", reason="the text encoders of stock pipelines: extra 'hub'")


@pytest.mark.parametrize("kind", ["kontext", "klein"])
def test_a_batch_holds_each_pair_by_its_key(
    kind: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """Shuffled, turned round and cached: latents are those of the very pictures of the edits."""
    job = latent_job(kind, checkpoints[kind])
    frozen = frozen_base(job, data_folder, tmp_path)
    pairs = training_pairs(data_folder)
    by_edits: dict[Any, list[Tensor]] = {}
    for number, row in enumerate(pairs.rows):
        both = encoded_pairs(frozen.base, [pairs.example(number)], SIZE_PX)[0]["latents"]
        backwards = [reversed_edit(edit) for edit in row.edits]
        by_edits.setdefault(values_of(row.edits), []).append(both)
        by_edits.setdefault(values_of(backwards), []).append(both.flip(0))

    seen = set()
    for step in range(2 * len(pairs) // job.optimizer.batch_size):
        batch = frozen.objective.draw(pairs, job, "adapter", step, 0.0)
        both_B = torch.stack([batch.source_BCHW, batch.target_BCHW], dim=1)
        for both, edits in zip(both_B, batch.edits, strict=True):
            seen.add(values_of(edits))
            gaps = [float((both - own).abs().max()) for own in by_edits[values_of(edits)]]
            assert min(gaps) < 1e-4
    assert len(seen) > 0.9 * len(pairs)


def values_of(edits: Sequence[EditScale]) -> tuple[tuple[str, float], ...]:
    """Return what edits ask for."""
    return tuple((edit.attribute, edit.value) for edit in edits)


@pytest.mark.parametrize("kind", ["kontext", "klein"])
def test_a_full_cache_needs_no_encoder(
    kind: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """Entries are left as they are, to the second of their making."""
    job = latent_job(kind, checkpoints[kind])
    frozen_base(job, data_folder, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}

    frozen_base(job, data_folder, tmp_path)

    assert len(before) == len(training_pairs(data_folder)) + len(ATTRIBUTES) + 2
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")} == before


Spoil = Callable[[Path], None]


def another_text_encoder(folder: Path) -> None:
    """Change one byte of the text encoder's weights."""
    path = folder / "text_encoder" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def another_tokenizer(folder: Path) -> None:
    """Change the tokenizer."""
    path = folder / "tokenizer" / "tokenizer.json"
    path.write_text(path.read_text().replace("exposure", "exponent"))


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (another_vae, "another vae"),
        (another_text_encoder, "another text encoder"),
        (another_tokenizer, "another text encoder"),
    ],
)
def test_a_cache_made_by_something_else_is_refused(
    spoil: Spoil, named: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """One byte of what made it is enough."""
    folder = shutil.copytree(checkpoints["klein"], tmp_path / "other")
    frozen_base(latent_job("klein", checkpoints["klein"]), data_folder, tmp_path / "cache")
    spoil(folder)

    with pytest.raises(JobError, match=rf"{named} .*give another cache_folder, or remove this"):
        open_caches(latent_job("klein", folder), folder, tmp_path / "cache")


def test_a_cache_of_another_size_is_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Latents of 64 px are no latents of 80 px."""
    folder = checkpoints["kontext"]
    open_caches(latent_job("kontext", folder), folder, tmp_path)

    with pytest.raises(JobError, match=r"another size px \(64, now 80\)"):
        open_caches(latent_job("kontext", folder, {"base.size_px": 80}), folder, tmp_path)


def test_an_entry_under_a_wrong_name_is_refused(
    checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """A pair's latents or a text's codes put in the place of another's."""
    job = latent_job("klein", checkpoints["klein"])
    frozen, pairs = frozen_base(job, data_folder, tmp_path), training_pairs(data_folder)
    one, other = sorted((tmp_path / "latents").glob("*.safetensors"))[:2]
    shutil.copy(other, one)
    one, other = sorted((tmp_path / "texts").glob("*.safetensors"))[:2]
    shutil.copy(other, one)

    with pytest.raises(JobError, match=r"was made of another .*; delete it"):
        frozen.objective.whole_batch(pairs, range(len(pairs)))
    with pytest.raises(JobError, match="was made of another text"):
        frozen_base(job, data_folder, tmp_path)


def test_changed_pictures_under_an_old_key_are_encoded_anew(
    checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """The name of an entry holds the hash of its pictures as well as the key."""
    row = training_pairs(data_folder).rows[0]
    changed = replace(row, hashes={**row.hashes, "target.png": "0" * 64})
    retold = replace(row, hashes={**row.hashes, "json": "0" * 64})

    assert entry_name(changed) != entry_name(row)
    assert entry_name(retold) == entry_name(row)
