"""Both readouts of one held-out pair, and what they read of the truth itself: their floor."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from cat_dataset.attributes.photometric import WHITE_BALANCE
from cat_dataset.attributes.table import CAMERA_ATTRIBUTES
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import decode_display
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.light import readout
from cat_dataset.scoring.questions.cases import Case
from cat_dataset.scoring.questions.value_ranges import Ranges, feasible_range
from cat_dataset.scoring.readings.joint import (
    ReferenceEdits,
    References,
    physical_readout_beside_others,
)
from cat_dataset.scoring.readings.physical import joint_physical_readout, physical_readout
from cat_dataset.scoring.readings.reference_matching import (
    FrameGrid,
    MatchReading,
    ReferenceGrid,
    frame_codes,
    frame_grid,
    light_grid,
    match_together,
    probe_of,
)
from cat_dataset.scoring.truth import Display, FrameTruth, LightTruth, Values


@dataclass(frozen=True)
class Readings:
    """What two independent readouts find; None: cannot be read."""

    physical: float | None = None
    match: MatchReading | None = None
    alone: float | None = None  # of several: the physical reading of this number by itself


NOTHING = Readings()
NO_REFERENCES: References = MappingProxyType({})


class Readout:
    """The readouts of one case."""

    def __init__(self, case: Case, ranges: Ranges) -> None:
        self._case = case
        self._ranges = ranges
        self._grids: dict[str, ReferenceGrid | None] = {}

    def read(
        self,
        picture_HW3: Display,
        asked: Mapping[str, float],
        references: References = NO_REFERENCES,
    ) -> Mapping[str, Readings]:
        """Return the readings of the attributes that a request edits.

        `references` holds, by attribute, what the same editor made of it alone and of all other
        numbers of the request; without it the true pictures count.
        """
        truth = self._case.truth
        if truth is None:
            return dict.fromkeys(asked, NOTHING)
        if len(asked) == 1:
            (name,) = asked
            return {
                name: Readings(self._physical(picture_HW3, name), self._step(picture_HW3, name))
            }
        if isinstance(truth, FrameTruth):
            return dict.fromkeys(asked, NOTHING)
        return self._together(truth, picture_HW3, asked, references)

    def floor(self, picture_HW3: Display, asked: Mapping[str, float]) -> Mapping[str, Readings]:
        """Return the readings of a true picture; None where it reads right by construction."""
        truth = self._case.truth
        if isinstance(truth, FrameTruth):
            return {truth.attribute: Readings(None, self._left_out(truth, picture_HW3))}
        if isinstance(truth, LightTruth) and truth.is_from_pair and len(asked) == 1:
            return dict.fromkeys(asked, NOTHING)
        return self.read(picture_HW3, asked)

    def cross(self, picture_HW3: Display, true_HW3: Display, swept: str) -> dict[str, float]:
        """Return by how much each readable attribute differs from the true picture."""
        truth = self._case.truth
        try:
            if isinstance(truth, LightTruth):
                found, right = (
                    joint_physical_readout(truth, picture, swept)
                    for picture in (picture_HW3, true_HW3)
                )
                return {name: found[name] - right[name] for name in found if name in right}
            return _camera_difference(true_HW3, picture_HW3)
        except EditScaleError:
            return {}

    def _physical(self, picture_HW3: Display, name: str) -> float | None:
        truth = self._case.truth
        if not isinstance(truth, LightTruth) or not truth.can_make(name):
            return None
        try:
            return physical_readout(truth, picture_HW3, name)
        except EditScaleError:
            return None  # counted as unreadable in the score

    def _step(self, picture_HW3: Display, name: str) -> MatchReading | None:
        grid, truth = self._grid(name), self._case.truth
        if grid is None or truth is None:
            return None
        if isinstance(truth, LightTruth):
            return grid.read(probe_of(truth, picture_HW3))
        return grid.read(frame_codes(picture_HW3))

    def _grid(self, name: str) -> ReferenceGrid | None:
        if name not in self._grids:
            self._grids[name] = self._make_grid(name)
        return self._grids[name]

    def _make_grid(self, name: str) -> ReferenceGrid | None:
        truth = self._case.truth
        with suppress(EditScaleError):  # too little of the source is known: unreadable
            if isinstance(truth, FrameTruth):
                return frame_grid(truth)
            if isinstance(truth, LightTruth) and truth.can_make(name):
                low, high = self._ranges[name]
                edits = [edit for edit in self._case.row.edits if edit.attribute == name]
                asked = feasible_range(low, high, edits[0]) if edits else (low, high)
                return light_grid(truth, name, min(asked[0], low), max(asked[1], high))
        return None

    def _together(
        self,
        truth: LightTruth,
        picture_HW3: Display,
        asked: Mapping[str, float],
        references: References,
    ) -> dict[str, Readings]:
        if not all(truth.can_make(name) for name in asked):
            return dict.fromkeys(asked, NOTHING)
        matches: Mapping[str, MatchReading] = {}
        with suppress(EditScaleError):  # counted as unreadable in the score
            matches = match_together(truth, picture_HW3, {n: self._ranges[n] for n in asked})
        readings = {}
        for name in asked:
            others = {other: value for other, value in asked.items() if other != name}
            pictures = references.get(name) or _true_references(truth, {name: asked[name]}, others)
            both = None
            with suppress(EditScaleError):
                if pictures is not None:
                    both = physical_readout_beside_others(
                        truth, pictures, picture_HW3, name, others
                    )
            readings[name] = Readings(both and both[0], matches.get(name), both and both[1])
        return readings

    def _left_out(self, truth: FrameTruth, picture_HW3: Display) -> MatchReading | None:
        """Return the match of a frame with the others of its sweep; None at the sweep's ends."""
        grid = self._grid(truth.attribute)
        value = self._case.row.edits[0].value
        if not isinstance(grid, FrameGrid):
            return None
        others = grid.without(value)
        return None if others is None else others.read(frame_codes(picture_HW3))


def _true_references(truth: LightTruth, alone: Values, others: Values) -> ReferenceEdits | None:
    """Return the true pictures of a number and of all others; None where one is not known."""
    pictures = truth.picture(others), truth.picture(alone)
    return (
        None
        if pictures[0] is None or pictures[1] is None
        else ReferenceEdits(pictures[0], pictures[1])
    )


def _camera_difference(true_HW3: Display, picture_HW3: Display) -> dict[str, float]:
    """Return what the camera seems to have done between a true picture and a result.

    Raises:
        EditScaleError: too few pixels can be read.
    """
    truth, result = decode_display(true_HW3), decode_display(picture_HW3)
    mask_HW = readout.readable_mask(truth, result)
    sources = {WHITE_BALANCE.name: DAYLIGHT_CCT_K}
    return {
        name: readout.camera_change(name, truth, result, mask_HW, sources).value
        for name in CAMERA_ATTRIBUTES
    }
