"""Named pictures to the bytes of one multi-part OpenEXR file and back, exactly.

ZIP, because of the lossless codecs that every reader knows it gave the smallest files of rendered
light and was the fastest: three 512 px pictures in half float take 2.40 MB, 40 ms to write, 10 ms
to read (PIZ 2.50 MB, 43 and 15 ms; ZIPS 2.64 MB, 49 and 16 ms).
"""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

_NUM_THREADS = 0  # none beside the caller's: workers are processes


def write_exr(pictures: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a file with one part per picture; equal pictures give equal bytes.

    Each is float16 or float32, (H, W, 3) or (H, W); all have one size, and at least one is given.
    """
    parts = [
        OpenEXR.Part(
            {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION},
            {_channel(picture): np.ascontiguousarray(picture)},
            name,
        )
        for name, picture in pictures.items()
    ]
    sink = io.BytesIO()
    OpenEXR.File(parts, num_threads=_NUM_THREADS).write(sink)
    return sink.getvalue()


def _channel(picture: NDArray[Any]) -> str:
    """Return the channel that viewers expect: colour, depth in float, or one grey."""
    if picture.ndim == 3:
        return "RGB"
    return "Z" if picture.dtype == np.float32 else "Y"


def read_exr(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the picture of each part by the part's name.

    The library leaves a damaged part out without an error, so check a hash before.

    Raises:
        ValueError: the bytes are no OpenEXR file.
    """
    try:
        file = OpenEXR.File(io.BytesIO(data), num_threads=_NUM_THREADS)
    except RuntimeError as error:
        msg = f"{len(data)} bytes that are no OpenEXR file ({error})"
        raise ValueError(msg) from None
    return {
        part.name(): next(iter(part.channels.values())).pixels
        for part in file.parts
        if part.channels
    }
