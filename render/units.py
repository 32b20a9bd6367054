"""Units of work of the render room: one scene each, a pure function of manifest and unit id.

Importing this module is light; Blender is loaded when a unit runs, in its worker process.
"""

from typing import TYPE_CHECKING, Any

from cat_dataset.compose import compose_basis, compose_sweep
from cat_dataset.manifest import (
    BASIS_ATTRIBUTES,
    DatasetJob,
    RenderBatch,
    SimulatedCamera,
)
from cat_dataset.records import LightBasis, UnitResult
from cat_dataset.seeding import derive_seed
from cat_dataset.splits import split_of

if TYPE_CHECKING:  # these import Blender
    from render.cycles import RenderSettings
    from render.scene import BuiltScene


def list_units(batch: RenderBatch) -> tuple[str, ...]:
    """Return the unit ids of a batch, which are its scenes' names, such as "gallery-0003"."""
    return tuple(f"{batch.name}-{number:04d}" for number in range(batch.num_scenes))


def render_unit(dataset: DatasetJob, batch: RenderBatch, unit_id: str) -> UnitResult:
    """Render one scene and return the pairs and rejections its batch plans.

    Raises:
        SceneError: the scene cannot be built or rendered.
        EditScaleError: the batch asks for light that the scene has not.
    """
    from render.basis import light_basis
    from render.sweeps import render_sweep

    seed = derive_seed(dataset.seed, batch.name, unit_id)
    built, settings = _build(seed, batch)
    split, origin = split_of(dataset, unit_id), _origin(built, batch.family, seed)
    results = []
    plans = {name: plan for name, plan in batch.attributes.items() if name in BASIS_ATTRIBUTES}
    if plans:
        basis = light_basis(built, settings, unit_id, split, origin, denoise=batch.denoise)
        results.append(compose_basis(basis, plans, dataset))
    for name, plan in batch.attributes.items():
        if plan.sweep is not None:
            sweep = render_sweep(
                built, settings, name, plan.sweep, unit_id, split, origin, denoise=batch.denoise
            )
            results.append(compose_sweep(sweep, plan, dataset))
    return UnitResult(
        tuple(pair for result in results for pair in result.pairs),
        tuple(rejection for result in results for rejection in result.rejections),
    )


def render_basis(dataset: DatasetJob, batch: RenderBatch, unit_id: str) -> LightBasis:
    """Return the light basis of one scene: every photometric picture there is of it.

    Raises:
        SceneError: the scene cannot be built or rendered.
    """
    from render.basis import light_basis

    seed = derive_seed(dataset.seed, batch.name, unit_id)
    built, settings = _build(seed, batch)
    split, origin = split_of(dataset, unit_id), _origin(built, batch.family, seed)
    return light_basis(built, settings, unit_id, split, origin, denoise=batch.denoise)


def render_camera_scene(dataset: DatasetJob, camera: SimulatedCamera, index: int) -> LightBasis:
    """Return the light basis that a simulated camera photographs, one per bracket.

    Its images are balanced at `wb_cct_k`; `cat_dataset.light.light_frame` of the base state is
    the scene as the camera sees it, in scene-linear sRGB up to a factor.

    Raises:
        SceneError: the scene cannot be built or rendered.
    """
    batch = RenderBatch(
        name=camera.name,
        family=camera.family,
        num_scenes=camera.num_brackets,
        width_px=camera.width_px,
        height_px=camera.height_px,
        samples_per_pixel=camera.samples_per_pixel,
        attributes={},
    )
    return render_basis(dataset, batch, list_units(batch)[index])


def _build(seed: int, batch: RenderBatch) -> "tuple[BuiltScene, RenderSettings]":
    from render.cycles import RenderSettings
    from render.families import build_scene

    settings = RenderSettings(
        width_px=batch.width_px,
        height_px=batch.height_px,
        samples_per_pixel=batch.samples_per_pixel,
        seed=derive_seed(seed, "cycles"),
    )
    return build_scene(batch.family, seed, batch.width_px, batch.height_px), settings


def _origin(built: "BuiltScene", family: str, seed: int) -> dict[str, Any]:
    lamps = {group.name: group.power_w for group in built.groups if group.power_w is not None}
    return {
        "producer": "render",
        "family": family,
        "seed": seed,
        **built.facts,
        "light_power_w": lamps,
    }
