"""Two linear pictures on their way to a pair: developed once, measured, gated, encoded once.

A picture that several pairs share is developed and encoded once for all of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import find_attribute
from cat_dataset.compose import quality_checks as gates
from cat_dataset.compose.annotations import annotation_members
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.colour_difference import visible_delta_e
from cat_dataset.imaging.display import (
    COLOUR_SPACE,
    ToneCurve,
    clip_fraction,
    encode_display,
    encode_png,
)
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.light.light_ratio import LightRatio
from cat_dataset.light.readout import READABLE, readable_mask
from cat_dataset.records import (
    Annotation,
    Develop,
    EditScale,
    Pair,
    Reading,
    Rejection,
    Split,
    UnitResult,
)
from cat_dataset.requests.instructions import phrase_edits
from cat_dataset.system.seeding import derive_rng

Linear = NDArray[np.float32]
EditedArea = Literal["object", "picture"]
SATURATED = np.float32(1e4)  # scene-linear stand-in for "at least white": clips at any anchor


class Picture:
    """One linear picture with its exposure anchor and what is known of its pixels."""

    def __init__(
        self,
        linear_HW3: Linear,
        anchor: float,
        tone_curve: ToneCurve,
        annotation: Annotation | None = None,
        moving_HW: NDArray[np.bool_] | None = None,
    ) -> None:
        self.linear_HW3 = linear_HW3
        self.anchor = anchor
        self.tone_curve: ToneCurve = tone_curve
        self.annotation = annotation
        self.moving_HW = (
            np.zeros(linear_HW3.shape[:2], np.bool_) if moving_HW is None else moving_HW
        )
        self._members: dict[tuple[object, ...], dict[str, bytes]] = {}

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """8-bit sRGB."""
        return encode_display(self.linear_HW3, self.anchor, self.tone_curve)

    @cached_property
    def clip_fraction(self) -> float:
        """Share of pixels with a channel at the display's white."""
        return clip_fraction(self.linear_HW3, self.anchor, self.tone_curve)

    @cached_property
    def png(self) -> bytes:
        """The picture as it is stored."""
        return encode_png(self.codes)

    def members(self, names: Sequence[str], area: EditedArea) -> dict[str, bytes]:
        """Return the encoded annotations asked for, by tar member."""
        key = (*names, area)
        if key not in self._members:
            self._members[key] = annotation_members(self.annotation, names, area, self.moving_HW)
        return self._members[key]


def saturate(linear_HW3: Linear, clipped_HW: NDArray[np.bool_]) -> Linear:
    """Return a picture in which pixels that a sensor clipped are white at any anchor."""
    return np.where(clipped_HW[..., None], SATURATED, linear_HW3)


def pair_key(scene: str, plan_name: str, number: str) -> str:
    """Return a sample key; of several attributes at once only the first letters are named.

    >>> pair_key("table-0001", "exposure+light_power", "03")
    'table-0001-mix-exlipo-03'
    """
    names = attributes_of_plan(plan_name)
    short = names[0] if len(names) == 1 else "mix-" + "".join(_initials(name) for name in names)
    return f"{scene}-{short}-{number}"


def _initials(attribute: str) -> str:
    return "".join(word[:2] for word in attribute.split("_"))


@dataclass(frozen=True)
class Draft:
    """Two pictures that differ by known edits, before any gate."""

    key: str
    scene: str
    split: Split
    source: Picture
    target: Picture
    edits: tuple[EditScale, ...]  # `measured` not filled in
    measure: Callable[[NDArray[np.bool_]], Sequence[Reading | None]]  # takes the readable mask
    origin: Mapping[str, Any]
    # Takes the readable mask: whether measuring must find `edits`, so that it may be left out.
    is_surely_measured: Callable[[NDArray[np.bool_]], bool] = lambda _mask: False
    # Of each edit, where it changes a light of the scene; worked out for pairs that are stored.
    light_ratios: Callable[[], Sequence[LightRatio | None]] | None = None
    is_measured_the_scale: bool = False
    area: EditedArea = "picture"  # where the edits act
    view: str | None = None
    frames: tuple[int | None, int | None] = (None, None)  # of a sweep: source, target
    noise_HW: NDArray[np.float32] | None = None  # of one picture, display codes
    # The pictures in which the first edit must show; None: source and target. Where the camera
    # changes as well, its change would hide that the first edit cannot be seen.
    shown: tuple[Picture, Picture] | None = None


