"""The door to LibRaw: levels, copies, and files that are not what they say."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rawpy

from cat_dataset.errors import RawError
from cat_dataset.system.seeding import derive_rng
from dslr.files.raw_file import (
    MAX_PIXELS_PER_BYTE,
    block_maxima,
    block_means,
    open_raw,
    read_mosaic,
)
from dslr.simulator.dng import dng_bytes
from dslr.simulator.simulated_camera import camera_rgb
from tests.dslr.develop.test_develop import developed, plan_of
from tests.dslr.develop.test_develop_traps import PEAK, SCENE, SIDES_PX, shot
from tests.dslr.dng_fields import with_field
from tests.dslr.simulator.test_dng import header, ramp


def limited(path: Path, share: float) -> Path:
    """Write a file that says: linear up to this share of white (LinearResponseLimit)."""
    data = shot(path, np.full((96, 128, 3), 0.9) - np.linspace(0.0, 0.1, 128)[None, :, None])
    limit = struct.pack("<2I", round(share * 1000), 1000)
    path.write_bytes(with_field(data, 305, 50734, 5, limit))
    return path


def test_clipping_begins_at_the_lower_of_two_white_levels(tmp_path: Path) -> None:
    """A sensor that saturates at 80 % of its nominal white: by that one, not a pixel clips."""
    path = limited(tmp_path / "x.dng", 0.8)

    with open_raw(path) as raw:
        nominal, own = raw.white_level, raw.camera_white_level_per_channel
        mosaic = read_mosaic(raw, path)

    assert nominal == 16383
    assert own is not None
    assert max(own) < 0.85 * nominal
    assert (mosaic.planes_PHW >= 0.985 * nominal).mean() == 0.0  # the wrong level sees nothing
    assert mosaic.clipped_values().mean() > 0.99
    for side_px in SIDES_PX:
        assert developed(path, plan_of(path, side_px)).clipped_HW.mean() > 0.95


VIEW_AFTER_CLOSE = """
import sys, rawpy
with rawpy.imread(sys.argv[1]) as raw:
    view, truth = raw.raw_image_visible, raw.raw_image_visible.copy()
sys.exit(0 if (view == truth).all() else 3)
"""


def test_a_view_into_a_closed_file_is_gone(tmp_path: Path) -> None:
    """Read after closing, LibRaw's view crashes or shows other values; the mosaic is a copy."""
    path = tmp_path / "x.dng"
    shot(path, np.repeat(np.repeat(camera_rgb(SCENE), 2, axis=0), 2, axis=1) * (0.5 / PEAK))

    died = run_alone(["-c", VIEW_AFTER_CLOSE, str(path)])
    with open_raw(path) as raw:
        seen = raw.raw_image_visible.copy()
        mosaic = read_mosaic(raw, path)

    assert died != 0
    assert mosaic.planes_PHW.base is None
    np.testing.assert_array_equal(mosaic.planes_PHW[3], seen[1::2, 1::2])


def run_alone(arguments: Sequence[str]) -> int:
    """Run Python in a process of its own; freed memory goes back to the system at once."""
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def read(path: Path) -> None:
    """Open a file and copy its mosaic."""
    with open_raw(path) as raw:
        read_mosaic(raw, path)


def long(value: int) -> bytes:
    """Return one LONG of TIFF."""
    return struct.pack("<I", value)


def test_a_header_that_promises_too_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    """30000 x 30000 pixels in a file of 3 KB would be 1.8 GB of nothing."""
    path = tmp_path / "huge.dng"
    data = with_field(dng_bytes(ramp(), header()), 256, 256, 4, long(30_000))
    path.write_bytes(with_field(data, 257, 257, 4, long(30_000)))

    with pytest.raises(RawError, match=r"huge\.dng: its header promises 30000x30000 pixels"):
        read(path)


def test_a_little_more_than_the_file_holds_is_an_error_of_libraw(tmp_path: Path) -> None:
    """Within what compression could explain, only decoding shows that pixels are missing."""
    path = tmp_path / "tall.dng"
    data = dng_bytes(ramp(), header())
    height = MAX_PIXELS_PER_BYTE * len(data) // 48 - 1
    path.write_bytes(with_field(data, 257, 257, 4, long(height)))

    with pytest.raises(RawError, match=r"tall\.dng: LibRaw cannot read it"):
        read(path)


