"""Hair as locks: flat tapered strands of geometry that follow a combing over the scalp.

No particle systems: a few hundred locks, each a mesh, laid on the head's implicit surface.
"""

from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats, Shape
from render.families.head.face_chart import HEAD_CENTRE
from render.families.head.face_field import face_field, face_normals, surface_hits
from render.families.head.face_traits import FaceTraits
from render.families.head.hair_styles import HairStyle, comb, hairline_deg, scalp_share

_NUM_STEPS = 13  # points along a lock
_RING = 10  # points around it
# Azimuth, by elevation in degrees, within which long hair does not hang before the face.
_FACE_WINDOW = ((-90.0, -40.0, 0.0, 30.0, 46.0, 52.0), (50.0, 55.0, 57.0, 47.0, 18.0, -180.0))
_STRANDS = 9.0  # grooves that the material draws across a lock


@dataclass(frozen=True)
class Locks:
    """Hair as one mesh, and what its material needs of each vertex."""

    shape: Shape
    strand_V3: Floats  # across in strands, along 0..1, the lock's own number
    tone_V: Floats  # brightness of the lock, about 1


def hair_locks(rng: np.random.Generator, traits: FaceTraits, style: HairStyle) -> Locks | None:
    """Return the locks of a style; None = it has none."""
    if style.num_locks == 0:
        return None
    roots, azimuth_deg, elevation_deg = _roots_rand(rng, traits, style)
    paths = _paths(rng, traits, style, roots, azimuth_deg, elevation_deg)
    sizes = rng.uniform(0.75, 1.25, len(paths))
    locks = _lock_meshes(rng, traits, style, paths, sizes)
    if style.bun_m > 0.0:
        locks = _with_bun(rng, locks, style)
    return locks


