"""What sits in and on the skin of half a face: teeth, tongue, lashes, eyebrow, ear."""

from dataclasses import replace

import numpy as np

from render.blender.shapes import Floats, Shape, ball, join, rounded_box, smooth_curve, tube
from render.families.head.face_ear import ear_shape
from render.families.head.face_field import face_normals, surface_hits
from render.families.head.face_patch import HAIR, MOUTH, SKIN, TEETH, Patch, patch_of
from render.families.head.face_slits import (
    EYE_IN_DEG,
    EYE_OUT_DEG,
    LidEdges,
    eye_point,
    mouth_line_points,
)
from render.families.head.face_traits import FaceTraits

_TOOTH_WIDTHS_M = (0.0084, 0.0066, 0.0074, 0.0068, 0.0066, 0.0088)  # from the middle outwards
_TOOTH_HEIGHTS_M = (0.0096, 0.0084, 0.0092, 0.0080, 0.0074, 0.0066)
_ARCH_HALF_M, _ARCH_DEEP_M = 0.0255, 0.036
_TEETH_BEHIND_LIPS_M = 0.0064
_NUM_BROW_HAIRS = 210
_BROW_KNOTS = (  # sideways, and above the eye's brow line
    (0.0115, 0.0),
    (0.0205, 0.0026),
    (0.0325, 0.0050),
    (0.0425, 0.0044),
    (0.0520, -0.0006),
)


def face_parts(rng: np.random.Generator, traits: FaceTraits) -> list[Patch]:
    """Return the parts of half a face; `rng` only scatters the eyebrow's hairs."""
    ear = patch_of(ear_shape(traits).dressed(SKIN))
    return [*_teeth(traits), _tongue(traits), _lashes(traits), _eyebrow(rng, traits), ear]


def _teeth(traits: FaceTraits) -> list[Patch]:
    """Return the left halves of both rows; the lower one goes with the jaw."""
    lips = mouth_line_points(traits, 2)[0]
    front = np.array([0.0, lips[1] + _TEETH_BEHIND_LIPS_M, traits.mouth_z_m])
    upper = _tooth_row(front + np.array([0.0, 0.0, -0.0026]), 1.0, 1.0)
    lower = _tooth_row(front + np.array([0.0, 0.0028, -0.0022]), -1.0, 0.86)
    return [patch_of(upper, follow=0.0, jaw=0.0), patch_of(lower, follow=0.0, jaw=1.0)]


def _tooth_row(front: Floats, up: float, size: float) -> Shape:
    """Return teeth from the midline outwards along the dental arch, biting edges at `front`."""
    teeth, reach_m = [], 0.0
    for width_m, height_m in zip(_TOOTH_WIDTHS_M, _TOOTH_HEIGHTS_M, strict=True):
        middle = (reach_m + size * width_m / 2) / (1.25 * _ARCH_HALF_M)
        reach_m += size * width_m
        angle = np.clip(middle, 0.0, 1.35)
        x = size * _ARCH_HALF_M * np.sin(angle)
        y = _ARCH_DEEP_M * size * (1.0 - np.cos(angle))
        slope = np.degrees(np.arctan2(_ARCH_DEEP_M * np.sin(angle), _ARCH_HALF_M * np.cos(angle)))
        box = rounded_box((size * width_m * 1.02, 0.0056, size * height_m), 0.0019, TEETH)
        box = _narrowed(box, size * height_m)
        box = box if up > 0 else box.turned("y", 180.0)
        teeth.append(box.turned("z", slope).moved(front[0] + x, front[1] + y, front[2]))
    return join(teeth)


def _narrowed(tooth: Shape, height_m: float) -> Shape:
    """Return a tooth that narrows and leans back towards its root."""
    rise = tooth.vertices_V3[:, 2] / height_m
    vertices = tooth.vertices_V3 * np.stack(
        [1.0 - 0.16 * rise, np.ones_like(rise), np.ones_like(rise)], 1
    )
    vertices[:, 1] += 0.0012 * rise**2
    return replace(tooth, vertices_V3=vertices)


def _tongue(traits: FaceTraits) -> Patch:
    """Return the tongue's left half, low behind the lower teeth."""
    lips = mouth_line_points(traits, 2)[0]
    whole = ball(num_steps=10, slot=MOUTH)
    vertices = whole.vertices_V3 / np.linalg.norm(whole.vertices_V3, axis=1, keepdims=True)
    vertices[np.abs(vertices[:, 0]) < 1e-9, 0] = 0.0
    keep = (vertices[whole.faces_F4, 0] > -1e-9).all(axis=1)
    shape = Shape(vertices, whole.faces_F4[keep], whole.slots_F[keep]).stretched(
        0.017, 0.021, 0.0055
    )
    shape = shape.moved(0.0, float(lips[1]) + 0.034, traits.mouth_z_m - 0.0075)
    return patch_of(_used(shape), follow=0.0, jaw=0.92, red=1.0)


