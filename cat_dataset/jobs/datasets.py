"""The sources of a manifest: scenes to render, captures, stored light.

Paths are relative to the manifest's folder; they stay as written, so that the resolved manifest is
the same on every machine.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, CAPTURE_ATTRIBUTES
from cat_dataset.imaging.display import ToneCurve
from cat_dataset.jobs.plans import (
    Family,
    PairPlan,
    StrictModel,
    check_family,
    checked_capture_plans,
    checked_plans,
    checked_stored_plans,
)

Device = Literal["CPU", "CUDA", "OPTIX", "HIP", "ONEAPI", "METAL"]
# Keys append up to 33 characters, "-00000-single-white_balance-000"; see shards.MAX_KEY_LENGTH.
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=48)]


class RenderSource(StrictModel):
    """Scenes of one kind at one size: of a procedural family, or of the user's own files."""

    name: SourceName
    family: Family = "tabletop"
    num_scenes: PositiveInt | None = None  # None only with `blends`, each of which is one scene
    blends: Path | None = None  # a .blend file, or a folder of them
    models: Path | None = None  # folder of GLB, GLTF or OBJ files, main objects on a table top
    hdris: Path | None = None  # folder of EXR or HDR files, the light around a table top
    main_object: str | None = None  # of `blends`; None: what a camera would be pointed at
    width_px: Annotated[int, Field(ge=16, le=4096)]
    height_px: Annotated[int, Field(ge=16, le=4096)]
    samples_per_pixel: Annotated[int, Field(ge=2, multiple_of=2)] = 32  # two halves show the noise
    denoise: bool = True
    device: Device = "CPU"  # that Cycles computes on; one that is not there is an error
    attributes: dict[str, PairPlan]

    _plans_fit = field_validator("attributes")(checked_plans)

    @model_validator(mode="after")
    def _family_has_what_is_planned(self) -> Self:
        if self.blends is None:  # what a user's scene has shows when it is opened
            family = self.family if self.models is None else "models"
            check_family(family, self.attributes)
        return self

    @model_validator(mode="after")
    def _files_fit_together(self) -> Self:
        if self.blends is not None and (self.models or self.hdris or self.num_scenes):
            msg = "every file of blends is one scene: remove num_scenes, models and hdris"
            raise ValueError(msg)
        if self.blends is None and self.num_scenes is None:
            msg = "num_scenes: say how many scenes to draw"
            raise ValueError(msg)
        if self.main_object is not None and self.blends is None:
            msg = "main_object: names an object of a .blend; use it with blends"
            raise ValueError(msg)
        if (self.models or self.hdris) and self.family != "tabletop":
            msg = f"models and hdris belong to family tabletop, not {self.family}"
            raise ValueError(msg)
        return self

    def located(self, base: Path) -> "RenderSource":
        """Return the source with its paths relative to `base` resolved, to be run, not recorded."""
        paths = {name: getattr(self, name) for name in ("blends", "models", "hdris")}
        return self.model_copy(update={name: base / p for name, p in paths.items() if p})


FAMILIES = "families"  # key of a [[render]] that stands for a source of each family


def sources_of_families(sources: Any) -> Any:
    """Return render sources as written, each with `families` as one source per family.

    Such a source is named FAMILY-NAME, or FAMILY where it has no name:

    >>> both = {"families": ["tabletop", "head"], "num_scenes": 5}
    >>> [source["name"] for source in sources_of_families([both])]
    ['tabletop', 'head']
    >>> [source["name"] for source in sources_of_families([{**both, "name": "lens"}])]
    ['tabletop-lens', 'head-lens']
    """
    if not isinstance(sources, list | tuple):
        return sources  # which the field refuses
    expanded: list[Any] = []
    for source in sources:
        if not isinstance(source, Mapping) or FAMILIES not in source:
            expanded.append(source)
            continue
        families = source[FAMILIES]
        if "family" in source or not isinstance(families, list | tuple) or not families:
            msg = 'families: give a list such as ["tabletop", "head"], and no family beside it'
            raise ValueError(msg)
        rest = {key: value for key, value in source.items() if key != FAMILIES}
        for family in families:
            name = f"{family}-{source['name']}" if "name" in source else f"{family}"
            expanded.append({**rest, "name": name, "family": family})
    return expanded


# One file gives as many computed pairs as are asked for, a series its ordered pairs of frames.
_CAPTURED = {
    name: PairPlan() if name in BASIS_ATTRIBUTES else PairPlan(num_pairs=6)
    for name in CAPTURE_ATTRIBUTES
}


class CaptureSource(StrictModel):
    """A folder of RAW files: series become measured pairs, every file computed ones."""

    name: SourceName
    folder: Path
    attributes: dict[str, PairPlan] = Field(default=_CAPTURED)

    _plans_fit = field_validator("attributes")(checked_capture_plans)
    max_side_px: Annotated[int, Field(ge=32)] = 1024  # longer side of the pictures written


class ComposeJob(StrictModel):
    """Pairs made anew of stored linear light; a scene stays in the split it was stored with."""

    attributes: Annotated[dict[str, PairPlan], Field(min_length=1)]
    # Both: the middle of the picture in these proportions, shrunk in linear light.
    width_px: Annotated[int, Field(ge=16, le=4096)] | None = None
    height_px: Annotated[int, Field(ge=16, le=4096)] | None = None
    max_side_px: Annotated[int, Field(ge=16, le=4096)] | None = None  # else: shrunk to this side
    tone_curve: ToneCurve | None = None  # None: that of [dataset]

    _plans_fit = field_validator("attributes")(checked_stored_plans)

    @model_validator(mode="after")
    def _size_is_given_once(self) -> Self:
        if (self.width_px is None) != (self.height_px is None):
            msg = "width_px and height_px belong together: give both, or max_side_px"
            raise ValueError(msg)
        if self.width_px is not None and self.max_side_px is not None:
            msg = "width_px with height_px and max_side_px are two sizes: give one of them"
            raise ValueError(msg)
        return self
