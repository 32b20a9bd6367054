"""What a manifest says of a training run: `[train]`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from cat_dataset.attributes.photometric import EXPOSURE, LIGHT_POWER, WHITE_BALANCE
from cat_dataset.attributes.table import BASIS_ATTRIBUTES, find_attribute
from cat_dataset.errors import EditScaleError
from cat_dataset.jobs.plans import (
    PairPlan,
    StrictModel,
    attributes_of_plan,
    check_plan,
    checked_intervals,
)

Baseline = Literal["number_in_prompt", "no_task_id", "with_lora", "joint"]
_OF_THE_COMPACT_BASE = (
    *("hidden_size", "num_base_steps", "base_learning_rate"),
    *("light_loss_weight", "change_loss_weight"),
)
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


class TrainJob(StrictModel):
    """Two stages on the same shards: the base learns from words, then the frozen base's adapter.

    A pretrained base is frozen from the beginning: only the adapter is trained.
    """

    base: Literal["compact", "klein", "kontext"] = "compact"
    base_path: str | None = None  # of a pretrained base: its folder in the diffusers layout
    cache_folder: str | None = None  # of its latents and texts; None: cache/ in the run folder
    lora_rank: PositiveInt | None = None  # of a LoRA beside the adapter, in its own file
    lora_learning_rate: PositiveFloat = 1e-4  # peak

    attributes: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *(EXPOSURE.name, WHITE_BALANCE.name, LIGHT_POWER.name),
    )
    pairs: Literal["stored", "composed"] = "stored"  # composed: new numbers in every epoch
    # of composed edits, by attribute; without one, the attribute's default_range
    value_ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    # how often an attribute is composed, beside 1 for every other
    draw_weights: dict[str, PositiveInt] = Field(default_factory=dict)
    max_edits: PositiveInt = 1  # at once, in composed pairs
    # composed targets keep the light that stored ones lose to the display's white
    light_beyond_white: bool = False
    held_out_combinations: tuple[str, ...] = ()  # "exposure+light_power": never trained together
    # By attribute, intervals of values that are never trained, in either direction.
    held_out_values: dict[str, tuple[tuple[float, float], ...]] = Field(default_factory=dict)
    size_px: Annotated[int, Field(ge=16, multiple_of=8)] = 48  # crops the trainer sees
    hidden_size: Annotated[int, Field(ge=32, multiple_of=32)] = 128  # the dial
    # prompt: the baseline whose base learns the numbers as words, in the steps of both stages
    numbers: Literal["adapter", "prompt"] = "adapter"
    token_tasks: tuple[str, ...] = ()  # carried by tokens, not by modulation
    worded_tasks: tuple[str, ...] = ()  # the compact base is told direction and rough size too
    num_tokens: PositiveInt = 4  # of each of their edits
    task_ids: bool = True  # False: the baseline with one encoder for all tasks and units
    joint: bool = False  # the base learns with the adapter, in the steps of both: nothing is frozen
    # trained after the adapter, on the same pairs and steps, and evaluated beside it
    baselines: tuple[Baseline, ...] = ()
    code_size: PositiveInt = 64  # channels of the adapter's summed code
    num_base_steps: PositiveInt = 500
    num_adapter_steps: PositiveInt = 700
    batch_size: PositiveInt = 32  # of a step, over all processes
    micro_batch_size: PositiveInt | None = None  # in memory at once; None: the whole batch
    base_learning_rate: PositiveFloat = 2e-3  # peak, after warm-up
    adapter_learning_rate: PositiveFloat = 4e-3
    warm_up_steps: NonNegativeInt = 30
    weight_decay: NonNegativeFloat = 0.01
    largest_gradient_norm: PositiveFloat = 1.0  # longer gradients are clipped
    ema_decay: Share = 0.98  # of the averaged weights, which are evaluated and shipped
    light_loss_weight: NonNegativeFloat = 1.0  # of the light's error beside that of pixels
    change_loss_weight: NonNegativeFloat = 8.0  # of how much was changed, where more than light is
    identity_share: Share = 0.15  # of the base's samples: target = source
    time_shift: PositiveFloat | None = None  # above 1: more high noise; None: the base's own
    precision: Literal["fp32", "bf16"] = "fp32"  # of the forward pass; weights stay fp32
    gradient_checkpointing: bool = False  # less memory, a third more time
    device: Literal["cpu", "cuda"] = "cpu"
    num_loader_workers: NonNegativeInt = 1  # processes that draw batches ahead
    checkpoint_every_steps: PositiveInt = 100
    sample_grid_every_steps: PositiveInt = 250
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("attributes")
    @classmethod
    def _attributes_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                find_attribute(name)
            except EditScaleError as error:
                raise ValueError(str(error)) from None
        if len(set(names)) < len(names):
            msg = f"attributes {list(names)} name one twice; remove it"
            raise ValueError(msg)
        return names

    @model_validator(mode="after")
    def _combinations_are_trained_apart(self) -> Self:
        for name in self.held_out_combinations:
            parts = attributes_of_plan(name)
            if len(set(parts)) < 2 or not set(parts) <= set(self.attributes):
                msg = (
                    f"held_out_combinations: {name!r} must name two or more of the attributes "
                    f"{', '.join(self.attributes)}, joined by plus signs"
                )
                raise ValueError(msg)
        return self

    _intervals_rise = field_validator("held_out_values")(checked_intervals)

    @model_validator(mode="after")
    def _named_attributes_are_trained(self) -> Self:
        for field in ("held_out_values", "draw_weights", "token_tasks", "worded_tasks"):
            unknown = sorted(set(getattr(self, field)) - set(self.attributes))
            if unknown:
                msg = (
                    f"{field}: {', '.join(unknown)} is not trained; remove it or add it to "
                    f"attributes"
                )
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _composing_has_its_settings(self) -> Self:
        if self.pairs == "stored" and (
            self.value_ranges or self.draw_weights or self.max_edits > 1 or self.light_beyond_white
        ):
            msg = (
                "value_ranges, draw_weights, max_edits and light_beyond_white are about what is "
                'composed: set pairs = "composed", or remove them'
            )
            raise ValueError(msg)
        for name, value_range in self.value_ranges.items():
            if name not in self.attributes or name not in BASIS_ATTRIBUTES:
                msg = (
                    f"value_ranges: {name} is none of the trained attributes that are composed "
                    f"at any value ({', '.join(BASIS_ATTRIBUTES)}); remove it"
                )
                raise ValueError(msg)
            check_plan(name, PairPlan(value_range=value_range))
        return self

    @model_validator(mode="after")
    def _words_are_the_compact_base_s_own(self) -> Self:
        if self.worded_tasks and (self.base != "compact" or self.numbers == "prompt"):
            msg = (
                "worded_tasks: only the compact base beside an adapter is told words of its own; "
                "a pretrained base has its prompt. Remove it"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _baselines_are_of_an_adapter(self) -> Self:
        if self.baselines and (self.numbers == "prompt" or not self.task_ids or self.joint):
            msg = (
                "baselines are compared with an adapter that has task ids, on a frozen base: "
                'remove numbers = "prompt", task_ids = false and joint = true, or the baselines'
            )
            raise ValueError(msg)
        if "with_lora" in self.baselines and self.lora_rank is not None:
            msg = "baselines: with_lora: the adapter has a LoRA already; remove lora_rank, or it"
            raise ValueError(msg)
        if self.joint and (self.numbers == "prompt" or self.lora_rank is not None):
            msg = (
                'joint trains an adapter and its whole base: remove numbers = "prompt" and '
                "lora_rank, or joint"
            )
            raise ValueError(msg)
        if self.numbers == "prompt" and not self.task_ids:
            msg = 'task_ids = false is for an adapter, and numbers = "prompt" trains none'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _base_has_its_settings(self) -> Self:
        if self.lora_rank is None and self._was_set("lora_learning_rate"):
            msg = "lora_learning_rate without lora_rank trains nothing: set lora_rank, or remove it"
            raise ValueError(msg)
        if self.base == "compact":
            useless = [name for name in ("base_path", "cache_folder") if self._was_set(name)]
            if useless:
                msg = (
                    f"{', '.join(useless)}: the compact base is trained here and caches nothing; "
                    f'remove it, or set base = "klein" or "kontext"'
                )
                raise ValueError(msg)
            return self
        return self._pretrained_has_its_settings()

    def beside(self, folder: Path) -> Self:
        """Return the job with its paths as seen from the manifest's folder."""
        given = {name: getattr(self, name) for name in ("base_path", "cache_folder")}
        found = {name: str(folder / path) for name, path in given.items() if path is not None}
        return self.model_copy(update=found)

    def _was_set(self, name: str) -> bool:
        """Return whether a setting differs from its default; a resolved job names them all."""
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    def _pretrained_has_its_settings(self) -> Self:
        if self.base_path is None:
            msg = f'base = "{self.base}" is read from a folder: set base_path'
            raise ValueError(msg)
        useless = [name for name in _OF_THE_COMPACT_BASE if self._was_set(name)]
        if self.numbers == "prompt":
            useless.append('numbers = "prompt"')
        if self.joint:
            useless.append("joint")
        useless += [f"baselines: {n}" for n in self.baselines if n in ("number_in_prompt", "joint")]
        if useless:
            msg = (
                f"{', '.join(useless)}: trains the compact base, and base = "
                f'"{self.base}" is frozen; remove it'
            )
            raise ValueError(msg)
        if self.pairs == "composed":
            msg = (
                'pairs = "composed" draws new pictures in every epoch, and the latents of a '
                "pretrained base are cached; make stored pairs with `cat-dataset compose`, and set "
                'pairs = "stored"'
            )
            raise ValueError(msg)
        smallest_px = 64 if self.base == "klein" else 16  # what their pipelines take
        if self.size_px % 16 or self.size_px < smallest_px:
            msg = (
                f'size_px {self.size_px}: base = "{self.base}" takes multiples of 16, at least '
                f"{smallest_px}; 512 suits it, 1024 is what it was trained at"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _batches_divide(self) -> Self:
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            msg = (
                f"micro_batch_size {self.micro_batch_size} must divide batch_size {self.batch_size}"
            )
            raise ValueError(msg)
        return self
