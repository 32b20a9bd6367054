"""Add offsets to the AdaLN modulations of a stock diffusers transformer, removable.

FLUX.1 has a modulation in every block, FLUX.2 three that all its blocks share; both have one before
the last projection. The transformer stays as it is: the offsets are added by forward hooks.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from diffusers.models.normalization import (
    AdaLayerNormContinuous,
    AdaLayerNormZero,
    AdaLayerNormZeroSingle,
)
from diffusers.models.transformers.transformer_flux2 import Flux2Modulation
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cat_dataset.errors import EditScaleError, JobError

_MODULATED = (
    *(AdaLayerNormZero, AdaLayerNormZeroSingle, AdaLayerNormContinuous),  # FLUX.1
    Flux2Modulation,
)


def modulation_linears(model: nn.Module) -> dict[str, nn.Linear]:
    """Return the linear layers that make shift, scale and gate, by module name, in model order.

    Raises:
        ValueError: the model has none, so it is no transformer that this adapter can steer.
    """
    linears = {
        f"{name}.linear": module.linear
        for name, module in model.named_modules()
        if isinstance(module, _MODULATED)
    }
    if not linears:
        msg = f"{type(model).__name__} has no adaptive layer norms: nothing to steer"
        raise ValueError(msg)
    return linears


class Attachment:
    """What was put on a model; `remove` takes it off, and so does leaving it as a context."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Leave the model as it was before; a second time does nothing."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


def add_to_modulations(model: nn.Module, offsets: Mapping[str, Tensor]) -> Attachment:
    """Add an offset (B, width) to each named modulation until the attachment is removed.

    Raises:
        JobError: the model has other modulations than those that the offsets were made for.
    """
    linears = modulation_linears(model)
    wanted = {name: offset.shape[1] for name, offset in offsets.items()}
    found = {name: linear.out_features for name, linear in linears.items()}
    if wanted != found:
        differing = next(n for n in [*wanted, *found] if wanted.get(n) != found.get(n))
        msg = (
            f"{type(model).__name__}: modulation {differing} is {_width(found.get(differing))} "
            f"here and {_width(wanted.get(differing))} in the adapter: it was trained on another "
            f"base; attach it to the one that its config.json names"
        )
        raise JobError(msg)
    return Attachment(
        [linears[name].register_forward_hook(_adder(offset)) for name, offset in offsets.items()]
    )


def _width(width: int | None) -> str:
    return "missing" if width is None else f"{width} channels wide"


def _adder(offset_BM: Tensor) -> Any:
    """Return a hook that adds to each picture of a call the offset of its edits."""

    def add(_module: nn.Module, _inputs: tuple[Any, ...], output_NM: Tensor) -> Tensor:
        offset_NM = of_each_picture(offset_BM, len(output_NM)).to(output_NM.device)
        # a sum in the wider type, but the type that the next layer expects
        return (output_NM + offset_NM).to(output_NM.dtype)

    return add


def of_each_picture(of_samples_B: Tensor, num_pictures: int) -> Tensor:
    """Return what each of N pictures has (N, ...) of what B samples have.

    Pipelines make `num_images_per_prompt` pictures of each prompt. Those stand beside each other:
    a, a, b, b for the prompts a and b.
    """
    num_samples = len(of_samples_B)
    if num_pictures == num_samples:
        return of_samples_B
    if num_pictures % num_samples:
        msg = (
            f"the transformer is called with {num_pictures} pictures and was given the edits of "
            f"{num_samples}: give one list of edits for all, or one for each prompt"
        )
        raise EditScaleError(msg)
    return of_samples_B.repeat_interleave(num_pictures // num_samples, dim=0)