def _used(shape: Shape) -> Shape:
    used, faces = np.unique(shape.faces_F4, return_inverse=True)
    return Shape(shape.vertices_V3[used], faces.reshape(shape.faces_F4.shape), shape.slots_F)


def _lashes(traits: FaceTraits) -> Patch:
    """Return the upper lashes: tapered hairs that curve up and outwards from the lid's edge."""
    edges, radius = LidEdges(traits), traits.lid_radius_m
    hairs, anchors = [], []
    for share in np.linspace(0.10, 0.985, 34):
        side = np.array([EYE_IN_DEG + (EYE_OUT_DEG - EYE_IN_DEG) * share])
        height = edges.upper_deg(side)
        root = eye_point(traits, side, height, radius * 0.995)[0]
        out = (root - traits.eye_centre) / radius
        length = traits.lash_m * (0.6 + 0.75 * share)
        lean = np.array([0.75 * (share - 0.25), 0.0, 0.0])
        path = np.stack(
            [
                root,
                root + length * (0.45 * out + 0.4 * lean + [0.0, 0.0, -0.06]),
                root + length * (0.85 * out + 0.8 * lean + [0.0, 0.0, 0.22]),
                root + length * (1.0 * out + 1.1 * lean + [0.0, 0.0, 0.72]),
            ]
        )
        hair = tube(path, np.array([0.00026, 0.00022, 0.00016, 0.00005]), 5, HAIR)
        hairs.append(hair)
        anchors.append(np.tile(root, (len(hair.vertices_V3), 1)))
    return patch_of(join(hairs), np.concatenate(anchors))


def brow_curve(traits: FaceTraits, shares: Floats) -> Floats:
    """Return points on the skin along the eyebrow, 0 = inner end, 1 = outer end, (P, 3)."""
    out = traits.eye_x_m - 0.0335
    curve = smooth_curve(_BROW_KNOTS, 97)
    x = np.interp(shares, np.linspace(0, 1, 97), curve[:, 0]) + out
    z = np.interp(shares, np.linspace(0, 1, 97), curve[:, 1]) + 0.0235
    y = -0.092 + 12.0 * x**2  # about where the skin is
    origins = np.stack([0.25 * x, np.full_like(x, -0.02), z - 0.002], axis=-1)
    towards = np.stack([x, y, z], axis=-1) - origins
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return surface_hits(traits, origins, towards)


def _eyebrow(rng: np.random.Generator, traits: FaceTraits) -> Patch:
    """Return short hairs that lie along the brow, upwards at its inner end, outwards beyond."""
    shares = np.sort(rng.uniform(0.0, 0.95, _NUM_BROW_HAIRS))
    spine = brow_curve(traits, np.linspace(0.0, 1.0, 65))
    normals = face_normals(traits, spine)
    tangent = np.gradient(spine, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    upward = np.cross(normals, tangent)
    upward *= np.sign(upward[:, 2:])
    hairs, anchors = [], []
    for share in shares:
        at = round(share * 64)
        half_width = traits.brow_thick * 0.0028 * (1.0 - 0.72 * share**1.6)
        half_width *= 0.5 + 0.5 * min(1.0, share / 0.2)
        across = float(rng.uniform(-1.0, 1.0))
        root = spine[at] + across * half_width * upward[at]
        lift = 0.95 * (1.0 - share) ** 2 + 0.12 - 0.35 * across * share
        along = tangent[at] + float(lift + rng.normal(0.0, 0.14)) * upward[at]
        along /= np.linalg.norm(along)
        length = float(rng.uniform(0.0050, 0.0082)) * (1.0 - 0.45 * share)
        steps = np.linspace(0.0, 1.0, 4)[:, None]
        bow = 4.0 * steps * (1.0 - steps) * 0.0005 + 0.0004
        path = root + steps * length * along + bow * normals[at]
        thick = 0.00033 * (0.6 + 0.4 * traits.brow_thick)
        hair = tube(path, thick * np.array([0.9, 1.0, 0.75, 0.12]), 5, HAIR)
        hairs.append(hair)
        anchors.append(hair.vertices_V3)
    return patch_of(join(hairs), np.concatenate(anchors))
