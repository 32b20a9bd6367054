"""Re-rendered sweeps: one attribute changes, and the probes read it back."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from cat_dataset.attributes.table import ATTRIBUTES
from cat_dataset.records import Sweep
from tests.render.built_scene import build_scene, scene_context

pytestmark = pytest.mark.bpy

TABLETOP = {
    "aperture": (2.0, 5.6, 11.0),
    "focal_length": (45.0, 60.0),
    "focus_distance": (0.6, 1.0, 1.7),
    "shutter_blur": (1 / 60, 1 / 20, 1 / 8),
    "object_rotation": (0.0, 30.0, -75.0),
    "object_translation": (0.0, 6.0, -4.5),
    "object_scale": (100.0, 130.0, 70.0),
    "camera_azimuth": (0.0, 12.0, -20.0),
    "camera_elevation": (12.0, 30.0),
    "camera_distance": (0.8, 1.1),
    "roughness": (12.0, 31.0, 73.0),
    "metallic": (0.0, 40.0, 100.0),
    "transmission": (0.0, 30.0, 90.0),
    "base_hue": (0.0, 60.0, -150.0),
    "base_saturation": (10.0, 50.0, 90.0),
}


def _sweep(
    attribute: str,
    values: tuple[float, ...],
    *,
    family: str = "tabletop",
    seed: int = 8,
    size_px: int = 48,
    samples: int = 8,
    denoise: bool = True,
) -> Sweep:
    from render.sweeps.sweeps import render_sweep

    built, settings = build_scene(family, seed=seed, size_px=size_px, samples_per_pixel=samples)
    return render_sweep(built, settings, attribute, values, scene_context(denoise=denoise))


@pytest.mark.parametrize("attribute", TABLETOP)
def test_the_probes_read_what_was_set(attribute: str) -> None:
    """All ordered pairs of frames are measured, within the attribute's tolerance."""
    values = TABLETOP[attribute]
    sweep = _sweep(attribute, values)

    assert set(sweep.readings) == set(permutations(range(len(values)), 2))
    _assert_read_as_set(sweep)


def _assert_read_as_set(sweep: Sweep) -> None:
    attribute = ATTRIBUTES[sweep.attribute]
    axis = [frame.axis_value for frame in sweep.frames]
    for (source, target), reading in sweep.readings.items():
        recorded = attribute.axis_difference(axis[source], axis[target])
        assert reading.value == pytest.approx(recorded, abs=attribute.tolerance)


@pytest.mark.parametrize(
    ("family", "attribute", "values"),
    [
        ("outdoor", "sun_elevation", (12.0, 35.0, 60.0)),
        ("outdoor", "sun_azimuth", (-40.0, 20.0, 110.0)),
        ("outdoor", "fog_density", (400.0, 120.0, 40.0)),
        ("outdoor", "camera_azimuth", (0.0, 10.0)),
        ("outdoor", "focal_length", (35.0, 50.0)),
        ("outdoor", "object_scale", (100.0, 130.0)),
        ("interior", "camera_elevation", (8.0, 16.0)),
        ("interior", "roughness", (20.0, 66.0)),
        ("interior", "object_translation", (0.0, -12.0)),
        ("interior", "focus_distance", (1.6, 2.5)),
        ("head", "object_rotation", (0.0, 15.0)),
        ("head", "camera_distance", (1.0, 1.3)),
    ],
)
def test_other_families_are_read_as_well(
    family: str, attribute: str, values: tuple[float, ...]
) -> None:
    """The same probes, whatever the scene."""
    sweep = _sweep(attribute, values, family=family, size_px=32)

    _assert_read_as_set(sweep)


def test_gloss_is_read_alike_whichever_scene_a_worker_rendered_first() -> None:
    """The reference highlights are made once per worker, in its first scene."""
    from render.sweeps import surface_probes

    values = (20.0, 66.0)
    _sweep("roughness", values, family="interior", size_px=16, samples=2)
    after_another = _sweep("roughness", values, size_px=16, samples=2)
    surface_probes._render_reference_areas.cache_clear()
    at_first = _sweep("roughness", values, size_px=16, samples=2)

    assert after_another.readings == at_first.readings


@pytest.mark.parametrize("key", ["smile", "brow_raise", "jaw_open", "blink"])
def test_every_expression_is_read_from_where_the_skin_is(key: str) -> None:
    """0, 35 and 100 per cent of each shape key, within one percentage point."""
    from render.sweeps.sweeps import render_sweep

    built, settings = build_scene("head", seed=3, size_px=32)
    built = replace(built, edited_shape_key=key)

    sweep = render_sweep(
        built, settings, "shape_key", (0.0, 35.0, 100.0), scene_context(denoise=False)
    )

    assert sweep.subject == key
    _assert_read_as_set(sweep)


