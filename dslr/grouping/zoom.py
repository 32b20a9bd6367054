"""Zoom series: which captures of different focal lengths show one scene, and how much larger."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dslr.develop.framing import MIN_CORRELATION, Preview
from dslr.develop.registration import Light, Mask, Registration, register_from, zoom_about_centre

if TYPE_CHECKING:
    from dslr.grouping.bursts import Capture

MAX_OFF_LOG2 = 0.2  # measured against printed magnification: printed focal lengths are rounded


def match_zoom_series(
    burst: Sequence["Capture"], previews: Mapping[Path, Preview]
) -> tuple[list["Capture"], dict["Capture", str]]:
    """Return the captures that show one scene, in their order, and why the others do not.

    Each is held against the longest focal length, whose view lies within all others.
    """
    longest = max(burst, key=_focal_length_mm)
    members, outsiders = [longest], {}
    for capture in burst:
        if capture is longest:
            continue
        nominal = _focal_length_mm(longest) / _focal_length_mm(capture)
        long, short = (previews[c.path] for c in (longest, capture))
        usable = (~long.is_clipped_HW, ~short.is_clipped_HW)
        found = match_zoom(long.light_HW, short.light_HW, usable, nominal)
        if not lies_around(found, nominal):
            outsiders[capture] = (
                f"it does not lie around the view at {_focal_length_mm(longest):g} mm "
                f"(correlation {found.correlation:.2f}, magnified {1 / found.magnification:.2f}x "
                f"for {nominal:.2f}x)"
            )
        else:
            members.append(capture)
    return [capture for capture in burst if capture in members], outsiders


def match_zoom(
    long_HW: Light, short_HW: Light, usable: tuple[Mask, Mask], nominal_magnification: float
) -> Registration:
    """Register the view of a shorter focal length on that of a longer one, which lies within.

    `usable` is where each may be compared. `magnification` of the result is below 1: what the
    shorter focal length shows smaller.
    """
    return register_from(
        zoom_about_centre(1.0 / nominal_magnification, long_HW.shape),
        long_HW,
        short_HW,
        usable,
        blur_px=_blur_px(nominal_magnification),
    )


def lies_around(found: Registration, nominal_magnification: float) -> bool:
    """Return whether the shorter focal length shows the longer one's view, as large as printed."""
    off_log2 = abs(math.log2(found.magnification * nominal_magnification))
    return found.correlation >= MIN_CORRELATION and off_log2 <= MAX_OFF_LOG2


def _blur_px(magnification: float) -> int:
    """Return an odd blur that hides that the magnified view has less detail."""
    return 2 * round(2.0 * magnification) + 1


def _focal_length_mm(capture: "Capture") -> float:
    return capture.metadata.focal_length_mm or 1.0
