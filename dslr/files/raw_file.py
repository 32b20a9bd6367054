"""The one door to LibRaw: opens a RAW file, copies its sensor values out, names what is wrong.

rawpy is imported inside the functions, so that listing commands and help need no extra; its views
into a file die with the file, so everything that leaves this module is a copy.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import RawError

Array = NDArray[np.float32]
CLIP_MARGIN = 0.985  # pixels clip below the nominal white: PRNU and Nikon's soft knee
MAX_PIXELS = 256_000_000  # of a sensor; the largest camera backs have 151 million
# A quarter of a bit each: strong lossy compression keeps some three bits per pixel.
MAX_PIXELS_PER_BYTE = 32
_MIN_RANGE_DN = 16.0  # white above black; the oldest cameras have 8 bits
_CHECKED_ROWS = 256  # of a plane are enough to tell a picture from noise
_CHANNEL_OF_LETTER = {"R": 0, "G": 1, "B": 2}
_LINEAR_PERIOD = 1


@contextmanager
def open_raw(path: Path) -> Iterator[Any]:
    """Open a RAW file for reading; LibRaw decodes it when its pixels are first asked for.

    Raises:
        RawError: the file cannot be read, LibRaw refuses it, now or while it is being used, or
            its header promises more pixels than it can hold.
    """
    import rawpy

    _check_is_file(path)
    try:
        with rawpy.imread(str(path)) as raw:
            _check_size(raw, path)
            yield raw
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        msg = (
            f"{path}: LibRaw cannot read it ({_plain(error)}); check that the file is complete, "
            f"or convert it to DNG"
        )
        raise RawError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be opened ({_plain(error)}); check the file and its permissions"
        raise RawError(msg) from None


def _check_is_file(path: Path) -> None:
    """Raise RawError for what LibRaw cannot open; reading a pipe would wait for ever."""
    if any("\udc80" <= sign <= "\udcff" for sign in str(path)):  # how Python keeps such bytes
        msg = f"{path.name!a}: its name is not UTF-8; rename the file"
        raise RawError(msg)
    if path.exists() and not path.is_file():
        msg = f"{path}: is not a regular file but a folder, pipe or device; leave it out"
        raise RawError(msg)


def _check_size(raw: Any, path: Path) -> None:
    """Raise RawError where the header's size cannot be true; nothing of that size is allocated."""
    width, height = raw.sizes.raw_width, raw.sizes.raw_height
    num_bytes = path.stat().st_size
    most = min(MAX_PIXELS, MAX_PIXELS_PER_BYTE * num_bytes)
    if width * height > most:
        msg = (
            f"{path}: its header promises {width}x{height} pixels, but a file of {num_bytes} "
            f"bytes holds at most {most} ({MAX_PIXELS_PER_BYTE} per byte, never above "
            f"{MAX_PIXELS / 1e6:.0f} megapixels); the header is broken, copy the file anew"
        )
        raise RawError(msg)


def _plain(error: Exception) -> str:
    """Return an error's own words; rawpy hands over bytes, or a number with its meaning."""
    first = error.args[0] if error.args else type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        first = error.strerror
    if isinstance(first, tuple):
        first = first[-1]
    return first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)


def software_versions() -> Mapping[str, str]:
    """Return the versions of everything that shapes a developed pixel."""
    import rawpy

    return {
        "rawpy": version("rawpy"),
        "libraw": ".".join(str(part) for part in rawpy.libraw_version),
        "opencv": cv2.__version__,
    }


