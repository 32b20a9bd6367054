"""An optional LoRA beside the adapter, in its own file, as stock pipelines load it.

The numeric adapter stays one file and the LoRA another: `pipeline.load_lora_weights(folder)` takes
the second, and either can be left out. It goes into every linear layer of the blocks but into no
modulation: those belong to the numbers. Needs the extra `lora` (PEFT).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import cast_training_params
from torch import nn

from cat_dataset.errors import JobError
from cat_dataset.system.extras import require_extras
from train.adapter.hooks import modulation_linears

LORA_BESIDE_ADAPTER = "../lora"
_FILE = "pytorch_lora_weights.safetensors"


class LoraWeights(nn.Module):
    """The LoRA of a transformer as a network of its own: what is trained, and nothing else."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        for name, parameter in transformer.named_parameters():
            if "lora_" in name:
                self.register_parameter(name.replace(".", "/"), parameter)


def add_lora(transformer: Any, rank: int) -> LoraWeights:
    """Put a fresh LoRA, which changes nothing yet, on a frozen transformer and return its weights.

    They are float32 whatever the base is. torch's global generator must be seeded.

    Raises:
        MissingExtraError: PEFT is not installed.
    """
    require_extras("[train.adapter.lora]", "lora")
    from peft import LoraConfig

    # alpha = rank: a change of the rank is no change of the learning rate
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=_targets(transformer))
    transformer.add_adapter(config)
    cast_training_params(transformer, dtype=torch.float32)
    return LoraWeights(transformer)


def save_lora(transformer: Any, folder: Path) -> None:
    """Write the LoRA of a transformer in the form of `save_lora_weights` of its pipelines."""
    from diffusers.loaders import Flux2LoraLoaderMixin, FluxLoraLoaderMixin
    from peft.utils import get_peft_model_state_dict

    is_flux_2 = type(transformer).__name__ == "Flux2Transformer2DModel"
    loader = Flux2LoraLoaderMixin if is_flux_2 else FluxLoraLoaderMixin
    # Without PEFT's config in the header: rank and alpha = rank are seen from the weights, and the
    # entries of a header with two come in any order, while equal runs must write equal bytes.
    loader.save_lora_weights(folder, transformer_lora_layers=get_peft_model_state_dict(transformer))


def load_lora(transformer: Any, folder: Path) -> None:
    """Put the LoRA of a folder on a transformer, frozen.

    Raises:
        JobError: the folder holds none.
        MissingExtraError: PEFT is not installed.
    """
    if not (folder / _FILE).is_file():
        msg = (
            f"lora {folder}: holds no {_FILE}; move it together with its adapter, or set lora_path "
            f"to null in the adapter's config.json to edit without it"
        )
        raise JobError(msg)
    require_extras("an adapter with a LoRA", "lora")
    transformer.load_lora_adapter(
        folder, weight_name=_FILE, use_safetensors=True, local_files_only=True
    )
    transformer.requires_grad_(False)


@contextmanager
def without_lora(transformer: Any) -> Iterator[None]:
    """Leave a LoRA, if there is one, out while the context lasts."""
    if not getattr(transformer, "peft_config", None):
        yield
        return
    transformer.disable_lora()
    try:
        yield
    finally:
        transformer.enable_lora()


def _targets(transformer: nn.Module) -> list[str]:
    """Return the names of the linear layers in the blocks, without those of modulations."""
    modulations = set(modulation_linears(transformer))
    return [
        name
        for name, module in transformer.named_modules()
        if isinstance(module, nn.Linear) and "transformer_blocks." in name
        if name not in modulations
    ]
