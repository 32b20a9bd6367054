"""Add offsets to the AdaLN modulations of a stock diffusers transformer, removable."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from diffusers.models.normalization import (
    AdaLayerNormContinuous,
    AdaLayerNormZero,
    AdaLayerNormZeroSingle,
)
from torch import Tensor, nn

_MODULATED = (AdaLayerNormZero, AdaLayerNormZeroSingle, AdaLayerNormContinuous)


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


@contextmanager
def added_to_modulations(model: nn.Module, offsets: Mapping[str, Tensor]) -> Iterator[None]:
    """Add an offset (B, width) to each named modulation while the context lasts."""
    linears = modulation_linears(model)
    with ExitStack() as stack:
        for name, offset in offsets.items():
            handle = linears[name].register_forward_hook(_adder(offset))
            stack.callback(handle.remove)
        yield


def _adder(offset: Tensor) -> Any:
    def add(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + offset

    return add
