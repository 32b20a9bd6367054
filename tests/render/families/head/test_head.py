"""Portraits with shape keys: what a key moves, how far, and that nothing breaks on the way."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng
from render.blender.shapes import Floats

if TYPE_CHECKING:
    from render.families.head.face_patch import Patch
    from render.families.head.face_traits import FaceTraits
    from render.scene import BuiltScene

pytestmark = pytest.mark.bpy

SEEDS = (0, 9)
ASKED_KEYS = {"smile", "brow_raise", "jaw_open", "blink"}


@cache
def half(seed: int) -> "tuple[FaceTraits, Patch, dict[str, Floats]]":
    """Return half a face and how far each key moves its vertices."""
    from render.families.head.building import half_face
    from render.families.head.face_keys import expression_deltas
    from render.families.head.face_traits import face_traits_rand

    traits = face_traits_rand(derive_rng(seed, "face"))
    patch = half_face(derive_rng(seed, "brows"), traits)
    return traits, patch, expression_deltas(traits, patch)


def whole_face(seed: int, **values: float) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return vertices, triangles and their slots of a face with keys at values."""
    from render.families.head.face_patch import mirror_of, whole

    _, patch, deltas = half(seed)
    mirror = mirror_of(patch.shape)
    shape = whole(patch.shape, mirror)
    vertices = shape.vertices_V3 + sum(
        value * mirror.vectors(deltas[name]) for name, value in values.items()
    )
    is_quad = shape.faces_F4[:, 3] >= 0
    triangles = np.concatenate([shape.faces_F4[:, :3], shape.faces_F4[is_quad][:, [0, 2, 3]]])
    return vertices, triangles, np.concatenate([shape.slots_F, shape.slots_F[is_quad]])


