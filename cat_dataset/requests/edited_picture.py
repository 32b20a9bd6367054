"""An edited picture with the edits that made it, and its PNG that carries them as text.

The PNG holds an iTXt chunk named `cat-edits`: JSON with every edit's attribute, subject, value,
unit and absolute values. Pillow writes it and shows it as `Image.open(path).text["cat-edits"]`.
Source: PNG specification, section 11.3.4.5.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngInfo, putchunk

from cat_dataset.attributes.table import find_attribute
from cat_dataset.errors import CatError
from cat_dataset.imaging.display import decode_png, encode_png
from cat_dataset.records import EditScale
from cat_dataset.requests.exif_values import own_values
from cat_dataset.requests.typed_edits import parse_edit, typed_name
from cat_dataset.system.atomic import write_bytes_atomic

TEXT_KEY = "cat-edits"
Display = NDArray[np.uint8]
# scaled: the model saw the whole picture, small; tiled: it saw every part of it at full size
Method = Literal["scaled", "tiled"]
_IHDR_END = 8 + 25  # signature, and the first chunk with its length, name and checksum


@dataclass(frozen=True)
class EditedPicture:
    """What an edit command or call returns."""

    picture_HW3: Display
    edits: tuple[EditScale, ...]
    method: Method

    def describe(self) -> str:
        """Return the edits with their numbers and units, and how the picture was seen."""
        return f"{', '.join(_describe(edit) for edit in self.edits)}; {self.method}"

    def save(self, path: Path | str) -> None:
        """Write the picture as PNG with its edits inside.

        Raises:
            CatError: the name is not that of a PNG.
        """
        place = Path(path)
        check_png_name(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(place, with_text(encode_png(self.picture_HW3), self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """Return what is written into the PNG."""
        keys = (
            *("attribute", "subject", "value", "unit"),
            *("source_value", "target_value", "absolute_unit"),
        )
        edits = [
            {**{key: edit.to_json()[key] for key in keys}, "light_ratio": edit.light_ratio}
            for edit in self.edits
        ]
        return {"edits": edits, "method": self.method}


def check_png_name(path: Path) -> None:
    """Raise CatError unless a path names a PNG."""
    if path.suffix.lower() != ".png":
        name = path.with_suffix(".png").name
        msg = f"{path}: the edited picture is written as PNG; name it {name}"
        raise CatError(msg)


def with_text(png: bytes, record: Mapping[str, Any]) -> bytes:
    """Return a PNG with a record as its `cat-edits` text, behind the header."""
    info, chunks = PngInfo(), io.BytesIO()
    info.add_itxt(TEXT_KEY, json.dumps(record, sort_keys=True, ensure_ascii=False))
    for name, content, _ in info.chunks:
        putchunk(chunks, name, content)
    return png[:_IHDR_END] + chunks.getvalue() + png[_IHDR_END:]


def read_picture(path: Path) -> tuple[Display, dict[str, float]]:
    """Return a picture, uint8 display sRGB (H, W, 3), and the absolute values of its EXIF.

    Raises:
        CatError: it is missing or no picture.
    """
    try:
        data = path.read_bytes()
        return decode_png(data), own_values(data)
    except OSError as error:
        msg = f"picture {path}: cannot be read ({error.strerror})"
        raise CatError(msg) from None
    except ValueError as error:
        msg = f"picture {path}: {error}; give a PNG, JPEG or TIFF file"
        raise CatError(msg) from None


def resolve_edits(
    texts: Sequence[str], known_values: Mapping[str, float | None]
) -> tuple[EditScale, ...]:
    """Return typed edits as signed values, from the picture's own values where they are known.

    `known_values` holds absolute values by the key of the task.

    Raises:
        EditScaleError: no such attribute or unit, a value out of range, or an absolute value of a
            picture whose own is not known.
    """
    known, scales = dict(known_values), []
    for edit in [parse_edit(text) for text in texts]:
        key = edit.task_key
        scale = edit.resolve(known.get(key))
        if scale.target_value is not None:
            known[key] = scale.target_value  # the next one starts where this one ends
        scales.append(scale)
    return tuple(scales)


def _describe(edit: EditScale) -> str:
    attribute = find_attribute(edit.attribute)
    text = f"{typed_name(edit)} {edit.value:+.4g} {attribute.unit}"
    if edit.source_value is not None and edit.target_value is not None:
        unit = attribute.absolute_unit
        text += f" ({edit.source_value:.4g} to {edit.target_value:.4g} {unit})"
    if edit.light_ratio is not None:
        text += f" at {','.join(f'{number:.4g}' for number in edit.light_ratio)}:1"
    return text
