"""A linear picture on its way into pairs: all that share it develop and encode it once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.compose.annotations import annotation_members
from cat_dataset.imaging.display import ToneCurve, clip_fraction, encode_display, encode_png
from cat_dataset.records import Annotation

Linear = NDArray[np.float32]
EditedArea = Literal["object", "picture"]
SATURATED = np.float32(1e4)  # scene-linear stand-in for "at least white": clips at any anchor


@dataclass(frozen=True)
class EncodedPicture:
    """One picture of a pair as it is stored."""

    png: bytes
    annotations: Mapping[str, bytes]  # by tar member without the picture's side, "mask.png"


class Picture:
    """One linear picture with its exposure anchor, its 8-bit codes and what is known of them."""

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
        self.codes: NDArray[np.uint8] = encode_display(linear_HW3, anchor, tone_curve)
        self._encoded: dict[tuple[object, ...], EncodedPicture] = {}

    @cached_property
    def clip_fraction(self) -> float:
        """Share of pixels with a channel at the display's white."""
        return clip_fraction(self.linear_HW3, self.anchor, self.tone_curve)

    def encoded(self, names: Sequence[str], area: EditedArea) -> EncodedPicture:
        """Return the picture as it is stored, with the annotations asked for."""
        key = (*names, area)
        if key not in self._encoded:
            self._encoded[key] = EncodedPicture(
                png=encode_png(self.codes),
                annotations=annotation_members(self.annotation, names, area, self.moving_HW),
            )
        return self._encoded[key]


def saturate(linear_HW3: Linear, clipped_HW: NDArray[np.bool_]) -> Linear:
    """Return a picture in which pixels that a sensor clipped are white at any anchor."""
    return np.where(clipped_HW[..., None], SATURATED, linear_HW3)
