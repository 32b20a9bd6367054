"""Zoom series: which captures of different focal lengths show one scene, and how much larger."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dslr.framing import MIN_CORRELATION, Preview
from dslr.registration import Registration, register_from, zoom_about_centre

if TYPE_CHECKING:
    from dslr.bursts import Capture

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
        found = match_zoom(previews[capture.path], previews[longest.path], nominal)
        off_log2 = abs(math.log2(found.magnification * nominal))
        if found.correlation < MIN_CORRELATION or off_log2 > MAX_OFF_LOG2:
            outsiders[capture] = (
                f"it does not lie around the view at {_focal_length_mm(longest):g} mm "
                f"(correlation {found.correlation:.2f}, magnified {1 / found.magnification:.2f}x "
                f"for {nominal:.2f}x)"
            )
        else:
            members.append(capture)
    return [capture for capture in burst if capture in members], outsiders


def match_zoom(short: Preview, long: Preview, nominal_magnification: float) -> Registration:
    """Register the view of a shorter focal length on that of a longer one, which lies within.

    `magnification` of the result is below 1: what the shorter focal length shows smaller.
    """
    return register_from(
        zoom_about_centre(1.0 / nominal_magnification, long.light_HW.shape),
        long.light_HW,
        short.light_HW,
        (~long.is_clipped_HW, ~short.is_clipped_HW),
        blur_px=zoom_blur_px(nominal_magnification),
    )


def zoom_blur_px(magnification: float) -> int:
    """Return an odd blur that hides that the magnified view has less detail."""
    return 2 * round(2.0 * magnification) + 1


def _focal_length_mm(capture: "Capture") -> float:
    return capture.metadata.focal_length_mm or 1.0
