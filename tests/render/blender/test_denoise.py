"""The denoiser inside the bpy wheel: removes noise, keeps proportions, repeats itself."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng

if TYPE_CHECKING:
    from render.blender.denoise import Guides

pytestmark = pytest.mark.bpy

Picture = NDArray[np.float32]


def _noisy_card() -> tuple[Picture, Picture, "Guides"]:
    """Return a two-tone card: clean, noisy, and its guides."""
    from render.blender.denoise import Guides

    rng = derive_rng(0, "test-denoise")
    clean = np.full((64, 64, 3), 0.2, np.float32)
    clean[:, 32:] = 0.8
    noisy = (clean * rng.gamma(4.0, 0.25, clean.shape)).astype(np.float32)
    normal = np.zeros_like(clean)
    normal[..., 2] = 1.0
    return clean, noisy, Guides(clean.copy(), normal)


def test_noise_goes_and_the_edge_stays() -> None:
    """The result is much closer to the clean picture than the input."""
    from render.blender.denoise import Denoiser

    clean, noisy, guides = _noisy_card()

    result = Denoiser().denoise(noisy, guides)

    assert np.abs(result - clean).mean() < 0.2 * np.abs(noisy - clean).mean()


def test_twice_the_light_gives_twice_the_result() -> None:
    """Denoising is homogeneous: a light group may be scaled before or after."""
    from render.blender.denoise import Denoiser

    _, noisy, guides = _noisy_card()
    denoiser = Denoiser()

    once, twice = (denoiser.denoise(noisy * gain, guides) for gain in (1.0, 2.0))

    assert np.abs(twice - 2.0 * once).max() <= 1e-5 * twice.max()


def test_the_same_noise_gives_the_same_bits() -> None:
    """Two devices, one result."""
    from render.blender.denoise import Denoiser

    _, noisy, guides = _noisy_card()

    first, second = (Denoiser().denoise(noisy, guides) for _ in range(2))

    assert np.array_equal(first, second)


def test_guides_lose_their_own_noise_and_their_excess() -> None:
    """A noisy albedo comes out flat, and never above 1."""
    from render.blender.denoise import Denoiser

    clean, noisy, guides = _noisy_card()

    cleaned = Denoiser().clean_guides(noisy, guides.normal_HW3)

    assert cleaned.albedo_HW3.max() <= 1.0
    assert np.abs(cleaned.albedo_HW3 - clean).mean() < 0.4 * np.abs(noisy - clean).mean()
