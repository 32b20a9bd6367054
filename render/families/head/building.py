"""Build a scene of the family `head`: a character's portrait with shape keys on the face.

The main object is the face's mesh; eyes, hair and jersey are its children and turn with it.
"""

from typing import Any

import numpy as np

from cat_dataset.system.seeding import derive_rng
from render.blender.meshes import add_mesh
from render.blender.nodes import Vector
from render.blender.session import fresh_scene
from render.blender.shapes import Floats, Shape, lathe, rounded_box
from render.families.craft.materials import build_material
from render.families.craft.stage import add_camera, add_lights, place
from render.families.head.clothes import jersey_cloth
from render.families.head.drawing import HeadScene, head_scene_rand
from render.families.head.face_keys import expression_deltas
from render.families.head.face_paint import face_albedo
from render.families.head.face_parts import face_parts
from render.families.head.face_patch import Patch, join_patches, mirror_of, whole
from render.families.head.face_skin import face_skin
from render.families.head.face_traits import PIT_Z_M, FaceTraits
from render.families.head.hair import hair_locks
from render.families.head.materials import (
    STRAND,
    TONE,
    eye_material,
    hair_material,
    knit_material,
    mouth_material,
    plain_material,
    set_attribute,
    skin_material,
)
from render.scene import BuiltScene

TEETH_RGB = (0.78, 0.74, 0.66)
IRIS_SHARE = 0.395  # radius of the iris over the eyeball's
_CORNEA_M = 0.0005  # how far the cornea stands out from the ball


def build_head(seed: int, width_px: int, height_px: int) -> BuiltScene:
    """Draw and build one portrait; all shape keys are at 0.

    Raises:
        SceneError: a file that Blender should bring is missing.
    """
    drawn = head_scene_rand(seed, width_px, height_px)
    scene = fresh_scene()
    face, keys = _add_face(scene, seed, drawn)
    for child in _add_children(scene, seed, drawn):
        child.parent = face
    place(face, 0.0, 0.0, 0.0, drawn.turn_deg)
    _add_backdrop(scene, seed, drawn)
    groups = add_lights(scene, drawn.lamps, drawn.world)
    return BuiltScene(
        scene=scene,
        main_object=face,
        main_name="head",
        render_camera=add_camera(scene, drawn.camera),
        camera=drawn.camera,
        groups=groups,
        wb_cct_k=drawn.wb_cct_k,
        facts=drawn.to_json(),
        shape_keys=keys,
    )


def half_face(rng: np.random.Generator, traits: FaceTraits) -> Patch:
    """Return everything that belongs to the left half of a face's mesh, in the head's frame."""
    return join_patches([face_skin(traits), *face_parts(rng, traits)])


def _add_face(scene: Any, seed: int, drawn: HeadScene) -> tuple[Any, tuple[str, ...]]:
    """Add the face's mesh with its colours and shape keys."""
    half = half_face(derive_rng(seed, "brows"), drawn.traits)
    deltas = expression_deltas(drawn.traits, half)
    mirror = mirror_of(half.shape)
    rng = derive_rng(seed, "pattern")
    materials = [
        skin_material(drawn.colours, drawn.skin_roughness, _offset_rand(rng)),
        mouth_material(),
        plain_material("teeth", TEETH_RGB, 0.22),
        plain_material("brows", drawn.colours.brow, 0.55),
    ]
    shape = whole(half.shape, mirror).moved(z_m=-PIT_Z_M)
    face = add_mesh(scene, "head", shape, materials)
    albedo = face_albedo(drawn.traits, half, drawn.colours)
    set_attribute(face, TONE, np.concatenate([albedo, albedo[mirror.is_copied_V]]))
    for name, delta in deltas.items():
        _add_key(face, name, shape.vertices_V3, mirror.vectors(delta))
    return face, tuple(deltas)


def _add_key(face: Any, name: str, rest_V3: Floats, delta_V3: Floats) -> None:
    """Add a shape key at 0; the first one brings the basis along."""
    if face.data.shape_keys is None:
        face.shape_key_add(name="Basis", from_mix=False)
    key = face.shape_key_add(name=name, from_mix=False)
    key.data.foreach_set("co", (rest_V3 + delta_V3).astype(np.float32).ravel())
    key.value = 0.0


def _add_children(scene: Any, seed: int, drawn: HeadScene) -> list[Any]:
    """Add eyes, hair and jersey."""
    rng = derive_rng(seed, "pattern", "eyes")
    iris_m = IRIS_SHARE * drawn.traits.eye_radius_m
    material = eye_material(drawn.colours.iris, iris_m, _offset_rand(rng))
    x, y, z = (float(v) for v in drawn.traits.eye_centre)
    children = []
    for side in (1.0, -1.0):
        eye = add_mesh(scene, "eye", _eyeball(drawn.traits.eye_radius_m, iris_m), [material])
        place(eye, side * x, y, z - PIT_Z_M, drawn.gaze_deg)
        children.append(eye)
    locks = hair_locks(derive_rng(seed, "locks"), drawn.traits, drawn.style)
    if locks is not None:
        shape = locks.shape.moved(z_m=-PIT_Z_M)
        hair = add_mesh(scene, "hair", shape, [hair_material("hair", drawn.colours.hair)])
        set_attribute(hair, STRAND, locks.strand_V3)
        set_attribute(hair, TONE, locks.tone_V)
        children.append(hair)
    cloth = jersey_cloth(drawn.jersey, drawn.traits)
    knit = knit_material("jersey", drawn.jersey.colour, drawn.jersey.gauge_per_m)
    jersey = add_mesh(scene, "jersey", cloth.shape.moved(z_m=-PIT_Z_M), [knit])
    set_attribute(jersey, STRAND, cloth.strand_V3)
    children.append(jersey)
    return children


def _eyeball(radius_m: float, iris_m: float) -> Shape:
    """Return an eyeball that looks along -y, with a slight cornea."""
    turn = np.linspace(0.0, np.pi, 49)
    profile = np.stack([np.sin(turn), -np.cos(turn)], axis=1) * radius_m
    profile[[0, -1], 0] = 0.0
    within = np.clip(profile[:, 0] / (1.15 * iris_m), 0.0, 1.0)
    bulge = np.where(profile[:, 1] > 0.0, _CORNEA_M * (1.0 - within**2) ** 2, 0.0)
    profile[:, 1] += bulge
    ball = lathe(profile, num_sides=48)  # its pole is at +z
    return ball.turned("x", 90.0)


def _add_backdrop(scene: Any, seed: int, drawn: HeadScene) -> None:
    if drawn.backdrop != "paper":
        return
    rng = derive_rng(seed, "pattern", "paper")
    sheet = rounded_box((6.0, 0.02, 4.0), 0.002)
    paper = add_mesh(scene, "paper", sheet, [build_material("paper", drawn.paper, rng)])
    place(paper, 0.0, drawn.paper_m, -2.0, 0.0)


def _offset_rand(rng: np.random.Generator) -> Vector:
    x, y, z = (float(v) for v in rng.uniform(-5.0, 5.0, 3))
    return x, y, z
