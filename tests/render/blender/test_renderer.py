"""Cycles as set up here: deterministic, linear, and alive to its settings."""

from dataclasses import replace

import numpy as np
import pytest

from tests.render.built_scene import build_scene

pytestmark = pytest.mark.bpy


def test_the_same_settings_give_the_same_pixels() -> None:
    """Two renders of one scene are bit-identical."""
    from render.blender.renderer import apply_settings, render_passes

    built, settings = build_scene()
    apply_settings(built.scene, settings)

    first, second = (render_passes(built.scene)["Combined"] for _ in range(2))

    assert np.array_equal(first, second)


def test_another_seed_gives_other_noise() -> None:
    """Cycles settings changed on a scene that was rendered before are not ignored."""
    from render.blender.renderer import apply_settings, render_passes

    built, settings = build_scene()
    apply_settings(built.scene, settings)
    before = render_passes(built.scene)["Combined"]

    apply_settings(built.scene, replace(settings, seed=settings.seed + 1))
    after = render_passes(built.scene)["Combined"]

    assert not np.array_equal(before, after)
    assert float(after.mean()) == pytest.approx(float(before.mean()), rel=0.1)


def test_a_63_bit_seed_fits_into_cycles() -> None:
    """Derived seeds are longer than Cycles' 32 bits and are cut without an error."""
    from render.blender.renderer import MAX_CYCLES_SEED, apply_settings

    built, settings = build_scene()

    apply_settings(built.scene, replace(settings, seed=2**63 - 1))

    assert 0 <= built.scene.cycles.seed <= MAX_CYCLES_SEED


def test_everything_that_would_bend_light_is_off() -> None:
    """The five settings under which light groups would not recombine."""
    from render.blender.renderer import apply_settings

    built, settings = build_scene()

    apply_settings(built.scene, settings)

    cycles = built.scene.cycles
    assert not cycles.use_light_tree
    assert not cycles.use_adaptive_sampling
    assert cycles.light_sampling_threshold == 0.0
    assert cycles.sample_clamp_direct == 0.0
    assert cycles.sample_clamp_indirect == 0.0


def test_rows_come_top_down() -> None:
    """The world above the table is in the first rows, not in the last."""
    from render.blender.renderer import apply_settings, render_passes

    built, settings = build_scene()
    built.render_camera.rotation_mode = "XYZ"
    built.render_camera.rotation_euler = (np.pi / 2, 0.0, 0.0)  # level, horizon in the middle
    built.render_camera.location = (0.0, -1.0, 0.3)
    for name in ("wall", "paper"):
        if name in built.scene.objects:
            built.scene.objects[name].hide_render = True
    apply_settings(built.scene, settings)
    built.scene.view_layers[0].use_pass_z = True

    depth = render_passes(built.scene)["Depth"][..., 0]

    assert depth[:4].mean() > depth[-4:].mean()
