"""The two slits of a face, between the lids and between the lips, as curves."""

from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats
from render.families.head.face_field import surface_hits
from render.families.head.face_traits import FaceTraits

EYE_IN_DEG, EYE_OUT_DEG = -52.0, 56.0  # corners of the eye, sideways about the eye's centre
_LOWER_LID_DEG = 19.0  # edge of the lower lid below the eye's middle
_UPPER_PEAK, _LOWER_PEAK = 0.44, 0.58  # where along the slit the lids are furthest apart


@dataclass(frozen=True)
class LidEdges:
    """The edges of the lids, in angles about the eye's centre."""

    traits: FaceTraits

    def span(self, side_deg: Floats) -> Floats:
        """Return the place along the slit, 0 = inner corner, 1 = outer corner, clipped."""
        share: Floats = np.clip((side_deg - EYE_IN_DEG) / (EYE_OUT_DEG - EYE_IN_DEG), 0.0, 1.0)
        return share

    def corner_line_deg(self, span: Floats) -> Floats:
        """Return the height of the line between the corners."""
        return (span - 0.5) * 2.0 * self.traits.eye_tilt_deg - 1.0

    def upper_deg(self, side_deg: Floats) -> Floats:
        """Return the height of the upper lid's edge."""
        span = self.span(side_deg)
        height = self.traits.eye_open_deg + 1.0
        return self.corner_line_deg(span) + height * _arch(span, _UPPER_PEAK, 0.85)

    def lower_deg(self, side_deg: Floats) -> Floats:
        """Return the height of the lower lid's edge."""
        span = self.span(side_deg)
        return self.corner_line_deg(span) - (_LOWER_LID_DEG - 1.0) * _arch(span, _LOWER_PEAK, 0.9)

    def meeting_deg(self, side_deg: Floats) -> Floats:
        """Return the height at which closed lids meet: most of the way is the upper lid's."""
        upper, lower = self.upper_deg(side_deg), self.lower_deg(side_deg)
        return lower + 0.2 * (upper - lower)


def _arch(span: Floats, peak: float, power: float) -> Floats:
    """Return a bow over [0, 1] that is 1 at `peak` and 0 at both ends."""
    bent = span ** (np.log(0.5) / np.log(peak))
    bow: Floats = np.maximum(np.sin(np.pi * bent), 0.0) ** power
    return bow


def eye_angles_deg(traits: FaceTraits, points_V3: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a point's sideways angle and height about the eye, and its distance in metres.

    The height is the turn about the axis through both eyes, 0 = straight ahead.
    """
    away = points_V3 - traits.eye_centre
    distance = np.linalg.norm(away, axis=-1)
    side = np.degrees(np.arcsin(np.clip(away[..., 0] / np.maximum(distance, 1e-9), -1.0, 1.0)))
    height = np.degrees(np.arctan2(away[..., 2], -away[..., 1]))
    return side, height, distance


def eye_point(traits: FaceTraits, side_deg: Floats, height_deg: Floats, radius_m: float) -> Floats:
    """Return the points at angles and a distance about the eye, (V, 3)."""
    side, height = np.radians(side_deg), np.radians(height_deg)
    ahead = np.cos(side)
    away = np.stack([np.sin(side), -ahead * np.cos(height), ahead * np.sin(height)], axis=-1)
    points: Floats = traits.eye_centre + radius_m * away
    return points


def mouth_line_z_m(traits: FaceTraits, x_m: Floats) -> Floats:
    """Return the height of the closed lips' line; straight on beyond the corners."""
    along = np.clip(np.abs(x_m) / traits.mouth_half_m, 0.0, 1.0)
    dip = -0.0007 * np.exp(-((along / 0.3) ** 2)) - 0.0002 * np.sin(np.pi * along)
    line: Floats = traits.mouth_z_m + dip + 0.0011 * along**3
    return line


def mouth_line_points(traits: FaceTraits, num_points: int) -> Floats:
    """Return points on the skin along the lips' line, from the midline to the corner, (P, 3)."""
    x = np.linspace(0.0, traits.mouth_half_m, num_points)
    origins = np.stack([x, np.full_like(x, -0.045), mouth_line_z_m(traits, x)], axis=-1)
    ahead = np.broadcast_to(np.array([0.0, -1.0, 0.0]), origins.shape)
    return surface_hits(traits, origins, ahead)
