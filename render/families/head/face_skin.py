"""The skin of a face: the chart's rays meet the field, lips and folds are modelled on it.

Half a face, x >= 0; the rims of lids and lips turn inwards, so that nothing looks paper-thin.
"""

from dataclasses import replace

import numpy as np

from render.blender.shapes import Floats, Ints, Shape, smooth_curve
from render.families.head.face_chart import HEAD_CENTRE, Chart, face_chart
from render.families.head.face_curves import bump
from render.families.head.face_field import face_normals, surface_hits
from render.families.head.face_patch import MOUTH, SKIN, Patch, compacted, join_patches, patch_of
from render.families.head.face_slits import LidEdges, eye_angles_deg, eye_point, mouth_line_z_m
from render.families.head.face_traits import FaceTraits

# Height of a lip over its share of the way from the lips' line (0) over its border (1): deep where
# the lips touch, full in the middle, a fine ridge at the border.
_LIP_KNOTS = (
    (0.0, -0.35),
    (0.08, 0.3),
    (0.25, 0.86),
    (0.48, 1.0),
    (0.76, 0.76),
    (0.98, 0.46),
    (1.15, 0.30),
    (1.6, 0.08),
    (2.0, 0.0),
    (2.3, 0.0),
)
_LIP_TABLE = smooth_curve(_LIP_KNOTS, 160)
# From the lips' line into the mouth: back, away from the line, width; as shares of their sizes.
_POCKET_M = (
    (0.0007, 0.0004, 1.0),
    (0.0022, 0.0012, 1.0),
    (0.0045, 0.0034, 1.0),
    (0.0075, 0.0068, 0.99),
    (0.012, 0.0105, 0.96),
    (0.022, 0.0125, 0.88),
    (0.036, 0.0115, 0.74),
    (0.046, 0.006, 0.6),
)
_LID_TURNS_DEG = (0.0, 14.0, 30.0)  # how far the rim of a lid runs on behind it


def face_skin(traits: FaceTraits) -> Patch:
    """Return the skin with the insides of lids and mouth."""
    chart = face_chart(traits)
    hits = surface_hits(traits, chart.origins_RC3, chart.directions_RC3)
    rows = np.arange(len(hits))[:, None] + np.zeros(hits.shape[1])
    eye_side = np.where(rows <= chart.eye_row, 1.0, -1.0)
    mouth_side = np.where(rows <= chart.mouth_row, 1.0, -1.0)
    normals = face_normals(traits, hits)
    height = lip_height_m(traits, hits, mouth_side) + fold_height_m(traits, hits, eye_side)
    points = hits + height[..., None] * normals
    points[:, [0, -1], 0] = 0.0
    top = surface_hits(traits, HEAD_CENTRE[None], np.array([[0.0, 0.0, 1.0]]))
    skin = _grid_patch(chart, points, top, eye_side, mouth_side)
    return join_patches(
        [skin, *_lid_rims(traits, chart, points), *_mouth_pocket(traits, chart, points)]
    )


def lip_share(traits: FaceTraits, points: Floats, mouth_side: Floats) -> Floats:
    """Return how far across a lip a point lies: 0 = at the lips' line, 1 = at the border."""
    along = np.abs(points[..., 0]) / traits.mouth_half_m
    inside = np.maximum(1.0 - along**2.3, 0.0)
    bow = (
        1.0 - 0.16 * np.exp(-((along / 0.11) ** 2)) + 0.10 * np.exp(-(((along - 0.25) / 0.15) ** 2))
    )
    upper = traits.upper_lip_m * inside**0.85 * bow
    lower = traits.lower_lip_m * np.maximum(1.0 - along**2.0, 0.0) ** 0.8
    away = np.abs(points[..., 2] - mouth_line_z_m(traits, points[..., 0]))
    share: Floats = away / np.maximum(np.where(mouth_side > 0, upper, lower), 0.0012)
    return share