@dataclass(frozen=True)
class Mosaic:
    """Sensor values of one file, copied, with the levels that give them a meaning.

    A period x period filter pattern is kept as period**2 planes, each of one colour; a linear DNG
    has no pattern and keeps three planes of full size.
    """

    planes_PHW: NDArray[np.uint16]
    channel_P: tuple[int, ...]  # colour of each plane: 0 red, 1 green, 2 blue
    black_P: NDArray[np.float64]  # DN
    white_P: NDArray[np.float64]  # DN, the lower of LibRaw's constant and the file's own value
    period: int  # 1 linear, 2 Bayer, 6 X-Trans

    @property
    def clip_levels_dn(self) -> NDArray[np.float64]:
        """DN from which a value counts as clipped, one per plane."""
        return self.black_P + CLIP_MARGIN * (self.white_P - self.black_P)

    @property
    def full_scale_dn(self) -> float:
        """White above black in DN, of the green planes."""
        green = [i for i, channel in enumerate(self.channel_P) if channel == 1]
        return float((self.white_P - self.black_P)[green].min())

    @property
    def clip_codes(self) -> tuple[int, ...]:
        """Smallest whole DN that counts as clipped, one per plane."""
        return tuple(math.ceil(level) for level in self.clip_levels_dn)

    def clipped_values(self) -> NDArray[np.bool_]:
        """Return which sensor values are clipped, of the shape of the planes."""
        # whole numbers of one plane: compared with float64, all would be converted first
        planes = zip(self.planes_PHW, self.clip_codes, strict=True)
        return np.stack([plane >= code for plane, code in planes])


def read_mosaic(raw: Any, path: Path) -> Mosaic:
    """Copy the visible sensor values of an open file.

    Raises:
        RawError: colours other than red, green, blue; levels or values that make no picture.
    """
    values = _visible_values(raw, path)
    if values.ndim == 3:
        period, pattern = _LINEAR_PERIOD, np.arange(3)
        planes_PHW = np.ascontiguousarray(np.moveaxis(values[..., :3], -1, 0))
    else:
        period, pattern = _filter_pattern(raw, path)
        planes_PHW = _planes(values, period)
    mosaic = Mosaic(
        planes_PHW=planes_PHW,
        channel_P=_channels(raw, pattern, path),
        black_P=np.array(raw.black_level_per_channel, np.float64)[pattern],
        white_P=_white_levels(raw)[pattern],
        period=period,
    )
    _check_levels(mosaic, path)
    _check_is_picture(mosaic, path)
    return mosaic


def block_means(planes_PHW: NDArray[np.uint16], side: int) -> NDArray[np.float64]:
    """Return the mean of every block of side x side values of each plane, (P, H/side, W/side).

    What is left over at the far edges is left out. Exact: whole numbers are added.
    """
    sums = _per_block(planes_PHW, side, np.add, np.uint32)
    return sums / float(side * side)


def block_maxima(planes_PHW: NDArray[np.uint16], side: int) -> NDArray[np.uint16]:
    """Return the largest value of every block of side x side values, as `block_means`."""
    return _per_block(planes_PHW, side, np.maximum, np.uint16)


