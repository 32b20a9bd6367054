"""Light groups of a real scene: they add up, and relighting them equals rendering anew."""

import numpy as np
import pytest

from cat_dataset.attributes.table import ATTRIBUTES, BASIS_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import SceneError
from cat_dataset.imaging.photometry import blackbody_rgb
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.light.light_state import LampState, base_state, light_frame
from tests.render.built_scene import build_scene, scene_context

pytestmark = pytest.mark.bpy


def test_light_groups_of_a_scene_add_up_to_the_combined_picture() -> None:
    """Every emitter is in a group: key, fill and ambient, each of which gives light."""
    from render.basis import render_groups

    built, settings = build_scene()

    pictures = render_groups(built, settings)  # raises where they do not add up

    assert [group.name for group in built.groups] == ["key", "fill", "ambient"]
    assert pictures.images_GHW3.shape == (3, 32, 32, 3)
    assert (pictures.images_GHW3.mean(axis=(1, 2, 3)) > 0.0).all()


def test_a_lamp_in_no_group_is_found() -> None:
    """Light that belongs to no group makes the scene unusable, and the message says why."""
    import bpy

    from render.basis import render_groups

    built, settings = build_scene()
    stray = bpy.data.objects.new("stray", bpy.data.lights.new("stray", "POINT"))
    stray.location = (0.0, -0.4, 0.6)
    built.scene.collection.objects.link(stray)

    with pytest.raises(SceneError, match="must be in a group"):
        render_groups(built, settings)


def test_a_pixel_that_is_no_number_is_found() -> None:
    """NaN in one light group makes the scene unusable."""
    from render.basis import check_sum

    images = np.ones((2, 4, 4, 3), np.float32)
    images[1, 2, 2, 0] = np.nan

    with pytest.raises(SceneError, match="not a finite number"):
        check_sum(images, np.full((4, 4, 3), 2.0, np.float32))


def test_a_relit_frame_equals_a_true_render_with_that_light_changed() -> None:
    """Power and colour of the key light, set in numpy or in Blender, give the same picture."""
    from render.basis import balance_gains, light_basis
    from render.blender.renderer import apply_settings, render_passes

    built, settings = build_scene()
    basis = light_basis(built, settings, scene_context(denoise=False))
    state = base_state(basis).with_lamp("key", LampState(1.5, 3200.0))

    relit = light_frame(basis, state)
    for group in built.groups[:-1]:
        lamp = built.scene.objects[group.name].data
        lamp.color = blackbody_rgb(state.lamps[group.name].cct_k or 0.0)
        lamp.energy *= 2.0 ** state.lamps[group.name].power_stops
    apply_settings(built.scene, settings)
    rendered = render_passes(built.scene)["Combined"][..., :3] * balance_gains(built)

    assert np.abs(relit - rendered).max() <= 3e-6 * rendered.max()
    assert np.abs(relit - rendered).mean() <= 1e-6 * rendered.mean()


def test_every_photometric_pair_of_a_render_shows_the_scale_it_claims(
    dataset_job: DatasetJob,
) -> None:
    """The scale measured from linear pixels equals the recorded one, for all five attributes."""
    from render.basis import light_basis

    built, settings = build_scene(size_px=48, samples_per_pixel=8)
    basis = light_basis(built, settings, scene_context(denoise=True))

    result = compose_basis(
        basis, {name: PairPlan(num_pairs=3) for name in BASIS_ATTRIBUTES}, dataset_job
    )

    edits = [pair.edits[0] for pair in result.pairs]
    assert {edit.attribute for edit in edits} == set(BASIS_ATTRIBUTES)
    for edit in edits:
        assert edit.measured == pytest.approx(edit.value, abs=ATTRIBUTES[edit.attribute].tolerance)


def test_a_base_frame_is_balanced_close_to_its_key_light() -> None:
    """The camera leans towards the key light, so a grey wall is not orange under a warm lamp."""
    from render.basis import base_frame, render_groups

    built, settings = build_scene()

    frame = base_frame(built, render_groups(built, settings), denoise=True)

    key_k = built.groups[0].cct_k or 0.0
    assert min(key_k, 6500.0) <= built.wb_cct_k <= max(key_k, 6500.0)
    assert frame.shape == (32, 32, 3)
    assert frame.dtype == np.float32
    assert (frame >= 0.0).all()
