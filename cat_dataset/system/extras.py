"""Which optional dependencies a command needs, and a clear word where they are missing."""

import importlib.util
from collections.abc import Mapping
from types import MappingProxyType

from cat_dataset.errors import MissingExtraError

# extra in pyproject.toml -> modules it brings
EXTRA_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "render": ("bpy",),
        "dslr": ("rawpy", "exifread"),
        "train": ("torch", "diffusers", "safetensors", "einops", "accelerate", "tensorboard"),
        "hub": ("transformers",),
        "lora": ("peft", "transformers"),
        "report": ("matplotlib", "jinja2"),
    }
)


def missing_modules(extra: str) -> tuple[str, ...]:
    """Return the modules of an extra that are not installed; nothing is imported."""
    return tuple(m for m in EXTRA_MODULES[extra] if importlib.util.find_spec(m) is None)


def require_extras(command: str, *extras: str) -> None:
    """Raise MissingExtraError with the remedy where a command's dependencies are missing."""
    for extra in extras:
        missing = missing_modules(extra)
        if missing:
            msg = (
                f"{command} needs {', '.join(missing)}, which is not installed: "
                f"pip install 'cat-dataset[{extra}]'"
            )
            raise MissingExtraError(msg)
