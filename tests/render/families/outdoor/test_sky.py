"""Sun and sky: the sun stands where it is told, and gives the light of its elevation."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from render.families.outdoor.sky import SunAndSky

pytestmark = pytest.mark.bpy

ALBEDO = 0.5
CARD_TURNS_DEG = (0.0, 120.0, 240.0)
CARD_TILT_DEG = 20.0


def _add_sun(scene: Any, elevation_deg: float, azimuth_deg: float) -> "SunAndSky":
    from render.families.outdoor.sky import SkyDraw, add_sun_and_sky

    drawn = SkyDraw(elevation_deg, azimuth_deg, 2.5, 0.0, (0.0, 0.0, 0.0))
    return add_sun_and_sky(scene, drawn)


def _card_scene(tilt_deg: float) -> tuple[Any, np.ndarray]:
    """Return a scene of three white cards side by side, seen from above, and their normals."""
    import bpy

    from render.blender.meshes import add_mesh
    from render.blender.nodes import NodeGraph
    from render.blender.session import fresh_scene
    from render.blender.shapes import Shape, rotation
    from render.blender.versions import enable_nodes

    scene = fresh_scene()
    material = bpy.data.materials.new("white")
    enable_nodes(material)
    graph = NodeGraph(material.node_tree)
    diffuse = graph.node("ShaderNodeBsdfDiffuse", {"Color": (ALBEDO,) * 3})
    graph.surface(diffuse.outputs["BSDF"])
    corners = np.array([[-0.4, -0.4, 0.0], [0.4, -0.4, 0.0], [0.4, 0.4, 0.0], [-0.4, 0.4, 0.0]])
    card = Shape(corners, np.array([[0, 1, 2, 3]]), np.zeros(1, np.int64))
    normals = []
    for number, turn_deg in enumerate(CARD_TURNS_DEG):
        turned = rotation("z", turn_deg) @ rotation("y", tilt_deg)
        normals.append(turned @ [0.0, 0.0, 1.0])
        shape = Shape(card.vertices_V3 @ turned.T, card.faces_F4, card.slots_F)
        add_mesh(scene, f"card-{number}", shape.moved(x_m=2.0 * (number - 1)), [material])
    _look_down(scene)
    return scene, np.array(normals)


def _look_down(scene: Any) -> None:
    import bpy

    data = bpy.data.cameras.new("camera")
    data.type, data.ortho_scale = "ORTHO", 6.0
    camera = bpy.data.objects.new("camera", data)
    camera.location = (0.0, 0.0, 10.0)
    scene.collection.objects.link(camera)
    scene.camera = camera


def _card_radiances(scene: Any, samples: int = 4) -> dict[str, np.ndarray]:
    """Return what each card sends up, by light group, shape (3, 3): card, colour."""
    from render.blender.renderer import RenderSettings, apply_settings, render_passes

    apply_settings(scene, RenderSettings(30, 10, samples, seed=1, diffuse_bounces=0))
    passes = render_passes(scene)
    return {
        group: np.stack(
            [
                passes[f"Combined_{group}"][4:6, 10 * n + 4 : 10 * n + 6, :3].mean(axis=(0, 1))
                for n in range(3)
            ]
        )
        for group in ("sun", "sky")
    }


@pytest.mark.parametrize(
    ("elevation_deg", "golden"), [(90.0, 0.9997), (30.0, 1.9943), (10.0, 5.5861)]
)
def test_air_mass_has_the_published_numbers(elevation_deg: float, golden: float) -> None:
    """1 / (sin h + 0.50572 (h + 6.07995)**-1.6364), worked out by hand."""
    from render.families.outdoor.sky import air_mass

    assert air_mass(elevation_deg) == pytest.approx(golden, abs=1e-4)


def test_a_lower_sun_is_warmer_and_weaker() -> None:
    """Kelvin and irradiance rise with elevation, 2 to 85 degrees, in the range of daylight."""
    from render.families.outdoor.sky import sun_cct_k, sun_irradiance_w_m2

    elevations = np.linspace(2.0, 85.0, 40)
    for turbidity in (2.0, 3.5):
        kelvins = np.array([sun_cct_k(float(h), turbidity) for h in elevations])
        assert (np.diff(kelvins) > 0.0).all()
        assert 1800.0 < kelvins[0] < 2500.0
        assert 5000.0 < kelvins[-1] < 5500.0
    assert (np.diff([sun_irradiance_w_m2(float(h)) for h in elevations]) > 0.0).all()


def test_the_sun_has_the_irradiance_of_meinels_formula() -> None:
    """1353 * 0.7**(1.9943**0.678) = 768 W/m2 at 30 degrees."""
    from render.families.outdoor.sky import sun_irradiance_w_m2

    assert sun_irradiance_w_m2(30.0) == pytest.approx(1353.0 * 0.7**1.5967, rel=1e-3)


@pytest.mark.parametrize(
    ("elevation_deg", "azimuth_deg"), [(30.0, 20.0), (45.0, 200.0), (62.0, 335.0)]
)
def test_cards_are_lit_from_where_the_sun_is_said_to_stand(
    elevation_deg: float, azimuth_deg: float
) -> None:
    """Three tilted cards tell the direction and the strength of the light that fell on them."""
    from render.families.outdoor.sky import LIGHT_UNIT_W_M2, sun_irradiance_w_m2

    scene, normals = _card_scene(CARD_TILT_DEG)
    _add_sun(scene, 50.0, 100.0).move(elevation_deg, azimuth_deg)

    radiance = _card_radiances(scene)["sun"][:, 1]

    towards = np.linalg.solve(normals, radiance * math.pi / ALBEDO)
    irradiance = float(np.linalg.norm(towards))
    found_deg = math.degrees(math.asin(towards[2] / irradiance))
    turn_deg = math.degrees(math.atan2(towards[1], towards[0]))
    assert found_deg == pytest.approx(elevation_deg, abs=0.5)
    assert (turn_deg - azimuth_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.5)
    expected = sun_irradiance_w_m2(elevation_deg) / LIGHT_UNIT_W_M2
    assert irradiance == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("elevation_deg", "low", "high"), [(60.0, 4.0, 8.0), (30.0, 3.0, 6.0), (5.0, 0.5, 1.3)]
)
def test_sun_and_sky_keep_a_photographic_ratio(
    elevation_deg: float, low: float, high: float
) -> None:
    """On level ground the sun gives 4 to 8 times the sky's light when high, about as much low."""
    from cat_dataset.imaging.photometry import luminance
    from render.families.outdoor.sky import LIGHT_UNIT_W_M2, sky_irradiance_w_m2

    scene, _ = _card_scene(0.0)
    _add_sun(scene, elevation_deg, 70.0)

    light = _card_radiances(scene, samples=1024)

    sun = float(luminance(light["sun"].mean(axis=0)))
    sky = float(luminance(light["sky"].mean(axis=0)))
    assert low < sun / sky < high
    expected = sky_irradiance_w_m2(elevation_deg) / LIGHT_UNIT_W_M2
    assert sky * math.pi / ALBEDO == pytest.approx(expected, rel=0.05)


