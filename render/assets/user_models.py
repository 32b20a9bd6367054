"""Models that users bring, GLB, GLTF or OBJ: each becomes the main object of a table-top scene.

Also the rule of size: what is 5 to 50 cm large stays as it is; anything else, such as a chair or a
file that counts in millimetres, becomes 20 cm large, and the factor is recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from cat_dataset.errors import SceneError
from cat_dataset.system.seeding import derive_rng
from render.asset_folder import MODEL_SUFFIXES, list_assets
from render.assets.emitters import join_emission
from render.assets.main_choice import spoken_name
from render.assets.neutral import freeze, remove_drivers
from render.assets.solid import joined, make_solid, vertices
from render.assets.user_files import check_images
from render.blender.session import captured_output, fresh_scene
from render.blender.shapes import Shape
from render.families.craft.props import Prop
from render.families.craft.user_hdris import list_hdris
from render.families.tabletop.building import lay_table
from render.families.tabletop.drawing import tabletop_rand
from render.scene import BuiltScene

SIZE_RANGE_M = (0.05, 0.5)  # largest dimension of what stands on a table
USUAL_SIZE_M = 0.2
_MAX_REASON = 200  # characters of an importer's report in a message


@dataclass(frozen=True)
class Model:
    """An imported model as one object that stands on z = 0."""

    obj: Any
    name: str  # what a person calls it
    resized: float  # factor on its size
    shape_keys: tuple[str, ...]
    notes: tuple[str, ...]  # what was left out

    @property
    def prop(self) -> Prop:
        """Its outline, for the room that it takes."""
        shape = Shape(vertices(self.obj.data), np.empty((0, 4), np.int64), np.empty(0, np.int64))
        return Prop(self.name, shape, ())


def list_models(folder: Path) -> tuple[Path, ...]:
    """Return the models in a folder and below, sorted by path.

    Raises:
        JobError: the folder does not exist, or holds none.
    """
    return list_assets(folder, MODEL_SUFFIXES, "models")


def build_user_models_scene(
    models: Path | Sequence[Path],
    hdris: Path | Sequence[Path] | None,
    seed: int,
    width_px: int,
    height_px: int,
) -> BuiltScene:
    """Build a table-top scene whose main object is one of the models, drawn by `seed`.

    Its light from all around is one of `hdris`, or one of Blender's where there are none. Both
    are lists of files, or the folder that holds them.

    Raises:
        JobError: a folder holds nothing of the kind.
        SceneError: the model or the HDRI drawn cannot be used.
    """
    model_path = _pick(seed, "model", list_models(models) if isinstance(models, Path) else models)
    hdri_path = None
    if hdris is not None:
        found = list_hdris(hdris) if isinstance(hdris, Path) else hdris
        hdri_path = _pick(seed, "hdri", found)
    scene = fresh_scene()
    model = load_model(model_path)
    drawn = tabletop_rand(seed, width_px, height_px, guest=model.prop, hdri_file=hdri_path)
    built = lay_table(scene, drawn, seed, guest=model.obj)
    glowing = join_emission(scene, model.obj)
    keys = model.shape_keys
    edited = str(derive_rng(seed, "shape_key").choice(sorted(keys))) if keys else None
    return replace(
        built,
        groups=(*built.groups[:-1], *glowing, built.groups[-1]),
        facts={
            **built.facts,
            "model": model_path.name,
            "model_resized": model.resized,
            "overridden": list(model.notes),
        },
        shape_keys=keys,
        edited_shape_key=edited,
    )


def _pick(seed: int, name: str, paths: Sequence[Path]) -> Path:
    """Draw one of several files."""
    return paths[int(derive_rng(seed, name).integers(len(paths)))]


def load_model(path: Path) -> Model:
    """Import a model file into the current scene as one object.

    Raises:
        SceneError: the file cannot be read, has no faces, or lacks an image.
    """
    scene = bpy.context.scene
    known = set(bpy.data.objects)
    _import(path)
    imported = sorted(set(bpy.data.objects) - known, key=lambda obj: obj.name)
    notes = remove_drivers() + freeze(scene)
    meshes = [t for t in imported if t.type == "MESH" and len(t.data.polygons) > 0]
    if not meshes:
        msg = f"{path}: holds no faces, only {_kinds(imported)}; export a mesh with faces"
        raise SceneError(msg)
    check_images(path, meshes, None)
    obj, keys = _as_one(scene, meshes)
    notes += _remove_rest(imported, meshes)
    obj.name = path.stem
    resized = _stand(obj)
    return Model(obj, spoken_name(path.stem), resized, tuple(keys), tuple(sorted(notes)))


def _import(path: Path) -> None:
    """Run Blender's importer for a file."""
    if not path.is_file():
        msg = f"model {path}: no such file; check the path"
        raise SceneError(msg)
    suffix = path.suffix.lower()
    if suffix not in MODEL_SUFFIXES:
        msg = f"model {path}: is no {', '.join(MODEL_SUFFIXES)}; export it as one of them"
        raise SceneError(msg)
    reason = ""
    with captured_output() as log:
        try:
            if suffix == ".obj":
                result = bpy.ops.wm.obj_import(filepath=str(path))
            else:
                result = bpy.ops.import_scene.gltf(filepath=str(path), disable_bone_shape=True)
            if "FINISHED" not in result:
                reason = "the importer gave up"
        except RuntimeError as error:
            reason = " ".join(str(error).split())
    if reason:
        msg = (
            f"model {path}: Blender cannot import it ({reason[:_MAX_REASON]}); is it complete? "
            f"export it anew"
        )
        raise SceneError(msg)
    del log


def _kinds(objects: Sequence[Any]) -> str:
    return ", ".join(sorted({obj.type.lower() for obj in objects})) or "nothing"


def _as_one(scene: Any, meshes: Sequence[Any]) -> tuple[Any, list[str]]:
    """Return the meshes as one plain object; only a single one keeps its shape keys."""
    if len(meshes) == 1:
        return meshes[0], make_solid(scene, meshes[0])
    return joined(scene, meshes), []


def _remove_rest(imported: Sequence[Any], meshes: Sequence[Any]) -> list[str]:
    """Remove what came along with the meshes: lamps, cameras, armatures, empties, loose edges."""
    names = {obj.name for obj in bpy.data.objects}
    num = {"LIGHT": 0, "CAMERA": 0}
    for obj in [t for t in imported if t not in meshes and t.name in names]:
        if obj.type in num:
            num[obj.type] += 1
        bpy.data.objects.remove(obj)
    labels = {"LIGHT": "lamps", "CAMERA": "cameras"}
    return [f"{labels[kind]}: {count} removed" for kind, count in num.items() if count]


def _stand(obj: Any) -> float:
    """Give an object (mutated) the size of an object on a table, upright at the origin."""
    obj.data.transform(obj.matrix_world.to_3x3().to_4x4(), shape_keys=True)
    places = vertices(obj.data)
    size_m = float((places.max(axis=0) - places.min(axis=0)).max())
    is_fit = SIZE_RANGE_M[0] <= size_m <= SIZE_RANGE_M[1]
    resized = 1.0 if is_fit else USUAL_SIZE_M / size_m
    middle = (places.min(axis=0) + places.max(axis=0)) / 2.0
    to_base = Matrix.Translation((-middle[0], -middle[1], -places[:, 2].min()))
    obj.data.transform(Matrix.Scale(resized, 4) @ to_base, shape_keys=True)
    obj.matrix_world = Matrix()
    bpy.context.view_layer.update()
    return resized
