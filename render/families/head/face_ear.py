"""An ear: a polar grid over its outline, modelled by height, with a back that meets the head."""

import numpy as np

from render.blender.shapes import Floats, Ints, Shape
from render.families.head.face_curves import bump, smooth_step
from render.families.head.face_field import surface_hits
from render.families.head.face_traits import FaceTraits

_NUM_RINGS, _NUM_SECTORS = 22, 56
_HALF_HEIGHT_M, _HALF_WIDTH_M = 0.0305, 0.0180
_FLARE_DEG, _TILT_DEG = 24.0, 12.0  # away from the head; top end backwards


def ear_shape(traits: FaceTraits) -> Shape:
    """Return the left ear in place; its front edge is inside the head."""
    ring = np.linspace(0.0, 1.0, _NUM_RINGS)
    sector = np.linspace(0.0, 2 * np.pi, _NUM_SECTORS, endpoint=False)
    reach, angle = np.meshgrid(ring, sector, indexing="ij")
    outline = _outline(angle)
    across = _HALF_WIDTH_M * outline * reach * np.cos(angle)  # towards the back of the head
    up = _HALF_HEIGHT_M * outline * reach * np.sin(angle)
    front = np.stack([_height_m(reach, angle), across, up], axis=-1)
    back = front * [0.0, 0.97, 0.97]
    thick = 0.0030 + 0.010 * (1.0 - reach**2)
    back[..., 0] = _height_m(np.ones_like(reach), angle) * reach**3 - thick
    local = np.concatenate([front, back[::-1]])
    points = _placed(traits, local)
    index = np.arange(points.shape[0] * _NUM_SECTORS).reshape(-1, _NUM_SECTORS)
    faces = _ring_quads(index)
    return Shape(points.reshape(-1, 3), faces, np.zeros(len(faces), np.int64))


def _outline(angle: Floats) -> Floats:
    """Return the outline's radius as a share of an ellipse: full above, slim towards the lobe."""
    low = np.maximum(-np.sin(angle), 0.0)
    high = np.maximum(np.sin(angle), 0.0)
    slim = 1.0 - 0.55 * low**2 * np.cos(angle) ** 2 - 0.03 * low
    shape: Floats = slim * (1.0 + 0.06 * high * np.cos(angle))
    return shape


def _height_m(reach: Floats, angle: Floats) -> Floats:
    """Return how far the ear's front stands out: rim, inner ridge, bowl, flap before the hole."""
    back, up = np.cos(angle), np.sin(angle)
    rim_part = smooth_step((0.75 + 0.75 * up + 0.55 * back) / 1.0)  # no rim at the lobe
    rim = 0.0038 * rim_part * bump(reach, 0.93, 0.085)
    groove = -0.0014 * rim_part * bump(reach, 0.76, 0.07)
    ridge_part = smooth_step((0.45 + 0.9 * back + 0.1 * up) / 0.8)
    ridge = 0.0030 * ridge_part * bump(reach, 0.56, 0.10)
    x, z = reach * back, reach * up
    bowl = -0.0105 * np.exp(-(((x + 0.10) / 0.32) ** 2) - ((z + 0.10) / 0.30) ** 2)
    flap = 0.0055 * np.exp(-(((x + 0.52) / 0.16) ** 2) - ((z + 0.16) / 0.17) ** 2)
    leg = 0.0026 * np.exp(-(((x + 0.25) / 0.28) ** 2) - ((z - 0.12) / 0.07) ** 2)
    lobe = 0.0012 * np.exp(-(((x + 0.05) / 0.35) ** 2) - ((z + 0.78) / 0.2) ** 2)
    round_off = -0.0022 * smooth_step((reach - 0.90) / 0.10)
    height: Floats = rim + groove + ridge + bowl + flap + leg + lobe + round_off
    return height


def _placed(traits: FaceTraits, local: Floats) -> Floats:
    """Return the ear on the side of the head: turned away from it, tilted back."""
    flare, tilt = np.radians(_FLARE_DEG), np.radians(_TILT_DEG)
    points = local * traits.ear
    y = np.cos(tilt) * points[..., 1] + np.sin(tilt) * points[..., 2]
    z = np.cos(tilt) * points[..., 2] - np.sin(tilt) * points[..., 1]
    hinge_m = _HALF_WIDTH_M * 0.8 * traits.ear
    outward = points[..., 0] * np.cos(flare) + (y + hinge_m) * np.sin(flare)
    backward = (y + hinge_m) * np.cos(flare) - points[..., 0] * np.sin(flare)
    spot = surface_hits(traits, np.array([[0.0, 0.004, -0.014]]), np.array([[1.0, 0.0, 0.0]]))[0]
    return np.stack([spot[0] - 0.0012 + outward, spot[1] - 0.004 + backward, spot[2] + z], axis=-1)


def _ring_quads(index: Ints) -> Ints:
    """Return quads between rings, from the front's middle over the rim to the back's middle."""
    inner, outer = index[:-1], index[1:]
    corners = (inner, np.roll(inner, -1, 1), np.roll(outer, -1, 1), outer)
    quads: Ints = np.stack([corner.ravel() for corner in corners], axis=1)[:, ::-1]
    return quads
