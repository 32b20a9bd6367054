"""What may become a pair: two pictures of one light that differ by known edits, not checked yet.

There are two kinds: two frames of a light basis, and two frames of a sweep, of which the camera may
have changed as well. Both give the same facts, so that one function checks and encodes them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.table import LIGHT_OF
from cat_dataset.compose.edit_sampling import SampledEdits, groups_of
from cat_dataset.compose.photometric_readout import is_within_rounding, read_camera, read_edits
from cat_dataset.compose.picture import EditedArea, Picture, saturate
from cat_dataset.imaging.display import ToneCurve, exposure_anchor
from cat_dataset.jobs.plans import attributes_of_plan
from cat_dataset.light.light_ratio import light_ratio_rgb
from cat_dataset.light.light_state import light_frame
from cat_dataset.light.relighting import stops_gain
from cat_dataset.records import EditScale, LightBasis, Reading, Sweep

Mask = NDArray[np.bool_]
AreHeldOut = Callable[[Sequence[EditScale]], bool]


def none_held_out(_edits: Sequence[EditScale]) -> bool:
    """Return False: no edits are held out."""
    return False


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
class BasisCandidate:
    """Two frames of a light basis."""

    key: str
    light: LightBasis
    sampled: SampledEdits
    source: Picture
    target: Picture
    origin: Mapping[str, Any]  # everything needed to make the pair again

    edited_area: ClassVar[EditedArea] = "picture"  # light acts all over
    edited_mask: ClassVar[None] = None
    frames: ClassVar[tuple[None, None]] = (None, None)
    noise_HW: ClassVar[None] = None  # both pictures have the noise of the same light

    @classmethod
    def build(
        cls, key: str, basis: LightBasis, sampled: SampledEdits, tone_curve: ToneCurve
    ) -> "BasisCandidate":
        """Return a candidate with both pictures, exposed alike."""
        states = (sampled.source, sampled.target)
        source, target = (light_frame(basis, state) for state in states)
        if not sampled.edited_groups:
            anchor = exposure_anchor(source) * stops_gain(sampled.source.exposure_stops)
        else:  # a lamp that is turned up must not wash out the picture
            middle = [stops_gain(-state.exposure_stops) for state in states]
            both = source * np.float32(middle[0] / 2) + target * np.float32(middle[1] / 2)
            anchor = exposure_anchor(both)
        if basis.clipped_HW is not None:
            anchor = max(anchor, 1.0)  # what the sensor clipped shows as white, not as grey
            source, target = (saturate(picture, basis.clipped_HW) for picture in (source, target))
        before, after = (
            Picture(linear_HW3, anchor, tone_curve, basis.annotation)
            for linear_HW3 in (source, target)
        )
        return cls(key, basis, sampled, before, after, {**basis.origin, **sampled.states})

    @property
    def edits(self) -> tuple[EditScale, ...]:
        """The edits as they were set, not measured."""
        return self.sampled.edits

    @property
    def shown(self) -> tuple[Picture, Picture]:
        """The pictures in which the first edit must show."""
        return self.source, self.target

    def measured(self, readable_HW: Mask) -> tuple[EditScale, ...]:
        """Return the edits with what the two pictures measure.

        Raises:
            EditScaleError: an edit cannot be read.
        """
        pictures = (self.source.linear_HW3, self.target.linear_HW3)
        readings = read_edits(self.light, self.sampled, *pictures, readable_HW)
        return tuple(
            replace(edit, measured=reading.value, measured_se=reading.stderr)
            for edit, reading in zip(self.edits, readings, strict=True)
        )

    def is_within_rounding(self, readable_HW: Mask) -> bool:
        """Return whether measuring must find the edits as set, so that it may be left out."""
        return is_within_rounding(self.light, self.sampled, readable_HW)

    def with_light_ratios(self, edits: tuple[EditScale, ...]) -> tuple[EditScale, ...]:
        """Return edits with the lighting ratio of each edited light in the source."""
        anchor = np.float32(self.source.anchor)
        source_HW3 = self.source.linear_HW3 * anchor
        known = []
        for edit in edits:
            ratio = None
            if edit.attribute in LIGHT_OF:
                groups = groups_of(self.light, edit.attribute)
                light_HW3 = light_frame(self.light, self.sampled.source, only=groups)
                ratio = light_ratio_rgb(light_HW3 * anchor, source_HW3)
            known.append(replace(edit, light_ratio=ratio))
        return tuple(known)


@dataclass(frozen=True)
class SweepCandidate:
    """Two frames of a sweep, as they are or with other settings of the camera."""

    key: str
    light: Sweep
    frames: tuple[int, int]  # source, target
    edits: tuple[EditScale, ...]  # of the sweep, then of the camera; as they were set
    source: Picture
    target: Picture
    # The pictures without what the camera does, whose change would hide that the first edit cannot
    # be seen; source and target themselves where it does nothing.
    shown: tuple[Picture, Picture]
    origin: Mapping[str, Any]  # everything needed to make the pair again
    noise_HW: NDArray[np.float32] | None = None  # of one picture, display codes

    @property
    def edited_area(self) -> EditedArea:
        """Where the edits act."""
        return self.light.edited_area

    @property
    def edited_mask(self) -> Mask | None:
        """Where the first edit acts in either picture (H, W); None: all over, or not known."""
        masks = [p.annotation.mask_HW for p in self.shown if p.annotation is not None]
        if self.edited_area == "picture" or not masks:
            return None
        edited_HW: Mask = np.logical_or.reduce(masks)
        return edited_HW

    def measured(self, readable_HW: Mask) -> tuple[EditScale, ...]:
        """Return the edits as their producer measured frames, and the pictures show the camera's.

        Of captures what was measured is the value as well.

        Raises:
            EditScaleError: an edit cannot be read.
        """
        readings = (self.light.readings.get(self.frames), *self._camera_readings(readable_HW))
        edits = []
        for edit, reading in zip(self.edits, readings, strict=True):
            if reading is None:
                edits.append(edit)
                continue
            value = reading.value if self.light.is_measured_the_scale else edit.value
            edits.append(
                replace(edit, value=value, measured=reading.value, measured_se=reading.stderr)
            )
        return tuple(edits)

    def _camera_readings(self, readable_HW: Mask) -> list[Reading]:
        """Return what the camera did between the pictures, by what it did to each frame."""
        names = [edit.attribute for edit in self.edits[1:]]
        if not names:
            return []
        pictures = zip(self.shown, (self.source, self.target), strict=True)
        source, target = (
            read_camera(
                names, frame.linear_HW3, picture.linear_HW3, readable_HW, self.light.wb_cct_k
            )
            for frame, picture in pictures
        )
        return [_difference(source[name], target[name]) for name in names]

    def is_within_rounding(self, _readable_HW: Mask) -> bool:
        """Return False: only measuring says how far two frames differ."""
        return False

    def with_light_ratios(self, edits: tuple[EditScale, ...]) -> tuple[EditScale, ...]:
        """Return edits as they are: none is of one light."""
        return edits


PairCandidate = BasisCandidate | SweepCandidate


def _difference(source: Reading, target: Reading) -> Reading:
    stderr = float(np.hypot(source.stderr, target.stderr))
    return Reading(target.value - source.value, stderr, source.num_px + target.num_px)