def _per_block(
    planes_PHW: NDArray[np.uint16],
    side: int,
    combine: np.ufunc,
    dtype: type[np.unsignedinteger[Any]],
) -> NDArray[Any]:
    """Combine whole rows, then whole columns: 30 times as fast as reducing two short axes."""
    height, width = (length // side * side for length in planes_PHW.shape[1:])
    cut_PHW = planes_PHW[:, :height, :width]
    rows = cut_PHW[:, ::side].astype(dtype)
    for y in range(1, side):
        combine(rows, cut_PHW[:, y::side], out=rows)
    blocks = rows[..., ::side].copy()
    for x in range(1, side):
        combine(blocks, rows[..., x::side], out=blocks)
    return blocks


def _visible_values(raw: Any, path: Path) -> NDArray[np.uint16]:
    """Return LibRaw's view of the sensor values, (H, W) or (H, W, colours): no copy yet."""
    try:
        values: NDArray[np.uint16] = raw.raw_image_visible
    except RuntimeError:  # rawpy takes arrays of whole numbers only
        msg = f"{path}: its pixels are no whole sensor values (a float DNG?); convert the RAW anew"
        raise RawError(msg) from None
    return values


def _filter_pattern(raw: Any, path: Path) -> tuple[int, NDArray[np.int64]]:
    """Return the period of the filter pattern, and LibRaw's colour index of its places in rows."""
    try:
        period = len(raw.raw_pattern)
    except NotImplementedError:  # rawpy's word for neither Bayer nor X-Trans
        msg = f"{path}: its filter pattern is unknown to LibRaw; convert it to a linear DNG"
        raise RawError(msg) from None
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    places = [(top + y, left + x) for y in range(period) for x in range(period)]
    return period, np.array([raw.raw_color(y, x) for y, x in places])


def _channels(raw: Any, pattern: NDArray[np.int64], path: Path) -> tuple[int, ...]:
    """Return the colour of each plane: 0 red, 1 green, 2 blue.

    Raises:
        RawError: other colours, or not all three of them.
    """
    letters = raw.color_desc.decode("ascii", "replace")
    found = [letters[index : index + 1] or "none" for index in pattern]
    if set(found) != set(_CHANNEL_OF_LETTER):
        msg = (
            f"{path}: its pixels see the colours {', '.join(sorted(set(found)))}; red, green and "
            f"blue are needed, all three and no others: leave out monochrome and special sensors"
        )
        raise RawError(msg)
    return tuple(_CHANNEL_OF_LETTER[letter] for letter in found)


def _planes(values_HW: NDArray[np.uint16], period: int) -> NDArray[np.uint16]:
    """Return the values of each place of the filter pattern, (period**2, H / period, W / period).

    The rows and columns of an incomplete pattern at the far edges are left out.
    """
    height, width = (side // period * period for side in values_HW.shape)
    cut = values_HW[:height, :width]
    return np.stack([cut[y::period, x::period] for y in range(period) for x in range(period)])


def _white_levels(raw: Any) -> NDArray[np.float64]:
    """Return the lower of the two white levels of a file, per channel in DN."""
    own = raw.camera_white_level_per_channel or [raw.white_level] * 4
    return np.array([min(raw.white_level, level or raw.white_level) for level in own], np.float64)


def _check_levels(mosaic: Mosaic, path: Path) -> None:
    """Raise RawError where black and white leave no room for light."""
    room_P = mosaic.white_P - mosaic.black_P
    worst = int(room_P.argmin())
    if room_P[worst] < _MIN_RANGE_DN:
        msg = (
            f"{path}: its white level of {mosaic.white_P[worst]:g} DN is not {_MIN_RANGE_DN:g} DN "
            f"above its black level of {mosaic.black_P[worst]:g} DN; the header is broken, copy "
            f"the file anew"
        )
        raise RawError(msg)


def _check_is_picture(mosaic: Mosaic, path: Path) -> None:
    """Raise RawError where a file opens, but its pixels were cut away or are garbage.

    Neighbours of one colour agree in a picture; in noise, and in data read at a wrong place, they
    do not. Rows all over the first plane are looked at.
    """
    height, width = mosaic.planes_PHW.shape[1:]
    if min(height, width) < 8:
        msg = (
            f"{path}: has {width}x{height} values per colour, at least 8x8 are needed; leave it out"
        )
        raise RawError(msg)
    rows = mosaic.planes_PHW[0, :: -(-height // _CHECKED_ROWS)].astype(np.float32)
    low, high = np.percentile(rows, (1.0, 99.0))
    if low == high >= mosaic.clip_codes[0]:
        return  # burnt out all over: a whole file, of whose light nothing can be compared
    if low == high:
        msg = (
            f"{path}: its pixels are empty (98 % of {width}x{height} equal {low:g} DN); the "
            f"file's pixel data was cut away, leave it out"
        )
        raise RawError(msg)
    likeness = float(np.corrcoef(rows[:, :-1].ravel(), rows[:, 1:].ravel())[0, 1])
    if likeness < 0.1:
        msg = (
            f"{path}: neighbouring pixels do not resemble each other (correlation "
            f"{likeness:.2f}, at least 0.1 is needed); its pixel data is broken, or holds no "
            f"light, leave it out"
        )
        raise RawError(msg)
