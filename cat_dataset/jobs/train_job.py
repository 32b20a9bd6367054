"""What a manifest says of a training run: `[train]`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from cat_dataset.attributes.photometric import EXPOSURE, LIGHT_POWER, WHITE_BALANCE
from cat_dataset.attributes.task_key import attribute_of_task, selects, split_task_key
from cat_dataset.errors import EditScaleError
from cat_dataset.jobs.plans import StrictModel, attributes_of_plan
from cat_dataset.jobs.train_settings import (
    AdapterSettings,
    AnyBase,
    AnyData,
    CompactSettings,
    ComposedData,
    OptimizerSettings,
    PretrainedSettings,
    StoredData,
)

# adapter     an adapter on a frozen base, with an encoder for each task
# no_task_id  the same with one encoder for all tasks and units
# prompt      no adapter: the base learns the numbers in its prompt, in the steps of both stages
# joint       the base learns with the adapter, in the steps of both: nothing is frozen
Method = Literal["adapter", "no_task_id", "prompt", "joint"]
Baseline = Literal["number_in_prompt", "no_task_id", "with_lora", "joint"]
_TRAIN_THE_BASE = frozenset({"prompt", "joint", "number_in_prompt"})


class TrainJob(StrictModel):
    """Two stages on the same shards: the base learns from words, then the frozen base's adapter.

    A pretrained base is frozen from the beginning: only the adapter is trained.
    """

    attributes: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *(EXPOSURE.name, WHITE_BALANCE.name, LIGHT_POWER.name),
    )
    method: Method = "adapter"
    # trained after the adapter, on the same pairs and steps, and evaluated beside it
    baselines: tuple[Baseline, ...] = ()
    base: AnyBase = CompactSettings()
    adapter: AdapterSettings = AdapterSettings()
    data: AnyData = StoredData()
    optimizer: OptimizerSettings = OptimizerSettings()
    precision: Literal["fp32", "bf16"] = "fp32"  # of the forward pass; weights stay fp32
    gradient_checkpointing: bool = False  # less memory, a third more time
    device: Literal["cpu", "cuda"] = "cpu"
    # on this machine, each on its part of every batch; where torchrun starts them, its own number
    num_processes: PositiveInt = 1
    num_loader_workers: NonNegativeInt = 1  # processes that draw batches ahead
    checkpoint_every_steps: PositiveInt = 100
    sample_grid_every_steps: PositiveInt = 250
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("attributes")
    @classmethod
    def _attributes_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                attribute_of_task(name)
            except EditScaleError as error:
                raise ValueError(str(error)) from None
        if len(set(names)) < len(names):
            msg = f"attributes {list(names)} name one twice; remove it"
            raise ValueError(msg)
        for name in names:
            whole = split_task_key(name)[0]
            if name != whole and whole in names:
                msg = f"attributes: {whole} is every task of it, {name} among them; remove one"
                raise ValueError(msg)
        return names

    @model_validator(mode="after")
    def _named_attributes_are_trained(self) -> Self:
        combinations = self.data.held_out_combinations
        named: dict[str, set[str]] = {
            "data.held_out_values": set(self.data.held_out_values),
            "data.held_out_combinations": {p for n in combinations for p in attributes_of_plan(n)},
            "adapter.token_attributes": set(self.adapter.token_attributes),
        }
        if isinstance(self.data, ComposedData):
            named["data.draw_weights"] = set(self.data.draw_weights)
            named["data.value_ranges"] = set(self.data.value_ranges)
        if isinstance(self.base, CompactSettings):
            named["base.prompt_hint_attributes"] = set(self.base.prompt_hint_attributes)
        for key, names in named.items():
            unknown = [name for name in sorted(names) if not selects(self.attributes, name)]
            if unknown:
                msg = (
                    f"{key}: {', '.join(unknown)} is not trained; remove it or add it to attributes"
                )
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _a_frozen_base_stays(self) -> Self:
        if isinstance(self.base, CompactSettings):
            return self
        trains = [name for name in (self.method, *self.baselines) if name in _TRAIN_THE_BASE]
        if trains:
            msg = (
                f'{", ".join(trains)}: trains the base, and base.kind = "{self.base.kind}" is '
                f"frozen; remove it"
            )
            raise ValueError(msg)
        if isinstance(self.data, ComposedData):
            msg = (
                'data.pairs = "composed" draws new pictures in every epoch, and the latents of a '
                "pretrained base are cached; make stored pairs with `cat-dataset compose`, and set "
                'data.pairs = "stored"'
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _baselines_are_of_an_adapter(self) -> Self:
        has_lora = self.adapter.lora is not None
        if self.baselines and self.method != "adapter":
            msg = (
                f'baselines are compared with method = "adapter", not "{self.method}"; remove '
                f"them, or method"
            )
            raise ValueError(msg)
        if "with_lora" in self.baselines and has_lora:
            msg = "baselines: with_lora: the adapter has a LoRA already; remove adapter.lora, or it"
            raise ValueError(msg)
        if self.method in _TRAIN_THE_BASE and has_lora:
            msg = f'method = "{self.method}" trains the whole base: remove adapter.lora, or method'
            raise ValueError(msg)
        if self.method == "prompt" and self.compact.prompt_hint_attributes:
            msg = (
                'base.prompt_hint_attributes: with method = "prompt" the prompt has the whole '
                "number; remove them, or method"
            )
            raise ValueError(msg)
        return self

    @property
    def compact(self) -> CompactSettings:
        """The settings of the base, which must be the compact one."""
        assert isinstance(self.base, CompactSettings)
        return self.base

    @property
    def pretrained(self) -> PretrainedSettings:
        """The settings of the base, which must be a pretrained one."""
        assert isinstance(self.base, PretrainedSettings)
        return self.base

    @property
    def is_compact(self) -> bool:
        """Whether the base is trained here."""
        return isinstance(self.base, CompactSettings)

    @property
    def composed(self) -> ComposedData:
        """The settings of the data, which must be composed."""
        assert isinstance(self.data, ComposedData)
        return self.data

    def beside(self, folder: Path) -> Self:
        """Return the job with its paths as seen from the manifest's folder."""
        if isinstance(self.base, CompactSettings):
            return self
        given = {name: getattr(self.base, name) for name in ("path", "cache_folder")}
        found = {name: str(folder / path) for name, path in given.items() if path is not None}
        return self.model_copy(update={"base": self.base.model_copy(update=found)})

    def with_settings(self, settings: Mapping[str, object]) -> Self:
        """Return the job with some settings changed, each by its dotted key: "base.num_steps".

        Raises:
            ValidationError: the settings do not fit.
        """
        data = self.model_dump()
        for key, value in settings.items():
            *tables, name = key.split(".")
            table: dict[str, Any] = data
            for part in tables:
                table[part] = table[part] or {}  # a table that was absent, as adapter.lora
                table = table[part]
            table[name] = value
        return type(self).model_validate(data)