def test_levels_without_room_for_light_are_refused(tmp_path: Path) -> None:
    """White at black would divide by zero."""
    path = tmp_path / "x.dng"
    shot(path, camera_rgb(SCENE), white=520)

    with pytest.raises(RawError, match="white level of 520 DN is not 16 DN above its black level"):
        read(path)


@pytest.mark.parametrize("pattern", [(1, 1, 1, 1), (0, 2, 2, 2)])
def test_a_pattern_without_all_three_colours_is_refused(
    tmp_path: Path, pattern: tuple[int, ...]
) -> None:
    """A broken CFAPattern would give pictures without a colour."""
    path = tmp_path / "x.dng"
    data = dng_bytes(ramp(), header())
    path.write_bytes(with_field(data, 33422, 33422, 1, bytes(pattern)))

    with pytest.raises(RawError, match="red, green and blue are needed, all three and no others"):
        read(path)


def test_a_monochrome_sensor_is_refused_in_words(tmp_path: Path) -> None:
    """LinearRaw of one sample is a camera without filters: no balance, no colours."""
    path = tmp_path / "grey.dng"
    path.write_bytes(with_field(dng_bytes(ramp(), header()), 262, 262, 3, struct.pack("<H", 34892)))

    with pytest.raises(RawError, match=r"grey\.dng: .*monochrome and special sensors"):
        read(path)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe named like a RAW file would be read for ever."""
    os.mkfifo(tmp_path / "pipe.dng")
    (tmp_path / "folder.dng").mkdir()

    for name in ("pipe.dng", "folder.dng"):
        with pytest.raises(RawError, match=f"{name}: is not a regular file"):
            read(tmp_path / name)


def test_a_name_that_is_no_text_is_refused_in_text(tmp_path: Path) -> None:
    """Tables hold UTF-8: the reason shows the bytes instead of holding them."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.dng"))
    path.write_bytes(dng_bytes(ramp(), header()))

    with pytest.raises(RawError, match="its name is not UTF-8; rename the file") as caught:
        read(path)
    assert str(caught.value).isascii()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Its own name and what to check, in one line."""
    with pytest.raises(RawError, match=r"gone\.dng: .* check") as caught:
        read(tmp_path / "gone.dng")
    assert "(b'" not in str(caught.value)


def test_empty_and_random_pixels_are_no_picture(tmp_path: Path) -> None:
    """A file may open without an error and yet hold nothing."""
    empty, noise = tmp_path / "empty.dng", tmp_path / "noise.dng"
    empty.write_bytes(dng_bytes(np.full((64, 64), 700, np.uint16), header()))
    values = derive_rng(0, "noise").integers(512, 16383, (64, 64), dtype=np.uint16)
    noise.write_bytes(dng_bytes(values, header()))

    with pytest.raises(RawError, match=r"empty\.dng: its pixels are empty"):
        read(empty)
    with pytest.raises(RawError, match=r"noise\.dng: neighbouring pixels do not resemble"):
        read(noise)


@pytest.mark.raw
def test_a_real_file_has_two_white_levels(raw_folder: Path) -> None:
    """The Panasonic file says 4079 where LibRaw scales by 4095."""
    path = raw_folder / "metadata_only" / "et_Panasonic.rw2"  # its pixels were cut away
    with rawpy.imread(str(path)) as raw:
        assert raw.white_level == 4095
        assert raw.camera_white_level_per_channel == [4079] * 4


@pytest.mark.parametrize("side", [1, 3, 4, 19])
def test_blocks_are_averaged_exactly(side: int) -> None:
    """Means and maxima equal the obvious reduction; incomplete blocks are left out."""
    values = derive_rng(0, "blocks").integers(0, 65536, (2, 41, 58), dtype=np.uint16)
    height, width = 41 // side, 58 // side
    cut = values[:, : height * side, : width * side].reshape(2, height, side, width, side)

    means, maxima = block_means(values, side), block_maxima(values, side)

    np.testing.assert_array_equal(means, cut.astype(np.float64).mean(axis=(2, 4)))
    np.testing.assert_array_equal(maxima, cut.max(axis=(2, 4)))
