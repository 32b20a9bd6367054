"""Cycles set up so that light stays linear, and its passes as numpy arrays without files.

Why each setting: the light tree and the light-sampling threshold pick lights by power, the clamp
cuts contributions, adaptive sampling stops by the combined picture; with them off, a sum of light
groups equals a render with those lights changed to 1e-7 relative.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import bpy
import cycles
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from render.blender.compute import use_device
from render.blender.session import captured_output

MAX_CYCLES_SEED = 2**31 - 1  # `scene.cycles.seed` is a signed 32-bit integer

Passes = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class RenderSettings:
    """What decides a picture besides the scene."""

    width_px: int
    height_px: int
    samples_per_pixel: int
    seed: int  # equal within a scene: the noise of two frames then differs only by the edit
    max_bounces: int = 8
    diffuse_bounces: int = 2
    glossy_bounces: int = 3
    transmission_bounces: int = 8  # two walls of a glass in front of another, and back
    device: str = "CPU"  # what Cycles computes on, see render/blender/compute.py
    threads: int = 1  # of the CPU; pixels are the same for any number

    def to_json(self) -> dict[str, Any]:
        """Return what decides the picture as plain JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "threads"}


def apply_settings(scene: Any, settings: RenderSettings) -> None:
    """Set up `scene` (mutated) for one linear, deterministic Cycles render."""
    render, cycle = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = settings.width_px, settings.height_px
    render.resolution_percentage = 100
    render.threads_mode, render.threads = "FIXED", settings.threads
    render.use_compositing = render.use_sequencer = False
    render.use_persistent_data = False  # would ignore changed Cycles settings, see `render_passes`
    render.dither_intensity = 0.0
    use_device(scene, settings.device)
    cycle.samples, cycle.seed = settings.samples_per_pixel, settings.seed % MAX_CYCLES_SEED
    cycle.use_animated_seed = False
    cycle.use_light_tree = False
    cycle.light_sampling_threshold = 0.0
    cycle.sample_clamp_direct = cycle.sample_clamp_indirect = 0.0
    cycle.use_adaptive_sampling = cycle.use_guiding = cycle.use_denoising = False
    cycle.time_limit = 0.0
    cycle.use_auto_tile = False  # tiles go through disk
    cycle.use_sample_subset = False
    cycle.pixel_filter_type, cycle.filter_width = "BLACKMAN_HARRIS", 1.5
    _limit_bounces(cycle, settings)
    scene.view_layers[0].cycles.denoising_store_passes = True  # albedo and normal guides


def choose_samples(scene: Any, first: int, count: int) -> None:
    """Render only `count` of the samples that `apply_settings` set, from number `first` on.

    Parts add up: the mean of all parts, by their counts, is the whole picture bit for bit.
    """
    cycle = scene.cycles
    cycle.use_sample_subset = True
    cycle.sample_offset, cycle.sample_subset_length = first, count


def _limit_bounces(cycle: Any, settings: RenderSettings) -> None:
    cycle.max_bounces = settings.max_bounces
    cycle.diffuse_bounces = settings.diffuse_bounces
    cycle.glossy_bounces = settings.glossy_bounces
    cycle.transmission_bounces = settings.transmission_bounces
    cycle.transparent_max_bounces = settings.transmission_bounces
    cycle.caustics_reflective = cycle.caustics_refractive = False
    cycle.blur_glossy = 1.0  # fewer fireflies, where a clamp would bend the light


_passes: Passes = {}


def _read_passes(result: Any) -> None:
    width, height = result.resolution_x, result.resolution_y
    for layer in result.layers:
        for render_pass in layer.passes:
            pixels = np.empty(width * height * render_pass.channels, np.float32)
            render_pass.rect.foreach_get(pixels)
            picture = pixels.reshape(height, width, render_pass.channels)
            _passes[render_pass.name] = picture[::-1].copy()  # Blender's rows come bottom-up


def _install_hook() -> None:
    """Read the passes whenever Cycles finishes a frame; once per process, survives a reset."""
    finish: Callable[[Any], None] = cycles.CyclesRender.render_frame_finish
    if getattr(finish, "reads_passes", False):
        return

    def render_frame_finish(engine: Any) -> None:
        finish(engine)  # tiles are merged here
        _read_passes(engine.get_result())

    render_frame_finish.reads_passes = True  # type: ignore[attr-defined]  # marks our own function
    cycles.CyclesRender.render_frame_finish = render_frame_finish


def render_passes(scene: Any) -> Passes:
    """Render `scene` and return its passes, float32 (H, W, C), scene-linear, top row first.

    Raises:
        SceneError: Cycles failed, or reported something like a missing texture.
    """
    _install_hook()
    _passes.clear()
    scene.update_tag()  # else changed Cycles settings go unseen
    with captured_output() as log:
        begin_s = time.perf_counter()
        try:
            bpy.ops.render.render(scene=scene.name)
        except RuntimeError as error:
            msg = f"render of {scene.name}: {str(error).strip()}"
            raise SceneError(msg) from None
        sys.stdout.write(f"rendered {scene.name} in {time.perf_counter() - begin_s:.3f} s\n")
    log.check(f"render of {scene.name}")
    if "Combined" not in _passes:
        msg = f"render of {scene.name}: Cycles gave no picture; its output was: {log.text[-300:]}"
        raise SceneError(msg)
    return dict(_passes)
