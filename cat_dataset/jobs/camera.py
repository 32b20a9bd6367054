"""What a manifest may ask of the simulated camera: which series, of which scenes, how handled."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from cat_dataset.attributes.attribute import Attribute
from cat_dataset.attributes.lens import APERTURE, FOCAL_LENGTH, FOCUS_DISTANCE, ISO_NOISE
from cat_dataset.attributes.photometric import EXPOSURE, WHITE_BALANCE
from cat_dataset.imaging.photometry import MAX_CCT_K, MIN_CCT_K
from cat_dataset.jobs.datasets import SourceName
from cat_dataset.jobs.plans import Family, PairPlan, StrictModel, checked_capture_plans

Series = Literal["exposure", "iso", "aperture", "focal_length", "focus_distance", "white_balance"]
# Which field holds the values that a series runs through.
VALUES_OF_SERIES: Mapping[Series, str] = MappingProxyType(
    {
        "exposure": "exposure_times_s",
        "iso": "iso_values",
        "aperture": "f_numbers",
        "focal_length": "focal_lengths_mm",
        "focus_distance": "focus_distances_m",
        "white_balance": "wb_ccts_k",
    }
)
# What pairs of a series' frames differ in, where it is not what every file gives.
_SWEPT_BY_SERIES: Mapping[str, Attribute] = MappingProxyType(
    {
        "iso": ISO_NOISE,
        "aperture": APERTURE,
        "focal_length": FOCAL_LENGTH,
        "focus_distance": FOCUS_DISTANCE,
    }
)
# A picture of its own for each value; the others photograph one picture.
RENDERED_SERIES: tuple[Series, ...] = ("aperture", "focal_length", "focus_distance")
MAX_SIDE_PX = 4096  # rendered, margin included
MAX_DEVIATIONS = 2.5  # of the hand, in standard deviations: draws beyond are drawn again
_SWEPT_PAIRS = 6  # of a series of three: every ordered one
_KERNEL_PX = 4  # half of the widest resampling kernel
_ONE_VALUE_OF_SERIES: Mapping[Series, str] = MappingProxyType(
    {"aperture": "f_number", "iso": "iso"}
)

Iso = Annotated[int, Field(ge=25, le=102400)]
SidePx = Annotated[int, Field(ge=32, le=MAX_SIDE_PX, multiple_of=2)]
Cct = Annotated[float, Field(ge=MIN_CCT_K, le=MAX_CCT_K)]
Stops = Annotated[float, Field(ge=0.0, le=2.0)]
ShotIndex = Annotated[int, Field(ge=0)]


def _default_times_s(fields: Mapping[str, Any]) -> tuple[float, ...]:
    """Return a bracket for a series of exposures, one time for any other; as cameras print them."""
    return (1 / 15, 1 / 60, 1 / 250) if fields.get("series") == "exposure" else (1 / 60,)


def _default_attributes(fields: Mapping[str, Any]) -> dict[str, PairPlan]:
    """Return what every file gives, and what the series does."""
    plans = {EXPOSURE.name: PairPlan(), WHITE_BALANCE.name: PairPlan()}
    swept = _SWEPT_BY_SERIES.get(fields.get("series", ""))
    if swept is not None:
        plans[swept.name] = PairPlan(num_pairs=_SWEPT_PAIRS)
    return plans


class SimulatedCamera(StrictModel):
    """Series of captures of rendered scenes, written as DNG files with a known truth.

    Settings are what the camera prints: "1/60 s" stands for 1/64 s, "f/5.6" for 2**2.5.
    """

    name: SourceName = "simulated"
    family: Family = "tabletop"
    series: Series = "exposure"  # which setting varies
    num_brackets: PositiveInt = 4  # series, each of a scene of its own
    width_px: SidePx = 256
    height_px: SidePx = 192
    samples_per_pixel: Annotated[int, Field(ge=2, multiple_of=2)] = 64
    # Of each frame in a series of exposures; else one, of the first value.
    exposure_times_s: Annotated[
        tuple[PositiveFloat, ...], Field(min_length=1, default_factory=_default_times_s)
    ]
    f_number: PositiveFloat = 5.6
    iso: Iso = 100
    iso_values: tuple[Iso, ...] | None = None  # the shutter makes up for them
    f_numbers: tuple[PositiveFloat, ...] | None = None
    shutter_compensates: bool = True  # for f_numbers; False: frames differ in brightness, too
    focal_lengths_mm: tuple[PositiveFloat, ...] | None = None
    focus_distances_m: tuple[PositiveFloat, ...] | None = None
    wb_ccts_k: tuple[Cct, ...] | None = None  # as-shot balance; the light stays as it is

    duplicates: tuple[ShotIndex, ...] = ()  # values, by index, that are photographed once more
    shot_order: tuple[ShotIndex, ...] | None = None  # of values, then duplicates; None: as given

    shake_px: Annotated[float, Field(ge=0.0, le=6.0)] = 0.0  # one standard deviation, each way
    shake_deg: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0  # one standard deviation of roll
    passing_object_share: Annotated[float, Field(ge=0.0, le=0.25)] = 0.0  # of the frame; 0: none
    passing_object_shots: tuple[ShotIndex, ...] | None = None  # that have it; None: all
    flicker_stops: Stops = 0.0  # largest gain of a mains lamp's light from frame to frame
    band_stops: Stops = 0.0  # its bands across a frame, at times far below half a mains period
    drift_stops: Stops = 0.0  # largest difference between two edges, as of a passing cloud
    prnu_share: Annotated[float, Field(ge=0.0, le=0.05)] = 0.0  # one standard deviation of gain

    # What files say beside the settings; None: nothing.
    body_serial: Annotated[str, Field(pattern=r"^[ -~]+$")] | None = None
    lens_model: Annotated[str, Field(pattern=r"^[ -~]+$")] | None = None
    utc_offset: Annotated[str, Field(pattern=r"^[+-]\d\d:\d\d$")] | None = None
    has_exposure_bias: bool = False  # stops from the middle frame, as automatic bracketing prints

    attributes: dict[str, PairPlan] = Field(default_factory=_default_attributes)

    _plans_fit = field_validator("attributes")(checked_capture_plans)

    @property
    def values(self) -> tuple[float, ...]:
        """What the series runs through, as printed, in the unit of its field."""
        found: tuple[float, ...] = getattr(self, VALUES_OF_SERIES[self.series])
        return found

    @property
    def shots(self) -> tuple[int, ...]:
        """Which value each shot has, by index, in the order of time."""
        unordered = (*range(len(self.values)), *self.duplicates)
        return tuple(unordered[n] for n in self.shot_order or range(len(unordered)))

    @property
    def margin_px(self) -> int:
        """How much wider a picture must be on each side, so that a shaken frame has no border."""
        if not (self.shake_px or self.shake_deg):
            return 0
        corner_px = math.hypot(self.width_px, self.height_px) / 2.0
        roll_px = MAX_DEVIATIONS * math.radians(self.shake_deg) * corner_px
        return math.ceil(MAX_DEVIATIONS * self.shake_px + roll_px) + _KERNEL_PX

    @model_validator(mode="after")
    def _series_has_its_values(self) -> Self:
        wanted = VALUES_OF_SERIES[self.series]
        for series, field in VALUES_OF_SERIES.items():
            found = getattr(self, field)
            if field == wanted and len(found or ()) < 2:
                msg = f"series {self.series} runs through {field}: give at least two, not {found}"
                raise ValueError(msg)
            if field not in (wanted, "exposure_times_s") and found is not None:
                msg = f'{field} {list(found)} belongs to series = "{series}"; remove it'
                raise ValueError(msg)
        if wanted != "exposure_times_s" and len(self.exposure_times_s) > 1:
            msg = (
                f"exposure_times_s {list(self.exposure_times_s)}: a series of {self.series} has "
                f"one, the others follow from it; give the first"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _settings_are_given_once(self) -> Self:
        field = _ONE_VALUE_OF_SERIES.get(self.series)
        if field is not None and getattr(self, field) != type(self).model_fields[field].default:
            msg = f"{field} {getattr(self, field)} stands in the series' own values; remove it"
            raise ValueError(msg)
        if not self.shutter_compensates and self.series != "aperture":
            msg = f'shutter_compensates = false belongs to series = "aperture", not {self.series}'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shots_exist(self) -> Self:
        beyond = [n for n in self.duplicates if n >= len(self.values)]
        if beyond:
            msg = f"duplicates {beyond}: there are {len(self.values)} values, counted from 0"
            raise ValueError(msg)
        num_shots = len(self.values) + len(self.duplicates)
        if self.shot_order is not None and sorted(self.shot_order) != list(range(num_shots)):
            msg = f"shot_order {list(self.shot_order)} must hold 0 to {num_shots - 1}, each once"
            raise ValueError(msg)
        beyond = [n for n in self.passing_object_shots or () if n >= num_shots]
        if beyond:
            msg = f"passing_object_shots {beyond}: there are {num_shots} shots, counted from 0"
            raise ValueError(msg)
        if self.passing_object_shots is not None and not self.passing_object_share:
            msg = (
                "passing_object_shots: there is no object; give passing_object_share, such as 0.03"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shaken_pictures_can_be_rendered(self) -> Self:
        side_px = max(self.width_px, self.height_px) + 2 * self.margin_px
        if side_px > MAX_SIDE_PX:
            msg = (
                f"a shaken frame needs a margin: {side_px} px are more than the {MAX_SIDE_PX} px "
                f"that can be rendered; lower width_px, height_px or shake_px"
            )
            raise ValueError(msg)
        return self
