"""The one door to LibRaw: opens a RAW file, copies its sensor values out, names what is wrong.

rawpy is imported inside the functions, so that listing commands and help need no extra; its views
into a file die with the file, so everything that leaves this module is a copy.
"""

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
_CHANNEL_OF_LETTER = {"R": 0, "G": 1, "B": 2}
_LINEAR_PERIOD = 1


@contextmanager
def open_raw(path: Path) -> Iterator[Any]:
    """Open a RAW file for reading.

    Raises:
        RawError: the file cannot be read, or LibRaw refuses it, now or while it is being used.
    """
    import rawpy

    try:
        with rawpy.imread(str(path)) as raw:
            yield raw
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        msg = (
            f"{path}: LibRaw cannot read it ({_plain(error)}); check that the file is complete, "
            f"or convert it to DNG"
        )
        raise RawError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror or error}); check the file's permissions"
        raise RawError(msg) from None


def _plain(error: Exception) -> str:
    """Return LibRaw's own words; rawpy hands some of them over as bytes."""
    first = error.args[0] if error.args else type(error).__name__
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

    def clipped_values(self) -> NDArray[np.bool_]:
        """Return which sensor values are clipped, of the shape of the planes."""
        clipped: NDArray[np.bool_] = self.planes_PHW >= self.clip_levels_dn[:, None, None]
        return clipped


def read_mosaic(raw: Any, path: Path) -> Mosaic:
    """Copy the visible sensor values of an open file.

    Raises:
        RawError: colours other than red, green, blue; or values that are no picture.
    """
    import rawpy

    letters = raw.color_desc.decode("ascii")
    if raw.raw_type == rawpy.RawType.Stack:
        period, pattern = _LINEAR_PERIOD, np.arange(3)
        planes_PHW = np.ascontiguousarray(np.moveaxis(raw.raw_image_visible[..., :3], -1, 0))
    else:
        period = len(raw.raw_pattern)
        pattern = raw.raw_colors_visible[:period, :period].ravel()
        planes_PHW = _planes(raw.raw_image_visible, period)
    channels = [_CHANNEL_OF_LETTER.get(letters[index : index + 1]) for index in pattern]
    if None in channels:
        msg = f"{path}: its filter colours are {letters!r}; only red, green and blue are supported"
        raise RawError(msg)
    mosaic = Mosaic(
        planes_PHW=planes_PHW,
        channel_P=tuple(channel for channel in channels if channel is not None),
        black_P=np.array(raw.black_level_per_channel, np.float64)[pattern],
        white_P=_white_levels(raw)[pattern],
        period=period,
    )
    _check_is_picture(mosaic, path)
    return mosaic


def _planes(values_HW: NDArray[np.uint16], period: int) -> NDArray[np.uint16]:
    """Return the values of each place of the filter pattern, (period**2, H / period, W / period).

    The rows and columns of an incomplete pattern at the far edges are left out.
    """
    height, width = (side // period * period for side in values_HW.shape)
    cut = values_HW[:height, :width]
    return np.stack([cut[y::period, x::period] for y in range(period) for x in range(period)])


def _white_levels(raw: Any) -> NDArray[np.float64]:
    """Return the lower of the two white levels a file knows, per channel in DN."""
    own = raw.camera_white_level_per_channel or [raw.white_level] * 4
    return np.array([min(raw.white_level, level or raw.white_level) for level in own], np.float64)


def _check_is_picture(mosaic: Mosaic, path: Path) -> None:
    """Raise RawError where a file opens, but its pixels were cut away or are garbage.

    Neighbours of one colour agree in a picture; in noise, and in data read at a wrong place, they
    do not.
    """
    plane = mosaic.planes_PHW[0].astype(np.float32)
    low, high = np.percentile(plane, (1.0, 99.0))
    if min(plane.shape) < 8 or low == high:
        msg = (
            f"{path}: its pixels are empty (98 % of {plane.shape[1]}x{plane.shape[0]} equal "
            f"{low:g} DN); the file's pixel data was cut away, leave it out"
        )
        raise RawError(msg)
    likeness = float(np.corrcoef(plane[:, :-1].ravel(), plane[:, 1:].ravel())[0, 1])
    if likeness < 0.1:
        msg = (
            f"{path}: neighbouring pixels do not resemble each other (correlation "
            f"{likeness:.2f}, at least 0.1 is needed); its pixel data is broken, or holds no light"
        )
        raise RawError(msg)