def lip_height_m(traits: FaceTraits, points: Floats, mouth_side: Floats) -> Floats:
    """Return how far the lips stand out from the muzzle."""
    share = lip_share(traits, points, mouth_side)
    profile = np.interp(share, _LIP_TABLE[:, 0], _LIP_TABLE[:, 1])
    along = np.abs(points[..., 0]) / traits.mouth_half_m
    taper = np.sqrt(np.maximum(1.0 - along**2.6, 0.0))
    full = np.where(mouth_side > 0, 0.0038, 0.0044) * traits.lip_fullness
    is_front = points[..., 1] < -0.03
    height: Floats = np.where(is_front, full * profile * taper, 0.0)
    return height


def fold_height_m(traits: FaceTraits, points: Floats, eye_side: Floats) -> Floats:
    """Return the folds of a face at rest: lids, philtrum, under the lower lip, beside the nose."""
    side, height, distance = eye_angles_deg(traits, points)
    edges = LidEdges(traits)
    span = edges.span(side)
    ends = np.clip(4.0 * span * (1.0 - span), 0.0, 1.0) ** 0.6
    near = np.exp(-(((distance - traits.lid_radius_m) / 0.006) ** 2)) * ends
    crease = np.exp(-(((height - edges.upper_deg(side) - 13.0) / 3.6) ** 2))
    bag = np.exp(-(((height - edges.lower_deg(side) + 22.0) / 6.0) ** 2))
    lids = -near * np.where(
        eye_side > 0, traits.crease_m * crease, (0.0003 + 0.0008 * traits.age) * bag
    )
    across, z, mouth_z = np.abs(points[..., 0]), points[..., 2], traits.mouth_z_m
    philtrum = bump(across, 0.0, 0.0026) * bump(z, mouth_z + 0.0125, 0.0052)
    ridges = bump(across, 0.0052, 0.0021) * bump(z, mouth_z + 0.0115, 0.005)
    under_lip = bump(across, 0.0, 0.013) * bump(z, mouth_z - 0.0155, 0.0042)
    fold = fold_distance_m(traits, points)
    beside = np.exp(-((fold / 0.0036) ** 2)) * bump(z, -0.058, 0.013)
    lines = 0.0001 + 0.0011 * traits.age
    front = points[..., 1] < -0.03
    total = lids - 0.0010 * philtrum + 0.0005 * ridges - 0.0013 * under_lip - lines * beside
    folds: Floats = np.where(front, total, 0.0)
    return folds


def fold_distance_m(traits: FaceTraits, points: Floats) -> Floats:
    """Return the distance to the fold that runs from the nose's wing past the mouth's corner.

    Positive on the cheek's side.
    """
    down = np.clip((-0.044 - points[..., 2]) / 0.036, -0.5, 1.3)
    x_m = 0.0185 * traits.nose_width + 0.0175 * down - 0.003 * np.sin(np.pi * np.clip(down, 0, 1))
    distance: Floats = np.abs(points[..., 0]) - x_m
    return distance


def _grid_patch(
    chart: Chart, points: Floats, top: Floats, eye_side: Floats, mouth_side: Floats
) -> Patch:
    """Return the grid as a mesh with its slits open and the crown closed."""
    num_rows, num_columns = points.shape[:2]
    index = np.arange(num_rows * num_columns).reshape(num_rows, num_columns)
    first, last = chart.eye_columns
    _weld(index, chart.eye_row, np.r_[0 : first + 1, last:num_columns])
    _weld(index, chart.mouth_row, np.arange(chart.mouth_column, num_columns))
    starts = np.delete(np.arange(num_rows - 1), [chart.eye_row, chart.mouth_row])
    quads = grid_quads(index[starts], index[starts + 1])
    pole = np.full(num_columns - 1, index.size)
    cap = np.stack([pole, index[0, :-1], index[0, 1:], np.full(num_columns - 1, -1)], axis=1)
    faces = np.concatenate([quads, cap])
    vertices = np.concatenate([points.reshape(-1, 3), top])
    shape = Shape(vertices, faces, np.full(len(faces), SKIN))
    flat = patch_of(shape)
    sided = replace(
        flat,
        eye_side_V=np.append(eye_side.ravel(), 1.0),
        mouth_side_V=np.append(mouth_side.ravel(), 1.0),
    )
    return compacted(sided)


