"""Capture files made bad in every way a card, a cable or a hand can, from a seed.

Each mutant lies alone in its minute, so that it is a unit of its own.
"""

import os
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from cat_dataset.system.seeding import derive_rng
from tests.dslr.dng_fields import with_field

Fate = Literal["bad", "either", "left alone"]
# Makes a file of a good DNG's bytes at a path without its suffix; returns what it wrote.
Mutate = Callable[[np.random.Generator, bytes, Path], Path]

_BYTE, _SHORT, _LONG, _RATIONAL = 1, 3, 4, 5
_DAY = re.compile(rb"\d{4}:\d\d:\d\d(?= \d\d:\d\d:\d\d\0)")  # of an Exif time


@dataclass(frozen=True)
class Mutant:
    """One mutated input, and what an ingester owes it."""

    kind: str
    name: str  # path below the folder
    fate: Fate  # "bad": a row with a reason; "either": that or pairs; "left alone": no capture


def write_mutants(folder: Path, good: bytes, num: int, seed: int) -> list[Mutant]:
    """Write `num` mutants of a good DNG below `folder`, as many of each kind as fit."""
    kinds = [*BAD, *EITHER, *LEFT_ALONE]
    mutants = []
    for number in range(num):
        kind = kinds[number % len(kinds)]
        rng = derive_rng(seed, "mutant", kind, number)
        day = f"{2000 + number // 336}:{1 + number // 28 % 12:02d}:{1 + number % 28:02d}"
        stem = folder / "mutated" / f"m{number:03d}-{kind.replace(' ', '-')}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        mutate = (BAD | EITHER | LEFT_ALONE)[kind]
        path = mutate(rng, _DAY.sub(day.encode(), good), stem)
        fate: Fate = "bad" if kind in BAD else "either" if kind in EITHER else "left alone"
        mutants.append(Mutant(kind, path.relative_to(folder).as_posix(), fate))
    return mutants


def _written(stem: Path, suffix: str, data: bytes) -> Path:
    path = stem.with_name(stem.name + suffix)
    path.write_bytes(data)
    return path


