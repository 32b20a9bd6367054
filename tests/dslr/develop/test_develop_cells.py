"""Pictures of one pixel per colour cell, against LibRaw's own."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy

from cat_dataset.system.seeding import derive_rng
from dslr.develop.develop import develop
from dslr.files.raw_file import open_raw, read_mosaic
from dslr.simulator.dng import dng_bytes, write_dng
from dslr.simulator.simulated_camera import camera_rgb
from tests.dslr.conftest import scene_light
from tests.dslr.develop.test_develop import developed, noiseless, plan_of
from tests.dslr.dng_fields import with_field
from tests.dslr.simulator.test_dng import header

COMPARABLE: dict[str, Any] = {  # LibRaw's parameters under which frames compare
    "gamma": (1, 1),
    "no_auto_bright": True,
    "output_bps": 16,
    "adjust_maximum_thr": 0.0,
    "user_flip": 0,
    "highlight_mode": rawpy.HighlightMode.Ignore,
    "output_color": rawpy.ColorSpace.raw,
}
_X, _G, _B = 0, 1, 2  # red, green, blue
XTRANS = np.array(
    [
        [_G, _B, _G, _G, _X, _G],
        [_X, _G, _X, _B, _G, _B],
        [_G, _B, _G, _G, _X, _G],
        [_G, _X, _G, _G, _B, _G],
        [_B, _G, _B, _X, _G, _X],
        [_G, _X, _G, _G, _B, _G],
    ]
)


def test_cells_equal_the_half_size_of_libraw(tmp_path: Path) -> None:
    """An independent developer, told the same, gives the same picture to its rounding."""
    path = noiseless(tmp_path, 0.1)
    plan = replace(plan_of(path, 64), camera_to_srgb=np.eye(3))

    with open_raw(path) as raw:
        got = develop(raw, read_mosaic(raw, path), plan)
        red, green, blue = plan.balance.multipliers_rgb
        codes = raw.postprocess(
            **COMPARABLE, half_size=True, user_wb=[red, green, blue, green], user_sat=15871
        )
    expected = codes * max(red, green, blue) / 65535.0

    clear = ~got.clipped_HW & (expected.max(axis=-1) < 0.9)
    assert clear.mean() > 0.9
    np.testing.assert_allclose(got.linear_HW3[clear], expected[clear], atol=2e-4)


def test_noise_below_black_keeps_the_mean_of_the_dark(tmp_path: Path) -> None:
    """A dark frame averages to black; LibRaw cuts negatives off and lifts it."""
    noise_dn = 40.0
    rng = derive_rng(0, "dark-frame")
    values = rng.normal(512.0, noise_dn, (96, 128)) + np.linspace(0.0, 200.0, 128)
    path = tmp_path / "dark.dng"
    write_dng(path, np.round(values).clip(0, 16383).astype(np.uint16), header())
    plan = replace(plan_of(path, 64), camera_to_srgb=np.eye(3))

    with open_raw(path) as raw:
        dark = develop(raw, read_mosaic(raw, path), plan).linear_HW3[:, :2, 1].mean() * 15871.0
        codes = raw.postprocess(**COMPARABLE, half_size=True, user_wb=[1, 1, 1, 1])
    by_libraw = codes[:, :2, 1].mean() / 65535.0 * 15871.0

    assert dark == pytest.approx(3.0, abs=12.0)  # the ramp's start, within four standard errors
    assert by_libraw - dark > 0.2 * noise_dn


def test_a_sensor_of_period_six_is_developed_by_cells(tmp_path: Path) -> None:
    """X-Trans: blocks of 3x3 have all colours; the same scene comes out as from a Bayer sensor."""
    bayer = noiseless(tmp_path, 0.1, size_px=192)
    xtrans = tmp_path / "xtrans.dng"
    picture = camera_rgb(scene_light("develop", 144, 192) * np.float32(0.1))
    index = np.tile(XTRANS, (24, 32))
    values = np.take_along_axis(picture, index[..., None], axis=2)[..., 0] * 15871.0 + 512
    pattern = XTRANS.astype(np.uint8).tobytes()
    data = dng_bytes(np.round(values).clip(0, 16383).astype(np.uint16), header())
    data = with_field(data, 33421, 33421, 3, struct.pack("<2H", 6, 6))
    xtrans.write_bytes(with_field(data, 33422, 33422, 1, pattern))

    got, expected = (developed(path, plan_of(path, 48)) for path in (xtrans, bayer))

    with open_raw(xtrans) as raw:
        assert read_mosaic(raw, xtrans).period == 6
    clear = ~(got.clipped_HW | expected.clipped_HW)
    error = (got.linear_HW3 - expected.linear_HW3)[clear]
    assert np.abs(np.median(error, axis=0)).max() < 0.0005
    assert np.abs(error).mean() < 0.004


def test_highlights_at_the_edge_of_an_odd_sensor_are_masked(tmp_path: Path) -> None:
    """Rows of an incomplete filter pattern take their neighbours' mask; nothing is shifted."""
    values = np.full((65, 97), 3000, np.uint16) + np.arange(97, dtype=np.uint16)
    values[50:, 80:] = 16383
    path = tmp_path / "odd.dng"
    write_dng(path, values, header())

    got = developed(path, plan_of(path))

    assert got.clipped_HW.shape == (65, 97)
    assert got.clipped_HW[50:, 80:].all()
    assert not got.clipped_HW[:48].any()
    assert not got.clipped_HW[:, :78].any()