def test_the_sky_turns_with_the_sun() -> None:
    """The lamp shines from where the sky is brightest: both have one direction."""
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    sun = _add_sun(scene, 30.0, 20.0)

    cct_k = sun.move(12.0, 250.0)

    scene.view_layers[0].update()
    lamp_axis = np.array(sun.lamp.matrix_world.to_3x3()) @ [0.0, 0.0, 1.0]
    assert lamp_axis == pytest.approx(np.array(sun.sky.sun_direction), abs=1e-5)
    assert lamp_axis[2] == pytest.approx(math.sin(math.radians(12.0)), abs=1e-5)
    assert 3500.0 < cct_k < 4100.0
    assert (sun.elevation_deg, sun.azimuth_deg) == (30.0, 20.0)  # as drawn


@pytest.mark.parametrize("elevation_deg", [1.0, 86.0])
def test_a_sun_beyond_the_models_is_refused(elevation_deg: float) -> None:
    """Neither below the horizon's haze nor in the zenith."""
    from render.blender.session import fresh_scene

    sun = _add_sun(fresh_scene(), 30.0, 20.0)

    with pytest.raises(ValueError, match="2 to 85"):
        sun.move(elevation_deg, 0.0)


def test_the_sun_lamp_is_white_and_in_its_own_group() -> None:
    """Colour is a matter of numpy; sun and sky can be told apart."""
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    sun = _add_sun(scene, 30.0, 20.0)

    assert tuple(sun.lamp.data.color) == (1.0, 1.0, 1.0)
    assert not sun.lamp.data.use_temperature
    assert sun.lamp.lightgroup == "sun"
    assert scene.world.lightgroup == "sky"
