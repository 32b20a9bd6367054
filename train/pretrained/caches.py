"""Folders of tensors that take long to make: each records what made it, and is refused elsewhere.

cache.json      what made all that is in it: hashes of weights, version of the preprocessing
NAME.safetensors  one entry; its header says once more what it belongs to

Entries are found by what they are made of, never by the order in which they were made.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cat_dataset.errors import JobError
from cat_dataset.system.atomic import write_bytes_atomic, write_text_atomic

_RECORD = "cache.json"


@dataclass(frozen=True)
class TensorCache:
    """An opened cache; see `open_cache`."""

    folder: Path
    made_by: Mapping[str, str]

    def path_of(self, name: str) -> Path:
        """Return where an entry stands."""
        return self.folder / f"{name}.safetensors"

    def has(self, name: str) -> bool:
        """Return whether there is an entry; entries appear whole."""
        return self.path_of(name).is_file()

    def write(
        self, name: str, belongs_to: Mapping[str, str], tensors: Mapping[str, Tensor]
    ) -> None:
        """Store an entry; `belongs_to` is asked again when it is read."""
        header = json.dumps({**self.made_by, **belongs_to}, sort_keys=True)
        contiguous = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
        write_bytes_atomic(self.path_of(name), save(contiguous, metadata={"cat": header}))

    def read(self, name: str, belongs_to: Mapping[str, str]) -> dict[str, Tensor]:
        """Return the tensors of an entry.

        Raises:
            JobError: it is broken, or belongs to something else.
        """
        path = self.path_of(name)
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads(file.metadata()["cat"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            msg = f"cache entry {path}: cannot be read ({error}); delete it to have it made anew"
            raise JobError(msg) from None
        wanted = {**self.made_by, **belongs_to}
        if header != wanted:
            differing = _first_difference(header, wanted)
            msg = f"cache entry {path}: was made of {differing}; delete it to have it made anew"
            raise JobError(msg)
        return tensors


def open_cache(folder: Path, made_by: Mapping[str, str]) -> TensorCache:
    """Return the cache in a folder: a new one, or one that the same things made.

    Raises:
        JobError: something else made it.
    """
    record_path = folder / _RECORD
    if not record_path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomic(record_path, json.dumps(dict(made_by), indent=2, sort_keys=True) + "\n")
    try:
        found = json.loads(record_path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"cache record {record_path}: is no JSON ({error}); remove the folder {folder}"
        raise JobError(msg) from None
    if found != dict(made_by):
        msg = (
            f"cache {folder}: was made by {_first_difference(found, made_by)}; what one made is "
            f"noise to the other: give another cache_folder, or remove this one to fill it anew"
        )
        raise JobError(msg)
    return TensorCache(folder, made_by)


def _first_difference(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    name = next(n for n in [*wanted, *found] if wanted.get(n) != found.get(n))
    label = name.replace("_", " ")
    return f"another {label} ({_short(found.get(name))}, now {_short(wanted.get(name))})"


def _short(value: str | None) -> str:
    return "none" if value is None else value if len(value) <= 40 else f"{value[:12]}..."
