"""The records that cross package borders: EditScale, Sweep, LightBasis, Pair, LinearSample.

Producers (`render`, `dslr`) yield sweeps and light bases; `cat_dataset.compose` draws pairs from
them; shards store pairs. All are frozen; arrays inside must be treated as read-only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.attribute import Attribute
from cat_dataset.attributes.table import ATTRIBUTES, BASIS_ATTRIBUTES, find_attribute
from cat_dataset.attributes.task_key import task_key
from cat_dataset.imaging.light_conditioning import LightConditioning, light_conditioning
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class EditScale:
    """How far the target differs from the source on one attribute."""

    attribute: str
    value: float  # signed, target minus source, in the attribute's unit; from settings *used*
    source_value: float | None = None  # in the attribute's absolute unit
    target_value: float | None = None
    measured: float | None = None  # the same difference read from linear light or passes
    measured_se: float | None = None  # one standard error of `measured`
    subject: str | None = None  # what of the scene it acts on: "teapot", "smile"; None: all of it
    # the edited light over all other light of the source, where it falls, see `light_ratio`: one
    # number or one per channel; None: not known, or the edit changes no light of the scene
    light_ratio: tuple[float, ...] | None = None

    @property
    def task_key(self) -> str:
        """What is trained and measured as one: "exposure", "shape_key:smile"."""
        return task_key(self.attribute, self.subject)

    def to_json(self) -> dict[str, Any]:
        """Return the edit as plain values with its units; None where there is nothing."""
        attribute = find_attribute(self.attribute)
        has_values = self.source_value is not None
        return {
            "attribute": self.attribute,
            "subject": self.subject,
            "unit": attribute.unit,
            "value": self.value,
            "source_value": self.source_value,
            "target_value": self.target_value,
            "absolute_unit": attribute.absolute_unit if has_values else None,
            "light_ratio": None if self.light_ratio is None else list(self.light_ratio),
            "measured": self.measured,
            "measured_se": self.measured_se,
        }


@dataclass(frozen=True)
class Reading:
    """A scale measured from pixels."""

    value: float  # in the attribute's unit
    stderr: float  # one standard error, same unit
    num_px: int  # pixels it rests on


@dataclass(frozen=True)
class Annotation:
    """What is known of a picture's geometry, one value a pixel."""

    mask_HW: NDArray[np.bool_]  # the main object
    depth_HW: NDArray[np.float32]  # metres along the view axis; inf where there is nothing
    normal_HW3: NDArray[np.float32]  # unit, world space; zero where there is nothing
    visible_share: float = 1.0  # of the main object inside the frame, what nothing hides


@dataclass(frozen=True)
class LightGroup:
    """One group of emitters, rendered alone."""

    name: str
    kind: Literal["lamp", "ambient"]
    cct_k: float | None  # colour of the lamp in the base picture; None: the image has its own
    power_w: float | None = None  # radiant watts in the base picture


@dataclass(frozen=True)
class LightBasis:
    """One linear image per light group; any exposure, power, colour and white balance follow.

    A lamp group's image is rendered with a white lamp, (1, 1, 1) linear; `cct_k` colours it.
    """

    scene: str
    split: Split
    groups: tuple[LightGroup, ...]
    images_GHW3: NDArray[np.float32]  # scene-linear sRGB, one image per group, same order
    wb_cct_k: float = DAYLIGHT_CCT_K  # setting at which the images are balanced
    main_lamp: str | None = None  # group that light_power and light_temperature act on
    clipped_HW: NDArray[np.bool_] | None = None  # pixels a sensor clipped: white in every frame
    annotation: Annotation | None = None  # of every frame: light moves nothing
    view: str | None = None  # of several of one scene
    origin: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def conditioning(self) -> LightConditioning:
        """How well each light can be read, worked out once for all that is drawn from it."""
        return light_conditioning(self.images_GHW3, self.clipped_HW)

    @cached_property
    def drawable_attributes(self) -> tuple[str, ...]:
        """The photometric attributes that there is the light for."""
        return tuple(name for name in BASIS_ATTRIBUTES if self._has_light_for(ATTRIBUTES[name]))

    def _has_light_for(self, attribute: Attribute) -> bool:
        if attribute.role == "lamp":
            main = next((group for group in self.groups if group.name == self.main_lamp), None)
            # a tinted lamp has no temperature
            return main is not None and (main.cct_k is not None or not attribute.changes_colour)
        if attribute.role == "ambient":  # without a lamp it would be a second name for exposure
            return self.main_lamp is not None and any(g.kind == "ambient" for g in self.groups)
        return True


