"""Read pretrained bases from local folders in the diffusers layout, and identify them by hash.

Encoders and transformer are loaded apart: text encoders are as large as the transformer, and once
every text has its codes they are not needed.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch

from cat_dataset.errors import JobError
from cat_dataset.store.shards import sha256_of_file
from cat_dataset.system.extras import require_extras
from train.pretrained.pipelines import LATENT_BASES, LatentBase

_REMEDY = "`hf download black-forest-labs/FLUX.2-klein-base-4B --local-dir FOLDER` makes one"
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def check_base_folder(kind: str, folder: Path) -> None:
    """Raise JobError unless a folder holds a checkpoint of this kind, one that can be trained on.

    Nothing of the checkpoint is loaded yet.

    Raises:
        MissingExtraError: what its text encoders need is not installed.
    """
    require_extras(f'kind = "{kind}"', "hub")
    index_path = folder / "model_index.json"
    if not index_path.is_file():
        msg = (
            f'base {folder}: holds no model_index.json; kind = "{kind}" needs the folder of a '
            f"checkpoint in the diffusers layout: {_REMEDY}"
        )
        raise JobError(msg)
    try:
        index = json.loads(index_path.read_text(encoding="utf-8"))
        found = index["_class_name"]
    except (ValueError, KeyError, TypeError):
        msg = f"{index_path}: is no index of a diffusers pipeline; {_REMEDY}"
        raise JobError(msg) from None
    wanted = LATENT_BASES[kind].pipeline_name
    if found != wanted:
        msg = f'base {folder}: holds a {found}, and base.kind = "{kind}" is a {wanted}; {_REMEDY}'
        raise JobError(msg)
    if index.get("is_distilled"):
        msg = (
            f"base {folder}: is the distilled model, which samples in 4 steps and would "
            f"unlearn that; give the base model: {_REMEDY}"
        )
        raise JobError(msg)


def load_base(
    kind: str,
    folder: Path,
    *,
    leave_out: Sequence[str] = (),
    precision: str = "fp32",
    device: torch.device | None = None,
) -> LatentBase:
    """Read a base, frozen; components named in `leave_out` are not read.

    Raises:
        JobError: the folder holds no checkpoint of this kind, or a broken one.
    """
    check_base_folder(kind, folder)
    base_class = LATENT_BASES[kind]
    import transformers  # takes seconds, and no other base needs it

    loggings = (diffusers.utils.logging, transformers.utils.logging)
    for logging in loggings:  # bars of their own would run into ours
        logging.disable_progress_bar()
    try:
        pipeline: Any = getattr(diffusers, base_class.pipeline_name).from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            dtype=DTYPES[precision],
            **dict.fromkeys(leave_out),
        )
    except (OSError, ValueError) as error:
        msg = f"base {folder}: cannot be loaded ({error}); {_REMEDY}"
        raise JobError(msg) from None
    finally:
        for logging in loggings:
            logging.enable_progress_bar()
    pipeline.set_progress_bar_config(disable=True)
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval().requires_grad_(False)
    return base_class(pipeline.to(device) if device is not None else pipeline)


def parts_hash(folder: Path, parts: Sequence[str]) -> str:
    """Return a hash of the files of some components: weights, configs, tokenizers."""
    digest = hashlib.sha256()
    for part in parts:
        for path in sorted(p for p in (folder / part).rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
