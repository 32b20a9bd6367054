"""Expressions: how far each vertex of a face moves at the full value of each shape key.

Every key is a sum of smooth local motions of the skin; lids turn about the eyeball, the jaw about
its joint. All are described for x >= 0. At part values Blender moves vertices on straight lines.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from render.blender.shapes import Floats
from render.families.head.face_curves import ball_bump, bump, smooth_step
from render.families.head.face_field import face_normals
from render.families.head.face_patch import Patch
from render.families.head.face_skin import fold_distance_m
from render.families.head.face_slits import (
    LidEdges,
    eye_angles_deg,
    mouth_line_z_m,
)
from render.families.head.face_traits import FaceTraits

JAW_JOINT = np.array([0.0, 0.006, -0.020])
_JAW_TURN_DEG = 17.0
_LID_REACH_DEG = (38.0, 32.0)  # how far from its edge the upper and the lower lid still give
_CORNER_SHARE = 0.42  # of the jaw's turn that the mouth's corners share

Key = Callable[[FaceTraits, Patch], Floats]


def expression_deltas(traits: FaceTraits, patch: Patch) -> dict[str, Floats]:
    """Return each shape key's motion at its full value, (V, 3) in metres, by name."""
    return {name: key(traits, patch) for name, key in KEYS.items()}


def _smile(traits: FaceTraits, patch: Patch) -> Floats:
    """Corners go out, back and up; cheeks rise and fill; lower lids lift; lips thin and part."""
    skin = patch.anchor_V3
    mouth = _mouth_motion(traits, patch, (0.0088, 0.0062, 0.0082), 2.1)
    cheek = _ball_motion(skin, (0.0385, -0.074, -0.036), 0.0185, (0.0022, -0.0030, 0.0055))
    wing = _ball_motion(skin, (0.0125, -0.098, -0.043), 0.0075, (0.0012, 0.0004, 0.0008))
    fold = np.exp(-((fold_distance_m(traits, skin) / 0.0038) ** 2))
    groove = fold * bump(skin[:, 2], -0.056, 0.013) * _is_front(skin)
    parted = _parted(traits, patch, traits.smile_part_m)
    press = _lip_weight(traits, patch, 0.011) * 0.0012
    soft = mouth + cheek + wing + parted
    soft[:, 1] += (0.0011 + 0.0006 * traits.age) * groove + press
    return soft * patch.follow_V[:, None] + _turned_lids(traits, patch, 2.0, 7.0)


def _frown(traits: FaceTraits, patch: Patch) -> Floats:
    """Corners go down, the chin's skin is pushed up, brows draw together a little."""
    mouth = _mouth_motion(traits, patch, (0.0012, 0.0012, -0.0082), 2.3)
    chin = _ball_motion(
        patch.anchor_V3, (0.0, -0.092, traits.mouth_z_m - 0.020), 0.013, (0.0, -0.0014, 0.0030)
    )
    motion: Floats = (mouth + chin) * patch.follow_V[:, None]
    return motion + 0.35 * _brow_furrow(traits, patch)


def _pucker(traits: FaceTraits, patch: Patch) -> Floats:
    """Lips draw together and forward, as in a kiss."""
    mouth = _mouth_motion(traits, patch, (-0.0098, -0.0010, 0.0), 1.2)
    forward = np.zeros_like(mouth)
    near = np.exp(-((patch.anchor_V3[:, 0] / 0.017) ** 2)) * _by_height(traits, patch, 0.015)
    forward[:, 1] = -0.0065 * near * _is_front(patch.anchor_V3)
    return (mouth + forward) * patch.follow_V[:, None]


def _jaw_open(traits: FaceTraits, patch: Patch) -> Floats:
    """The lower jaw turns about its joint; the lips' corners share part of it."""
    share = jaw_share(traits, patch)
    turn = np.radians(_JAW_TURN_DEG)
    arm = patch.shape.vertices_V3 - JAW_JOINT
    motion = np.zeros_like(arm)
    motion[:, 1] = np.cos(turn) * arm[:, 1] - np.sin(turn) * arm[:, 2] - arm[:, 1]
    motion[:, 2] = np.sin(turn) * arm[:, 1] + np.cos(turn) * arm[:, 2] - arm[:, 2]
    narrow = _mouth_motion(traits, patch, (-0.0030, 0.0, 0.0), 1.0)
    narrow[:, 2] += 0.0030 * _lip_weight(traits, patch, 0.011) * (patch.mouth_side_V > 0)
    opened: Floats = share[:, None] * motion + narrow * patch.follow_V[:, None]
    return opened


