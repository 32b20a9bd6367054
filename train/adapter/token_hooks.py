"""Let the picture tokens of a stock diffusers transformer attend to edits as well, removable.

FLUX.1 and FLUX.2 have double blocks, whose attention returns picture and text apart, and single
blocks, where both stand in one sequence, text first. Forward hooks take the queries where the
transformer has normalised them, before it gives them positions, and add to its output.
"""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxAttention
from diffusers.models.transformers.transformer_flux2 import (
    Flux2Attention,
    Flux2ParallelSelfAttention,
)
from torch import Tensor, nn

from cat_dataset.errors import JobError
from train.adapter.edit_tokens import AttentionShape, EditTokens, TokenAttention
from train.adapter.hooks import Attachment, of_each_picture

_ATTENTIONS = (FluxAttention, Flux2Attention, Flux2ParallelSelfAttention)


def attention_shapes(model: nn.Module) -> list[AttentionShape]:
    """Return the attentions of a transformer in model order.

    Raises:
        ValueError: the model has none that edits can be added to.
    """
    shapes = [
        AttentionShape(name, module.heads, module.head_dim, module.out_dim)
        for name, module in model.named_modules()
        if isinstance(module, _ATTENTIONS)
    ]
    if not shapes:
        msg = f"{type(model).__name__} has no attention that edits as tokens can be added to"
        raise ValueError(msg)
    return shapes


def add_to_attentions(model: nn.Module, tokens: EditTokens, features_BKF: Tensor) -> Attachment:
    """Add edits to each attention of a transformer until the attachment is removed.

    Raises:
        JobError: the transformer has other attentions than those that the adapter was trained for.
    """
    modules = {n: m for n, m in model.named_modules() if isinstance(m, _ATTENTIONS)}
    if tuple(modules) != tokens.names:
        msg = (
            f"{type(model).__name__} has {len(modules)} attentions and the adapter was trained for "
            f"{len(tokens.names)}: attach it to the base that its config.json names"
        )
        raise JobError(msg)
    numbers_BKTC, tasks_KTC = tokens(features_BKF), tokens.tasks()
    call = _Call()
    handles = [model.register_forward_pre_hook(call.note_text, with_kwargs=True)]
    for name, attention in zip(tokens.names, tokens.attentions, strict=True):
        side = _Side(call, attention, numbers_BKTC, tasks_KTC)
        handles.append(modules[name].norm_q.register_forward_hook(side.take_queries))
        handles.append(modules[name].register_forward_hook(side.add))
    return Attachment(handles)


class _Call:
    """How many text tokens stand before the picture in the call that is running."""

    num_text = 0

    def note_text(
        self, _model: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any]
    ) -> None:
        text_NTC = named["encoder_hidden_states"] if len(inputs) < 2 else inputs[1]
        self.num_text = text_NTC.shape[1]


class _Side:
    """The attention to edits beside one attention of the base."""

    def __init__(
        self, call: _Call, attention: nn.Module, numbers_BKTC: Tensor, tasks_KTC: Tensor
    ) -> None:
        assert isinstance(attention, TokenAttention)
        self._call, self._attention = call, attention
        self._numbers_BKTC, self._tasks_KTC = numbers_BKTC, tasks_KTC
        self._queries_NLHD: Tensor | None = None

    def take_queries(self, _norm: nn.Module, _inputs: Any, queries_NLHD: Tensor) -> None:
        """Keep what the base is about to attend with."""
        self._queries_NLHD = queries_NLHD

    def add(self, _module: nn.Module, _inputs: Any, output: Any) -> Any:
        """Return the output of the base's attention plus what the edits bring to the picture."""
        queries_NLHD, self._queries_NLHD = self._queries_NLHD, None
        assert queries_NLHD is not None
        if isinstance(output, tuple):  # a double block: picture, text
            return (output[0] + self._added(queries_NLHD, output[0]), *output[1:])
        text, picture = output.split(
            [self._call.num_text, output.shape[1] - self._call.num_text], dim=1
        )
        added_NLW = self._added(queries_NLHD[:, self._call.num_text :], output)
        return torch.cat([text, picture + added_NLW], dim=1)

    def _added(self, queries_NLHD: Tensor, output: Tensor) -> Tensor:
        numbers_NKTC = of_each_picture(self._numbers_BKTC, len(queries_NLHD))
        # to where the adapter is and in its type, and back to what the next layer expects
        queries_NLHD = queries_NLHD.to(numbers_NKTC)
        added_NLW: Tensor = self._attention(queries_NLHD, numbers_NKTC, self._tasks_KTC)
        return added_NLW.to(output)