def test_a_wrong_setting_is_not_read_as_the_right_one() -> None:
    """The probes look at the scene, not at the number: a frame set wrongly reads wrong."""
    from render.sweeps.table import RENDERED

    built, settings = build_scene(size_px=32)
    for attribute, asked, done in (
        ("object_rotation", 30.0, 25.0),
        ("roughness", 50.0, 40.0),
        ("camera_distance", 1.0, 1.2),
        ("base_hue", 60.0, 80.0),
        ("focus_distance", 0.8, 1.1),
        ("shutter_blur", 1 / 30, 1 / 15),
    ):
        own = RENDERED[attribute].centre(built)
        assert own is not None
        probe = RENDERED[attribute].probe(built, settings, (own, asked, done))
        with RENDERED[attribute].setter(built) as put:
            put(own)
            source = probe.look()
            put(done)
            target = probe.look()
        read = probe.read(source, target).value
        as_done = ATTRIBUTES[attribute].difference(own, done)
        as_asked = ATTRIBUTES[attribute].difference(own, asked)
        assert read == pytest.approx(as_done, abs=ATTRIBUTES[attribute].tolerance)
        assert abs(read - as_asked) > ATTRIBUTES[attribute].tolerance


@pytest.mark.parametrize("attribute", sorted(TABLETOP))
def test_an_axis_leaves_the_scene_as_it_was_built(attribute: str) -> None:
    """After every sweep the picture is bit for bit what it was."""
    from render.basis import render_groups
    from render.sweeps.table import RENDERED

    built, settings = build_scene(seed=8, size_px=16, samples_per_pixel=2)
    before = render_groups(built, settings).images_GHW3

    with RENDERED[attribute].setter(built) as put:
        changed = []
        for value in TABLETOP[attribute]:
            put(value)
            changed.append(render_groups(built, settings).images_GHW3)

    assert not all(np.array_equal(before, images) for images in changed)
    assert np.array_equal(before, render_groups(built, settings).images_GHW3)


def test_a_longer_lens_shows_less_of_the_scene_larger() -> None:
    """Positive focal length difference = subject larger, read from the frames alone."""
    sweep = _sweep("focal_length", (45.0, 60.0))

    assert sweep.readings[0, 1].value > 0.3


def test_a_wider_aperture_blurs_and_holds_the_brightness() -> None:
    """At f/2 the objects behind the main object lose their edges, at the same exposure."""
    sweep = _sweep("aperture", (2.0, 16.0), seed=202, size_px=96)

    wide, narrow = (frame.linear_HW3.mean(axis=-1) for frame in sweep.frames)
    assert wide.mean() == pytest.approx(narrow.mean(), rel=0.05)
    far = slice(0, 32)  # rows at the top look past the main object
    edges = [np.percentile(np.abs(np.diff(frame[far])), 98) for frame in (wide, narrow)]
    assert edges[0] < 0.7 * edges[1]


def test_a_turned_object_leaves_what_does_not_see_it_alone() -> None:
    """Equal seeds: pixels that get no light from the main object are bit-identical."""
    sweep = _sweep("object_rotation", (0.0, 40.0), denoise=False)

    first, second = (frame.linear_HW3 for frame in sweep.frames)
    change = np.abs(first - second).max(axis=-1) / first.mean()
    assert (change == 0.0).mean() > 0.1
    assert change.max() > 0.2


def test_the_noise_of_a_frame_is_known() -> None:
    """More samples, less noise; and the mean of the two halves is the whole frame."""
    from render.basis import mean_pictures, render_groups, render_halves

    built, settings = build_scene(size_px=24, samples_per_pixel=8)
    whole = render_groups(built, settings).images_GHW3
    halves = render_halves(built, settings)

    assert np.allclose(mean_pictures(*halves).images_GHW3, whole, rtol=0.0, atol=1e-6)
    noise = [
        np.abs(_sweep("aperture", (4.0, 8.0), size_px=24, samples=n, denoise=False).noise_HW3)
        for n in (4, 64)
    ]
    assert noise[1].mean() < 0.5 * noise[0].mean()


def test_frames_know_where_the_object_is() -> None:
    """Masks follow the object, depth is that of the scene, and nothing hides it here."""
    sweep = _sweep("object_translation", (-6.0, 6.0), size_px=64)

    left, right = (frame.annotation for frame in sweep.frames)
    assert left is not None
    assert right is not None
    columns = [np.nonzero(a.mask_HW)[1].mean() for a in (left, right)]
    assert columns[0] < columns[1]
    assert 0.05 < left.mask_HW.mean() < 0.6
    assert left.visible_share > 0.8
    assert np.isfinite(left.depth_HW[left.mask_HW]).all()
    length = np.linalg.norm(left.normal_HW3[left.mask_HW], axis=-1)
    assert np.median(length) == pytest.approx(1.0, abs=1e-3)
