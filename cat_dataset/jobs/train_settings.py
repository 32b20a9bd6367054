"""The tables of `[train]`: its base, its adapter, its data, its optimizer.

What belongs to one kind of base or of data stands in that kind's table only, so that settings which
do not go together cannot be written.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    ValidationInfo,
    field_validator,
)

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.jobs.plans import (
    PairPlan,
    Share,
    StrictModel,
    attributes_of_plan,
    check_plan,
    checked_intervals,
)


class CompactSettings(StrictModel):
    """A base that is trained here, from words; then it is frozen."""

    kind: Literal["compact"] = "compact"
    size_px: Annotated[int, Field(ge=16, multiple_of=8)] = 48  # crops the trainer sees
    hidden_size: Annotated[int, Field(ge=32, multiple_of=32)] = 128  # the dial
    num_steps: PositiveInt = 500
    learning_rate: PositiveFloat = 2e-3  # peak, after warm-up
    light_loss_weight: NonNegativeFloat = 1.0  # of the light's error beside that of pixels
    change_loss_weight: NonNegativeFloat = 8.0  # of how much was changed, where more than light is
    prompt_hint_attributes: tuple[str, ...] = ()  # its prompt has direction and rough size, too
    time_shift: PositiveFloat | None = None  # above 1: more high noise; None: the base's own


class PretrainedSettings(StrictModel):
    """What the bases have in common that are read from a folder and are frozen from the start."""

    path: str  # of the folder, in the diffusers layout
    cache_folder: str | None = None  # of its latents and texts; None: cache/ in the run folder
    time_shift: PositiveFloat | None = None  # above 1: more high noise; None: the base's own


class KleinSettings(PretrainedSettings):
    """FLUX.2 klein."""

    kind: Literal["klein"]
    size_px: Annotated[int, Field(ge=64, multiple_of=16)] = 512  # it was trained at 1024


class KontextSettings(PretrainedSettings):
    """FLUX.1 Kontext."""

    kind: Literal["kontext"]
    size_px: Annotated[int, Field(ge=16, multiple_of=16)] = 512  # it was trained at 1024


class LoraSettings(StrictModel):
    """A LoRA that is trained beside the adapter, in a file of its own."""

    rank: PositiveInt
    learning_rate: PositiveFloat = 1e-4  # peak


class AdapterSettings(StrictModel):
    """The numeric adapter."""

    num_steps: PositiveInt = 700
    learning_rate: PositiveFloat = 4e-3  # peak, after warm-up
    code_size: PositiveInt = 64  # channels of its summed code
    token_attributes: tuple[str, ...] = ()  # carried by tokens, not by modulation
    num_tokens: PositiveInt = 4  # of each of their edits
    lora: LoraSettings | None = None


class DataSettings(StrictModel):
    """What stored and composed pairs have in common."""

    held_out_combinations: tuple[str, ...] = ()  # "exposure+light_power": never trained together
    # By attribute, intervals of values that are never trained, in either direction. [evaluate]
    # scores them apart: as interpolation, or as extrapolation where they reach the range's end.
    held_out_values: dict[str, tuple[tuple[float, float], ...]] = Field(default_factory=dict)
    identity_share: Share = 0.15  # of the samples that train a base or a LoRA: target = source

    _intervals_rise = field_validator("held_out_values")(checked_intervals)

    @field_validator("held_out_combinations")
    @classmethod
    def _combinations_name_several(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if len(set(attributes_of_plan(name))) < 2:
                msg = f"{name!r} must name two or more attributes, joined by plus signs"
                raise ValueError(msg)
        return names


class StoredData(DataSettings):
    """Pairs as they are stored."""

    pairs: Literal["stored"] = "stored"


class ComposedData(DataSettings):
    """Pairs that are composed from stored light as they are read: new numbers in every epoch."""

    pairs: Literal["composed"]
    # of composed edits, by attribute; without one, the attribute's default_range
    value_ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    # how often an attribute is composed, beside 1 for every other
    draw_weights: dict[str, PositiveInt] = Field(default_factory=dict)
    max_edits: PositiveInt = 1  # at once
    # targets keep the light that stored ones lose to the display's white
    light_beyond_white: bool = False

    @field_validator("value_ranges")
    @classmethod
    def _ranges_are_of_light(
        cls, ranges: dict[str, tuple[float, float]]
    ) -> dict[str, tuple[float, float]]:
        for name, value_range in ranges.items():
            if name not in BASIS_ATTRIBUTES:
                msg = f"{name} is not composed at any value; use {', '.join(BASIS_ATTRIBUTES)}"
                raise ValueError(msg)
            check_plan(name, PairPlan(value_range=value_range))
        return ranges


class OptimizerSettings(StrictModel):
    """Batches, and the steps that are taken on them."""

    batch_size: PositiveInt = 32  # of a step, over all processes
    micro_batch_size: PositiveInt | None = None  # in memory at once; None: the whole batch
    warm_up_steps: NonNegativeInt = 30
    weight_decay: NonNegativeFloat = 0.01
    largest_gradient_norm: PositiveFloat = 1.0  # longer gradients are clipped
    ema_decay: Share = 0.98  # of the averaged weights, which are evaluated and shipped

    @field_validator("micro_batch_size")
    @classmethod
    def _batches_divide(cls, size: int | None, info: ValidationInfo) -> int | None:
        whole = info.data.get("batch_size")  # absent where it breaks a rule itself
        if size is not None and whole is not None and whole % size:
            msg = f"must divide batch_size {whole}"
            raise ValueError(msg)
        return size


def _word_of(key: str, otherwise: str) -> Discriminator:
    """Return what tells the kinds of a table apart: one word, which one kind may leave out."""

    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            return value.get(key, otherwise)
        return getattr(value, key, None)

    table = "base" if key == "kind" else "data"
    words = " or ".join(f'"{word}"' for word in KINDS[table])
    message = f"must be a table with {key} = {words}"
    return Discriminator(read, custom_error_type="kind", custom_error_message=message)


# Table of [train] -> what its word may be -> what may stand beside it.
KINDS: Mapping[str, Mapping[str, type[StrictModel]]] = MappingProxyType(
    {
        "base": {"compact": CompactSettings, "klein": KleinSettings, "kontext": KontextSettings},
        "data": {"stored": StoredData, "composed": ComposedData},
    }
)
AnyBase = Annotated[
    Annotated[CompactSettings, Tag("compact")]
    | Annotated[KleinSettings, Tag("klein")]
    | Annotated[KontextSettings, Tag("kontext")],
    _word_of("kind", "compact"),
]
AnyData = Annotated[
    Annotated[StoredData, Tag("stored")] | Annotated[ComposedData, Tag("composed")],
    _word_of("pairs", "stored"),
]


def kinds_with(table: str, key: str) -> str | None:
    """Return which kinds of a table have a key, as they are written; None: no kind has.

    >>> kinds_with("data", "max_edits")
    'pairs = "composed"'
    """
    word = "kind" if table == "base" else "pairs"
    names = [name for name, model in KINDS.get(table, {}).items() if key in model.model_fields]
    return f"{word} = " + " or ".join(f'"{name}"' for name in names) if names else None