def jaw_share(traits: FaceTraits, patch: Patch) -> Floats:
    """Return the share of the jaw's turn by vertex: 1 on chin and lower lip, 0 from the nose up."""
    skin = patch.anchor_V3
    along = np.abs(skin[:, 0]) / traits.mouth_half_m
    inside = np.clip(along, 0.0, 1.0)
    beyond_m = np.maximum(np.abs(skin[:, 0]) - traits.mouth_half_m, 0.0)
    below = mouth_line_z_m(traits, skin[:, 0]) - skin[:, 2]
    height = 0.022 + 0.5 * beyond_m
    lower_edge = 1.0 - (1.0 - _CORNER_SHARE) * inside**2.6
    lower = lower_edge + (1.0 - lower_edge) * smooth_step(below / height)
    upper = _CORNER_SHARE * inside**3 * (1.0 - smooth_step(-below / height))
    share = np.where(patch.mouth_side_V > 0, upper, lower)
    behind = smooth_step((skin[:, 1] + 0.005) / 0.035)
    throat = smooth_step((traits.chin_z_m - 0.012 - skin[:, 2]) / 0.055)
    share = share * (1.0 - behind) * (1.0 - throat)
    return np.where(np.isnan(patch.jaw_V), share, patch.jaw_V)


def _blink(traits: FaceTraits, patch: Patch) -> Floats:
    """Upper and lower lids meet; vertices turn about the axis through the eyes."""
    return _turned_lids(traits, patch, None, None)


def _turned_lids(
    traits: FaceTraits, patch: Patch, upper_turn_deg: float | None, lower_turn_deg: float | None
) -> Floats:
    """Return the lids' motion: the edges' turn, upwards positive, or to where they meet."""
    side, height, distance = eye_angles_deg(traits, patch.anchor_V3)
    edges = LidEdges(traits)
    upper, lower, meeting = edges.upper_deg(side), edges.lower_deg(side), edges.meeting_deg(side)
    open_share = (upper - lower) / max(float((upper - lower).max()), 1e-9)
    turn_up = meeting - upper if upper_turn_deg is None else upper_turn_deg * open_share
    turn_low = meeting - lower if lower_turn_deg is None else lower_turn_deg * open_share
    is_upper = patch.eye_side_V > 0
    weight_up = 1.0 - smooth_step((height - upper) / _LID_REACH_DEG[0])
    weight_low = 1.0 - smooth_step((lower - height) / _LID_REACH_DEG[1])
    turn = np.where(is_upper, weight_up * turn_up, weight_low * turn_low)
    near = np.exp(-((np.maximum(distance - 1.1 * traits.lid_radius_m, 0.0) / 0.008) ** 2))
    near *= (patch.anchor_V3[:, 1] < traits.eye_centre[1]) * patch.follow_V
    angle = np.radians(turn * near)
    arm = patch.shape.vertices_V3 - traits.eye_centre
    motion = np.zeros_like(arm)
    # A positive height turns +z out of -y.
    motion[:, 1] = np.cos(angle) * arm[:, 1] - np.sin(angle) * arm[:, 2] * -1.0 - arm[:, 1]
    motion[:, 2] = np.cos(angle) * arm[:, 2] - np.sin(angle) * arm[:, 1] - arm[:, 2]
    return motion


def _brow_raise(traits: FaceTraits, patch: Patch) -> Floats:
    """Brows go up, the forehead above them follows and wrinkles, the upper lids open a little."""
    skin = patch.anchor_V3
    rise = smooth_step((skin[:, 2] - 0.009) / 0.017) * (
        1.0 - smooth_step((skin[:, 2] - 0.031) / 0.058)
    )
    ahead = _is_front(skin) * (1.0 - smooth_step((np.abs(skin[:, 0]) - 0.035) / 0.03))
    weight = rise * ahead * patch.follow_V
    normals = _normals_where(traits, skin, weight > 1e-4)
    up = np.array([0.0006, 0.0, 0.0098])
    slide = up - normals * (normals @ up)[:, None]
    wrinkle = np.sin(2 * np.pi * (skin[:, 2] - 0.047) / 0.0105) * bump(skin[:, 2], 0.061, 0.012)
    depth = (0.00035 + 0.00055 * traits.age) * wrinkle * ahead * patch.follow_V
    lids = _turned_lids(traits, patch, 4.5, 0.0)
    raised: Floats = weight[:, None] * slide + depth[:, None] * normals + lids
    return raised


