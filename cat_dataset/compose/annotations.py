"""Annotations as tar members that stock readers open: mask as PNG, depth and normals as OpenEXR.

`mask.png`: 8-bit grey, 255 where the edit acts: on the edited object's pixels in this picture, or
all over where light, camera or lens are edited. `moving.png`: 255 where something moved during a
series of captures, which no edit explains: leave it out of a loss. `depth.exr`: float32 Z, metres
along the view axis, inf where there is nothing. `normal.exr`: half RGB, unit normals in world
space.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import SceneError
from cat_dataset.imaging.display import encode_png
from cat_dataset.imaging.exr import write_exr
from cat_dataset.records import Annotation
from cat_dataset.store.schema import ANNOTATION_MEMBERS


def annotation_members(
    annotation: Annotation | None,
    names: Sequence[str],
    area: Literal["object", "picture"],
    moving_HW: NDArray[np.bool_],
) -> dict[str, bytes]:
    """Return the encoded annotations of one picture: "mask", "depth", "normal", "moving".

    `moving_HW` has the shape of the picture; nothing moves where things are rendered.

    Raises:
        SceneError: the picture comes without what is asked for.
    """
    return {ANNOTATION_MEMBERS[name]: _encoded(annotation, name, area, moving_HW) for name in names}


def _encoded(
    annotation: Annotation | None,
    name: str,
    area: Literal["object", "picture"],
    moving_HW: NDArray[np.bool_],
) -> bytes:
    if name == "moving":
        return _mask_png(moving_HW)
    if name == "mask" and area == "picture":
        return _mask_png(np.ones(moving_HW.shape, np.bool_))
    if annotation is None:
        msg = f"annotation '{name}': this picture has none; remove it from the manifest"
        raise SceneError(msg)
    if name == "mask":
        return _mask_png(annotation.mask_HW)
    if name == "depth":
        return write_exr({name: annotation.depth_HW})
    return write_exr({name: annotation.normal_HW3.astype(np.float16)})


def _mask_png(mask_HW: NDArray[np.bool_]) -> bytes:
    return encode_png(mask_HW.astype(np.uint8) * np.uint8(255))