def _weld(index: Ints, row: int, columns: Ints) -> None:
    """Make the row below a slit's upper row (of `index`, mutated) the same vertices there."""
    index[row + 1, columns] = index[row, columns]


def grid_quads(upper: Ints, lower: Ints) -> Ints:
    """Return quads between rows of vertex indices, outward where columns run counter-clockwise."""
    corners = (upper[..., :-1], lower[..., :-1], lower[..., 1:], upper[..., 1:])
    return np.stack([corner.ravel() for corner in corners], axis=1)


def _strip(rows_RC3: Floats, slot: int, *, is_flipped: bool) -> Shape:
    """Return the mesh of a small grid of points."""
    index = np.arange(rows_RC3.shape[0] * rows_RC3.shape[1]).reshape(rows_RC3.shape[:2])
    quads = grid_quads(index[:-1], index[1:])
    quads = quads[:, ::-1] if is_flipped else quads
    return Shape(rows_RC3.reshape(-1, 3), quads, np.full(len(quads), slot))


def _lid_rims(traits: FaceTraits, chart: Chart, points: Floats) -> list[Patch]:
    """Return the rims of the lids: in to the eyeball, then on behind the lid."""
    first, last = chart.eye_columns
    rims = []
    for row, sign in ((chart.eye_row, 1.0), (chart.eye_row + 1, -1.0)):
        edge = _slit_edge(chart.eye_row, row, points)[first : last + 1]
        side, height, _ = eye_angles_deg(traits, edge)
        rows = [edge] + [
            eye_point(traits, side, height + sign * turn, radius * traits.eye_radius_m)
            for turn, radius in zip(_LID_TURNS_DEG, (1.03, 1.02, 1.02), strict=True)
        ]
        shape = _strip(np.stack(rows), SKIN, is_flipped=sign > 0)
        anchor = np.tile(edge, (len(rows), 1))
        rim = patch_of(shape, anchor, eye_side=sign, red=1.0)
        rims.append(rim)
    return rims


def _slit_edge(upper_row: int, row: int, points: Floats) -> Floats:
    """Return a row of the grid; both rows of a slit have the same ends."""
    edge: Floats = points[row].copy()
    edge[[0, -1]] = points[upper_row, [0, -1]]
    return edge


def _mouth_pocket(traits: FaceTraits, chart: Chart, points: Floats) -> list[Patch]:
    """Return the inside of the mouth: the lips' backs, palate and floor, and the throat."""
    count = chart.mouth_column + 1
    halves, ends = [], []
    for row, sign in ((chart.mouth_row, 1.0), (chart.mouth_row + 1, -1.0)):
        edge = points[row, :count].copy()
        edge[-1] = points[chart.mouth_row, count - 1]
        along = np.abs(edge[:, 0]) / traits.mouth_half_m
        roomy = np.sqrt(np.maximum(1.0 - along**2, 0.0))
        rows = [edge]
        for back, away, width in _POCKET_M:
            rows.append(
                edge * [width, 1.0, 1.0]
                + np.stack([np.zeros(count), np.full(count, back), sign * away * roomy], axis=1)
            )
        shape = _strip(np.stack(rows), MOUTH, is_flipped=sign > 0)
        half = patch_of(shape, np.tile(edge, (len(rows), 1)), mouth_side=sign, red=1.0)
        halves.append(half)
        ends.append((rows[-1], edge))
    throat = _strip(np.stack([ends[0][0], ends[1][0]]), MOUTH, is_flipped=False)
    anchor = np.concatenate([ends[0][1], ends[1][1]])
    side = np.repeat([1.0, -1.0], count)
    return [*halves, replace(patch_of(throat, anchor, red=1.0), mouth_side_V=side)]
