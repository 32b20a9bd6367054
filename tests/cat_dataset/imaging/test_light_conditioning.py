from dataclasses import replace

import numpy as np
import pytest

from cat_dataset.imaging.light_conditioning import light_conditioning
from cat_dataset.light.light_state import LampState, base_state, light_frame, light_gains_rgb
from cat_dataset.light.readout import joint_light_gains, light_gain
from cat_dataset.records import LightBasis
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis


def _dimmed(share: float) -> LightBasis:
    """Return a basis whose main lamp has a share of its light."""
    plain = make_light_basis("reach", 24)
    return replace(
        plain, images_GHW3=plain.images_GHW3 * np.float32([share, 1, 1])[:, None, None, None]
    )


@pytest.mark.parametrize("share", [1.0, 1e-2, 1e-4, 1e-6])
def test_no_gain_is_read_worse_than_its_bound(share: float) -> None:
    """Lights read all at once, and the lamp alone, at many settings."""
    basis = _dimmed(share)
    rng = derive_rng(0, "reach", str(share))
    alone_G = np.array([True, False, False])
    for _ in range(20):
        lamp = LampState(float(rng.uniform(-2.5, 2.5)), float(rng.uniform(2000.0, 9000.0)))
        state = base_state(basis).with_lamp("key", lamp)
        picture = light_frame(basis, state)
        true_G3 = light_gains_rgb(basis, state)

        together = joint_light_gains(picture, basis.images_GHW3)
        others = light_frame(basis, state, only=frozenset({"fill", "sky"}))
        alone = light_gain(picture, basis.images_GHW3[0], others)

        found_G3 = np.stack([gain.gain_rgb for gain in together])
        assert np.abs(found_G3 / true_G3 - 1.0).max() <= basis.conditioning.gain_error(true_G3)
        gap = np.abs(alone.gain_rgb / true_G3[0] - 1.0).max()
        assert gap <= basis.conditioning.gain_error(true_G3, alone_G)


def test_nothing_is_sure_where_light_is_missing_alike_or_negative() -> None:
    """There the bound says nothing, so it is infinite, or too large for any reading."""
    images = make_light_basis("reach", 24).images_GHW3
    missing, alike, negative = images.copy(), images.copy(), images.copy()
    missing[1, ..., 2] = 0.0
    alike[1] = alike[0]
    negative[2, 3, 3] = -1e-3
    gains = np.ones((3, 3))

    assert light_conditioning(missing, None).gain_error(gains) == np.inf
    assert light_conditioning(negative, None).gain_error(gains) == np.inf
    assert light_conditioning(alike, None).gain_error(gains) > 1.0
    assert light_conditioning(images, None).gain_error(gains) < 1e-4


def test_only_known_pixels_count() -> None:
    """What the sensor clipped tells nothing of a light."""
    images = make_light_basis("reach", 24).images_GHW3
    clipped_HW = np.zeros((24, 24), np.bool_)
    clipped_HW[:12] = True

    conditioning = light_conditioning(images, clipped_HW)

    np.testing.assert_allclose(
        conditioning.sizes_G3, light_conditioning(images[:, 12:], None).sizes_G3
    )
