"""Render the light groups of a built scene: checked to add up, denoised one by one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.light.relighting import balance_gain_rgb, colour_rgb
from cat_dataset.records import LightBasis
from render.blender.annotating import annotate
from render.blender.denoise import Quality, shared_denoiser
from render.blender.renderer import (
    Passes,
    RenderSettings,
    apply_settings,
    choose_samples,
    render_passes,
)
from render.blender.versions import blender_version
from render.scene import BuiltScene, SceneContext

SUM_TOLERANCE = 1e-5  # of the brightest pixel: float32 sums of a few groups
# With clean guides closer to a converged render than "high" with noisy ones, at equal cost.
DENOISER_QUALITY: Quality = "balanced"
_IMAGES = ("images_GHW3", "albedo_HW3", "normal_HW3")


@dataclass(frozen=True)
class GroupPictures:
    """What each light group gives alone, with white lamps, and the denoiser's guides."""

    images_GHW3: NDArray[np.float32]  # scene-linear sRGB, noisy
    albedo_HW3: NDArray[np.float32]
    normal_HW3: NDArray[np.float32]


def render_groups(built: BuiltScene, settings: RenderSettings) -> GroupPictures:
    """Render a built scene (its settings are mutated) once, one picture per light group.

    Raises:
        SceneError: Cycles failed, or light reached the picture that belongs to no group.
    """
    apply_settings(built.scene, settings)
    return _group_pictures(built)


def render_halves(
    built: BuiltScene, settings: RenderSettings
) -> tuple[GroupPictures, GroupPictures]:
    """Render a built scene (its settings are mutated) in two halves of its samples.

    Their mean is the picture that `render_groups` gives; their difference shows its noise.

    Raises:
        SceneError: as `render_groups`; or there is only one sample per pixel.
    """
    count = settings.samples_per_pixel
    if count < 2 or count % 2:
        msg = f"samples_per_pixel {count}: noise is read from two halves, so give an even number"
        raise SceneError(msg)
    halves = []
    for first in (0, count // 2):
        apply_settings(built.scene, settings)
        choose_samples(built.scene, first, count // 2)
        halves.append(_group_pictures(built))
    return halves[0], halves[1]


def mean_pictures(one: GroupPictures, other: GroupPictures) -> GroupPictures:
    """Return the picture of all samples from its two halves."""
    return GroupPictures(
        *((getattr(one, name) + getattr(other, name)) / np.float32(2.0) for name in _IMAGES)
    )


def _group_pictures(built: BuiltScene) -> GroupPictures:
    passes = render_passes(built.scene)
    images = np.stack([passes[f"Combined_{group.name}"][..., :3] for group in built.groups])
    check_sum(images, passes["Combined"][..., :3])
    return GroupPictures(images, *_guides(passes))


def check_sum(images_GHW3: NDArray[np.float32], combined_HW3: NDArray[np.float32]) -> None:
    """Raise SceneError where the groups do not add up to the combined picture.

    Raises:
        SceneError: an emitter is in no group, or a pixel is not finite.
    """
    if not np.isfinite(images_GHW3).all():
        msg = "light groups: a pixel is not a finite number; the scene is not usable"
        raise SceneError(msg)
    gap = float(np.abs(images_GHW3.sum(axis=0) - combined_HW3).max())
    brightest = float(combined_HW3.max())
    if brightest <= 0.0 or gap > SUM_TOLERANCE * brightest:
        msg = (
            f"light groups: their sum differs from the combined picture by up to {gap:.3g} "
            f"(brightest pixel {brightest:.3g}); every lamp and the world must be in a group"
        )
        raise SceneError(msg)


def _guides(passes: Passes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return passes["Denoising Albedo"][..., :3], passes["Denoising Normal"][..., :3]


def light_basis(built: BuiltScene, settings: RenderSettings, context: SceneContext) -> LightBasis:
    """Return the light basis of a built scene, balanced at the camera's setting.

    Raises:
        SceneError: as `render_groups`, or the denoiser failed.
    """
    pictures = render_groups(built, settings)
    images = pictures.images_GHW3
    if context.denoise:
        denoiser = shared_denoiser(DENOISER_QUALITY)
        guides = denoiser.clean_guides(pictures.albedo_HW3, pictures.normal_HW3)
        images = np.stack([denoiser.denoise(image, guides) for image in images])
    return LightBasis(
        scene=context.scene,
        split=context.split,
        groups=built.groups,
        images_GHW3=images * balance_gains(built).astype(np.float32),
        wb_cct_k=built.wb_cct_k,
        main_lamp=built.main_lamp,
        annotation=annotate(built, settings) if context.annotate else None,
        origin={**context.origin, **render_origin(settings, denoise=context.denoise)},
    )


def base_frame(built: BuiltScene, pictures: GroupPictures, *, denoise: bool) -> NDArray[np.float32]:
    """Return the picture with every lamp in its own colour, float32 (H, W, 3), balanced.

    Frames of a sweep share no relation that denoising could break, so the combined picture is
    denoised, once, instead of each group.
    """
    colours = np.stack([colour_rgb(group.cct_k) for group in built.groups])[:, None, None, :]
    combined = (pictures.images_GHW3 * colours).sum(axis=0).astype(np.float32)
    if denoise:
        denoiser = shared_denoiser(DENOISER_QUALITY)
        guides = denoiser.clean_guides(pictures.albedo_HW3, pictures.normal_HW3)
        combined = denoiser.denoise(combined, guides)
    balanced: NDArray[np.float32] = (combined * balance_gains(built)).astype(np.float32)
    return balanced


def balance_gains(built: BuiltScene) -> NDArray[np.float64]:
    """Return the camera's gains over a picture in scene-linear sRGB as rendered, shape (3,)."""
    return balance_gain_rgb(DAYLIGHT_CCT_K, built.wb_cct_k)


def render_origin(settings: RenderSettings, *, denoise: bool) -> dict[str, Any]:
    """Return how a picture was rendered as plain JSON values."""
    return {
        "versions": {"blender": blender_version()},
        "device": settings.device,
        "render_settings": settings.to_json(),
        "denoiser": f"oidn {DENOISER_QUALITY}" if denoise else None,
    }
