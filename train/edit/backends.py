"""What edits a view: a base steered by its adapter, in log light, whatever its own space is.

An edit is the difference between `predict` and `predict_identity`. The compact base was trained to
reproduce the picture where no number is given, so that prediction is the reference. A pretrained
base was not; there the reference is the picture through the VAE and back, whose losses cancel.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cat_dataset.imaging.display import encode_display
from cat_dataset.records import EditScale
from train.adapter.adapter import NumericAdapter
from train.adapter.lora import without_lora
from train.adapter.number_prompt import NumberPrompt
from train.model.compact import PATCH_PX, CompactBase, predict_target
from train.model.flow import noisy_at
from train.model.log_light import decode_log_light, encode_log_light
from train.model.relighting import parts_of_light
from train.model.vocabulary import words_of_edits
from train.pretrained.pipelines import (
    PX_PER_TOKEN,
    Display,
    LatentBase,
    display_to_linear,
    transformer_of,
)
from train.pretrained.prompts import instruction_of, instruction_with_numbers

_NOISE_SEED = 0
# numbers: through the adapter; words: through the base's own instructions, without the adapter
Channel = Literal["numbers", "words"]
Edits = Sequence[EditScale]


class EditBackend(Protocol):
    """A base and the adapter that steers it."""

    @property
    def adapter(self) -> NumericAdapter | NumberPrompt:
        """The adapter, which holds the table of tasks."""

    @property
    def transformer(self) -> nn.Module:
        """The network that is steered."""

    @property
    def step_px(self) -> int:
        """Sides of views are multiples of this."""

    @property
    def about_words(self) -> str:
        """What the base is given on channel "words", for readers of tables."""

    def predict_identity(self, source_BCHW: Tensor) -> Tensor:
        """Return the pictures without an edit, in log light."""

    def predict(
        self, source_BCHW: Tensor, edits: Sequence[Edits], channel: Channel = "numbers"
    ) -> Tensor:
        """Return the edited pictures in log light, at the size of their sources."""

    def parts(self, edits: Edits, channel: Channel = "numbers") -> list[Edits]:
        """Return the edits that are predicted apart, see `relighting.composed_gain`."""

    def instruction(self, edits: Edits, channel: Channel = "numbers") -> tuple[str, ...]:
        """Return the instruction under which the base edits.

        Raises:
            EditScaleError: the base has no words for so many edits at once.
        """


@dataclass(frozen=True)
class CompactBackend:
    """The compact base, in one step, from its source under the same noise for every picture."""

    base: CompactBase
    adapter: NumericAdapter | NumberPrompt
    step_px: int = PATCH_PX
    about_words: str = (
        "steered by its own instructions: attribute, direction, and a third of the range "
        "(slightly, clearly, strongly). It was trained without digits"
    )

    @property
    def transformer(self) -> nn.Module:
        """The network that is steered."""
        transformer: nn.Module = self.base.transformer
        return transformer

    def predict_identity(self, source_BCHW: Tensor) -> Tensor:
        """Return the prediction without numbers."""
        return self.predict(source_BCHW, [()] * len(source_BCHW))

    @torch.no_grad()
    def predict(
        self, source_BCHW: Tensor, edits: Sequence[Edits], channel: Channel = "numbers"
    ) -> Tensor:
        """Return the edited pictures; see `EditBackend`."""
        generator = torch.Generator().manual_seed(_NOISE_SEED)
        noise_CHW = torch.randn(source_BCHW.shape[1:], generator=generator)
        noise_BCHW = noise_CHW.to(source_BCHW.device).expand_as(source_BCHW)
        time = self.adapter.config["paint_time"]
        time_B = torch.full((len(source_BCHW),), time, device=source_BCHW.device)
        noisy_BCHW = noisy_at(source_BCHW, noise_BCHW, time_B)
        words = [self.instruction(sample, channel) for sample in edits]
        numbers = [()] * len(edits) if channel == "words" else edits
        with self.adapter.attach(self.transformer, numbers), _lora_for(channel, self.transformer):
            return predict_target(self.base, noisy_BCHW, time_B, source_BCHW, words)

    def parts(self, edits: Edits, channel: Channel = "numbers") -> list[Edits]:
        """Return each edit of the camera and of a light by itself; see `EditBackend`.

        Exposure and white balance multiply whatever light there is, and lamps add up, so what each
        does alone determines what they do together. Predicted from one sum of codes, an exposure
        beside a white balance errs three times as much as alone, where the two were not trained
        together; apart, no more.
        """
        if channel == "words" or isinstance(self.adapter, NumberPrompt):
            return [edits] if edits else []
        return parts_of_light(edits)

    def instruction(self, edits: Edits, channel: Channel = "numbers") -> tuple[str, ...]:
        """Return the words of the edits; see `EditBackend`."""
        num_places = self.base.word_encoder.num_places
        if channel == "numbers":
            return self.adapter.instruction(edits, num_places)
        largest = {name: task.largest_value for name, task in self.adapter.tasks.items()}
        return words_of_edits(edits, largest, num_places)


@dataclass(frozen=True)
class PipelineBackend:
    """A pretrained base through the stock call of its pipeline, a picture at a time.

    FLUX.2 takes several pictures as several references of one, so there is no batch of sources.
    """

    base: LatentBase
    adapter: NumericAdapter
    step_px: int = PX_PER_TOKEN
    about_words: str = "given the edit in English, its number included"

    @property
    def transformer(self) -> nn.Module:
        """The network that is steered."""
        return transformer_of(self.base)

    @torch.no_grad()
    def predict_identity(self, source_BCHW: Tensor) -> Tensor:
        """Return the pictures as the VAE gives them back."""
        decoded = [self.base.decode(self.base.encode(_display(one))) for one in source_BCHW]
        return _log_light(display_to_linear(torch.cat(decoded)))

    def predict(
        self, source_BCHW: Tensor, edits: Sequence[Edits], channel: Channel = "numbers"
    ) -> Tensor:
        """Return the edited pictures; see `EditBackend`."""
        predicted = []
        for source_CHW, sample in zip(source_BCHW, edits, strict=True):
            (text,) = self.instruction(sample, channel)
            numbers = () if channel == "words" else sample
            with (
                self.adapter.attach(self.transformer, numbers),
                _lora_for(channel, self.transformer),
            ):
                predicted.append(self.base.generate(_display(source_CHW)[0], text))
        pictures_BCHW = torch.from_numpy(np.stack(predicted)).permute(0, 3, 1, 2)
        return _log_light(display_to_linear(pictures_BCHW))

    def parts(self, edits: Edits, channel: Channel = "numbers") -> list[Edits]:
        """Return all edits at once: a call of the pipeline takes long; see `EditBackend`."""
        return [edits] if edits else []

    def instruction(self, edits: Edits, channel: Channel = "numbers") -> tuple[str, ...]:
        """Return the text as the only part; see `EditBackend`."""
        return (instruction_with_numbers(edits) if channel == "words" else instruction_of(edits),)


def _lora_for(channel: Channel, transformer: nn.Module) -> AbstractContextManager[None]:
    """Return a context in which "words" reach the frozen base alone."""
    return without_lora(transformer) if channel == "words" else nullcontext()


def _display(log_light_CHW: Tensor) -> Display:
    """Return the 8-bit picture (1, H, W, 3) that a pipeline is given."""
    linear_HW3 = decode_log_light(log_light_CHW).permute(1, 2, 0).numpy()
    return encode_display(linear_HW3, 1.0)[None]


def _log_light(linear_BHW3: NDArray[np.float32]) -> Tensor:
    return encode_log_light(torch.from_numpy(linear_BHW3).permute(0, 3, 1, 2))