def _brow_furrow(traits: FaceTraits, patch: Patch) -> Floats:
    """The brows' inner ends go down and together, with a fold between them."""
    skin = patch.anchor_V3
    inner = _ball_motion(skin, (0.017, -0.088, 0.026), 0.0155, (-0.0044, -0.0012, -0.0062))
    inner[:, 0] *= smooth_step(skin[:, 0] / 0.012)  # nothing crosses the midline
    outer = _ball_motion(skin, (0.040, -0.075, 0.028), 0.014, (0.0, 0.0, -0.0018))
    fold = bump(skin[:, 0], 0.0055, 0.0018) * bump(skin[:, 2], 0.021, 0.008) * _is_front(skin)
    motion = inner + outer
    motion[:, 1] += 0.0010 * fold
    lids = _turned_lids(traits, patch, -3.5, 2.0)
    return motion * patch.follow_V[:, None] + lids


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "smile": _smile,
        "brow_raise": _brow_raise,
        "jaw_open": _jaw_open,
        "blink": _blink,
        "frown": _frown,
        "pucker": _pucker,
        "brow_furrow": _brow_furrow,
    }
)


def _mouth_motion(
    traits: FaceTraits, patch: Patch, corner_m: tuple[float, float, float], power: float
) -> Floats:
    """Return a motion of the mouth's corners that the lips and the cheeks around them share.

    Along the lips, the sideways part grows evenly, the others with a power of the distance.
    """
    skin = patch.anchor_V3
    along = np.abs(skin[:, 0]) / traits.mouth_half_m
    inside = np.clip(along, 0.0, 1.0)
    beyond = np.exp(-((np.maximum(along - 1.0, 0.0) * traits.mouth_half_m / 0.019) ** 2))
    weight = beyond * _by_height(traits, patch, 0.0175) * _is_front(skin)
    shares = np.stack([inside, inside**power, inside**power], axis=1)
    moved: Floats = weight[:, None] * shares * np.array(corner_m)
    return moved


def _by_height(traits: FaceTraits, patch: Patch, width_m: float) -> Floats:
    skin = patch.anchor_V3
    return bump(skin[:, 2], mouth_line_z_m(traits, skin[:, 0]), width_m)


def _lip_weight(traits: FaceTraits, patch: Patch, width_m: float) -> Floats:
    along = np.abs(patch.anchor_V3[:, 0]) / traits.mouth_half_m
    weight: Floats = np.maximum(1.0 - along**2, 0.0) * _by_height(traits, patch, width_m)
    return weight * _is_front(patch.anchor_V3)


def _parted(traits: FaceTraits, patch: Patch, part_m: float) -> Floats:
    """Return the motion that parts the lips by `part_m` in the middle."""
    weight = _lip_weight(traits, patch, 0.012)
    motion = np.zeros_like(patch.anchor_V3)
    motion[:, 2] = part_m * weight * np.where(patch.mouth_side_V > 0, 0.6, -0.4)
    return motion


def _normals_where(traits: FaceTraits, skin: Floats, is_wanted: NDArray[np.bool_]) -> Floats:
    normals = np.zeros_like(skin)
    normals[is_wanted] = face_normals(traits, skin[is_wanted], step_m=1e-3)
    return normals


def _is_front(skin: Floats) -> Floats:
    """Return 1 on the face, 0 from the ears backwards."""
    return 1.0 - smooth_step((skin[:, 1] + 0.055) / 0.035)


def _ball_motion(
    skin: Floats,
    centre: tuple[float, float, float],
    radius_m: float,
    motion_m: tuple[float, float, float],
) -> Floats:
    moved: Floats = ball_bump(skin, centre, radius_m)[:, None] * np.array(motion_m)
    return moved
