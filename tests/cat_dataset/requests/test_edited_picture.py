import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cat_dataset.errors import CatError, EditScaleError
from cat_dataset.imaging.display import decode_png, encode_png
from cat_dataset.records import EditScale
from cat_dataset.requests.edited_picture import (
    EditedPicture,
    read_picture,
    resolve_edits,
    with_text,
)
from cat_dataset.requests.exif_values import own_values
from cat_dataset.system.seeding import derive_rng

PICTURE = derive_rng(0, "photo").integers(0, 256, (13, 17, 3)).astype(np.uint8)
# 1/30 s, f/5.6, ISO 800, 35 mm on a small sensor: 52 mm as on film, subject at 1.6 m
TAGS = {
    0x829A: (1, 30), 0x829D: (56, 10), 0x8827: 800, 0x920A: (35, 1), 0xA405: 52,
    0x9206: (16, 10),
}  # fmt: skip
OWN = {
    "shutter_blur": 1 / 30, "aperture": 5.6, "iso_noise": 800.0, "focal_length": 52.0,
    "focus_distance": 1.6,
}  # fmt: skip


def with_exif(form: str, tags: dict[int, object] | None = None) -> bytes:
    """Return a picture file with EXIF, written by Pillow."""
    from PIL.TiffImagePlugin import IFDRational

    exif = Image.Exif()
    exif[0x010F] = "Maker"  # Pillow leaves out a block whose first directory is empty
    inner = exif.get_ifd(0x8769)
    for tag, value in (TAGS if tags is None else tags).items():
        inner[tag] = IFDRational(*value) if isinstance(value, tuple) else value
    sink = io.BytesIO()
    Image.fromarray(PICTURE).save(sink, form, exif=exif.tobytes())
    return sink.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_picture_says_what_its_camera_was_set_to(form: str) -> None:
    """Of every container; film-equivalent focal length counts, as renders have a film's sensor."""
    assert own_values(with_exif(form)) == pytest.approx(OWN)


def test_what_is_not_known_is_not_said() -> None:
    """Subject at 0 (unknown) or infinity, ISO 0, no EXIF at all."""
    tags = {0x9206: (2**32 - 1, 1), 0x8827: 0, 0x829D: (28, 10)}

    assert own_values(with_exif("JPEG", tags)) == pytest.approx({"aperture": 2.8})
    assert own_values(encode_png(PICTURE)) == {}
    assert own_values(b"") == {}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_damaged_exif_is_no_reason_to_fail(form: str) -> None:
    """Cut anywhere: it says less, or nothing, and never raises."""
    data = with_exif(form)

    for size in range(0, len(data), 7):
        assert set(own_values(data[:size])) <= set(OWN)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_no_wrong_byte_of_the_exif_makes_it_fail(form: str) -> None:
    """Each byte in turn is changed, in the container as in the directories."""
    data = bytearray(with_exif(form))

    for place in range(min(len(data), 600)):
        damaged = data.copy()
        damaged[place] ^= 0xFF
        assert set(own_values(bytes(damaged))) <= set(OWN)


def test_a_zero_denominator_is_unknown() -> None:
    """Some cameras write 0/0 for a lens without contacts, and more than one ISO speed."""
    tags = {0x829D: (0, 0), 0x920A: (50, 0), 0x8827: (400, 0)}

    assert "aperture" not in own_values(with_exif("JPEG", tags))
    assert "focal_length" not in own_values(with_exif("JPEG", tags))


def test_absolute_values_start_from_the_pictures_own(tmp_path: Path) -> None:
    """f/5.6 in EXIF: f/8 is one stop more; typed sources win."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_exif("JPEG"))

    picture, own = read_picture(path)
    known, typed = resolve_edits(["aperture=f/8", "aperture=from f/4 to f/8"], own)

    assert picture.shape == PICTURE.shape
    assert known.value == pytest.approx(1.029, abs=0.001)
    assert typed.value == pytest.approx(2.0)
    with pytest.raises(EditScaleError, match="the picture's own is not known"):
        resolve_edits(["white_balance=3200K"], own)


def test_the_png_carries_its_edits_and_the_same_pixels(tmp_path: Path) -> None:
    """Pillow and OpenCV read it; numbers stand with their units."""
    edits = (EditScale("white_balance", 133.93, 5600.0, 3200.0), EditScale("exposure", 1.5))
    path = tmp_path / "new" / "edited.png"

    EditedPicture(PICTURE, edits, "tiled").save(path)

    assert (decode_png(path.read_bytes()) == PICTURE).all()
    with Image.open(path) as image:
        image.load()
        record = json.loads(image.text["cat-edits"])
    assert record["method"] == "tiled"
    assert record["edits"][0] == {
        "attribute": "white_balance", "subject": None, "value": 133.93, "unit": "mired",
        "source_value": 5600.0, "target_value": 3200.0, "absolute_unit": "K",
        "light_ratio": None,
    }  # fmt: skip
    assert record["edits"][1]["source_value"] is None


def test_the_text_chunk_is_whole() -> None:
    """Length, name and checksum as the PNG specification has them; text is UTF-8."""
    data = with_text(encode_png(PICTURE), {"what": "\N{DEGREE SIGN}"})

    (size,) = struct.unpack(">I", data[33:37])
    assert data[37:41] == b"iTXt"
    assert data[41 : 41 + size].endswith('{"what": "\N{DEGREE SIGN}"}'.encode())


def test_only_png_is_written(tmp_path: Path) -> None:
    """JPEG would change the numbers; the message names the file to give."""
    with pytest.raises(CatError, match=r"name it edited\.png"):
        EditedPicture(PICTURE, (), "scaled").save(tmp_path / "edited.jpg")


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot be read"), (b"x", "no readable")]
)
def test_a_file_that_is_no_picture_is_named(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    """Missing or not a picture."""
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CatError, match=complaint):
        read_picture(path)
