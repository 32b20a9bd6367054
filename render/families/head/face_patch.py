"""Pieces of the face and what the expressions need of each vertex.

Every piece is made for x >= 0 and mirrored at the end, so that a face is symmetric by construction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from render.blender.shapes import Floats, Ints, Shape, join

SKIN, MOUTH, TEETH, HAIR = range(4)  # material slots of the face's mesh
_MIDLINE_M = 1e-7  # nearer to the plane of symmetry is on it


@dataclass(frozen=True)
class Patch:
    """A piece of the face's mesh. Legend: V vertices."""

    shape: Shape
    anchor_V3: Floats  # the spot on the skin whose motion a vertex shares
    eye_side_V: Floats  # +1 above the slit between the lids, -1 below
    mouth_side_V: Floats  # +1 above the slit between the lips, -1 below
    follow_V: Floats  # share of the soft motion that is shared; 0 = bone
    jaw_V: Floats  # share of the jaw's turn; NaN = by the place on the skin
    red_V: Floats  # 0 = skin, 1 = wet red of lids and mouth

    @property
    def size(self) -> int:
        """Number of vertices."""
        return len(self.anchor_V3)


def patch_of(
    shape: Shape,
    anchor_V3: Floats | None = None,
    eye_side: float = 1.0,
    mouth_side: float = 1.0,
    follow: float = 1.0,
    jaw: float = np.nan,
    red: float = 0.0,
) -> Patch:
    """Return a shape as a patch with the same properties all over."""
    count = len(shape.vertices_V3)
    anchor = shape.vertices_V3 if anchor_V3 is None else anchor_V3
    return Patch(
        shape,
        anchor,
        np.full(count, eye_side),
        np.full(count, mouth_side),
        np.full(count, follow),
        np.full(count, jaw),
        np.full(count, red),
    )


def join_patches(patches: Sequence[Patch]) -> Patch:
    """Return several patches as one."""

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(patch, name) for patch in patches])

    return Patch(
        join([patch.shape for patch in patches]),
        joined("anchor_V3"),
        joined("eye_side_V"),
        joined("mouth_side_V"),
        joined("follow_V"),
        joined("jaw_V"),
        joined("red_V"),
    )


@dataclass(frozen=True)
class Mirror:
    """How a half becomes a whole: which vertices are copied to the other side."""

    is_copied_V: NDArray[np.bool_]  # of the half: not on the midline
    twin_V: Ints  # of the half: index of its mirror image in the whole

    def values(self, half_V: Floats) -> Floats:
        """Return per-vertex values of the whole."""
        return np.concatenate([half_V, half_V[self.is_copied_V]])

    def vectors(self, half_V3: Floats) -> Floats:
        """Return per-vertex vectors of the whole; on the midline they have no x."""
        middle = np.where(self.is_copied_V[:, None], 1.0, [0.0, 1.0, 1.0])
        half = half_V3 * middle
        return np.concatenate([half, half[self.is_copied_V] * [-1.0, 1.0, 1.0]])


def mirror_of(half: Shape) -> Mirror:
    """Return the mirror of a half face."""
    is_copied = np.abs(half.vertices_V3[:, 0]) > _MIDLINE_M
    twin = np.arange(len(is_copied))
    twin[is_copied] = len(is_copied) + np.arange(is_copied.sum())
    return Mirror(is_copied, twin)


def whole(half: Shape, mirror: Mirror) -> Shape:
    """Return the half and its mirror image, welded at the midline."""
    is_quad = half.faces_F4[:, 3] >= 0
    other = mirror.twin_V[half.faces_F4]  # a triangle's -1 takes the last vertex, put right below
    flipped = np.where(is_quad[:, None], other[:, ::-1], other[:, [2, 1, 0, 0]])
    flipped[~is_quad, 3] = -1
    return Shape(
        mirror.vectors(half.vertices_V3),
        np.concatenate([half.faces_F4, flipped]),
        np.concatenate([half.slots_F, half.slots_F]),
    )


def compacted(patch: Patch) -> Patch:
    """Return a patch without the vertices that no face uses."""
    used = np.unique(patch.shape.faces_F4[patch.shape.faces_F4 >= 0])
    renumber = np.full(patch.size, -1)
    renumber[used] = np.arange(len(used))
    faces = np.where(patch.shape.faces_F4 >= 0, renumber[patch.shape.faces_F4], -1)
    return Patch(
        replace(patch.shape, vertices_V3=patch.shape.vertices_V3[used], faces_F4=faces),
        patch.anchor_V3[used],
        patch.eye_side_V[used],
        patch.mouth_side_V[used],
        patch.follow_V[used],
        patch.jaw_V[used],
        patch.red_V[used],
    )
