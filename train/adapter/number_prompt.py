"""The baseline without an adapter: the number stands in the prompt, and the base alone learns it.

It has the interface of an adapter, so an `Editor` edits with it and `evaluate` measures it beside
one: the instruction carries the edits, and nothing is attached to the base.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from diffusers import ConfigMixin
from diffusers.configuration_utils import register_to_config
from torch import nn

from cat_dataset.records import EditScale
from train.adapter.adapter import read_tasks
from train.adapter.hooks import Attachment
from train.model.vocabulary import words_with_numbers


class NumberPrompt(ConfigMixin):  # type: ignore[misc]  # diffusers ships no types
    """The tasks of a base that reads numbers as words; saved as config.json, without weights.

    Args:
        tasks: the task table, `Task` as plain dictionaries.
        base_path: the base it belongs to, relative to the folder of this config.
        size_px: shorter side of the pictures it was trained on.
        paint_time: of the noise under which the base is shown the source when it edits.
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers ships no types
    def __init__(
        self,
        tasks: Sequence[Mapping[str, Any]],
        base_path: str,
        size_px: int,
        paint_time: float = 1.0,
    ) -> None:
        self.tasks = read_tasks(tasks)

    def instruction(self, edits: Sequence[EditScale], num_places: int) -> tuple[str, ...]:
        """Return the instruction that spells the edits; see `words_with_numbers`."""
        return words_with_numbers(edits, num_places)

    def attach(self, model: nn.Module, edits: Sequence[Sequence[EditScale]]) -> Attachment:
        """Leave the base as it is: its instruction says everything."""
        return Attachment([])