def first_hits(
    seed: int, x_m: Floats, z_m: Floats, **values: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Return how far forward, y, and in which slot rays from the front meet the face."""
    from mathutils import Vector
    from mathutils.bvhtree import BVHTree

    vertices, triangles, slots = whole_face(seed, **values)
    tree = BVHTree.FromPolygons(vertices.tolist(), triangles.tolist())
    depths, hit_slots = [], []
    for x, z in zip(x_m.ravel(), z_m.ravel(), strict=True):
        spot, _, face, _ = tree.ray_cast(Vector((x, -0.3, z)), Vector((0.0, 1.0, 0.0)))
        depths.append(np.inf if spot is None else spot.y)
        hit_slots.append(-1 if face is None else slots[face])
    return np.array(depths), np.array(hit_slots)


def visible_eye(seed: int, **values: float) -> int:
    """Return how many of some 1200 rays at the left eyeball reach it past the lids."""
    traits, _, _ = half(seed)
    radius = traits.eye_radius_m
    x, z = np.meshgrid(np.linspace(-radius, radius, 39), np.linspace(-radius, radius, 39))
    inside = x**2 + z**2 < (0.99 * radius) ** 2
    x, z = x[inside], z[inside]
    centre = traits.eye_centre
    depths, _ = first_hits(seed, x + centre[0], z + centre[2], **values)
    return int((depths > centre[1] - np.sqrt(radius**2 - x**2 - z**2)).sum())


def seen_slots(seed: int, **values: float) -> NDArray[np.int64]:
    """Return the slots that rays at the mouth meet."""
    traits, _, _ = half(seed)
    x, z = np.meshgrid(np.linspace(-0.035, 0.035, 41), np.linspace(-0.025, 0.015, 41))
    return first_hits(seed, x, z + traits.mouth_z_m, **values)[1]


def mouth_corner(seed: int) -> int:
    """Return the vertex of the skin nearest to the left corner of the mouth."""
    from render.families.head.face_slits import mouth_line_points

    traits, patch, _ = half(seed)
    corner = mouth_line_points(traits, 2)[-1]
    return int(np.linalg.norm(patch.shape.vertices_V3 - corner, axis=1).argmin())


def build(seed: int, size_px: int = 32) -> "BuiltScene":
    """Build one portrait in this process's Blender."""
    from render.families.head.building import build_head

    return build_head(seed, size_px, size_px)


def key_vertices(face: Any, name: str) -> Floats:
    """Return a shape key's vertices."""
    data = face.data.shape_keys.key_blocks[name].data
    flat = np.empty(3 * len(data), np.float32)
    data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def test_a_portrait_brings_its_keys_at_zero_and_a_valid_mesh() -> None:
    """Every listed key stands in Blender under its name, at 0, and the mesh needs no repair."""
    built = build(7)

    blocks = built.main_object.data.shape_keys.key_blocks
    assert set(built.shape_keys) >= ASKED_KEYS
    for name in built.shape_keys:
        assert blocks[name].value == 0.0
        assert (blocks[name].slider_min, blocks[name].slider_max) == (0.0, 1.0)
        assert np.isfinite(key_vertices(built.main_object, name)).all()
    assert len(blocks) == len(built.shape_keys) + 1
    assert not built.main_object.data.validate()  # True where Blender had to repair something


def test_children_turn_with_the_head() -> None:
    """Eyes, hair and jersey hang on the main object, whose origin is below the neck."""
    built = build(5)

    names = {child.name.split(".")[0] for child in built.main_object.children}
    heights = key_vertices(built.main_object, "Basis")[:, 2]
    assert names == {"eye", "hair", "jersey"}
    assert tuple(built.main_object.location) == (0.0, 0.0, 0.0)
    assert heights.max() == pytest.approx(0.29, abs=0.03)
    assert -0.1 < heights.min() < 0.0


def test_the_same_seed_gives_the_same_vertices() -> None:
    """Face, keys and hair are a pure function of the seed; another seed gives another face."""

    def vertices() -> list[Floats]:
        built = build(5)
        hair = built.scene.objects["hair"].data.vertices
        flat = np.empty(3 * len(hair), np.float32)
        hair.foreach_get("co", flat)
        return [
            key_vertices(built.main_object, "Basis"),
            key_vertices(built.main_object, "smile"),
            flat,
        ]

    once, again = vertices(), vertices()

    for first, second in zip(once, again, strict=True):
        assert np.array_equal(first, second)
    other = key_vertices(build(6).main_object, "Basis")
    assert other.shape != once[0].shape or np.abs(other - once[0]).max() > 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_every_key_is_symmetric(seed: int) -> None:
    """Each vertex has a mirror image that moves as its mirror image."""
    from render.families.head.face_patch import mirror_of, whole

    _, patch, deltas = half(seed)
    mirror = mirror_of(patch.shape)
    rest = whole(patch.shape, mirror).vertices_V3
    twin = mirror.twin_V
    flip = np.array([-1.0, 1.0, 1.0])

    for name, delta in deltas.items():
        moved = rest + mirror.vectors(delta)
        assert np.array_equal(moved[twin], moved[: len(twin)] * flip), name


@pytest.mark.parametrize("seed", SEEDS)
def test_a_smile_lifts_and_widens_the_mouth_in_proportion(seed: int) -> None:
    """Corners go out, up and back by an even amount per percent; crown and nape stay."""
    _, patch, deltas = half(seed)
    corner = mouth_corner(seed)
    rest, smile = patch.shape.vertices_V3, deltas["smile"]

    assert smile[corner, 0] > 0.005
    assert smile[corner, 1] > 0.003
    assert smile[corner, 2] > 0.005
    heights = [(rest + value * smile)[corner, 2] for value in (0.0, 0.3, 0.6, 1.0)]
    assert np.diff(heights) == pytest.approx(np.array([0.3, 0.3, 0.4]) * smile[corner, 2])
    assert np.abs(smile[(rest[:, 2] > 0.05) | (rest[:, 1] > 0.0)]).max() < 1e-4


@pytest.mark.parametrize("seed", SEEDS)
def test_each_key_moves_its_own_part(seed: int) -> None:
    """Brows rise, the chin drops, lids come down, and each leaves the others' parts alone."""
    from render.families.head.face_parts import brow_curve
    from render.families.head.face_patch import HAIR

    traits, patch, deltas = half(seed)
    rest = patch.shape.vertices_V3
    chin = int(np.linalg.norm(rest - [0.0, -0.094, traits.chin_z_m], axis=1).argmin())
    brow = brow_curve(traits, np.array([0.5]))[0]
    hair = np.unique(patch.shape.faces_F4[patch.shape.slots_F == HAIR])
    brow_hairs = hair[np.linalg.norm(rest[hair] - brow, axis=1) < 0.006]

    assert len(brow_hairs) > 20
    assert deltas["brow_raise"][brow_hairs, 2].min() > 0.005
    assert np.abs(deltas["brow_raise"][chin]).max() == 0.0
    assert deltas["jaw_open"][chin, 2] < -0.012
    assert np.abs(deltas["jaw_open"][brow_hairs]).max() < 1e-6
    assert np.abs(deltas["blink"][chin]).max() == 0.0
    assert np.abs(deltas["smile"][brow_hairs]).max() < 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_blink_covers_the_eye(seed: int) -> None:
    """Of the eyeball that is open at rest, less than 2 % shows at 100 %, about half at 50 %."""
    opened = visible_eye(seed)

    assert opened > 150
    assert visible_eye(seed, blink=1.0) < 0.02 * opened
    assert 0.3 * opened < visible_eye(seed, blink=0.5) < 0.75 * opened


@pytest.mark.parametrize("seed", SEEDS)
def test_teeth_show_when_the_mouth_opens_and_only_then(seed: int) -> None:
    """Closed lips show skin; an open jaw shows teeth and the mouth's inside."""
    from render.families.head.face_patch import MOUTH, SKIN, TEETH

    assert set(seen_slots(seed)) == {SKIN}
    opened = seen_slots(seed, jaw_open=1.0)
    assert (opened == TEETH).sum() > 10
    assert (opened == MOUTH).sum() > 50
    assert set(seen_slots(seed, frown=1.0)) == {SKIN}
    assert set(seen_slots(seed, smile=1.0)) <= {SKIN, TEETH, MOUTH}


@pytest.mark.parametrize("seed", SEEDS)
def test_rays_leave_the_head_once(seed: int) -> None:
    """No cavity inside the face stops a ray early, which would tear the nose."""
    from render.families.head.face_chart import face_chart
    from render.families.head.face_field import face_field, surface_hits

    traits, _, _ = half(seed)
    chart = face_chart(traits)
    origins, directions = chart.origins_RC3[:130:2, :60:2], chart.directions_RC3[:130:2, :60:2]
    hits = surface_hits(traits, origins, directions)

    assert np.abs(face_field(traits, hits)).max() < 1e-4
    for further_m in (0.003, 0.008, 0.015, 0.03):
        beyond = face_field(traits, hits + further_m * directions)
        assert (beyond < 0.0).mean() < 0.004  # the nostrils' far walls


def test_a_smile_is_seen_from_the_camera() -> None:
    """Pictures at 0, 30, 60 and 100 % differ from the first one more and more."""
    from render.basis import base_frame, render_groups
    from render.blender.renderer import RenderSettings

    built = build(9, 48)
    block = built.main_object.data.shape_keys.key_blocks["smile"]
    settings = RenderSettings(48, 48, 8, seed=1)
    frames = []
    for value in (0.0, 0.3, 0.6, 1.0):
        block.value = value
        frames.append(base_frame(built, render_groups(built, settings), denoise=True))

    changes = [float(np.abs(frame - frames[0]).mean()) for frame in frames]
    assert changes[0] == 0.0
    assert changes[1] < changes[2] < changes[3]
    assert changes[3] > 0.001 * float(frames[0].mean())


def test_light_groups_of_a_portrait_add_up() -> None:
    """Key first, the world last, every one gives light, in upright and level frames alike."""
    from render.basis import render_groups
    from render.blender.renderer import RenderSettings
    from render.families.head.building import build_head

    for width_px, height_px in ((32, 24), (24, 32)):
        portrait = build_head(3, width_px, height_px)
        pictures = render_groups(portrait, RenderSettings(width_px, height_px, 4, seed=1))

        assert portrait.groups[0].name == "key"
        assert portrait.groups[-1].name == "ambient"
        assert (pictures.images_GHW3.mean(axis=(1, 2, 3)) > 0.0).all()


@pytest.mark.parametrize(("width_px", "height_px"), [(64, 64), (80, 60), (60, 80)])
def test_the_whole_head_is_in_the_frame(width_px: int, height_px: int) -> None:
    """Crown and chin project into the picture, the eyes near its upper third."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from render.families.head.building import build_head

    for seed in (0, 5):
        portrait = build_head(seed, width_px, height_px)
        portrait.scene.render.resolution_x = width_px
        portrait.scene.render.resolution_y = height_px
        face = portrait.main_object

        def height_in_frame(place: Floats, portrait: "BuiltScene" = portrait) -> float:
            spot = world_to_camera_view(portrait.scene, portrait.render_camera, Vector(place))
            return float(spot.y)

        points = key_vertices(face, "Basis")
        front = points[points[:, 1] < -0.075]
        chin = front[front[:, 2].argmin()]
        eye = portrait.scene.objects["eye"].location
        assert height_in_frame(points[points[:, 2].argmax()]) < 0.98
        assert height_in_frame(chin) > 0.05
        assert 0.58 < height_in_frame(np.array(eye)) < 0.72
