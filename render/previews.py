"""Quick looks at scenes: one small picture each, exposed and developed as pairs are."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.display import encode_display, exposure_anchor
from cat_dataset.jobs.datasets import RenderSource
from cat_dataset.jobs.manifest import DatasetJob, Job
from cat_dataset.light.light_state import base_state, light_frame
from render.scene_files import SceneFiles, list_scenes
from render.units import render_basis

Picture = NDArray[np.uint8]


def preview_calls(
    job: Job, base: Path, first: int, num: int, size_px: int, samples_per_pixel: int
) -> tuple[list[str], list[Callable[[], Picture]]]:
    """Return the names of up to `num` scenes of each source, and the calls that render them.

    `base` is the manifest's folder, which its paths are relative to.

    Raises:
        JobError: a folder of the user's does not exist, or holds nothing of the kind.
    """
    names: list[str] = []
    calls: list[Callable[[], Picture]] = []
    for source in (source.located(base) for source in job.render):
        shrink = size_px / max(source.width_px, source.height_px)
        small = source.model_copy(
            update={
                "width_px": max(16, round(source.width_px * shrink)),
                "height_px": max(16, round(source.height_px * shrink)),
                "samples_per_pixel": samples_per_pixel,
                "denoise": True,
            }
        )
        scenes = list(list_scenes(job.dataset, source).items())
        for unit_id, files in scenes[first : first + num]:
            names.append(unit_id)
            calls.append(partial(preview_scene, job.dataset, small, unit_id, files))
    return names, calls


def preview_scene(
    dataset: DatasetJob, source: RenderSource, unit_id: str, files: SceneFiles
) -> Picture:
    """Return the base picture of one scene, uint8 (H, W, 3), display sRGB.

    Raises:
        SceneError: the scene cannot be built or rendered.
    """
    basis = render_basis(dataset, source, unit_id, files)
    picture = light_frame(basis, base_state(basis))
    return encode_display(picture, exposure_anchor(picture))
