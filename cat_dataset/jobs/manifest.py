"""Manifests: one TOML file declares a data set, a training run, or both; validated once, here.

The models are frozen and refuse unknown keys. Paths in a manifest are relative to its
folder; they stay as written, so that the resolved manifest is the same on every machine.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import tomli_w
from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from cat_dataset.attributes.table import BASIS_ATTRIBUTES
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import ToneCurve
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import CaptureSource, ComposeJob, RenderSource, sources_of_families
from cat_dataset.jobs.plans import Share, StrictModel, attributes_of_plan, checked_intervals
from cat_dataset.jobs.renamed_keys import RENAMED_KEYS
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import KINDS, kinds_with

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
ModelT = TypeVar("ModelT", bound=BaseModel)
AnnotationName = Literal["mask", "depth", "normal", "moving"]
OF_CAPTURES: frozenset[AnnotationName] = frozenset({"mask", "moving"})


class DatasetJob(StrictModel):
    """What all units of a data set share."""

    name: Slug
    seed: Annotated[int, Field(ge=0)]
    units_per_shard: PositiveInt = 16
    val_share: Share = 0.1  # of scenes or capture groups, never of pairs
    test_share: Share = 0.15
    unit_timeout_s: PositiveFloat = 600.0
    max_tries: PositiveInt = 2  # of a unit whose worker dies or runs out of time
    samples: Literal["pairs", "linear"] = "pairs"  # linear: light, pairs come where it is read
    tone_curve: ToneCurve = "srgb"  # see display.py
    annotations: tuple[AnnotationName, ...] = ()  # beside every pair, see annotations.py

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        if self.val_share + self.test_share >= 1.0:
            msg = (
                f"val_share {self.val_share:g} + test_share {self.test_share:g} must stay below 1, "
                f"or nothing is left to train on"
            )
            raise ValueError(msg)
        return self


class EvaluateSettings(StrictModel):
    """What is measured on held-out scenes."""

    split: Literal["val", "test"] = "test"
    max_pairs_per_attribute: PositiveInt = 200  # those at values never trained first
    num_sweep_scenes: PositiveInt = 8
    num_sweep_steps: Annotated[int, Field(ge=3)] = 9
    num_behaviour_pairs: PositiveInt = 16  # per attribute: identity, back, in two steps, units
    num_combination_pairs: PositiveInt = 16  # per combination: several numbers at once
    # "light_power+light_temperature": asked at once; none: every two attributes of light.
    combinations: tuple[str, ...] = ()
    beyond_share: PositiveFloat = 0.25  # extrapolation asks this far beyond the trained range

    @field_validator("combinations")
    @classmethod
    def _combinations_are_of_light(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parts = attributes_of_plan(name)
            if len(set(parts)) < max(2, len(parts)) or not set(parts) <= set(BASIS_ATTRIBUTES):
                msg = (
                    f"combinations: {name!r} must name two or more of {', '.join(BASIS_ATTRIBUTES)}"
                    f", joined by plus signs: of other attributes the true picture is known alone"
                )
                raise ValueError(msg)
        return names


class EvaluateJob(EvaluateSettings):
    """The same with what training left out."""

    # By attribute, intervals of values that no training pair had, on both sides of zero: scored
    # as interpolation, and as extrapolation where they reach the end of the range.
    held_out_values: dict[str, tuple[tuple[float, float], ...]] = Field(default_factory=dict)

    _intervals_rise = field_validator("held_out_values")(checked_intervals)


class DatasetManifest(StrictModel):
    """The part of a manifest that decides a data set, and is kept in its folder."""

    dataset: DatasetJob
    render: tuple[RenderSource, ...] = ()
    simulate_camera: SimulatedCamera | None = None
    capture: tuple[CaptureSource, ...] = ()

    _families_are_sources = field_validator("render", mode="before")(sources_of_families)

    @model_validator(mode="after")
    def _captures_have_no_geometry(self) -> Self:
        rendered = sorted(set(self.dataset.annotations) - OF_CAPTURES)
        if rendered and (self.capture or self.simulate_camera):
            msg = (
                f"annotations {', '.join(rendered)} exist for rendered pairs only, and all pairs "
                f"of a data set have the same members: declare captures in a manifest of their own"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _captures_are_pairs(self) -> Self:
        if self.dataset.samples == "linear" and (self.capture or self.simulate_camera):
            msg = (
                'samples = "linear" stores rendered light only, and a data set holds one kind of '
                "sample: declare captures in a manifest of their own"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _source_names_differ(self) -> Self:
        names = [b.name for b in self.render] + [b.name for b in self.capture]
        if self.simulate_camera is not None:
            names.append(self.simulate_camera.name)
        if len(set(names)) < len(names):
            msg = f"source names {names} must differ: sample keys start with them"
            raise ValueError(msg)
        return self


class ComposeManifest(DatasetManifest):
    """The same, of pairs that are composed from stored light."""

    compose: ComposeJob


class Job(DatasetManifest):
    """A whole manifest."""

    compose: ComposeJob | None = None
    train: TrainJob | None = None
    evaluate: EvaluateSettings = EvaluateSettings()

    def evaluation(self) -> EvaluateJob:
        """Return what is measured, with the values that training left out."""
        held_out = {} if self.train is None else self.train.data.held_out_values
        return EvaluateJob(**self.evaluate.model_dump(), held_out_values=held_out)

    def dataset_manifest(self) -> DatasetManifest:
        """Return the job without training: changing that must not unmake a data set."""
        fields = {name: getattr(self, name) for name in DatasetManifest.model_fields}
        return DatasetManifest(**fields)

    def compose_manifest(self) -> ComposeManifest:
        """Return the data set of pairs that [compose] makes, without what its light came from.

        Raises:
            JobError: there is no [compose].
        """
        if self.compose is None:
            msg = "the manifest declares no [compose]; see manifests/compose.toml"
            raise JobError(msg)
        tone_curve = self.compose.tone_curve or self.dataset.tone_curve
        decided = {"samples": "pairs", "tone_curve": tone_curve}
        return ComposeManifest(
            dataset=self.dataset.model_copy(update=decided),
            compose=self.compose.model_copy(update={"tone_curve": tone_curve}),
        )


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
        parts = _written_keys(item["loc"])
        key = ".".join(parts) or "(whole file)"
        rule = item["msg"].removeprefix("Value error, ")
        found = "" if _holds_tables(item["input"]) else f" = {item['input']!r}"
        if item["type"] == "extra_forbidden":
            rule = _rule_of_extra(parts, rule)
        lines.append(f"{subject}: {key}{found}: {rule[0].lower()}{rule[1:]}")
    return "\n".join(lines)


def _holds_tables(value: object) -> bool:
    """Return whether a value is a table or a list of some, which would fill the screen."""
    return isinstance(value, dict) or (
        isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value)
    )


def _written_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys to a value as they are written: without pydantic's word for a table's kind.

    >>> _written_keys(("train", "data", "composed", "max_edits"))
    ['train', 'data', 'max_edits']
    """
    parts = [str(part) for part in location]
    before = [None, *parts]
    return [
        p for p, table in zip(parts, before, strict=False) if p not in KINDS.get(table or "", ())
    ]


def _rule_of_extra(parts: Sequence[str], rule: str) -> str:
    """Return what to write instead of a key that no table, or another one, has."""
    new = RENAMED_KEYS.get(".".join(parts))
    if new is not None:
        return f"is written as {new}"
    kinds = kinds_with(parts[-2], parts[-1]) if len(parts) > 1 else None
    if kinds is not None:
        return f"belongs to {kinds}; set that, or remove it"
    return f"{rule}; remove it or check its spelling"
