import cv2
import numpy as np
import pytest

from train.data.batches import resize_area
from train.edit.guided_gain import apply_gain, enlarged_gain, log2_light, transfer_gain


def edge_picture(size_px: int) -> np.ndarray:
    """Return light with a sharp vertical edge from 0.1 to 0.8, float32 (size, size, 3)."""
    light = np.full((size_px, size_px, 3), 0.1, np.float32)
    light[:, size_px // 2 :] = 0.8
    return light


def test_a_constant_gain_is_carried_over_exactly() -> None:
    """One stop everywhere stays one stop, at any size."""
    small, full = log2_light(edge_picture(32)), log2_light(edge_picture(101))

    gain = transfer_gain(small, np.ones_like(small), full)

    np.testing.assert_allclose(gain, 1.0, atol=1e-4)


def test_zero_gain_returns_the_light() -> None:
    """No change of light, whatever its level."""
    light = edge_picture(16)

    np.testing.assert_allclose(apply_gain(light, np.zeros_like(light)), light, atol=1e-6)


def test_a_gain_that_follows_an_edge_stays_sharp_when_enlarged() -> None:
    """Plain enlarging smears the step over several pixels; the fitted lines do not."""
    small_light, full_light = edge_picture(32), edge_picture(256)
    small_gain = np.where(small_light > 0.5, 1.0, -1.0).astype(np.float32)
    true_gain = np.where(full_light > 0.5, 1.0, -1.0)

    guided = transfer_gain(log2_light(small_light), small_gain, log2_light(full_light))
    plain = cv2.resize(small_gain, (256, 256), interpolation=cv2.INTER_LINEAR)

    beside_edge = np.s_[:, 124:132]
    guided_error, plain_error = (
        np.abs(gain - true_gain)[beside_edge].mean() for gain in (guided, plain)
    )
    assert guided_error < 0.1
    assert guided_error < 0.2 * plain_error


def lamp_picture(size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return light and the share of it that a lamp gives: bright spots in a dim, textured room."""
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px
    share = 0.9 * ((np.sin(19 * rows) * np.cos(23 * columns)) > 0.2)
    texture = 0.1 + 0.05 * np.sin(31 * columns + 7 * rows)
    light = texture / (1.0 - share)
    return tuple(np.repeat(a[..., None], 3, 2).astype(np.float32) for a in (light / 4, share))


def test_a_lamp_keeps_its_power_when_enlarged() -> None:
    """Windows alone would weaken it; what was asked is what the enlarged picture shows."""
    light, share = lamp_picture(72)
    small, small_target = (resize_area(p, 48, 48) for p in (light, light * (1.0 + 3.0 * share)))
    small_gain = log2_light(small_target) - log2_light(small)

    windows_alone = transfer_gain(log2_light(small), small_gain, log2_light(light))
    corrected = enlarged_gain(small, small_gain, light)

    achieved = [
        float((apply_gain(light, gain) - light)[share > 0].sum() / (light * share).sum())
        for gain in (windows_alone, corrected)
    ]
    assert achieved[1] == pytest.approx(3.0, rel=0.02)
    assert abs(achieved[0] - 3.0) > 3 * abs(achieved[1] - 3.0)


def test_a_gain_of_its_own_size_is_the_gain() -> None:
    """Where the model saw every pixel, nothing is smoothed."""
    light, share = lamp_picture(48)
    gain = np.log2(1.0 + share, dtype=np.float32)

    np.testing.assert_allclose(enlarged_gain(light, gain, light), gain, atol=1e-5)


def test_one_stop_doubles_light_and_keeps_black() -> None:
    """Gain is a factor on light, also far below the floor of log light."""
    light = np.array([[[0.0, 1e-4, 0.4]]], np.float32)

    doubled = apply_gain(light, np.ones((1, 1, 3), np.float32))

    assert doubled.ravel().tolist() == pytest.approx([0.0, 2e-4, 0.8])
