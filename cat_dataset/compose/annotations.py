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
    members = {}
    for name in names:
        if name == "moving":
            members["moving.png"] = encode_png(moving_HW.astype(np.uint8) * np.uint8(255))
            continue
        if name == "mask" and area == "picture":
            members["mask.png"] = encode_png(np.full(moving_HW.shape, 255, np.uint8))
            continue
        if annotation is None:
            msg = f"annotation '{name}': this picture has none; remove it from the manifest"
            raise SceneError(msg)
        match name:
            case "mask":
                members["mask.png"] = encode_png(
                    annotation.mask_HW.astype(np.uint8) * np.uint8(255)
                )
            case "depth":
                members["depth.exr"] = write_exr({"depth": annotation.depth_HW})
            case "normal":
                normal = annotation.normal_HW3.astype(np.float16)
                members["normal.exr"] = write_exr({"normal": normal})
    return members