def finish(drafts: Iterable[Draft], dataset: DatasetJob) -> UnitResult:
    """Gate, measure and encode drafts, one at a time; what fails a gate becomes a rejected row."""
    pairs, rejections = [], []
    for draft in drafts:
        try:
            pairs.append(_pair(draft, dataset))
        except EditScaleError as error:
            first, reason = draft.edits[0], str(error)
            rejections.append(
                Rejection(draft.key, draft.scene, "rejected", reason, first.attribute, first.value)
            )
    return UnitResult(tuple(pairs), tuple(rejections))


def _pair(draft: Draft, dataset: DatasetJob) -> Pair:
    said = accepted(draft, dataset)
    source, target = draft.source, draft.target
    edits = said.edits
    if draft.light_ratios is not None:
        known = zip(edits, draft.light_ratios(), strict=True)
        edits = tuple(replace(edit, light_ratio=ratio) for edit, ratio in known)
    mean, p95 = visible_delta_e(source.codes, target.codes, _edited(draft))
    return Pair(
        key=draft.key,
        split=draft.split,
        scene=draft.scene,
        instruction=said.instruction,
        edits=edits,
        source_png=source.png,
        target_png=target.png,
        develop=said.develop,
        visible_delta_e_mean=mean,
        visible_delta_e_p95=p95,
        origin=draft.origin,
        view=draft.view,
        source_frame=draft.frames[0],
        target_frame=draft.frames[1],
        annotations={
            f"{which}.{name}": data
            for which, picture in (("source", source), ("target", target))
            for name, data in picture.members(dataset.annotations, draft.area).items()
        },
    )


@dataclass(frozen=True)
class Accepted:
    """Two pictures that passed every gate, and what is said of them."""

    draft: Draft
    edits: tuple[EditScale, ...]  # measured
    seed: int  # of the data set

    @cached_property
    def instruction(self) -> str:
        """The edits in English."""
        return phrase_edits(self.edits, derive_rng(self.seed, "phrase", self.draft.key))

    @cached_property
    def develop(self) -> Develop:
        """How the light became pictures."""
        source, target = self.draft.source, self.draft.target
        clipped = (source.clip_fraction, target.clip_fraction)
        return Develop(source.anchor, source.tone_curve, COLOUR_SPACE, *clipped)


def accepted(draft: Draft, dataset: DatasetJob, *, is_measured: bool = True) -> Accepted:
    """Measure and gate a draft; its pictures are developed, but not encoded.

    Without `is_measured` the edits stay as they were set wherever measuring them could change
    nothing else; the same drafts pass.

    Raises:
        EditScaleError: a gate rejects it, or an edit cannot be measured.
    """
    source, target = draft.source, draft.target
    low, high = (level / source.anchor for level in READABLE)
    mask = readable_mask(source.linear_HW3, target.linear_HW3, low, high)
    gates.check_readable(mask)
    is_skipped = not is_measured and draft.is_surely_measured(mask)
    edits = draft.edits if is_skipped else _measured(draft, draft.measure(mask))
    for edit in edits:
        attribute = find_attribute(edit.attribute)
        attribute.check_value(edit.value)
        gates.check_measured(attribute, edit)
    _check_seen(draft)
    gates.check_moving(source.moving_HW | target.moving_HW, dataset.annotations)
    return Accepted(draft, edits, dataset.seed)


def _check_seen(draft: Draft) -> None:
    """Raise PairRejectedError where the edit is hidden, invisible or below the noise."""
    source, target = _shown(draft)
    if draft.area == "object":
        subject = draft.edits[0].subject or "main object"
        for picture in (source, target):
            if picture.annotation is not None:
                gates.check_in_view(picture.annotation, subject)
    gates.check_visible(source.codes, target.codes, _edited(draft))
    if draft.noise_HW is not None:
        gates.check_above_noise(source.codes, target.codes, draft.noise_HW)


def _shown(draft: Draft) -> tuple[Picture, Picture]:
    return draft.shown or (draft.source, draft.target)


def _edited(draft: Draft) -> NDArray[np.bool_] | None:
    """Return where the edit acts in either picture; None: all over, or nobody knows."""
    if draft.area == "picture":
        return None
    masks = [p.annotation.mask_HW for p in _shown(draft) if p.annotation is not None]
    return np.logical_or.reduce(masks) if masks else None


def _measured(draft: Draft, readings: Sequence[Reading | None]) -> tuple[EditScale, ...]:
    edits = []
    for edit, reading in zip(draft.edits, readings, strict=True):
        if reading is None:
            edits.append(edit)
            continue
        value = reading.value if draft.is_measured_the_scale else edit.value
        edits.append(replace(edit, value=value, measured=reading.value, measured_se=reading.stderr))
    return tuple(edits)
