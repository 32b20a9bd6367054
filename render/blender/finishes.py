"""What a surface is made of, as plain data; `families.craft.materials` turns it into shader nodes.

Colours are scene-linear sRGB albedo. The palettes are written as people pick colours, in display
sRGB, and converted once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_dataset.imaging.photometry import srgb_decode

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Finish:
    """A physically based material and its parameters."""

    kind: str  # key of `render.families.craft.materials.BUILDERS`
    colour: Rgb = (0.5, 0.5, 0.5)  # albedo, or reflectance of a metal
    second: Rgb = (0.5, 0.5, 0.5)  # of grain, glaze edge, speckles, grout
    roughness: float = 0.5  # Principled BSDF, 0 = mirror
    scale: float = 1.0  # size of the pattern, 1 = as it comes
    level_m: float = 0.0  # height at which a dipped glaze ends


def linear_rgb(hex_srgb: str) -> Rgb:
    """Return scene-linear RGB of a display colour written as six hexadecimal digits.

    >>> tuple(round(c, 3) for c in linear_rgb("ff8000"))
    (1.0, 0.216, 0.0)
    """
    codes = np.frombuffer(bytes.fromhex(hex_srgb), np.uint8) / 255.0
    red, green, blue = srgb_decode(codes).tolist()
    return red, green, blue


def shaded(colour: Rgb, factor: float) -> Rgb:
    """Return a colour made darker or lighter, at most 0.9 so that no surface gains light."""
    red, green, blue = (min(c * factor, 0.9) for c in colour)
    return red, green, blue


# Five colours that go together: two strong, one light, one dark, one neutral.
_PALETTES = (
    ("c8553d", "588b8b", "ffd5c2", "2d3047", "e0d8c8"),
    ("2f4858", "d9a441", "f2efe9", "33302c", "a8a496"),
    ("7b8f6a", "c97b63", "f4ede4", "3a3a38", "c9bfa8"),
    ("32526b", "b5c4cf", "f7f4ef", "20262b", "b7ada0"),
    ("9c3d45", "e2b89a", "f3e9df", "402a2c", "b4a79b"),
    ("386150", "d8a48f", "efebce", "22332b", "bb8c67"),
    ("6d597a", "e6a57e", "f6eee6", "355070", "b3a6b0"),
    ("d1a23b", "3f6c88", "f5f0df", "4a3f35", "c2c3bd"),
    ("4f6d7a", "dd6e42", "e8dab2", "2b3338", "c0d6df"),
    ("a44a3f", "d4a373", "faedcd", "3d342e", "cfc8b8"),
    ("56756b", "c9ada7", "f2e9e4", "22223b", "9a8c98"),
    ("b8642d", "7a8c4f", "f0e6d2", "3b2a20", "a89b84"),
)

METALS: dict[str, Rgb] = {  # normal-incidence reflectance
    "steel": (0.56, 0.57, 0.58),
    "brass": (0.80, 0.59, 0.31),
    "copper": (0.86, 0.52, 0.40),
    "aluminium": (0.80, 0.81, 0.83),
}

WOODS: tuple[tuple[Rgb, Rgb], ...] = tuple(  # early wood and grain
    (linear_rgb(light), linear_rgb(dark))
    for light, dark in (
        ("c69c6d", "8f6239"),  # oak
        ("e0c59c", "bd9562"),  # maple
        ("8a5a3c", "4e2f1f"),  # walnut
        ("b5713f", "77401f"),  # cherry
        ("d9b98a", "a67c4a"),  # pine
        ("6b4a35", "3a261b"),  # smoked oak
    )
)


@dataclass(frozen=True)
class Palette:
    """The colours of one scene."""

    strong: Rgb
    other: Rgb
    light: Rgb
    dark: Rgb
    neutral: Rgb

    def pick(self, rng: np.random.Generator) -> Rgb:
        """Draw a colour for an object on the table."""
        colours = (self.strong, self.other, self.light, self.dark, self.neutral)
        return colours[int(rng.choice(5, p=(0.3, 0.25, 0.25, 0.1, 0.1)))]


def palette_rand(rng: np.random.Generator) -> Palette:
    """Draw the colours of a scene."""
    return Palette(*(linear_rgb(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))]))


def ceramic_rand(rng: np.random.Generator, palette: Palette, height_m: float) -> Finish:
    """Draw a pottery finish: glazed, speckled stoneware, or dipped in glaze half way."""
    kind = str(rng.choice(["glazed", "speckled", "dipped"], p=[0.45, 0.3, 0.25]))
    second = linear_rgb("c8a27c") if kind == "dipped" else shaded(palette.dark, 0.8)
    return Finish(
        kind=kind,
        colour=shaded(palette.pick(rng), float(rng.uniform(0.85, 1.05))),
        second=second,
        roughness=float(rng.uniform(0.08, 0.35)),
        level_m=height_m * float(rng.uniform(0.2, 0.45)),
    )


def metal_rand(rng: np.random.Generator) -> Finish:
    """Draw a metal, polished or brushed."""
    name = str(rng.choice(sorted(METALS)))
    kind = str(rng.choice(["polished", "brushed"]))
    roughness = float(rng.uniform(0.06, 0.2) if kind == "polished" else rng.uniform(0.25, 0.4))
    return Finish(kind, METALS[name], METALS[name], roughness)


def wood_rand(rng: np.random.Generator) -> Finish:
    """Draw turned or planed wood."""
    light, dark = WOODS[int(rng.integers(len(WOODS)))]
    return Finish("wood", light, dark, float(rng.uniform(0.35, 0.6)), float(rng.uniform(0.7, 1.4)))


def glass_rand(rng: np.random.Generator) -> Finish:
    """Draw clear or bottle glass; the colour is what light keeps on its way through."""
    tints: tuple[NDArray[np.float64] | Rgb, ...] = (
        (0.97, 0.985, 0.98),
        (0.97, 0.985, 0.98),
        (0.55, 0.78, 0.58),
        (0.80, 0.52, 0.22),
        (0.55, 0.72, 0.85),
    )
    red, green, blue = (float(c) for c in tints[int(rng.integers(len(tints)))])
    return Finish("glass", (red, green, blue), roughness=0.0)