@dataclass(frozen=True)
class SweepFrame:
    """One frame of a sweep."""

    absolute_value: float | None  # of the swept attribute, in its absolute unit, as *used*
    axis_value: float  # position on the attribute's axis; differences of these are edit values
    linear_HW3: NDArray[np.float32]  # scene-linear sRGB; 1 = white level for camera frames
    clipped_HW: NDArray[np.bool_] | None = None  # pixels the sensor clipped; None: nothing clips
    annotation: Annotation | None = None
    moving_HW: NDArray[np.bool_] | None = None  # captures: what moved since the anchor frame
    origin: Mapping[str, Any] = field(default_factory=dict)  # what only this frame has


@dataclass(frozen=True)
class Sweep:
    """Frames of one scene in which exactly one attribute takes known values."""

    scene: str
    split: Split
    attribute: str
    frames: tuple[SweepFrame, ...]
    readings: Mapping[tuple[int, int], Reading] = field(default_factory=dict)
    # (source, target) frame indices to the scale a producer measured, where the composer cannot
    is_measured_the_scale: bool = False  # captures: the measured value is recorded as the value
    subject: str | None = None  # what of the scene changes, see EditScale
    wb_cct_k: float = DAYLIGHT_CCT_K  # setting at which the frames are balanced
    noise_HW3: NDArray[np.float32] | None = None  # what two seeds of one frame differ by, over 2
    edited_area: Literal["object", "picture"] = "picture"  # where the edit acts
    view: str | None = None  # of several of one scene
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Develop:
    """How linear light became 8-bit sRGB; the same for both pictures of a pair."""

    exposure_anchor: float  # factor on scene-linear light before the tone curve
    tone_curve: str  # "srgb": clip to [0, 1], IEC 61966-2-1
    colour_space: str  # "srgb"
    source_clip_fraction: float  # share of pixels with a channel at or above 1
    target_clip_fraction: float


@dataclass(frozen=True)
class Pair:
    """Source and target, encoded once, and everything that is known about their difference."""

    key: str  # [a-z0-9_-]+
    split: Split
    scene: str
    instruction: str
    edits: tuple[EditScale, ...]
    source_png: bytes  # 8-bit sRGB
    target_png: bytes
    develop: Develop
    visible_delta_e_mean: float  # CIEDE2000 of the pictures inside the edit's mask
    visible_delta_e_p95: float
    origin: Mapping[str, Any]
    view: str | None = None  # of several of one scene
    source_frame: int | None = None  # of a sweep
    target_frame: int | None = None
    annotations: Mapping[str, bytes] = field(default_factory=dict)  # by tar member, "mask.png"

    def to_json(self) -> dict[str, Any]:
        """Return the sample's record, see `store.schema`; None where there is nothing."""
        return {
            "key": self.key,
            "split": self.split,
            "scene": self.scene,
            "view": self.view,
            "source_frame": self.source_frame,
            "target_frame": self.target_frame,
            "instruction": self.instruction,
            "edits": [edit.to_json() for edit in self.edits],
            "visible_delta_e_mean": self.visible_delta_e_mean,
            "visible_delta_e_p95": self.visible_delta_e_p95,
            "develop": vars(self.develop),
            "origin": dict(self.origin),
        }


@dataclass(frozen=True)
class LinearSample:
    """A light basis or a sweep as it is stored: pairs are composed where it is read."""

    key: str
    kind: Literal["basis", "sweep"]
    split: Split
    scene: str
    attribute: str | None  # swept; None for a light basis
    shape_HW: tuple[int, int]
    exr: bytes  # OpenEXR, half float
    record: Mapping[str, Any]  # everything else, see `store.schema`


@dataclass(frozen=True)
class Rejection:
    """A pair, file or unit that did not become a sample, and why."""

    key: str
    scene: str
    status: Literal["rejected", "failed"]
    reason: str
    attribute: str | None = None
    value: float | None = None


@dataclass(frozen=True)
class UnitResult:
    """What one unit of work yields."""

    pairs: tuple[Pair, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    linear: tuple[LinearSample, ...] = ()
