"""Manifests: one TOML file declares a data set, a training run, or both; validated once, here.

The models are frozen and refuse unknown keys. Paths in a manifest are relative to its
folder; they stay as written, so that the resolved manifest is the same on every machine.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from cat_dataset.attributes import find_attribute
from cat_dataset.errors import EditScaleError, JobError

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
ModelT = TypeVar("ModelT", bound=BaseModel)
ComputedAttribute = Literal["exposure", "white_balance"]  # what one RAW file gives
# Keys append up to 33 signs, "-00000-single-white_balance-000"; see shards.MAX_KEY_LENGTH.
BatchName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=48)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]

Family = Literal["tabletop", "interior", "outdoor", "head"]  # see render/families.py

BASIS_ATTRIBUTES = (
    "exposure",
    "white_balance",
    "light_power",
    "light_temperature",
    "ambient_level",
)
SWEEP_ATTRIBUTES = ("aperture", "focal_length", "object_rotation")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PairPlan(_Model):
    """How pairs of one attribute are drawn from one unit of work."""

    num_pairs: PositiveInt = 4  # per unit; of a sweep at most all ordered pairs
    # of the edit value; None: the attribute's default_range
    value_range: tuple[float, float] | None = None
    sweep: tuple[float, ...] | None = None  # absolute values that are rendered


def _checked_plans(plans: dict[str, PairPlan]) -> dict[str, PairPlan]:
    """Return plans as they are; raise ValueError where one does not fit its attribute."""
    for name, plan in plans.items():
        _check_plan(name, plan)
    return plans


def _check_plan(name: str, plan: PairPlan) -> None:
    """Raise ValueError where a plan asks what its attribute cannot give."""
    try:
        attribute = find_attribute(name)
        _check_kind(name, plan)
        for value in plan.value_range or ():
            attribute.check_value(value)
        for value in plan.sweep or ():
            attribute.check_absolute(value)
    except EditScaleError as error:
        raise ValueError(str(error)) from None
    if plan.value_range is not None and plan.value_range[0] >= plan.value_range[1]:
        msg = f"{name}: value_range {list(plan.value_range)} must rise; swap the two numbers"
        raise ValueError(msg)


def _check_kind(name: str, plan: PairPlan) -> None:
    """Raise ValueError where a rendered attribute has no sweep, or a composed one has one."""
    if name in SWEEP_ATTRIBUTES and len(set(plan.sweep or ())) < 2:
        msg = f"{name} is rendered anew for each value: give sweep = [...] two different ones"
        raise ValueError(msg)
    if name in SWEEP_ATTRIBUTES and plan.value_range is not None:
        msg = f"{name}: value_range has no effect on a rendered sweep; remove it"
        raise ValueError(msg)
    if name in BASIS_ATTRIBUTES and plan.sweep is not None:
        msg = f"{name} is composed at any value: give value_range instead of sweep"
        raise ValueError(msg)


class RenderBatch(_Model):
    """Scenes of one procedural family at one size."""

    name: BatchName
    family: Family = "tabletop"
    num_scenes: PositiveInt
    width_px: Annotated[int, Field(ge=16, le=4096)]
    height_px: Annotated[int, Field(ge=16, le=4096)]
    samples_per_pixel: PositiveInt = 32
    denoise: bool = True
    attributes: dict[str, PairPlan]

    _plans_fit = field_validator("attributes")(_checked_plans)


_COMPUTED: dict[ComputedAttribute, PairPlan] = {
    "exposure": PairPlan(),
    "white_balance": PairPlan(),
}


class SimulatedCamera(_Model):
    """Exposure brackets of rendered scenes, written as DNG files with a known truth."""

    name: BatchName = "simulated"
    family: Family = "tabletop"
    num_brackets: PositiveInt = 4
    width_px: Annotated[int, Field(ge=32, le=4096, multiple_of=2)] = 256
    height_px: Annotated[int, Field(ge=32, le=4096, multiple_of=2)] = 192
    samples_per_pixel: PositiveInt = 64
    exposure_times_s: Annotated[tuple[PositiveFloat, ...], Field(min_length=2)] = (
        *(1 / 15, 1 / 60, 1 / 250),  # as the camera prints them
    )
    f_number: PositiveFloat = 5.6
    iso: Annotated[int, Field(ge=25, le=102400)] = 100
    attributes: dict[ComputedAttribute, PairPlan] = Field(default=_COMPUTED)

    _plans_fit = field_validator("attributes")(_checked_plans)


class CaptureBatch(_Model):
    """A folder of RAW files: brackets become exposure pairs, single files computed ones."""

    name: BatchName
    folder: Path
    attributes: dict[ComputedAttribute, PairPlan] = Field(default=_COMPUTED)

    _plans_fit = field_validator("attributes")(_checked_plans)
    max_side_px: Annotated[int, Field(ge=32)] = 1024  # longer side of the pictures written


class DatasetJob(_Model):
    """What all units of a data set share."""

    name: Slug
    seed: Annotated[int, Field(ge=0)]
    units_per_shard: PositiveInt = 16
    val_share: Share = 0.1  # of scenes or capture groups, never of pairs
    test_share: Share = 0.15
    png_compression: Annotated[int, Field(ge=0, le=9)] = 3
    unit_timeout_s: PositiveFloat = 600.0
    max_tries: PositiveInt = 2  # of a unit whose worker dies or runs out of time

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        if self.val_share + self.test_share >= 1.0:
            msg = (
                f"val_share {self.val_share:g} + test_share {self.test_share:g} must stay below 1, "
                f"or nothing is left to train on"
            )
            raise ValueError(msg)
        return self


class TrainJob(_Model):
    """Two stages on the same shards: the base learns from words, then the frozen base's adapter."""

    attributes: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("exposure", "white_balance", "light_power"),
    )
    size_px: Annotated[int, Field(ge=16, multiple_of=8)] = 48  # crops the trainer sees
    hidden_size: Annotated[int, Field(ge=32, multiple_of=32)] = 128  # the dial
    code_size: PositiveInt = 64  # channels of the adapter's summed code
    num_base_steps: PositiveInt = 500
    num_adapter_steps: PositiveInt = 700
    batch_size: PositiveInt = 32
    base_learning_rate: PositiveFloat = 2e-3  # peak, after warm-up
    adapter_learning_rate: PositiveFloat = 4e-3
    identity_share: Share = 0.15  # of the base's samples: target = source
    time_shift: PositiveFloat = 3.0  # above 1: more training at high noise
    checkpoint_every_steps: PositiveInt = 100
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


