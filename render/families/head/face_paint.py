"""The colour of each vertex of a face: blush, lips, lids, scalp, the shadow of a beard."""

from dataclasses import dataclass

import numpy as np

from render.blender.finishes import Rgb
from render.blender.shapes import Floats
from render.families.head.face_chart import HEAD_CENTRE
from render.families.head.face_curves import ball_bump, smooth_step
from render.families.head.face_patch import Patch
from render.families.head.face_skin import lip_share
from render.families.head.face_slits import LidEdges, eye_angles_deg
from render.families.head.face_traits import FaceTraits
from render.families.head.hair_styles import scalp_share


@dataclass(frozen=True)
class FaceColours:
    """What a face is painted with, scene-linear albedo."""

    skin: Rgb
    blush: Rgb
    lips: Rgb
    wet: Rgb  # rims of the lids
    hair: Rgb
    brow: Rgb
    iris: Rgb
    blush_share: float
    lid_share: float  # darkening of the upper lids
    scalp_share: float  # of the hair's colour, where it grows
    beard_share: float
    freckles: float


def face_albedo(traits: FaceTraits, patch: Patch, colours: FaceColours) -> Floats:
    """Return the albedo of half a face's vertices, (V, 3), scene-linear."""
    skin = patch.anchor_V3
    albedo = np.broadcast_to(np.array(colours.skin), skin.shape).copy()
    front = smooth_step((-0.02 - skin[:, 1]) / 0.03)
    albedo *= 1.0 + 0.06 * (ball_bump(skin, (0.0, -0.09, 0.06), 0.035) * front)[:, None]
    albedo = _mixed(albedo, colours.blush, colours.blush_share * _blush(traits, skin) * front)
    albedo = _mixed(albedo, colours.blush, 0.5 * _lids(traits, patch, colours.lid_share))
    albedo = _mixed(albedo, colours.hair, colours.beard_share * _beard(traits, skin) * front)
    share = lip_share(traits, skin, patch.mouth_side_V)
    inside = np.abs(skin[:, 0]) < 1.02 * traits.mouth_half_m
    lips = (1.0 - smooth_step((share - 0.88) / 0.24)) * inside * (skin[:, 1] < -0.05)
    albedo = _mixed(albedo, colours.lips, 0.92 * lips)
    albedo = _mixed(albedo, colours.hair, colours.scalp_share * _scalp(skin))
    return _mixed(albedo, colours.wet, 0.75 * patch.red_V * (lips < 0.5))


def _blush(traits: FaceTraits, skin: Floats) -> Floats:
    tip = tuple(float(v) for v in traits.nose_tip)
    cheeks = 0.85 * ball_bump(skin, (0.044, -0.068, -0.034), 0.021)
    nose = 0.7 * ball_bump(skin, (tip[0], tip[1] - 0.008, tip[2]), 0.013)
    chin = 0.3 * ball_bump(skin, (0.0, -0.095, traits.chin_z_m), 0.016)
    ears = 0.6 * smooth_step((np.abs(skin[:, 0]) - 0.078) / 0.01) * (skin[:, 2] > -0.06)
    blush: Floats = np.clip(cheeks + nose + chin + ears, 0.0, 1.0)
    return blush


def _lids(traits: FaceTraits, patch: Patch, share: float) -> Floats:
    side, height, distance = eye_angles_deg(traits, patch.anchor_V3)
    edges = LidEdges(traits)
    near = np.exp(-((np.maximum(distance - traits.lid_radius_m, 0.0) / 0.004) ** 2))
    upper = 1.0 - smooth_step((height - edges.upper_deg(side) - 4.0) / 16.0)
    lower = 0.6 * (1.0 - smooth_step((edges.lower_deg(side) - height - 3.0) / 18.0))
    lids: Floats = share * near * np.where(patch.eye_side_V > 0, upper, lower)
    lids *= patch.anchor_V3[:, 1] < traits.eye_centre[1]
    return lids


def _beard(traits: FaceTraits, skin: Floats) -> Floats:
    """Return where a beard grows: jaw, chin, upper lip."""
    top = traits.mouth_z_m + 0.008 + 0.9 * np.maximum(np.abs(skin[:, 0]) - 0.030, 0.0)
    below = 1.0 - smooth_step((skin[:, 2] - top) / 0.012)
    throat = smooth_step((skin[:, 2] - traits.chin_z_m + 0.036) / 0.02)
    bare = 1.0 - 0.8 * ball_bump(skin, (0.0, -0.1, traits.mouth_z_m - 0.016), 0.006)
    return below * throat * bare


def _scalp(skin: Floats) -> Floats:
    away = skin - HEAD_CENTRE
    azimuth = np.degrees(np.arctan2(away[:, 0], -away[:, 1]))
    elevation = np.degrees(np.arctan2(away[:, 2], np.hypot(away[:, 0], away[:, 1])))
    is_ear = (np.abs(skin[:, 0]) > 0.0795) & (skin[:, 2] < 0.03) & (skin[:, 1] < 0.05)
    is_neck = skin[:, 2] < -0.10
    return np.where(is_ear | is_neck, 0.0, scalp_share(azimuth, elevation))


def _mixed(albedo: Floats, colour: Rgb, share: Floats) -> Floats:
    mixed: Floats = albedo + share[:, None] * (np.array(colour) - albedo)
    return mixed
