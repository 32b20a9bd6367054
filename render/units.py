"""Units of work of the render package: one scene each, a pure function of manifest and unit id.

Importing this module is light; Blender is loaded when a unit runs, in its worker process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from cat_dataset.attributes.lens import APERTURE
from cat_dataset.attributes.material import SHAPE_KEY
from cat_dataset.attributes.table import BASIS_ATTRIBUTES, SWEEP_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_light
from cat_dataset.errors import ReadoutError, SceneError
from cat_dataset.jobs.camera import SimulatedCamera
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.jobs.splits import split_of
from cat_dataset.records import LightBasis, Pair, Rejection, Sweep, UnitResult
from cat_dataset.store.linear_files import encode_linear
from cat_dataset.system.seeding import derive_rng, derive_seed
from render.scene_files import PROCEDURAL, SceneFiles, scene_name, scene_seed

if TYPE_CHECKING:  # these import Blender
    from render.blender.renderer import RenderSettings
    from render.scene import BuiltScene, SceneContext


def check_devices(sources: Sequence[RenderSource]) -> None:
    """Raise SceneError where a source's device is not there; loads Blender, so runs in a worker.

    Raises:
        SceneError: names the device and what there is.
    """
    from render.blender.compute import check_device

    for source in sources:
        check_device(source.device)


def render_unit(
    dataset: DatasetJob,
    source: RenderSource,
    unit_id: str,
    files: SceneFiles = PROCEDURAL,
    *,
    keep_linear: bool = False,
    threads: int = 1,
) -> UnitResult:
    """Render one scene and return the pairs and rejections its source plans.

    Its linear light comes with them if it is to be kept, or alone if that is what samples are.
    The result is the same for any number of `threads`.

    Raises:
        SceneError: the scene cannot be built, or its light cannot be rendered.
    """
    pairs: list[Pair] = []
    rejections: list[Rejection] = []
    linear = []
    for light in _rendered(dataset, source, unit_id, files, threads):
        if isinstance(light, Rejection):
            rejections.append(light)
            continue
        if keep_linear or dataset.samples == "linear":
            linear.append(encode_linear(light))
        if dataset.samples == "pairs":
            result = compose_light(light, source.attributes, dataset)
            pairs += result.pairs
            rejections += result.rejections
    _empty_blender()
    return UnitResult(tuple(pairs), tuple(rejections), tuple(linear))


def _empty_blender() -> None:
    """Leave no scene behind: while others work, it would only take memory."""
    from render.blender.session import fresh_scene

    fresh_scene()


def _rendered(
    dataset: DatasetJob, source: RenderSource, unit_id: str, files: SceneFiles, threads: int
) -> "Iterator[LightBasis | Sweep | Rejection]":
    """Yield the light basis of one scene and its sweeps; what it has not is a rejection."""
    from render.basis import light_basis
    from render.scene import SceneContext

    seed = scene_seed(dataset, source, unit_id)
    built, settings = _build(seed, source, files, threads)
    split, origin = split_of(dataset, unit_id), _origin(built, source, seed)
    context = SceneContext(
        unit_id, split, origin, denoise=source.denoise, annotate=bool(dataset.annotations)
    )
    if any(name in BASIS_ATTRIBUTES for name in source.attributes):
        yield light_basis(built, settings, context)
    for name, plan in source.attributes.items():
        if name in SWEEP_ATTRIBUTES:
            yield _sweep(built, settings, name, plan, context, seed)


def _sweep(
    built: "BuiltScene",
    settings: "RenderSettings",
    name: str,
    plan: PairPlan,
    context: "SceneContext",
    seed: int,
) -> "Sweep | Rejection":
    """Return one sweep of a scene, or why there is none."""
    from render.sweeps.sweeps import render_sweep
    from render.sweeps.table import RENDERED, sweep_values_rand

    if name == SHAPE_KEY.name and built.shape_keys and built.edited_shape_key is None:
        keys = sorted(built.shape_keys)
        chosen = keys[int(derive_rng(seed, "shape-key").integers(len(keys)))]
        built = replace(built, edited_shape_key=chosen)
    if RENDERED[name].centre(built) is None:
        reason = f"the {built.main_name} of this scene has no {name} to edit"
        return Rejection(f"{context.scene}-{name}", context.scene, "rejected", reason, name)
    rng = derive_rng(seed, "sweep-values", name)
    values = plan.sweep or sweep_values_rand(
        rng, built, name, plan.num_frames or 0, plan.value_range
    )
    try:
        return render_sweep(built, settings, name, values, context)
    except SceneError as error:  # costs this sweep; what else was rendered of the scene stays
        status: Literal["rejected", "failed"] = (
            "rejected" if isinstance(error, ReadoutError) else "failed"
        )
        return Rejection(f"{context.scene}-{name}", context.scene, status, str(error), name)


def render_basis(
    dataset: DatasetJob, source: RenderSource, unit_id: str, files: SceneFiles = PROCEDURAL
) -> LightBasis:
    """Return the light basis of one scene: every photometric picture there is of it.

    Raises:
        SceneError: the scene cannot be built or rendered.
    """
    from render.basis import light_basis
    from render.scene import SceneContext

    seed = scene_seed(dataset, source, unit_id)
    built, settings = _build(seed, source, files)
    split, origin = split_of(dataset, unit_id), _origin(built, source, seed)
    context = SceneContext(unit_id, split, origin, denoise=source.denoise, annotate=False)
    return light_basis(built, settings, context)


def render_camera_scene(dataset: DatasetJob, camera: SimulatedCamera, index: int) -> LightBasis:
    """Return the light basis that a simulated camera photographs, one per series.

    Its images are balanced at `wb_cct_k`; `light_state.light_frame` of the base state is the scene
    as the camera sees it, in scene-linear sRGB up to a factor, with the camera's margin around it.

    Raises:
        SceneError: the scene cannot be built or rendered.
    """
    source = _camera_source(camera)
    return render_basis(dataset, source, scene_name(source, index))


def render_camera_sweep(
    dataset: DatasetJob,
    camera: SimulatedCamera,
    index: int,
    values: Sequence[float],
    *,
    f_number: float,
) -> Sweep:
    """Return the sweep that a simulated camera photographs: a frame for each value of its series.

    `values` are true ones in the unit of `camera.series`, and `f_number` is what the lens is set
    to in all frames, unless that is what varies. Frames are alike in brightness, with the camera's
    margin around them.

    Raises:
        SceneError: the scene cannot be built or rendered, or the sweep cannot be measured in it.
    """
    from render.scene import SceneContext
    from render.sweeps.sweeps import render_sweep
    from render.sweeps.table import RENDERED

    source = _camera_source(camera)
    name = scene_name(source, index)
    seed = scene_seed(dataset, source, name)
    built, settings = _build(seed, source, PROCEDURAL)
    split, origin = split_of(dataset, name), _origin(built, source, seed)
    context = SceneContext(name, split, origin, denoise=source.denoise, annotate=False)
    if camera.series == APERTURE.name:
        return render_sweep(built, settings, camera.series, values, context)
    with RENDERED[APERTURE.name].setter(built) as put_f_number:
        return render_sweep(put_f_number(f_number), settings, camera.series, values, context)


def _camera_source(camera: SimulatedCamera) -> RenderSource:
    """Return the scenes of a camera as a source; its pictures have the camera's margin."""
    return RenderSource(
        name=camera.name,
        family=camera.family,
        num_scenes=camera.num_brackets,
        width_px=camera.width_px + 2 * camera.margin_px,
        height_px=camera.height_px + 2 * camera.margin_px,
        samples_per_pixel=camera.samples_per_pixel,
        attributes={},
    )


def _build(
    seed: int, source: RenderSource, files: SceneFiles, threads: int = 1
) -> "tuple[BuiltScene, RenderSettings]":
    from render.assets.user_scene import build_user_scene
    from render.blender.renderer import MAX_CYCLES_SEED, RenderSettings
    from render.families.registry import build_scene

    settings = RenderSettings(
        width_px=source.width_px,
        height_px=source.height_px,
        samples_per_pixel=source.samples_per_pixel,
        seed=derive_seed(seed, "cycles") % MAX_CYCLES_SEED,
        device=source.device,
        threads=threads,
    )
    size = (source.width_px, source.height_px)
    if files == PROCEDURAL:
        return build_scene(source.family, seed, *size), settings
    try:
        return build_user_scene(files, seed, *size, main_object=source.main_object), settings
    except SceneError as error:  # reasons stand in tables, which must not know this machine
        raise SceneError(files.without_folders(str(error))) from None


def _origin(built: "BuiltScene", source: RenderSource, seed: int) -> dict[str, Any]:
    lamps = {group.name: group.power_w for group in built.groups if group.power_w is not None}
    return {
        "producer": "render",
        "family": source.family if source.blends is None else "user",
        "seed": seed,
        **built.facts,
        "light_power_w": lamps,
    }