class EvaluateJob(_Model):
    """What is measured on held-out scenes."""

    split: Literal["val", "test"] = "test"
    max_pairs_per_attribute: PositiveInt = 200
    num_sweep_scenes: PositiveInt = 8
    num_sweep_steps: Annotated[int, Field(ge=3)] = 9


class DatasetManifest(_Model):
    """The part of a manifest that decides a data set, and is kept in its folder."""

    dataset: DatasetJob
    render: tuple[RenderBatch, ...] = ()
    simulate_camera: SimulatedCamera | None = None
    capture: tuple[CaptureBatch, ...] = ()

    @model_validator(mode="after")
    def _batch_names_differ(self) -> Self:
        names = [b.name for b in self.render] + [b.name for b in self.capture]
        if self.simulate_camera is not None:
            names.append(self.simulate_camera.name)
        if len(set(names)) < len(names):
            msg = f"batch names {names} must differ: sample keys start with them"
            raise ValueError(msg)
        return self


class Job(DatasetManifest):
    """A whole manifest."""

    train: TrainJob | None = None
    evaluate: EvaluateJob = EvaluateJob()

    def dataset_manifest(self) -> DatasetManifest:
        """Return the job without training: changing that must not unmake a data set."""
        fields = {name: getattr(self, name) for name in DatasetManifest.model_fields}
        return DatasetManifest(**fields)


def load_job(path: Path) -> Job:
    """Read and validate a manifest.

    Raises:
        JobError: the file is missing, is no TOML, or a key or value breaks a rule.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"manifest {path}: no such file; see manifests/ for examples"
        raise JobError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"manifest {path}: is no TOML ({error})"
        raise JobError(msg) from None
    except OSError as error:
        msg = f"manifest {path}: cannot be read ({error.strerror})"
        raise JobError(msg) from None
    return validated(Job, data, f"manifest {path}")


def validated(model: type[ModelT], data: Any, subject: str) -> ModelT:
    """Return `data` as a model.

    Raises:
        JobError: a line per broken rule, each beginning with `subject`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise JobError(_describe(subject, error)) from None


def dump_job(job: BaseModel) -> str:
    """Return a job as TOML with every default written out; `load_job` reads it back."""
    return tomli_w.dumps(_without_none(job.model_dump(mode="json")))


def _without_none(value: Any) -> Any:  # TOML has no null: an absent key says the same
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


def _describe(subject: str, error: ValidationError) -> str:
    """Return one line per broken rule: file, key, value found, rule."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        rule = item["msg"].removeprefix("Value error, ")
        remedy = "; remove it or check its spelling" if item["type"] == "extra_forbidden" else ""
        found = "" if isinstance(item["input"], dict) else f" = {item['input']!r}"
        lines.append(f"{subject}: {key}{found}: {rule[0].lower()}{rule[1:]}{remedy}")
    return "\n".join(lines)
