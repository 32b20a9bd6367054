"""Which of the user's files each scene of a source is made of; no Blender in here.

Every .blend file is one scene. Models and HDRIs are drawn, one of each per scene.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cat_dataset.errors import JobError
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.system.seeding import derive_rng, derive_seed
from render.asset_folder import (
    BLEND_SUFFIXES,
    HDRI_SUFFIXES,
    MODEL_SUFFIXES,
    list_assets,
)

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class SceneFiles:
    """The user's files that one scene is made of."""

    blend: Path | None = None
    model: Path | None = None
    hdri: Path | None = None

    def without_folders(self, text: str) -> str:
        """Return a text in which the files are called by their names alone."""
        for path in (self.blend, self.model, self.hdri):
            text = text if path is None else text.replace(str(path), path.name)
        return text

    def content(self) -> str:
        """Return names and hashes of the files: other files are another data set.

        What they refer to (textures, buffers beside a .gltf, linked scenes) is not hashed.

        Raises:
            JobError: a file cannot be read.
        """
        paths = [path for path in (self.blend, self.model, self.hdri) if path is not None]
        return "; ".join(f"{path.name} {_sha256(path)}" for path in paths)


PROCEDURAL = SceneFiles()


def list_scenes(dataset: DatasetJob, source: RenderSource) -> dict[str, SceneFiles]:
    """Return the files of every scene of a source by unit id, such as "gallery-0003".

    Paths of the source must be located, see `RenderSource.located`.

    Raises:
        JobError: a folder does not exist, or holds nothing of the kind.
    """
    if source.blends is not None:
        blends = _blends(source.blends)
        return {scene_name(source, n): SceneFiles(blend=path) for n, path in enumerate(blends)}
    models = _listed(source.models, MODEL_SUFFIXES, "models")
    hdris = _listed(source.hdris, HDRI_SUFFIXES, "HDRIs")
    scenes = {}
    for number in range(source.num_scenes or 0):
        name = scene_name(source, number)
        seed = scene_seed(dataset, source, name)
        scenes[name] = SceneFiles(
            model=_picked(seed, "model", models), hdri=_picked(seed, "hdri", hdris)
        )
    return scenes


def scene_name(source: RenderSource, number: int) -> str:
    """Return the name of a scene, which is its unit of work."""
    return f"{source.name}-{number:04d}"


def scene_seed(dataset: DatasetJob, source: RenderSource, name: str) -> int:
    """Return the seed that everything in a scene is derived from."""
    return derive_seed(dataset.seed, source.name, name)


def _blends(path: Path) -> Sequence[Path]:
    if path.is_dir():
        return list_assets(path, BLEND_SUFFIXES, "scenes")
    if not path.is_file():
        msg = f"blends {path}: no such file or folder; name a .blend file or a folder of them"
        raise JobError(msg)
    return (path,)


def _listed(folder: Path | None, suffixes: Sequence[str], what: str) -> Sequence[Path]:
    return () if folder is None else list_assets(folder, suffixes, what)


def _picked(seed: int, name: str, paths: Sequence[Path]) -> Path | None:
    if not paths:
        return None
    return paths[int(derive_rng(seed, "file", name).integers(len(paths)))]


@lru_cache(maxsize=4096)
def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror})"
        raise JobError(msg) from None
    return digest.hexdigest()[:16]