def _truncated(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(stem, ".dng", data[: int(len(data) * rng.uniform(0.02, 0.95))])


def _empty(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(stem, ".dng", b"")


def _zeros(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(stem, ".cr2", bytes(len(data)))


def _random(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(stem, ".arw", rng.bytes(len(data)))


def _text(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(stem, ".nef", b"no picture, a note that took the wrong name\n" * 20)


def _jpeg(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    return _written(
        stem, ".cr3", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + rng.bytes(4000) + b"\xff\xd9"
    )


def _pixels_at(data: bytes) -> int:
    """Return where the mosaic begins: it is the last and by far the largest part."""
    (at,) = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", 273, _LONG, 1)) + 8)
    return int(at)


def _no_pixels(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    at = _pixels_at(data)
    return _written(stem, ".dng", data[:at] + bytes(len(data) - at))


def _noise_pixels(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    at = _pixels_at(data)
    return _written(stem, ".dng", data[:at] + rng.bytes(len(data) - at))


def _huge(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    largest = int(rng.choice([65_535, 4_000_000]))  # more than 16 bits LibRaw refuses by itself
    for tag in (256, 257):
        side = int(rng.integers(20_000, largest))
        data = with_field(data, tag, tag, _LONG, struct.pack("<I", side))
    return _written(stem, ".dng", data)


def _tall(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    rows = struct.pack("<I", int(rng.integers(150, 5_000)))
    return _written(stem, ".dng", with_field(data, 257, 257, _LONG, rows))


def _no_blue(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    pattern = bytes([(0, 1, 1, 0), (1, 1, 1, 1), (0, 2, 2, 2)][int(rng.integers(3))])
    return _written(stem, ".dng", with_field(data, 33422, 33422, _BYTE, pattern))


def _black_white(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    white = struct.pack("<H", int(rng.integers(1, 500)))
    return _written(stem, ".dng", with_field(data, 50717, 50717, _SHORT, white))


def _dangling(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    path = stem.with_name(stem.name + ".dng")
    path.symlink_to("taken-off-the-card.dng")
    return path


def _loop(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    path = stem.with_name(stem.name + ".dng")
    path.symlink_to(path.name)
    return path


def _pipe(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    path = stem.with_name(stem.name + ".dng")
    os.mkfifo(path)
    return path


def _flipped(data: bytes, first: int, end: int, num: int, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for at in rng.integers(first, end, num):
        changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _header_bits(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    num = int(rng.integers(1, 9))
    return _written(stem, ".dng", _flipped(data, 0, _pixels_at(data), num, rng))


def _pixel_bits(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    flipped = _flipped(data, _pixels_at(data), len(data), int(rng.integers(1, 400)), rng)
    return _written(stem, ".dng", flipped)


def _field(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    """Give one field of IFD0 a value that some broken writer would."""
    tag, tiff_type, values = _ODD_FIELDS[int(rng.integers(len(_ODD_FIELDS)))]
    return _written(stem, ".dng", with_field(data, tag, tag, tiff_type, values))


_ODD_FIELDS = (
    (258, _SHORT, struct.pack("<H", 8)),  # BitsPerSample
    (258, _SHORT, struct.pack("<H", 32)),
    (259, _SHORT, struct.pack("<H", 7)),  # Compression: lossless JPEG
    (259, _SHORT, struct.pack("<H", 34892)),  # lossy JPEG
    (259, _SHORT, struct.pack("<H", 52546)),  # JPEG XL
    (259, _SHORT, struct.pack("<H", 9)),  # VC-5, as GoPro's GPR
    (262, _SHORT, struct.pack("<H", 34892)),  # LinearRaw
    (273, _LONG, struct.pack("<I", 0xFFFFFFF0)),  # StripOffsets
    (274, _SHORT, struct.pack("<H", 99)),  # Orientation
    (277, _SHORT, struct.pack("<H", 255)),  # SamplesPerPixel
    (278, _LONG, struct.pack("<I", 0)),  # RowsPerStrip
    (279, _LONG, struct.pack("<I", 7)),  # StripByteCounts
    (33421, _SHORT, struct.pack("<2H", 6, 6)),  # CFARepeatPatternDim
    (34665, _LONG, struct.pack("<I", 8)),  # the Exif directory is IFD0 itself
    (50714, _SHORT, struct.pack("<H", 16_000)),  # BlackLevel
    (50717, _SHORT, struct.pack("<H", 65_535)),  # WhiteLevel
    (50728, _RATIONAL, struct.pack("<6I", 0, 1, 0, 1, 0, 1)),  # AsShotNeutral
    (50728, _RATIONAL, struct.pack("<6I", 1, 0, 1, 0, 1, 0)),
)


def _other_suffix(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    suffixes = (".nef", ".CR2", ".arw", ".raf", ".Orf", ".gpr")
    return _written(stem, suffixes[int(rng.integers(len(suffixes)))], data)


def _odd_name(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    names = (" größe écran", "-写真", " (1)", "'s best", "%20", ".dng.dng", "\U0001f4f7")
    return _written(stem, names[int(rng.integers(len(names)))] + ".dng", data)


def _unreadable(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    """A file without permissions; root reads it nevertheless."""
    path = _written(stem, ".dng", data)
    path.chmod(0)
    return path


def _folder(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    path = stem.with_name(stem.name + ".dng")
    path.mkdir()
    return path


def _sidecar(rng: np.random.Generator, data: bytes, stem: Path) -> Path:
    suffixes = (".JPG", ".xmp", ".THM", ".dng.xmp", ".txt", ".dng~")
    return _written(stem, suffixes[int(rng.integers(len(suffixes)))], rng.bytes(500))


BAD: Mapping[str, Mutate] = MappingProxyType(
    {
        "truncated": _truncated,
        "empty file": _empty,
        "zero bytes": _zeros,
        "random bytes": _random,
        "text": _text,
        "jpeg": _jpeg,
        "zeroed pixels": _no_pixels,
        "noise pixels": _noise_pixels,
        "huge dimensions": _huge,
        "too tall": _tall,
        "missing colour": _no_blue,
        "white below black": _black_white,
        "dangling link": _dangling,
        "link loop": _loop,
        "pipe": _pipe,
    }
)
EITHER: Mapping[str, Mutate] = MappingProxyType(
    {
        "header bits": _header_bits,
        "odd field": _field,
        "pixel bits": _pixel_bits,
        "header bits 2": _header_bits,
        "other suffix": _other_suffix,
        "odd name": _odd_name,
        "odd field 2": _field,
        "unreadable": _unreadable,
    }
)
LEFT_ALONE: Mapping[str, Mutate] = MappingProxyType({"folder": _folder, "sidecar": _sidecar})