def _roots_rand(
    rng: np.random.Generator, traits: FaceTraits, style: HairStyle
) -> tuple[Floats, Floats, Floats]:
    """Draw roots evenly over the scalp, with their directions from the head's centre."""
    count = int(style.num_locks * 2.6)  # of the whole sphere, most of which is no scalp
    number = np.arange(count) + 0.5
    elevation = np.degrees(np.arcsin(1.0 - 2.0 * number / count))
    azimuth = np.degrees(np.pi * (1 + 5**0.5) * number) % 360.0 - 180.0
    azimuth = azimuth + rng.normal(0.0, 3.0, count)
    elevation = np.clip(elevation + rng.normal(0.0, 2.0, count), -60.0, 89.0)
    is_scalp = scalp_share(azimuth, elevation) > 0.55
    edge = np.linspace(-180.0, 180.0, style.num_locks // 6, endpoint=False)  # thick at the hairline
    edge = edge + rng.normal(0.0, 1.0, len(edge))
    above = hairline_deg(edge) + rng.uniform(-0.5, 2.5, len(edge))
    azimuth = np.concatenate([azimuth[is_scalp], edge])
    elevation = np.concatenate([elevation[is_scalp], above])
    roots = surface_hits(traits, HEAD_CENTRE[None], rays(azimuth, elevation))
    return roots, azimuth, elevation


def rays(azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Return unit vectors from the head's centre; azimuth 0 = face, positive = character's left."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, -np.cos(azimuth) * level, np.sin(elevation)], axis=-1)


def _paths(
    rng: np.random.Generator,
    traits: FaceTraits,
    style: HairStyle,
    roots: Floats,
    azimuth_deg: Floats,
    elevation_deg: Floats,
) -> Floats:
    """Return the locks' spines, (L, steps, 3): they creep along the head, kept off its surface."""
    count = len(roots)
    normals = face_normals(traits, roots, step_m=1e-3)
    heading = comb(style, roots, azimuth_deg, elevation_deg)
    heading = heading + rng.normal(0.0, style.mess, (count, 3))
    length = style.lengths_m(azimuth_deg, elevation_deg) * rng.uniform(0.85, 1.12, count)
    ragged_deg = rng.uniform(-5.0, 5.0, count)  # short hair does not end in a line
    lift = style.lift_m * rng.uniform(0.45, 1.15, count)
    point, points = roots - 0.002 * normals, []
    for step in range(_NUM_STEPS):
        share = step / (_NUM_STEPS - 1)
        points.append(point)
        flat = heading - normals * (heading * normals).sum(axis=1, keepdims=True)
        flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
        rise = style.rise * max(0.0, 1.0 - 2.2 * share) * normals
        fall = np.array([0.0, 0.0, -1.0]) * style.fall * share
        move = flat + rise + fall
        move = move / np.linalg.norm(move, axis=1, keepdims=True)
        point = point + move * (length / (_NUM_STEPS - 1))[:, None]
        if style.gather is not None:
            point = _gathered(point, style, share)
        point = _face_freed(style, roots, ragged_deg, point)
        point = _kept_off(traits, point, lift * np.sin(np.pi * min(0.5, 0.9 * share + 0.06)))
        normals = face_normals(traits, point, step_m=2e-3)
        heading = move + style.pull * comb(style, point, azimuth_deg, elevation_deg)
    paths = np.stack(points, axis=1)
    return _curled(rng, style, paths)


def _gathered(point: Floats, style: HairStyle, share: float) -> Floats:
    """Draw locks towards the knot; they reach it at their ends."""
    knot = np.array(style.gather)
    gathered: Floats = point + (knot - point) * share**2.2 * 0.5
    return gathered


def _face_freed(style: HairStyle, roots: Floats, ragged_deg: Floats, point: Floats) -> Floats:
    """Keep hair out of the face: short hair ends above it, long hair hangs beside it."""
    away = point - HEAD_CENTRE
    level = np.hypot(away[:, 0], away[:, 1])
    azimuth = np.degrees(np.arctan2(away[:, 0], -away[:, 1]))
    elevation = np.degrees(np.arctan2(away[:, 2], level))
    if style.overhang_deg is not None:
        end_deg = hairline_deg(azimuth) - style.overhang_deg + ragged_deg
        short = np.maximum(end_deg - elevation, 0.0)
        raised = np.radians(elevation + 0.65 * short)
        reach = np.linalg.norm(away, axis=1)
        level, height = reach * np.cos(raised), reach * np.sin(raised)
    else:
        height = away[:, 2]
        part_x_m = style.part_x_m or 0.0
        side = np.where(roots[:, 0] > part_x_m, 1.0, -1.0)
        margin = np.interp(elevation, _FACE_WINDOW[0], _FACE_WINDOW[1])
        ahead = np.abs(azimuth) < 110.0
        azimuth = np.where(ahead, side * np.maximum(side * azimuth, margin), azimuth)
    turn = np.radians(azimuth)
    beside = np.stack([level * np.sin(turn), -level * np.cos(turn), height], axis=1)
    freed: Floats = HEAD_CENTRE + beside
    return freed


def _kept_off(traits: FaceTraits, point: Floats, height_m: Floats) -> Floats:
    """Push points out to a height above the skin."""
    for _ in range(2):
        gap = height_m - face_field(traits, point)
        normals = face_normals(traits, point, step_m=2e-3)
        point = point + np.maximum(gap, 0.0)[:, None] * normals
    return point


def _curled(rng: np.random.Generator, style: HairStyle, paths: Floats) -> Floats:
    """Wind locks around their spines."""
    if style.curl_m == 0.0:
        return paths
    share = np.linspace(0.0, 1.0, _NUM_STEPS)[None, :, None]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    side = np.cross(tangent, rays(np.array([17.0]), np.array([63.0]))[0])
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    other = np.cross(tangent, side)
    phase = rng.uniform(0.0, 2 * np.pi, (len(paths), 1, 1)) + 2 * np.pi * style.curl_turns * share
    wound = np.cos(phase) * side + np.sin(phase) * other
    curled: Floats = paths + style.curl_m * np.minimum(1.0, 3 * share) * wound
    return curled


def _lock_meshes(
    rng: np.random.Generator, traits: FaceTraits, style: HairStyle, paths: Floats, sizes: Floats
) -> Locks:
    """Return flat tapered tubes along spines, all at once."""
    count = len(paths)
    share = np.linspace(0.0, 1.0, _NUM_STEPS)
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    outward = face_normals(traits, paths.reshape(-1, 3), step_m=2e-3).reshape(paths.shape)
    side = np.cross(tangent, outward)
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    up = np.cross(side, tangent)
    taper = np.minimum(1.0, 0.45 + 4.0 * share) * np.sqrt(np.maximum(1.0 - share**style.taper, 0.0))
    taper = np.maximum(taper, 0.03)
    angle = np.linspace(0.0, 2 * np.pi, _RING, endpoint=False)
    wide = style.width_m * sizes[:, None, None] * taper[None, :, None]
    ring = paths[:, :, None] + (
        (wide * np.cos(angle))[..., None] * side[:, :, None]
        + (style.flatness * wide * np.sin(angle))[..., None] * up[:, :, None]
    )
    number = np.broadcast_to(rng.uniform(0.0, 100.0, count)[:, None, None], ring.shape[:3])
    across = np.broadcast_to(_STRANDS * np.cos(angle), ring.shape[:3])
    along = np.broadcast_to(share[None, :, None], ring.shape[:3])
    tone = np.broadcast_to(rng.uniform(0.8, 1.2, count)[:, None, None], ring.shape[:3])
    tone = tone * (0.82 + 0.18 * np.minimum(1.0, 3.0 * along))
    return Locks(
        _tubes(ring),
        np.stack([across, along, number], axis=-1).reshape(-1, 3),
        tone.ravel(),
    )


def _tubes(ring_LPR3: Floats) -> Shape:
    """Return open tubes; their roots are in the head, their tips are pointed."""
    count, steps, around = ring_LPR3.shape[:3]
    index = np.arange(count * steps * around).reshape(count, steps, around)
    turned = np.roll(index, -1, axis=2)
    corners = (index[:, :-1], turned[:, :-1], turned[:, 1:], index[:, 1:])
    faces = np.stack([corner.ravel() for corner in corners], axis=1)
    return Shape(ring_LPR3.reshape(-1, 3), faces, np.zeros(len(faces), np.int64))


def _with_bun(rng: np.random.Generator, locks: Locks, style: HairStyle) -> Locks:
    """Add a knot of hair wound around itself where the locks gather."""
    knot = np.array(style.gather)
    away = knot - np.array([0.0, 0.0, 0.01])
    away /= np.linalg.norm(away)
    across = np.array([1.0, 0.0, 0.0])
    up = np.cross(away, across)
    turns = np.linspace(0.0, 2 * np.pi, 40)
    paths = []
    for ring in range(9):
        tilt = np.pi * (ring + 0.5) / 9.0
        wobble = 0.10 * np.sin(3 * turns + rng.uniform(0.0, 6.0))
        height, reach = np.cos(tilt + wobble), np.sin(tilt + wobble)
        spiral = (
            reach[:, None] * (np.cos(turns)[:, None] * across + np.sin(turns)[:, None] * up)
            + 0.72 * height[:, None] * away
        )
        paths.append(knot + 0.55 * style.bun_m * away + 0.86 * style.bun_m * spiral)
    spines = np.stack(paths)
    bun = _wound(rng, spines, knot + 0.55 * style.bun_m * away, 0.25 * style.bun_m)
    offset = len(locks.shape.vertices_V3)
    faces = np.concatenate([locks.shape.faces_F4, bun.shape.faces_F4 + offset])
    return Locks(
        Shape(
            np.concatenate([locks.shape.vertices_V3, bun.shape.vertices_V3]),
            faces,
            np.zeros(len(faces), np.int64),
        ),
        np.concatenate([locks.strand_V3, bun.strand_V3]),
        np.concatenate([locks.tone_V, bun.tone_V]),
    )


def _wound(rng: np.random.Generator, spines: Floats, centre: Floats, radius_m: float) -> Locks:
    tangent = np.gradient(spines, axis=1)
    tangent /= np.linalg.norm(tangent, axis=2, keepdims=True)
    outward = spines - centre
    outward /= np.linalg.norm(outward, axis=2, keepdims=True)
    side = np.cross(tangent, outward)
    angle = np.linspace(0.0, 2 * np.pi, _RING, endpoint=False)
    ring = spines[:, :, None] + radius_m * (
        np.cos(angle)[:, None] * side[:, :, None]
        + 0.8 * np.sin(angle)[:, None] * outward[:, :, None]
    )
    shape = ring.shape[:3]
    across = np.broadcast_to(_STRANDS * np.cos(angle), shape)
    along = np.broadcast_to(np.linspace(0.0, 1.0, shape[1])[None, :, None], shape)
    number = np.broadcast_to(rng.uniform(0.0, 100.0, shape[0])[:, None, None], shape)
    tone = np.broadcast_to(rng.uniform(0.9, 1.1, shape[0])[:, None, None], shape)
    strand = np.stack([across, along, number], axis=-1).reshape(-1, 3)
    return Locks(_tubes(ring), strand, tone.ravel())
